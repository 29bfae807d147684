"""Cases that differ a little, one after another: each continuous optimum starts from the nearest one found before.

Where a case differs in numbers alone (`model.reduce.alike`), its parts stay open in HiGHS: costs and bounds are
changed, stress rows are worked out anew from the rays that are known, and the simplex method goes on from the basis of
the nearest optimum. Parts that did not change are not solved again. Where a programme gains or loses columns or rows
(no headroom case, an option without a limit), what both have in common is found by name, and HiGHS makes the rest of a
basis. A start changes how long a solve takes, never what is found (`solver.starts`).
"""

import hashlib
import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import highspy
import numpy as np
import pandas as pd

from planner.model.columns import Columns
from planner.model.index_tables import sets_of
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.alike import NUMBERS, WAY, Part, Split, same_table
from planner.model.reduce.components import spanning
from planner.model.reduce.project_stress import StressRay
from planner.model.rows import Rows, number_in
from planner.model.sets import Floats, Ints, Sets, region_names, scenario_names
from planner.plan.plan import Totals
from planner.schema.case import Case
from planner.solver.assemble import keep_rows
from planner.solver.component import Decided, decided
from planner.solver.continuous import LinearSolve, cut_rows, open_program, solve_linear
from planner.solver.find import totals_of
from planner.solver.highs import INF, Clock, Session, set_options
from planner.solver.parallel import on_all_cores
from planner.solver.scaling import need_peaks
from planner.solver.starts import STRESS_TABLES
from planner.solver.stress_search import StressCaseProblem

Near = Mapping[str, float]  # where a case stands among others: a number by name; 0 where it is not named
MOST_STARTS = 24  # bases of a part that is open
MOST_OPEN = 4  # shapes of a part, and of a case, that are kept
MOST_CUTS = 600  # of a part that is open; above it is opened anew, with the stress rows that bind
FAR = 8.0  # demand this many times what a part was scaled to: it is opened anew
PRIMAL, DUAL = 4, 1  # HiGHS's simplex
BASIC, LOWER = highspy.HighsBasisStatus.kBasic, highspy.HighsBasisStatus.kLower


@dataclass(frozen=True)
class WarmAnswer:
    """The continuous optimum of a case: its parts, their decisions, and what they cost over the horizon."""

    case: Case
    sets: Sets
    parts: tuple[Decided, ...]
    totals: Totals


@dataclass(frozen=True)
class NoAnswer:
    """No plan of any size exists; `stuck` : the parts that have none (`solver.infeasible.explain`)."""

    stuck: tuple[Sets, ...]


@dataclass(frozen=True)
class _Basis:
    """The basis of an optimum, and a digest of all that bounds its programme. A row added later is not in it."""

    near: Near
    basis: highspy.HighsBasis
    bounds: bytes


@dataclass
class _Open:
    """A part that is open in HiGHS.

    peaks : demand by need that it was scaled to. networks : digest of each stress case's. answer : to the programme as
    it is now; None: not solved, or there is none.
    """

    solve: LinearSolve
    peaks: Floats
    networks: tuple[str, ...]
    bases: list[_Basis] = field(default_factory=list)
    answer: Decided | None = None

    def nearest(self, near: Near) -> _Basis | None:
        """Return the basis of the nearest optimum; the newest of several."""
        return min(reversed(self.bases), key=lambda one: _distance(one.near, near), default=None)

    def keep(self, near: Near) -> None:
        """Take the optimum that HiGHS has now as the answer, and remember its basis."""
        self.answer = decided(self.solve)
        found = _Basis(dict(near), self.solve.session.highs.getBasis(), _bounds_digest(self.solve.program))
        self.bases = [*(one for one in self.bases if one.near != near), found]
        if len(self.bases) > MOST_STARTS:
            del self.bases[1]  # the first is the case as it stands


