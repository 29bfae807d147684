"""A case solved by hand for each rule that was added: one file a rule, found by the tests that use it, not listed.

A file NAME.py of the family NAME has

    CASE : a case in which the rule binds, small enough for its arithmetic to be in the file's docstring,
    USD : the cost of its best plan,
    WHOLE_USD : the same with `whole_units` true,
    LP : the family's rows of the case as an LP text (`tests.builders.lp_text`), read and decided by a person.
"""

import pkgutil
from dataclasses import dataclass, replace
from importlib import import_module

from planner.schema.case import Case


@dataclass(frozen=True)
class Solved:
    """A case, its cost and the rows of its rule, all written down by hand."""

    family: str
    case: Case
    usd: float
    whole_usd: float
    lp: str
    objective_usd: float  # what is minimised: the cost, unless risk has a weight

    def whole(self) -> Case:
        """Return the case in whole units."""
        policy = self.case.settings.policy.model_copy(update={"whole_units": True})
        return replace(self.case, settings=self.case.settings.model_copy(update={"policy": policy}))


def solved() -> list[Solved]:
    """Every file of this folder."""
    modules = {each.name: import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)}
    return [
        Solved(name, m.CASE, m.USD, m.WHOLE_USD, m.LP, getattr(m, "OBJECTIVE_USD", m.USD))
        for name, m in sorted(modules.items())
    ]
