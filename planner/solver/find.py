"""From a case to its plan: split, solve on all cores, prove, and put the parts together."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from planner.errors import PlannerError, StoppedError
from planner.model.constraints.risk import FAMILY as RISK
from planner.model.family import Family
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve, spanning
from planner.model.reduce.slots import Line, at_home, with_kept, with_most
from planner.model.sets import AskedOf, Keep, Sets
from planner.plan.plan import Plan, Proof, Status, gap_of
from planner.schema.case import Case
from planner.solver import assemble
from planner.solver.all_parts import hardly_divided
from planner.solver.assemble import check_rows, keep_rows
from planner.solver.begun import Begun, begin, finish
from planner.solver.component import HIGHS, ComponentPlan, decided, reduced_program
from planner.solver.continuous import LinearSolve, open_program
from planner.solver.highs import Clock, swallow_banner
from planner.solver.infeasible import explain
from planner.solver.joint import JOINT
from planner.solver.least_tail import cheapest_of_least_tail
from planner.solver.parallel import at_once, on_all_cores
from planner.solver.priced import solve_priced
from planner.solver.rough import ROUNDING, better, cheaper, closed, may_sign_less, rough_plans
from planner.solver.session import sunk_usd
from planner.solver.single import DIRECT_AGAIN
from planner.solver.starts import Starts
from planner.solver.store import Store
from planner.solver.totals import risk_of, totals_of
from planner.solver.watched import Told

DEFAULT_GAP = 1e-4
PATIENCE_SECONDS = 120.0
ANY_SIZE_GAP = 5e-7  # relative gap asked of units of any size
OF_REASON = 0.25  # of the time limit: what the search for the reason why there is no plan has at least
LARGE = 50_000  # ways times slots: from there on a row over all flows is slow in one programme, and is priced


@dataclass(frozen=True)
class Kept:
    """What the last plan bought, and how much a change of it weighs: ``units`` and ``limit`` by (offer, period)."""

    keep: Keep
    units: Mapping[Line, float]
    limit: Mapping[Line, float] = field(default_factory=dict)

    def of(self, sets: Sets) -> Sets:
        """Return the sets with the kept purchases."""
        return with_kept(sets, self.keep, self.units, self.limit)


@dataclass(frozen=True)
class Options:
    """How to solve.

    gap : relative gap asked of whole units. workers : threads; None: all cores.
    time_limit_seconds : of one search; None: no limit. until : in seconds of time.monotonic: when every search ends.
    patience_seconds : without a time limit, a search of whole units that has a plan goes on for as long again as the
        plan took, at least so long (five times where its gap is above 1 %).
    solver : highs, or a solver that PuLP knows.
    store : folder that keeps the answers of components (None: nothing is kept).
    stress : share of its demand that a stress case asks for, of a need in a period; 1 where it is not named.
    kept : purchases of the last plan whose change is charged. The plan's totals leave that charge out, its bound does
        not: `features.resolve.keep` puts the bound of the plan that is free to move in its place.
    most : most units to buy of each line, 0 of one not named (None: as the case says); the bound is then of that case.
    starts : optima of other cases to start from, to which those of this case are added. The plan is the same.
    tell : is given cost and bound (USD) of the part that is being searched, as they get better; None: nobody listens.
    """

    gap: float = DEFAULT_GAP
    time_limit_seconds: float | None = None
    workers: int | None = None
    solver: str = HIGHS
    store: Path | None = None
    kept: Kept | None = None
    most: Mapping[Line, float] | None = None
    stress: Mapping[AskedOf, float] = field(default_factory=dict)
    starts: Starts | None = None
    until: float = np.inf
    patience_seconds: float = PATIENCE_SECONDS
    tell: Told | None = None

    def clock(self) -> Clock:
        """Start a clock for a search."""
        clock = replace(Clock.of(self.time_limit_seconds, self.until), tell=self.tell)
        return clock if np.isfinite(clock.deadline) else replace(clock, patience=self.patience_seconds)

    def share(self, searches: float) -> "Options":
        """Return the options of the next of some searches, each of which may take as much of the time that is left."""
        now = time.monotonic()
        return replace(self, until=now + max(0.0, self.until - now) / searches)


def find_plan(case: Case, options: Options = Options(), progress: Callable[[int, int], None] | None = None) -> Plan:
    """Find the cheapest plan of a case.

    ``progress`` is given (components done, all components).

    Raises
    ------
    InfeasibleError : no plan meets every rule; the text says what cannot be met.
    StoppedError : the time limit ran out before there was a plan.
    """
    began, clock = time.monotonic(), options.clock()
    until = clock.deadline
    sets, plans, stuck = _components(case, options, clock, progress)
    if stuck:
        least = time.monotonic() + OF_REASON * (until - began)
        error = explain(case, stuck, replace(clock, deadline=max(until, least)))
        if options.solver != HIGHS and not error.shortfalls:
            raise PlannerError(f"--solver {options.solver} finds no plan, though there are some: use --solver highs")
        raise error
    return _plan(case, sets, plans, replace(options, until=until))


def find_if_any(
    case: Case, options: Options = Options(), progress: Callable[[int, int], None] | None = None
) -> Plan | None:
    """Find the cheapest plan of a case as `find_plan` does; None, without the search for reasons, where there is none.

    Raises
    ------
    StoppedError : the time limit ran out before there was a plan.
    """
    until = (clock := options.clock()).deadline
    sets, plans, stuck = _components(case, options, clock, progress)
    return None if stuck else _plan(case, sets, plans, replace(options, until=until))


def find_cost(case: Case, options: Options = Options(), progress: Callable[[int, int], None] | None = None
) -> float | None:  # fmt: skip
    """Find the cost of the cheapest plan of a case (USD, earlier commitments included); None: there is no plan.

    The same search as `find_if_any`, without the plan's tables; it raises the same.
    """
    if case.settings.policy.risk.weight >= 1:
        plan = find_if_any(case, options, progress)
        return None if plan is None else plan.totals.total_usd
    sets, plans, stuck = _components(case, options, options.clock(), progress)
    return None if stuck else totals_of(case, sets, plans).total_usd


def _components(
    case: Case, options: Options, clock: Clock, progress: Callable[[int, int], None] | None
) -> tuple[Sets, list[ComponentPlan], list[Sets]]:
    """Solve all components: the sets of the whole, the plans, and the components that have none."""
    if options.solver != HIGHS:
        from planner.solver.other_solvers import other_solver

        other_solver(options.solver)  # a wrong name is refused before any work
    swallow_banner()  # here, before the threads
    sets, stress = sets_of(case), options.stress
    if stress:
        sets = sets.asking(stress)
    sets = at_home(with_most(sets if options.kept is None else options.kept.of(sets), options.most))
    wide = spanning(sets)
    names = [family.name for family in wide]
    loose = sets.without(names)
    apart = {*JOINT} & {*names}  # rows with columns of no part: their prices are bounded, and soon found
    slow = sets.has_size_rules or apart or len(sets.arcs) * len(sets.slots) > LARGE  # searches, and rows of all flows
    if wide and slow and options.solver == HIGHS:
        plans, stuck = _tied(sets, wide, loose=loose, options=options, clock=clock, progress=progress)
    else:
        plans, stuck = _solve(loose, options, clock, progress)
        if not stuck and not keep_rows(sets, wide, plans, sized=True):
            plans, stuck = _solve(sets, options, clock, progress)
    if not stuck:
        check_rows(sets, plans, names)
    return sets, plans, stuck


Parts = tuple[list[Sets], dict[int, ComponentPlan]]  # parts, and rough plans of them by identity
Found = tuple[list[ComponentPlan], list[Sets]]  # plans, and the parts that have none


def _tied(
    sets: Sets, wide: Sequence[Family], *, loose: Sets, options: Options, clock: Clock,
    progress: Callable[[int, int], None] | None,
) -> Found:  # fmt: skip
    """Solve parts in whole units that some rows may tie: as they are, else under prices, else all in one programme."""
    known = _parts(sets, options, clock) if np.isfinite(clock.deadline) else None
    parts, rough = known or ([], {})
    spare = [rough[id(part)] for part in parts if id(part) in rough]
    kept = len(spare) == len(parts) > 0 and keep_rows(sets, wide, spare, sized=True, free=False)
    try:
        found = _tied_finely(sets, wide, loose=loose, known=known, options=options, clock=clock, progress=progress)
    except StoppedError:
        if not kept:
            raise
        return spare, []
    return found if found[1] or not kept else (better(found[0], spare), [])


def _tied_finely(
    sets: Sets, wide: Sequence[Family], *, loose: Sets, known: Parts | None, options: Options, clock: Clock,
    progress: Callable[[int, int], None] | None,
) -> Found:  # fmt: skip
    """Go the same way, of which ``known`` is the last step's start, where it is known already."""
    gap = options.gap if sets.has_size_rules else ANY_SIZE_GAP
    priced = _together(sets, wide, loose=loose, gap=gap, options=options, clock=clock.again())
    if priced is not None:
        return _searched_on(sets, priced, gap=gap, known=known, options=options, clock=clock, progress=progress)
    store = None if options.store is None else Store(options.store)
    begun = on_all_cores(lambda part: begin(part, options, clock, store), parts_to_solve(loose), options.workers)
    if not begun:  # nothing to serve, and money that must be spent all the same
        return _solve(sets, options, clock, progress, known)
    so_far = [decided(b.found) if isinstance(b.found, LinearSolve) else b.found for b in begun if b.found is not None]
    if len(so_far) < len(begun) or keep_rows(sets, wide, so_far, sized=False):
        plans, stuck = _finished(begun, options, progress, store, clock)
        if stuck or keep_rows(sets, wide, plans, sized=True):
            return plans, stuck
        begun = on_all_cores(lambda b: begin(b.part, options, clock, None), begun, options.workers)
    if not searched_whole(sets, wide, begun) and all(isinstance(b.found, LinearSolve) for b in begun):
        parts = [(b.part, b.found) for b in begun if isinstance(b.found, LinearSolve)]
        priced = _priced(sets, wide, parts, gap, options, replace(clock))
    return _searched_on(sets, priced, gap=gap, known=known, options=options, clock=clock, progress=progress)


