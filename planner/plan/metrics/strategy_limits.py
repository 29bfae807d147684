"""Limits that a strategy does not keep, in words: quotas, guaranteed shares, the most units that run by the hour."""

import numpy as np

from planner.plan.flows import Floats, Flows
from planner.plan.frames import Ints
from planner.plan.metrics.basis import Basis
from planner.units import counted

_ROUNDING, _DUST = 1e-9, 1e-9


def unkept_guarantees(basis: Basis, overflow: Floats, option: Ints) -> list[str]:
    """Name the workloads of which too little is served by units or guaranteed options, where `overflow` goes on demand.

    Work that can wait is left aside: here it is known only when it is served.
    """
    case, names, flows = basis.case, basis.names, basis.flows
    asked = np.array([0.0 if w.deadline_hours else w.guaranteed_share for w in case.workloads])
    if not asked.any():
        return []
    sure_option = np.array([o.guaranteed for o in case.on_demand] + [False])  # the last stands for none
    sure = flows.rph * (1 - overflow * ~sure_option[option[flows.way]])
    need, many = flows.ways["need"].to_numpy(int), names.need_count
    served = Flows(flows.ways, flows.loads, flows.way, flows.place, sure).sums(need, many, names.slot_count)
    every = flows.sums(need, many, names.slot_count)
    short = np.tile(asked, len(names.regions))[:, None] * every - served
    broken = np.asarray((short > _DUST + _ROUNDING * every).any(axis=1))
    return [w.workload for k, w in enumerate(case.workloads) if broken[k :: len(case.workloads)].any()]


def above_quota(basis: Basis, rph: Floats) -> str:
    """Say where requests per hour on demand (by flow) would need more than a quota, the worst first."""
    names, ways = basis.names, basis.flows.ways
    if not names.quotas:
        return ""
    _, workload, model, region, _ = names.codes(ways)
    prices, reserved = basis.reading.prices, ways["reserved"].to_numpy(bool)
    group = np.where(reserved, prices.quota[workload, region, model], ways["quota"].to_numpy(int))
    instead = prices.quota_per_request[workload, region, model]
    counted = np.where(reserved, instead, ways["quota_per_request"].to_numpy(float))
    moved = Flows(ways, basis.flows.loads, basis.flows.way, basis.flows.place, rph)
    load = moved.sums(group, len(names.quotas), names.slot_count, counted).max(axis=1, initial=0.0)
    limit = np.array([np.inf if q.tokens_per_minute_quota is None else q.tokens_per_minute_quota
                      for q in basis.case.on_demand])  # fmt: skip
    above = np.flatnonzero(load > limit * (1 + 1e-6) + 1e-6)
    if not len(above):
        return ""
    most = above[np.argmax(load[above] / np.maximum(limit[above], 1e-9))]
    region, model, _ = names.quotas[most]
    others = len(above) - 1
    more = f", and {others} more quota{'s' * (others > 1)}" if others else ""
    return f"needs {load[most]:,.0f} tokens/minute of {model} in {region}, quota {limit[most]:,.0f}{more}"


def above_scaled(basis: Basis, run: Floats) -> str:
    """Say where more units run by the hour at once than a pool allows; blank: nowhere."""
    for pool in basis.case.pools:
        own = [d for d, (name, _, _) in enumerate(basis.names.deployments) if name == pool.pool]
        most = float(run[own].sum(axis=0).max(initial=0.0))
        if pool.max_scaled_units is not None and most > pool.max_scaled_units * (1 + 1e-6) + 1e-6:
            limit = pool.max_scaled_units
            return (
                f"needs {counted(most, 'unit', ',.4g')} of {pool.pool} by the hour at once, max_scaled_units {limit:g}"
            )
    return ""
