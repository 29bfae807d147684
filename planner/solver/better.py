"""Which of two plans of the same parts is the better one, and how near one is to what is proved."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planner.solver.component import OF_PROOF, ComponentPlan

ROUNDING = 1e-8  # relative: what tolerances of 1e-9 let a plan cost less than it should


def better(plans: list[ComponentPlan], others: list[ComponentPlan]) -> list[ComponentPlan]:
    """Choose the cheaper plan; of two that cost the same, the one of which more is proved, else that signs for less."""
    usd, other = cost_usd(plans), cost_usd(others)
    same = ROUNDING * max(abs(usd), abs(other))
    if abs(usd - other) > same:
        return others if other < usd else plans
    more = bound_usd(others) - bound_usd(plans)
    return others if more > same or (more >= -same and signed_usd(others) < signed_usd(plans)) else plans


def signed_usd(plans: Sequence[ComponentPlan]) -> float:
    """Add up what plans sign for inside the horizon."""
    return float(sum(p.sets.purchases["committed_usd_per_unit"].to_numpy(float) @ p.committed for p in plans))


def bound_usd(plans: Sequence[ComponentPlan]) -> float:
    """Add up what is proved of the cost of any plans of the parts."""
    return float(np.sum([plan.tree_bound_usd for plan in plans]))


def cost_usd(plans: Sequence[ComponentPlan]) -> float:
    """Add up what plans cost."""
    return float(np.sum([plan.usd for plan in plans]))


def closed(plans: Sequence[ComponentPlan], gap: float) -> bool:
    """Whether plans are as near to what is proved as is asked."""
    usd = cost_usd(plans)
    return usd - bound_usd(plans) <= gap * abs(usd)


def cheaper(found: ComponentPlan | None, rough: ComponentPlan | None) -> ComponentPlan | None:
    """Return the cheaper plan, with what was proved by the finer search: its bounds, and every price of its proof."""
    if found is None or rough is None or found.usd <= rough.usd + ROUNDING * abs(rough.usd):
        return found
    return replace(rough, **{name: getattr(found, name) for name in OF_PROOF})
