"""Changes of the input with which a folder that has no plan has one."""

from dataclasses import dataclass
from typing import Any

from planner.solver.input_change import DEMAND, InputChange


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