def _searched_on(
    sets: Sets, priced: list[ComponentPlan] | None, *, gap: float, known: Parts | None, options: Options, clock: Clock,
    progress: Callable[[int, int], None] | None,
) -> Found:  # fmt: skip
    """Search all in one programme where prices leave more than the gap open, or plans as cheap may sign for less."""
    clock = clock.again()
    if priced is not None and closed(priced, gap) and not may_sign_less(priced):
        return priced, []
    try:
        plans, stuck = _solve(sets, options, clock, progress, known)
    except StoppedError:
        if priced is None:
            raise
        return priced, []
    return (plans, stuck) if priced is None else (priced if stuck else better(plans, priced), [])


def searched_whole(sets: Sets, wide: Sequence[Family], begun: Sequence[Begun]) -> bool:
    """Whether a part is alone, and not too large to be searched with the rows that tie it as they stand.

    Not where such rows have columns of their own: they refuse what that search rests on.
    """
    one = begun[0].found if len(begun) == 1 else None
    if not sets.has_size_rules or not isinstance(one, LinearSolve) or one.program.columns.count > DIRECT_AGAIN:
        return False
    return all(family.name not in JOINT for family in wide)


def _together(
    sets: Sets, wide: Sequence[Family], *, loose: Sets, gap: float, options: Options, clock: Clock
) -> list[ComponentPlan] | None:
    """Solve parts at once with the rows that tie them, where risk is weighed: without its rows they say little."""
    if all(family.name != RISK.name for family in wide):
        return None
    parts = [(part, open_program(reduced_program(part), clock.again())) for part in parts_to_solve(loose)]
    divided = not hardly_divided([solve.program.columns.count for _, solve in parts], 1)
    return None if divided else _priced(sets, wide, parts, gap, options, clock)


