"""Cases that differ a little, one after another: each continuous optimum starts from the nearest one found before.

A start changes how long a solve takes, never what is found (`solver.starts`). Unlike there, a programme may gain or
lose columns and rows (a region without new units, an offer at its old price): what both have in common is found by
name, and HiGHS makes the rest of a basis. Rays of stress cases are remembered by the network that they were found on,
so that a row once found is not searched for again. Parts that did not change are not solved again.
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
from planner.model.program import LinearProgram
from planner.model.reduce.components import parts_to_solve, spanning
from planner.model.reduce.project_stress import StressRay
from planner.model.rows import Rows, number_in
from planner.model.sets import Ints, Sets, region_names, scenario_names
from planner.plan.plan import Totals
from planner.schema.case import Case
from planner.solver.assemble import WAY, keep_rows
from planner.solver.component import Decided, decided, reduced_program
from planner.solver.continuous import LinearSolve, open_program, solve_linear
from planner.solver.find import totals_of
from planner.solver.highs import Clock
from planner.solver.parallel import on_all_cores
from planner.solver.starts import STRESS_TABLES
from planner.solver.store import digest_of, key_of
from planner.solver.stress_search import Cut, StressCaseProblem

Near = Mapping[str, float]  # where a case stands among others: a number by name; 0 where it is not named
MOST_STARTS, MOST_ANSWERS = 24, 200  # of a part
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
class _Optimum:
    """A basis and the stress rows that bind in it; programme without entries, for the names of columns and rows."""

    near: Near
    program: LinearProgram
    columns: np.ndarray
    rows: np.ndarray
    cuts: tuple[Cut, ...]
    cut_rows: tuple[highspy.HighsBasisStatus, ...]
    networks: tuple[str, ...]  # digest of the network of each stress case


@dataclass
class WarmCases:
    """What was learnt from the cases so far. Solving from several threads at once is not meant."""

    workers: int | None = None
    _starts: dict[Hashable, list[_Optimum]] = field(default_factory=dict)
    _rays: dict[str, dict[bytes, StressRay]] = field(default_factory=dict)
    _answers: dict[str, Decided] = field(default_factory=dict)
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
        sets = sets_of(case)
        wide = spanning(sets)
        found: list[Decided] | NoAnswer
        tied = bool(wide) and bool(self._tied) and min(self._tied, key=lambda one: _distance(one[0], near))[1]
        if not tied:  # as near: without the rows that span parts, which most plans keep by themselves
            found = self._parts(sets.without([family.name for family in wide]), near, clock)
            tied = not isinstance(found, NoAnswer) and bool(wide) and not keep_rows(sets, wide, found, sized=False)
        if tied:
            found = self._parts(sets, near, clock)
        if isinstance(found, NoAnswer):
            return found
        self._tied = [*(one for one in self._tied if one[0] != near), (dict(near), tied)][-MOST_STARTS:]
        return WarmAnswer(case, sets, tuple(found), totals_of(case, sets, found))

    def _parts(self, sets: Sets, near: Near, clock: Clock) -> list[Decided] | NoAnswer:
        parts = parts_to_solve(sets)
        found = on_all_cores(lambda part: self._solved(part, near, clock), parts, self.workers)
        stuck = tuple(part for part, one in zip(parts, found, strict=True) if one is None)
        return NoAnswer(stuck) if stuck else [one for one in found if one is not None]

    def _solved(self, part: Sets, near: Near, clock: Clock) -> Decided | None:
        program = reduced_program(part)
        key = key_of(part, digest_of(program))
        if key in self._answers:
            return replace(self._answers[key], sets=program.sets)  # its slots stand elsewhere in the whole, maybe
        solve = open_program(program, clock)
        networks = tuple(_network_digest(problem) for problem in solve.separator.problems)
        needs = tuple(zip(part.needs["origin"], part.needs["workload"], strict=True)), part.periods
        with self._lock:
            starts = list(self._starts.get(needs, ()))
            rays = {name: list(self._rays.get(name, {}).values()) for name in networks}
        if starts:
            _begin(solve, min(starts, key=lambda start: _distance(start.near, near)), networks)
        for problem, name in zip(solve.separator.problems, networks, strict=True):
            problem.rays = [solve.separator.renewed_ray(ray, problem.number) for ray in rays[name]]
        if not solve_linear(solve):
            return None
        answer = decided(solve)
        with self._lock:
            self._remember(needs, near, solve, networks)
            self._answers[key] = answer
            while len(self._answers) > MOST_ANSWERS:
                del self._answers[next(iter(self._answers))]
        return answer

    def _remember(self, needs: Hashable, near: Near, solve: LinearSolve, networks: tuple[str, ...]) -> None:
        basis, own = solve.session.highs.getBasis(), solve.program.row_count
        columns, rows = list(basis.col_status), list(basis.row_status)  # each a copy
        binds = [k for k, status in enumerate(rows[own:]) if status != BASIC]
        start = _Optimum(
            dict(near),
            replace(solve.program, families=tuple(_named(rows) for rows in solve.program.families)),
            np.array(columns, dtype=object),
            np.array(rows[:own], dtype=object),
            tuple(solve.cuts[k] for k in binds),
            tuple(rows[own + k] for k in binds),
            networks,
        )
        known = self._starts.setdefault(needs, [])
        known[:] = [one for one in known if one.near != start.near]
        known.append(start)
        if len(known) > MOST_STARTS:
            del known[1]  # the first is the case as it stands
        for problem, name in zip(solve.separator.problems, networks, strict=True):
            rays = self._rays.setdefault(name, {})
            for ray in problem.rays:
                parts = [ray.units, ray.quota, ray.low, ray.high]
                rays.setdefault(np.round(np.concatenate([np.ravel(p) for p in parts]), 9).tobytes(), ray)


def _distance(one: Near, other: Near) -> float:
    return sum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in one.keys() | other.keys())


def _named(rows: Rows) -> Rows:
    """Keep the names of rows alone."""
    none = np.empty(0, np.int64)
    return replace(rows, row=none, column=none, value=np.empty(0))


def _network_digest(problem: StressCaseProblem) -> str:
    """Name a stress network by all that a ray depends on; demand and what is left of quotas aside."""
    net, sets = problem.net, problem.sets
    told = [net.case.failed, net.classes, *zip(sets.deployments["pool"], sets.deployments["meter"]), *sets.periods]
    h = hashlib.sha256(repr(told).encode())
    h.update(np.isfinite(net.quota_tpm).tobytes())
    for name in STRESS_TABLES:
        h.update(np.ascontiguousarray(getattr(net, name)).tobytes())
    return h.hexdigest()


# -- a basis by name -------------------------------------------------------------------------------------------------
def _begin(solve: LinearSolve, start: _Optimum, networks: tuple[str, ...]) -> None:
    """Start a programme that is stated from an optimum of another: what is new is out of the basis, its rows are in."""
    program = solve.program
    of = _Numbers(program.sets, start.program.sets)
    columns = _carried(_old_columns(program.columns, start.program.columns, of), start.columns, LOWER)
    rows = _carried(_old_rows(program, start.program, of), start.rows, BASIC)
    number = {name: k for k, name in enumerate(networks)}
    added, added_rows = [], []
    for cut, status in zip(start.cuts, start.cut_rows, strict=True):
        new = number.get(start.networks[cut.case])
        if new is not None:
            added.append(solve.separator.renewed(cut, new))
            added_rows.append(status)
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
