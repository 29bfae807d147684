"""A rule as weights on what the plan's tables say: checked on the plan, and priced in the bound, from one statement.

A new rule is stated so in a file of its own in `plan.audit.rules`. It shares no code with the programme; its rows are
those of the family of the same name, named by the same columns of certificate.parquet.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from planner.plan.audit.findings import Finding, over, worst
from planner.plan.derived import Derived
from planner.plan.flows import WAY, Floats, Flows, Names
from planner.schema.case import Case
from planner.units import REQUESTS_PER_THOUSAND

NAMED = ("origin", "workload", "model", "region", "supply", "meter", "scenario", "period", "hour_of_week")
RowName = Mapping[str, str | int]  # columns of NAMED that tell a row from the others; none where there is one row


@dataclass(frozen=True)
class WayNames:
    """A way to serve a request, by its names; reserved: by a pool."""

    origin: str
    workload: str
    model: str
    region: str
    supply: str
    reserved: bool


@dataclass(frozen=True)
class Served:
    """What a row counts of the requests served: ``weight`` of a thousand requests per hour on a way, times ``slots``.

    ``slots`` has a number for each slot (scenario, period, hour of the week, in that order: `Names`).
    """

    row: int
    weight: Callable[[WayNames], float]
    slots: Floats


@dataclass(frozen=True)
class LinearRule:
    """lower ≤ Σ weights · units bought, units deployed and requests served ≤ upper, one row after another.

    family : name of the family of constraints. unit : of a row. rows : what tells each row from the others.
    lower, upper : of each row (-inf, inf: none). bought : (row, offer, period, weight a unit). deployed : (row, pool,
    meter, model, period, weight a unit). served : what rows count of the requests.
    missed_usd : USD for each unit by which the lower limit of a row may be missed, a part of the plan's cost; none: no
    row may. unreserved : (row, pool, meter, period, weight a unit), and scaled : (row, pool, what a unit that runs by
    the hour weighs in each slot; a start: times its hours), only in such rules. any_size : whether more units than are
    of any use may pay.
    """

    family: str
    unit: str
    rows: Sequence[RowName]
    lower: Sequence[float]
    upper: Sequence[float]
    bought: Sequence[tuple[int, str, str, float]] = field(default=())
    deployed: Sequence[tuple[int, str, str, str, str, float]] = field(default=())
    served: Sequence[Served] = field(default=())
    missed_usd: Sequence[float] = field(default=())
    unreserved: Sequence[tuple[int, str, str, str, float]] = field(default=())
    scaled: Sequence[tuple[int, str, Floats]] = field(default=())
    any_size: bool = True

    @property
    def kinds(self) -> tuple[str, str]:
        """Kinds of its prices in certificate.parquet: of a lower and of an upper limit."""
        return f"{self.family}_floor", f"{self.family}_cap"


def check_rule(rule: LinearRule, purchases: pd.DataFrame, deployments: pd.DataFrame, flows: Flows) -> list[Finding]:
    """Check each row of a rule on the plan's tables; what may be missed at a price is priced, not checked."""
    if rule.missed_usd:
        return []
    value = np.zeros(len(rule.rows))
    units: dict[tuple[Any, ...], float] = {}
    for offer, period, n in purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
        units[offer, period] = units.get((offer, period), 0.0) + n
    for row, offer, period, weight in rule.bought:
        value[row] += weight * units.get((offer, period), 0.0)
    placed: dict[tuple[Any, ...], float] = {}
    columns = ["pool", "meter", "model", "period", "units"]
    for *key, n in deployments[columns].itertuples(index=False, name=None):
        placed[tuple(key)] = placed.get(tuple(key), 0.0) + n
    for row, pool, meter, model, period, weight in rule.deployed:
        value[row] += weight * placed.get((pool, meter, model, period), 0.0)
    if rule.served:
        named = flows.ways[[*WAY, "reserved"]].itertuples(index=False, name=None)
        ways = [WayNames(str(o), str(w), str(i), str(s), str(k), bool(held)) for o, w, i, s, k, held in named]
        for part in rule.served:
            weights = np.array([part.weight(way) for way in ways])
            krph = flows.rph / REQUESTS_PER_THOUSAND
            value[part.row] += float((weights[flows.way] * part.slots[flows.place] * krph).sum())
    lower, upper = np.array(rule.lower, float), np.array(rule.upper, float)

    def describe(k: int) -> str:
        where = ", ".join(str(v) for v in rule.rows[k].values())
        limits = (("at least", lower[k]), ("at most", upper[k]))
        allowed = " and ".join(f"{word} {limit:,.6g}" for word, limit in limits if np.isfinite(limit))
        return f"{where}{': ' if where else ''}{value[k]:,.6g} {rule.unit}, allowed {allowed}"

    found = worst(rule.family, over(value, upper), value - upper, np.nan_to_num(upper, posinf=1.0), describe)
    return found + worst(rule.family, over(-value, -lower), lower - value, np.nan_to_num(lower, neginf=1.0), describe)


