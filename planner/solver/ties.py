"""Among plans of equal cost, one by rule: fewest committed dollars, then offers already held, then the order of names.

The optimal face is known from one optimum and its duals (complementary slackness): columns with a reduced cost stay at
their bound, rows with a dual stay tight. On it the next objectives are minimised one after another, each face within
the last. The published duals and the certificate are those of the cost, found before.
"""

import highspy
import numpy as np

from planner.model.sets import Floats
from planner.solver.highs import set_options
from planner.solver.linear import LinearSolve, solve_linear

ZERO = 3e-9  # reduced costs and duals (scaled) up to the solver's tolerance are none


def choose_by_rule(solve: LinearSolve) -> Floats:
    """Move the session along its optimal face; the values of the chosen optimum. The session is left on that face."""
    session, at = solve.session, solve.program.columns
    if not len(at.committed):
        return session.values()
    set_options(session.highs, simplex_strategy=4)  # the basis is primal feasible, the new costs are not dual feasible
    for cost in _objectives(solve):
        if not cost.any():
            continue
        _stay_on_face(session.highs)
        session.set_costs(cost)
        if not solve_linear(solve):
            raise ArithmeticError("the optimal face is empty")
    return session.values()


def _objectives(solve: LinearSolve) -> list[Floats]:
    """Costs of the columns, first to last, each in USD so that the scale fits."""
    sets, at = solve.program.sets, solve.program.columns
    dollars = sets.purchases["committed_usd_per_unit"].to_numpy(float)
    new = ~sets.purchases["held"].to_numpy(bool)
    rank = np.arange(1, len(dollars) + 1) / len(dollars)  # purchases stand in the order of offers and periods
    found = []
    for weight in (dollars, dollars * new, dollars * rank):
        cost = np.zeros(at.count)
        cost[at.committed] = weight
        found.append(cost)
    return found


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
