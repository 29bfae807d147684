"""Cases that differ a little, one after another: each continuous optimum starts from the nearest one found before.

Where a case differs in numbers alone (`model.reduce.alike`), its parts stay open in HiGHS: costs and bounds are
changed, stress rows are worked out anew from the rays that are known, and the simplex method goes on from the basis of
the nearest optimum. Every column is bounded, so that it can start there (`solver.boxed`). Parts that did not change
are not solved again. Where a programme gains or loses columns or rows (no headroom case, an option without a limit),
what both have in common is found by name, and HiGHS makes the rest of a basis. A start changes how long a solve takes,
never what is found (`solver.starts`).
"""

import hashlib
import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import highspy
import numpy as np

from planner.model.family import Family
from planner.model.index_tables import sets_of
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.alike import NUMBERS, Part, Split, same_table
from planner.model.reduce.components import spanning
from planner.model.reduce.project_stress import StressRay
from planner.model.sets import Floats, Sets
from planner.plan.plan import Totals
from planner.schema.capacity import Pool
from planner.schema.case import Case
from planner.solver.assemble import keep_rows
from planner.solver.basis_by_name import BASIC, begin_by_name
from planner.solver.boxed import Closed, box, solve_boxed
from planner.solver.component import Decided, decided, decided_as
from planner.solver.continuous import LinearSolve, cut_rows, open_program
from planner.solver.highs import DEVEX, INF, Clock, Session, set_options
from planner.solver.one_price import PartLines
from planner.solver.parallel import on_all_cores
from planner.solver.scaling import need_peaks
from planner.solver.starts import STRESS_TABLES
from planner.solver.stress_search import StressCaseProblem
from planner.solver.tied import OpenPart, solve_tied
from planner.solver.totals import totals_of

Near = Mapping[str, float]  # where a case stands among others: a number by name; 0 where it is not named
MOST_STARTS = 48  # bases of a part that is open
MOST_OPEN = 4  # shapes of a part, and of a case, that are kept
MOST_CUTS = 600  # of a part that is open; above it is opened anew, with the stress rows that bind
DUST = 1e-7  # of the largest weight in a proof that no plan exists: rounding
STEEPEST = 2  # pricing of the dual simplex where costs moved since the start: up to five times faster (measured)
SAFEST = 1 - 1e-6  # most weight on risk: with 1 the expected cost counts for nothing
FAR = 8.0  # demand this many times what a part was scaled to: it is opened anew


@dataclass(frozen=True)
class WarmAnswer:
    """The continuous optimum of a case: its parts, their decisions, and what they cost over the horizon."""

    case: Case
    sets: Sets
    parts: tuple[Decided, ...]
    totals: Totals


@dataclass(frozen=True)
class NoAnswer:
    """No plan of any size exists.

    stuck : the parts that have none (`solver.infeasible.explain`). against : names of families of constraints and of
    stress cases that cannot be kept together.
    """

    stuck: tuple[Sets, ...]
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Basis:
    """The basis of an optimum, and the costs that it was one at. A row added later is not in it."""

    near: Near
    basis: highspy.HighsBasis
    cost: Floats


@dataclass
class _Open:
    """A part that is open in HiGHS.

    peaks : demand by need that it was scaled to. networks : digest of each stress case's. answer : to the programme as
    it is now; None: not solved, or there is none. costs_moved : since the optimum that it starts from. astray :
    HiGHS stands at an optimum under prices. lines : known of it at prices of a row.
    """

    solve: LinearSolve
    peaks: Floats
    networks: tuple[str, ...]
    bases: list[_Basis] = field(default_factory=list)
    answer: Decided | None = None
    against: tuple[str, ...] = ()
    costs_moved: bool = False
    astray: bool = False
    lines: PartLines | None = None

    def nearest(self, near: Near) -> _Basis | None:
        """Return the basis of the nearest optimum; the newest of several."""
        return min(reversed(self.bases), key=lambda one: _distance(one.near, near), default=None)

    def solved(self) -> bool:
        """Solve it, in the way that is quickest from where it starts; whether there is a plan."""
        set_options(
            self.solve.session.highs,
            simplex_dual_edge_weight_strategy=STEEPEST if self.costs_moved else DEVEX,
            dual_simplex_cost_perturbation_multiplier=0.0 if self.costs_moved else 1.0,
        )
        return solve_boxed(self.solve)

    def keep(self, near: Near) -> None:
        """Take the optimum that HiGHS has now as the answer, and remember its basis."""
        self.answer = decided(self.solve)
        self.remember(near)

    def remember(self, near: Near) -> None:
        """Remember the basis that HiGHS has now."""
        found = _Basis(dict(near), self.solve.session.highs.getBasis(), self.solve.program.cost)
        self.bases = [*(one for one in self.bases if one.near != near), found]
        if len(self.bases) > MOST_STARTS:
            del self.bases[1]  # the first is the case as it stands


