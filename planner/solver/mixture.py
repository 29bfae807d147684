"""The small master of priced parts: which of each part's plans, and in which shares (Dantzig and Wolfe 1960).

    min Σ_kj usd[k,j] · λ[k,j]
    lower ≤ Σ_kj use[k,j] · λ[k,j] ≤ upper                 the rows that span parts; more or less at a penalty
    Σ_j λ[k,j] = 1  for each part k,    λ ≥ 0

A mixture of plans with the same sizes is a plan with these sizes, for the rules are convex. So for whole units each
part takes one set of sizes: Σ λ over the plans that have it is 0 or 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from planner.model.sets import Floats, Ints
from planner.solver.highs import INF, OPTIMAL, Clock, quiet_highs, set_options

FINE = 1e3  # the solver's objective of a usual plan: so much finer are its prices than its tolerance
DUST = 1e-11  # shares below it are rounding
MISSED = 1e-8  # of a row's size: rounding
DEAR = 4.0  # times what a row may be missed for
MARGIN = 1e-9  # relative: how far a tolled cost stays from earning money
EQUAL = 1e-10  # relative: plans that cost as much
DEAREST = 1e12  # USD in units of the objective: no price of a plan is above, only what a missed row costs
MOST_SECONDS = 20.0  # for the choice of sizes


@dataclass(frozen=True)
class PartPlan:
    """A plan of one part: its true cost, what it uses of the rows that span parts, its sizes, its used columns.

    signed_usd : what it signs for, of the cost.
    """

    usd: float
    use: Floats
    sizes: bytes = b""
    columns: np.ndarray | None = None  # numbers and values of the used columns, where they are kept
    values: Floats | None = None
    signed_usd: float = 0.0


@dataclass(frozen=True)
class PartRows:
    """Entries of the coupling rows in the columns of a part's programme (A[k])."""

    row: Ints
    column: Ints
    value: Floats

    def activity(self, values: Floats, rows: int) -> Floats:
        """A[k]·x of some values of the columns."""
        found: Floats = np.bincount(self.row, self.value * values[self.column], rows).astype(float)
        return found

    def size(self, values: Floats, rows: int) -> Floats:
        """|A[k]|·|x|: what rounding of the activity is relative to."""
        found: Floats = np.bincount(self.row, np.abs(self.value * values[self.column]), rows).astype(float)
        return found

    def tolls(self, prices: Floats, columns: int) -> Floats:
        """−A[k]ᵀy, USD of one unit of each column."""
        found: Floats = -np.bincount(self.column, self.value * prices[self.row], columns).astype(float)
        return found


@dataclass(frozen=True)
class Joint:
    """Columns that stand in the coupling rows alone (solver.joint): their costs and entries; all are at least 0."""

    cost: Floats
    row: Ints
    column: Ints
    value: Floats

    def reduced(self, prices: Floats) -> Floats:
        """Cost of each column less what its entries earn at some prices."""
        found: Floats = self.cost - np.bincount(self.column, self.value * prices[self.row], len(self.cost))
        return found

    def allowed(self, prices: Floats) -> Floats:
        """Lower prices that make a column earn money although it costs nothing: those that earn, to what others pay."""
        found = prices.copy()
        for j in np.flatnonzero(self.cost <= 0):
            own = self.column == j
            earns = self.value[own] * found[self.row[own]]
            paid, earned = -float(earns[earns < 0].sum()), float(earns[earns > 0].sum())
            if earned > paid:
                rows = self.row[own][earns > 0]
                found[rows] *= (1 - MARGIN) * paid / earned
        return found


