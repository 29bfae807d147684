"""Flows: a table of requests per hour as whole numbers, so that a million rows are summed in milliseconds.

A *way* is a distinct (origin, workload, model, region, supply): there are thousands of ways where there are millions of
rows. What a request costs and loads is looked up once a way; sums over rows are `np.bincount`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.plan.derived import Derived
from planner.plan.frames import ARRIVED, Ints, categories, encode, matched, pairs, positions
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, hour_label

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_OF_OPTIONS = ("on_demand_usd", "quota_per_request", "tokens_per_request")
WAY = ("origin", "workload", "model", "region", "supply")
LOAD_OF_WAY = ("workload", "model", "pool")  # columns that pair a way on a pool with its loads


def as_it_arose(dispatch: pd.DataFrame) -> pd.DataFrame:
    """Return a dispatch in the hours in which its requests arose, which may lie before those that serve them."""
    return dispatch.assign(hour_of_week=dispatch[ARRIVED]) if ARRIVED in dispatch else dispatch


@dataclass(frozen=True)
class Names:
    """Every name of a case and its number.

    ``supplies`` are pools, then the options of on demand. ``deployments``: (pool, meter, model or "*").
    ``quotas``: (region, model, option), in the order of case.on_demand. A need is origin x workload, a slot is
    (scenario, period, hour of week), each numbered in that order.
    """

    regions: tuple[str, ...]
    workloads: tuple[str, ...]
    models: tuple[str, ...]
    supplies: tuple[str, ...]
    scenarios: tuple[str, ...]
    periods: tuple[str, ...]
    deployments: tuple[tuple[str, str, str], ...]
    quotas: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, case: Case, derived: Derived) -> "Names":
        """Give every name of a case its number."""
        shared = {p.pool for p in case.pools if p.shared_hourly}
        deployments = dict.fromkeys((t.pool, t.meter, "*" if t.pool in shared else t.model) for t in case.throughput)
        return cls(
            regions=tuple(r.region for r in case.regions),
            workloads=tuple(w.workload for w in case.workloads),
            models=tuple(m.model for m in case.models),
            supplies=tuple(dict.fromkeys([*(p.pool for p in case.pools), *(q.option for q in case.on_demand)])),
            scenarios=tuple(s.scenario for s in case.scenarios),
            periods=tuple(p.name for p in case.periods),
            deployments=tuple(deployments),
            quotas=tuple((q.region, q.model, q.option) for q in case.on_demand),
        )

    @property
    def need_count(self) -> int:
        """Pairs of origin and workload."""
        return len(self.regions) * len(self.workloads)

    @property
    def slot_count(self) -> int:
        """Slots of all scenarios and periods."""
        return len(self.scenarios) * len(self.periods) * HOURS_PER_WEEK

    def need_name(self, need: int) -> str:
        """Name a need in words."""
        origin, workload = divmod(int(need), len(self.workloads))
        return f"origin {self.regions[origin]}, workload {self.workloads[workload]}"

    def slot_name(self, slot: int) -> str:
        """Name a slot in words."""
        block, hour = divmod(int(slot), HOURS_PER_WEEK)
        scenario, period = divmod(block, len(self.periods))
        return f"scenario {self.scenarios[scenario]}, {self.periods[period]}, hour {hour} ({hour_label(hour)} UTC)"

    def slots(self, frame: pd.DataFrame, column: str = "hour_of_week") -> Ints:
        """Slot of each row with columns scenario, period and hour_of_week; -1 where there is none.

        column : the one that holds the hour of the week.
        """
        scenario, period = encode(frame["scenario"], self.scenarios), encode(frame["period"], self.periods)
        hour = pd.to_numeric(frame[column], errors="coerce").to_numpy(float, na_value=-1.0)
        good = (scenario >= 0) & (period >= 0) & (hour >= 0) & (hour < HOURS_PER_WEEK) & (hour == np.floor(hour))
        whole = np.where(good, hour, 0).astype(np.int64)
        return np.where(good, (scenario * len(self.periods) + period) * HOURS_PER_WEEK + whole, -1)

    def needs(self, origin: pd.Series, workload: pd.Series) -> Ints:
        """Need of each row; -1 where a name is unknown."""
        o, w = encode(origin, self.regions), encode(workload, self.workloads)
        return np.where((o >= 0) & (w >= 0), o * len(self.workloads) + w, -1)

    def codes(self, ways: pd.DataFrame) -> tuple[Ints, ...]:
        """Return the numbers of each way's origin, workload, model, region and supply."""
        origin, workload = np.divmod(ways["need"].to_numpy(int), len(self.workloads))
        place, supply = np.divmod(ways["served_by"].to_numpy(int), len(self.supplies))
        region, model = np.divmod(place, len(self.models))
        return origin, workload, model, region, supply

    def demand(self, case: Case) -> Floats:
        """Lay the demand out as an array needs x slots, requests per hour."""
        need, slot = self.needs(case.demand["region"], case.demand["workload"]), self.slots(case.demand)
        rph = case.demand["requests_per_hour"].to_numpy(float)
        size = self.need_count * self.slot_count
        total: Floats = np.bincount(need * self.slot_count + slot, rph, size).astype(float)
        return total.reshape(self.need_count, self.slot_count)


