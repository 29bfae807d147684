"""Whole units: the projected mixed-integer programme (Benders 1962; one estimate a group of slots).

The master decides x, v and u on their size grids, with the stress rows, and estimates what serving each group of slots
costs: θ[g] ≥ value of the group's rows at any dual prices. Every row of it is valid for every plan, so the master's
bound is a bound. A candidate is priced by the component's live LP with v fixed: that is its true cost, and its duals
are the next rows. It ends when the best candidate and the master's bound are within the gap.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import highspy
import numpy as np
import numpy.typing as npt

from planner.errors import StoppedError
from planner.model.columns import largest_sizes
from planner.model.family import Reduction
from planner.model.program import LinearProgram, families_of, program_of
from planner.model.sets import Floats, Ints
from planner.model.structure import refused_by, rules_on_sizes
from planner.solver.continuous import LinearSolve, cut_rows, solve_linear
from planner.solver.grouping import grouping, one_group
from planner.solver.highs import INF, OPTIMAL, PRIMAL, Clock, Session, highs_model, quiet_highs, run, set_options
from planner.solver.scaling import Scale, scale_of
from planner.solver.stress_search import Cut
from planner.solver.watched import Told, watched


@dataclass(frozen=True)
class WholeResult:
    """The best plan found: columns of the LP (values), its cost, and the tree's bound on any plan's cost, USD.

    A cost of inf: none was found yet. largest : largest sizes of plans that cost no more, where the search knows them.
    """

    values: Floats
    usd: float
    bound_usd: float
    largest: Floats | None = None

    def closed(self, gap: float) -> bool:
        """Whether plan and bound are within the relative gap."""
        return self.usd - self.bound_usd <= gap * abs(self.usd) if np.isfinite(self.usd) else False


def rounded(program: LinearProgram, values: Floats) -> Floats:
    """Put sized columns exactly on their grid: the solver's switches and steps are whole only to its tolerance."""
    at, units = program.columns, values.copy()
    stepped = at.size_steps >= 0
    on = np.where(at.size_on >= 0, np.round(values[np.maximum(at.size_on, 0)]), 1.0)
    steps = np.where(stepped, np.round(values[np.maximum(at.size_steps, 0)]), 0.0)
    exact = at.size_low * on + at.size_step * steps
    loose = np.where(on > 0, np.maximum(values[at.sized], at.size_low), 0.0)
    units[at.sized] = np.where(stepped, exact, loose)
    return np.maximum(units, 0.0)


def values_without_sizes(linear: LinearProgram, sized: LinearProgram, values: Floats) -> Floats:
    """Values of the LP's columns: the same decisions without the size columns."""
    found = np.zeros(linear.columns.count)
    own = linear.columns.hours_first
    found[:own] = values[:own]
    found[own:] = values[sized.columns.hours_first :]
    return found


ROUNDS = 400
SLACK = 1e-6  # relative, where a bound is rounded so that no plan is cut off
TIE = 3e-8  # most that the rule for equal plans adds to a commitment's price
MASTER_SHARE = 0.5  # share of the gap asked that the master may leave open
WORTH = 0.9  # sizes are tightened again when a plan's distance from the linear optimum has fallen to this share


