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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TypeVar

import numpy as np

from planner.errors import Shortfall, StoppedError
from planner.model.sets import Bools
from planner.schema.case import Case
from planner.solver import change_dials as dials
from planner.solver.change_dials import Dial, Some
from planner.solver.elastic import Elastic
from planner.solver.highs import Clock
from planner.solver.infeasible import GRAIN, NUDGES, ChangeSearch, merged, rounded, shortfall_of
from planner.solver.input_change import DEMAND, EVERY, InputChange, apply_changes
from planner.solver.limits import Limit

TIMES = 0.01  # of the factor of all cells of a column
MOST_TIMES = 1000  # the largest factor that is looked for
COLUMNS = (("quota", "on_demand", "tokens_per_minute_quota"), ("units", "offers", "max_units"))
MOST_PAIRS = 400
LOOK_SHARE = 0.2  # of the time that is left: what one change takes at most at first
AGAIN_SHARE = 0.75  # of the time that is left: what one takes that is looked at again, where others could have more too
ANY_SIZE_SHARE = 0.5  # of the time: what is looked at for units of any size, where units are whole
NEAR_TRIES = 4  # steps up that are tried before all the way is: mostly a little more is enough
WAYS = (0.25, 0.5, 0.75, 1.0)  # how far a share is turned where a limit changes with it: the least of these in all
PAIRS = "pairs of changes"

Cell = tuple[str, str, tuple[str, ...]]  # rule, table and key of a limit
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
class _Start:
    """A dial, and the fewest of its steps that do for units of any size."""

    dial: Dial
    steps: int


@dataclass(frozen=True)
class _Look:
    """A change to be looked at: its name, and the search for units of any size (None: never enough)."""

    name: str
    begin: Callable[[], _Start | None]
    likely: bool = False  # helps where nothing smaller does


@dataclass(frozen=True)
class _Open:
    """A look that ran out of time, or a start that did; ``had`` : the seconds in which it did not get any farther."""

    look: _Look
    start: _Start | None
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