@dataclass
class WarmCases:
    """What was learnt from the cases so far. Solving from several threads at once is not meant."""

    workers: int | None = None
    _sets: Sets | None = None
    _splits: dict[Hashable, list[Split]] = field(default_factory=dict)
    _open: dict[Hashable, list[_Open]] = field(default_factory=dict)
    _rays: dict[str, dict[bytes, StressRay]] = field(default_factory=dict)
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
        sets = self._sets = sets_of(case, self._sets)
        wide = spanning(sets)
        names = tuple(family.name for family in wide)
        loose = self._split(sets.without(names), names)
        found: list[Decided] | NoAnswer
        tied = bool(wide) and self._was_tied(near)
        if not tied:  # as near: without the rows that span parts, which most plans keep by themselves
            found = self._solved(loose.parts, near, clock)
            tied = not isinstance(found, NoAnswer) and bool(wide) and not keep_rows(sets, wide, found, sized=False)
        if tied:
            found = self._solved(self._split(sets, ("tied", *names)).parts, near, clock)
        if isinstance(found, NoAnswer):
            return found
        self._tied = [*(one for one in self._tied if one[0] != near), (dict(near), tied)][-MOST_STARTS:]
        return WarmAnswer(case, sets, tuple(found), totals_of(case, sets, found))

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
        stuck = tuple(part.sets for part, one in zip(parts, found, strict=True) if one is None)
        return NoAnswer(stuck) if stuck else [one for one in found if one is not None]

    def _part(self, part: Part, near: Near, clock: Clock) -> Decided | None:
        program, needs = program_of(part.reduced), part.sets.needs
        name = tuple(zip(needs["origin"], needs["workload"], strict=True)), part.sets.periods
        with self._lock:
            known = self._open.setdefault(name, [])
        one = next((one for one in known if _like(one, program)), None)
        if one is None:
            one = self._opened(known, program, near, clock)
        elif one.answer is None or not _same_numbers(one.solve.program, program):
            _move(one, program, near, clock)
        if one.answer is None and solve_linear(one.solve):
            one.keep(near)
        with self._lock:
            known[:] = [one, *(other for other in known if other is not one)][:MOST_OPEN]
            self._learn(one)
        return None if one.answer is None else replace(one.answer, sets=program.sets)

    def _opened(self, known: Sequence[_Open], program: LinearProgram, near: Near, clock: Clock) -> _Open:
        """Open a programme, from the nearest optimum of another shape of the same part, and with the rays known."""
        solve = open_program(program, clock)
        problems = solve.separator.problems
        one = _Open(solve, need_peaks(program.sets), tuple(map(_network_digest, problems)))
        starts = [(start, other) for other in known if (start := other.nearest(near)) is not None]
        if starts:
            start, other = min(starts, key=lambda pair: _distance(pair[0].near, near))
            _begin(one, other, start.basis)
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
    old, new, sets = one.solve.program.sets, one.solve.program, program.sets
    a, b = new.columns, program.columns
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
        and [(r.family, r.count) for r in new.families if r.count]
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
                for x, y in zip(a.cases, b.cases, strict=True))
    )  # fmt: skip


def _same_matrix(old: LinearProgram, new: LinearProgram) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(old.entries(), new.entries(), strict=True))


def _move(one: _Open, program: LinearProgram, near: Near, clock: Clock) -> None:
    """Give an open part the numbers of a like programme, and the basis of the nearest optimum."""
    solve, old = one.solve, one.solve.program
    session, separator = solve.session, solve.separator
    one.answer, solve.program, session.clock = None, program, clock
    for problem in separator.problems:
        problem.clock = clock
    separator.renew(program.sets)
    cuts = solve.cuts = [separator.again(cut) for cut in solve.cuts]
    bounds = program.bounds()
    first = program.row_count
    if _same_matrix(old, program):
        session.program = program
        session.set_costs(program.cost)
        if not all(np.array_equal(x, y) for x, y in zip((*old.bounds(), old.columns.upper),
                                                        (*bounds, program.columns.upper), strict=True)):  # fmt: skip
            session.set_row_bounds(np.arange(first), *bounds)
            committed = program.columns.committed
            session.set_column_bounds(committed, np.zeros(len(committed)), program.columns.upper[committed])
        needs = np.array([cut.need for cut in cuts])
        session.set_row_bounds(np.arange(first, first + len(cuts)), needs, np.full(len(cuts), INF))
    else:
        solve.session = Session(program, clock)
        solve.session.add_rows(cut_rows(program, cuts))
    start = one.nearest(near)
    if start is not None:
        rows = start.basis.row_status
        start.basis.row_status = [*rows, *([BASIC] * (first + len(cuts) - len(rows)))]
        solve.session.highs.setBasis(start.basis)
    priced = start is not None and start.bounds == _bounds_digest(program)  # costs alone differ: it is feasible
    set_options(solve.session.highs, simplex_strategy=PRIMAL if priced else DUAL)


