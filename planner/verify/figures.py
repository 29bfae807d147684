"""Every figure of a plan with its margins and the rules that it breaks: what a report is written from."""

import numpy as np

from planner.errors import PlannerError
from planner.plan.audit import audit
from planner.plan.flows import Floats
from planner.plan.metrics import Metrics, collect
from planner.plan.plan import Plan
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.schema.input_digest import is_input_of
from planner.verify.growth_margins import asked_of, broken_cases, margins_of


def metrics_of(case: Case, plan: Plan) -> Metrics:
    """Compute every figure of a plan; `broken` lists the rules that it does not keep.

    Raises
    ------
    PlannerError : the plan was made from another input.
    """
    if not is_input_of(case, plan.input_digest):
        raise PlannerError(
            f"the plan {plan.name} was made from another input ({plan.input_digest[:12]}) than this one "
            f"({case.digest[:12]}): read both with load_plan, or solve again"
        )
    return figures_of(Reading(case, plan))


def figures_of(reading: Reading, *, audited: bool = False, deadline: float = np.inf) -> Metrics:
    """Compute every figure of a plan that was read with its case; `audited`: its audit found nothing, just now.

    deadline : in seconds of time.monotonic. Margins that are not found by then are left out, and a caution says so; so
        only with `audited`.
    """
    findings = [] if audited else audit(reading.case, reading.plan, witness=False, reading=reading)

    asked = asked_of(reading, deadline)

    def unserved(units: Floats) -> list[str] | None:
        return broken_cases(reading, asked, units, deadline)

    return collect(reading, margins_of(reading, asked=asked, deadline=deadline), findings, unserved)