def deployed_units(names: Names, deployments: pd.DataFrame) -> Floats:
    """Lay deployments out as an array deployments x periods, units."""
    number = {key: k for k, key in enumerate(names.deployments)}
    period = {name: k for k, name in enumerate(names.periods)}
    units = np.zeros((len(number), len(period)))
    keys = ["pool", "meter", "model", "period", "units"]
    for pool, meter, model, when, n in deployments[keys].itertuples(index=False, name=None):
        units[number[pool, meter, model], period[when]] += n
    return units


@dataclass(frozen=True)
class Flows:
    """Rows of a dispatch whose names are known, as numbers.

    ways : one row a way: the names of WAY; need; served_by (a number for region, model and supply); reserved (else on
        demand); quota (-1: reserved); deployment of each meter in `loads`; on_demand_usd, quota_per_request,
        tokens_per_request (0 where reserved); guaranteed (pools are); egress_usd, gb_in, gb_out, in_usd, out_usd; away
        (origin is not region); latest_hours (how late it may serve a request); mix (row of case.mix, -1: none);
        fault ("" or why the case does not allow it).
    loads : way, load (row of `Derived.loads`), deployment, units_per_request, usable_share; nth of the way: one row a
        reserved way and meter.
    way, place, rph : of each row: its way, its place in time (a slot, or whatever the caller grouped by), requests per
        hour.
    arrived : of each row, the slot in which its requests arose; None: `place`, for nothing waited.
    """

    ways: pd.DataFrame
    loads: pd.DataFrame
    way: Ints
    place: Ints
    rph: Floats
    arrived: Ints | None = None
    scaled: Floats = field(default_factory=lambda: np.zeros((0, 0)))  # units by the hour, deployments x slots

    @property
    def arrival(self) -> Ints:
        """Place in time at which the requests of each row arose."""
        return self.place if self.arrived is None else self.arrived

    @classmethod
    def of(
        cls, case: Case, derived: Derived, names: Names, frame: pd.DataFrame, at: Ints, arrived: Ints | None = None
    ) -> tuple["Flows", Ints]:
        """Turn into numbers the rows of a table with the columns of WAY and requests_per_hour, at the places `at`.

        A place of -1 is unknown, and so is one of arrival. Returns the flows and the positions of rows that name what
        the case does not know.
        """
        lists = (names.regions, names.workloads, names.models, names.regions, names.supplies)
        key, good = np.zeros(len(frame), np.int64), at >= 0
        good &= True if arrived is None else arrived >= 0
        for column, known in zip(WAY, lists, strict=True):
            code = encode(frame[column], known)
            good &= code >= 0
            key = key * len(known) + code
        distinct, way = np.unique(key[good], return_inverse=True)
        rest, codes = distinct, {}
        for column, known in zip(reversed(WAY), reversed(lists), strict=True):
            rest, codes[column] = np.divmod(rest, len(known))
        ways, loads = _looked_up(case, derived, names, codes)
        rph = frame["requests_per_hour"].to_numpy(float)[good]
        return cls(ways, loads, way, at[good], rph, None if arrived is None else arrived[good]), np.flatnonzero(~good)

    def sums(
        self, group: Ints, groups: int, places: int, per_request: Floats | None = None, *, arrival: bool = False
    ) -> Floats:
        """Sum requests per hour (times `per_request`, by way) by group of way and place: groups x places.

        Ways of group -1 are left out. arrival : by the place at which they arose, not the one that serves them.
        """
        value = self.rph if per_request is None else self.rph * per_request[self.way]
        cell = group[self.way] * places + (self.arrival if arrival else self.place)
        inside = group[self.way] >= 0 if (group < 0).any() else slice(None)
        total: Floats = np.bincount(cell[inside], value[inside], groups * places).astype(float)
        return total.reshape(groups, places)

    def unit_load(self, deployments: int, places: int, headroom: bool) -> Floats:
        """Units loaded, array deployments x places; with `headroom`, divided by the usable share (rule 4)."""
        total = np.zeros((deployments, places))
        for row, deployment, units, usable in self.meters():
            group, per_request = np.full(len(self.ways), -1, np.int64), np.zeros(len(self.ways))
            group[row] = deployment
            per_request[row] = units / usable if headroom else units
            total += self.sums(group, deployments, places, per_request)
        return total

    def meters(self) -> Iterator[tuple[Ints, Ints, Floats, Floats]]:
        """Yield the loads on the first, second, ... meter of each way: way, deployment, units, usable share."""
        nth = self.loads["nth"].to_numpy(int)
        columns = [self.loads[name].to_numpy() for name in ("way", "deployment", "units_per_request", "usable_share")]
        for k in range(int(nth.max(initial=-1)) + 1):
            way, deployment, units, usable = (values[nth == k] for values in columns)
            yield way, deployment, units, usable

    def by_mix(self, count: int) -> list[Ints]:
        """Positions of the flows of each of the `count` rows of case.mix."""
        mix = self.ways["mix"].to_numpy(int)[self.way]
        order = np.argsort(mix, kind="stable")
        at = np.searchsorted(mix[order], np.arange(count + 1))
        return [order[first:last] for first, last in pairwise(at)]