class Master:
    """The master programme; rows are collected in natural units and handed to HiGHS again each round."""

    def __init__(self, solve: LinearSolve, clock: Clock) -> None:
        self.clock = clock
        sets = solve.program.sets
        bare = replace(sets, arcs=sets.arcs.assign(priced=False))
        self.lp = solve.program
        self.lower, self.upper = self.lp.bounds()
        row, column, value = self.lp.entries()
        own = column < self.lp.columns.hours_first
        self.entries = (row[own], column[own], value[own])  # of the columns that the master shares with the LP
        self.stress: list[Cut] = []
        self.complete = True
        flows = {rows.family for rows in self.lp.families if (rows.column >= self.lp.columns.hours_first).any()}
        self.families = tuple(family for family in families_of(sets) if family.name not in flows)
        exact = program_of(bare, True, self.families)
        if refused_by(families_of(sets), self.lp.families, sets, self.lp.columns, Reduction.FOLLOWS):
            searched = replace(exact.columns, size_follows=np.zeros(len(exact.columns.sized), bool))
            exact = replace(exact, columns=searched)
        self.program = replace(exact, cost=_with_tie_rule(exact))
        scale = scale_of(self.program)
        self.scale = Scale(scale.column, scale.row, solve.session.scale.cost)
        found = grouping(solve.program)
        if not found.divisible:
            found = one_group(solve.program)
        self.group_of, self.groups, self.tying = found.group_of, found.groups, found.tying
        self.use_group, self.use_row = found.use_group, found.use_row
        self.rows: list[tuple[Ints, Floats, float]] = []  # columns, values, lower bound
        self.last: Floats | None = (
            None  # the last answer; not handed back: HiGHS 1.16 believes a start that breaks rows
        )

    def add_stress(self, cuts: list[Cut]) -> None:
        """Add stress rows."""
        self.stress += cuts
        entries = cut_rows(self.lp, cuts)
        for k in range(len(cuts)):
            at = slice(entries.start[k], entries.start[k + 1])
            self.rows.append((entries.column[at], entries.value[at], float(entries.lower[k])))

    def add_prices(self, duals: Floats) -> None:
        """Add a row on each group's θ: what its rows are worth at these row duals of the LP."""
        duals = duals[: self.lp.row_count]
        worth = np.zeros(self.groups)
        bound = np.where(duals > 0, self.lower, self.upper)
        duals = np.where(np.isfinite(bound), duals, 0.0)  # of the wrong sign by rounding: worth nothing, not -inf
        priced = (self.group_of >= 0) & (duals != 0)
        np.add.at(worth, self.group_of[priced], (duals * np.where(priced, bound, 0.0))[priced])
        row, column, value = self.entries
        group = self.group_of[row]
        mine = group >= 0
        matrix = np.zeros((self.groups, self.lp.columns.hours_first))
        np.add.at(matrix, (group[mine], column[mine]), (value * duals[row])[mine])
        theta = self.program.columns.count
        price = np.maximum(-duals[self.tying], 0.0)[self.use_row]  # what a group pays for its part of a tying limit
        for g in range(self.groups):
            used = np.flatnonzero(matrix[g])
            parts = np.flatnonzero((self.use_group == g) & (price > 0))
            columns = np.concatenate([used, [theta + g], theta + self.groups + parts])
            values = np.concatenate([matrix[g][used], [1.0], price[parts]])
            if self.last is None or float(values @ self.last[columns]) < worth[g] - 1e-9 * self.scale.cost:
                self.rows.append((columns, values, float(worth[g])))  # else the estimate knows it already

    def add_ray(self, session: Session, candidate: Floats) -> None:
        """Add the row by which HiGHS's dual ray excludes a candidate whose units cannot serve some slot (Farkas)."""
        _, found, values = session.highs.getDualRay()
        if not found:
            raise ArithmeticError("HiGHS found no plan for a candidate's units, and no proof of it")
        ray = np.array(values) * session.row_scale
        ray[np.abs(ray) < 1e-11 * np.abs(ray).max()] = 0.0
        stress = cut_rows(self.lp, self.stress)
        lower = np.concatenate([self.lower, stress.lower])
        upper = np.concatenate([self.upper, stress.upper])
        rows, first = self.lp.row_count, self.lp.columns.hours_first
        row, column, value = self.entries
        added = np.repeat(np.arange(len(stress.lower)), np.diff(stress.start)) + rows
        row, column = np.append(row, added), np.append(column, stress.column)
        value = np.append(value, stress.value)
        depth, cut = -np.inf, None
        for y in (ray, -ray):
            used = y != 0
            worth = float((y[used] * np.where(y > 0, lower, upper)[used]).sum())
            coefficient = np.zeros(first)
            np.add.at(coefficient, column, value * y[row])
            excess = worth - float(coefficient @ candidate[:first])
            if excess > depth:
                depth, cut = excess, (np.flatnonzero(coefficient), coefficient[coefficient != 0], worth)
        if cut is None or depth <= 0:
            raise ArithmeticError("the proof that a candidate's units cannot serve some slot does not exclude them")
        self.rows.append(cut)

    def solve(self, gap: float, known: tuple[float, float] = (np.inf, -np.inf)) -> tuple[Floats, float] | None:
        """Solve the master; its columns (natural units, without θ) and its bound in USD. None: no plan exists.

        ``known`` : cost of the best plan and bound so far, for whoever watches: the master's own costs are no plan's.
        """
        lp, own, scale, limit = self.model()
        tell = None if self.clock.tell is None else partial(_bound_told, self.clock.tell, known)
        h = watched(quiet_highs(1e-9), tell, self.scale.cost / (1 + TIE))
        set_options(h, mip_rel_gap=gap, mip_feasibility_tolerance=1e-9, mip_abs_gap=0.0)
        set_options(h, mip_heuristic_run_rins=False, mip_heuristic_run_rens=False)  # dearer than these small trees
        h.passModel(lp)
        whole = np.flatnonzero(self.program.columns.searched).astype(np.int32)
        h.changeColsIntegrality(len(whole), whole, np.full(len(whole), highspy.HighsVarType.kInteger))
        self.add_rows(h, own, scale, limit)
        left = self.clock.left()
        set_options(h, time_limit=left if np.isfinite(left) else INF)
        h.run()
        status = h.getModelStatus()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        self.complete = status == OPTIMAL
        info = h.getInfo()
        if not self.complete and info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            raise StoppedError("the time limit ran out before there was a plan; nothing was written")
        values = self._settled(h, whole) * scale
        self.last = values
        bound = info.mip_dual_bound if len(whole) else info.objective_function_value
        return values[:own], float(bound) * self.scale.cost / (1 + TIE)

    def _settled(self, h: highspy.Highs, whole: npt.NDArray[np.int32]) -> Floats:
        """Values of an answer; what follows from the whole columns is made whole too: a vertex once those are fixed."""
        values = np.array(h.getSolution().col_value)
        steps = self.program.columns.size_steps[self.program.columns.size_follows]
        if (np.abs(values[steps] - np.round(values[steps])) < SLACK).all():
            return values
        fixed = np.round(values[whole])
        h.changeColsIntegrality(len(whole), whole, np.full(len(whole), highspy.HighsVarType.kContinuous))
        h.changeColsBounds(len(whole), whole, fixed, fixed)
        if run(h, self.clock) == OPTIMAL:
            values = np.array(h.getSolution().col_value)
        values[steps] = np.ceil(values[steps] - SLACK)  # whole already but for rounding; more units never break a rule
        return values

    def tighten(self, usd: float) -> None:
        """Lower the largest sizes to what a plan that costs no more than ``usd`` can have.

        One small linear programme a sized column: its largest value among all points of the master without
        integrality that cost no more. HiGHS searches several times faster for it.
        """
        lp, own, scale, limit = self.model()
        cost = np.array(lp.col_cost_)
        lp.col_cost_ = np.zeros(len(cost))
        h = quiet_highs()
        set_options(h, presolve="off", solver="simplex", simplex_strategy=PRIMAL)
        h.passModel(lp)
        self.add_rows(h, own, scale, limit)
        priced = np.flatnonzero(cost).astype(np.int32)
        top_usd = usd * (1 + SLACK) / self.scale.cost
        size = float(np.abs(cost).max())
        h.addRow(-INF, top_usd / size, len(priced), priced, cost[priced] / size)
        h.changeObjectiveSense(highspy.ObjSense.kMaximize)
        at = self.program.columns
        top = at.size_top.copy()
        for k, column in enumerate(at.sized):
            if at.size_follows[k]:
                continue
            h.changeColCost(int(column), 1.0)
            if run(h, self.clock) == OPTIMAL:
                most = float(h.getInfo().objective_function_value) * float(scale[column])
                top[k] = min(top[k], most * (1 + SLACK) + SLACK)
            h.changeColCost(int(column), 0.0)
        stepped = np.flatnonzero(at.size_steps >= 0)
        upper = at.upper.copy()
        room = np.floor((top - at.size_low)[stepped] / at.size_step[stepped] + SLACK)
        upper[at.size_steps[stepped]] = np.minimum(upper[at.size_steps[stepped]], np.maximum(room, 0.0))
        columns = replace(at, size_top=top, upper=upper)
        families = tuple(family.rows(self.program.sets, columns) for family in self.families)
        self.program = replace(self.program, columns=columns, families=families)

    def largest(self) -> Floats:
        """Largest size of each x, then each v, as far as `tighten` knows."""
        found = largest_sizes(self.program.sets)
        found[self.program.columns.sized] = self.program.columns.size_top
        return found

    def add_rows(self, h: highspy.Highs, own: int, scale: Floats, limit: Floats, first: int = 0) -> None:
        """Hand over the rows: parts of each tying limit, then those that were learnt. ``first`` : of the columns."""
        for k in range(len(self.tying)):
            mine = np.flatnonzero(self.use_row == k)
            top = limit[k] / max(limit[k], 1e-9)
            h.addRow(-INF, top, len(mine), (first + own + self.groups + mine).astype(np.int32), np.ones(len(mine)))
        for columns, values, lower in self.rows:
            scaled = values * scale[columns]
            factor = 1.0 / np.abs(scaled).max() if len(scaled) else 1.0
            h.addRow(lower * factor, INF, len(columns), (first + columns).astype(np.int32), scaled * factor)

    def model(self) -> tuple[highspy.HighsLp, int, Floats, Floats]:
        """Columns of the master: the decisions, θ of each group, each group's part of each tying limit."""
        lp = highs_model(self.program, self.scale)
        own, extra = self.program.columns.count, self.groups + len(self.use_row)
        limit = self.upper[self.tying]
        part = np.maximum(limit, 1e-9)[self.use_row]
        scale = np.concatenate([self.scale.column, np.full(self.groups, self.scale.cost), part])
        lp.num_col_ = own + extra
        lp.col_cost_ = np.concatenate([np.array(lp.col_cost_), np.ones(self.groups), np.zeros(len(self.use_row))])
        lp.col_lower_ = np.zeros(own + extra)
        lp.col_upper_ = np.concatenate([np.array(lp.col_upper_), np.full(self.groups, INF), limit[self.use_row] / part])
        start = np.array(lp.a_matrix_.start_)
        lp.a_matrix_.start_ = np.concatenate([start, np.full(extra, start[-1])])
        return lp, own, scale, limit


