"""Every way to serve each need, with its prices and loads, as plain records."""

from dataclasses import dataclass
from typing import Any

from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.schema.case import Case

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
    options: dict[tuple[str, str], list[tuple[str, int, float, float, bool]]] = {}
    for r in derived.options.itertuples(index=False):
        options.setdefault((r.workload, r.region), []).append(
            (r.model, quota[r.region, r.model, r.option], r.on_demand_usd, r.quota_per_request, bool(r.guaranteed))
        )
    found: dict[int, list[Way]] = {}
    empty = {k for k, q in enumerate(case.on_demand) if q.tokens_per_minute_quota == 0}
    closed = {(r.origin, r.destination) for r in case.routes if (r.max_gb_per_month or 1.0) < TINY}
    closed |= {(r.origin, r.destination) for r in case.routes if r.max_gb_per_month == 0}
    stay = case.settings.policy.egress.max_cross_region_share == 0
    t: Any
    for t in derived.travel.itertuples(index=False):
        away = t.origin != t.region
        shut = ((t.origin, t.region) in closed and t.gb_in > 0) or ((t.region, t.origin) in closed and t.gb_out > 0)
        o, s = region[t.origin], region[t.region]
        need = o * len(names.workloads) + workload[t.workload]
        trip = (t.egress_usd, t.gb_in, t.gb_out, o != s)
        listed = found.setdefault(need, [])
        barred = away and (stay or shut)
        for (i, _), loads in pools.get((t.workload, t.region), {}).items():
            listed.append(Way(o, s, model[i], 0.0, *trip, True, -1, 0.0, tuple(loads), barred))
        for i, q, usd, tokens, sure in options.get((t.workload, t.region), ()):
            listed.append(Way(o, s, model[i], usd, *trip, sure, q, tokens, (), barred or (q in empty and tokens > 0)))
    return found