def _priced(
    sets: Sets, wide: Sequence[Family], parts: Sequence[tuple[Sets, LinearSolve]], gap: float, options: Options,
    clock: Clock,
) -> list[ComponentPlan] | None:  # fmt: skip
    """Solve parts under prices of the rows that tie them (solver.priced); None where that finds no plan."""
    plans = solve_priced(sets, wide, parts=parts, gap=gap, clock=clock, workers=options.workers)
    return plans if plans is not None and keep_rows(sets, wide, plans, sized=True, free=False) else None


def _parts(sets: Sets, options: Options, clock: Clock) -> Parts:
    """Split, and find rough plans where the time is limited."""
    parts = parts_to_solve(sets)
    limited = options.solver == HIGHS and np.isfinite(clock.deadline)
    return parts, rough_plans(parts, clock, options.workers) if limited else {}


def _solve(
    sets: Sets, options: Options, clock: Clock, progress: Callable[[int, int], None] | None,
    known: Parts | None = None,
) -> Found:  # fmt: skip
    """Solve every part: plans, and the parts that have none; ``known`` : its parts, where they are known already."""
    parts, rough = _parts(sets, options, clock) if known is None else known
    store = None if options.store is None else Store(options.store)
    return _finished(parts, options, progress, store, clock, rough)


