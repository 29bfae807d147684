"""What every command shares: its arguments, and what it can write besides plan.json."""

from __future__ import annotations

import argparse
import datetime as dt
import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import PlannerError
from planner.plan.manifest import NO_PLACE, PAGE, WORKBOOK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from planner.plan.plan import Plan
    from planner.workbook.book import ExtraSheet
    from planner.workbook.report import Report


MOST_DAYS = 3650


def positive(text: str) -> float:
    """Read a number above 0."""
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value


def share(text: str) -> float:
    """Read a share from 0 to below 1."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to below 1, such as 1e-4")
    return value


def count(text: str) -> int:
    """Read a whole number from 1."""
    value = _number(text)
    if value < 1 or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(value)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def folder_name(name: str) -> str:
    """Turn a plan's name into a folder name: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "plan"


def refuse_unusable(directory: Path, tables: Path | None = None) -> None:
    """Refuse an output directory that is a file, before any work is done; and tables that would go into a plan's."""
    if tables is not None and tables.resolve().is_relative_to(directory.resolve()):
        said = f"--export {tables} lies inside {directory}, the plan's own directory: a plan has no other files in it"
        raise PlannerError(f"{said}; give --export a directory of its own")
    for name in sorted(NO_PLACE):
        if tables is not None and (tables / name).exists():
            raise PlannerError(f"--export {tables} holds {name}: give --export a directory of its own")
    for path in (directory, *directory.parents):
        if path.exists():
            if not path.is_dir():
                raise PlannerError(f"cannot write into {directory}: {path} is a file, not a directory")
            return


def days(text: str) -> int:
    """Read a whole number of days from 0, up to ten years."""
    value = _number(text)
    if not 0 <= value <= MOST_DAYS or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of days from 0 to {MOST_DAYS}")
    return int(value)


def day(text: str) -> dt.date:
    """Read a date such as 2027-01-31."""
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2027-01-31") from None


# what comes after the search takes: times what reading took, and at least so many seconds for a row of demand
# (measured on 400,000 and 650,000 rows, on a busy machine)
TIMES_READING, SECONDS_PER_ROW = 36.0, 1.5e-4
WRITING = 2 / 3  # of it, figures and files; the audit takes the rest
MOST = 0.5  # of what is left after reading: the search gets the rest at least
LEAST_SECONDS = 1e-3


@dataclass
class TimeLimit:
    """A limit in seconds (None: none) that began when this object was made.

    after_seconds : what comes after the search will take, roughly: it grows with the same tables as reading does.
    """

    seconds: float | None
    begun: float = field(default_factory=time.monotonic)
    after_seconds: float = 0.0
    reading_from: float = 0.0

    def reading(self) -> None:
        """Begin to read the input: what came before (Python's own start) says nothing of its size."""
        self.reading_from = time.monotonic()

    def reading_done(self, rows: int, plans: int = 1) -> None:
        """Estimate what will come after the search from what reading took, the rows of demand and how many plans."""
        self.after_seconds = plans * max(TIMES_READING * (time.monotonic() - self.reading_from), SECONDS_PER_ROW * rows)

    def for_search(self) -> float | None:
        """Seconds that the search for a plan may take; None: no limit."""
        return self._left(1.0)

    def search_until(self) -> float:
        """When the searches of a command must have ended, in seconds of time.monotonic; inf: no limit."""
        return _until(self.for_search())

    def for_figures(self) -> float | None:
        """Seconds that may be spent on what is not needed for a plan, before it is written; None: no limit."""
        return self._left(WRITING)

    def figures_until(self) -> float:
        """When what is not needed for a plan must have ended, in seconds of time.monotonic; inf: no limit."""
        return _until(self.for_figures())

    @property
    def is_spent(self) -> bool:
        """Whether no more is left than what figures and files take."""
        if self.seconds is None:
            return False
        return self.begun + self.seconds - time.monotonic() <= WRITING * self.after_seconds

    def _left(self, part: float) -> float | None:
        if self.seconds is None:
            return None
        left = self.begun + self.seconds - time.monotonic()
        return max(left - min(part * self.after_seconds, MOST * left), LEAST_SECONDS)


def time_limit(text: str) -> TimeLimit:
    """Read a number of seconds above 0, which begin now."""
    return TimeLimit(positive(text))


def _until(seconds: float | None) -> float:
    return math.inf if seconds is None else time.monotonic() + seconds


def some_of(allowed: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Return an argument type: names joined by commas, each of them allowed, each once."""

    def chosen(text: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if not found or set(found) - set(allowed):
            raise argparse.ArgumentTypeError(f"{text!r} is not one or more of {', '.join(allowed)}, joined by commas")
        return found

    return chosen


def configure_outputs(parser: argparse.ArgumentParser, previous: bool = True) -> None:
    """Declare the options, the same for every command (``previous``: unless another one names the last plan)."""
    parser.add_argument("--no-workbook", action="store_true", help=f"write no {WORKBOOK}")
    if previous:
        parser.add_argument(
            "--previous", type=Path, metavar="DIR", help="directory of the last signed plan: the sheet Changes compares"
        )
    parser.add_argument(
        "--notice-days", type=days, default=30, metavar="N",
        help="days before its end by which to decide on a commitment (default 30)",
    )  # fmt: skip
    parser.add_argument("--html", action="store_true", help=f"also write the summary as one web page, {PAGE}")
    parser.add_argument("--export", type=Path, metavar="DIR", help="also write every table for machines to DIR")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv", help="of the tables (default csv)")
    parser.set_defaults(written=())  # what to tell of if we are stopped (cli)


def previous_of(arguments: argparse.Namespace) -> Plan | None:
    """Read the plan to compare with, before anything long begins.

    Raises
    ------
    InputError, AuditError
        if its files cannot be read, or do not hold.
    """
    if arguments.previous is None:
        return None
    from planner.verify.trusted import trusted

    return trusted(arguments.previous).plan


def write_outputs(
    arguments: argparse.Namespace,
    report: Report,
    directory: Path,
    extra: Sequence[ExtraSheet] = (),
    also: Mapping[str, Callable[[Path], object]] | None = None,
) -> None:
    """Write the plan with all that was asked for into `directory`, as a whole; then tables into that of --export.

    extra : sheets that features hand in to the workbook.
    also : files that features add to the directory, by name, each with what writes it.
    """
    files = dict(also or {})
    if arguments.html:
        from planner.workbook.html import write_html

        files[PAGE] = lambda path: write_html(report, path)
    write_report(
        report, directory, extra, files, workbook=not arguments.no_workbook,
        done=lambda: setattr(arguments, "written", (directory,)),
    )  # fmt: skip
    if arguments.export is not None:
        from planner.workbook.export import write_tables

        write_tables(report, arguments.export, arguments.format)
        arguments.written = (directory, arguments.export)


def write_report(
    report: Report, directory: Path, extra: Sequence[ExtraSheet] = (),
    also: Mapping[str, Callable[[Path], object]] | None = None, *, workbook: bool = True,
    done: Callable[[], None] | None = None,
) -> None:  # fmt: skip
    """Write a plan with its workbook into a directory, as a whole: what `planner solve` writes.

    ``done`` is called once it is in place.
    """
    from planner.plan.files import write_plan
    from planner.plan.metrics import summary_of
    from planner.workbook.told_reports import told_of

    files = dict(also or {})
    if workbook:
        from planner.workbook.plan_workbook import write_workbook

        files[WORKBOOK] = lambda path: write_workbook(report, path, extra)
    write_plan(report.plan, report.case, directory, summary_of(report.metrics), files, done, told_of(report))
