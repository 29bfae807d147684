"""What a feature hands in to the plan's workbook: a sheet of its own, and sums of it that the sheet Audit re-checks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from planner.workbook.book import Sheet
from planner.workbook.report import Report


@dataclass(frozen=True)
class Recomputed:
    """A total of the plan as a sheet shows it: what it is, where it stands, its formula, its value, what the plan says.

    `formula` has no equals sign; `value` and `plan` are US dollars.
    """

    what: str
    where: str
    formula: str
    value: float
    plan: float


@dataclass(frozen=True)
class ExtraSheet:
    """A sheet that a feature adds to the plan's workbook, or puts in the place of the core's sheet of the same name.

    behind : the sheet that it follows in reading order. fill : writes it, and returns what the audit recomputes.
    """

    name: str
    colour: str
    behind: str
    fill: Callable[[Sheet, Report], Sequence[Recomputed]]
