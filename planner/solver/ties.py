"""Among plans of equal cost, one by rule: fewest committed dollars, then offers already held, then the order of names.

The optimal face is known from one optimum and its duals (complementary slackness): columns with a reduced cost stay at
their bound, rows with a dual stay tight. On it the next objectives are minimised one after another, each face within
the last. The published duals and the certificate are those of the cost, found before. Mostly the optimum is the chosen
one already, which its basis tells without solving again.
"""

import highspy
import numpy as np

from planner.model.family import Reduction
from planner.model.sets import Floats
from planner.model.structure import breaks
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.highs import PRIMAL, TOLERANCE, set_options
from planner.solver.scaling import column_scale

ON_GRID = 1e-9  # steps
ROUNDING = 1e-11  # relative, of sums of costs
ZERO = 3e-9  # reduced costs and duals (scaled) up to the solver's tolerance are none


def choose_by_rule(solve: LinearSolve) -> Floats:
    """Move the session along its optimal face; the values of the chosen optimum. The session is left on that face."""
    session, at = solve.session, solve.program.columns
    if not len(at.committed) or _is_chosen(solve):
        return session.values()
    set_options(
        session.highs, simplex_strategy=PRIMAL
    )  # the basis is primal feasible, the new costs are not dual feasible
    for cost in _objectives(solve):
        if not cost.any():
            continue
        _stay_on_face(session.highs)
        session.set_costs(cost)
        if not solve_linear(solve):
            raise ArithmeticError("the optimal face is empty")
    return session.values()


def equal_offers_by_rule(solve: LinearSolve, values: Floats) -> Floats:
    """Hand what equal offers hold together to one by rule: those held first, then by name.

    Equal: same meter, months, price and sizes. The first takes all where its sizes allow it, else the most. Where
    changes against the last plan are charged, offers are not equal; nor where a rule or a cost term tells them apart.
    """
    if solve.program.sets.keep is not None:
        return values
    bought, found = solve.program.sets.purchases, values.copy()
    held = bought["held"].to_numpy(bool)
    columns = solve.program.columns.committed
    for rows in bought.groupby([c for c in bought.columns if c not in ("offer", "held")]).indices.values():
        order = columns[rows[np.argsort(~held[rows], kind="stable")]]
        units = found[order]
        low, step, top = (float(bought[c].iloc[rows[0]]) for c in ("min_units", "unit_step", "max_units"))
        total = float(units.sum())
        stepped = step <= 0 or abs((total - low) / step - round((total - low) / step)) < ON_GRID
        takes_all = low <= total <= top and (stepped or not solve.program.sets.whole_units)
        found[order] = [total, *np.zeros(len(order) - 1)] if takes_all else -np.sort(-units)
    program = solve.program
    scale = column_scale(program.sets, program.columns)
    dearer = float(program.cost @ found) > float(program.cost @ values) * (1 + ROUNDING)
    return values if dearer or breaks(program, found, scale, Reduction.FOLLOWS) else found


def _objectives(solve: LinearSolve) -> list[Floats]:
    """Costs of the columns, first to last, each in USD so that the scale fits."""
    sets, at = solve.program.sets, solve.program.columns
    dollars = sets.purchases["committed_usd_per_unit"].to_numpy(float)
    new = ~sets.purchases["held"].to_numpy(bool)
    rank = np.arange(1, len(dollars) + 1) / len(dollars)  # purchases stand in the order of offers and periods
    found = []
    held = [] if new.all() else [dollars * new]  # where nothing is held, as the first
    for weight in (dollars, *held, dollars * rank):
        cost = np.zeros(at.count)
        cost[at.committed] = weight
        found.append(cost)
    return found


def _is_chosen(solve: LinearSolve) -> bool:
    """Whether no step along the optimal face betters an objective while those before it stay as they are.

    On the face only columns and rows outside the basis without a reduced cost or dual can move, one by one. With
    y = B⁻ᵀ c_B for an objective c, a step of column j changes it by c[j] − a[j]·y, one of row i's activity by y[i].
    """
    session, h = solve.session, solve.session.highs
    status, basic = h.getBasicVariables()
    if status != highspy.HighsStatus.kOk:
        return False
    solution, columns, rows = h.getSolution(), h.getNumCol(), h.getNumRow()
    free = np.ones(columns + rows, bool)
    free[np.where(basic >= 0, basic, columns - 1 - basic)] = False
    free &= np.abs(np.concatenate([solution.col_dual, solution.row_dual])) <= ZERO
    lp = h.getLp()
    lower, upper = np.concatenate([lp.col_lower_, lp.row_lower_]), np.concatenate([lp.col_upper_, lp.row_upper_])
    movable = np.flatnonzero(free & (lower < upper))
    if not len(movable):
        return True
    value = np.concatenate([solution.col_value, solution.row_value])[movable]
    up = np.where(np.abs(value - lower[movable]) <= np.abs(upper[movable] - value), 1.0, -1.0)
    entries = [h.getColEntries(int(j))[1:] if j < columns else None for j in movable]
    for cost in _objectives(solve):
        scaled = session.scaled_costs(cost)
        rhs = np.where(basic >= 0, scaled[np.maximum(basic, 0)], 0.0)
        price = np.array(h.getBasisTransposeSolve(rhs)[1])
        step = np.array([
            price[j - columns] if entry is None else scaled[j] - float(entry[1] @ price[entry[0]])
            for j, entry in zip(movable, entries)
        ]) * up  # fmt: skip
        if (step < -TOLERANCE).any():
            return False
        still = np.abs(step) <= TOLERANCE
        movable, up, entries = movable[still], up[still], [e for e, kept in zip(entries, still) if kept]
    return True


def _stay_on_face(h: highspy.Highs) -> None:
    """Fix what complementary slackness fixes at the present optimum."""
    solution, lp = h.getSolution(), h.getLp()
    value, reduced = np.array(solution.col_value), np.array(solution.col_dual)
    fixed = np.flatnonzero(np.abs(reduced) > ZERO).astype(np.int32)
    h.changeColsBounds(len(fixed), fixed, np.maximum(value[fixed], 0.0), np.maximum(value[fixed], 0.0))
    dual = np.array(solution.row_dual)
    lower, upper = np.array(lp.row_lower_), np.array(lp.row_upper_)
    tight = np.flatnonzero((np.abs(dual) > ZERO) & (lower != upper)).astype(np.int32)
    side = np.where(dual[tight] > 0, lower[tight], upper[tight])
    tight, side = tight[np.isfinite(side)], side[np.isfinite(side)]
    h.changeRowsBounds(len(tight), tight, side, side)
