"""Cases that differ a little, one after another: each continuous optimum starts from the nearest one found before.

Where a case differs in numbers alone (`model.reduce.alike`), its parts stay open in HiGHS: costs and bounds are
changed, stress rows are worked out anew from the rays that are known, and the simplex method goes on from the basis of
the nearest optimum. Every column is bounded, so that it can start there (`solver.boxed`). Parts that did not change
are not solved again. Where a programme gains or loses columns or rows (no headroom case, an option without a limit),
what both have in common is found by name, and HiGHS makes the rest of a basis. A start changes how long a solve takes,
never what is found (`solver.starts`).
"""

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from planner.model.family import Family
from planner.model.index_tables import sets_of
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.alike import Part, Split, same_part
from planner.model.reduce.components import spanning
from planner.model.reduce.project_stress import StressRay
from planner.model.sets import Floats, Sets
from planner.plan.plan import Totals
from planner.schema.capacity import Pool
from planner.schema.case import Case
from planner.solver.assemble import keep_rows
from planner.solver.basis_by_name import begin_by_name
from planner.solver.boxed import Closed, box
from planner.solver.component import Decided, decided_as
from planner.solver.continuous import open_program
from planner.solver.highs import Clock
from planner.solver.parallel import on_all_cores
from planner.solver.scaling import need_peaks
from planner.solver.tied import OpenPart, solve_tied
from planner.solver.totals import totals_of
from planner.solver.warm_part import (
    MOST_STARTS,
    Near,
    WarmPart,
    against_of,
    distance,
    like,
    marks_of,
    move,
    network_digest,
    same_numbers,
)

MOST_OPEN = 16  # shapes of a part, and of a case, that are kept
SAFEST = 1 - 1e-6  # most weight on risk: with 1 the expected cost counts for nothing


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


@dataclass
class WarmCases:
    """What was learnt from the cases so far. Solving from several threads at once is not meant."""

    workers: int | None = None
    _pools: tuple[Pool, ...] = ()
    _closed: Closed = field(init=False)
    _sets: Sets | None = None
    _splits: dict[Hashable, list[Split]] = field(default_factory=dict)
    _open: dict[Hashable, list[WarmPart]] = field(default_factory=dict)
    _rays: dict[str, dict[bytes, StressRay]] = field(default_factory=dict)
    _prices: dict[tuple[str, ...], list[tuple[Near, Floats]]] = field(default_factory=dict)
    _tied: list[tuple[Near, bool]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def solve(self, case: Case, near: Near, clock: Clock) -> WarmAnswer | NoAnswer:
        """Find the cheapest plan for units of any size.

        Parameters
        ----------
        near : where the case stands among the others; the nearest one solved before is the start.
        clock : another thread may stop it.

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
        prices = min(reversed(known), key=lambda one: distance(one[0], near))[1] if known else None
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
        return bool(self._tied) and min(self._tied, key=lambda one: distance(one[0], near))[1]

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
                one.against = against_of(one.solve)
        with self._lock:
            self._learn(one)
        return None if one.answer is None else replace(one.answer, sets=one.solve.program.sets)

    def _at(self, part: Part, near: Near, clock: Clock) -> WarmPart:
        """Open a part, or give it its numbers where a like one is open."""
        with self._lock:
            known = self._open.setdefault(_name(part), [])
        for one in known:
            shut = (one.closed or self._closed.pools) and one.stands is not part.reduced
            if one.stands is None or shut or not same_part(one.stands, part.reduced):
                continue
            if one.astray and one.lines is None:
                move(one, one.solve.program, near, clock)
            elif one.astray:  # its costs are its own again, and the lines know where to begin
                one.answer, one.astray, one.costs_moved = None, False, True
            one.put(part.reduced, clock)
            return one
        program = self._closed.bounded(program_of(part.reduced))
        found = next((one for one in known if like(one, program)), None)
        one = found if found is not None else self._opened(known, program, near, clock)
        if found is not None and (not (same := same_numbers(one.solve.program, program)) or one.astray):
            one.lines = one.lines if same else None
            move(one, program, near, clock)
        one.closed = bool(self._closed.pools)
        one.put(part.reduced, clock)
        with self._lock:
            known[:] = [one, *(other for other in known if other is not one)][:MOST_OPEN]
        return one

    def _opened(self, known: Sequence[WarmPart], program: LinearProgram, near: Near, clock: Clock) -> WarmPart:
        """Open a programme, from the nearest optimum of another shape of the same part, and with the rays known."""
        solve = open_program(program, clock)
        box(solve)
        problems = solve.separator.problems
        one = WarmPart(solve, need_peaks(program.sets), tuple(map(network_digest, problems)),
                    marks=marks_of(program))  # fmt: skip
        starts = [(start, other) for other in known if (start := other.nearest(near)) is not None]
        if starts:
            start, other = min(starts, key=lambda pair: distance(pair[0].near, near))
            begin_by_name(solve, one.networks, old=other.solve, old_networks=other.networks, optimum=start.basis)
            one.costs_moved = True
        with self._lock:
            rays = [list(self._rays.get(name, {}).values()) for name in one.networks]
        for problem, own in zip(problems, rays, strict=True):
            problem.rays = [solve.separator.renewed_ray(ray, problem.number) for ray in own]
        return one

    def _learn(self, one: WarmPart) -> None:
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
