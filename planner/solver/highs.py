"""HiGHS in process: a live session on one programme. Scaled on the way in, natural units on the way out."""

import os
import sys
import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import highspy
import numpy as np

from planner.errors import StoppedError
from planner.model.program import LinearProgram
from planner.model.sets import Floats, Ints
from planner.solver.scaling import Scale, scale_of
from planner.solver.watched import Told

INF = highspy.kHighsInf
OPTIMAL = highspy.HighsModelStatus.kOptimal
INFEASIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
TOLERANCE = 1e-9
DEVEX = 1  # pricing of the dual simplex: twice as fast here as steepest edge, at 5 % more iterations (measured)
PRIMAL, DUAL = 4, 1  # simplex_strategy


@dataclass(frozen=True)
class RowEntries:
    """Rows to add to a live session: bounds, and entries row by row (start has one number more than there are rows)."""

    lower: Floats
    upper: Floats
    start: Ints
    column: Ints
    value: Floats


GOOD = 0.01  # relative gap of a plan that is good enough to be searched on for a short time only
POOR = 5.0  # times as long as that for any other


@dataclass
class Clock:
    """When to stop: a deadline in seconds of time.monotonic, or never.

    patience : seconds for which a search goes on once it has a plan (`found`). since : when it began. Each search has
    a clock of its own. tell : is given cost and bound (USD) of the best plan so far; None: nobody listens. heeded :
    whether `stop`, called by another thread, ends a run of the simplex method that is under way, too.
    """

    deadline: float = np.inf
    patience: float = np.inf
    since: float = field(default_factory=time.monotonic)
    tell: Told | None = None
    heeded: bool = False

    @classmethod
    def of(cls, seconds: float | None, until: float = np.inf) -> "Clock":
        """Start a clock that runs out after some seconds (None: never), and not later than at a deadline."""
        return cls(until if seconds is None else min(until, time.monotonic() + seconds))

    def stop(self) -> None:
        """Let it have run out."""
        self.deadline = 0.0

    def heed(self, event: Any) -> None:
        """Stop HiGHS, which asks at each step of the simplex method, where the clock was stopped."""
        event.interrupt(self.deadline <= 0.0)  # said each time: HiGHS remembers what another clock said

    def again(self) -> "Clock":
        """Return a clock for a search that begins now, with the same patience and deadline."""
        return replace(self, since=time.monotonic())

    def found(self, gap: float, usd: float = np.nan, bound_usd: float = np.nan) -> None:
        """Go on from a plan for as long again as it took, and no less than the patience; longer where it is poor."""
        if self.tell is not None and np.isfinite(usd):
            self.tell(usd, bound_usd)
        now, times = time.monotonic(), 1.0 if gap <= GOOD else POOR
        self.deadline = min(self.deadline, now + times * max(self.patience, now - self.since))

    def without_plan(self) -> float:
        """Seconds after which a search that tells of no plan is asked for one."""
        return POOR * max(self.patience, time.monotonic() - self.since)

    def left(self) -> float:
        """Seconds left; raises StoppedError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise StoppedError("the time limit ran out before there was a plan; nothing was written")
        return left


@cache
def swallow_banner() -> None:
    """Let HiGHS print its licence banner where nobody reads it: highspy 1.16 does so once a process, asked or not."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        h = highspy.Highs()
        set_options(h, output_flag=False, threads=1, parallel="off")  # as everywhere: the scheduler is shared
        h.run()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


class TakingHighs(highspy.Highs):  # type: ignore[misc]  # highspy has no types
    """HiGHS that raises where it does not take what it is given: what it then solves is another programme."""

    def passModel(self, *told: Any) -> Any:  # noqa: N802  # as HiGHS calls it
        """State a programme."""
        return taken(super().passModel(*told), "the programme")

    def addRow(self, *told: Any) -> Any:  # noqa: N802
        """Add a row."""
        return taken(super().addRow(*told), "a row")

    def addRows(self, *told: Any) -> Any:  # noqa: N802
        """Add rows."""
        return taken(super().addRows(*told), "rows")

    def addCol(self, *told: Any) -> Any:  # noqa: N802
        """Add a column."""
        return taken(super().addCol(*told), "a column")

    def addCols(self, *told: Any) -> Any:  # noqa: N802
        """Add columns."""
        return taken(super().addCols(*told), "columns")

    def changeRowsBounds(self, *told: Any) -> Any:  # noqa: N802
        """Change bounds of rows."""
        return taken(super().changeRowsBounds(*told), "bounds of rows")

    def changeColsBounds(self, *told: Any) -> Any:  # noqa: N802
        """Change bounds of columns."""
        return taken(super().changeColsBounds(*told), "bounds of columns")

    def changeColsCost(self, *told: Any) -> Any:  # noqa: N802
        """Change costs of columns."""
        return taken(super().changeColsCost(*told), "costs of columns")


