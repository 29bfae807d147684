"""What was found of a plan that is nearly as good as the best: how far it goes, and what is proved of that."""

from dataclasses import dataclass
from enum import StrEnum

from planner.solver.common_master import Aim
from planner.solver.nearly import same
from planner.workbook.text_tables import amount, usd


class Within(StrEnum):
    """Whether a case's cheapest plan is within the share above the best."""

    YES = "within"
    NO = "not within"  # proved: no plan of the case is
    OPEN = "not proved"  # the plan found is not, and none is proved to be
    NONE = "no plan"


@dataclass(frozen=True)
class NearFinding:
    """A finding about one case of `--nearly-as-good`.

    share : how much dearer than the best a plan may be. within : of the case's plan.
    aim : what is least (an `Aim`); "": the case is the cheapest plan with a change. value, bound, best_value : of the
    plan, the least that any plan within the share can have, of the best plan; in the aim's unit.
    """

    share: float
    within: Within
    aim: str = ""
    value: float | None = None
    bound: float | None = None
    best_value: float | None = None

    @property
    def proved(self) -> bool:
        """Whether what was found is proved to be the least."""
        return self.value is not None and self.bound is not None and same(self.value, self.bound)

    def __str__(self) -> str:
        """Say it in one sentence."""
        limit = percent_of(self.share)
        if not self.aim:
            return {
                Within.YES: f"There is such a plan within {limit} of the best.",
                Within.NO: f"No such plan is within {limit} of the best.",
                Within.OPEN: f"The plan found is not within {limit} of the best; that none is, is not proved.",
                Within.NONE: "There is no such plan at any cost.",
            }[self.within]
        aim = Aim[self.aim]
        told = {Aim.SIGNED: "least that can be signed for", Aim.LINES: "fewest order lines possible",
                Aim.CHANGES: "fewest units that must change against the last plan"}[aim]  # fmt: skip
        number, best = self._number(self.value), self._number(self.best_value)
        than = f"the best plan has {best}" if aim is not Aim.SIGNED else f"the best plan signs for {best}"
        if aim is Aim.CHANGES:
            than = f"the best plan changes {best}"
        if self.proved:
            return f"The {told} within {limit} of the best is {number}, which is proved; {than}."
        least = self._number(self.bound)
        return f"The {told} within {limit} of the best is {number} or less, and at least {least}; {than}."

    def _number(self, value: float | None) -> str:
        if value is None:
            return "unknown"
        return usd(value) if self.aim == Aim.SIGNED.name else amount(value)


def percent_of(share: float) -> str:
    """Write a share as it was asked: 1 %, 0.5 %."""
    return f"{100 * share:.6g} %"
