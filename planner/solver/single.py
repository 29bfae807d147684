"""Whole units: where one quantity has sizes, no search is needed.

The least cost of a component, as a function of one quantity with everything else free, is convex (it is the value of
a linear programme in a right-hand side). So on the sizes 0, min_units, min_units + unit_step, ... the best is next to
the continuous optimum: the size below, the size above, or 0 where the size below is under min_units. With one pool,
one term and no stress these are the floor and the ceiling of the newsvendor's fractile.
"""

from collections.abc import Callable

import numpy as np

from planner.errors import StoppedError
from planner.model.columns import Columns, affordable_sizes, columns_of
from planner.model.family import Reduction
from planner.model.sets import Floats
from planner.model.structure import prices_on_sizes, refusing, rules_on_sizes
from planner.solver.by_month import SEARCHES, search_by_month
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.direct import has_spend, search, sign_least, solve_direct
from planner.solver.grid_rows import strengthened
from planner.solver.grouping import grouping
from planner.solver.highs import Clock
from planner.solver.whole import ROUNDS, WholeResult, solve_whole

SOON = 12  # candidates of the search by groups: most parts need fewer (measured)
SOONER = 6  # where months may be searched by themselves
DIRECT_COLUMNS = 300_000  # of a programme that HiGHS may search as it stands
DIRECT_AGAIN = 75_000  # of one that is searched at several prices, or once more for the plan that signs least
SMALL = 60_000  # columns up to which rows of the size grids are not worth their time
AGAIN = 1  # searches of all months at each of several prices
AGAIN_MONTHS = 3  # months up to which a part is searched as it stands at further prices, from a plan that is known


def neighbours(at: Columns, value: float) -> list[float]:
    """Sizes next to the continuous optimum of the one sized column.

    The optimum may be above the largest size of use, where more costs nothing: the largest that is sold is next to it.
    """
    low, step, top = float(at.size_low[0]), float(at.size_step[0]), float(at.size_top[0])
    value = min(value, max(top, low))
    if step <= 0:  # any amount from min_units
        return [value] if value >= low else [0.0, low]
    below = low + step * np.floor((value - low) / step + 1e-9)
    sizes = {float(below), float(below + step)} if value >= low else {0.0, low}
    return sorted(size for size in sizes if 0 <= size <= top + 1e-9 * max(top, 1.0))


def solve_sizes(
    solve: LinearSolve, gap: float, clock: Clock, seen: Callable[[Floats], None] = lambda values: None,
    again: bool = False, known: Floats | None = None,
) -> WholeResult | None:  # fmt: skip
    """Find the best sizes from the solved LP: next to it for one sized quantity, by search for more (solver.whole).

    Where the rules refuse what that search rests on, the whole programme is searched as it stands (solver.direct).
    ``again`` : it will be searched at other prices too, so that a long search at these does not pay. ``known`` : a plan
    on the size grids that was found at other prices (columns of the LP).
    """
    program, sets = solve.program, solve.program.sets
    larger = bool(refusing(sets, Reduction.SIZES))  # some rule may want more than `largest_sizes`
    most = affordable_sizes(sets, program.columns, program.cost, np.inf)[0] if larger else None
    sized = columns_of(sets, True, most)
    counted, fees = rules_on_sizes(sets), prices_on_sizes(sets)
    if len(sized.sized) == 1 and not counted and not fees:
        return solve_direct(solve, gap, clock) if has_spend(program) else _single(solve, sized)
    by_flows = {rows.family for rows in program.families if (rows.column >= program.columns.hours_first).any()}
    by_groups = not larger and not fees and by_flows.isdisjoint(counted) and grouping(program).divisible
    months, count = len(sets.periods), program.columns.count
    near = known is not None and 1 < months <= AGAIN_MONTHS and count <= DIRECT_COLUMNS
    strong = strengthened(solve) if count > SMALL else solve
    if strong is None:
        return None
    met = len(solve.cuts)
    try:
        if not by_groups:
            return solve_direct(strong, gap, clock)
        if near and known is not None:
            return _from_known(strong, gap, clock, seen, known)
        return _settled(solve, _projected(strong, gap, clock, seen, again), gap, clock, again)
    finally:
        if strong is not solve:
            solve.add(strong.cuts[met:])