def taken(status: highspy.HighsStatus, what: str) -> highspy.HighsStatus:
    """Return HiGHS's answer to what it was given; a refusal is an error, not a programme without a plan."""
    if status == highspy.HighsStatus.kError:
        raise ValueError(f"HiGHS does not take {what}: an index, a bound or a number in it is none that it allows")
    return status


def quiet_highs(tolerance: float = TOLERANCE) -> highspy.Highs:
    """Return a silent, single-threaded, deterministic HiGHS."""
    swallow_banner()
    h = TakingHighs()
    set_options(
        h,
        output_flag=False,
        threads=1,
        parallel="off",
        random_seed=0,
        small_matrix_value=1e-12,
        primal_feasibility_tolerance=tolerance,
        dual_feasibility_tolerance=tolerance,
    )
    return h


def set_options(h: highspy.Highs, **options: object) -> None:
    """Set options; one that HiGHS does not take is an error, not a silence."""
    for name, value in options.items():
        if h.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise ValueError(f"HiGHS does not take option {name} = {value!r}")


def run(h: highspy.Highs, clock: Clock, *, whole: bool = False) -> highspy.HighsModelStatus:
    """Run to the end or to the deadline; return the solver's own status. `whole` : some columns are whole numbers."""
    left = clock.left()
    # HiGHS counts linear programmes' time from the first run of a session, a whole-unit search's from its own start
    set_options(h, time_limit=left if whole else h.getRunTime() + left if np.isfinite(left) else INF)
    if clock.heeded:
        h.cbSimplexInterrupt.subscribe(clock.heed)
    try:
        h.run()
    finally:
        if clock.heeded:
            h.cbSimplexInterrupt.unsubscribe(clock.heed)
    status: highspy.HighsModelStatus = h.getModelStatus()
    if status == highspy.HighsModelStatus.kNotset:  # another library set HiGHS's one scheduler to other threads
        highspy.Highs.resetGlobalScheduler(True)
        h.run()
        status = h.getModelStatus()
    if status in (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt):
        raise StoppedError("the time limit ran out before there was a plan; nothing was written")
    return status


