"""What a person sees on a terminal: a bar while work goes on, long lines broken between words. A pipe has neither."""

import math
import shutil
import sys
import textwrap
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

from planner.io.shown import below

NARROWEST = 40  # columns: a narrower terminal breaks lines itself


def wrapped(text: str, stream: TextIO) -> str:
    """Return a text as it is in a pipe, or broken to the terminal's width, what follows indented by two more."""
    if not stream.isatty():
        return text
    width = max(NARROWEST, shutil.get_terminal_size().columns)
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return textwrap.fill(
        text.strip(), width, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


class Progress:
    """Call it with (done, all); shows a bar on standard error where that is a terminal."""

    def __init__(self, label: str = "solving") -> None:
        self.label = label
        self._bar: Any = None
        self._task: Any = None
        self._parts = (0, 0)

    def __enter__(self) -> "Progress":
        """Open the bar, on a terminal only."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(16),
                TextColumn("{task.fields[count]}"),
                TimeElapsedColumn(),
                console=Console(file=below(sys.stderr)),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.label, total=None, count="reading and setting up")
        return self

    def __call__(self, done: int, total: int) -> None:
        """Move the bar."""
        self._parts = (done, total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, count=_told(done, total))

    def searched(self, usd: float, bound_usd: float) -> None:
        """Tell of the best plan and the bound of a search that is on, where it is the only one that is left."""
        done, total = self._parts
        if self._bar is not None and done == total - 1:
            self._bar.update(self._task, count=searched_in_words(usd, bound_usd, done))

    def named(self, label: str) -> Callable[[int, int], None]:
        """Return the same bar for another part of the work."""

        def show(done: int, total: int) -> None:
            if self._bar is not None:
                self._bar.update(self._task, description=label, completed=done, total=total, count=_told(done, total))

        return show

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def searched_in_words(usd: float, bound_usd: float, done: int) -> str:
    """Say how good the best plan of a search is so far; ``done`` : parts that are finished, whose costs are not in."""
    part = f"last of {done + 1} parts: " if done else ""
    if not math.isfinite(usd):
        return f"{part}no plan yet, none under ${bound_usd:,.0f}"
    gap = max(0.0, usd - bound_usd) / abs(usd) if usd else 0.0
    return f"{part}${usd:,.0f} new, bound ${bound_usd:,.0f}, gap {gap:.2%}"


def _told(done: int, total: int) -> str:
    """Say how far it is: a count where there are parts, words where there is one piece that takes its time."""
    if total <= 1:
        return "done, checking" if done >= total else "one part: the search runs on"
    return f"{done} of {total} parts"
