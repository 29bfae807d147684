"""Every rule that is checked, by the family of constraints that it checks again; and the rules stated as weights.

A file here states one rule as weights, in a function of the file's name, which is that of the family. They are found,
not listed.
"""

import pkgutil
from collections.abc import Callable
from importlib import import_module

from planner.plan.audit.linear_rule import LinearRule
from planner.plan.flows import Names
from planner.schema.case import Case

# families of the programme, and the check of `plan.audit` that looks at the same rule in plain arithmetic
CHECKED = {
    "balance": "service.balance",
    "backlog": "service.waiting",
    "deadline": "service.waiting",
    "mix": "service.mix",
    "guaranteed": "service.guaranteed",
    "reserved": "capacity_check.reserved",
    "deployment": "capacity_check.deployment",
    "quota": "capacity_check.quota",
    "egress": "service.caps",
    "cross_region_share": "service.cross_region",
    "budget": "capacity_check.budget",
    "size_low": "capacity_check.sizes",
    "size_top": "capacity_check.sizes",
    "start": "totals.costs",  # starts are priced, not bounded
    "start_runs": "totals.costs",
    "start_limit": "totals.costs",
    "scaled_limit": "capacity_check.scaled_limits",
    "risk": "totals.costs",  # no rule of a plan: it weighs scenarios; its prices are looked at in `bound`
    "keep": "totals.bound",  # no rule of a plan: it weighs changes, and its price is in no total
    "keep_limit": "totals.bound",
    "stress_balance": "stress_check.stress",
    "stress_mix": "stress_check.stress",
    "stress_capacity": "stress_check.stress",
    "stress_quota": "stress_check.stress",
}

# rules stated as weights: each returns the rule of a case, None where the case does not have it
RULES: tuple[Callable[[Case, Names], LinearRule | None], ...] = tuple(
    getattr(import_module(f"{__name__}.{name}"), name)
    for name in sorted(each.name for each in pkgutil.iter_modules(__path__))
)


def rules_of(case: Case, names: Names) -> list[LinearRule]:
    """List the rules of a case that are stated as weights."""
    found = [rule(case, names) for rule in RULES]
    return [rule for rule in found if rule is not None]
