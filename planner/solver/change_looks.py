"""Changes of the input to be looked at where nothing fits, each with its search for units of any size.

The least change of one limit, or the least factor of a column of them, is a linear programme; a share is turned by
halving; what has no size is tried (`single_changes` says why, and takes them on to whole units).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

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
WAYS = (0.25, 0.5, 0.75, 1.0)  # how far a share is turned where a limit changes with it: the least of these in all

Cell = tuple[str, str, tuple[str, ...]]  # rule, table and key of a limit


@dataclass(frozen=True)
class Start:
    """A dial, and the fewest of its steps that do for units of any size."""

    dial: Dial
    steps: int


@dataclass(frozen=True)
class Look:
    """A change to be looked at: its name, and the search for units of any size (None: never enough)."""

    name: str
    begin: Callable[[], Start | None]
    likely: bool = False  # helps where nothing smaller does


class Looks:
    """Lists what can be looked at in a case without a plan.

    clock : of all; now : of the change that is looked at. stuck : origins and workloads that cannot be served.
    left_out : pairs that are too many to be listed, in words.
    """

    def __init__(self, case: Case, clock: Clock) -> None:
        self.case, self.clock = case, clock
        self.whole = case.settings.policy.whole_units
        self.now = clock
        self.search = ChangeSearch(case, dials.asked_of(case), clock)
        self.programmes = self._stuck_in(case)
        needs = [e.sets.needs for e in self.programmes]
        self.stuck = {pair for need in needs for pair in zip(need["origin"], need["workload"])}
        self.search = ChangeSearch(case, self.stuck, clock)
        self.left_out: list[str] = []

    # -- parts without a plan -----------------------------------------------------------------
    def _stuck_in(self, case: Case) -> list[Elastic]:
        """State the parts of a case that have no plan; those with none in whole units alone in whole units."""
        found = []
        for part in self.search.parts(case):
            elastic = Elastic(part, self.look_clock(), sized=False)
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

    def look_clock(self, clock: Clock | None = None) -> Clock:
        """Return a clock for one change: no more than its share of the time."""
        clock = clock or self.clock
        left = clock.left()
        return Clock.of(LOOK_SHARE * left if math.isfinite(left) else None, clock.deadline)

    def any_size(self, some: Some) -> bool:
        """Whether there is a plan for units of any size with some changes."""
        self.now.left()
        return self.search.has_plan(apply_changes(self.case, some), sized=False)

    # -- limits ---------------------------------------------------------------------------
    def limit_looks(self) -> Iterator[Look]:
        """List the cells that limit what has no plan, one by one."""
        for cell, limit in _cells(self.programmes).items():
            name = dials.what_limits(limit)
            yield Look(name, lambda c=cell, n=name: self._alone(c, n))  # type: ignore[misc]

    def _alone(self, cell: Cell, name: str) -> Start | None:
        """Find the least change of one cell; of demand, which stands in other bounds too, by halving where need be."""
        try:
            return self._limits(name, [cell], (), self.programmes)
        except ArithmeticError:
            if cell[0] != DEMAND:
                raise
            row = tuple(zip(("region", "workload"), cell[2]))
            change = InputChange(DEMAND, DEMAND, row, "requests_per_hour", "share", 1.0, 0.0)
            return self._turned(dials.share_dial(change))

    def _limits(self, name: str, cells: Sequence[Cell], others: Some, programmes: Sequence[Elastic]) -> Start | None:
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
        cap = max(min(limit.most, max(limit.full, limit.ample, s.amount)) / s.amount for limit, s in found)
        steps = {o.offer: (o.min_units, o.unit_step) for o in self.case.offers} if self.whole else {}

        def at(k: int) -> Some:
            grown = NUDGES[-1] * k if k < 2 else GRAIN * (k - 1)
            cells = merged([dials.on_grid(rounded(s, grown, exact=False), s, grown, steps) for _, s in found])
            return (*others, *map(InputChange.of, cells))

        return Start(Dial(name, at, max(1, math.ceil((cap - 1) / GRAIN) + 1)), 0)

    # -- what is found by halving ------------------------------------------------------------
    def dial_looks(self) -> Iterator[Look]:
        """List shares that are turned by halving."""
        for dial in dials.dials_of(self.case, self.stuck):
            yield Look(dial.name, lambda dial=dial: self._turned(dial))  # type: ignore[misc]

    def _turned(self, dial: Dial) -> Start | None:
        """Turn a dial no farther than it must be for units of any size; None: not even all the way is enough."""

        def enough(k: int) -> bool:
            return self.any_size(dial.at(k))

        if not enough(dial.most):
            return None
        return Start(dial, dials.halved(enough, 0, dial.most))

    def columns(self, made: Some, programmes: Sequence[Elastic]) -> Iterator[Look]:
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
            yield Look(name, times, rule == "quota")

    def _times(self, rule: str, dial: Dial, programmes: Sequence[Elastic]) -> Start | None:
        """Find the least factor of all limits of a kind, for units of any size."""
        steps = 1
        for elastic in programmes:
            elastic.keep_to(self.now)
            changes = elastic.least_of(elastic.rules == rule, in_proportion=True)
            if changes is None:
                return None
            more = max((change.amount / change.limit.has for change in changes), default=0.0)
            steps = max(steps, math.ceil(more / TIMES - 1e-6))
        return Start(dial, steps) if steps <= dial.most else None

    # -- what is tried -------------------------------------------------------------------------
    def trials(self) -> Iterator[Look]:
        """List what has no size."""
        for change in dials.structural(self.case, self.stuck):
            yield self._trial(change)

    def _trial(self, *changes: InputChange) -> Look:
        dial = Dial(" and ".join(map(str, changes)), lambda _: changes, 1)
        return Look(dial.name, lambda: Start(dial, 1) if self.any_size(changes) else None)

    # -- pairs -----------------------------------------------------------------------------------
    def pair_looks(self) -> Iterator[Look]:
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

    def _limit_pairs(self, cells: dict[Cell, Limit]) -> Iterator[Look]:
        if not self._possible(self.programmes, cells):
            return
        needed = {c for c in cells if not self._possible(self.programmes, [other for other in cells if other != c])}
        pairs = [pair for pair in combinations(cells, 2) if needed <= {*pair}]
        if len(pairs) > MOST_PAIRS:
            self.left_out.append(f"{len(pairs) - MOST_PAIRS:,} pairs of limits")
        for pair in pairs[:MOST_PAIRS]:
            name = " and ".join(dials.what_limits(cells[cell]) for cell in pair)
            yield Look(name, lambda p=pair, n=name: self._limits(n, p, (), self.programmes))  # type: ignore[misc]

    def _beside(self, made: Some, turned: Sequence[Dial]) -> Iterator[Look]:
        """List limits and shares beside a change that is made."""
        stuck = self._stuck_in(apply_changes(self.case, made))
        for cell, limit in _limits_alone(stuck).items():
            name = " and ".join([*map(str, made), dials.what_limits(limit)])
            yield Look(name, lambda c=cell, n=name: self._limits(n, [c], made, stuck))  # type: ignore[misc]
        yield from self.columns(made, stuck)
        for dial in turned:
            both = Dial(" and ".join([*map(str, made), dial.name]), lambda k, d=dial: (*made, *d.at(k)), dial.most)  # type: ignore[misc]
            yield Look(both.name, lambda d=both: self._turned(d))  # type: ignore[misc]

    def _with_limits(self, dial: Dial) -> Iterator[Look]:
        """List limits beside a share: those that are enough where it is turned all the way."""
        stuck = self._stuck_in(apply_changes(self.case, dial.at(dial.most)))
        cells = _limits_alone(stuck)
        if not self._possible(stuck, cells):
            return
        for cell, limit in cells.items():
            name = f"{dial.name} and {dials.what_limits(limit)}"
            yield Look(name, lambda c=cell, n=name: self._least_in_all(n, dial, c, stuck))  # type: ignore[misc]

    def _least_in_all(self, name: str, dial: Dial, cell: Cell, stuck: Sequence[Elastic]) -> Start | None:
        """Turn a share some of the way, and change a limit by what it takes then: the least of both together."""
        best = self._limits(name, [cell], dial.at(dial.most), stuck)
        if best is None:
            return None
        for way in WAYS[:-1]:
            made = dial.at(max(1, round(way * dial.most)))
            less = self._limits(name, [cell], made, self._stuck_in(apply_changes(self.case, made)))
            best = best if less is None else min(best, less, key=size_of)
        return best

    def _possible(self, programmes: Sequence[Elastic], cells: Sequence[Cell] | dict[Cell, Limit]) -> bool:
        """Whether some change of the cells together may be enough."""
        for elastic in programmes:
            elastic.keep_to(self.clock)
        try:
            return all(e.least_of(_mask(e, cells)) is not None for e in programmes)
        except ArithmeticError:
            return True


def size_of(start: Start) -> tuple[bool, bool, float]:
    """Order starts: those that ask for less demand last, then what has no size, then by how large they are."""
    changes = start.dial.at(start.steps)
    shares = [change.share for change in changes]
    sized = [share for share in shares if share is not None]
    return any(c.rule == DEMAND for c in changes), len(sized) < len(shares), sum(sized)


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