def _bound_told(tell: Told, known: tuple[float, float], _: float, bound_usd: float) -> None:
    """Tell of the bound of a search beside the best plan that is known."""
    tell(known[0], min(max(bound_usd, known[1]), known[0]))


def _with_tie_rule(program: LinearProgram) -> Floats:
    """Prices a hair above the true ones: of equal plans, fewest committed dollars, then offers held, then names.

    All costs are >= 0, so the master's bound divided by 1 + TIE is a bound at the true prices.
    """
    bought, cost = program.sets.purchases, program.cost.copy()
    rank = np.arange(len(bought)) / max(len(bought), 1)
    hair = 0.5 + 0.3 * ~bought["held"].to_numpy(bool) + 0.2 * rank
    cost[program.columns.committed] *= 1 + TIE * hair
    return cost


def solve_whole(
    solve: LinearSolve, gap: float, clock: Clock, seen: Callable[[Floats], None] = lambda values: None,
    rounds: int = ROUNDS, begin: Floats | None = None,
) -> WholeResult | None:  # fmt: skip
    """Find the cheapest plan on the size grids, from the solved LP; None where there is none.

    ``seen`` is given each plan on the grids that is met on the way (columns of the LP). ``rounds`` : give up after so
    many candidates. ``begin`` : a plan on the grids (columns of the LP).
    """
    program, session = solve.program, solve.session
    master = Master(solve, clock)
    master.add_prices(session.row_duals())
    master.add_stress(solve.cuts)
    bound = linear = session.objective()
    start: tuple[float, Floats] | None = None
    best: tuple[float, Floats] | None = None
    sized, none = master.program.columns.sized, False
    try:
        if not rules_on_sizes(program.sets):
            start = _rounded_up(solve, master)  # no candidate of its own: of equal plans the master's rule chooses
            if begin is not None and (start is None or float(program.cost @ begin) < start[0]):
                start = float(program.cost @ begin), begin
        master.add_stress(solve.cuts[len(master.stress) :])
        tightened = np.inf if start is None else start[0]
        if start is not None:
            seen(start[1])
            clock.found((start[0] - bound) / abs(start[0]) if start[0] else 0.0, start[0], bound)
        if start is not None and rounds > 0:
            master.tighten(tightened)
        for _ in range(rounds):
            known_usd = min([plan[0] for plan in (start, best) if plan], default=np.inf)
            found = master.solve(gap * MASTER_SHARE, (known_usd, bound))
            if found is None:
                none = best is None and start is None
                break
            candidate, claimed = found
            bound = max(bound, claimed)
            if best is not None and best[0] - bound <= gap * abs(best[0]):
                break
            units = rounded(master.program, candidate)
            session.set_column_bounds(sized, units[sized], units[sized])
            known, learnt = len(solve.cuts), len(master.rows)
            if solve_linear(solve):
                usd = session.objective()
                master.add_prices(session.row_duals())
                seen(_exact(session.values(), sized, units))
                if best is None or usd < best[0]:
                    best = (usd, _exact(session.values(), sized, units))
                    clock.found((usd - bound) / abs(usd) if usd else 0.0, usd, bound)
                    if usd - linear < WORTH * (tightened - linear):
                        master.tighten(usd)
                        tightened = usd
            elif len(solve.cuts) == known:
                master.add_ray(session, candidate)
            master.add_stress(solve.cuts[known:])
            closed = best is not None and best[0] - bound <= gap * abs(best[0])
            if closed or not master.complete or len(master.rows) == learnt:  # nothing new: the gap stays as it is
                break
    except StoppedError:
        if start is None and best is None:
            raise
    finally:
        session.set_column_bounds(sized, np.zeros(len(sized)), program.columns.upper[sized])
    if start is not None and (best is None or start[0] < best[0]):
        best = start
    if none:
        return None
    if best is None:
        return WholeResult(np.empty(0), np.inf, bound, largest_sizes(program.sets))
    return WholeResult(best[1], best[0], min(bound, best[0]), master.largest())


def _rounded_up(solve: LinearSolve, master: Master) -> tuple[float, Floats] | None:
    """Make a first plan: deployments of the LP rounded up to their grid, then purchases; None where that fails."""
    session, at = solve.session, master.program.columns
    deployed = np.isin(at.sized, at.deployed.ravel())
    units = session.values()
    for group in (deployed, ~deployed):
        column = at.sized[group]
        size = units[column]
        low, step, top = at.size_low[group], at.size_step[group], at.size_top[group]
        steps = np.where(step > 0, np.ceil((size - low) / np.where(step > 0, step, 1.0) - 1e-6) * step, size - low)
        up = np.where(size > 1e-6 * np.maximum(top, 1.0), low + np.maximum(steps, 0.0), 0.0)
        if (up > top * (1 + 1e-9)).any():
            return None
        session.set_column_bounds(column, up, up)
        if not solve_linear(solve):
            return None
        units = session.values()
        units[column] = up
    master.add_prices(session.row_duals())
    return session.objective(), units


def _exact(values: Floats, sized: Ints, units: Floats) -> Floats:
    exact = values.copy()
    exact[sized] = units[sized]
    return exact
