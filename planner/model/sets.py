"""Sets: the sparse index tables of the programme, with every load and cost, ready to become columns and rows.

Units inside the programme: flows in thousand requests per hour (krph), capacity in units, quota in tokens per minute,
money in USD over the horizon. `scale` brings all of it to order one just before the solver sees it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.schema.case import Case

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
EVERY_FUTURE = -1  # of a slot that is part of each future
AskedOf = tuple[str | None, str, str, str]  # lost region (None: headroom), origin, workload, period


@dataclass(frozen=True)
class StressScale:
    """A stress case of rule 8: headroom (nothing fails) or the loss of one region.

    ``demand_scale`` has one factor for each origin-workload: 1 / (1 - headroom), or what of the
    demand must be there for while a region is lost (`Case.failover_demand`).
    """

    name: str
    failed: str | None
    quota_scale: float
    demand_scale: Floats
    asked: Floats | None = None  # needs x periods: share of it that is asked for; None: all

    def factor(self, period: "int | Ints") -> Floats:
        """Return the factor of each need's demand in a period, or by slot (needs x slots) for the period of each."""
        scale = self.demand_scale if np.ndim(period) == 0 else self.demand_scale[:, None]
        found: Floats = scale if self.asked is None else scale * self.asked[:, period]
        return found

    def of_needs(self, needs: "Ints | Bools") -> "StressScale":
        """Return the case for some of the needs."""
        asked = None if self.asked is None else self.asked[needs]
        return replace(self, demand_scale=self.demand_scale[needs], asked=asked)

    def of_periods(self, periods: "Ints | Bools") -> "StressScale":
        """Return the case for some of the periods."""
        return self if self.asked is None else replace(self, asked=self.asked[:, periods])


@dataclass(frozen=True)
class Keep:
    """How much weighs what a plan changes against the last one (`model.reduce.slots` writes it into the purchases).

    usd_per_unit : what each unit more or fewer is charged. cost_counts : whether the cost counts besides; False: the
    fewest changes at any cost. limited : whether all changes together stay within the purchases' ``limit_units``.
    """

    usd_per_unit: float
    cost_counts: bool = True
    limited: bool = False


@dataclass(frozen=True)
class Tolls:
    """What the prices of rows that span parts add to the cost of a part's decisions (solver.coupling), USD of one unit.

    committed : by purchase. deployed : deployments x periods. unreserved : meters x periods. flow : arcs x slots, krph.
    scaled, started : deployments x slots.
    """

    committed: Floats
    deployed: Floats
    unreserved: Floats
    flow: Floats
    scaled: Floats
    started: Floats


@dataclass(frozen=True)
class Spend:
    """Spend commitments: what is still to be spent, and which spend counts.

    contracts : their names. usd : still to be spent by new decisions (less what earlier commitments spend on it).
    regions : numbers the regions. on_demand, reserved : whether such spend counts, contracts x regions x periods.
    """

    contracts: tuple[str, ...]
    usd: Floats
    regions: tuple[str, ...]
    on_demand: Bools
    reserved: Bools

    @property
    def twice(self) -> bool:
        """Whether some spend counts for several contracts, so that a dollar spent may save more than a dollar."""
        return bool((self.on_demand.sum(axis=0) > 1).any() or (self.reserved.sum(axis=0) > 1).any())

    def of_regions(self, counted: Bools, names: Iterable[str]) -> Bools:
        """Whether spend counts (`on_demand` or `reserved`), contracts x names of regions x periods."""
        number = {region: k for k, region in enumerate(self.regions)}
        found: Bools = counted[:, [number[name] for name in names]]
        return found


@dataclass(frozen=True)
class Risk:
    """How much the mean of the dearest 1 - level of the scenarios weighs against the expected cost."""

    weight: float
    level: float


