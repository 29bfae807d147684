"""Flows: a table of requests per hour as whole numbers, so that a million rows are summed in milliseconds.

A *way* is a distinct (origin, workload, model, region, supply): there are thousands of ways where there are millions of
rows. What a request costs and loads is looked up once a way; sums over rows are `np.bincount`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.results.derived import Derived
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, hour_label

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WAY = ("origin", "workload", "model", "region", "supply")


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

    def slots(self, frame: pd.DataFrame) -> Ints:
        """Slot of each row with columns scenario, period and hour_of_week; -1 where there is none."""
        scenario, period = encode(frame["scenario"], self.scenarios), encode(frame["period"], self.periods)
        hour = pd.to_numeric(frame["hour_of_week"], errors="coerce").to_numpy(float, na_value=-1.0)
        good = (scenario >= 0) & (period >= 0) & (hour >= 0) & (hour < HOURS_PER_WEEK) & (hour == np.floor(hour))
        whole = np.where(good, hour, 0).astype(np.int64)
        return np.where(good, (scenario * len(self.periods) + period) * HOURS_PER_WEEK + whole, -1)

    def needs(self, origin: pd.Series, workload: pd.Series) -> Ints:
        """Need of each row; -1 where a name is unknown."""
        o, w = encode(origin, self.regions), encode(workload, self.workloads)
        return np.where((o >= 0) & (w >= 0), o * len(self.workloads) + w, -1)

    def demand(self, case: Case) -> Floats:
        """Lay the demand out as an array needs x slots, requests per hour."""
        need, slot = self.needs(case.demand["region"], case.demand["workload"]), self.slots(case.demand)
        rph = case.demand["requests_per_hour"].to_numpy(float)
        size = self.need_count * self.slot_count
        total: Floats = np.bincount(need * self.slot_count + slot, rph, size).astype(float)
        return total.reshape(self.need_count, self.slot_count)


@dataclass(frozen=True)
class Flows:
    """Rows of a dispatch whose names are known, as numbers.

    ways : one row a way: the names of WAY; need; reserved (else on demand); quota (-1: reserved); deployment of each
        meter in `loads`; on_demand_usd, quota_per_request, tokens_per_request (0 where reserved); guaranteed (pools
        are); egress_usd, gb_in, gb_out, in_usd, out_usd; away (origin is not region); mix (row of case.mix, -1: none);
        fault ("" or why the case does not allow it).
    loads : way, deployment, units_per_request, usable_share: one row a reserved way and meter.
    way, place, rph : of each row: its way, its place in time (a slot, or whatever the caller grouped by), requests per
        hour.
    """

    ways: pd.DataFrame
    loads: pd.DataFrame
    way: Ints
    place: Ints
    rph: Floats

    @classmethod
    def of(cls, case: Case, derived: Derived, names: Names, frame: pd.DataFrame, at: Ints) -> tuple["Flows", Ints]:
        """Turn into numbers the rows of a table with the columns of WAY and requests_per_hour, at the places `at`.

        A place of -1 is unknown. Returns the flows and the positions of rows that name what the case does not know.
        """
        lists = (names.regions, names.workloads, names.models, names.regions, names.supplies)
        key, good = np.zeros(len(frame), np.int64), at >= 0
        for column, known in zip(WAY, lists, strict=True):
            code = encode(frame[column], known)
            good &= code >= 0
            key = key * len(known) + code
        way, distinct = pd.factorize(key[good], sort=True)
        rest, columns = np.asarray(distinct, dtype=np.int64), {}
        for column, known in zip(reversed(WAY), reversed(lists), strict=True):
            rest, code = np.divmod(rest, len(known))
            columns[column] = np.array(known, dtype=object)[code]
        ways = pd.DataFrame({column: pd.Series(columns[column], dtype=object) for column in WAY})
        ways, loads = _looked_up(case, derived, names, ways)
        rph = frame["requests_per_hour"].to_numpy(float)[good]
        return cls(ways, loads, way.astype(np.int64), at[good], rph), np.flatnonzero(~good)

    def sums(self, group: Ints, groups: int, places: int, per_request: Floats | None = None) -> Floats:
        """Sum requests per hour (times `per_request`, by way) by group of way and place: groups x places.

        Ways of group -1 are left out.
        """
        value = self.rph if per_request is None else self.rph * per_request[self.way]
        cell = group[self.way] * places + self.place
        inside = group[self.way] >= 0 if (group < 0).any() else slice(None)
        total: Floats = np.bincount(cell[inside], value[inside], groups * places).astype(float)
        return total.reshape(groups, places)

    def unit_load(self, deployments: int, places: int, headroom: bool) -> Floats:
        """Units loaded, array deployments x places; with `headroom`, divided by the usable share (rule 4)."""
        total = np.zeros((deployments, places))
        for _, meter in self.loads.groupby("nth"):
            group, units = np.full(len(self.ways), -1, np.int64), np.zeros(len(self.ways))
            row = meter["way"].to_numpy(int)
            group[row] = meter["deployment"].to_numpy(int)
            units[row] = meter["units_per_request"].to_numpy(float)
            if headroom:
                units[row] /= meter["usable_share"].to_numpy(float)
            total += self.sums(group, deployments, places, units)
        return total


def encode(values: pd.Series, names: Sequence[str]) -> Ints:
    """Find each value's number in `names`; -1 where it is not one of them."""
    index = pd.Index(list(names), dtype=object)
    if isinstance(values.dtype, pd.CategoricalDtype):
        of_category = np.append(index.get_indexer(values.cat.categories.astype(object)), -1).astype(np.int64)
        found: Ints = of_category[values.cat.codes.to_numpy()]
        return found
    return index.get_indexer(pd.Index(values, dtype=object)).astype(np.int64)


