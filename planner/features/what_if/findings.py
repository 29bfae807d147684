"""What a study finds beside its cases, as data: single changes that make a folder fit, and plans nearly as good."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from planner.solver.common_master import Aim
from planner.solver.input_change import DEMAND, InputChange
from planner.solver.nearly import same
from planner.workbook.text_tables import amount, usd


@dataclass(frozen=True)
class Fit:
    """Changes of the input that are enough together: one, or two where no single one is."""

    changes: tuple[InputChange, ...]

    @property
    def share(self) -> float | None:
        """Size of the change, as a share of what the cells say; None where one of them has no size."""
        shares = [change.share for change in self.changes]
        return None if any(share is None for share in shares) else sum(share for share in shares if share is not None)

    @property
    def asks_less(self) -> bool:
        """Whether less demand is served: no change of the plan's limits, and so never called the smallest."""
        return any(change.rule == DEMAND for change in self.changes)

    def __str__(self) -> str:
        return " and ".join(map(str, self.changes))


@dataclass(frozen=True)
class NotEnough:
    """Names of single changes that are proved not to be enough, however large; and how many pairs are.

    any_size : the least changes that are enough for units of any size, and were not settled for whole ones in the time.
    unplanned : changes that are enough, for whose cheapest plan there was no time.
    """

    single: tuple[str, ...] = ()
    pairs: int = 0
    any_size: tuple[Fit, ...] = ()
    unplanned: tuple[Fit, ...] = ()


def fit_of(document: dict[str, Any] | None) -> Fit | None:
    """Read it back from JSON."""
    if document is None:
        return None
    changes = [{**c, "row": tuple((str(k), str(v)) for k, v in c["row"])} for c in document["changes"]]
    return Fit(tuple(InputChange(**change) for change in changes))


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
