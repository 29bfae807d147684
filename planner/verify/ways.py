"""Who may be served by what while a stress case lasts: classes of origins with equal reach, and their ways."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.plan.stress_cases import StressCase
from planner.schema.case import Case
from planner.verify.linear import Floats, Ints

WAY_COLUMNS = ("class", "model", "region", "supply", "reserved")


@dataclass(frozen=True)
class Reach:
    """Ways of one stress case.

    Origins of a workload that may use the same surviving regions form a class: a routing of their sum, divided in
    proportion, serves each of them with the same mix and the same loads.

    class_of : class of each need (origin x workload). workload : of each class, its number.
    ways : columns WAY_COLUMNS, one row a way of a class. loads : way, deployment, units_per_request.
    counted : way, quota, tokens per minute per request/hour, only for quotas that limit.
    """

    class_of: Ints
    workload: Ints
    ways: pd.DataFrame
    loads: pd.DataFrame
    counted: pd.DataFrame

    def class_demand(self, demand: Floats) -> Floats:
        """Add up demand (needs x slots) by class."""
        total = np.zeros((len(self.workload), demand.shape[1]))
        np.add.at(total, self.class_of, demand)
        return total


def reach_of(case: Case, derived: Derived, names: Names, stressed: StressCase) -> Reach:
    """List the ways of a stress case."""
    standing = derived.travel[derived.travel["region"] != stressed.failed]
    may: dict[tuple[str, str], list[str]] = {}
    for w, origin, region in standing[["workload", "origin", "region"]].itertuples(index=False, name=None):
        may.setdefault((origin, w), []).append(region)
    number: dict[tuple[str, tuple[str, ...]], int] = {}
    class_of = np.array([
        number.setdefault((w, tuple(sorted(may.get((origin, w), ())))), len(number))
        for origin in names.regions
        for w in names.workloads
    ])  # fmt: skip
    rows = [(k, w, region) for (w, regions), k in number.items() for region in regions]
    reach = pd.DataFrame(rows, columns=["class", "workload", "region"])
    index = {w: k for k, w in enumerate(names.workloads)}

    held = derived.loads.rename(columns={"pool": "supply"}).merge(reach, on=["workload", "region"])
    deployment = {key: k for k, key in enumerate(names.deployments)}
    keys = zip(held["supply"], held["meter"], held["deployment"], strict=True)
    held["at"] = np.array([deployment[key] for key in keys], dtype=np.int64)
    trusted = bool(stressed.quota_tpm.any())
    options = derived.options.rename(columns={"option": "supply"})[slice(None) if trusted else slice(0)]
    bought = options.merge(reach, on=["workload", "region"])
    quota = {key: k for k, key in enumerate(names.quotas)}
    keys = zip(bought["region"], bought["model"], bought["supply"], strict=True)
    bought["at"] = np.array([quota[key] for key in keys], dtype=np.int64)
    columns = list(WAY_COLUMNS)
    ways = pd.concat([held.assign(reserved=True)[columns], bought.assign(reserved=False)[columns]], ignore_index=True)
    ways = ways.drop_duplicates(ignore_index=True).rename_axis("way").reset_index()
    loads = held.assign(reserved=True).merge(ways, on=columns)
    counted = bought.assign(reserved=False).merge(ways, on=columns)
    counted = counted[np.isfinite(stressed.quota_tpm[counted["at"].to_numpy(int)])]
    return Reach(
        class_of=class_of.astype(np.int64),
        workload=np.array([index[w] for w, _ in number], dtype=np.int64),
        ways=ways,
        loads=loads[["way", "at", "units_per_request"]],
        counted=counted[["way", "at", "quota_per_request"]],
    )


def parts_of(reach: Reach) -> list[Ints]:
    """Classes in parts that share no deployment and no quota that limits: each part is proved by itself."""
    parent = list(range(len(reach.workload)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    class_of_way = reach.ways["class"].to_numpy(int)
    for table in (reach.loads, reach.counted):
        first: dict[int, int] = {}
        for way, at in zip(table["way"].tolist(), table["at"].tolist(), strict=True):
            k = root(int(class_of_way[way]))
            parent[k] = root(first.setdefault(at, k))
    roots = np.array([root(k) for k in range(len(parent))])
    return [np.flatnonzero(roots == r) for r in np.unique(roots)]