def _bounds_digest(program: LinearProgram) -> bytes:
    sets, h = program.sets, hashlib.sha256()
    scales = [a for case in sets.cases for a in (case.demand_scale, np.array(case.quota_scale))]
    quotas = sets.quotas["tokens_per_minute"].to_numpy(float)
    for array in (*program.bounds(), program.columns.upper, sets.demand, quotas, *scales):
        h.update(np.ascontiguousarray(array).tobytes())
    return h.digest()


# -- a basis by name -------------------------------------------------------------------------------------------------
def _begin(new: _Open, start: _Open, optimum: highspy.HighsBasis) -> None:
    """Start a programme that is stated from an optimum of another: what is new is out of the basis, its rows are in."""
    solve, program, old = new.solve, new.solve.program, start.solve.program
    of = _Numbers(program.sets, old.sets)
    status = np.array(optimum.row_status, dtype=object)
    columns = _carried(
        _old_columns(program.columns, old.columns, of), np.array(optimum.col_status, dtype=object), LOWER
    )
    rows = _carried(_old_rows(program, old, of), status[: old.row_count], BASIC)
    number = {name: k for k, name in enumerate(new.networks)}
    added, added_rows = [], []
    for cut, of_cut in zip(start.solve.cuts, status[old.row_count :]):  # those added since are not in the basis
        case = number.get(start.networks[cut.case])
        if case is not None and of_cut != BASIC:
            added.append(solve.separator.renewed(cut, case))
            added_rows.append(of_cut)
    solve.add(added)
    basis = highspy.HighsBasis()
    basis.col_status, basis.row_status = columns, [*rows, *added_rows]
    basis.valid, basis.alien = True, True
    solve.session.highs.setBasis(basis)


def _carried(
    old: Ints, status: np.ndarray, new: highspy.HighsBasisStatus
) -> "list[highspy.HighsBasisStatus]":  # fmt: skip
    found = np.full(len(old), new, dtype=object)
    known = old >= 0
    found[known] = status[old[known]]
    return list(found)


class _Numbers:
    """For what rows and columns are named by, the number in an older case of each number in this one; -1: none."""

    def __init__(self, sets: Sets, old: Sets) -> None:
        self.sets, self.old = sets, old
        self._known: dict[str, Ints | None] = {}

    def arcs(self) -> Ints:
        """Return the number of each way to serve a need."""
        return number_in(self.old.arcs, WAY, self.sets.arcs)

    def of(self, name: str) -> Ints | None:
        """Return numbers by number; None where this is not known by name: numbers are then taken as they are."""
        if name not in self._known:
            here, there = _labels(self.sets, name), _labels(self.old, name)
            if here is None or there is None:
                self._known[name] = None
            else:
                number = {label: k for k, label in enumerate(there)}
                self._known[name] = np.array([number.get(label, -1) for label in here], dtype=np.int64)
        return self._known[name]


_TABLES: Mapping[str, tuple[str, Sequence[str]]] = {
    "need": ("needs", ("origin", "workload")),
    "deployment": ("deployments", ("pool", "meter", "model")),
    "meter": ("meters", ("pool", "meter")),
    "quota": ("quotas", ("region", "model", "option")),
    "share": ("shares", ("workload", "model")),
    "cap": ("caps", ("origin", "destination")),
}


