"""Bounds on every column of an open programme that no optimum needs, so that the dual simplex can start anywhere.

From the basis of another case's optimum, prices and bounds have both moved: it is neither primal nor dual feasible. A
column without an upper bound then needs a first phase, which takes longer than a solve from scratch (measured: up to
ten times). One with a bound on either side is put where its reduced cost wants it, and the second phase begins at once.

A flow is bounded by the demand that it serves, as its row says already. Every other column gets a large bound; where an
optimum lies on one, or there is none, the bounds are taken off and the simplex method goes on.

Pools whose units cannot be had by the hour, beside a case where they can: a bound of 0 in place of no column.

A case that refuses new units in a region has no price by the hour there. With the price of the other case its programme
has the same columns, and with those units at 0 the same plans.
"""

from dataclasses import dataclass, replace

import numpy as np

from planner.model.program import LinearProgram
from planner.model.sets import Floats, Sets
from planner.schema.capacity import Pool
from planner.schema.case import Case
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.highs import INF

LARGE = 2.0**13  # times a typical value of the column
ON = 0.999  # of the bound: a value lies on it


def box(solve: LinearSolve, large: float | None = None) -> None:
    """Bound every column; ``large``: times a typical value, where nothing else is known (None: LARGE)."""
    upper = _known(solve.program)
    free = np.isinf(upper)
    upper[free] = np.minimum((LARGE if large is None else large) * solve.session.scale.column[free], INF)
    solve.session.set_column_bounds(np.arange(len(upper)), np.zeros(len(upper)), upper)


def is_inside(solve: LinearSolve, values: Floats) -> bool:
    """Whether no value lies on a large bound."""
    free = np.isinf(_known(solve.program))
    return bool(np.all(values[free] < ON * LARGE * solve.session.scale.column[free]))


def solve_boxed(solve: LinearSolve) -> bool:
    """Solve to optimality, after `box`; False when no plan exists. Neither answer rests on a large bound."""
    if solve_linear(solve) and is_inside(solve, solve.session.values()):
        return True
    box(solve, np.inf)
    return solve_linear(solve)


def _known(program: LinearProgram) -> Floats:
    """Return what each column can be at most: by its own bound, and as the flows of a need add up to its demand."""
    upper = program.columns.upper.copy()
    for rows in program.families:
        if rows.family != "balance" or not rows.count:
            continue
        least = np.zeros(rows.count)
        np.minimum.at(least, rows.row, rows.value)
        sums = least[rows.row] >= 0
        np.minimum.at(upper, rows.column[sums], rows.upper[rows.row[sums]] / rows.value[sums])
    return upper


@dataclass(frozen=True)
class Closed:
    """A case with the prices by the hour of another one, and the pools that have none in truth."""

    case: Case
    pools: frozenset[str] = frozenset()

    @classmethod
    def beside(cls, case: Case, pools: tuple[Pool, ...]) -> "Closed":
        """Give a case the prices by the hour of some pools, where its own differ in that some have none."""
        if case.pools == pools or len(case.pools) != len(pools):
            return cls(case)
        pairs = list(zip(case.pools, pools, strict=True))
        closed = [own.pool for own, other in pairs if own != other]
        if any(own != other.model_copy(update={"usd_per_unreserved_unit_hour": None})
               for own, other in pairs if own != other):  # fmt: skip
            return cls(case)
        return cls(replace(case, pools=pools), frozenset(closed))

    def bounded(self, program: LinearProgram) -> LinearProgram:
        """Bound the units by the hour of closed pools by 0."""
        if not self.pools:
            return program
        at, upper = program.columns, program.columns.upper.copy()
        shut = at.unreserved[program.sets.meters["pool"].isin(self.pools).to_numpy(bool)]
        upper[shut[shut >= 0]] = 0.0
        return replace(program, columns=replace(at, upper=upper))

    def truly(self, sets: Sets, case: Case) -> Sets:
        """Return sets of the case as the case itself has them."""
        if not self.pools:
            return sets
        price = sets.meters["usd_per_unreserved_unit_hour"].to_numpy(float)
        shut = sets.meters["pool"].isin(self.pools).to_numpy(bool)
        meters = sets.meters.assign(usd_per_unreserved_unit_hour=np.where(shut, np.nan, price))
        return replace(sets, meters=meters, case=case)
