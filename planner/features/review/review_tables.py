"""The tables of a review: every column with its unit. Shares are 0-1; NaN: not defined.

Every amount of the past is of the hours seen. `side` says whose figures a row holds: PLANNED, the plan at the weights
it was made with (days of the month / 7); EXPECTED, the same plan at the hours of the calendar that were seen; ACTUAL,
the actual demand, served as cheaply as possible with the units held.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.features.order.order import Lacking
from planner.features.review.review_rules import Rules
from planner.features.tasks import Alert
from planner.plan.expiries import Calendar
from planner.plan.flows import Floats
from planner.plan.frames import FLAG, MOMENT, NUMBER, TEXT, WHOLE, Field, Frame
from planner.plan.metrics.basis import Basis, ratio
from planner.plan.metrics.task_costs import equivalent_usd
from planner.plan.orders import Owed
from planner.plan.scaled import started_units
from planner.units import HOURS_PER_WEEK

PLANNED, EXPECTED, ACTUAL = "planned", "expected", "actual"
KEEP, DROP, RAISE, LOWER, WATCH = "keep", "drop at expiry", "raise", "lower", "watch"
QUOTA, UNSERVED, LEVEL = "met quota", "unserved", "above plan"
TOKENS, REQUESTS = "tokens/minute", "requests/hour"  # units of a peak

_PERIOD = Field("period", TEXT, "month")
_SIDE = Field("side", TEXT, "planned, expected or actual")
_WORKLOAD = Field("workload", TEXT, "workload")
_REGION = Field("region", TEXT, "region")
_POOL = Field("pool", TEXT, "pool")
_METER = Field("meter", TEXT, "what its units count")
_COVERAGE = Field("coverage", NUMBER, "on-demand value of what reserved units serve, of all", "share")
_UTILISATION = Field("utilisation", NUMBER, "used over capacity", "share")
_VACANCY = Field("vacancy", NUMBER, "units that no hour takes", "share")
_RATE = Field("effective_savings_rate", NUMBER, "1 - cost over the same use on demand", "share")
_TOTAL_USD = Field("total_usd", NUMBER, "cost", "USD")

MONTHLY = Frame("monthly", "one row for each month and side; what spend commitments cost unspent is in none", (
    _PERIOD, _SIDE, Field("hours", NUMBER, "hours seen", "hours"), Field("requests", NUMBER, "requests", "requests"),
    Field("capacity_usd", NUMBER, "what reserved units cost", "USD"),
    Field("scaled_usd", NUMBER, "units that run by the hour, starts included", "USD"),
    Field("on_demand_usd", NUMBER, "requests on demand", "USD"),
    Field("egress_usd", NUMBER, "data that crosses regions", "USD"), _TOTAL_USD, _COVERAGE, _UTILISATION, _VACANCY,
    _RATE, Field("unserved_requests", NUMBER, "requests that neither units nor quotas could serve", "requests"),
))  # fmt: skip
POOLS = Frame("pools", "one row for each pool, meter, month and side in which units are held", (
    _POOL, _METER, _REGION, _PERIOD, _SIDE, Field("units", NUMBER, "units held", "units"),
    Field("capacity_unit_hours", NUMBER, "units times hours seen", "unit-hours"),
    Field("used_unit_hours", NUMBER, "of them used", "unit-hours"), _UTILISATION, _VACANCY,
    Field("usd", NUMBER, "what the units cost", "USD"),
    Field("covered_usd", NUMBER, "what they serve, at on-demand prices", "USD"), _COVERAGE, _RATE,
))  # fmt: skip
COMMITMENTS = Frame("commitments", "one row for each commitment, month and side: its part of its pool, by units", (
    Field("commitment", WHOLE, "its place among the verdicts"), Field("offer", TEXT, "offer"), *POOLS.declared,
))  # fmt: skip
OVERFLOW = Frame("overflow", "one row for each pool whose overflow an offer would have served cheaper", (
    _POOL, _METER, _REGION, Field("offer", TEXT, "offer"),
    Field("first_period", TEXT, "first month of its term"),
    Field("last_period", TEXT, "last month of it that was seen"),
    Field("units", NUMBER, "units that would have saved most", "units"),
    Field("on_demand_usd", NUMBER, "what they would have served, at on-demand prices", "USD"),
    Field("commitment_usd", NUMBER, "what they would have cost", "USD"),
    Field("saving_usd", NUMBER, "difference", "USD"),
    Field("runs_on", FLAG, "the term is longer than the months seen"),
))  # fmt: skip
PEAKS = Frame("peaks", "one row for each hour in which demand met a limit or was above the plan", (
    Field("kind", TEXT, "met quota, unserved, or above plan"),
    Field("hour", MOMENT, "start of the hour, UTC"), _REGION,
    Field("model", TEXT, "model; blank: any"), Field("workload", TEXT, "workload; blank: any"),
    Field("option", TEXT, "on-demand option; blank: none"), Field("found", NUMBER, "what the hour had", "as `unit`"),
    Field("limit", NUMBER, "quota, or planned level", "as `unit`"),
    Field("share", NUMBER, "found over limit", "share"),
    Field("unserved_requests", NUMBER, "requests that could not be served", "requests"),
    Field("unit", TEXT, "tokens/minute or requests/hour"),
))  # fmt: skip
ERRORS = Frame("errors", "errors of the forecast by region, workload and month, and their sums (`all`)", (
    _REGION, _WORKLOAD, _PERIOD, Field("hours", NUMBER, "hours compared", "hours"),
    Field("actual_requests", NUMBER, "requests that came", "requests"),
    Field("planned_requests", NUMBER, "requests planned, expected over scenarios", "requests"),
    Field("wape", NUMBER, "sum of absolute errors over requests that came", "share"),
    Field("bias", NUMBER, "planned over actual requests, less 1", "share"),
    Field("peak_actual_rph", NUMBER, "highest hour that came", "requests/hour"),
    Field("peak_planned_rph", NUMBER, "highest hour planned", "requests/hour"),
    Field("scenario_coverage", NUMBER, "hours that lay within the scenarios; NaN: there is one", "share"),
))  # fmt: skip
ASSUMPTIONS = Frame("assumptions", "what the plan assumed of a workload and month, and what was seen", (
    _WORKLOAD, _PERIOD, Field("figure", TEXT, "what is compared"), Field("assumed", NUMBER, "in the plan"),
    Field("seen", NUMBER, "in the history"), Field("change_share", NUMBER, "seen over assumed, less 1", "share"),
    Field("remark", TEXT, "why they may differ"),
))  # fmt: skip
TASK_COSTS = Frame("tasks", "cost of the tasks of each workload, month and side", (
    _WORKLOAD, _PERIOD, _SIDE, Field("tasks", NUMBER, "tasks", "tasks"), _TOTAL_USD,
    Field("usd_per_task", NUMBER, "cost of a task", "USD"),
))  # fmt: skip
CONTRACTS = Frame("contracts", "one row for each spend commitment: spent, still to come, lost", (
    Field("contract", TEXT, "contract"), Field("usd", NUMBER, "to be spent in its periods", "USD"),
    Field("planned_usd", NUMBER, "what the plan spends on it, expected over scenarios", "USD"),
    Field("spent_usd", NUMBER, "spent on it in the hours seen, with the plan's commitments", "USD"),
    Field("to_come_usd", NUMBER, "still to be spent on it, as planned, in the hours not seen", "USD"),
    Field("short_usd", NUMBER, "expected to be paid without being spent, with the plan's commitments", "USD"),
    Field("best_short_usd", NUMBER, "the same with the best commitments", "USD"),
))  # fmt: skip
REVIEW_FIGURES = (MONTHLY, POOLS, COMMITMENTS, OVERFLOW, PEAKS, ERRORS, ASSUMPTIONS, TASK_COSTS, CONTRACTS)


@dataclass(frozen=True)
class SeenSpan:
    """How much of a month the history shows: hours seen of all its hours."""

    period: str
    hours_seen: int
    hours: int

    @property
    def share(self) -> float:
        """Share of the month's hours seen."""
        return self.hours_seen / self.hours