class Session:
    """One programme alive inside HiGHS: rows can be added, costs and bounds changed, and it runs on from its basis.

    The programme starts from the slack basis with the dual simplex and no presolve: all costs are >= 0, so that basis
    is dual feasible, and so it stays when rows are added (measured 2-4 times faster than presolve or interior point).
    """

    def __init__(self, program: LinearProgram, clock: Clock) -> None:
        self.program = program
        self.clock = clock
        self.scale: Scale = scale_of(program)
        self.highs = quiet_highs()
        set_options(self.highs, presolve="off", solver="simplex", simplex_dual_edge_weight_strategy=DEVEX)
        self._extra_scale: list[float] = []
        self.highs.passModel(highs_model(program, self.scale))

    def solve(self) -> bool:
        """Solve; True when optimal, False when there is no feasible point. Anything else raises."""
        if self.highs.getNumCol() == 0:  # nothing to decide, which HiGHS calls neither: rows must allow 0
            lower, upper = self.program.bounds()
            return bool(np.all(lower <= 0) and np.all(upper >= 0))
        status = run(self.highs, self.clock)
        if status == OPTIMAL:
            return True
        if status in INFEASIBLE:
            return False
        # a numerical stop: start afresh, with presolve
        self.highs.clearSolver()
        set_options(self.highs, presolve="on")
        status = run(self.highs, self.clock)
        set_options(self.highs, presolve="off")
        if status == OPTIMAL:
            return True
        if status in INFEASIBLE:
            return False
        raise StoppedError(f"HiGHS stopped with '{self.highs.modelStatusToString(status)}'; nothing was written")

    @property
    def begun(self) -> bool:
        """Whether there is a basis to go on from."""
        return bool(self.highs.getBasis().valid)

    def solve_inside(self) -> None:
        """Solve by the interior point method and cross over: a basis to go on from where there is none yet.

        From the slack basis, programmes in which work waits take the simplex method an iteration for each two columns
        (62,000 columns: 30 s of a processor, 12 s this way). What it finds is a start alone: nothing is returned.
        """
        set_options(self.highs, solver="ipm", presolve="on")
        try:
            run(self.highs, self.clock)
        finally:
            set_options(self.highs, solver="simplex", presolve="off")

    def add_rows(self, rows: RowEntries) -> None:
        """Add rows given in natural units."""
        column = self.scale.column
        for k in range(len(rows.lower)):
            at = slice(rows.start[k], rows.start[k + 1])
            value = rows.value[at] * column[rows.column[at]]
            factor = 1.0 / float(np.exp2(np.round(np.log2(np.abs(value).max())))) if len(value) else 1.0
            self.highs.addRow(
                rows.lower[k] * factor if np.isfinite(rows.lower[k]) else -INF,
                rows.upper[k] * factor if np.isfinite(rows.upper[k]) else INF,
                len(value),
                rows.column[at].astype(np.int32),
                value * factor,
            )
            self._extra_scale.append(factor)

    def scaled_costs(self, cost: Floats) -> Floats:
        """Costs as HiGHS has them, of costs in natural units."""
        scaled: Floats = cost * self.scale.column / self.scale.cost
        return scaled

    def set_costs(self, cost: Floats) -> None:
        """Change the cost of every column (natural units)."""
        scaled = self.scaled_costs(cost)
        self.highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), scaled)

    def set_some_costs(self, column: Ints, cost: Floats) -> None:
        """Change the cost of some columns (natural units)."""
        self.highs.changeColsCost(
            len(column), column.astype(np.int32), cost * self.scale.column[column] / self.scale.cost
        )

    def sharpen(self) -> bool:
        """Scale costs to the last optimum's in place of a mean flow's; whether that is finer, so that solving on pays.

        Where prices lie decades apart, what a mean flow costs says little of what a good plan costs, and a tolerance
        of 1e-9 of it is money.
        """
        solution, usd = np.array(self.highs.getSolution().col_value), self.objective()
        used = int((solution > TOLERANCE).sum())
        if usd <= 0 or not used:
            return False
        finer = float(np.exp2(np.round(np.log2(usd / used))))
        if finer >= self.scale.cost:
            return False
        old, self.scale = self.scale, replace(self.scale, cost=finer)
        cost = np.array(self.highs.getLp().col_cost_) * (old.cost / finer)
        self.highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        return True

    def set_column_bounds(self, column: Ints, lower: Floats, upper: Floats) -> None:
        """Change bounds of some columns (natural units)."""
        scale = self.scale.column[column]
        self.highs.changeColsBounds(len(column), column.astype(np.int32), lower / scale, upper / scale)

    def set_row_bounds(self, row: Ints, lower: Floats, upper: Floats) -> None:
        """Change bounds of some rows of the programme (natural units)."""
        scale = self.row_scale[row]
        self.highs.changeRowsBounds(len(row), row.astype(np.int32), lower * scale, upper * scale)

    @property
    def row_scale(self) -> Floats:
        """Row scales: the programme's rows, then the added ones."""
        return np.concatenate([self.scale.row, np.array(self._extra_scale)])

    def values(self) -> Floats:
        """Value of every column, natural units."""
        return np.array(self.highs.getSolution().col_value) * self.scale.column

    def row_duals(self) -> Floats:
        """Dual of every row, USD per natural unit of its right-hand side: the programme's rows, then the added ones."""
        return np.array(self.highs.getSolution().row_dual) * self.scale.cost * self.row_scale

    def objective(self) -> float:
        """USD of the programme's columns."""
        return float(self.highs.getInfo().objective_function_value) * self.scale.cost


def highs_model(program: LinearProgram, scale: Scale) -> highspy.HighsLp:
    """Render the programme to HiGHS's column-wise arrays, scaled."""
    first = np.cumsum([0, *(rows.count for rows in program.families)])
    row = np.concatenate([rows.row + k for rows, k in zip(program.families, first)])
    column = np.concatenate([rows.column for rows in program.families])
    value = np.concatenate([rows.value for rows in program.families])
    value = value * scale.column[column] * scale.row[row]
    lower, upper = (bound * scale.row for bound in program.bounds())
    cost = program.cost * scale.column / scale.cost
    return column_wise(cost, program.columns.upper / scale.column, (lower, upper), (row, column, value))


def column_wise(
    cost: Floats, upper: Floats, rows: tuple[Floats, Floats], entries: tuple[Ints, Ints, Floats]
) -> highspy.HighsLp:
    """Render a programme to HiGHS's column-wise arrays; no column is below 0.

    ``rows`` : lower and upper bound of each. ``entries`` : row, column and value of each.
    """
    row, column, value = entries
    order = np.argsort(column, kind="stable")
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(rows[0])
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = rows
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=len(cost)))])
    lp.a_matrix_.index_ = row[order]
    lp.a_matrix_.value_ = value[order]
    return lp
