r"""Where nothing fits: every single change of the input with which there is a plan, and if there is none, every pair.

Asking for less demand is a single change too, but no answer to how the plan can be made to fit: pairs are looked for
where there is nothing else.

Each change is looked at for units of any size first. A limit (a quota, units for sale, a budget, trust, ...) stands in
right-hand sides, so the least change of one limit alone is a linear programme: the elastic one (`solver.elastic`) with
all other limits fixed. So is the least factor of all cells of a column. What scales coefficients (headroom) is found by
halving. What has no size (a route, a region where a workload may be served, a region whose loss is planned for) is
tried. What is not enough here is not enough in whole units: that is proved.

Then each change is rounded to a figure that a person would write, to the side that fits, put into the case and planned,
in whole units where the case has them, and made larger until there is a plan: what is returned is enough. Rounding is
by no more than 0.5 % of the change, or one step of the grid; less is not enough, for plans only become more as a limit
is widened.

Each look has a small share of the time at first, so that what is quick is answered. Then those that ran out of time are
tried again, the most promising first, until the time is over. What is enough for units of any size, and was not settled
for whole ones by then, is told apart.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from planner.errors import StoppedError
from planner.schema.case import Case
from planner.solver import change_dials as dials
from planner.solver.change_dials import Some
from planner.solver.change_looks import Look, Looks, Start, size_of
from planner.solver.highs import Clock
from planner.solver.infeasible import GRAIN
from planner.solver.input_change import DEMAND, apply_changes

AGAIN_SHARE = 0.75  # of the time that is left: what one takes that is looked at again, where others could have more too
ANY_SIZE_SHARE = 0.5  # of the time: what is looked at for units of any size, where units are whole
NEAR_TRIES = 4  # steps up that are tried before all the way is: mostly a little more is enough
PAIRS = "pairs of changes"

Found = TypeVar("Found")


@dataclass
class Changes:
    """Changes that are enough by themselves, each one cell or a pair; the least, unless undecided says "less than".

    impossible : names of single changes that are not enough however large they are, which is proved; pairs of which it
    is so. undecided : names of those for which there was no time, or numbers that HiGHS gave up on. any_size : of
    these, the least changes that are enough for units of any size, where whole ones are asked for.
    """

    found: list[Some] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)
    impossible_pairs: int = 0
    undecided: list[str] = field(default_factory=list)
    any_size: list[Some] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all were decided."""
        return not self.undecided


@dataclass(frozen=True)
class _Open:
    """A look that ran out of time, or a start that did; ``had`` : the seconds in which it did not get any farther."""

    look: Look
    start: Start | None
    had: float


def single_changes(
    case: Case, clock: Clock, progress: Callable[[int, int], None] = lambda done, total: None, late: Clock | None = None
) -> Changes:
    """Find every single change with which a case has a plan; where there is none, every pair of changes.

    ``progress`` is given (changes looked at, all). What the clock leaves no time for is named; the search goes on until
    ``late`` where nothing was found till then. A case that has a plan needs no change: nothing is found.
    """
    try:
        return _Changes(case, clock, progress, late).run()
    except StoppedError:  # before the first change was looked at
        return Changes(undecided=["every change of the input"])


