"""Demand with nowhere to go when its region is lost."""

from planner.plan.warnings.caution import Caution, pairs, workload_named
from planner.schema.case import Case


def no_failover(case: Case) -> list[Caution]:
    """Demand that no other region may serve while its own is lost."""
    failover = case.settings.policy.failover
    lost = [r.region for r in case.regions if r.fails]
    if not failover.enabled or not lost:
        why = "failover is switched off" if lost else "no region is marked as one that fails"
        remedy = "Set policy.failover.enabled and regions.fails, or accept it knowingly"
        message = f"{why}: the plan does not survive the loss of a region"
        return [Caution("no-failover", "risk", "policy", message, remedy)]
    found = []
    for origin, name in pairs(case):
        w = workload_named(case, name)
        away = [r.region for r in case.regions if r.region != origin and case.may_serve(w, origin, r.region)]
        if origin in lost and case.failover_share(w) > 0 and not away:
            message = f"may be served nowhere else when {origin} is lost, so no plan will exist"
            remedy = "Add a route, widen serving_regions, or set the workload's failover_share to 0"
            found.append(Caution("no-failover-route", "risk", f"demand of {name} from {origin}", message, remedy))
    return found
