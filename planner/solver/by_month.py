"""Whole units of months that purchases tie: each month is searched by itself, at prices of what ties them (Lagrange).

Between months stand only the rows of purchases (rule 5: units in force), and of rules that add up months. At prices y
of these rows, for every plan on the size grids,

    cost  ≥  Σ_p min over month p of (c[p] − A[p]ᵀy)·x[p]  +  Σ_j min(0, c[j] − A[j]ᵀy)·top[j]  +  Σ_i y[i]·bound[i],

j the columns of no month: purchases, and what follows from them. A month's minimum is one search of whole units by
HiGHS, of a fraction of the sizes; its bound counts. The first prices are the duals of the optimum for units of any
size. What months choose at some prices are columns of a small master (Dantzig and Wolfe 1960), which decides whole
purchases with them: with its sizes the live programme gives a plan's true cost. The master's own duals are the next
prices, part of the way.

What stays open is what months lose by not being convex.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import highspy
import numpy as np

from planner.errors import StoppedError
from planner.model.program import LinearProgram
from planner.model.reduce.components import periods_of
from planner.model.sets import Bools, Floats, Ints
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.direct import scaled_stress, sized_program
from planner.solver.grid_rows import in_sized
from planner.solver.highs import INF, OPTIMAL, Clock, column_wise, quiet_highs, set_options
from planner.solver.mixture import Joint, PartRows
from planner.solver.parallel import at_once, on_all_cores
from planner.solver.scaling import scale_of
from planner.solver.whole import WholeResult, rounded

SEARCHES = 8  # of all months, at most
STEP = 0.05  # part of the way from the best prices to the master's; doubled where it raises the bound, else a quarter
SHARE = 0.4  # of the gap asked that a month's search may leave open
STRESS = 6  # times that stress rows are added before the months' choice is taken
TURN = 0.8  # of the time left that all months may take
MOST_SECONDS = 20.0  # for the master
MISSED = 10.0  # times the dearest price: what a row is missed for in the master
ZERO = 1e-9  # of the largest reduced cost: rounding
FINE = 1e3  # the solver's objective of a usual plan


@dataclass
class _Plan:
    """What a month does at some prices: its true cost, use of the rows that tie months, values of its columns."""

    usd: float
    use: Floats
    values: Floats


@dataclass
class _Month:
    """A month alive in HiGHS. column : numbers of its columns. tying : its entries in the rows that tie months."""

    number: int
    highs: highspy.Highs
    column: Ints
    cost: Floats
    tying: PartRows
    own: Ints  # of each column of the programme its number here, -1 where it is another's
    plans: list[_Plan] = field(default_factory=list)
    searched: tuple[bytes, int] = (b"", -1)  # prices of its last search, and how many rows it had
    bound: float = -np.inf


def search_by_month(
    solve: LinearSolve, found: WholeResult, duals: Floats, gap: float, clock: Clock,
    seen: Callable[[Floats], None] = lambda values: None, searches: int = SEARCHES,
) -> WholeResult:  # fmt: skip
    """Search whole units month by month; the better of what is known and what is found.

    ``found`` : what is known so far, with the largest sizes that matter. ``duals`` : of the optimum for units of any
    size (USD), the programme's rows first. ``seen`` is given each plan that is met on the way. ``searches`` : of all
    months, at most.
    """
    largest = found.largest
    if largest is None or len(solve.program.sets.periods) < 2:
        return found
    program = in_sized(solve.program, sized_program(solve.program.sets, largest))
    months = _Months(solve, found, program, duals, gap=gap, clock=clock)
    try:
        months.search(seen, searches)
    except StoppedError:
        pass  # what is best so far
    finally:
        sized = months.program.columns.sized
        upper = solve.program.columns.upper[sized]
        solve.session.set_column_bounds(sized, np.zeros(len(sized)), upper)
    return months.best


class _Months:
    """A programme in parts: months, the columns of none, the rows that tie them. All numbers as the solver sees them.

    best : the best plan so far and the best bound.
    """

    def __init__(
        self, solve: LinearSolve, found: WholeResult, program: LinearProgram, duals: Floats, *, gap: float, clock: Clock
    ) -> None:
        self.solve, self.best, self.program, self.gap, self.clock = solve, found, program, gap, clock
        at, scale = program.columns, scale_of(program)
        self.scale = scale
        self.upper = at.upper / scale.column
        self.cost = program.cost * scale.column / scale.cost
        row, column, value = program.entries()
        value = value * scale.column[column] * scale.row[row]
        used = value != 0
        self.entries = row[used], column[used], value[used]
        lower, upper = self.bounds = tuple(bound * scale.row for bound in program.bounds())
        period = periods_of(program.sets, at)
        ties = tying_rows(self.entries[0], period[self.entries[1]], len(lower))
        self.tied = np.flatnonzero(ties)
        self.lower, self.upper_bound = lower[self.tied], upper[self.tied]
        self.prices = (_matched(solve.program, program, duals) / (scale.cost * scale.row))[self.tied]
        self.joint = np.flatnonzero(period < 0)
        own = self._part(_numbers(self.tied, len(lower)), _numbers(self.joint, at.count))
        self.of_joint = Joint(self.cost[self.joint], own.row, own.column, own.value)
        periods = np.unique(period[period >= 0]).tolist()
        self.months = [self._month(p, np.flatnonzero(period == p), ~ties) for p in periods]
        self.stress_rows = 0
        self._add_stress()

    def _part(self, number: Ints, own: Ints) -> PartRows:
        """Entries in rows and columns with a number, of these numbers."""
        row, column, value = self.entries
        here = (own[column] >= 0) & (number[row] >= 0)
        return PartRows(number[row[here]], own[column[here]], value[here])

    def _month(self, period: int, mine: Ints, inner: Bools) -> _Month:
        row, column, _ = self.entries
        own = _numbers(mine, self.program.columns.count)
        has = np.zeros(len(inner), bool)
        has[row[own[column] >= 0]] = True
        kept = np.flatnonzero(has & inner)
        part = self._part(_numbers(kept, len(inner)), own)
        lower, upper = self.bounds
        h = quiet_highs()
        set_options(h, mip_abs_gap=0.0, mip_feasibility_tolerance=1e-9)
        h.passModel(
            column_wise(
                self.cost[mine], self.upper[mine], (lower[kept], upper[kept]), (part.row, part.column, part.value)
            )
        )
        whole = np.flatnonzero(self.program.columns.integer[mine]).astype(np.int32)
        h.changeColsIntegrality(len(whole), whole, np.full(len(whole), highspy.HighsVarType.kInteger))
        tying = self._part(_numbers(self.tied, len(inner)), own)
        return _Month(period, h, mine, self.cost[mine], tying, own)

    def _add_stress(self) -> None:
        """Hand the stress rows that are new to their months: each is of units in one month."""
        cuts = self.solve.cuts[self.stress_rows :]
        of_period = {month.number: month for month in self.months}
        for cut, (need, column, value) in zip(cuts, scaled_stress(self.program, self.scale, cuts), strict=True):
            month = of_period[cut.period]
            month.highs.addRow(need, INF, len(value), month.own[column].astype(np.int32), value)
        self.stress_rows += len(cuts)

    # --- the search

    def search(self, seen: Callable[[Floats], None], searches: int) -> None:
        """Search months at ever better prices."""
        best_prices = prices = self._signed(self.prices)
        highest, step = -np.inf, STEP
        for _ in range(searches):
            bound = self._months_at(prices)
            if bound is None:
                break
            step = min(2 * step, 1.0) if bound > highest else step / 4
            if bound > highest:
                best_prices, highest = prices, bound
                self._note(bound=bound)
            self._combine(seen)
            if self.best.closed(self.gap):
                break
            solved = self._master(whole=False)
            if solved is None:
                break
            prices = self._signed(best_prices + step * (solved[1] - best_prices))

    def _note(self, bound: float = -np.inf, usd: float = np.inf, values: Floats | None = None) -> None:
        """Keep what is better."""
        old = self.best
        if values is None or usd >= old.usd:
            usd, values = old.usd, old.values
        self.best = WholeResult(values, usd, min(max(old.bound_usd, bound), usd), old.largest)

    def _signed(self, prices: Floats) -> Floats:
        """Return prices with 0 for those of the wrong sign by rounding: of rows without a bound on that side."""
        bound = np.where(prices > 0, self.lower, self.upper_bound)
        return np.where(np.isfinite(bound), prices, 0.0)

    def _months_at(self, prices: Floats) -> float | None:
        """Search all months at some prices: the bound on every plan (USD).

        None: a month found nothing in its time, or columns of no month would earn without end.
        """
        for _ in range(STRESS):
            seconds = TURN * self.clock.left() * at_once(len(self.months)) / len(self.months)
            if not all(on_all_cores(partial(self._searched, prices=prices, seconds=seconds), self.months)):
                return None
            deployed = np.zeros(self.program.columns.count)
            for month in self.months:
                deployed[month.column] = month.plans[-1].values
            units = rounded(self.program, deployed * self.scale.column)[self.program.columns.deployed]
            cuts = self.solve.separator.violated(units)
            if not cuts:
                break
            self.solve.add(cuts)
            self._add_stress()
        reduced = self.of_joint.reduced(prices)
        reduced[np.abs(reduced) <= ZERO * max(float(np.abs(reduced).max(initial=0.0)), 1.0)] = 0.0
        earns = reduced < 0
        top = self.upper[self.joint]
        if np.isinf(top[earns]).any():
            return None
        bounds = np.where(prices > 0, self.lower, np.where(prices < 0, self.upper_bound, 0.0))
        own = float((reduced[earns] * top[earns]).sum())
        total = float(np.sum([month.bound for month in self.months])) + own + float((prices * bounds).sum())
        return total * self.scale.cost

    def _searched(self, month: _Month, prices: Floats, seconds: float) -> bool:
        """Search a month at some prices: its bound and a plan; whether there is one."""
        h, state = month.highs, (prices.tobytes(), month.highs.getNumRow())
        if month.searched == state:
            return True
        left = min(self.clock.left(), seconds)
        tolled = month.cost + month.tying.tolls(prices, len(month.cost))
        h.clearSolver()
        h.changeColsCost(len(tolled), np.arange(len(tolled), dtype=np.int32), tolled)
        set_options(h, mip_rel_gap=SHARE * self.gap, time_limit=left if np.isfinite(left) else INF)
        h.run()
        status, info = h.getModelStatus(), h.getInfo()
        whole = bool(self.program.columns.integer[month.column].any())
        feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        if status != OPTIMAL and not (whole and feasible):  # of a linear programme cut off, the cost is no bound
            return False
        month.searched = state
        month.bound = float(info.mip_dual_bound if whole else info.objective_function_value)
        values = np.maximum(np.array(h.getSolution().col_value), 0.0)
        month.plans.append(_Plan(float((month.cost * values).sum()), month.tying.activity(values, len(prices)), values))
        return bool(np.isfinite(month.bound))

    def _combine(self, seen: Callable[[Floats], None]) -> None:
        """Let the master choose purchases and each month's plan; the live programme says what their sizes cost."""
        solved = self._master(whole=True)
        if solved is None:
            return
        session, sized = self.solve.session, self.program.columns.sized
        units = rounded(self.program, solved[0] * self.scale.column)
        session.set_column_bounds(sized, units[sized], units[sized])
        if solve_linear(self.solve):
            values = session.values()
            values[sized] = units[sized]
            seen(values)
            self._note(usd=session.objective(), values=values)
        self._add_stress()

    def _master(self, whole: bool) -> tuple[Floats, Floats] | None:
        """Choose purchases and a mixture of each month's plans: all columns, and prices of the rows that tie months.

        ``whole`` : on the size grids, and one plan a month. A row may be missed, at a price above all others.
        """
        plans = [(k, plan) for k, month in enumerate(self.months) for plan in month.plans]
        first, rows, count = len(self.joint), len(self.tied), len(plans)
        missed = MISSED * max(float(np.abs(self.prices).max(initial=0.0)), 1.0)
        usd = np.concatenate([self.of_joint.cost, [plan.usd for _, plan in plans], np.full(2 * rows, missed)])
        unit = max(float(sum(month.plans[-1].usd for month in self.months)), 1e-9) / FINE
        used = [np.flatnonzero(plan.use) for _, plan in plans]
        row = np.concatenate([self.of_joint.row, *used, np.arange(rows), np.arange(rows), [rows + k for k, _ in plans]])
        column = np.concatenate(
            [self.of_joint.column, np.repeat(first + np.arange(count), [len(u) for u in used]),
             first + count + np.arange(2 * rows), first + np.arange(count)]
        )  # fmt: skip
        value = np.concatenate(
            [self.of_joint.value, *(plan.use[u] for (_, plan), u in zip(plans, used)),
             np.ones(rows), -np.ones(rows), np.ones(count)]
        )  # fmt: skip
        one = np.ones(len(self.months))
        top = np.concatenate([self.upper[self.joint], np.ones(count), np.full(2 * rows, INF)])
        h = quiet_highs()
        bounds = np.append(self.lower, one), np.append(self.upper_bound, one)
        h.passModel(column_wise(usd / unit, top, bounds, (row.astype(np.int64), column.astype(np.int64), value)))
        if whole:
            chosen = np.append(np.flatnonzero(self.program.columns.integer[self.joint]), first + np.arange(count))
            kinds = np.full(len(chosen), highspy.HighsVarType.kInteger)
            h.changeColsIntegrality(len(chosen), chosen.astype(np.int32), kinds)
            set_options(h, mip_rel_gap=1e-7, mip_abs_gap=0.0, mip_feasibility_tolerance=1e-9)
        set_options(h, time_limit=min(MOST_SECONDS, self.clock.left()))
        h.run()
        feasible = h.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        if h.getModelStatus() != OPTIMAL and not (whole and feasible):
            return None
        solution = h.getSolution()
        found = np.array(solution.col_value)
        values = np.zeros(self.program.columns.count)
        values[self.joint] = found[:first]
        for share, (k, plan) in zip(found[first : first + count], plans):
            if share > 0.5 or not whole:
                values[self.months[k].column] += (1.0 if whole else share) * plan.values
        prices = np.zeros(rows) if whole else np.array(solution.row_dual)[:rows] * unit
        return values, prices


def _numbers(kept: Ints, count: int) -> Ints:
    """Return the number of each row or column among those kept; -1 of the others."""
    found = np.full(count, -1)
    found[kept] = np.arange(len(kept))
    return found


def tying_rows(row: Ints, period: Ints, rows: int) -> Bools:
    """Whether each row has columns of no period or of several; ``period`` : of each entry's column."""
    low, high = np.full(rows, np.iinfo(np.int64).max), np.full(rows, -1)
    np.minimum.at(low, row, period)
    np.maximum.at(high, row, period)
    ties: Bools = (low < high) | (low < 0)
    return ties


def _matched(old: LinearProgram, new: LinearProgram, duals: Floats) -> Floats:
    """Duals of the rows of ``new`` from those of ``old``, by family; 0 for rows that it has not, such as sizes."""
    found = np.zeros(new.row_count)
    for rows in old.families:
        first = new.first_row(rows.family)
        if new.family(rows.family).count == rows.count:
            begin = old.first_row(rows.family)
            found[first : first + rows.count] = duals[begin : begin + rows.count]
    return found
