"""A bar on a terminal, silence in a pipe."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any


class Progress:
    """Call it with (done, all); shows a bar on standard error where that is a terminal."""

    def __init__(self, label: str = "solving") -> None:
        self.label = label
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "Progress":
        """Open the bar, on a terminal only."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.label, total=None)
        return self

    def __call__(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def named(self, label: str) -> Callable[[int, int], None]:
        """Return the same bar for another part of the work."""

        def show(done: int, total: int) -> None:
            if self._bar is not None:
                self._bar.update(self._task, description=label, completed=done, total=total)

        return show

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
