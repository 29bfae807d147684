"""Rows that span parts are priced, not merged: parts are solved under prices, a small master combines their plans.

Three steps, on the programme of `solver.coupling` (min Σ c[k]·x[k], lower ≤ Σ A[k]·x[k] ≤ upper, x[k] in X[k]):

1. Units of any size. Prices y of the rows by Dantzig-Wolfe: every optimum of the parts at some prices is a column of
   the master (`solver.mixture`), whose duals are the next prices; part of the way is gone from the best prices so far
   (Wentges 1997). The parts' duals at the best prices, with these, are the dual prices of the whole, so the exact
   certificate is the sum of the parts' certificates and Σ y · bound.
2. Whole units at prices y. Each part is searched by itself (`solver.single`); what is proved of it adds up to a bound
   on every whole-unit plan of all parts together (Lagrange), which is no weaker than the continuous one. Every plan on
   the size grids that a search meets is a column. It rests on the solver's word, as every tree's bound does.
3. The master chooses one set of sizes for each part. With these sizes the programme is continuous: step 1 again finds
   the best flows, which makes a plan. The master's duals are the next prices for step 2.

Where a price makes commitments free, as far from a contract's sum every dollar that is spent is, plans that sign for
nothing cost the same: parts are solved once more with a hair on commitments, and of equal mixtures the one that signs
for least is taken.

It ends when plan and bound are within the gap, or when new prices can raise the bound no more. What then stays open is
what parts lose by not being convex; `solver.find` searches on with everything in one programme.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from planner.errors import StoppedError
from planner.model.columns import columns_of
from planner.model.family import Family
from planner.model.sets import Floats, Sets
from planner.solver.all_parts import AllParts, hardly_divided, solved, together
from planner.solver.component import ComponentPlan
from planner.solver.continuous import LinearSolve
from planner.solver.coupling import HAIR, Coupling, LivePart, Proved, coupling_of, plans_of
from planner.solver.diving import Diving
from planner.solver.highs import Clock
from planner.solver.mixture import Mixture, PartPlan, mixture
from planner.solver.parallel import on_all_cores
from planner.solver.priced_results import SAME, BestPlan, Priced
from planner.solver.single import solve_sizes

ROUNDS = 60  # of prices for units of any size
SEARCHES = 12  # of whole units in all parts
FEW = 20  # of prices for fixed sizes
CLOSE = 1e-7  # relative: prices for units of any size are good enough
STILL = 1e-3  # relative: prices of the master that change by no more stay
IDLE = 4  # rounds that better nothing: then prices have to be kept from what the master does not know of
STEP = 0.7  # part of the way from the best prices to the master's
FIRST_STEP = 0.05  # where a dollar not spent has its own price: the master's first prices are the highest
DEARER = 4.0  # what the penalty for missing a row grows by where it is not enough
STEEP = 256.0  # times that penalty where sizes are chosen: there a row may be dear to keep, and must be
RAISED = 4  # how often it grows for chosen sizes: to STEEP
PENALTIES = 12  # how often it may
TURN = 0.7  # of the time left that all searches at some prices may take
SHARE = 0.4  # of the gap asked that a part's search may leave open


def solve_priced(
    sets: Sets,
    families: Sequence[Family],
    *,
    parts: Sequence[tuple[Sets, LinearSolve]],
    gap: float,
    clock: Clock,
    workers: int | None = None,
) -> list[ComponentPlan] | None:
    """Find a plan in whole units of parts that some rows tie, from the parts' optima without these rows.

    Parameters
    ----------
    sets : the whole, all families stated. families : those whose rows span parts.
    parts : each part (before its slots were merged) with its linear programme, the families left out: solved, unless
        all are hardly divided.

    Returns
    -------
    One plan a part; None where the rows cannot be priced or no plan was found this way: it says nothing of others. The
    first part's bounds hold what the rows are worth.
    """
    coupling = coupling_of(sets, families, [solve.program for _, solve in parts])
    if coupling is None:
        return None
    live = []
    for k, (whole, solve) in enumerate(parts):
        program = solve.program
        sized = columns_of(program.sets, True).sized
        live.append(LivePart(whole, solve, program, k, sized, np.zeros(coupling.count)))
    divided = not hardly_divided([part.program.columns.count for part in live], len(coupling.joint.cost))
    all_parts = None if divided else together(coupling, live, clock)
    if not all(solved(part) for part in live) if all_parts is None else not all_parts.values:
        return None
    run = PricedParts(coupling, live, gap, clock, workers, all_parts)
    try:
        return run.plans(sets, families)
    finally:
        for part in live:
            part.reset()


class PricedParts:
    """The parts of one case and the rows that tie them."""

    def __init__(
        self, coupling: Coupling, parts: list[LivePart], gap: float, clock: Clock, workers: int | None,
        whole: AllParts | None = None,
    ) -> None:  # fmt: skip
        self.coupling, self.parts, self.gap, self.clock, self.workers = coupling, parts, gap, clock, workers
        self.any_size, self.whole = not any(len(part.sized) for part in parts), whole
        optima = [[part.solve.session.values() for part in parts]] if all(map(solved, parts)) else []
        optima += [] if whole is None else [whole.values]
        first = [[p.plan(coupling, values[k], keep=self.any_size) for values in optima] for k, p in enumerate(parts)]
        usd = sum(plans[0].usd for plans in first)
        used = np.abs(sum(plans[0].use for plans in first))
        lower, upper = (np.where(np.isfinite(b), np.abs(b), 0.0) for b in (coupling.lower, coupling.upper))
        self.penalty = usd / np.maximum(np.maximum(np.maximum(lower, upper), used), 1e-9)  # all cost over all use
        self.first = [[replace(plan, sizes=b"") for plan in plans] for plans in first]

    def plans(self, sets: Sets, families: Sequence[Family]) -> list[ComponentPlan] | None:
        """Return the parts' plans; None where there is none to be had this way."""
        priced = self._priced_together(self.whole) if self.whole is not None else self._priced_by_rounds()
        if priced is None or priced.mixed is None or self.coupling.pays_unused(priced.prices):
            return None
        if self.any_size:  # the mixture is the plan
            mixed = self._signing_least(priced) or priced.mixed
            shares = zip(self.parts, self.first, mixed.shares)
            chosen = [self.mixed(part, plans, of_part) for part, plans, of_part in shares]
            found = BestPlan(mixed.usd, mixed.signed_usd, chosen, priced.bound_usd)
            return self._finished(sets, families, priced, found) if found.gap() <= self.gap else None
        best = BestPlan(bound_usd=priced.bound_usd)
        try:
            if self.whole is not None:
                self._dived(self.whole, best)
            if best.gap() > self.gap:
                self._search(priced, best)
        except StoppedError:
            if not best.values:
                raise
        if not best.values:
            return None
        if self.coupling.free_to_sign(priced.prices, [part.program for part in self.parts]):
            self._search_signing_least(priced.prices, best)
        return self._finished(sets, families, priced, best)

    def _priced_together(self, whole: AllParts) -> Priced:
        """Return the prices that the optimum of all parts together has; each part goes on from there."""
        whole.start_parts()
        rows, found = self.coupling, whole.priced()
        mixed = mixture(self.first, rows.lower, rows.upper, self.penalty, self.clock, joint=rows.joint)
        return replace(found, mixed=mixed)

    def _priced_by_rounds(self) -> Priced | None:
        """Find prices by Dantzig-Wolfe."""
        close = min(CLOSE, SHARE * self.gap) if self.any_size else CLOSE
        return self.continuous(self.first, np.zeros(self.coupling.count), close, keep=self.any_size)

    # --- units of any size, or of fixed sizes

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
            at = self._sensible(at)
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

    def _sensible(self, prices: Floats) -> Floats:
        return self.coupling.sensible(prices, [part.program for part in self.parts])

    def optimum(self, part: LivePart, prices: Floats, keep: bool) -> tuple[float, PartPlan, Floats] | None:
        """Tolled cost, plan and row duals of a part's optimum at some prices; None where it has none."""
        if not part.solved(self.coupling, prices):
            return None
        session = part.solve.session
        return session.objective(), part.plan(self.coupling, session.values(), keep), session.row_duals()

    # --- of plans that cost the same

    def _signing_least(self, priced: Priced) -> Mixture | None:
        """Find a mixture for units of any size that costs as much and signs for less; None where there is none."""
        known = priced.mixed
        if known is None or not self.coupling.free_to_sign(priced.prices, [part.program for part in self.parts]):
            return None
        prices = self._sensible(priced.prices)
        try:
            for part, plans in zip(self.parts, self.first):
                if part.solved(self.coupling, prices, HAIR):
                    plans.append(part.plan(self.coupling, part.solve.session.values(), keep=True))
        except StoppedError:
            return None
        rows = self.coupling
        found = mixture(self.first, rows.lower, rows.upper, self.penalty, self.clock, joint=rows.joint, fewest=True)
        same = found is not None and found.fits and found.usd <= known.usd + SAME * abs(known.usd)
        return found if same else None

    def _search_signing_least(self, prices: Floats, best: BestPlan) -> None:
        """Search whole units once more, for plans that cost as much and sign for less."""
        try:
            search = partial(self._searched, prices=self._sensible(prices), seconds=self._seconds(), hair=HAIR)
            on_all_cores(search, self.parts, self.workers)
            self._combine(best)
        except StoppedError:
            return  # the plan that is known is as cheap

    # --- whole units

    def _search(self, priced: Priced, best: BestPlan) -> None:
        """Search whole units at ever better prices; ``best`` holds what is found."""
        coupling = self.coupling
        at = best_at = self._sensible(priced.prices)
        tried: list[Floats] = []
        for _ in range(SEARCHES):
            tried.append(at)
            search = partial(self._searched, prices=at, seconds=self._seconds())
            bounds = [bound for bound in on_all_cores(search, self.parts, self.workers) if bound is not None]
            if len(bounds) < len(self.parts):
                return
            worth = float(np.sum(bounds)) + coupling.worth(at)
            if worth > best.bound_usd:
                best.bound_usd, best_at = worth, at
            self._combine(best)
            if best.gap() <= self.gap:
                return
            if best.values:
                self.clock.found(best.gap(), best.usd, best.bound_usd)
            plans, penalty = [p.plans for p in self.parts], self.penalty * DEARER
            mixed = mixture(plans, coupling.lower, coupling.upper, penalty, self.clock, joint=coupling.joint)
            if mixed is None or mixed.usd - best.bound_usd <= 0.2 * self.gap * abs(mixed.usd):
                return
            at = self._sensible(best_at + STEP * (mixed.prices - best_at))
            if any(np.allclose(at, old, rtol=1e-6, atol=0.0) for old in tried):
                return

    def _seconds(self) -> float:
        """How long a part may be searched, so that the last one has its turn and a plan can be made of all."""
        at_once = min(self.workers or os.cpu_count() or 1, len(self.parts))
        return TURN * self.clock.left() * at_once / len(self.parts)

    def _searched(self, part: LivePart, prices: Floats, seconds: float, hair: float = 0.0) -> float | None:
        """Search a part's whole units at some prices: its bound; its plans are kept. None where it has none."""
        if not part.solved(self.coupling, prices, hair):
            return None
        solve, clock = part.solve, part.solve.session.clock
        lowest = solve.session.objective()
        if not len(part.sized):
            self._keep(part, solve.session.values())
            return lowest
        deadline, clock.since = clock.deadline, time.monotonic()
        clock.deadline = min(deadline, clock.since + seconds)
        try:
            found = solve_sizes(solve, self.gap * SHARE, clock, lambda values: self._keep(part, values), again=True)
        except StoppedError:
            return lowest
        finally:
            clock.deadline = deadline
            part.free()
        if found is None:
            return None
        self._keep(part, found.values)
        return found.bound_usd

    def _keep(self, part: LivePart, values: Floats) -> None:
        plan = part.plan(self.coupling, np.maximum(values, 0.0), keep=True)
        if not any(plan.usd == other.usd and plan.sizes == other.sizes for other in part.plans):
            part.plans.append(plan)

    def _combine(self, best: BestPlan) -> None:
        """Let the master choose sizes, find the best flows for them, and keep the plan if it is better."""
        coupling, joint = self.coupling, self.coupling.joint
        if not all(part.plans for part in self.parts):
            return
        known_plans, steep = [p.plans for p in self.parts], self.penalty * STEEP
        lower, upper = coupling.lower, coupling.upper
        chosen = mixture(known_plans, lower, upper, steep, self.clock, whole=True, joint=joint, fewest=True)
        if chosen is None:
            return
        own: list[list[PartPlan]] = []
        fixed: list[Floats] = []
        for part, shares in zip(self.parts, chosen.shares):
            sizes = part.plans[int(np.argmax(shares))].sizes
            own.append([plan for plan in part.plans if plan.sizes == sizes])
            fixed.append(np.frombuffer(sizes) if sizes else np.zeros(0))
        if self.whole is not None:
            self._fixed(self.whole, fixed, best)
            return
        for part, size in zip(self.parts, fixed):
            part.solve.session.set_column_bounds(part.sized, size, size)
        start = mixture(own, coupling.lower, coupling.upper, self.penalty, self.clock, joint=coupling.joint)
        if start is None:
            return
        known = [len(plans) for plans in own]
        flows = self.continuous(own, start.prices, 0.02 * self.gap, keep=True, rounds=FEW)
        for part, plans, count in zip(self.parts, own, known):
            sizes = plans[0].sizes
            part.plans += [replace(plan, sizes=sizes) for plan in plans[count:]]
            part.free()
        if flows is None or flows.mixed is None:
            return
        if not best.betters(flows.mixed.usd, flows.mixed.signed_usd):
            return
        best.usd, best.signed_usd = flows.mixed.usd, flows.mixed.signed_usd
        best.values = [
            self.mixed(part, plans, shares) for part, plans, shares in zip(self.parts, own, flows.mixed.shares)
        ]

    def _dived(self, whole: AllParts, best: BestPlan) -> None:
        """Round the optimum for units of any size to a plan, and make that better."""
        dive = Diving(whole)
        dive.search()
        if dive.values:
            self._known(dive.values, dive.of_parts(), dive.usd, best)

    def _fixed(self, whole: AllParts, sizes: Sequence[Floats], best: BestPlan) -> None:
        """Find the best flows of all parts for chosen sizes, and keep the plan if it is better."""
        fixed = np.concatenate(sizes)
        if not whole.solved_in(fixed, fixed):
            return
        self._known(whole.values, sizes, whole.usd, best)

    def _known(self, values: list[Floats], sizes: Sequence[Floats], usd: float, best: BestPlan) -> None:
        """Keep a plan of all parts, and what each part does in it."""
        for part, own, size in zip(self.parts, values, sizes):
            own[part.sized] = size
            self._keep(part, own)
        signed = float(sum(part.plan(self.coupling, own).signed_usd for part, own in zip(self.parts, values)))
        if best.betters(usd, signed):
            best.usd, best.signed_usd, best.values = usd, signed, values

    def mixed(self, part: LivePart, plans: list[PartPlan], shares: Floats) -> Floats:
        """Columns of a mixture of plans of the same sizes."""
        values = np.zeros(part.program.columns.count)
        for plan, share in zip(plans, shares):
            if share > 0 and plan.columns is not None and plan.values is not None:
                values[plan.columns] += share * plan.values
        values[part.sized] = np.frombuffer(plans[0].sizes) if plans[0].sizes else np.zeros(0)
        return values

    # --- the plan

    def _finished(self, sets: Sets, families: Sequence[Family], priced: Priced, best: BestPlan) -> list[ComponentPlan]:
        for part in self.parts:
            part.reset()
            part.solve.session.clock.deadline = np.inf
        bound = max(best.bound_usd, priced.bound_usd)
        proof = Proved(best.usd, bound, priced.prices, tuple(best.values), priced.duals)
        return plans_of(self.coupling, self.parts, sets, families, proof)