def _finished(
    parts: Sequence[Begun | Sets], options: Options, progress: Callable[[int, int], None] | None,
    store: Store | None, clock: Clock, rough: Mapping[int, ComponentPlan] = {},
) -> Found:  # fmt: skip
    """Go on to the plans of parts, of which some are begun; ``rough`` : plans for where the time ends, by identity."""
    finished, least_turn = [0], [0.0]

    def step() -> None:
        finished[0] += 1
        if progress is not None:
            progress(finished[0], len(parts))

    def plan(part: Begun | Sets) -> ComponentPlan | None:
        spare = rough.get(id(part))
        turn = _turn(clock, len(parts) - finished[0], options.workers, least_turn[0])
        turn_seconds = turn.deadline - turn.since
        try:
            clock.left()  # before a large part is stated in vain
            begun = begin(part, options, clock, store, turn) if isinstance(part, Sets) else part
            if begun is part and isinstance(begun.found, LinearSolve):  # it waited for its turn
                begun.found.session.clock.since = time.monotonic()
            found = finish(begun, options, store)
        except StoppedError:
            least_turn[0] = max(least_turn[0], 2 * turn_seconds)  # some plans rather than none
            if spare is None:
                raise
            return spare
        return cheaper(found, spare)

    if progress is not None:
        progress(0, len(parts))
    workers = options.workers if options.solver == HIGHS else 1  # PuLP's warnings and files are one process's
    found = on_all_cores(plan, parts, workers, step)
    if store is not None:
        store.tidy()
    stuck = [part if isinstance(part, Sets) else part.part for part, one in zip(parts, found) if one is None]
    return [one for one in found if one is not None], stuck


def _turn(clock: Clock, parts: int, workers: int | None, least_seconds: float = 0.0) -> Clock:
    """Start the clock of a large part's turn: where the time is limited, no more of it than what is left for each."""
    if not np.isfinite(clock.deadline):
        return clock.again()
    now = time.monotonic()
    left = max(clock.deadline - now, 0.0)
    share = at_once(parts, workers) / max(parts, 1)
    return replace(clock, since=now, deadline=now + min(left, max(left * share, least_seconds)))


def _plan(case: Case, sets: Sets, plans: Sequence[ComponentPlan], options: Options) -> Plan:
    slots, flows = assemble.stress_witness(sets, plans)
    sunk = sunk_usd(case)
    totals = totals_of(case, sets, plans)
    judged = totals.total_usd + assemble.joint_usd(sets, plans).get("", 0.0)  # what is minimised
    bound = max(0.0, priced := sum(plan.bound_usd for plan in plans)) + sunk  # no cost is negative
    kept = slice(None) if priced > 0 else slice(0)  # prices of a search cut short that prove less prove nothing
    if 0 < bound - judged <= ROUNDING * max(1.0, judged):  # the flows' own rounding; more than that the audit finds
        bound = judged
    whole = any(plan.sets.has_size_rules for plan in plans)
    tree = sunk + max(float(np.sum([plan.tree_bound_usd for plan in plans])), 0.0)
    searched = whole and not np.isnan(tree)  # some solvers hand no bound of their own back
    gap = gap_of(judged, bound)
    tree_gap = gap_of(judged, tree) if searched else None
    asked = options.gap if whole else 1e-6
    proof = Proof(
        status=Status.OPTIMAL if min(gap, gap if tree_gap is None else tree_gap) <= asked else Status.GAP,
        bound_usd=bound,
        gap=gap,
        tree_bound_usd=tree if searched else None,
        tree_gap=tree_gap,
        gap_asked=asked,
    )
    plan = Plan(
        name=case.settings.name,
        input_digest=case.digest,
        totals=totals,
        proof=proof,
        purchases=assemble.purchases(sets, plans),
        deployments=assemble.deployments(sets, plans),
        dispatch=assemble.dispatch(sets, plans),
        stress_slots=slots,
        stress_dispatch=flows,
        rents=assemble.rents(sets, plans)[kept],
        stress_rents=assemble.stress_rents(sets, plans)[kept],
        certificate=assemble.certificate(plans)[kept],
        scaled_units=assemble.scaled_units(sets, plans),
        risk=risk_of(case, totals.total_usd, judged),
    )
    free = options.kept is None  # what a change is charged is no part of these totals
    return cheapest_of_least_tail(case, plan, lambda other: find_if_any(other, options)) if free else plan