@dataclass(frozen=True)
class Regret:
    """What the plan costs above the plan that would have been best, USD over the horizon, on the hours that were.

    plan_usd : the plan's commitments on the actual demand. best_usd : the best commitments for it, same offers and
    rules. Units of the best are of any size. forecast_usd : the same difference on the plan's own forecast, that is
    what whole units (and the gap of the search) cost there: nobody's regret. standby_usd : of plan_usd, units by the
    hour beyond what is held, which the rules would have asked for on this demand: nobody paid them. rules_kept :
    whether the plan's commitments meet the stress cases on the actual demand; if not, neither side has to.
    broken : what they cannot meet. unserved_requests : of the horizon, that they cannot serve at all (left
    out on both sides).
    months_ahead : months, or parts of months, not seen: taken as the plan has them, on both sides. tail_usd : of
    plan_usd, what is counted of payments past the horizon. short_usd, best_short_usd : of each, paid but not spent.
    """

    plan_usd: float
    best_usd: float
    forecast_usd: float
    standby_usd: float
    rules_kept: bool
    broken: tuple[Lacking, ...]
    unserved_requests: float
    months_ahead: tuple[str, ...]
    tail_usd: float
    short_usd: float = 0.0
    best_short_usd: float = 0.0

    @property
    def above_best_usd(self) -> float:
        """The plan above the best of any size."""
        return self.plan_usd - self.best_usd

    @property
    def usd(self) -> float:
        """The regret: what is above the best, less what whole units cost on the forecast itself; 0 below a cent."""
        regret = self.above_best_usd - self.forecast_usd
        return regret if regret > max(0.01, 1e-8 * abs(self.plan_usd)) else 0.0


