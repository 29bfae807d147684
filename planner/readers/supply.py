"""Demand that nothing can ever serve: no region in reach has a pool or an on-demand option for it."""

from collections import defaultdict
from collections.abc import Mapping

from planner.errors import Fault
from planner.readers.rules import SUM_TOLERANCE
from planner.readers.source import Source
from planner.schema.case import Case
from planner.schema.workloads import Mix


def supplied_models(case: Case) -> dict[str, set[str]]:
    """Models that each region can serve at all, on demand or from a pool of which units can be had."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for option in case.on_demand:
        found[option.region].add(option.model)
    region = {pool.pool: pool.region for pool in case.pools}
    open_pools = {pool.pool for pool in case.pools if pool.usd_per_unreserved_unit_hour is not None}
    on_sale = {(offer.pool, offer.meter) for offer in case.offers}
    meters: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in case.throughput:
        meters[row.pool, row.model].add(row.meter)
    for (pool, model), needed in meters.items():
        if pool in open_pools or all((pool, meter) in on_sale for meter in needed):
            found[region[pool]].add(model)
    return found


def unserved(case: Case, sources: Mapping[str, Source]) -> list[Fault]:
    """Find each origin and workload with demand that the models and regions in reach cannot serve in full."""
    models_in = supplied_models(case)
    mix: defaultdict[str, list[Mix]] = defaultdict(list)
    for row in case.mix:
        mix[row.workload].append(row)
    workload_of = {w.workload: w for w in case.workloads}
    pairs = case.demand[["region", "workload"]].drop_duplicates()
    faults = []
    for origin, name in zip(pairs["region"], pairs["workload"]):
        reach = [r.region for r in case.regions if case.may_serve(workload_of[name], origin, r.region)]
        served = set().union(*(models_in[region] for region in reach))
        where = f"demand of workload {name!r} from {origin!r} cannot be served: "
        if not mix[name]:
            faults.append(sources["mix"].fault(f"{where}no model may serve it", column="workload"))
            continue
        regions = f"no region in reach ({', '.join(reach) or 'none'}) has"
        for row in mix[name]:
            if row.model not in served and row.min_share > 0:
                message = (
                    f"{where}model {row.model!r} must take a share, but {regions} a pool or on-demand option for it"
                )
                faults.append(sources["mix"].fault(message, column="min_share", value=row.min_share))
        if sum(row.max_share for row in mix[name] if row.model in served) < 1 - SUM_TOLERANCE:
            models = ", ".join(row.model for row in mix[name])
            message = f"{where}{regions} pools or on-demand options for enough of its models ({models})"
            faults.append(sources["mix"].fault(message, column="model"))
    return faults
