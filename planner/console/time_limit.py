"""The time limit of a whole command: what of it the search may take, so that what comes after still fits."""

import time
from dataclasses import dataclass, field

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

    def reading_done(self, rows: int) -> None:
        """Estimate what will come after the search from what reading took, and from the rows of demand."""
        self.after_seconds = max(TIMES_READING * (time.monotonic() - self.begun), SECONDS_PER_ROW * rows)

    def for_search(self) -> float | None:
        """Seconds that the search for a plan may take; None: no limit."""
        return self._left(1.0)

    def for_figures(self) -> float | None:
        """Seconds that may be spent on what is not needed for a plan, before it is written; None: no limit."""
        return self._left(WRITING)

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
