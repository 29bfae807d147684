"""Which of two plans of the same parts is the better one, and how near one is to what is proved."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planner.solver.component import OF_PROOF, ComponentPlan

ROUNDING = 1e-8  # relative: what tolerances of 1e-9 let a plan cost less than it should


def better(plans: list[ComponentPlan], others: list[ComponentPlan]) -> list[ComponentPlan]:
    """Choose the cheaper plan; of two that cost the same but for rounding, the one of which more is proved."""
    usd, other = cost_usd(plans), cost_usd(others)
    if abs(usd - other) <= ROUNDING * max(abs(usd), abs(other)):
        return others if bound_usd(others) > bound_usd(plans) else plans
    return others if other < usd else plans


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