@dataclass(frozen=True)
class Sets:
    """Index tables of one programme. Row numbers of a table are the indices that other tables refer to.

    slots : scenario, period (number), hour_of_week, weeks (probability x weeks: how many such hours are expected),
        price_factor, hour_prices (a row of ``price_times``), future (a number into ``chances``, or EVERY_FUTURE). Slot
        tau.
    needs : origin, workload, usable (1 - reserved_headroom), guaranteed_share. An origin-workload with demand.
    demand : krph, array needs x slots.
    shares : workload, model, min_share, max_share: the mix.
    arcs : need, origin, workload, model, region, supply, reserved (bool), quota (number or -1), guaranteed (bool),
        usd (on demand, per thousand requests before the scenario's price factor), egress_usd, gb_in, gb_out (per
        thousand requests), away (bool), priced (bool: may be used at a price; all may be used under stress).
        One way to serve a need; a flow is an arc in a slot.
    loads : arc, deployment, units (of the deployment per krph, before reserved headroom).
    deployments : pool, meter, model ("*" in a shared pool), meter_row, min_units, unit_step.
    meters : pool, meter, region, usd_per_unreserved_unit_hour (NaN: none); of units that run by the hour
        usd_per_scaled_unit_hour (NaN: none), max_scaled_units of the pool (NaN: none), start_hours.
    earlier : units in force from earlier commitments, array meters x periods.
    quotas : region, model, option, tokens_per_minute (inf: none).
    quota_load : tokens per minute per krph, one for each arc (0 for reserved).
    purchases : offer, period, last_period (in force through it), meter_row, usd_per_unit (inside the horizon and the
        counted tail), committed_usd_per_unit (inside the horizon), min_units, unit_step, max_units (inf), held (bool:
        bought earlier under the same offer). Where ``keep`` is set also kept_units (of the last plan; NaN: it could
        not have that purchase) and limit_units (its part of what may change, in units).
    caps : origin, destination, gb_per_month: finite egress caps.
    period_hours : hours of each period.
    paid_usd : what a unit of each purchase costs in each period, array purchases x periods.
    chances : name and probability of each future (`Case.chances`). spend : commitments to spend. None: none.
    risk : the weight of dear scenarios. None: only the expected cost counts.
    left_out : families of constraints that are not stated of these sets. at_home : no request is served away from its
        origin, and no row says so (`reduce.slots.at_home`). tolls : what their prices charge, if any.
    case : what the tables were made of, for a rule that needs an input that no table holds.
    """

    periods: tuple[str, ...]
    period_hours: Floats
    slots: pd.DataFrame
    needs: pd.DataFrame
    demand: Floats
    shares: pd.DataFrame
    arcs: pd.DataFrame
    loads: pd.DataFrame
    deployments: pd.DataFrame
    meters: pd.DataFrame
    earlier: Floats
    quotas: pd.DataFrame
    quota_load: Floats
    purchases: pd.DataFrame
    caps: pd.DataFrame
    cases: tuple[StressScale, ...]
    whole_units: bool
    max_away_share: float | None
    budget_usd: float | None
    paid_usd: Floats
    chances: tuple[tuple[str, float], ...]
    spend: Spend | None = None
    risk: Risk | None = None
    keep: Keep | None = None
    left_out: tuple[str, ...] = ()
    at_home: bool = False
    tolls: Tolls | None = None
    case: Case | None = field(default=None, repr=False)
    price_times: Floats = field(default_factory=lambda: np.empty((0, 0)))  # kinds of hour x quotas; none: all are 1
    members: tuple[Ints, ...] = field(default=())  # after merging: for each slot the original slots it stands for
    of_whole: Ints | None = None  # of some periods: number of each slot, before merging, in the whole (None: the same)

    def hour_times(self, arc: Ints, slot: Ints) -> Floats:
        """Product of the price factors that apply to an arc in a slot, the scenario's apart."""
        if not len(self.price_times):
            return np.ones(len(arc))
        quota = self.arcs["quota"].to_numpy(int)[arc]
        hourly = self.price_times[self.slots["hour_prices"].to_numpy(int)[slot], quota]
        return np.where(quota >= 0, hourly, 1.0)

    def times(self, arc: Ints, slot: Ints) -> Floats:
        """Return what an arc's on-demand price is multiplied by in a slot: price factors, and the scenario's."""
        return self.slots["price_factor"].to_numpy(float)[slot] * self.hour_times(arc, slot)

    @property
    def slot_period(self) -> Ints:
        """Period number of each slot."""
        return self.slots["period"].to_numpy()

    @property
    def chance(self) -> Floats:
        """Probability of each future."""
        return np.array([probability for _, probability in self.chances], dtype=float)

    @property
    def slot_future(self) -> Ints:
        """Future of each slot: a number into `chances`, or EVERY_FUTURE."""
        return self.slots["future"].to_numpy(np.int64)

    @property
    def slot_chance(self) -> Floats:
        """Probability of the future of each slot; 1 of one that is part of each."""
        return np.append(self.chance, 1.0)[self.slot_future]

    def in_futures(self, slots: Ints) -> tuple[Ints, Ints]:
        """Spread slots over the futures that they are part of: the place of each among those given, and the future."""
        future, likely = self.slot_future[slots], np.flatnonzero(self.chance > 0)
        own, every = np.flatnonzero(future != EVERY_FUTURE), np.flatnonzero(future == EVERY_FUTURE)
        place = np.concatenate([own, np.repeat(every, len(likely))])
        return place, np.concatenate([future[own], np.tile(likely, len(every))])

    @property
    def has_size_rules(self) -> bool:
        """Whether some purchase or deployment must keep to sizes."""
        sizes = [table[name] for table in (self.purchases, self.deployments) for name in ("min_units", "unit_step")]
        return self.whole_units and any(bool((size > 0).any()) for size in sizes)

    def in_whole(self, slots: Ints) -> Ints:
        """Numbers that slots (before merging) have among all slots of the case."""
        return slots if self.of_whole is None else self.of_whole[slots]

    def without(self, families: Iterable[str]) -> "Sets":
        """Return the same sets, of which some families of constraints are not stated."""
        return replace(self, left_out=tuple(sorted({*self.left_out, *families})))

    def asking(self, shares: Mapping[AskedOf, float]) -> "Sets":
        """Return the sets in which stress cases ask for a share of some needs' demand in a period; 1 if not named."""
        needs = list(zip(self.needs["origin"], self.needs["workload"], strict=True))

        def asked(failed: str | None) -> Floats:
            rows = [[shares.get((failed, *need, period), 1.0) for period in self.periods] for need in needs]
            return np.array(rows, dtype=float).reshape(len(needs), len(self.periods))

        return replace(self, cases=tuple(replace(c, asked=asked(c.failed)) for c in self.cases))