def _labels(sets: Sets, name: str) -> Sequence[Hashable] | None:
    """Say what each number stands for."""
    if name in _TABLES:
        table, columns = _TABLES[name]
        frame: pd.DataFrame = getattr(sets, table)
        return list(zip(*(frame[column] for column in columns), strict=True))
    if name == "slot":
        slots = sets.slots
        period = [sets.periods[p] for p in slots["period"]]
        return list(zip(slots["scenario"], period, slots["hour_of_week"], strict=True))
    if name == "purchase":
        return list(zip(sets.purchases["offer"], (sets.periods[p] for p in sets.purchases["period"]), strict=True))
    if name == "period":
        return sets.periods
    if name == "region":
        return region_names(sets)
    if name == "scenario":
        return scenario_names(sets)
    if name == "future":
        return [chance for chance, _ in sets.chances]
    if name == "contract":
        return () if sets.spend is None else sets.spend.contracts
    return None


def _old_columns(new: Columns, old: Columns, of: _Numbers) -> Ints:
    """Find the column of the older programme for each column; -1: there is none."""
    found = np.full(new.count, -1, dtype=np.int64)

    def put(here: Ints, there: Ints, *axes: Ints | None) -> None:
        """Pair two arrays of columns, whose axes count what is known by name."""
        at = [np.arange(size) if axis is None else axis for size, axis in zip(here.shape, axes, strict=True)]
        known = [(k >= 0) & (k < size) for k, size in zip(at, there.shape, strict=True)]
        inner = here[np.ix_(*known)], there[np.ix_(*(k[ok] for k, ok in zip(at, known, strict=True)))]
        both = (inner[0] >= 0) & (inner[1] >= 0)
        found[inner[0][both]] = inner[1][both]

    deployment, meter, period, slot = of.of("deployment"), of.of("meter"), of.of("period"), of.of("slot")
    put(new.committed, old.committed, of.of("purchase"))
    put(new.deployed, old.deployed, deployment, period)
    put(new.unreserved, old.unreserved, meter, period)
    put(new.scaled, old.scaled, deployment, slot)
    put(new.started, old.started, deployment, slot)
    put(new.short, old.short, of.of("contract"), of.of("future"))
    for name in ("threshold", "over", "under", "taken", "backlog", "credit"):
        here, there = getattr(new, name), getattr(old, name)
        if here.shape == there.shape:
            put(here, there, *([None] * here.ndim))
    put(_by_arc(new, of.sets), _by_arc(old, of.old), of.arcs(), slot)
    return found


def _by_arc(at: Columns, sets: Sets) -> Ints:
    """Columns of flows, arcs x slots; -1: none."""
    flows = np.full((len(sets.arcs), len(sets.slots)), -1, dtype=np.int64)
    flows[at.flow_arc, at.flow_slot] = at.flows
    return flows


def _old_rows(new: LinearProgram, old: LinearProgram, of: _Numbers) -> Ints:
    """Find the row of the older programme for each row; -1: there is none."""
    first, firsts = 0, {}
    for rows in old.families:
        firsts[rows.family] = first, rows
        first += rows.count
    found = []
    for rows in new.families:
        before = firsts.get(rows.family)
        known = np.full(rows.count, -1, dtype=np.int64)
        if before is not None:
            known = _same_rows(rows, before[1], of)
            known[known >= 0] += before[0]
        found.append(known)
    return np.concatenate(found)


def _same_rows(new: Rows, old: Rows, of: _Numbers) -> Ints:
    """Find the row of the same names in the older family, -1 where there is none."""
    if set(new.index) != set(old.index):
        return np.full(new.count, -1, dtype=np.int64)
    code, old_code = np.zeros(new.count, np.int64), np.zeros(old.count, np.int64)
    lost = np.zeros(new.count, bool)
    for name, numbers in new.index.items():
        there, before = old.index[name], of.of(name)
        here = numbers if before is None else before[numbers]
        many = 1 + max(int(there.max(initial=0)), int(here.max(initial=0)))
        code, old_code = code * many + here, old_code * many + there
        lost |= here < 0
    if not old.count:
        return np.full(new.count, -1, dtype=np.int64)
    order = np.argsort(old_code, kind="stable")
    at = np.minimum(np.searchsorted(old_code[order], code), old.count - 1)
    same = (old_code[order][at] == code) & ~lost
    return np.where(same, order[at], -1)