class _Changes(Looks):
    """One search."""

    def __init__(
        self, case: Case, clock: Clock, progress: Callable[[int, int], None], late: Clock | None = None
    ) -> None:
        super().__init__(case, clock)
        self.progress, self.late = progress, late or clock
        self.known: dict[Some, bool] = {}
        self.reached: dict[str, tuple[int, Some]] = {}  # of dials: the fewest steps known to be enough as it is asked
        self.changes = Changes()
        self.alone = True  # single changes, not yet pairs

    def run(self) -> Changes:
        """Look at one change after another, then at pairs."""
        if not self.programmes:
            return self.changes
        columns = self.columns((), self.programmes)
        self._all([*self.limit_looks(), *columns, *self.trials(), *self.dial_looks()])
        if self._none_found():
            self.alone = False
            try:
                self.clock.left()
                self._all(list(self.pair_looks()))
                self.changes.undecided += self.left_out
            except StoppedError:
                self.changes.undecided.append(PAIRS)
        return self.changes

    def _none_found(self) -> bool:
        """Whether nothing but less demand was found to be enough."""
        return all(change.rule == DEMAND for found in self.changes.found for change in found)

    # -- looks -----------------------------------------------------------------------------------
    def _all(self, looks: list[Look]) -> None:
        """Look at all for units of any size, then put each that may be enough into the case, the smallest first."""
        left = self.clock.left()
        hurried = self.whole and math.isfinite(left)
        first = Clock.of(ANY_SIZE_SHARE * left, self.clock.deadline) if hurried else self.clock
        starts: list[tuple[Look, Start]] = []
        still: list[_Open] = []
        for k, look in enumerate(looks):
            self.progress(k, 2 * len(looks))
            start, had = self._decided(look.name, look.begin, self.look_clock, first)
            if start is not None:
                starts.append((look, start))
            elif had is not None:
                still.append(_Open(look, None, had))
        for k, (look, start) in enumerate(sorted(starts, key=lambda pair: size_of(pair[1]))):
            self.progress(2 * len(looks) - len(starts) - len(still) + k, 2 * len(looks))
            had = self._confirmed(start, self.look_clock)
            if had is not None:
                still.append(_Open(look, start, had))
        self._again(still, 2 * len(looks))
        self.progress(2 * len(looks), 2 * len(looks))

    def _again(self, still: list[_Open], total: int) -> None:
        """Try again what ran out of time, the most promising first, until the time is over; name what is left then."""
        while still:
            self.progress(total - len(still), total)
            clock = self.late if self._none_found() else self.clock
            try:
                left = clock.left()
            except StoppedError:
                break
            still.sort(key=_promise)
            more = [one for one in still if one.had < AGAIN_SHARE * left]
            one = more[0] if more else still[0]
            seconds = AGAIN_SHARE * left if len(more) > 1 else left
            still.remove(one)
            self.clock, kept = clock, self.clock
            try:
                left_open = self._tried(one, Clock.of(seconds, clock.deadline))
            finally:
                self.clock = kept
            still += [] if left_open is None else [left_open]
        for one in still:
            enough = None if one.start is None else self.reached.get(one.start.dial.name)
            if enough is None:
                self.changes.undecided.append(one.look.name)
            else:  # a plan is a plan, though less may do
                self.changes.found.append(enough[1])
                self.changes.undecided.append(f"less than {' and '.join(map(str, enough[1]))}")
        if self.whole:
            starts = [one.start for one in still if one.start is not None]
            self.changes.any_size += [start.dial.at(start.steps) for start in sorted(starts, key=size_of)]

    def _tried(self, one: _Open, clock: Clock) -> _Open | None:
        """Look at one again, in whole units too; what of it is still open."""
        start = one.start
        if start is None:
            start, had = self._decided(one.look.name, one.look.begin, lambda _: clock)
            if start is None:
                return None if had is None else _Open(one.look, None, had)
        had = self._confirmed(start, lambda _: clock)
        return None if had is None else _Open(one.look, start, had)

    def _confirmed(self, start: Start, clock: Callable[[Clock], Clock]) -> float | None:
        """Take a start as far as it must go in whole units; the seconds in which it did not get any farther."""
        known = len(self.known)
        found, had = self._decided(start.dial.name, lambda: self._enough(start), clock)
        if found is not None and found not in self.changes.found:
            self.changes.found.append(found)
        return 0.0 if had is not None and len(self.known) > known else had

    def _decided(
        self, name: str, look: Callable[[], Found | None], share: Callable[[Clock], Clock], clock: Clock | None = None
    ) -> tuple[Found | None, float | None]:
        """Take what is found in a share of the time, or the seconds that were not enough; note what is not enough."""
        began = time.monotonic()
        try:
            self.now = share(clock or self.clock)
            self.search.clock = self.now
            found = look()
        except StoppedError:
            return None, time.monotonic() - began
        except ArithmeticError:
            self.changes.undecided.append(name)
            return None, None
        finally:
            self.search.clock = self.clock
        if found is None:
            self.changes.impossible += [name] if self.alone else []
            self.changes.impossible_pairs += not self.alone
        return found, None

    def _has_plan(self, some: Some) -> bool:
        """Whether there is a plan with some changes, by the search that makes plans."""
        if some not in self.known:
            self.now.left()
            self.known[some] = self.search.has_plan(apply_changes(self.case, some))
        return self.known[some]

    def _enough(self, start: Start) -> Some | None:
        """Find the fewest steps with which there is a plan as the case asks for it; None: not even all are enough."""
        dial, low = start.dial, start.steps

        def enough(k: int) -> bool:
            does = self._has_plan(dial.at(k))
            if does and k < dial.most:
                self.reached[dial.name] = min(self.reached.get(dial.name, (k, dial.at(k))), (k, dial.at(k)), key=_steps)
            return does

        if enough(low):
            return dial.at(low)
        if low >= dial.most:
            return None
        high, step, tries = dial.most, max(1, math.floor(GRAIN * low)), 0
        while low + step < high:
            if tries == NEAR_TRIES and not enough(dial.most):
                return None
            tries += 1
            if enough(low + step):
                high = low + step
            else:
                low, step = low + step, 2 * step
        if high == dial.most and not enough(high):
            return None
        return dial.at(dials.halved(enough, low, high))


def _steps(reached: tuple[int, Some]) -> int:
    return reached[0]


def _promise(one: _Open) -> tuple[bool, bool, tuple[bool, bool, float]]:
    """Order what is tried again: what is likely to help, then the smallest of what is enough for units of any size."""
    return not one.look.likely, one.start is None, (False, False, 0.0) if one.start is None else size_of(one.start)
