r"""Where nothing fits: every single change of the input with which there is a plan, and if there is none, every pair.

Asking for less demand is a single change too, but no answer to how the plan can be made to fit: pairs are looked for
where there is nothing else.

A limit (a quota, units for sale, a budget, trust, ...) stands in right-hand sides, so the least change of one limit
alone is a linear programme: the elastic one (`solver.elastic`) with all other limits fixed. A share that scales
coefficients (headroom) is found by halving, on the grid on which it is printed. What has no size (a route, a region
where a workload may be served, a region whose loss is planned for) is tried.

Each change is rounded to a figure that a person would write, to the side that fits, put into the case and planned:
what is returned is enough. Rounding is by no more than 0.5 % of the change, or one step of the grid; less than that is
not enough, for plans only become more as a limit is widened.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from planner.errors import StoppedError
from planner.model.family import SETTINGS
from planner.model.sets import Bools
from planner.schema.case import Case
from planner.schema.workloads import Workload
from planner.solver.elastic import Elastic
from planner.solver.highs import Clock
from planner.solver.infeasible import LONGEST_HOURS, ChangeSearch
from planner.solver.input_change import DEMAND, EVERY, ROUTE, InputChange, Value, apply_changes
from planner.solver.limits import Limit

STEP = 1e-3  # of shares that are found by halving
TIMES = 0.01  # of the factor of all cells of a column
MOST_TIMES = 1000  # the largest factor that is tried
MOST_PAIRS = 400
LOOK_SECONDS, LOOK_SHARE = 20.0, 0.1  # one change takes so long at most, and such a share of the time that is left

Cell = tuple[str, str, tuple[str, ...]]  # rule, table and key of a limit


@dataclass
class Changes:
    """Changes that are enough by themselves, each one cell or a pair; complete: whether all were looked at."""

    found: list[tuple[InputChange, ...]] = field(default_factory=list)
    complete: bool = True


@dataclass(frozen=True)
class _Dial:
    """A cell that is turned step by step from what it says; ``at(k)`` : the change of k steps, up to ``most``."""

    at: Callable[[int], InputChange]
    most: int


def single_changes(
    case: Case, clock: Clock, progress: Callable[[int, int], None] = lambda done, total: None
) -> Changes:
    """Find every single change with which a case has a plan; where there is none, every pair of changes.

    ``progress`` is given (changes looked at, all). What the clock leaves no time for is missing, and the answer says
    that it is not complete. A case that has a plan needs no change: nothing is found.
    """
    try:
        return _Changes(case, clock, progress).run()
    except StoppedError:  # before the first change was looked at
        return Changes(complete=False)


class _Changes:
    """One search."""

    def __init__(self, case: Case, clock: Clock, progress: Callable[[int, int], None]) -> None:
        self.case, self.clock, self.progress = case, clock, progress
        self.now = clock  # of the change that is looked at
        everything = ChangeSearch(case, _pairs(case), clock)
        stuck = [e for e in everything.programmes if not self._fits(e)]
        needs = [e.sets.needs for e in stuck]
        self.stuck = {pair for need in needs for pair in zip(need["origin"], need["workload"])}
        self.search = ChangeSearch(case, self.stuck, clock) if stuck else everything
        self.programmes = [e for e in self.search.programmes if not self._fits(e)] if stuck else []
        self.changes = Changes()

    def _fits(self, elastic: Elastic) -> bool:
        """Whether a part can be planned as it is; one that cannot be told in its share of the time is looked at too."""
        elastic.clock = self._look_clock()
        try:
            return elastic.least_of(np.zeros(len(elastic.limits), bool)) is not None
        except StoppedError:
            self.clock.left()
            return False

    def _look_clock(self) -> Clock:
        """Return a clock for one change: no more than its share of the time."""
        return Clock.of(min(LOOK_SECONDS, LOOK_SHARE * self.clock.left()), self.clock.deadline)

    def run(self) -> Changes:
        """Look at one change after another, then at pairs."""
        if not self.programmes:
            return self.changes
        looks = [*self._limit_looks(), *self._dial_looks(), *self._trials()]
        try:
            for k, look in enumerate(looks):
                self.progress(k, len(looks))
                self._look(look)
            if all(change.rule == DEMAND for found in self.changes.found for change in found):
                self._pairs()
            self.progress(len(looks), len(looks))
        except StoppedError:
            self.changes.complete = False
        return self.changes

    def _look(self, look: Callable[[], tuple[InputChange, ...] | None]) -> None:
        """Take what is found in a share of the time; what needs more, or what the solver gives up on, is left out."""
        self.now = self._look_clock()
        self.search.clock = self.now
        try:
            found = look()
        except (ArithmeticError, StoppedError):
            self.clock.left()
            self.changes.complete = False
            return
        finally:
            self.search.clock = self.clock
        if found and found not in self.changes.found:
            self.changes.found.append(found)

    # -- limits ---------------------------------------------------------------------------
    def _cells(self, programmes: Sequence[Elastic]) -> list[Cell]:
        """Cells of the input that limit some of the programmes, once each."""
        return list(dict.fromkeys(cell for e in programmes for limit in e.limits if (cell := _cell(limit)) is not None))

    def _limits_alone(self, programmes: Sequence[Elastic]) -> list[Cell]:
        """List the cells but demand."""
        return [cell for cell in self._cells(programmes) if cell[0] != DEMAND]

    def _limit_looks(self) -> Iterator[Callable[[], tuple[InputChange, ...] | None]]:
        for cell in self._cells(self.programmes):
            yield lambda cell=cell: self._alone(cell)  # type: ignore[misc]

    def _alone(self, cell: Cell) -> tuple[InputChange, ...] | None:
        """Find the least change of one cell; of demand, which stands in other bounds too, by halving where need be."""
        try:
            return self._limits([cell])
        except ArithmeticError:
            if cell[0] != DEMAND:
                raise
            row = tuple(zip(("region", "workload"), cell[2]))
            return self._turned(_share(InputChange(DEMAND, DEMAND, row, "requests_per_hour", "share", 1.0, 0.0)))

    def _limits(
        self, cells: Sequence[Cell], case: Case | None = None, programmes: Sequence[Elastic] | None = None
    ) -> tuple[InputChange, ...] | None:
        """Find the least change of some cells together with which there is a plan; None: no such change is enough."""
        case = self.case if case is None else case
        programmes = self.programmes if programmes is None else programmes
        found = []
        for elastic in programmes:
            elastic.clock = self.now
            changes = elastic.least_of(_mask(elastic, cells))
            if changes is None:
                return None
            found += [(elastic, change) for change in changes]
        if not found:
            return None
        return tuple(InputChange.of(s) for s in self.search.checked(case, programmes, found))

    # -- what is found by halving ------------------------------------------------------------
    def _dial_looks(self) -> Iterator[Callable[[], tuple[InputChange, ...] | None]]:
        for dial in self._dials():
            yield lambda dial=dial: self._turned(dial)  # type: ignore[misc]

    def _turned(self, dial: _Dial) -> tuple[InputChange, ...] | None:
        """Turn a dial no farther than it must be; None: not even all the way is enough."""

        def enough(k: int) -> bool:
            self.now.left()
            return self.search.has_plan(apply_changes(self.case, [dial.at(k)]))

        if dial.most < 1 or not enough(dial.most):
            return None
        low, high = 0, dial.most
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        return (dial.at(high),)

    def _dials(self) -> Iterator[_Dial]:
        policy, failover = self.case.settings.policy, self.case.settings.policy.failover
        names = {workload for _, workload in self.stuck}
        workloads = [w for w in self.case.workloads if w.workload in names]
        if any(w.headroom is None for w in workloads):
            yield _share(InputChange("headroom", SETTINGS, (), "policy.headroom", "share", policy.headroom, 0.0))
        if policy.reserved_headroom:
            spare = policy.reserved_headroom
            yield _share(InputChange("headroom", SETTINGS, (), "policy.reserved_headroom", "share", spare, 0.0))
        if failover.enabled and failover.headroom:
            spare = failover.headroom
            yield _share(InputChange("headroom", SETTINGS, (), "policy.failover.headroom", "share", spare, 0.0))
        if failover.enabled and failover.on_demand_trust == 0:
            yield _share(InputChange("trust", SETTINGS, (), "policy.failover.on_demand_trust", "share", 0.0, 1.0))
        for w in workloads:
            row = (("workload", w.workload),)
            if not w.can_wait and (len(workloads) > 1 or w.headroom is not None):
                yield _share(InputChange("headroom", "workloads", row, "headroom", "share", self.case.headroom(w), 0.0))
            if w.reserved_headroom:
                spare = w.reserved_headroom
                yield _share(InputChange("headroom", "workloads", row, "reserved_headroom", "share", spare, 0.0))
            if w.can_wait:
                yield self._deadline(w)
        yield from self._columns()

    def _deadline(self, w: Workload) -> _Dial:
        def at(k: int) -> InputChange:
            hours = w.deadline_hours
            row = (("workload", w.workload),)
            return InputChange("deadline", "workloads", row, "deadline_hours", "hours", hours, hours + k)

        return _Dial(at, LONGEST_HOURS - w.deadline_hours)

    def _columns(self) -> Iterator[_Dial]:
        """All quotas, or all limits of what offers sell, times a factor; where there are several."""
        for table, column in (("on_demand", "tokens_per_minute_quota"), ("offers", "max_units")):
            if sum(bool(getattr(row, column)) for row in self.case.rows(table)) < 2:
                continue

            def at(k: int, table: str = table, column: str = column) -> InputChange:
                return InputChange(EVERY, table, (), column, "", 1.0, round(1 + TIMES * k, 9))

            yield _Dial(at, round((MOST_TIMES - 1) / TIMES))

    # -- what is tried -------------------------------------------------------------------------
    def _trials(self) -> Iterator[Callable[[], tuple[InputChange, ...] | None]]:
        for change in self._structural():
            yield lambda change=change: self._tried([change])  # type: ignore[misc]

    def _tried(self, changes: Sequence[InputChange]) -> tuple[InputChange, ...] | None:
        self.now.left()
        return tuple(changes) if self.search.has_plan(apply_changes(self.case, changes)) else None

    def _structural(self) -> list[InputChange]:
        """Routes and regions where a workload might be served, and regions whose loss need not be planned for."""
        supplied = {(o.region, o.model) for o in self.case.on_demand}
        home = {pool.pool: pool.region for pool in self.case.pools}
        supplied |= {(home[t.pool], t.model) for t in self.case.throughput}
        routes = {(r.origin, r.destination) for r in self.case.routes}
        found: dict[InputChange, None] = {}
        for origin, name in sorted(self.stuck):
            w = next(w for w in self.case.workloads if w.workload == name)
            models = {m.model for m in self.case.mix if m.workload == name}
            for region in sorted(r.region for r in self.case.regions):
                if not any((region, model) in supplied for model in models):
                    continue
                allowed = w.allowed_regions is None or region in w.allowed_regions
                near = region == origin or (origin, region) in routes
                if allowed and not near:
                    pair = (("origin", origin), ("destination", region))
                    found[InputChange(ROUTE, "routes", pair, "", "", 0.0, 1.0)] = None
                elif near and not allowed:
                    then = f"{w.serving_regions};{region}"
                    row = (("workload", name),)
                    found[
                        InputChange("residency", "workloads", row, "serving_regions", "", w.serving_regions, then)
                    ] = None
        failover = self.case.settings.policy.failover
        failing = [r.region for r in self.case.regions if r.fails] if failover.enabled else []
        for region in failing:
            found[InputChange("fails", "regions", (("region", region),), "fails", "", True, False)] = None
        if failing:
            found[InputChange("failover", SETTINGS, (), "policy.failover.enabled", "", True, False)] = None
        return list(found)

    # -- pairs -----------------------------------------------------------------------------------
    def _pairs(self) -> None:
        """Look at pairs: of limits, of a limit and what is tried, of two that are tried."""
        cells, tries = self._limits_alone(self.programmes), self._structural()
        needed = [c for c in cells if not self._possible([other for other in cells if other != c])]
        pairs = [p for p in combinations(cells, 2) if {*needed} <= {*p}] if self._possible(cells) else []
        if len(pairs) > MOST_PAIRS:
            pairs, self.changes.complete = pairs[:MOST_PAIRS], False
        total = len(pairs) + len(tries) * (len(tries) + 1) // 2
        for k, pair in enumerate(pairs):
            self.progress(k, total)
            self._look(lambda pair=pair: self._limits(pair))  # type: ignore[misc]
        done = len(pairs)
        for change in tries:
            self.progress(done, total)
            done += 1
            wider = apply_changes(self.case, [change])
            opened = [e for e in ChangeSearch(wider, self.stuck, self.clock).programmes if not self._fits(e)]
            for cell in self._limits_alone(opened):
                self._look(lambda c=cell, e=opened, w=wider, t=change: self._with(t, c, w, e))  # type: ignore[misc]
        for first, second in combinations(tries, 2):
            self.progress(done, total)
            done += 1
            if first.rule != "failover" and second.rule != "failover":  # with it off no loss is planned for
                self._look(lambda a=first, b=second: self._tried([a, b]))  # type: ignore[misc]

    def _possible(self, cells: Sequence[Cell]) -> bool:
        """Whether some change of the cells together is enough."""
        for elastic in self.programmes:
            elastic.clock = self.clock
        return all(e.least_of(_mask(e, cells)) is not None for e in self.programmes)

    def _with(
        self, change: InputChange, cell: Cell, case: Case, programmes: Sequence[Elastic]
    ) -> tuple[InputChange, ...] | None:
        rest = self._limits([cell], case, programmes)
        return None if rest is None else (change, *rest)


def _pairs(case: Case) -> set[tuple[str, str]]:
    """List every origin with each workload that it asks for."""
    asked = case.demand[["region", "workload"]].drop_duplicates()
    return set(zip(asked["region"].astype(str), asked["workload"].astype(str)))


def _cell(limit: Limit) -> Cell | None:
    return None if limit.cell is None else (limit.rule, limit.cell.table, limit.key)


def _mask(elastic: Elastic, cells: Sequence[Cell]) -> Bools:
    return np.array([_cell(limit) in cells for limit in elastic.limits], bool)


def _share(change: InputChange) -> _Dial:
    """Return the dial of a share, on the grid from its far end."""
    has, end = float(change.has or 0.0), float(change.needs or 0.0)
    up = end > has
    grid = np.arange(np.floor(has / STEP + 1e-9) + 1, np.round(end / STEP) + 1) if up else np.arange(
        np.ceil(has / STEP - 1e-9) - 1, np.round(end / STEP) - 1, -1
    )  # fmt: skip

    def at(k: int) -> InputChange:
        value: Value = round(float(grid[k - 1]) * STEP, 9)
        return InputChange(change.rule, change.table, change.row, change.column, change.unit, change.has, value)

    return _Dial(at, len(grid))
