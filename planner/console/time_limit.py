"""The time limit of a whole command: what of it the search may take, so that what comes after still fits."""

import time
from dataclasses import dataclass, field

# times what reading the input took: the audit, then figures and files (measured on 400,000 and 650,000 rows of demand)
AUDIT, WRITING = 12.0, 24.0
MOST = 0.5  # of what is left after reading: the search gets the rest at least
LEAST_SECONDS = 1e-3


@dataclass
class TimeLimit:
    """A limit in seconds (None: none) that began when this object was made.

    read_seconds : what reading the input took, on this machine as busy as it is; what comes after the search grows with
        the same tables.
    """

    seconds: float | None
    begun: float = field(default_factory=time.monotonic)
    read_seconds: float = 0.0

    def reading_done(self) -> None:
        """Take the time since the beginning for what reading took."""
        self.read_seconds = time.monotonic() - self.begun

    def for_search(self) -> float | None:
        """Seconds that the search for a plan may take; None: no limit."""
        return self._left(AUDIT + WRITING)

    def for_figures(self) -> float | None:
        """Seconds that may be spent on what is not needed for a plan, before it is written; None: no limit."""
        return self._left(WRITING)

    @property
    def is_spent(self) -> bool:
        """Whether no more is left than what figures and files take."""
        if self.seconds is None:
            return False
        return self.begun + self.seconds - time.monotonic() <= WRITING * self.read_seconds

    def _left(self, times: float) -> float | None:
        if self.seconds is None:
            return None
        left = self.begun + self.seconds - time.monotonic()
        return max(left - min(times * self.read_seconds, MOST * left), LEAST_SECONDS)
