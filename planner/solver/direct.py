"""Whole units without any argument about the rules: the whole programme, size rules and flows, as one search by HiGHS.

For rules that the search by groups of slots (solver.whole) or the largest sensible sizes refuse. Slower, and right
whatever the rows are. Sizes need an upper limit for their switches: what a plan of some cost can pay for. A plan that
costs no more proves that the limit cut off nothing better.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

import highspy
import numpy as np

from planner.errors import PlannerError, StoppedError
from planner.model.columns import affordable_sizes, columns_of, largest_sizes
from planner.model.family import Reduction
from planner.model.objective import objective
from planner.model.program import LinearProgram, families_of
from planner.model.sets import Floats, Ints, Sets
from planner.model.structure import columns_named, refusing
from planner.solver.continuous import ROUNDS, LinearSolve, cut_rows, solve_linear
from planner.solver.grid_rows import in_sized
from planner.solver.highs import GOOD, INF, OPTIMAL, Clock, highs_model, quiet_highs, set_options
from planner.solver.scaling import Scale, scale_of
from planner.solver.stress_search import Cut
from planner.solver.watched import watched
from planner.solver.whole import WholeResult, rounded, values_without_sizes

TURN = 0.9  # of the time left that HiGHS may search: then the plan is still made sharper
SAME = 1e-9  # relative: plans that cost the same
ROOM = 1e-9  # of units, for the rounding of a search
SPEND = "spend"  # the family of spend commitments
FEW_ROUNDS, FEW_NODES = 8, 200  # of the search for the plan that signs for least, among those that cost the same
DEARER = (16.0, 1024.0)  # how many times the continuous optimum a first plan may cost


def solve_direct(solve: LinearSolve, gap: float, clock: Clock) -> WholeResult | None:
    """Find the cheapest plan on the size grids, from the solved LP; None where there is none.

    Raises
    ------
    PlannerError : it cannot be decided: a size has no limit, or no plan was found up to a very high cost.
    """
    program = solve.program
    sets, at = program.sets, program.columns
    lowest = float(program.cost[at.committed] @ sets.purchases["min_units"].to_numpy(float))
    most = largest_sizes(sets)  # with which there is a plan, if there is any
    if refusing(sets, Reduction.SIZES):
        most = np.full_like(most, np.inf)
    for times in DEARER:
        usd = times * (solve.session.objective() + lowest + 1.0)
        largest = np.minimum(affordable_sizes(sets, at, program.cost, usd)[0], most)
        found = search(solve, largest, gap, clock)
        if found is not None and found.usd <= usd:
            return found
        if (largest == most).all():
            return found
    if not sets.whole_units:
        return None
    if np.isfinite(most).all():
        return search(solve, most, gap, clock)
    raise PlannerError(
        "No plan in whole units was found. Some rule may ask for a purchase of any size, so there may still be one. "
        "Nothing was written. Give the offers max_units, or set whole_units to false to see the plan without sizes"
    )


def search(
    solve: LinearSolve, largest: Floats, gap: float, clock: Clock, start: Floats | None = None
) -> WholeResult | None:
    """Search all sizes up to the largest; stress rows are added until the plan serves every case.

    ``start`` : a plan on the size grids to go on from (columns of the LP).
    """
    sets, session = solve.program.sets, solve.session
    program = in_sized(solve.program, sized_program(sets, largest))
    scale = scale_of(program)
    h = _opened(program, scale, clock)
    whole = np.flatnonzero(program.columns.integer)
    set_options(h, mip_rel_gap=gap, mip_abs_gap=0.0, mip_feasibility_tolerance=1e-9)
    known = 0
    sized = program.columns.sized
    try:
        for round_ in range(ROUNDS):
            _add_stress(h, program, scale, solve.cuts[known:])
            known = len(solve.cuts)
            if start is not None and round_ == 0:
                _begin_at(h, values_with_sizes(solve.program, program, start) / scale.column)
            left = clock.left()
            set_options(h, time_limit=min(TURN * left, clock.without_plan(), INF))  # of this run
            status, bound = _run(h, clock)
            if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
                return None
            info = h.getInfo()
            if status != OPTIMAL and info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
                raise StoppedError("the time limit ran out before there was a plan; nothing was written")
            values = rounded(program, np.array(h.getSolution().col_value) * scale.column)
            cuts = solve.separator.violated(np.maximum(values[program.columns.deployed], 0.0))
            if cuts:
                solve.add(cuts)
                continue
            bound = float(bound if len(whole) else info.objective_function_value) * scale.cost
            clock.found(GOOD)
            usd, exact = _at_sizes(solve, program, values)
            usd, exact = _signing_least(h, solve, program, scale, (usd, exact), clock)
            return WholeResult(exact, usd, min(bound, usd))
    finally:
        freed = np.union1d(sized, program.columns.committed)
        session.set_column_bounds(freed, np.zeros(len(freed)), solve.program.columns.upper[freed])
    raise ArithmeticError("the stress rows did not settle")


def values_with_sizes(linear: LinearProgram, sized: LinearProgram, values: Floats) -> Floats:
    """Values of the columns of the programme with sizes: the same decisions, with their switches and steps."""
    at, found, own = sized.columns, np.zeros(sized.columns.count), linear.columns.hours_first
    found[:own] = values[:own]
    found[at.hours_first :] = values[own:]
    units = found[at.sized]
    on, stepped = at.size_on >= 0, at.size_steps >= 0
    found[at.size_on[on]] = units[on] > 0
    above = np.where(on & (units <= 0), 0.0, units - at.size_low)
    found[at.size_steps[stepped]] = np.round(above[stepped] / at.size_step[stepped])
    return found


def _at_sizes(
    solve: LinearSolve, program: LinearProgram, values: Floats, *, most: bool = False
) -> tuple[float, Floats]:
    """Find cost and columns of the best plan of some sizes; ``most`` : that signs for no more of the other offers."""
    session, sized = solve.session, program.columns.sized
    session.set_column_bounds(sized, values[sized], values[sized])
    if most:
        others = np.setdiff1d(program.columns.committed, sized)
        session.set_column_bounds(others, np.zeros(len(others)), values[others] * (1 + ROOM) + ROOM)
    sharper = False
    with suppress(StoppedError):  # out of time: the search's own values are a plan too
        sharper = solve_linear(solve)
    if sharper:  # the other columns once more, by the sharper tolerances of the linear programme
        exact = session.values()
        exact[sized] = values[sized]
    else:
        exact = values_without_sizes(solve.program, program, values)
    sizes = columns_named(program.columns, "sizes")
    return float(solve.program.cost @ exact) + float(program.cost[sizes] @ values[sizes]), exact


def _signed_usd(program: LinearProgram, values: Floats) -> float:
    return float(program.sets.purchases["committed_usd_per_unit"].to_numpy(float) @ values[program.columns.committed])


def sign_least(solve: LinearSolve, found: WholeResult, clock: Clock) -> WholeResult:
    """Return a plan that costs as much as the one found, and signs for less, where there is one: one programme for it.

    Below a spend commitment a dollar on units costs nothing, so that many plans cost the same, and a search for the
    cheapest ends at any of them.
    """
    session, sets = solve.session, solve.program.sets
    if not has_spend(solve.program) or not _signed_usd(solve.program, found.values):
        return found
    largest = largest_sizes(sets) if found.largest is None else found.largest
    afforded = affordable_sizes(sets, solve.program.columns, solve.program.cost, found.usd * (1 + ROOM))[0]
    program = sized_program(sets, np.minimum(largest, afforded))
    scale = scale_of(program)
    h = _opened(program, scale, clock)
    _add_stress(h, program, scale, solve.cuts)
    _begin_at(h, values_with_sizes(solve.program, program, found.values) / scale.column)
    try:
        usd, values = _signing_least(h, solve, program, scale, (found.usd, found.values), clock)
    finally:
        freed = np.union1d(program.columns.sized, program.columns.committed)
        session.set_column_bounds(freed, np.zeros(len(freed)), solve.program.columns.upper[freed])
    return replace(found, usd=usd, values=values)


def _opened(program: LinearProgram, scale: Scale, clock: Clock) -> highspy.Highs:
    """Open a programme with sizes in HiGHS."""
    h = watched(quiet_highs(), clock.tell, scale.cost)
    h.passModel(highs_model(program, scale))
    whole = np.flatnonzero(program.columns.integer).astype(np.int32)
    h.changeColsIntegrality(len(whole), whole, np.full(len(whole), highspy.HighsVarType.kInteger))
    return h


def _signing_least(
    h: highspy.Highs,
    solve: LinearSolve,
    program: LinearProgram,
    scale: Scale,
    known: tuple[float, Floats],
    clock: Clock,
) -> tuple[float, Floats]:
    """Cost and columns of a plan that costs no more than the known one and signs for least; itself: none was found.

    The search is cut off by its nodes, so that the same input gives the same plan.
    """
    if not has_spend(program):
        return known
    with suppress(StoppedError, ArithmeticError):  # the plan that is known is as cheap
        fewer = _fewer(h, solve, program, scale, known[0], clock)
        same, other = known if fewer is None else _at_sizes(solve, program, fewer, most=True)
        if same <= known[0] + SAME * abs(known[0]) and _signed_usd(program, other) < _signed_usd(program, known[1]):
            return same, other
    return known


def _fewer(
    h: highspy.Highs, solve: LinearSolve, program: LinearProgram, scale: Scale, usd: float, clock: Clock
) -> Floats | None:
    """Search for the plan that signs for least among those that cost no more than ``usd``; None where none was met."""
    lp = h.getLp()
    cost = np.array(lp.col_cost_)
    paid = np.flatnonzero(cost).astype(np.int32)
    h.addRow(-INF, usd / scale.cost * (1 + SAME), len(paid), paid, cost[paid])
    signed, at = np.zeros(len(cost)), program.columns.committed
    signed[at] = program.sets.purchases["committed_usd_per_unit"].to_numpy(float)
    signed *= scale.column / scale.cost
    h.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), signed)
    for _ in range(FEW_ROUNDS):
        left = clock.deadline - time.monotonic()
        if left <= 0:
            return None
        set_options(h, time_limit=min(TURN * left, INF), mip_max_nodes=FEW_NODES)
        h.run()
        if h.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        values = rounded(program, np.array(h.getSolution().col_value) * scale.column)
        cuts = solve.separator.violated(np.maximum(values[program.columns.deployed], 0.0))
        if not cuts:
            return values
        _add_stress(h, program, scale, cuts)
    return None


def _run(h: highspy.Highs, clock: Clock) -> tuple[highspy.HighsModelStatus, float]:
    """Search; the status and the bound. Where the patience is over and no plan was met: to the first, and on from it.

    On from it for as long again as all that took, and no less than the patience of a poor plan.
    """
    status, bound = _searched(h)
    none = h.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible
    if status != highspy.HighsModelStatus.kTimeLimit or not none or np.isfinite(clock.deadline):
        return status, bound
    set_options(h, time_limit=INF, mip_max_improving_sols=1)
    status, proved = _searched(h)
    set_options(h, mip_max_improving_sols=highspy.kHighsIInf)
    bound = max(bound, proved)
    if status == highspy.HighsModelStatus.kSolutionLimit:
        _begin_at(h, h.getSolution().col_value)
        set_options(h, time_limit=min(clock.without_plan(), INF))
        status, proved = _searched(h)
    return status, max(bound, proved)


def _begin_at(h: highspy.Highs, values: Iterable[float]) -> None:
    """Let the next search begin with a plan: values of all columns, as the solver sees them."""
    first = highspy.HighsSolution()
    first.col_value = list(values)
    h.setSolution(first)


def _searched(h: highspy.Highs) -> tuple[highspy.HighsModelStatus, float]:
    h.run()
    return h.getModelStatus(), float(h.getInfo().mip_dual_bound)


def has_spend(program: LinearProgram) -> bool:
    """Whether spend commitments may let plans of different sizes cost the same."""
    return any(rows.family == SPEND and rows.count for rows in program.families)


def sized_program(sets: Sets, largest: Floats) -> LinearProgram:
    """State the programme with its size rules, up to the largest sizes given.

    Raises
    ------
    PlannerError : a size with a switch has no limit.
    """
    at = columns_of(sets, True, largest)
    endless = np.isinf(at.size_top) & (at.size_on >= 0)
    if endless.any():
        free = [str(sets.purchases["offer"][k]) for k in at.sized[endless] if k < len(sets.purchases)]
        names = ", ".join(dict.fromkeys(free)) or "an offer"
        raise PlannerError(
            f"{names}: costs nothing, has min_units and no max_units, and a rule may want any amount of it. "
            "Nothing was written. Give it max_units"
        )
    return LinearProgram(sets, at, objective(sets, at), tuple(family.rows(sets, at) for family in families_of(sets)))


def _add_stress(h: highspy.Highs, program: LinearProgram, scale: Scale, cuts: list[Cut]) -> None:
    for need, column, value in scaled_stress(program, scale, cuts):
        h.addRow(need, INF, len(value), column.astype(np.int32), value)


def scaled_stress(program: LinearProgram, scale: Scale, cuts: list[Cut]) -> Iterator[tuple[float, Ints, Floats]]:
    """Right-hand side, columns and values of each stress row as the solver sees it, the largest value 1."""
    rows = cut_rows(program, cuts)
    for k in range(len(rows.lower)):
        at = slice(rows.start[k], rows.start[k + 1])
        value = rows.value[at] * scale.column[rows.column[at]]
        factor = 1.0 / float(np.abs(value).max()) if len(value) else 1.0
        yield rows.lower[k] * factor, rows.column[at], value * factor
