"""Prices of the rows that span parts, for units of any size or of fixed sizes, by Dantzig and Wolfe.

Every optimum of the parts at some prices is a column of the master (`solver.mixture`), whose duals are the next prices;
part of the way is gone from the best prices so far (Wentges 1997).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from planner.model.sets import Floats
from planner.solver.all_parts import solved
from planner.solver.coupling import Coupling, LivePart
from planner.solver.highs import Clock
from planner.solver.mixture import PartPlan, mixture
from planner.solver.parallel import on_all_cores
from planner.solver.priced_results import Priced

ROUNDS = 60  # of prices for units of any size
CLOSE = 1e-7  # relative: prices for units of any size are good enough
STILL = 1e-3  # relative: prices of the master that change by no more stay
IDLE = 4  # rounds that better nothing: then prices have to be kept from what the master does not know of
STEP = 0.7  # part of the way from the best prices to the master's
FIRST_STEP = 0.05  # where a dollar not spent has its own price: the master's first prices are the highest
DEARER = 4.0  # what the penalty for missing a row grows by where it is not enough
RAISED = 4  # how often it may grow for chosen sizes
PENALTIES = 12  # for sizes that are free


class RowPrices:
    """Parts alive in HiGHS, and the rows that tie them.

    first : each part's plans at the optima that are known. penalty : for missing a row, USD a unit of it; so also the
    largest price.
    """

    def __init__(
        self, coupling: Coupling, parts: list[LivePart], clock: Clock, workers: int | None,
        together: Sequence[Floats] | None = None,
    ) -> None:  # fmt: skip
        self.coupling, self.parts, self.clock, self.workers = coupling, parts, clock, workers
        self.any_size = not any(len(part.sized) for part in parts)
        optima = [[part.solve.session.values() for part in parts]] if all(map(solved, parts)) else []
        optima += [] if together is None else [list(together)]
        first = [[p.plan(coupling, values[k], keep=self.any_size) for values in optima] for k, p in enumerate(parts)]
        usd = sum(plans[0].usd for plans in first)
        used = np.abs(sum(plans[0].use for plans in first))
        lower, upper = (np.where(np.isfinite(b), np.abs(b), 0.0) for b in (coupling.lower, coupling.upper))
        self.penalty = usd / np.maximum(np.maximum(np.maximum(lower, upper), used), 1e-9)  # all cost over all use
        self.first = [[replace(plan, sizes=b"") for plan in plans] for plans in first]

    def continuous(
        self, plans: list[list[PartPlan]], prices: Floats, close: float = CLOSE, keep: bool = False,
        rounds: int = ROUNDS, step: float = STEP,
    ) -> Priced | None:  # fmt: skip
        """Prices of the rows by Dantzig-Wolfe from the parts' live programmes; None where the rows cannot be kept.

        ``plans`` are those known; each optimum met is added (``keep``: with its values). The penalty for missing a row
        is also the largest price: it grows as long as the rows are not kept at it.
        """
        coupling, penalty, dearer = self.coupling, self.penalty, 0
        best, far_step, idle, highest = Priced(prices, -np.inf, (), None), step, 0, None
        for round_ in range(rounds):
            at = prices
            if best.mixed is not None:
                highest = best.mixed.prices if highest is None else highest
                far = np.full(coupling.count, far_step)
                if len(coupling.joint.cost):
                    own = np.isinf(coupling.upper) & (best.mixed.prices == highest)
                    far[own] = min(far_step, FIRST_STEP * 2**round_)
                    far[np.isfinite(coupling.upper)] = 1.0 if round_ == 1 else far_step
                at = best.prices + far * (best.mixed.prices - best.prices)
            at = self.sensible(at)
            found = [
                one
                for one in on_all_cores(partial(self.optimum, prices=at, keep=keep), self.parts, self.workers)
                if one is not None
            ]
            if len(found) < len(self.parts):
                return None
            for of_part, (_, plan, _) in zip(plans, found):
                of_part.append(plan)
            worth = sum(usd for usd, _, _ in found) + coupling.worth(at)
            before = best
            if worth > best.bound_usd:
                best = replace(best, prices=at, bound_usd=worth, duals=tuple(duals for _, _, duals in found))
            mixed = mixture(plans, coupling.lower, coupling.upper, penalty, self.clock, joint=coupling.joint)
            while mixed is not None and not mixed.fits and mixed.usd - best.bound_usd <= close * abs(best.bound_usd):
                if dearer == (RAISED if keep and not self.any_size else PENALTIES):
                    return None
                penalty, dearer = penalty * DEARER, dearer + 1
                if not keep:
                    self.penalty = penalty * DEARER  # of whole units, which need more
                mixed = mixture(plans, coupling.lower, coupling.upper, penalty, self.clock, joint=coupling.joint)
            if mixed is None:
                return None
            if len(coupling.joint.cost) and best.mixed is not None:  # prices that stay are the best: all the way
                still = np.abs(mixed.prices - best.mixed.prices).max() <= STILL * np.abs(mixed.prices).max()
                far_step = 1.0 if still and far_step < 1.0 else step
            best = replace(best, mixed=mixed)
            if mixed.fits and mixed.usd - best.bound_usd <= close * abs(mixed.usd):
                break
            known = np.inf if before.mixed is None else before.mixed.usd
            idle = idle + 1 if best.bound_usd <= before.bound_usd and mixed.usd >= known else 0
            if idle == IDLE:
                break
        return best if best.mixed is not None and best.mixed.fits else None

    def sensible(self, prices: Floats) -> Floats:
        """Return prices of the right sign, at which nothing earns money."""
        return self.coupling.sensible(prices, [part.program for part in self.parts])

    def optimum(self, part: LivePart, prices: Floats, keep: bool) -> tuple[float, PartPlan, Floats] | None:
        """Tolled cost, plan and row duals of a part's optimum at some prices; None where it has none."""
        if not part.solved(self.coupling, prices):
            return None
        session = part.solve.session
        return session.objective(), part.plan(self.coupling, session.values(), keep), session.row_duals()

    def mixed(self, part: LivePart, plans: list[PartPlan], shares: Floats) -> Floats:
        """Columns of a mixture of plans of the same sizes."""
        values = np.zeros(part.program.columns.count)
        for plan, share in zip(plans, shares):
            if share > 0 and plan.columns is not None and plan.values is not None:
                values[plan.columns] += share * plan.values
        values[part.sized] = np.frombuffer(plans[0].sizes) if plans[0].sizes else np.zeros(0)
        return values
