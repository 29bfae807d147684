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
    "mix": "service.mix",
    "guaranteed": "service.guaranteed",
    "reserved": "capacity.reserved",
    "deployment": "capacity.deployment",
    "quota": "capacity.quota",
    "egress": "egress.caps",
    "cross_region_share": "egress.cross_region",
    "budget": "capacity.budget",
    "size_low": "capacity.sizes",
    "size_top": "capacity.sizes",
    "keep": "totals.bound",  # no rule of a plan: it weighs changes, and its price is in no total
    "keep_limit": "totals.bound",
    "stress_balance": "stress.stress",
    "stress_mix": "stress.stress",
    "stress_capacity": "stress.stress",
    "stress_quota": "stress.stress",
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
