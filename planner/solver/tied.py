"""Parts that some rows tie, for units of any size, where a case nearby was solved before.

The way of `solver.priced`, to its end: parts stay as they are, the rows are priced, and the cheapest mixture of the
parts' optima at a few prices is the optimum of the whole once it costs what the prices prove. Prices change little from
case to case, so a few rounds are enough.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from planner.model.family import Family
from planner.model.sets import Floats, Sets
from planner.solver.continuous import LinearSolve
from planner.solver.coupling import LivePart, coupling_of
from planner.solver.highs import Clock
from planner.solver.parallel import on_all_cores
from planner.solver.priced import PricedParts

EXACT, MET = 1e-11, 2e-10  # relative: what plan and bound should differ by, and may
ABOUT = (0.98, 1.02)  # times the prices of a case nearby: the next ones are likely between


def solve_tied(
    sets: Sets, families: Sequence[Family], parts: Sequence[tuple[Sets, LinearSolve]], *, prices: Floats | None,
    clock: Clock, workers: int | None = None,
) -> tuple[list[Floats], Floats] | None:  # fmt: skip
    """Find the optimum for units of any size of parts that some rows tie.

    Parameters
    ----------
    parts : each with its programme open, the families left out, and an optimum of it in HiGHS. prices : of the rows, to
        start from; those of a case nearby.

    Returns
    -------
    Values of each part's columns, and the prices; None where the rows cannot be priced, or plan and bound do not meet.
    """
    programs = [solve.program for _, solve in parts]
    coupling = coupling_of(sets, families, programs)
    if coupling is None or len(coupling.joint.cost):
        return None
    live = [
        LivePart(whole, solve, solve.program, k, np.empty(0, np.int64), np.zeros(coupling.count))
        for k, (whole, solve) in enumerate(parts)
    ]
    run = PricedParts(coupling, live, EXACT, clock, workers)
    start = np.zeros(coupling.count) if prices is None or len(prices) != coupling.count else prices
    try:
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
    finally:
        for part in live:
            part.reset()