class RulePrices:
    """Prices of the rules in certificate.parquet, and what they are worth.

    Parameters
    ----------
    rules : all that the case has. table : certificate.parquet. tilt : how much a dollar of each scenario counts.
    """

    def __init__(
        self, rules: Sequence[LinearRule], table: pd.DataFrame, tilt: Mapping[str, float] | None = None
    ) -> None:
        self.rules, self.tilt = rules, dict(tilt or {})
        self.price = [np.zeros(len(rule.rows)) for rule in rules]  # of a lower limit; negative: of an upper one
        self.worth_usd = 0.0
        self._bought: dict[tuple[str, str], float] = {}
        self._deployed: dict[tuple[str, str, str, str], float] = {}
        self._unreserved: dict[tuple[str, str, str], float] = {}
        for rule, price in zip(rules, self.price):
            self._read(rule, price, table)

    def _read(self, rule: LinearRule, price: Floats, table: pd.DataFrame) -> None:
        blank = {name: -1 if name == "hour_of_week" else "" for name in NAMED}
        number = {tuple((blank | dict(row)).values()): k for k, row in enumerate(rule.rows)}
        for kind, sign, limit in zip(rule.kinds, (1.0, -1.0), (rule.lower, rule.upper)):
            part = table[table["kind"] == kind]
            for *names, usd in (
                part[[*NAMED, "price"]].astype(dict.fromkeys(NAMED, object)).itertuples(index=False, name=None)
            ):
                k = number.get(tuple(names), -1)
                if k < 0:  # no price without a row to belong to: it proves nothing
                    continue
                price[k] += sign * usd
                self.worth_usd += sign * usd * limit[k] if usd > 0 else 0.0
        for row, offer, period, weight in rule.bought:
            key = (offer, period)
            self._bought[key] = self._bought.get(key, 0.0) + weight * float(price[row])
        for row, pool, meter, model, period, weight in rule.deployed:
            place = (pool, meter, model, period)
            self._deployed[place] = self._deployed.get(place, 0.0) + weight * float(price[row])
        for row, pool, meter, period, weight in rule.unreserved:
            self._unreserved[pool, meter, period] = self._unreserved.get((pool, meter, period), 0.0) + weight * float(
                price[row]
            )
        for row, chance in enumerate(rule.missed_usd):
            usd = chance * self.tilt.get(str(rule.rows[row].get("scenario")), 1.0)
            self.worth_usd -= max(0.0, float(price[row]) - usd) * max(0.0, rule.lower[row])

    @property
    def any_size(self) -> bool:
        """Whether a plan may want more units than are of any use without these rules."""
        return any(rule.any_size for rule in self.rules)

    @property
    def any(self) -> bool:
        """Whether there are such rules."""
        return bool(self.rules)

    def of_bought(self, offer: str, period: str) -> float:
        """Return what a unit bought earns, USD."""
        return self._bought.get((offer, period), 0.0)

    def of_scaled(self, pool: str, slots: int) -> Floats:
        """Return what a unit that runs by the hour earns in each slot, USD."""
        found = np.zeros(slots)
        for rule, price in zip(self.rules, self.price):
            for row, name, weight in rule.scaled:
                if name == pool:
                    found = found + float(price[row]) * weight
        return found

    def filled_by_scaled(self, pool: str, slots: int) -> Floats:
        """Units by the hour that fill in one slot by themselves every row that counts what they cost; 0: one row does.

        A plan may want so many where a dollar counts for several rows.
        """
        rows, units = np.zeros(slots), np.zeros(slots)
        for rule in self.rules:
            for row, name, weight in rule.scaled:
                if name == pool:
                    counts = np.asarray(weight) > 0
                    rows = rows + counts
                    asked = np.divide(max(rule.lower[row], 0.0), weight, out=np.zeros(slots), where=counts)
                    units = np.maximum(units, asked)
        return np.where(rows > 1, units, 0.0)

    def of_unreserved(self, pool: str, meter: str, period: str) -> float:
        """Return what a unit beyond the commitments earns, USD."""
        return self._unreserved.get((pool, meter, period), 0.0)

    def of_deployed(self, deployment: tuple[str, str, str], period: str) -> float:
        """Return what a unit deployed earns, USD."""
        return self._deployed.get((*deployment, period), 0.0)

    def of_served(self, way: WayNames, slots: int) -> Floats | None:
        """Return what a thousand requests per hour on a way earn in each slot, USD; None: nothing."""
        found: Floats | None = None
        for rule, price in zip(self.rules, self.price):
            for part in rule.served:
                weight = float(price[part.row]) and part.weight(way) * float(price[part.row])
                if weight:
                    found = (np.zeros(slots) if found is None else found) + weight * part.slots
        return found


