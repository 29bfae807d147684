"""Limits: the cells of the input that an elastic programme may change, and how dear each change is."""

from dataclasses import dataclass, replace

import numpy as np

from planner.model.columns import largest_sizes
from planner.model.program import LinearProgram, families_of
from planner.model.rows import Rows
from planner.model.sets import Sets
from planner.solver.scaling import need_peaks

WEIGHT = {
    "budget": 1.0,  # what the buyer decides alone is changed first, then what the seller has to grant,
    "cross_region_share": 1.0,
    "egress": 1.0,
    "quota": 1.5,
    "units": 1.5,
    "trust": 1.5,
    "guaranteed": 20.0,  # then what is promised to the workloads,
    "failover_share": 200.0,
    "demand": 5000.0,  # and last of all what is asked
}
OWN = frozenset(("balance", "mix", "guaranteed", "reserved", "deployment", "quota", "egress", "cross_region_share",
                 "budget"))  # fmt: skip  # families whose cells are named here; of any other, each row is a limit


@dataclass(frozen=True)
class Limit:
    """One cell that may change.

    key : its row in the input. full : amount that serves all. most : largest change. lowered : whether less is asked.
    """

    rule: str
    key: tuple[str, ...]
    has: float
    full: float
    most: float = np.inf
    lowered: bool = False


def limits_of(sets: Sets, program: LinearProgram) -> list[Limit]:
    """List the cells of the input that may change in some sets and their programme."""
    peak = need_peaks(sets)
    need = sets.arcs["need"].to_numpy(int)
    found: list[Limit] = []
    load = np.zeros((len(sets.quotas), len(sets.needs)))
    paid = np.flatnonzero(sets.arcs["quota"].to_numpy(int) >= 0)
    quota = sets.arcs["quota"].to_numpy(int)[paid]
    np.maximum.at(load, (quota, need[paid]), sets.quota_load[paid] * peak[need[paid]])
    for k, (region, model, option, has) in enumerate(sets.quotas.itertuples(index=False, name=None)):
        if np.isfinite(has) and load[k].any():
            found.append(Limit("quota", (region, model, option), has, float(load[k].sum())))
    bought = sets.purchases
    sizes = largest_sizes(replace(sets, purchases=bought.assign(max_units=np.inf)))
    for offer, rows in bought.groupby("offer", sort=True).indices.items():
        has = float(bought["max_units"].iloc[rows[0]])
        if np.isfinite(has):
            found.append(Limit("units", (str(offer),), has, max(float(sizes[rows].max()), 1e-9)))
    if sets.budget_usd is not None:
        dear = float((sizes[: len(bought)] * bought["committed_usd_per_unit"].to_numpy(float)).max(initial=0.0))
        found.append(Limit("budget", (), sets.budget_usd, max(dear, sets.budget_usd, 1.0)))
    if sets.max_away_share is not None:
        found.append(Limit("cross_region_share", (), sets.max_away_share, 1.0, 1.0 - sets.max_away_share))
    caps, flows = program.family("egress"), program.columns
    for k, (origin, destination, has) in enumerate(sets.caps.itertuples(index=False, name=None)):
        mine = np.isin(caps.row, np.flatnonzero(caps.index["cap"] == k))
        flow = caps.column[mine] - flows.flow_first
        gb = float((caps.value[mine] * sets.demand[need[flows.flow_arc[flow]], flows.flow_slot[flow]]).sum())
        found.append(Limit("egress", (origin, destination), has, max(gb, 1e-9)))
    sure = sets.needs.groupby("workload", sort=True)["guaranteed_share"].first()
    found += [Limit("guaranteed", (str(w),), share, 1.0, share, True) for w, share in sure.items() if share > 0]
    failover = np.array([case.failed is not None for case in sets.cases], bool)
    if failover.any():
        first = int(np.argmax(failover))
        scale = dict(zip(sets.needs["workload"], sets.cases[first].demand_scale))
        found += [
            Limit("failover_share", (w,), float(s), 1.0, float(s), True) for w, s in sorted(scale.items()) if s > 0
        ]
        trust = float(sets.cases[first].quota_scale)
        found.append(Limit("trust", (), trust, 1.0, 1.0 - trust))
    pairs = zip(sets.needs["origin"], sets.needs["workload"])
    for wide in other_rows(program):
        relaxed = next(family.relaxed_by for family in families_of(sets) if family.name == wide.family)
        for k in range(wide.count):
            least = bool(np.isfinite(wide.lower[k]))
            has = float(wide.lower[k] if least else wide.upper[k])
            key = (relaxed or wide.family, str(k))
            found.append(Limit(wide.family, key, has, max(abs(has), 1e-3), abs(has) if least else np.inf, least))
    return [*found, *(Limit("demand", (o, w), 1.0, 1.0, 1.0, True) for o, w in pairs)]


def other_rows(program: LinearProgram) -> list[Rows]:
    """Rows of the families that are known by their declaration alone and may be relaxed."""
    kept = {family.name for family in families_of(program.sets) if family.relaxed_by is None}
    return [rows for rows in program.families if rows.count and rows.family not in OWN | kept]