class _Changes:
    """One search."""

    def __init__(
        self, case: Case, clock: Clock, progress: Callable[[int, int], None], late: Clock | None = None
    ) -> None:
        self.case, self.clock, self.progress, self.late = case, clock, progress, late or clock
        self.whole = case.settings.policy.whole_units
        self.now = clock  # of the change that is looked at
        self.search = ChangeSearch(case, dials.asked_of(case), clock)
        self.programmes = self._stuck_in(case)
        needs = [e.sets.needs for e in self.programmes]
        self.stuck = {pair for need in needs for pair in zip(need["origin"], need["workload"])}
        self.search = ChangeSearch(case, self.stuck, clock)
        self.known: dict[Some, bool] = {}
        self.reached: dict[str, tuple[int, Some]] = {}  # of dials: the fewest steps known to be enough as it is asked
        self.changes = Changes()
        self.alone = True  # single changes, not yet pairs

    def run(self) -> Changes:
        """Look at one change after another, then at pairs."""
        if not self.programmes:
            return self.changes
        columns = self._columns((), self.programmes)
        self._all([*self._limit_looks(), *columns, *self._trials(), *self._dial_looks()])
        if self._none_found():
            self.alone = False
            try:
                self.clock.left()
                self._all(list(self._pair_looks()))
            except StoppedError:
                self.changes.undecided.append(PAIRS)
        return self.changes

    def _none_found(self) -> bool:
        """Whether nothing but less demand was found to be enough."""
        return all(change.rule == DEMAND for found in self.changes.found for change in found)

    # -- parts without a plan -----------------------------------------------------------------
    def _stuck_in(self, case: Case) -> list[Elastic]:
        """State the parts of a case that have no plan; those with none in whole units alone in whole units."""
        found = []
        for part in self.search.parts(case):
            elastic = Elastic(part, self._look_clock(), sized=False)
            if not self._fits(elastic):
                found.append(elastic)
            elif part.has_size_rules and not self.search.part_has_plan(part, self.clock):
                found.append(Elastic(part, self.clock))
        return found

    def _fits(self, elastic: Elastic) -> bool:
        """Whether a part has a plan for units of any size; one that cannot be told in its time is looked at too."""
        try:
            return elastic.least_of(np.zeros(len(elastic.limits), bool)) is not None
        except (ArithmeticError, StoppedError):
            self.clock.left()
            return False

    def _look_clock(self, clock: Clock | None = None) -> Clock:
        """Return a clock for one change: no more than its share of the time."""
        clock = clock or self.clock
        left = clock.left()
        return Clock.of(LOOK_SHARE * left if math.isfinite(left) else None, clock.deadline)

    # -- looks -----------------------------------------------------------------------------------
    def _all(self, looks: list[_Look]) -> None:
        """Look at all for units of any size, then put each that may be enough into the case, the smallest first."""
        left = self.clock.left()
        hurried = self.whole and math.isfinite(left)
        first = Clock.of(ANY_SIZE_SHARE * left, self.clock.deadline) if hurried else self.clock
        starts: list[tuple[_Look, _Start]] = []
        still: list[_Open] = []
        for k, look in enumerate(looks):
            self.progress(k, 2 * len(looks))
            start, had = self._decided(look.name, look.begin, self._look_clock, first)
            if start is not None:
                starts.append((look, start))
            elif had is not None:
                still.append(_Open(look, None, had))
        for k, (look, start) in enumerate(sorted(starts, key=lambda pair: _size(pair[1]))):
            self.progress(2 * len(looks) - len(starts) - len(still) + k, 2 * len(looks))
            had = self._confirmed(start, self._look_clock)
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
            self.changes.any_size += [start.dial.at(start.steps) for start in sorted(starts, key=_size)]

    def _tried(self, one: _Open, clock: Clock) -> _Open | None:
        """Look at one again, in whole units too; what of it is still open."""
        start = one.start
        if start is None:
            start, had = self._decided(one.look.name, one.look.begin, lambda _: clock)
            if start is None:
                return None if had is None else _Open(one.look, None, had)
        had = self._confirmed(start, lambda _: clock)
        return None if had is None else _Open(one.look, start, had)

    def _confirmed(self, start: _Start, clock: Callable[[Clock], Clock]) -> float | None:
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

    def _any_size(self, some: Some) -> bool:
        """Whether there is a plan for units of any size with some changes."""
        self.now.left()
        return self.search.has_plan(apply_changes(self.case, some), sized=False)

    def _enough(self, start: _Start) -> Some | None:
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

    # -- limits ---------------------------------------------------------------------------
    def _limit_looks(self) -> Iterator[_Look]:
        for cell, limit in _cells(self.programmes).items():
            name = dials.what_limits(limit)
            yield _Look(name, lambda c=cell, n=name: self._alone(c, n))  # type: ignore[misc]

    def _alone(self, cell: Cell, name: str) -> _Start | None:
        """Find the least change of one cell; of demand, which stands in other bounds too, by halving where need be."""
        try:
            return self._limits(name, [cell], (), self.programmes)
        except ArithmeticError:
            if cell[0] != DEMAND:
                raise
            row = tuple(zip(("region", "workload"), cell[2]))
            change = InputChange(DEMAND, DEMAND, row, "requests_per_hour", "share", 1.0, 0.0)
            return self._turned(dials.share_dial(change))

    def _limits(self, name: str, cells: Sequence[Cell], others: Some, programmes: Sequence[Elastic]) -> _Start | None:
        """Find the least change of some cells together, beside other changes, for units of any size."""
        found: list[tuple[Limit, Shortfall]] = []
        for elastic in programmes:
            elastic.keep_to(self.now)
            changes = elastic.least_of(_mask(elastic, cells))
            if changes is None:
                return None
            found += [(change.limit, shortfall_of(self.case, elastic.sets, change)) for change in changes]
        if not found:
            return None
        cap = max(min(limit.most, max(limit.full, s.amount)) / s.amount for limit, s in found)
        steps = {o.offer: (o.min_units, o.unit_step) for o in self.case.offers} if self.whole else {}

        def at(k: int) -> Some:
            grown = NUDGES[-1] * k if k < 2 else GRAIN * (k - 1)
            cells = merged([dials.on_grid(rounded(s, grown, exact=False), s, grown, steps) for _, s in found])
            return (*others, *map(InputChange.of, cells))

        return _Start(Dial(name, at, max(1, math.ceil((cap - 1) / GRAIN) + 1)), 0)

    # -- what is found by halving ------------------------------------------------------------
    def _dial_looks(self) -> Iterator[_Look]:
        for dial in dials.dials_of(self.case, self.stuck):
            yield _Look(dial.name, lambda dial=dial: self._turned(dial))  # type: ignore[misc]

    def _turned(self, dial: Dial) -> _Start | None:
        """Turn a dial no farther than it must be for units of any size; None: not even all the way is enough."""

        def enough(k: int) -> bool:
            return self._any_size(dial.at(k))

        if not enough(dial.most):
            return None
        return _Start(dial, dials.halved(enough, 0, dial.most))

    def _columns(self, made: Some, programmes: Sequence[Elastic]) -> Iterator[_Look]:
        """All quotas, or all limits of what offers sell, times a factor; where there are several."""
        for rule, table, column in COLUMNS:
            if sum(bool(getattr(row, column)) for row in self.case.rows(table)) < 2:
                continue
            change = InputChange(EVERY, table, (), column, "", 1.0, 1.0)
            name = " and ".join([*map(str, made), change.what])

            def at(k: int, change: InputChange = change) -> Some:
                return (*made, replace(change, needs=round(1 + TIMES * k, 9)))

            dial = Dial(name, at, round((MOST_TIMES - 1) / TIMES))
            times = lambda r=rule, d=dial: self._times(r, d, programmes)  # noqa: E731
            yield _Look(name, times, rule == "quota")

    def _times(self, rule: str, dial: Dial, programmes: Sequence[Elastic]) -> _Start | None:
        """Find the least factor of all limits of a kind, for units of any size."""
        steps = 1
        for elastic in programmes:
            elastic.keep_to(self.now)
            changes = elastic.least_of(elastic.rules == rule, in_proportion=True)
            if changes is None:
                return None
            more = max((change.amount / change.limit.has for change in changes), default=0.0)
            steps = max(steps, math.ceil(more / TIMES - 1e-6))
        return _Start(dial, steps) if steps <= dial.most else None

    # -- what is tried -------------------------------------------------------------------------
    def _trials(self) -> Iterator[_Look]:
        for change in dials.structural(self.case, self.stuck):
            yield self._trial(change)

    def _trial(self, *changes: InputChange) -> _Look:
        dial = Dial(" and ".join(map(str, changes)), lambda _: changes, 1)
        return _Look(dial.name, lambda: _Start(dial, 1) if self._any_size(changes) else None)

    # -- pairs -----------------------------------------------------------------------------------
    def _pair_looks(self) -> Iterator[_Look]:
        """List pairs: of limits, of a limit or share with what is tried, of a limit with a share, of two tried."""
        tries, turned = dials.structural(self.case, self.stuck), dials.dials_of(self.case, self.stuck)
        yield from self._limit_pairs(_limits_alone(self.programmes))
        for change in tries:
            yield from self._beside((change,), turned)
        for dial in turned:
            yield from self._with_limits(dial)
        for first, second in combinations(tries, 2):
            if first.rule != "failover" and second.rule != "failover":  # with it off no loss is planned for
                yield self._trial(first, second)

    def _limit_pairs(self, cells: dict[Cell, Limit]) -> Iterator[_Look]:
        if not self._possible(self.programmes, cells):
            return
        needed = {c for c in cells if not self._possible(self.programmes, [other for other in cells if other != c])}
        pairs = [pair for pair in combinations(cells, 2) if needed <= {*pair}]
        if len(pairs) > MOST_PAIRS:
            self.changes.undecided.append(f"{len(pairs) - MOST_PAIRS:,} pairs of limits")
        for pair in pairs[:MOST_PAIRS]:
            name = " and ".join(dials.what_limits(cells[cell]) for cell in pair)
            yield _Look(name, lambda p=pair, n=name: self._limits(n, p, (), self.programmes))  # type: ignore[misc]

    def _beside(self, made: Some, turned: Sequence[Dial]) -> Iterator[_Look]:
        """List limits and shares beside a change that is made."""
        stuck = self._stuck_in(apply_changes(self.case, made))
        for cell, limit in _limits_alone(stuck).items():
            name = " and ".join([*map(str, made), dials.what_limits(limit)])
            yield _Look(name, lambda c=cell, n=name: self._limits(n, [c], made, stuck))  # type: ignore[misc]
        yield from self._columns(made, stuck)
        for dial in turned:
            both = Dial(" and ".join([*map(str, made), dial.name]), lambda k, d=dial: (*made, *d.at(k)), dial.most)  # type: ignore[misc]
            yield _Look(both.name, lambda d=both: self._turned(d))  # type: ignore[misc]

    def _with_limits(self, dial: Dial) -> Iterator[_Look]:
        """List limits beside a share: those that are enough where it is turned all the way."""
        stuck = self._stuck_in(apply_changes(self.case, dial.at(dial.most)))
        cells = _limits_alone(stuck)
        if not self._possible(stuck, cells):
            return
        for cell, limit in cells.items():
            name = f"{dial.name} and {dials.what_limits(limit)}"
            yield _Look(name, lambda c=cell, n=name: self._least_in_all(n, dial, c, stuck))  # type: ignore[misc]

    def _least_in_all(self, name: str, dial: Dial, cell: Cell, stuck: Sequence[Elastic]) -> _Start | None:
        """Turn a share some of the way, and change a limit by what it takes then: the least of both together."""
        best = self._limits(name, [cell], dial.at(dial.most), stuck)
        if best is None:
            return None
        for way in WAYS[:-1]:
            made = dial.at(max(1, round(way * dial.most)))
            less = self._limits(name, [cell], made, self._stuck_in(apply_changes(self.case, made)))
            best = best if less is None else min(best, less, key=_size)
        return best

    def _possible(self, programmes: Sequence[Elastic], cells: Sequence[Cell] | dict[Cell, Limit]) -> bool:
        """Whether some change of the cells together may be enough."""
        for elastic in programmes:
            elastic.keep_to(self.clock)
        try:
            return all(e.least_of(_mask(e, cells)) is not None for e in programmes)
        except ArithmeticError:
            return True