TINY = 1e-9  # GB per month: a cap below is 0


@dataclass(frozen=True)
class Way:
    """One way: per request and hour. quota: number in Names.quotas, -1 on reserved units."""

    origin: int
    region: int
    model: int
    usd: float
    egress_usd: float
    gb_in: float
    gb_out: float
    away: bool
    sure: bool
    quota: int
    tokens_per_minute: float
    loads: tuple[tuple[int, float, float], ...]  # deployment, units, usable share
    latest_hours: int  # how late it may serve a request
    barred: bool  # carries nothing in any plan (a quota or cap of 0), stress cases apart


def ways_of(case: Case, derived: Derived, names: Names) -> dict[int, list[Way]]:
    """List the ways of every need (origin x workloads + workload), allowed by mix, routes and residency."""
    region = {name: k for k, name in enumerate(names.regions)}
    model = {name: k for k, name in enumerate(names.models)}
    workload = {name: k for k, name in enumerate(names.workloads)}
    deployment = {key: k for k, key in enumerate(names.deployments)}
    quota = {key: k for k, key in enumerate(names.quotas)}
    pools: dict[tuple[str, str], dict[tuple[str, str], list[tuple[int, float, float]]]] = {}
    r: Any
    for r in derived.loads.itertuples(index=False):
        held = pools.setdefault((r.workload, r.region), {}).setdefault((r.model, r.pool), [])
        held.append((deployment[r.pool, r.meter, r.deployment], r.units_per_request, r.usable_share))
    options: dict[tuple[str, str], list[tuple[str, int, float, float, bool, int]]] = {}
    deadline = {w.workload: w.deadline_hours for w in case.workloads}
    for r in derived.options.itertuples(index=False):
        options.setdefault((r.workload, r.region), []).append(
            (
                r.model,
                quota[r.region, r.model, r.option],
                r.on_demand_usd,
                r.quota_per_request,
                bool(r.guaranteed),
                r.latest_hours,
            )
        )
    found: dict[int, list[Way]] = {}
    empty = {k for k, q in enumerate(case.on_demand) if q.tokens_per_minute_quota == 0}
    closed = {(r.origin, r.destination) for r in case.routes if (r.max_gb_per_month or 1.0) < TINY}
    closed |= {(r.origin, r.destination) for r in case.routes if r.max_gb_per_month == 0}
    stay = case.settings.policy.egress.max_cross_region_share == 0
    never = {s.scenario for s in case.scenarios if s.probability == 0}  # no cap on an expected value counts what is so
    asked = case.demand[case.demand["scenario"].isin(never) & (case.demand["requests_per_hour"] > 0)]
    uncounted = set(zip(asked["region"], asked["workload"], strict=True))
    t: Any
    for t in derived.travel.itertuples(index=False):
        away = t.origin != t.region
        shut = ((t.origin, t.region) in closed and t.gb_in > 0) or ((t.region, t.origin) in closed and t.gb_out > 0)
        o, s = region[t.origin], region[t.region]
        need = o * len(names.workloads) + workload[t.workload]
        trip = (t.egress_usd, t.gb_in, t.gb_out, o != s)
        listed = found.setdefault(need, [])
        barred = away and (stay or shut) and (t.origin, t.workload) not in uncounted
        for (i, _), loads in pools.get((t.workload, t.region), {}).items():
            listed.append(Way(o, s, model[i], 0.0, *trip, True, -1, 0.0, tuple(loads), deadline[t.workload], barred))
        for i, q, usd, tokens, sure, latest in options.get((t.workload, t.region), ()):
            shut_off = barred or (q in empty and tokens > 0)
            listed.append(Way(o, s, model[i], usd, *trip, sure, q, tokens, (), latest, shut_off))
    return found