@dataclass
class WarmCases:
    """What was learnt from the cases so far. Solving from several threads at once is not meant."""

    workers: int | None = None
    _pools: tuple[Pool, ...] = ()
    _closed: Closed = field(init=False)
    _sets: Sets | None = None
    _splits: dict[Hashable, list[Split]] = field(default_factory=dict)
    _open: dict[Hashable, list[_Open]] = field(default_factory=dict)
    _rays: dict[str, dict[bytes, StressRay]] = field(default_factory=dict)
    _prices: dict[tuple[str, ...], list[tuple[Near, Floats]]] = field(default_factory=dict)
    _tied: list[tuple[Near, bool]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def solve(self, case: Case, near: Near, clock: Clock) -> WarmAnswer | NoAnswer:
        """Find the cheapest plan for units of any size.

        Parameters
        ----------
        near : where the case stands among the others; the nearest one solved before is the start.
        clock : its deadline may be moved by another thread, to stop between two runs of HiGHS.

        Raises
        ------
        StoppedError : the clock ran out.
        """
        clock.left()
        self._closed = Closed.beside(_cheapest_of_safest(case), self._pools)
        self._pools = self._closed.case.pools
        sets = self._sets = sets_of(self._closed.case, self._sets)
        wide = spanning(sets)
        names = tuple(family.name for family in wide)
        loose = self._split(sets.without(names), names)
        found: list[Decided] | NoAnswer
        tied = bool(wide) and (len(loose.parts) == 1 or self._was_tied(near))
        if not tied:  # as near: without the rows that span parts, which most plans keep by themselves
            found = self._solved(loose.parts, near, clock)
            tied = not isinstance(found, NoAnswer) and bool(wide) and not keep_rows(sets, wide, found, sized=False)
        priced = self._priced(sets, wide, loose, near, clock) if tied and len(loose.parts) > 1 else None
        if priced is not None:
            found = priced
        elif tied:
            found = self._solved(self._split(sets, ("tied", *names)).parts, near, clock)
        if isinstance(found, NoAnswer):
            return replace(found, stuck=tuple(self._closed.truly(part, case) for part in found.stuck))
        self._tied = [*(one for one in self._tied if one[0] != near), (dict(near), tied)][-MOST_STARTS:]
        return WarmAnswer(case, sets, tuple(found), totals_of(case, sets, found))

    def _priced(
        self, sets: Sets, wide: Sequence[Family], loose: Split, near: Near, clock: Clock
    ) -> list[Decided] | NoAnswer | None:
        """Solve several parts under prices of the rows that tie them, which change little; None: it must be as one."""
        names = tuple(family.name for family in wide)
        known = self._prices.setdefault(names, [])
        prices = min(reversed(known), key=lambda one: _distance(one[0], near))[1] if known else None
        for solved in (False, True) if prices is not None and np.count_nonzero(prices) == 1 else (True,):
            if solved and isinstance(without := self._solved(loose.parts, near, clock), NoAnswer):
                return without
            opened = [self._at(part, near, clock) for part in loose.parts]
            parts = [OpenPart(part.sets, one.solve, one.lines) for part, one in zip(loose.parts, opened, strict=True)]
            found = solve_tied(sets, wide, parts, prices=prices, clock=clock, solved=solved, workers=self.workers)
            for one, part in zip(opened, parts, strict=True):
                one.remember(near)
                one.answer, one.astray, one.lines = None, True, part.lines  # what stands in HiGHS is under prices
            if found is not None:
                values, prices = found
                known[:] = [*(other for other in known if other[0] != near), (dict(near), prices)][-MOST_STARTS:]
                plans = [decided_as(one.solve.program, v) for one, v in zip(opened, values, strict=True)]
                if keep_rows(sets, wide, plans, sized=False):
                    return plans
        return None

    def _was_tied(self, near: Near) -> bool:
        """Whether the rows that span parts bound in the nearest case."""
        return bool(self._tied) and min(self._tied, key=lambda one: _distance(one[0], near))[1]

    def _split(self, sets: Sets, key: Hashable) -> Split:
        """Split, as a like case was where there was one."""
        known = self._splits.setdefault(key, [])
        for k, old in enumerate(known):
            found = old.like(sets)
            if found is not None:
                del known[k]
                break
        else:
            found = Split.of(sets)
        known.insert(0, found)
        del known[MOST_OPEN:]
        return found

    def _solved(self, parts: Sequence[Part], near: Near, clock: Clock) -> list[Decided] | NoAnswer:
        found = on_all_cores(lambda part: self._part(part, near, clock), parts, self.workers)
        stuck = [part for part, one in zip(parts, found, strict=True) if one is None]
        if stuck:
            against = [name for part in stuck for name in self._open[_name(part)][0].against]
            return NoAnswer(tuple(part.sets for part in stuck), tuple(dict.fromkeys(against)))
        return [one for one in found if one is not None]

    def _part(self, part: Part, near: Near, clock: Clock) -> Decided | None:
        one = self._at(part, near, clock)
        if one.answer is None:
            if one.solved():
                one.keep(near)
            else:
                one.against = _against(one.solve)
        with self._lock:
            self._learn(one)
        return None if one.answer is None else replace(one.answer, sets=one.solve.program.sets)

    def _at(self, part: Part, near: Near, clock: Clock) -> _Open:
        """Open a part, or give it its numbers where a like one is open."""
        program = self._closed.bounded(program_of(part.reduced))
        with self._lock:
            known = self._open.setdefault(_name(part), [])
        one = next((one for one in known if _like(one, program)), None)
        if one is None:
            one = self._opened(known, program, near, clock)
        elif not (same := _same_numbers(one.solve.program, program)) or one.astray:
            one.lines = one.lines if same else None
            _move(one, program, near, clock)
        one.solve.session.clock = clock
        with self._lock:
            known[:] = [one, *(other for other in known if other is not one)][:MOST_OPEN]
        return one

    def _opened(self, known: Sequence[_Open], program: LinearProgram, near: Near, clock: Clock) -> _Open:
        """Open a programme, from the nearest optimum of another shape of the same part, and with the rays known."""
        solve = open_program(program, clock)
        box(solve)
        problems = solve.separator.problems
        one = _Open(solve, need_peaks(program.sets), tuple(map(_network_digest, problems)))
        starts = [(start, other) for other in known if (start := other.nearest(near)) is not None]
        if starts:
            start, other = min(starts, key=lambda pair: _distance(pair[0].near, near))
            begin_by_name(solve, one.networks, old=other.solve, old_networks=other.networks, optimum=start.basis)
            one.costs_moved = True
        with self._lock:
            rays = [list(self._rays.get(name, {}).values()) for name in one.networks]
        for problem, own in zip(problems, rays, strict=True):
            problem.rays = [solve.separator.renewed_ray(ray, problem.number) for ray in own]
        return one

    def _learn(self, one: _Open) -> None:
        """Remember rays by the network that they were found on."""
        for problem, name in zip(one.solve.separator.problems, one.networks, strict=True):
            rays = self._rays.setdefault(name, {})
            for ray in problem.rays:
                parts = [ray.units, ray.quota, ray.low, ray.high]
                rays.setdefault(np.round(np.concatenate([np.ravel(p) for p in parts]), 9).tobytes(), ray)


def _cheapest_of_safest(case: Case) -> Case:
    """Let the expected cost count a little where the dearest scenarios alone do: of plans as safe, any would do."""
    risk = case.settings.policy.risk
    return case.with_policy(risk=risk.model_copy(update={"weight": SAFEST})) if risk.weight > SAFEST else case


def _name(part: Part) -> Hashable:
    """Name a part by its needs and periods."""
    return tuple(zip(part.sets.needs["origin"], part.sets.needs["workload"], strict=True)), part.sets.periods


def _distance(one: Near, other: Near) -> float:
    return sum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in one.keys() | other.keys())


