"""Rule 9 over whole terms: what is signed, months past the horizon included."""

import math

from planner.plan.audit.linear_rule import LinearRule
from planner.plan.flows import Names
from planner.schema.case import Case


def whole_term_budget(case: Case, names: Names) -> LinearRule | None:
    """Rule 9: over their whole terms, new commitments cost no more than max_commitment_whole_term_usd. [USD]."""
    cap = case.settings.policy.max_commitment_whole_term_usd
    if cap is None:
        return None
    bought = [
        (0, o.offer, p.name, o.usd_per_hour(p.start) * o.term_hours(p.start)) for o in case.offers for p in case.periods
    ]
    return LinearRule("whole_term_budget", "USD over the whole terms", [{}], [-math.inf], [cap], bought=bought)