NO_JOINT = Joint(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class Mixture:
    """Shares of each part's plans, what they cost, prices of the rows, and whether the rows hold.

    Where they do not, the penalties are part of the cost.
    """

    usd: float
    signed_usd: float
    shares: tuple[Floats, ...]
    prices: Floats
    fits: bool


def mixture(
    plans: Sequence[Sequence[PartPlan]], lower: Floats, upper: Floats, penalty: Floats, clock: Clock,
    whole: bool = False, joint: "Joint | None" = None, fewest: bool = False,
) -> Mixture | None:  # fmt: skip
    """Find the cheapest mixture; ``whole``: one set of sizes a part. None where the solver finds none in its time.

    ``penalty`` : USD for each unit by which a row is missed. ``joint`` : columns of no part.
    ``fewest`` : of mixtures that cost as much, the one that signs for least.
    """
    own = NO_JOINT if joint is None else joint
    flat = [(k, plan) for k, of_part in enumerate(plans) for plan in of_part]
    rows, parts, count = len(lower), len(plans), len(flat)
    dearest = np.zeros(rows)
    np.maximum.at(dearest, own.row, own.cost[own.column] / np.abs(own.value))
    penalty = np.maximum(penalty, DEAR * dearest)  # it must not be cheaper to miss a row than to pay for it
    use = np.array([plan.use for _, plan in flat]).reshape(count, rows)
    size = np.maximum(np.abs(use).max(axis=0, initial=0.0), np.where(np.isfinite(lower), np.abs(lower), 0.0))
    size = np.maximum(size, np.where(np.isfinite(upper), np.abs(upper), 0.0))
    size[size <= 0] = 1.0
    usd = np.array([plan.usd for _, plan in flat])
    unit = max(float(np.abs(usd).max(initial=0.0)), 1e-9) / FINE
    h = quiet_highs()
    for price in usd / unit:
        h.addCol(price, 0.0, INF, 0, np.empty(0, np.int32), np.empty(0))
    for i in range(rows):
        for _ in "+-":
            h.addCol(penalty[i] * size[i] / unit, 0.0, INF, 0, np.empty(0, np.int32), np.empty(0))
    first = count + 2 * rows
    scale = np.full(len(own.cost), np.inf)  # of a column of no part: the smallest of its rows
    np.minimum.at(scale, own.column, size[own.row] / np.abs(own.value))
    for price in own.cost * scale / unit:
        h.addCol(price, 0.0, INF, 0, np.empty(0, np.int32), np.empty(0))
    for i in range(rows):
        used, mine = np.flatnonzero(use[:, i]), np.flatnonzero(own.row == i)
        column = np.concatenate([used, [count + 2 * i, count + 2 * i + 1], first + own.column[mine]]).astype(np.int32)
        value = np.concatenate(
            [use[used, i] / size[i], [1.0, -1.0], own.value[mine] * scale[own.column[mine]] / size[i]]
        )
        h.addRow(lower[i] / size[i], upper[i] / size[i], len(column), column, value)
    of_part = np.array([k for k, _ in flat])
    for k in range(parts):
        mine = np.flatnonzero(of_part == k).astype(np.int32)
        h.addRow(1.0, 1.0, len(mine), mine, np.ones(len(mine)))
    if whole:
        _choose_sizes(h, flat, parts)
        set_options(h, mip_rel_gap=1e-7, mip_abs_gap=0.0, mip_feasibility_tolerance=1e-9)
        set_options(h, time_limit=min(MOST_SECONDS, clock.left()))
    h.run()
    info = h.getInfo()
    if h.getModelStatus() != OPTIMAL and info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    solution = h.getSolution()
    prices = np.array(solution.row_dual)[:rows] * unit / size if not whole else np.zeros(rows)
    signed = np.array([plan.signed_usd for _, plan in flat])
    if fewest and signed.any() and _sign_least(h, signed / unit):
        solution = h.getSolution()
    share = np.array(solution.col_value)[:count]
    share = np.where(share > DUST, share, 0.0)
    missed = np.array(solution.col_value)[count : count + 2 * rows]
    shares = tuple(share[of_part == k] / share[of_part == k].sum() for k in range(parts))
    paid = np.maximum(np.array(solution.col_value)[first : first + len(own.cost)], 0.0) * scale
    cost = float(sum(s @ usd[of_part == k] for k, s in enumerate(shares)) + own.cost @ paid)
    signs = float(sum(s @ signed[of_part == k] for k, s in enumerate(shares)))
    fits = bool((missed <= MISSED).all())
    return Mixture(cost if fits else cost + float(missed @ np.repeat(penalty * size, 2)), signs, shares, prices, fits)


def _sign_least(h: highspy.Highs, signed: Floats) -> bool:
    """Find, at the cost of the optimum that is known, the mixture that signs for least; whether one was found."""
    usd, value = np.array(h.getLp().col_cost_), np.maximum(np.array(h.getSolution().col_value), 0.0)
    held = np.flatnonzero(usd > DEAREST).astype(np.int32)  # they are as good as 0, and stay so
    most = float(h.getInfo().objective_function_value) - float((usd[held] * value[held]).sum())
    h.changeColsBounds(len(held), held, np.zeros(len(held)), value[held])
    priced = np.flatnonzero((usd != 0) & (usd <= DEAREST)).astype(np.int32)
    h.addRow(-INF, most + EQUAL * abs(most), len(priced), priced, usd[priced])
    column = np.arange(len(usd), dtype=np.int32)
    h.changeColsCost(len(usd), column, np.append(signed, np.zeros(len(usd) - len(signed))))
    h.run()
    return bool(h.getModelStatus() == OPTIMAL)


def _choose_sizes(h: highspy.Highs, flat: list[tuple[int, PartPlan]], parts: int) -> None:
    """Let each part take the plans of one set of sizes only: a 0/1 column for each set where there are several."""
    for k in range(parts):
        sizes: dict[bytes, list[int]] = {}
        for j, (part, plan) in enumerate(flat):
            if part == k:
                sizes.setdefault(plan.sizes, []).append(j)
        if len(sizes) < 2:
            continue
        for mine in sizes.values():
            taken = h.getNumCol()
            h.addCol(0.0, 0.0, 1.0, 0, np.empty(0, np.int32), np.empty(0))
            h.changeColsIntegrality(1, np.array([taken], np.int32), np.array([highspy.HighsVarType.kInteger]))
            column = np.array([*mine, taken], np.int32)
            h.addRow(0.0, 0.0, len(column), column, np.append(np.ones(len(mine)), -1.0))
