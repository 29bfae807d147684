"""The mistakes of the trade, seen in the input alone: what `planner check` says of a case that is valid."""

from collections.abc import Callable

from planner.plan.warnings.capacity import idle_commitments, open_quota, part_months
from planner.plan.warnings.caution import Caution
from planner.plan.warnings.demand import flat_demand, no_demand, unusual_peak
from planner.plan.warnings.examples import left_over_examples
from planner.plan.warnings.failover import no_failover
from planner.plan.warnings.workloads import no_cache_rate, one_frontier_model, thin_headroom
from planner.schema.case import Case

__all__ = ["RULES", "Caution", "warnings_of"]

RULES: tuple[Callable[[Case], list[Caution]], ...] = (
    left_over_examples,
    no_demand,
    flat_demand,
    no_cache_rate,
    unusual_peak,
    thin_headroom,
    one_frontier_model,
    idle_commitments,
    open_quota,
    no_failover,
    part_months,
)


def warnings_of(case: Case) -> list[Caution]:
    """List everything that a careful colleague would ask about, in the order of RULES."""
    return [caution for rule in RULES for caution in rule(case)]