def stress_asks(case: Case) -> list[AskedOf]:
    """List all that the stress cases of a case ask for."""
    failed = (None, *(r.region for r in case.regions))
    return [
        (f, r.region, w.workload, p.name)
        for f in failed
        for r in case.regions
        for w in case.workloads
        for p in case.periods
    ]


def region_names(sets: Sets) -> tuple[str, ...]:
    """Regions that serve, in the order of their names: what an index "region" of rows counts."""
    return tuple(sorted({*sets.meters["region"], *sets.quotas["region"], *sets.arcs["region"]}))


def scenario_names(sets: Sets) -> tuple[str, ...]:
    """Scenarios in the order of the slots: what an index "scenario" of rows counts."""
    return tuple(dict.fromkeys(sets.slots["scenario"]))


def names_of(sets: Sets, index: Mapping[str, Ints]) -> dict[str, npt.NDArray[np.object_]]:
    """Name rows by what their index numbers point at, as certificate.parquet names them; the slot apart.

    Raises
    ------
    KeyError : the index counts something that has no name.
    """

    def take(table: pd.DataFrame, rows: Ints, **columns: str) -> dict[str, npt.NDArray[np.object_]]:
        return {name: table[column].to_numpy(object)[rows] for name, column in columns.items()}

    part: dict[str, npt.NDArray[np.object_]] = {}
    for key, rows in index.items():
        if key == "deployment":
            part |= take(sets.deployments, rows, supply="pool", meter="meter", model="model")
        elif key == "meter":
            part |= take(sets.meters, rows, supply="pool", meter="meter")
        elif key == "quota":
            part |= take(sets.quotas, rows, region="region", model="model", supply="option")
        elif key == "need":
            part |= take(sets.needs, rows, origin="origin", workload="workload")
        elif key == "share":
            part |= take(sets.shares, rows, model="model")
        elif key == "cap":
            part |= take(sets.caps, rows, origin="origin", region="destination")
        elif key == "purchase":
            part |= take(sets.purchases, rows, supply="offer")
            part |= {"period": np.array(sets.periods, dtype=object)[sets.purchases["period"].to_numpy(int)[rows]]}
        elif key == "period":
            part |= {"period": np.array(sets.periods, dtype=object)[rows]}
        elif key == "region":
            part |= {"region": np.array(region_names(sets), dtype=object)[rows]}
        elif key == "contract":
            contracts = () if sets.spend is None else sets.spend.contracts
            part |= {"supply": np.array(contracts, dtype=object)[rows]}
        elif key == "future":
            part |= {"scenario": np.array([name for name, _ in sets.chances], dtype=object)[rows]}
        elif key == "scenario":
            part |= {"scenario": np.array(scenario_names(sets), dtype=object)[rows]}
        elif key != "slot":
            raise KeyError(f"rows are named by {key!r}, which has no name (model.sets.names_of)")
    return part