@dataclass(frozen=True)
class Verdict:
    """What to do with a commitment, and why.

    number : its place in the list, from 1. units : as held; best_units : those that would have cost least, the other
    commitments (and the changes named before it) as they are. saving_usd : what they would have saved over the months
    of the horizon; those of drop, lower and raise add up. usd : what it costs in the horizon, counted tail included.
    last_unit_usd, next_unit_usd : what each of its last `step_units` units, and of as many more, is worth over those
    months by serving demand and keeping the rules; price_usd : what a unit costs in them. None: it cannot be known.
    seen_share : of the hours in which it is in force. evidence : sentences.
    """

    number: int
    owed: Owed
    verdict: str
    units: float
    step_units: float
    best_units: float
    saving_usd: float
    usd: float
    price_usd: float
    last_unit_usd: float | None
    next_unit_usd: float | None
    utilisation: float
    planned_utilisation: float
    seen_share: float
    evidence: tuple[str, ...]

    @property
    def name(self) -> str:
        """Offer and first day, which identify a commitment."""
        return f"{self.owed.offer.offer} from {self.owed.start}"


@dataclass(frozen=True)
class Review:
    """A plan against what happened.

    name, months : the plan and its horizon. until : first moment after the last hour seen. spans : each month.
    notes : what was assumed or left out. verdicts : one a commitment in force in a month of the horizon.
    monthly, pools, commitments, overflow, peaks, errors, assumptions, tasks, contracts : tables, as named in this file.
    paid_usd : what the hours seen cost (actual); calendar_usd : what whole months seen would have cost as planned at
    the calendar's hours above the plan's weights. alerts : tasks that became dearer at a flat volume, with the
    driver. calendar : of expiries.
    """

    name: str
    months: tuple[str, ...]
    until: dt.datetime
    rules: Rules
    spans: tuple[SeenSpan, ...]
    notes: tuple[str, ...]
    regret: Regret
    verdicts: tuple[Verdict, ...]
    monthly: pd.DataFrame
    pools: pd.DataFrame
    commitments: pd.DataFrame
    overflow: pd.DataFrame
    peaks: pd.DataFrame
    errors: pd.DataFrame
    assumptions: pd.DataFrame
    tasks: pd.DataFrame
    contracts: pd.DataFrame
    alerts: tuple[Alert, ...]
    calendar: Calendar
    calendar_usd: float

    def __post_init__(self) -> None:
        """Refuse a table that is not what it is declared to be."""
        for frame in REVIEW_FIGURES:
            frame.check(getattr(self, frame.name))

    def __repr__(self) -> str:
        """Name the plan reviewed, what it cost and the decisions."""
        asked = sum(v.verdict != KEEP for v in self.verdicts)
        return f"<Review of {self.name}: paid {self.paid_usd:,.2f} USD, {asked} of {len(self.verdicts)} to change>"

    @property
    def paid_usd(self) -> float:
        """What the hours seen cost."""
        return float(self.monthly.loc[self.monthly["side"] == ACTUAL, "total_usd"].sum())