def _looked_up(
    case: Case, derived: Derived, names: Names, codes: Mapping[str, Ints]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every way its loads, prices and faults."""
    models, supplies = len(names.models), len(names.supplies)
    origin, workload, model, region, supply = (codes[column] for column in WAY)
    known = (names.regions, names.workloads, names.models, names.regions, names.supplies)
    ways = pd.DataFrame({c: categories(codes[c], own) for c, own in zip(WAY, known, strict=True)})
    pools = pd.DataFrame([(p.pool, p.region) for p in case.pools], columns=["supply", "region"])
    listed = pd.DataFrame([(m.workload, m.model) for m in case.mix], columns=["workload", "model"])
    quotas = pd.DataFrame(list(names.quotas), columns=["region", "model", "supply"])
    options, travel = derived.options.rename(columns={"option": "supply"}), derived.travel

    reserved = positions(ways, pools, ["supply", "region"]) >= 0
    mix = positions(ways, listed, ["workload", "model"])
    quota = np.where(reserved, -1, positions(ways, quotas, ["region", "model", "supply"]))
    option = positions(ways, options, ["workload", "region", "model", "supply"])
    option = np.where(reserved, -1, option)
    reach = positions(ways, travel, ["workload", "origin", "region"])
    on_pools = ways.assign(pool=ways["supply"].where(reserved))
    row, load, nth = pairs(on_pools, derived.loads, LOAD_OF_WAY)
    able = option >= 0
    able[row] = True
    fault = np.select(
        [reach < 0, mix < 0, ~able],
        ["no listed route, or not among the workload's serving_regions", "the mix does not list the model",
         "neither a pool of the region that serves the model nor an on-demand option of it"],
        default="",
    )  # fmt: skip
    ways = ways.astype(object).assign(
        need=origin * len(names.workloads) + workload,
        served_by=(region * models + model) * supplies + supply,
        reserved=reserved,
        away=origin != region,
        mix=mix,
        quota=quota,
        **{name: _taken(options, name, option) for name in _OF_OPTIONS},
        guaranteed=reserved | (_taken(options, "guaranteed", option) > 0),
        latest_hours=np.where(
            reserved,
            np.array([w.deadline_hours for w in case.workloads], np.int64)[workload],
            _taken(options, "latest_hours", option),
        ).astype(np.int64),
        **{name: _taken(travel, name, reach) for name in ("egress_usd", "gb_in", "gb_out", "in_usd", "out_usd")},
        fault=pd.Series(fault, dtype=object),
    )
    deployments = pd.DataFrame(list(names.deployments), columns=["pool", "meter", "deployment"])
    own = derived.loads.iloc[load]
    loads = pd.DataFrame({
        "way": row,
        "load": load,
        "deployment": matched(own, deployments, ["pool", "meter", "deployment"], "the table throughput"),
        "nth": nth,
        "units_per_request": own["units_per_request"].to_numpy(float),
        "usable_share": own["usable_share"].to_numpy(float),
    })  # fmt: skip
    return ways, loads


def _taken(frame: pd.DataFrame, column: str, row: Ints) -> Floats:
    """Take a number from each row of a table; 0 where the row is -1."""
    found: Floats = np.append(frame[column].to_numpy(float), 0.0)[row]
    return found
