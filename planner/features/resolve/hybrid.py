"""Hybrids of two cases: some causes as the new case has them, the others as the old one has.

A row that both cases know (by its key) takes each column from the case that the column's cause stands at. A row that
one case alone knows takes all columns from that one; it is there if the cause that owns the row's existence stands at
that case (`causes.OWNERS`). From this follow the finer rules:

* **Volume** of an origin and workload is its mean rate, R[o,w] = Σ_τ n_τ d[o,w,τ] / Σ_τ n_τ in its own case. Its
  **shape** is d[o,w,τ] / R[o,w]: how the rate is spread over scenarios, months and hours. A hybrid with volume of
  case a and shape of case b has demand R_a · d_b / R_b; where b has no such demand, a's own shape.
* **Months** are aligned by position: the first month with the first, and parts of a month by their days. In months that
  only the longer horizon has, the other's last one stands. Earlier commitments keep the months, by position, that they
  cover in their own case. So the calendar is what is left: how many months, of how many days.
* **Mix**: all rows of a workload come from one case; of a workload that one case alone knows, from that one.
* **What is held** under an offer keeps its offer, pool and throughput also where these are no longer for sale: then the
  offer sells nothing more, and the pool no unit by the hour.
* **A region** that one case alone knows is lost in stress cases only where the offers are those of that case.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from planner.features.resolve.causes import (
    CALENDAR,
    CAUSES,
    COLUMNS,
    EXPIRIES,
    MIX,
    OFFERS,
    ON_DEMAND_PRICES,
    OWNERS,
    POLICY,
    REPORTS_ONLY,
    SHAPE,
    VOLUME,
    cause_of,
)
from planner.plan.flows import Floats
from planner.schema.base import Row
from planner.schema.capacity import Commitment, Offer, Pool, Throughput
from planner.schema.case import DEMAND_COLUMNS, TABLE, Case
from planner.schema.contracts import PriceFactor, SpendCommitment
from planner.schema.settings import Period, PlanSettings, add_months
from planner.schema.workloads import Region
from planner.units import HOURS_PER_WEEK

SAME_RATE = 1e-9  # relative: rounding, not a change
SAME_SHAPE = 1e-6  # of the peak: decimals that a file rounds off are no change

Need = tuple[str, str]  # origin, workload


@dataclass(frozen=True)
class DemandArrays:
    """Demand of a case as arrays.

    rate : mean requests per hour of each origin and workload, expected over scenarios and the case's own months.
    demand : requests per hour, scenarios x periods x hours of the week. weight : probability of each scenario.
    """

    rate: dict[Need, float]
    demand: dict[Need, Floats]
    scenarios: tuple[str, ...]
    weight: Floats
    periods: tuple[Period, ...]

    @classmethod
    def of(cls, case: Case) -> "DemandArrays":
        """Lay out the demand of a case."""
        names = tuple(s.scenario for s in case.scenarios)
        weight = np.array([s.probability for s in case.scenarios])
        months = np.array([p.weeks for p in case.periods])
        each = weight[:, None, None] * months[None, :, None] * np.ones(HOURS_PER_WEEK)
        frame = case.demand
        scenario = pd.Categorical(frame["scenario"], names).codes
        period = pd.Categorical(frame["period"], [p.name for p in case.periods]).codes
        hour, value = frame["hour_of_week"].to_numpy(), frame["requests_per_hour"].to_numpy(float)
        demand: dict[Need, Floats] = {}
        keys = pd.MultiIndex.from_arrays([frame["region"].astype(str), frame["workload"].astype(str)])
        code, found = pd.factorize(keys, sort=True)
        for k, need in enumerate(found):
            mine = code == k
            demand[need] = np.zeros(each.shape)
            demand[need][scenario[mine], period[mine], hour[mine]] = value[mine]
        rate = {need: float((each * d).sum() / each.sum()) for need, d in demand.items()}
        return cls(rate, demand, names, weight, case.periods)


def same_rates(old: DemandArrays, new: DemandArrays) -> bool:
    """Whether two cases have the same mean rates."""
    needs = old.rate.keys() | new.rate.keys()
    return all(np.isclose(old.rate.get(n, 0.0), new.rate.get(n, 0.0), rtol=SAME_RATE, atol=0.0) for n in needs)


def same_shape(old: DemandArrays, new: DemandArrays) -> bool:
    """Whether two cases spread the rates that both have in the same way, months taken by position."""
    if old.scenarios != new.scenarios or not np.array_equal(old.weight, new.weight):
        return False
    for need in old.rate.keys() & new.rate.keys():
        if old.rate[need] <= 0 or new.rate[need] <= 0:
            continue
        a, b = old.demand[need] / old.rate[need], new.demand[need] / new.rate[need]
        there, back = aligned(old.periods, new.periods), aligned(new.periods, old.periods)
        if max(np.abs(a - b[:, there]).max(), np.abs(a[:, back] - b).max()) > SAME_SHAPE * a.max():
            return False
    return True


def aligned(periods: Sequence[Period], others: Sequence[Period]) -> list[int]:
    """Return for each period the number of the other horizon's that has its first day, that horizon moved to it."""
    months = _months_between(periods[0].start, others[0].start)
    days = [add_months(p.start, months) for p in periods]
    return [next((k for k, other in enumerate(others) if day < other.end), len(others) - 1) for day in days]