def _looked_up(case: Case, derived: Derived, names: Names, ways: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every way its loads, prices and faults."""
    region_of = {p.pool: p.region for p in case.pools}
    reserved = np.array([region_of.get(s) == r for s, r in zip(ways["supply"], ways["region"], strict=True)], bool)
    ways = ways.assign(
        number=np.arange(len(ways)),
        need=names.needs(ways["origin"], ways["workload"]),
        reserved=reserved,
        away=ways["origin"] != ways["region"],
    )
    mix = {(m.workload, m.model): k for k, m in enumerate(case.mix)}
    ways["mix"] = [mix.get(key, -1) for key in zip(ways["workload"], ways["model"], strict=True)]
    quota = {key: k for k, key in enumerate(names.quotas)}
    keys = zip(ways["region"], ways["model"], ways["supply"], reserved, strict=True)
    ways["quota"] = [-1 if pool else quota.get((r, m, s), -1) for r, m, s, pool in keys]

    options = derived.options.rename(columns={"option": "supply"})
    priced = ways[["workload", "region", "model", "supply", "number"]].merge(
        options, on=["workload", "region", "model", "supply"]
    )
    priced = priced[~reserved[priced["number"].to_numpy(int)]].set_index("number")
    for column in ("on_demand_usd", "quota_per_request", "tokens_per_request"):
        ways[column] = priced[column].reindex(ways["number"]).fillna(0.0).to_numpy(float)
    ways["guaranteed"] = reserved | priced["guaranteed"].reindex(ways["number"]).eq(True).to_numpy(bool)

    travel = ways[["workload", "origin", "region"]].merge(
        derived.travel, on=["workload", "origin", "region"], how="left"
    )
    for column in ("egress_usd", "gb_in", "gb_out", "in_usd", "out_usd"):
        ways[column] = travel[column].fillna(0.0).to_numpy(float)

    number = {key: k for k, key in enumerate(names.deployments)}
    loads = ways.loc[reserved, ["number", "workload", "model", "supply"]].merge(
        derived.loads.rename(columns={"pool": "supply"}), on=["workload", "model", "supply"]
    )
    deployment = [number[key] for key in zip(loads["supply"], loads["meter"], loads["deployment"], strict=True)]
    loads = pd.DataFrame(
        {
            "way": loads["number"].to_numpy(int),
            "deployment": np.array(deployment, dtype=np.int64),
            "nth": loads.groupby("number").cumcount().to_numpy(int),
            "units_per_request": loads["units_per_request"].to_numpy(float),
            "usable_share": loads["usable_share"].to_numpy(float),
        }
    )
    served = np.zeros(len(ways), bool)
    served[loads["way"]] = True
    served[priced.index.to_numpy(int)] = True
    ways["fault"] = np.select(
        [travel["gb_in"].isna().to_numpy(), ways["mix"].to_numpy(int) < 0, ~served],
        ["no listed route, or not among the workload's serving_regions", "the mix does not list the model",
         "neither a pool of the region that serves the model nor an on-demand option of it"],
        default="",
    )  # fmt: skip
    return ways.drop(columns="number"), loads