_KEYS = ["pool", "meter", "period"]


@dataclass(frozen=True)
class Counted:
    """A plan whose slots occur a given number of times.

    basis : the plan's tables. count : of each slot. hours : of each period, that the count covers.
    """

    basis: Basis
    count: Floats
    hours: Floats

    @classmethod
    def planned(cls, basis: Basis) -> "Counted":
        """Count as the case weighs its slots, whole months."""
        return cls(basis, basis.weeks, basis.hours)

    def by_way(self, factor: bool = False, reserved: bool = False) -> Floats:
        """Count requests of each way in each period (times the scenario's price factor): ways x periods.

        reserved : only those that reserved units serve, units by the hour left out.
        """
        flows, periods = self.basis.flows, len(self.basis.names.periods)
        value = flows.rph * self.count[flows.place]
        if factor:
            value = value * self.basis.price_factors
        if reserved:
            own = flows.ways["reserved"].to_numpy(bool)[flows.way]
            value = np.where(own, value * (1 - self.basis.reading.by_scaled.of_flow), 0.0)
        cell = flows.way * periods + self.basis.period
        total: Floats = np.bincount(cell, value, len(flows.ways) * periods).astype(float)
        return total.reshape(len(flows.ways), periods)

    def months(self, side: str, unserved: Floats | None = None) -> pd.DataFrame:
        """Cost and use of each period: columns MONTHLY. unserved : requests of each period."""
        names, ways = self.basis.names, self.basis.flows.ways
        priced, requests = self.by_way(factor=True), self.by_way()
        pools = self.pools(side)
        sums = pools.assign(
            used=pools["usd"] * pools["utilisation"].fillna(0.0), vacant=pools["usd"] * pools["vacancy"].fillna(0.0)
        )
        by_period = sums.groupby("period")[["usd", "used", "vacant"]].sum().reindex(list(names.periods)).fillna(0.0)
        capacity = by_period["usd"].to_numpy(float)
        paid = ways["on_demand_usd"].to_numpy(float) @ priced
        crossed = ways["egress_usd"].to_numpy(float) @ requests
        price, run = equivalent_usd(self.basis)[:, None], self.scaled_usd
        held = ways["reserved"].to_numpy(bool)
        whole = (price * priced).sum(axis=0)
        covered = (price * self.by_way(factor=True, reserved=True))[held].sum(axis=0)
        return pd.DataFrame(
            {
                "period": list(names.periods),
                "side": side,
                "hours": self.hours,
                "requests": requests.sum(axis=0),
                "capacity_usd": capacity,
                "scaled_usd": run,
                "on_demand_usd": paid,
                "egress_usd": crossed,
                "total_usd": capacity + run + paid + crossed,
                "coverage": ratio(covered, whole),
                "utilisation": ratio(by_period["used"].to_numpy(float), capacity),
                "vacancy": ratio(by_period["vacant"].to_numpy(float), capacity),
                "effective_savings_rate": 1 - ratio(capacity + run + paid, whole),
                "unserved_requests": np.zeros(len(names.periods)) if unserved is None else unserved,
            }
        )[list(MONTHLY.columns)]

    @property
    def scaled_usd(self) -> Floats:
        """Add up what units by the hour cost in each period, starts included; a week is a circle for them."""
        basis, periods = self.basis, len(self.basis.names.periods)
        run = basis.flows.scaled
        if not run.any():
            return np.zeros(periods)
        pools = {p.pool: (p.usd_per_scaled_unit_hour or 0.0, p.start_hours) for p in basis.case.pools}
        usd, warm = np.array([pools[pool] for pool, _, _ in basis.names.deployments]).T
        paid = (usd[:, None] * (run + warm[:, None] * started_units(run))).sum(axis=0) * self.count
        by_week = paid.reshape(len(basis.names.scenarios), periods, HOURS_PER_WEEK)
        found: Floats = by_week.sum(axis=(0, 2))
        return found

    def pools(self, side: str) -> pd.DataFrame:
        """Use and cost of each pool and meter in each period in which units are held: columns POOLS.

        What a pool with several meters serves is divided among them as their cost.
        """
        basis, names = self.basis, self.basis.names
        region = {p.pool: p.region for p in basis.case.pools}
        share = dict(zip(names.periods, ratio(self.hours, basis.hours).tolist(), strict=True))
        hours = dict(zip(names.periods, self.hours.tolist(), strict=True))
        table = basis.balance.merge(self._use(), on=_KEYS, how="left").merge(self._cost(), on=_KEYS, how="left")
        table = table.merge(self._value(), on=_KEYS, how="left").fillna(
            {"used_unit_hours": 0.0, "peak": 0.0, "usd": 0.0, "covered_usd": 0.0}
        )
        table["units"] = table["committed_units"] + table["unreserved_units"]
        table = table[table["units"] > 0].reset_index(drop=True)
        table["usd"] *= table["period"].map(share).astype(float)
        table["capacity_unit_hours"] = table["units"] * table["period"].map(hours).astype(float)
        table["region"] = table["pool"].map(region)
        capacity, usd = table["capacity_unit_hours"].to_numpy(float), table["usd"].to_numpy(float)
        table["utilisation"] = ratio(table["used_unit_hours"].to_numpy(float), capacity)
        vacant = np.maximum(0.0, table["units"].to_numpy(float) - table["peak"].to_numpy(float))
        table["vacancy"] = ratio(vacant, table["units"].to_numpy(float))
        table["coverage"] = ratio(table["covered_usd"].to_numpy(float), table["wanted_usd"].to_numpy(float))
        pool_usd = table.groupby(["pool", "period"])["usd"].transform("sum").to_numpy(float)
        table["covered_usd"] *= np.where(pool_usd > 0, usd / np.where(pool_usd > 0, pool_usd, 1.0), 1.0)
        table["effective_savings_rate"] = 1 - ratio(usd, table["covered_usd"].to_numpy(float))
        table["side"] = side
        return table[list(POOLS.columns)]

    def _use(self) -> pd.DataFrame:
        """Unit-hours used, and the busiest slot's load with headroom, by pool, meter and period."""
        basis, names = self.basis, self.basis.names
        load = basis.flows.unit_load(len(names.deployments), names.slot_count, headroom=False)
        load = load * (1 - basis.reading.by_scaled.of_load) * self.count
        by_week = load.reshape(len(load), len(names.scenarios), len(names.periods), HOURS_PER_WEEK)
        used = by_week.sum(axis=(1, 3))
        rows = [
            (pool, meter, period, used[d, p], basis.peak_load[d, p])
            for d, (pool, meter, _) in enumerate(names.deployments)
            for p, period in enumerate(names.periods)
        ]
        table = pd.DataFrame(rows, columns=[*_KEYS, "used_unit_hours", "peak"])
        return table.groupby(_KEYS, as_index=False).sum()

    def _cost(self) -> pd.DataFrame:
        """Add up what is held in a whole period: commitments and units beyond them, without the tail."""
        basis = self.basis
        parts = [
            basis.in_force[_KEYS].assign(usd=basis.in_force["reserved_usd"]),
            basis.derived.earlier[[*_KEYS, "usd"]],
            basis.balance[_KEYS].assign(usd=basis.balance["unreserved_usd"]),
        ]
        return pd.concat([p for p in parts if len(p)] or parts[:1]).groupby(_KEYS, as_index=False)[["usd"]].sum()

    def _value(self) -> pd.DataFrame:
        """On-demand price of what a pool serves, and of all that is served of its models in its region."""
        basis, ways = self.basis, self.basis.flows.ways
        price = equivalent_usd(basis)[:, None]
        value, served = price * self.by_way(factor=True), price * self.by_way(factor=True, reserved=True)
        models: dict[tuple[str, str], set[str]] = {}
        for t in basis.case.throughput:
            models.setdefault((t.pool, t.meter), set()).add(t.model)
        region = {p.pool: p.region for p in basis.case.pools}
        rows = []
        for (pool, meter), able in models.items():
            here = (ways["region"] == region[pool]).to_numpy() & ways["model"].isin(able).to_numpy()
            mine = here & (ways["supply"] == pool).to_numpy()
            for p, period in enumerate(basis.names.periods):
                rows.append((pool, meter, period, served[mine, p].sum(), value[here, p].sum()))
        return pd.DataFrame(rows, columns=[*_KEYS, "covered_usd", "wanted_usd"])
