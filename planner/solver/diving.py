"""A plan in whole units from the live programme of all parts (`solver.all_parts`): rounded, then moved size by size.

Sizes are rounded a few at a time, each time solving anew; where that is far from the optimum for units of any size,
each is then moved to the next size below and above as long as that costs less. Only bounds change, so that each optimum
takes a small part of the time of the first. It says nothing of what is best: that is the bound's business.
"""

import time

import numpy as np

from planner.errors import StoppedError
from planner.model.columns import columns_of, sizes_beside
from planner.model.sets import Floats
from planner.solver.all_parts import AllParts
from planner.solver.highs import Clock

NEAR, ON_GRID = 0.1, 1e-6  # of the way from a size to the next: what is rounded together; what is a size
FAR = 3e-3  # relative to the optimum for units of any size: a plan nearer than that is not moved
PASSES, WORK = 3, 5e7  # over all sizes at most; solves times columns: about a minute
TURN = 0.5  # of the time left
BETTER = 1e-9  # relative: what costs less


class Diving:
    """A search. sizes, values, usd : the best plan; None and inf: there is none. left : solves that it may take."""

    def __init__(self, whole: AllParts) -> None:
        self.whole = whole
        grids = [columns_of(part.program.sets, True) for part in whole.parts]
        self.low = np.concatenate([grid.size_low for grid in grids]).astype(float)
        self.step = np.concatenate([grid.size_step for grid in grids]).astype(float)
        self.top = np.concatenate([part.program.columns.upper[part.sized] for part in whole.parts]).astype(float)
        self.sizes: Floats | None = None
        self.values: list[Floats] = []
        self.usd = np.inf
        self.left = 0

    def search(self) -> None:
        """Find a plan, and make it better."""
        least_usd, self.left = self.whole.usd, int(WORK / max(self.whole.first[-1], 1))
        clock, self.whole.clock = self.whole.clock, self._turn(self.whole.clock)
        try:
            self._dive(np.zeros(len(self.low)), self.top.copy())
            for _ in range(PASSES):
                if self.usd - least_usd <= FAR * abs(self.usd) or not self._moved():
                    return
        except StoppedError:
            return  # what is best so far
        finally:
            self.whole.clock = clock

    @staticmethod
    def _turn(clock: Clock) -> Clock:
        """Return a clock for a part of the time that is left."""
        left = clock.deadline - time.monotonic()
        return Clock.of(TURN * left) if np.isfinite(left) else clock

    def of_parts(self) -> list[Floats]:
        """Return the best sizes by part."""
        ends = np.cumsum([len(part.sized) for part in self.whole.parts])[:-1]
        return [] if self.sizes is None else np.split(self.sizes, ends)

    def _dive(self, least: Floats, most: Floats) -> None:
        """Round what is near a size, of the others the nearest, each to its other side where that leaves no plan."""
        while True:
            size, below, above, far = self._beside()
            off = far > ON_GRID
            if not off.any():
                self._tried(np.where(size - below <= above - size, below, above))
                return
            near = off & (far <= NEAR)
            nearest = np.arange(len(far)) == int(np.argmin(np.where(off, far, np.inf)))
            up = size - below > above - size
            ways = [(near, up), (near, np.ones(len(far), bool)), (nearest, up), (nearest, ~up)]
            bounds = [
                (np.where(moved & rises, above, least), np.where(moved & ~rises, below, most))
                for moved, rises in ways
                if moved.any()
            ]
            found = next((b for b in bounds if self._solved(*b)), None)
            if found is None:
                return
            least, most = found

    def _moved(self) -> bool:
        """Move each size to the next ones where that costs less; whether one moved."""
        before = self.usd
        for at in range(len(self.low)):
            for up in (False, True):
                while self.sizes is not None and self.left > 0:
                    moved = self.sizes.copy()
                    moved[at] = self._next(at, float(moved[at]), up)
                    if moved[at] == self.sizes[at] or not self._tried(moved):
                        break
        return self.usd < before

    def _next(self, at: int, size: float, up: bool) -> float:
        """Return the size above or below one; the same where there is none."""
        low, step = float(self.low[at]), float(self.step[at])
        if size <= 0:
            return max(low, step) if up else size
        if up:
            return size + step
        return max(size - step, 0.0) if size - step >= low * (1 - ON_GRID) and step > 0 else 0.0

    def _beside(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the sized columns, the sizes below and above each, and how far it is from the nearer."""
        size = np.concatenate([own[part.sized] for part, own in zip(self.whole.parts, self.whole.values)])
        below, above = sizes_beside(size, self.low, self.step)
        far = np.minimum(size - below, above - size) / np.where(above > below, above - below, 1.0)
        return size, below, above, far

    def _solved(self, least: Floats, most: Floats) -> bool:
        self.left -= 1
        return bool((least <= most).all()) and self.whole.solved_in(least, most)

    def _tried(self, sizes: Floats) -> bool:
        """Find the best flows for sizes; keep them, and say so, where they cost less."""
        if (sizes > self.top * (1 + ON_GRID)).any() or not self._solved(sizes, sizes):
            return False
        if not self.whole.usd < self.usd - BETTER * abs(self.whole.usd):
            return False
        self.usd, self.values, self.sizes = self.whole.usd, self.whole.values, sizes
        return True
