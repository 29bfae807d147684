"""A part that stays open in HiGHS from case to case: what it remembers, and how it is given other numbers."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import highspy
import numpy as np

from planner.model.program import LinearProgram
from planner.model.reduce.alike import NUMBERS, same_table
from planner.model.sets import Floats, Sets
from planner.solver.basis_by_name import BASIC
from planner.solver.boxed import box, solve_boxed
from planner.solver.component import Decided, decided
from planner.solver.continuous import LinearSolve, cut_rows
from planner.solver.highs import DEVEX, DUAL, INF, PRIMAL, Clock, Session, set_options
from planner.solver.one_price import PartLines
from planner.solver.scaling import need_peaks
from planner.solver.starts import STRESS_TABLES
from planner.solver.stress_search import StressCaseProblem

Near = Mapping[str, float]  # where a case stands among others: a number by name; 0 where it is not named
MOST_STARTS = 400  # bases of a part that is open
MOST_CUTS = 600  # of a part that is open; above it is opened anew, with the stress rows that bind
DUST = 1e-7  # of the largest weight in a proof that no plan exists: rounding
STEEPEST = 2  # pricing of the dual simplex where costs moved since the start: up to five times faster (measured)
FAR = 8.0  # demand this many times what a part was scaled to: it is opened anew


@dataclass(frozen=True)
class Basis:
    """The basis of an optimum; digests of its programme's costs and of the rest. Rows added later are not in it."""

    near: Near
    basis: highspy.HighsBasis
    cost: bytes
    rest: bytes


@dataclass
class WarmPart:
    """A part that is open in HiGHS.

    peaks : demand by need that it was scaled to. networks : digest of each stress case's. marks : digests of costs and
    of the rest of the programme as it is now. answer : to that programme; None: not solved, or there is none.
    costs_moved : since the optimum that it starts from. costs_alone : nothing else moved. astray : HiGHS stands at an
    optimum under prices. stands : the reduced part that the programme is of; closed : with bounds of another case's
    (`boxed.Closed`). lines : known of it at prices of a row.
    """

    solve: LinearSolve
    peaks: Floats
    networks: tuple[str, ...]
    bases: list[Basis] = field(default_factory=list)
    marks: tuple[bytes, bytes] = (b"", b"")
    answer: Decided | None = None
    against: tuple[str, ...] = ()
    costs_moved: bool = False
    costs_alone: bool = False
    astray: bool = False
    stands: Sets | None = None
    closed: bool = False
    lines: PartLines | None = None

    def nearest(self, near: Near) -> Basis | None:
        """Return the basis of the nearest optimum; the newest of several."""
        return min(reversed(self.bases), key=lambda one: distance(one.near, near), default=None)

    def begin(self, clock: Clock) -> None:
        """Let what is solved from now on stop by a clock, the search for stress rows too."""
        self.solve.session.clock = clock
        for problem in self.solve.separator.problems:
            problem.clock = clock

    def put(self, reduced: Sets, clock: Clock) -> None:
        """Let the programme stand for a reduced part of which it is."""
        self.stands, self.solve.program = reduced, replace(self.solve.program, sets=reduced)
        self.begin(clock)

    def solved(self) -> bool:
        """Solve it, in the way that is quickest from where it starts; whether there is a plan."""
        highs = self.solve.session.highs
        if self.costs_alone:  # the start is a plan: the primal method takes up to a third of the time (measured)
            set_options(highs, simplex_strategy=PRIMAL)
            try:
                self.solve.session.solve()
            finally:
                self.costs_alone = False
                set_options(highs, simplex_strategy=DUAL)
        set_options(
            highs,
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
        found = Basis(dict(near), self.solve.session.highs.getBasis(), *self.marks)
        self.bases = [*(one for one in self.bases if one.near != near), found]
        if len(self.bases) > MOST_STARTS:
            del self.bases[1]  # the first is the case as it stands


def distance(one: Near, other: Near) -> float:
    """Add up how far two cases are from each other."""
    return sum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in one.keys() | other.keys())


def network_digest(problem: StressCaseProblem) -> str:
    """Name a stress network by all that a ray depends on; demand and what is left of quotas aside."""
    net, sets = problem.net, problem.sets
    told = [net.case.failed, net.classes, *zip(sets.deployments["pool"], sets.deployments["meter"]), *sets.periods]
    h = hashlib.sha256(repr(told).encode())
    h.update(np.isfinite(net.quota_tpm).tobytes())
    for name in STRESS_TABLES:
        h.update(np.ascontiguousarray(getattr(net, name)).tobytes())
    return h.hexdigest()


_OF_NETWORKS = {name: (*NUMBERS[name], *(("priced", "at_once") if name == "arcs" else ()))
                for name in ("needs", "shares", "arcs", "loads", "deployments", "quotas")}  # fmt: skip


def like(one: WarmPart, program: LinearProgram) -> bool:
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


def same_numbers(old: LinearProgram, new: LinearProgram) -> bool:
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


def marks_of(program: LinearProgram) -> tuple[bytes, bytes]:
    """Digests of a programme's costs, and of its matrix, bounds and demand."""
    rest = hashlib.blake2b()
    for numbers in (program.columns.upper, *program.bounds(), *program.entries(), program.sets.demand):
        rest.update(np.ascontiguousarray(numbers).data)
    return hashlib.blake2b(program.cost.tobytes()).digest(), rest.digest()


def _same_matrix(old: LinearProgram, new: LinearProgram) -> bool:
    return len(old.families) == len(new.families) and all(
        x.count == y.count and np.array_equal(x.row, y.row) and np.array_equal(x.column, y.column)
        and np.array_equal(x.value, y.value)
        for x, y in zip(old.families, new.families, strict=True)
    )  # fmt: skip


def move(one: WarmPart, program: LinearProgram, near: Near, clock: Clock) -> None:
    """Give an open part the numbers of a like programme, and the basis of the nearest optimum."""
    solve, old = one.solve, one.solve.program
    session, separator = solve.session, solve.separator
    one.answer, one.astray, one.costs_alone, one.marks = None, False, False, marks_of(program)
    solve.program = program
    one.begin(clock)
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
        one.costs_moved = one.marks[0] != start.cost
        one.costs_alone = one.costs_moved and one.marks[1] == start.rest
    box(solve)


def against_of(solve: LinearSolve) -> tuple[str, ...]:
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