def _network_digest(problem: StressCaseProblem) -> str:
    """Name a stress network by all that a ray depends on; demand and what is left of quotas aside."""
    net, sets = problem.net, problem.sets
    told = [net.case.failed, net.classes, *zip(sets.deployments["pool"], sets.deployments["meter"]), *sets.periods]
    h = hashlib.sha256(repr(told).encode())
    h.update(np.isfinite(net.quota_tpm).tobytes())
    for name in STRESS_TABLES:
        h.update(np.ascontiguousarray(getattr(net, name)).tobytes())
    return h.hexdigest()


# -- a part that stays open ------------------------------------------------------------------------------------------
_OF_NETWORKS = {name: (*NUMBERS[name], *(("priced", "at_once") if name == "arcs" else ()))
                for name in ("needs", "shares", "arcs", "loads", "deployments", "quotas")}  # fmt: skip


def _like(one: _Open, program: LinearProgram) -> bool:
    """Whether an open part has the columns, rows and stress networks of a programme, the numbers aside."""
    was, old, sets = one.solve.program, one.solve.program.sets, program.sets
    a, b = was.columns, program.columns
    if a.count != b.count or not np.array_equal(a.flow_arc, b.flow_arc) or not np.array_equal(a.flow_slot, b.flow_slot):
        return False
    if len(one.solve.cuts) > MOST_CUTS or len(old.slots) != len(sets.slots) or len(old.cases) != len(sets.cases):
        return False
    ratio = need_peaks(sets) / one.peaks
    return (
        bool((ratio < FAR).all() and (ratio > 1 / FAR).all())
        and all(x.failed == y.failed and (x.quota_scale > 0) == (y.quota_scale > 0)
                for x, y in zip(old.cases, sets.cases, strict=True))
        and all(same_table(getattr(old, name), getattr(sets, name), but) for name, but in _OF_NETWORKS.items())
        and np.array_equal(old.quota_load, sets.quota_load)
        and np.array_equal(*(np.isfinite(s.quotas["tokens_per_minute"].to_numpy(float)) for s in (old, sets)))
        and len(old.needs) == len(sets.needs)
        and [(r.family, r.count) for r in was.families if r.count]
        == [(r.family, r.count) for r in program.families if r.count]
    )  # fmt: skip


