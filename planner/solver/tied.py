"""Parts that some rows tie, for units of any size, where a case nearby was solved before.

Parts stay as they are, and the rows are priced. Where one row binds, as a cap does, its price is found by itself
(`solver.one_price`). Several are priced in the way of `solver.row_prices`, to its end: the cheapest mixture of the
parts' optima at a few prices is the optimum of the whole once it costs what the prices prove. Prices change little from
case to case, so a few rounds are enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from planner.model.family import Family
from planner.model.sets import Bools, Floats, Sets
from planner.solver.continuous import LinearSolve
from planner.solver.coupling import Coupling, LivePart, coupling_of
from planner.solver.highs import Clock
from planner.solver.one_price import PartLines, TiedPart, priced_by_one
from planner.solver.parallel import on_all_cores, put_back
from planner.solver.row_prices import RowPrices

EXACT, MET = 1e-11, 2e-10  # relative: what plan and bound should differ by, and may
SLACK = 1e-9  # relative: what a row may be missed by
ABOUT = (0.98, 1.02)  # times the prices of a case nearby: the next ones are likely between


@dataclass
class OpenPart:
    """A part with its programme open in HiGHS, the families left out; the lines of it that are known, for the next."""

    whole: Sets
    solve: LinearSolve
    lines: PartLines | None = None


def solve_tied(
    sets: Sets, families: Sequence[Family], parts: Sequence[OpenPart], *, prices: Floats | None,
    clock: Clock, solved: bool = True, workers: int | None = None,
) -> tuple[list[Floats], Floats] | None:  # fmt: skip
    """Find the optimum for units of any size of parts that some rows tie.

    Parameters
    ----------
    parts : each with an optimum in HiGHS where they are `solved`. Those that are not can be tried only where the prices
        say which row binds. prices : of the rows, to start from; those of a case nearby.

    Returns
    -------
    Values of each part's columns, and the prices; None where the rows cannot be priced, or plan and bound do not meet.
    """
    programs = [part.solve.program for part in parts]
    coupling = coupling_of(sets, families, programs)
    if coupling is None or len(coupling.joint.cost):
        return None
    start = np.zeros(coupling.count) if prices is None or len(prices) != coupling.count else prices
    by_one = _by_one(coupling, parts, start, solved, workers)
    if by_one is not None or not solved:
        return by_one
    live = [
        LivePart(part.whole, part.solve, part.solve.program, k, np.empty(0, np.int64), np.zeros(coupling.count))
        for k, part in enumerate(parts)
    ]
    run = RowPrices(coupling, live, clock, workers)
    with put_back(*(part.reset for part in live)):
        for factor in ABOUT if start.any() else ():
            near = coupling.sensible(factor * start, programs)
            found = on_all_cores(partial(run.optimum, prices=near, keep=True), live, workers)
            for plans, one in zip(run.first, found, strict=True):
                plans += [] if one is None else [one[1]]
        priced = run.continuous(run.first, start, EXACT, keep=True, step=1.0)
        if priced is None or priced.mixed is None:
            return None
        if priced.mixed.usd - priced.bound_usd > MET * abs(priced.mixed.usd):
            return None
        return [run.mixed(*one) for one in zip(live, run.first, priced.mixed.shares)], priced.prices


def _by_one(
    coupling: Coupling, opened: Sequence[OpenPart], prices: Floats, solved: bool, workers: int | None
) -> tuple[list[Floats], Floats] | None:
    """Find the optimum where one row binds: the only one that the parts' optima break, or that had a price."""
    before = [one.solve.session.values() for one in opened] if solved else []
    rows = np.flatnonzero(_broken(coupling, before) if solved else prices)
    if len(rows) != 1:
        return None
    row = int(rows[0])
    sign, bound = (1.0, coupling.upper[row]) if np.isfinite(coupling.upper[row]) else (-1.0, -coupling.lower[row])
    if np.isfinite(coupling.upper[row]) and np.isfinite(coupling.lower[row]):
        return None
    parts = [
        TiedPart(one.solve, own.column[own.row == row], sign * own.value[own.row == row])
        for one, own in zip(opened, coupling.parts, strict=True)
    ]
    for part, one in zip(parts, opened, strict=True):
        part.recall(one.lines)
    for part, values in zip(parts, before) if solved else ():
        part.note(0.0, values)
        part.last = 0.0
    with put_back(*(part.reset for part in parts)):
        found = priced_by_one(parts, bound, abs(float(prices[row])), workers)
    if found is None or _broken(coupling, found[0]).any():
        return None
    for part, one in zip(parts, opened, strict=True):
        one.lines = part.lines(found[1])
    price = np.zeros(coupling.count)
    price[row] = -sign * found[1]
    return found[0], price


def _broken(coupling: Coupling, values: Sequence[Floats]) -> Bools:
    """Tell which rows some values of the parts' columns break."""
    used = sum(own.activity(v, coupling.count) for own, v in zip(coupling.parts, values, strict=True))
    size = sum(own.size(v, coupling.count) for own, v in zip(coupling.parts, values, strict=True))
    most = SLACK * size
    return np.asarray((used > coupling.upper + most) | (used < coupling.lower - most))
