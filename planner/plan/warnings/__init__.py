"""Common mistakes, seen in the input alone: what `planner check` says about a valid case."""

from collections.abc import Callable

from planner.plan.warnings.contracts import (
    batch_without_deadline,
    no_slow_option,
    part_months,
    spare_for_work_that_waits,
    spend_traps,
    steps_aside,
    terms_that_fit_no_period,
    unused_slow_options,
)
from planner.plan.warnings.lost_mix import mixes_that_cannot_be_kept
from planner.plan.warnings.scaled_and_risk import risk_traps, scaled_traps
from planner.plan.warnings.traps import (
    Caution,
    caps_in_parts,
    flat_demand,
    idle_commitments,
    idle_price_factors,
    left_over_examples,
    no_cache_rate,
    no_demand,
    no_failover,
    one_frontier_model,
    open_quota,
    same_commitments,
    thin_headroom,
    unusual_peak,
)
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
    same_commitments,
    open_quota,
    no_failover,
    mixes_that_cannot_be_kept,
    part_months,
    terms_that_fit_no_period,
    caps_in_parts,
    idle_price_factors,
    spend_traps,
    batch_without_deadline,
    unused_slow_options,
    no_slow_option,
    spare_for_work_that_waits,
    steps_aside,
    scaled_traps,
    risk_traps,
)


def warnings_of(case: Case) -> list[Caution]:
    """List everything that a careful colleague would ask about, in the order of RULES."""
    return [caution for rule in RULES for caution in rule(case)]