def _same_numbers(old: LinearProgram, new: LinearProgram) -> bool:
    """Whether like programmes are the same."""
    a, b = old.sets, new.sets
    return (
        np.array_equal(old.cost, new.cost)
        and np.array_equal(old.columns.upper, new.columns.upper)
        and all(np.array_equal(x, y) for x, y in zip(old.bounds(), new.bounds(), strict=True))
        and _same_matrix(old, new)
        and np.array_equal(a.demand, b.demand)
        and np.array_equal(a.quotas["tokens_per_minute"].to_numpy(float), b.quotas["tokens_per_minute"].to_numpy(float))
        and all(x.quota_scale == y.quota_scale and np.array_equal(x.demand_scale, y.demand_scale)
                and x.asked is None and y.asked is None
                for x, y in zip(a.cases, b.cases, strict=True))
    )  # fmt: skip


def _same_matrix(old: LinearProgram, new: LinearProgram) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(old.entries(), new.entries(), strict=True))


def _move(one: _Open, program: LinearProgram, near: Near, clock: Clock) -> None:
    """Give an open part the numbers of a like programme, and the basis of the nearest optimum."""
    solve, old = one.solve, one.solve.program
    session, separator = solve.session, solve.separator
    one.answer, one.astray, solve.program, session.clock = None, False, program, clock
    for problem in separator.problems:
        problem.clock = clock
    separator.renew(program.sets)
    cuts = solve.cuts = [separator.again(cut) for cut in solve.cuts]
    bounds = program.bounds()
    first = program.row_count
    if _same_matrix(old, program):
        session.program = program
        session.set_costs(program.cost)
        if not all(np.array_equal(x, y) for x, y in zip(old.bounds(), bounds, strict=True)):
            session.set_row_bounds(np.arange(first), *bounds)
        needs = np.array([cut.need for cut in cuts])
        session.set_row_bounds(np.arange(first, first + len(cuts)), needs, np.full(len(cuts), INF))
    else:
        solve.session = Session(program, clock)
        solve.session.add_rows(cut_rows(program, cuts))
    start = one.nearest(near)
    if start is not None:
        rows = start.basis.row_status
        start.basis.row_status = [*rows, *([BASIC] * (first + len(cuts) - len(rows)))]
        solve.session.highs.clearSolver()  # edge weights of another basis
        solve.session.highs.setBasis(start.basis)
        one.costs_moved = not np.array_equal(start.cost, program.cost)
    box(solve)


def _against(solve: LinearSolve) -> tuple[str, ...]:
    """Name what cannot be kept together: of stress cases without supply, else of the rows in HiGHS's proof (Farkas)."""
    cases = solve.program.sets.cases
    asked = np.any(solve.program.sets.demand > 0, axis=1)
    lost = [cases[p.number].name for p in solve.separator.problems if np.any(asked[p.net.stranded()])]
    if lost:
        return tuple(lost)
    _, known, ray = solve.session.highs.getDualRay()
    if not known:
        return ()
    used = np.flatnonzero(np.abs(ray) > DUST * np.abs(ray).max(initial=0.0))
    names = [rows.family for rows in solve.program.families for _ in range(rows.count)]
    names += [cases[cut.case].name for cut in solve.cuts]
    return tuple(dict.fromkeys(names[k] for k in used))
