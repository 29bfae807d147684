"""Parts that nothing ties together are programmes of their own.

Rows tie columns together. Two origin-workloads that share no pool, no finite quota, no capped pair of regions, neither
the budget nor the cross-region share have no row in common, not even under stress, where the same arcs are used. So the
programme is a sum of programmes, and the optimum is the sum of their optima.
"""

from dataclasses import replace

import numpy as np

from planner.model.sets import Bools, Ints, Sets


def split(sets: Sets) -> list[Sets]:
    """Split into components, in the order of their first need; pools that no need can reach make one more."""
    count_needs, count_meters = len(sets.needs), len(sets.meters)
    parent = list(range(count_needs + count_meters + len(sets.quotas) + len(sets.caps) + 1))
    meter_at, quota_at, cap_at = count_needs, count_needs + count_meters, count_needs + count_meters + len(sets.quotas)
    everything = len(parent) - 1

    def find(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    def tie(a: int, b: int) -> None:
        a, b = find(a), find(b)
        if a != b:
            parent[max(a, b)] = min(a, b)

    need = sets.arcs["need"].to_numpy(int)
    meter = sets.deployments["meter_row"].to_numpy(int)[sets.loads["deployment"].to_numpy(int)]
    for a, b in np.unique(np.column_stack([need[sets.loads["arc"].to_numpy(int)], meter]), axis=0):
        tie(int(a), meter_at + int(b))
    finite = np.append(np.isfinite(sets.quotas["tokens_per_minute"].to_numpy(float)), False)
    quota = sets.arcs["quota"].to_numpy(int)
    limited = (quota >= 0) & finite[quota]
    for a, b in np.unique(np.column_stack([need[limited], quota[limited]]), axis=0):
        tie(int(a), quota_at + int(b))
    capped: dict[tuple[str, str], int] = {}
    for k, (o, s) in enumerate(zip(sets.caps["origin"], sets.caps["destination"])):
        if (o, s) in capped:  # the way back has a cap of its own: the same flows use both
            tie(capped[o, s], cap_at + k)
        capped[o, s] = capped[s, o] = cap_at + k
    if capped:
        used = sets.arcs.loc[sets.arcs["away"], ["need", "origin", "region"]].drop_duplicates()
        for k, o, s in used.itertuples(index=False):
            if (o, s) in capped:
                tie(int(k), capped[o, s])
    if sets.max_away_share is not None or sets.budget_usd is not None:
        for k in range(count_needs):
            tie(k, everything)
        for k in range(count_meters):
            tie(meter_at + k, everything)
    root = np.array([find(k) for k in range(len(parent))])
    roots = list(dict.fromkeys([*root[:count_needs], *root[meter_at:quota_at]]))
    return [
        _part(sets, root[:count_needs] == r, root[meter_at:quota_at] == r, root[cap_at:everything] == r) for r in roots
    ]


def _part(sets: Sets, needs: Bools, meters: Bools, caps: Bools) -> Sets:
    """Keep some needs and meters with all that belongs to them, renumbered."""
    need_of, meter_of = _renumber(needs), _renumber(meters)
    arc_kept = needs[sets.arcs["need"].to_numpy(int)] if len(sets.arcs) else np.zeros(0, bool)
    arc_of = _renumber(arc_kept)
    deployment_kept = (
        meters[sets.deployments["meter_row"].to_numpy(int)] if len(sets.deployments) else np.zeros(0, bool)
    )
    deployment_of = _renumber(deployment_kept)
    quota_kept = np.zeros(len(sets.quotas), bool)
    arcs = sets.arcs[arc_kept].reset_index(drop=True)
    quota = arcs["quota"].to_numpy(int)
    quota_kept[quota[quota >= 0]] = True
    quota_of = np.append(_renumber(quota_kept), -1)
    loads = sets.loads[arc_kept[sets.loads["arc"].to_numpy(int)]].reset_index(drop=True)
    bought = sets.purchases[meters[sets.purchases["meter_row"].to_numpy(int)]].reset_index(drop=True)
    workloads = set(sets.needs.loc[needs, "workload"])
    return replace(
        sets,
        needs=sets.needs[needs].reset_index(drop=True),
        demand=sets.demand[needs],
        shares=sets.shares[sets.shares["workload"].isin(workloads)].reset_index(drop=True),
        arcs=arcs.assign(need=need_of[arcs["need"].to_numpy(int)], quota=quota_of[quota]),
        loads=loads.assign(
            arc=arc_of[loads["arc"].to_numpy(int)], deployment=deployment_of[loads["deployment"].to_numpy(int)]
        ),
        deployments=sets.deployments[deployment_kept]
        .assign(meter_row=meter_of[sets.deployments["meter_row"].to_numpy(int)[deployment_kept]])
        .reset_index(drop=True),
        meters=sets.meters[meters].reset_index(drop=True),
        earlier=sets.earlier[meters],
        quotas=sets.quotas[quota_kept].reset_index(drop=True),
        quota_load=sets.quota_load[arc_kept],
        purchases=bought.assign(meter_row=meter_of[bought["meter_row"].to_numpy(int)]),
        caps=sets.caps[caps].reset_index(drop=True),
        cases=tuple(replace(case, demand_scale=case.demand_scale[needs]) for case in sets.cases),
    )


def _renumber(kept: Bools) -> Ints:
    """Give each kept row its new number (others: meaningless)."""
    number: Ints = np.cumsum(kept) - 1
    return number