def _months_between(start: dt.date, end: dt.date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month


def shaped(case: Case, volume: DemandArrays, shape: DemandArrays) -> dict[Need, Floats]:
    """Demand of a hybrid: the rates of ``volume``, spread as in ``shape`` over the scenarios and months of ``case``."""
    names = [s.scenario for s in case.scenarios]
    found = {}
    for need, rate in volume.rate.items():
        if rate <= 0:
            continue
        own = shape if shape.rate.get(need, 0.0) > 0 else volume
        spread = _in_scenarios(own, own.demand[need], names)
        found[need] = spread[:, aligned(case.periods, own.periods)] * (1.0 if own is volume else rate / own.rate[need])
    return found


def _in_scenarios(own: DemandArrays, demand: Floats, names: list[str]) -> Floats:
    """Demand by the scenarios of a hybrid; one that the demand's case does not know has its mean over scenarios."""
    if tuple(names) == own.scenarios:
        return demand
    mean = np.tensordot(own.weight / own.weight.sum(), demand, axes=1)
    at = {name: k for k, name in enumerate(own.scenarios)}
    return np.array([demand[at[name]] if name in at else mean for name in names])


def demand_frame(case: Case, demand: dict[Need, Floats]) -> pd.DataFrame:
    """Lay demand out as the table of a case: sorted, without zeros, names as categories."""
    regions = {r.region: k for k, r in enumerate(case.regions)}
    workloads = {w.workload: k for k, w in enumerate(case.workloads)}
    parts = []
    for (origin, workload), values in demand.items():
        s, p, h = np.nonzero(values > 0)
        parts.append((np.full(len(s), regions[origin]), np.full(len(s), workloads[workload]), s, p, h, values[s, p, h]))
    columns = [np.concatenate([part[k] for part in parts]) if parts else np.empty(0) for k in range(6)]
    order = np.lexsort([c.astype(np.int64) for c in columns[4::-1]])
    names = (list(regions), list(workloads), [s.scenario for s in case.scenarios], [p.name for p in case.periods])
    made: list[object] = [
        pd.Categorical.from_codes(columns[k][order].astype(np.int64), pd.Index(known, dtype=object))
        for k, known in enumerate(names)
    ]
    made += [columns[4][order].astype(np.int64), columns[5][order].astype(np.float64)]
    return pd.DataFrame(dict(zip(DEMAND_COLUMNS, made)))


Key = tuple[str, ...]


@dataclass(frozen=True)
class Hybrids:
    """Two cases, and every case between them."""

    old: Case
    new: Case

    def case(self, taken: Iterable[str]) -> Case:
        """Return the case with the causes ``taken`` as in the new case and all others as in the old one.

        It is meant to be solved, not shown: names and sources come from either case.
        """
        at_new = frozenset(taken)
        bare = self._bare(at_new)
        return replace(bare, demand=self._demand(bare, at_new))

    def differ(self, cause: str) -> bool:
        """Whether anything that a cause owns differs between the two cases."""
        old, new = self._spread
        if cause == VOLUME and not same_rates(old, new):
            return True
        if cause == SHAPE and not same_shape(old, new):
            return True
        every = frozenset(CAUSES)
        pairs = ((frozenset({cause}), frozenset[str]()), (every, every - {cause}))
        return any(_told(self._bare(one)) != _told(self._bare(other)) for one, other in pairs)

    def _bare(self, taken: frozenset[str]) -> Case:
        """Everything but the demand, which is the old one as it stands."""
        parts: dict[str, Any] = {"settings": self._settings(taken)}
        for table in ("models", "workloads", "scenarios", "pools", "throughput", "offers", "on_demand", "routes"):
            parts[table] = self._table(table, taken)
        parts["regions"] = self._regions(taken)
        parts["mix"] = self._mix(taken)
        parts["commitments"] = self._commitments(taken)
        parts |= self._held(parts, taken)
        parts["spend_commitments"] = self._contracts(parts["settings"], taken)
        parts["price_factors"] = self._factors(parts["settings"], taken)
        return Case(**parts, demand=self.old.demand)

    def _side(self, cause: str, taken: frozenset[str]) -> Case:
        return self.new if cause in taken else self.old

    def _settings(self, taken: frozenset[str]) -> PlanSettings:
        return PlanSettings(
            name=self.new.settings.name,
            horizon=self._side(CALENDAR, taken).settings.horizon,
            policy=self._side(POLICY, taken).settings.policy,
        )

    def _table(self, table: str, taken: frozenset[str]) -> tuple[Row, ...]:
        """Rows of a table, column by column from the case that the column's cause stands at."""
        key = TABLE[table].key
        old, new = _by_key(self.old.rows(table), key), _by_key(self.new.rows(table), key)
        owner = OWNERS.get(table)
        there = old.keys() | new.keys() if owner is None else (new if owner in taken else old).keys()
        chosen = {column: cause_of(table, column) in taken for column in COLUMNS[table]}
        return tuple(_merged(old.get(k), new.get(k), chosen) for k in sorted(there))

    def _regions(self, taken: frozenset[str]) -> tuple[Region, ...]:
        known = {r.region for r in self._side(OFFERS, taken).regions}
        found = []
        for row in self._table("regions", taken):
            assert isinstance(row, Region)
            found.append(row if row.region in known else row.model_copy(update={"fails": False}))
        return tuple(found)

    def _mix(self, taken: frozenset[str]) -> tuple[Row, ...]:
        side = self._side(MIX, taken)
        other = self.old if side is self.new else self.new
        known = {w.workload for w in side.workloads}
        rows = [*side.mix, *(m for m in other.mix if m.workload not in known)]
        return tuple(sorted(rows, key=lambda m: (m.workload, m.model)))

    def _commitments(self, taken: frozenset[str]) -> tuple[Commitment, ...]:
        """Earlier commitments, moved to the calendar's horizon."""
        owed, horizon = self._side(EXPIRIES, taken), self._side(CALENDAR, taken).settings.horizon.start
        start = owed.settings.horizon.start
        months = _months_between(start, horizon)
        if not months:
            return owed.commitments
        return tuple(
            c.model_copy(update={"start": add_months(c.start, months), "end": add_months(c.end, months)})
            for c in owed.commitments
        )

    def _contracts(self, settings: PlanSettings, taken: frozenset[str]) -> tuple[SpendCommitment, ...]:
        """Spend commitments, their periods taken by position in the calendar's horizon."""
        side = self._side(OFFERS, taken)
        periods = settings.horizon.periods
        found = []
        for c in side.spend_commitments:
            counted = side.contract_periods(c)
            first, last = (periods[min(k, len(periods) - 1)].name for k in (counted[0], counted[-1]))
            ends = {"first_period": first, "last_period": None if c.last_period is None else last}
            found.append(c.model_copy(update=ends))
        return tuple(found)

    def _factors(self, settings: PlanSettings, taken: frozenset[str]) -> tuple[PriceFactor, ...]:
        """Price factors, those of a period in the calendar's periods that are aligned with it."""
        side, periods = self._side(ON_DEMAND_PRICES, taken), settings.horizon.periods
        at = aligned(periods, side.periods)
        found = []
        for f in side.price_factors:
            own = side.factor_periods(f)
            named = [None] if f.period is None else [p.name for p, k in zip(periods, at, strict=True) if k in own]
            found += [f.model_copy(update={"period": name}) for name in named]
        return tuple(found)

    def _held(self, parts: Mapping[str, Any], taken: frozenset[str]) -> dict[str, tuple[Row, ...]]:
        """Offers, pools and throughput of what is held but no longer for sale."""
        offers: list[Offer] = list(parts["offers"])
        pools: list[Pool] = list(parts["pools"])
        rates: list[Throughput] = list(parts["throughput"])
        owed = self._side(EXPIRIES, taken)
        for name in sorted({c.offer for c in owed.commitments} - {o.offer for o in offers}):
            offer = next(o for o in owed.offers if o.offer == name)
            offers.append(offer.model_copy(update={"min_units": 0.0, "unit_step": 0.0, "max_units": 0.0}))
            if offer.pool not in {p.pool for p in pools}:
                pool = next(p for p in owed.pools if p.pool == offer.pool)
                pools.append(pool.model_copy(update={"usd_per_unreserved_unit_hour": None}))
                rates += [t for t in owed.throughput if t.pool == offer.pool]
        return {
            "offers": tuple(sorted(offers, key=lambda o: o.offer)),
            "pools": tuple(sorted(pools, key=lambda p: p.pool)),
            "throughput": tuple(sorted(rates, key=lambda t: (t.pool, t.model, t.meter))),
        }

    @cached_property
    def _spread(self) -> tuple[DemandArrays, DemandArrays]:
        return DemandArrays.of(self.old), DemandArrays.of(self.new)

    def _demand(self, bare: Case, taken: frozenset[str]) -> Any:
        sides = [cause in taken for cause in (VOLUME, SHAPE, CALENDAR)]
        if all(sides) or not any(sides):
            own = self.new if all(sides) else self.old
            volume = shape = self._spread[int(all(sides))]
            if own.regions == bare.regions and own.workloads == bare.workloads and own.scenarios == bare.scenarios:
                return own.demand
        else:
            volume, shape = self._spread[sides[0]], self._spread[sides[1]]
        return demand_frame(bare, shaped(bare, volume, shape))


def _by_key(rows: Sequence[Row], key: tuple[str, ...]) -> dict[Key, Row]:
    return {tuple(getattr(row, column) for column in key): row for row in rows}


def _merged(old: Row | None, new: Row | None, from_new: Mapping[str, bool]) -> Row:
    """Row of one key: each column from the case that it stands at, or from the only case that has the row."""
    if old is None or new is None:
        only = new if old is None else old
        assert only is not None
        return only
    return old.model_copy(update={column: getattr(new, column) for column, taken in from_new.items() if taken})


def _told(case: Case) -> tuple[object, ...]:
    """All that can change the cost of a case, without its demand."""
    tables = [
        [
            tuple(getattr(row, column) for column, cause in COLUMNS[table].items() if cause != REPORTS_ONLY)
            for row in case.rows(table)
        ]
        for table in COLUMNS
        if table not in ("plan.yaml", "demand")
    ]
    return (case.settings.horizon, case.settings.policy, tables)