def _settled(
    solve: LinearSolve, found: WholeResult | None, gap: float, clock: Clock, again: bool
) -> WholeResult | None:
    """Return, of plans that cost the same, the one that signs least, where that is soon found."""
    if found is None or not found.closed(gap) or again or solve.program.columns.count > DIRECT_AGAIN:
        return found
    return sign_least(solve, found, clock)


def _from_known(
    solve: LinearSolve, gap: float, clock: Clock, seen: Callable[[Floats], None], known: Floats
) -> WholeResult | None:
    """Search the whole programme as it stands, from a plan that is known: it says which sizes are too large.

    What a plan at other prices is near to needs no search by groups, and months by themselves never meet it.
    """
    found = solve_whole(solve, gap, clock, seen, 1, known)
    if found is None or found.closed(gap) or found.largest is None or not np.isfinite(found.usd):
        return found
    largest, values = found.largest, found.values
    return _searched_on(found, lambda: search(solve, largest, gap, clock, values), seen)


def _projected(
    solve: LinearSolve, gap: float, clock: Clock, seen: Callable[[Floats], None], again: bool
) -> WholeResult | None:
    """Search by groups of slots; where that does not end soon, month by month, then the whole programme as it stands.

    The first is fast where a few prices of the slots tell the rest. Where many sizes are near their least, its
    estimates are poor near every candidate, and the cuts that HiGHS finds on flows and sizes together do far better:
    in a month at a time (solver.by_month) where purchases tie several, and in all of a programme that is not too large.
    """
    months = len(solve.program.sets.periods) > 1
    small = solve.program.columns.count <= (DIRECT_AGAIN if again and months else DIRECT_COLUMNS)
    duals = solve.session.row_duals() if months else np.empty(0)
    found = solve_whole(solve, gap, clock, seen, SOONER if months else SOON if small else ROUNDS)
    if found is None or found.closed(gap) or found.largest is None:
        return found
    if months:
        found = search_by_month(solve, found, duals, gap, clock, seen, AGAIN if again else SEARCHES)
        if found.closed(gap) or (again and not small and np.isfinite(found.usd)):
            return found
    largest = found.largest
    if small and largest is not None:
        start = found.values if np.isfinite(found.usd) and solve.program.columns.count > SMALL else None
        return _searched_on(found, lambda: search(solve, largest, gap, clock, start), seen)
    if months:  # by groups of slots, now to the end
        return _searched_on(found, lambda: solve_whole(solve, gap, clock, seen) if solve_linear(solve) else None, seen)
    return found


def _searched_on(
    found: WholeResult, more: Callable[[], WholeResult | None], seen: Callable[[Floats], None]
) -> WholeResult | None:
    """Return the better of what is known and of what one more search finds; None where there is no plan."""
    try:
        other = more()
    except StoppedError:
        if not np.isfinite(found.usd):
            raise
        return found
    if other is None:  # of plans that are no dearer there is none
        return found if np.isfinite(found.usd) else None
    if np.isfinite(other.usd):
        seen(other.values)
    return _best_of(found, other)


def _best_of(found: WholeResult, other: WholeResult) -> WholeResult:
    """Return the cheaper plan with the better bound."""
    best = other if other.usd < found.usd else found
    bound = max(found.bound_usd, other.bound_usd)
    return WholeResult(best.values, best.usd, min(best.usd, bound), found.largest)


def _single(solve: LinearSolve, sized: Columns) -> WholeResult | None:
    """Price the neighbouring sizes by the live LP; the cheapest, and of equal ones the smallest."""
    session, column = solve.session, sized.sized
    best: WholeResult | None = None
    try:
        for size in neighbours(sized, float(session.values()[column[0]])):
            session.set_column_bounds(column, np.array([size]), np.array([size]))
            if not solve_linear(solve):
                continue
            usd = session.objective()
            if best is None or usd < best.usd * (1 - 1e-12):
                values = session.values()
                values[column] = size
                best = WholeResult(values, usd, usd)
    finally:
        session.set_column_bounds(column, np.zeros(1), solve.program.columns.upper[column])
    return best