def _size(start: _Start) -> tuple[bool, bool, float]:
    """Order starts: those that ask for less demand last, then what has no size, then by how large they are."""
    changes = start.dial.at(start.steps)
    shares = [change.share for change in changes]
    sized = [share for share in shares if share is not None]
    return any(c.rule == DEMAND for c in changes), len(sized) < len(shares), sum(sized)


def _steps(reached: tuple[int, Some]) -> int:
    return reached[0]


def _promise(one: _Open) -> tuple[bool, bool, tuple[bool, bool, float]]:
    """Order what is tried again: what is likely to help, then the smallest of what is enough for units of any size."""
    return not one.look.likely, one.start is None, (False, False, 0.0) if one.start is None else _size(one.start)


def _cell(limit: Limit) -> Cell | None:
    return None if limit.cell is None else (limit.rule, limit.cell.table, limit.key)


def _cells(programmes: Sequence[Elastic]) -> dict[Cell, Limit]:
    """List cells of the input that limit some of the programmes, once each."""
    return {cell: limit for e in programmes for limit in e.limits if (cell := _cell(limit)) is not None}


def _limits_alone(programmes: Sequence[Elastic]) -> dict[Cell, Limit]:
    """List the cells but demand."""
    return {cell: limit for cell, limit in _cells(programmes).items() if cell[0] != DEMAND}


def _mask(elastic: Elastic, cells: Sequence[Cell] | dict[Cell, Limit]) -> Bools:
    return np.array([_cell(limit) in cells for limit in elastic.limits], bool)
