"""Rows that span parts are priced, not merged: parts are solved under prices, a small master combines their plans.

Three steps, on the programme of `solver.coupling` (min Σ c[k]·x[k], lower ≤ Σ A[k]·x[k] ≤ upper, x[k] in X[k]):

1. Units of any size. Prices y of the rows by Dantzig-Wolfe (`solver.row_prices`). The parts' duals at the best prices,
   with these, are the dual prices of the whole, so the exact certificate is the sum of the parts' certificates and
   Σ y · bound.
2. Whole units at prices y. Each part is searched by itself (`solver.single`); what is proved of it adds up to a bound
   on every whole-unit plan of all parts together (Lagrange), which is no weaker than the continuous one. Every plan on
   the size grids that a search meets is a column. It rests on the solver's word, as every tree's bound does.
3. The master chooses one set of sizes for each part; those of each part's cheapest plan at these prices are tried too.
   With chosen sizes the programme is continuous: step 1 again finds the best flows, which makes a plan. The master's
   duals give the next prices for step 2, which begins with the best plan so far.

Where a price makes commitments free, as far from a contract's sum every dollar that is spent is, plans that sign for
nothing cost the same: parts are solved once more with a hair on commitments, and of equal mixtures the one that signs
for least is taken.

It ends when plan and bound are within the gap, or when new prices can raise the bound no more. What then stays open is
what parts lose by not being convex; `solver.find` searches on with everything in one programme.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
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
from planner.solver.deployed import deploy_spent
from planner.solver.diving import Diving
from planner.solver.highs import Clock
from planner.solver.mixture import Mixture, mixture
from planner.solver.parallel import at_once, on_all_cores, put_back
from planner.solver.priced_results import SAME, BestPlan, Priced
from planner.solver.row_prices import CLOSE, DEARER, RowPrices
from planner.solver.single import solve_sizes

SEARCHES = 12  # of whole units in all parts
WAY = 0.5  # of the way from the best prices to the master's, between two such searches
FEW = 20  # of prices for fixed sizes
STEEP = 256.0  # times that penalty where sizes are chosen: there a row may be dear to keep, and must be
TURN = 0.7  # of the time left that all searches at some prices may take
LAST_SECONDS = 20.0  # for what is spent on contracts with the sizes of a finished plan
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
    with put_back(*(part.reset for part in live)):
        return run.plans(sets, families)


class PricedParts(RowPrices):
    """The parts of one case in whole units, and the rows that tie them."""

    def __init__(
        self, coupling: Coupling, parts: list[LivePart], gap: float, clock: Clock, workers: int | None,
        whole: AllParts | None = None,
    ) -> None:  # fmt: skip
        super().__init__(coupling, parts, clock, workers, None if whole is None else whole.values)
        self.gap, self.whole = gap, whole

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

    # --- of plans that cost the same

    def _signing_least(self, priced: Priced) -> Mixture | None:
        """Find a mixture for units of any size that costs as much and signs for less; None where there is none."""
        known = priced.mixed
        if known is None or not self.coupling.free_to_sign(priced.prices, [part.program for part in self.parts]):
            return None
        prices = self.sensible(priced.prices)
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
            search = partial(self._searched, prices=self.sensible(prices), seconds=self._seconds(), hair=HAIR)
            on_all_cores(search, self.parts, self.workers)
            self._combine(best)
        except StoppedError:
            return  # the plan that is known is as cheap

    # --- whole units

    def _search(self, priced: Priced, best: BestPlan) -> None:
        """Search whole units at ever better prices; ``best`` holds what is found."""
        coupling = self.coupling
        at = best_at = self.sensible(priced.prices)
        tried: list[Floats] = []
        for _ in range(SEARCHES):
            tried.append(at)
            search = partial(self._searched, prices=at, seconds=self._seconds(), known=best.values)
            bounds = [bound for bound in on_all_cores(search, self.parts, self.workers) if bound is not None]
            if len(bounds) < len(self.parts):
                return
            worth = float(np.sum(bounds)) + coupling.worth(at)
            if worth > best.bound_usd:
                best.bound_usd, best_at = worth, at
            self._combine(best, at)
            if best.gap() <= self.gap:
                return
            if best.values:
                self.clock.found(best.gap(), best.usd, best.bound_usd)
            plans, penalty = [p.plans for p in self.parts], self.penalty * DEARER
            mixed = mixture(plans, coupling.lower, coupling.upper, penalty, self.clock, joint=coupling.joint)
            if mixed is None or mixed.usd - best.bound_usd <= 0.2 * self.gap * abs(mixed.usd):
                return
            at = self.sensible(best_at + WAY * (mixed.prices - best_at))
            if any(np.allclose(at, old, rtol=1e-6, atol=0.0) for old in tried):
                return

    def _seconds(self) -> float:
        """How long a part may be searched, so that the last one has its turn and a plan can be made of all."""
        return TURN * self.clock.left() * at_once(len(self.parts), self.workers) / len(self.parts)

    def _searched(
        self, part: LivePart, prices: Floats, seconds: float, hair: float = 0.0, known: Sequence[Floats] = ()
    ) -> float | None:
        """Search a part's whole units at some prices: its bound; its plans are kept. None where it has none.

        ``known`` : the best plan so far, of each part.
        """
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
            own = known[part.number] if len(known) else None
            found = solve_sizes(
                solve, self.gap * SHARE, clock, lambda values: self._keep(part, values), again=True, known=own
            )
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

    def _combine(self, best: BestPlan, prices: Floats | None = None) -> None:
        """Find the best flows for the sizes that the master chooses, and for the cheapest at some prices.

        The master takes plans as they are, flows and all, and passes over sizes whose flows at these prices break a
        row; other flows may keep it.
        """
        if not all(part.plans for part in self.parts):
            return
        tried: list[list[bytes]] = []
        for sizes in (self._chosen_sizes(), self._cheapest_sizes(prices)):
            if sizes is not None and sizes not in tried:
                tried.append(sizes)
                self._at_sizes(sizes, best)

    def _chosen_sizes(self) -> list[bytes] | None:
        """Return one of the known sizes for each part, as the master chooses them; None where it finds none."""
        known_plans, steep, rows = [p.plans for p in self.parts], self.penalty * STEEP, self.coupling
        chosen = mixture(
            known_plans, rows.lower, rows.upper, steep, self.clock, whole=True, joint=rows.joint, fewest=True
        )
        if chosen is None:
            return None
        return [part.plans[int(np.argmax(shares))].sizes for part, shares in zip(self.parts, chosen.shares)]

    def _cheapest_sizes(self, prices: Floats | None) -> list[bytes] | None:
        """Return the sizes of each part's cheapest known plan at some prices."""
        if prices is None:
            return None
        return [min(part.plans, key=lambda p: p.usd - float(prices @ p.use)).sizes for part in self.parts]

    def _at_sizes(self, sizes: list[bytes], best: BestPlan) -> None:
        """Find the best flows for some sizes, one of each part's known ones, and keep the plan if it is better."""
        coupling = self.coupling
        own = [[plan for plan in part.plans if plan.sizes == mine] for part, mine in zip(self.parts, sizes)]
        fixed = [np.frombuffer(mine) if mine else np.zeros(0) for mine in sizes]
        if self.whole is not None:
            self._fixed(self.whole, fixed, best)
            return
        known = [len(plans) for plans in own]
        for part, size in zip(self.parts, fixed):
            part.solve.session.set_column_bounds(part.sized, size, size)

        def free() -> None:
            for part, plans, count in zip(self.parts, own, known):
                part.plans += [replace(plan, sizes=plans[0].sizes) for plan in plans[count:]]
                part.free()

        with put_back(free):
            start = mixture(own, coupling.lower, coupling.upper, self.penalty, self.clock, joint=coupling.joint)
            if start is None:
                return
            flows = self.continuous(own, start.prices, 0.02 * self.gap, keep=True, rounds=FEW)
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

    # --- the plan

    def _finished(self, sets: Sets, families: Sequence[Family], priced: Priced, best: BestPlan) -> list[ComponentPlan]:
        for part in self.parts:
            part.reset()
            part.solve.session.clock.deadline = np.inf
        bound = max(best.bound_usd, priced.bound_usd)
        self._deploy_spent(best)
        proof = Proved(best.usd, bound, priced.prices, tuple(best.values), priced.duals)
        return plans_of(self.coupling, self.parts, sets, families, proof)

    def _deploy_spent(self, best: BestPlan) -> None:
        """Deploy what is paid for beyond commitments, of each part in turn, and say what the plan then costs."""
        below = [deploy_spent(part.program, own) for part, own in zip(self.parts, best.values)]
        if all(one is own for one, own in zip(below, best.values)):
            return
        above = best.values.copy()
        for k, part in enumerate(self.parts):
            others = above.copy()

            def usd(own: Floats, k: int = k, others: list[Floats] = others) -> float:
                return self._usd([*others[:k], own, *others[k + 1 :]])

            above[k] = deploy_spent(part.program, above[k], usd)
        found = [(self._usd(one), one) for one in (below, above)]
        if self.whole is not None:
            self.whole.clock = Clock.of(LAST_SECONDS)
            with suppress(StoppedError):
                again = [self.whole.best_with(one) for one in (below, above)]
                found += [one for one in again if one is not None]
        cheapest, values = min(found, key=lambda one: one[0])
        if np.isfinite(cheapest):
            best.usd, best.values = cheapest, values

    def _usd(self, values: Sequence[Floats]) -> float:
        """Cost of some values of the columns of each part; inf where they break a row that ties parts."""
        rows = self.coupling
        plans = [[part.plan(rows, own)] for part, own in zip(self.parts, values)]
        mixed = mixture(plans, rows.lower, rows.upper, self.penalty, Clock(), joint=rows.joint)
        return np.inf if mixed is None or not mixed.fits else mixed.usd
