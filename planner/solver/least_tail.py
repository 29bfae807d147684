"""Where only the dearest scenarios count (a weight on risk of 1): of the plans that cost least in these, the cheapest.

With C the mean cost of the dearest scenarios and E the expected cost, a first search finds the least C. A second one
minimises share · E + (1 − share) · C. Where its plan P has that least C too, then for every plan Q as good

    share · E(P) + (1 − share) · C(P)  ≤  share · E(Q) + (1 − share) · C(Q)    and so    E(P) ≤ E(Q):

P is the cheapest of them, as closely as the second search is proved. Where P has a larger C, the share was too large.
The bound is that of the first search: it is on what is minimised.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from planner.errors import StoppedError
from planner.plan.plan import Plan, PlanRisk, proved_by
from planner.schema.case import Case

SHARES = (1e-2, 1e-4, 1e-6)  # of the expected cost: the larger, the closer it is proved
SAME = 1e-9  # relative: costs of the dearest scenarios that are the same


def cheapest_of_least_tail(case: Case, plan: Plan, find: Callable[[Case], Plan | None]) -> Plan:
    """Return the plan itself, or where only the dearest scenarios count the cheapest that costs as little in these."""
    least = plan.risk
    if case.settings.policy.risk.weight < 1 or least is None:
        return plan
    for share in _shares(plan):
        try:
            found = find(_weighed(case, 1 - share))
        except StoppedError:
            break
        if found is None or found.risk is None:
            continue
        usd = found.risk.cvar_usd
        if usd <= least.cvar_usd + SAME * abs(least.cvar_usd):
            if found.totals.total_usd > plan.totals.total_usd:
                break
            return proved_by(plan, replace(found, input_digest=plan.input_digest, risk=PlanRisk(usd, usd)))
    return plan


def _shares(plan: Plan) -> Sequence[float]:
    return SHARES if plan.risk is not None and plan.risk.cvar_usd > 0 else ()


def _weighed(case: Case, weight: float) -> Case:
    return case.with_policy(risk=case.settings.policy.risk.model_copy(update={"weight": weight}))
