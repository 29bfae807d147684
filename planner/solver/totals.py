"""What a plan costs, by the part of its cost: the cost terms of its components, and those of no component."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planner.model.columns import columns_of
from planner.model.constraints.scaled import scaled_units_usd
from planner.model.objective import terms_of
from planner.model.sets import Sets
from planner.plan.plan import PlanRisk, Totals
from planner.schema.case import Case
from planner.solver import assemble
from planner.solver.assemble import values_of
from planner.solver.component import Decided
from planner.solver.joint import JOINT
from planner.solver.session import sunk_usd


def totals_of(case: Case, sets: Sets, plans: Sequence[Decided]) -> Totals:
    """Add up the cost terms of all components, each to its part of the plan's cost, and those of no component."""
    parts = dict.fromkeys(Totals.names(), 0.0) | {"sunk_usd": sunk_usd(case)}
    parts |= {part: usd for part, usd in assemble.joint_usd(sets, plans).items() if part}
    for plan in plans:
        for part, usd in _cost(plan):
            parts[part] += usd
    return Totals(**parts)


def _cost(plan: Decided) -> list[tuple[str, float]]:
    """Part of the plan's cost and USD of each cost term of a component, from its numbers; changes are no part of it."""
    sets = replace(plan.sets.without(JOINT), keep=None)
    units = assemble.as_listed(plan.committed)
    at = columns_of(replace(sets, arcs=sets.arcs.assign(priced=False)), sets.has_size_rules)  # of flows, the used ones
    at = replace(at, flow_arc=plan.flow_arc, flow_slot=plan.flow_slot, flow_case=np.full(len(plan.flow), -1))
    values = values_of(sets, at, units, assemble.as_listed(plan.deployed), plan.flow)
    found = [(term.part, float(term.usd(sets, at) @ values)) for term in terms_of(sets) if term.part is not None]
    return [*found, ("scaled_usd", scaled_units_usd(sets, plan.scaled))]


def risk_of(case: Case, total_usd: float, objective_usd: float) -> PlanRisk | None:
    """Tell the mean cost of the dearest scenarios from the objective: (1 − weight) · total + weight · mean."""
    weight = case.settings.policy.risk.weight
    return PlanRisk(total_usd + (objective_usd - total_usd) / weight, objective_usd) if weight > 0 else None
