"""The continuous programme of one component: HiGHS, with the stress rows added as they are violated."""

from dataclasses import dataclass, field

import numpy as np

from planner.model.program import LinearProgram, program_of
from planner.model.sets import Floats, Sets
from planner.model.waiting import waits
from planner.solver.highs import INF, Clock, RowEntries, Session
from planner.solver.scaling import deployment_peaks, need_peaks
from planner.solver.stress_search import Cut, Separator

ROUNDS = 500  # far more than was ever needed (about 5)
LARGE = 20_000  # columns of a programme in which work waits: from here on the interior point method begins it


@dataclass
class LinearSolve:
    """A component's live session with its stress rows; `values` and duals are those of the last optimum."""

    program: LinearProgram
    session: Session
    separator: Separator
    cuts: list[Cut] = field(default_factory=list)

    @property
    def deployed(self) -> Floats:
        """Deployed units, deployments x periods."""
        found: Floats = np.maximum(self.session.values()[self.program.columns.deployed], 0.0)
        return found

    def add(self, cuts: list[Cut]) -> None:
        """Add stress rows to the session."""
        self.session.add_rows(cut_rows(self.program, cuts))
        self.cuts += cuts


def open_component(sets: Sets, clock: Clock) -> LinearSolve:
    """State a component's programme and hand it to HiGHS; nothing is solved yet."""
    return open_program(program_of(sets), clock)


def open_program(program: LinearProgram, clock: Clock) -> LinearSolve:
    """Hand a component's programme to HiGHS; nothing is solved yet."""
    sets = program.sets
    return LinearSolve(
        program, Session(program, clock), Separator(sets, need_peaks(sets), deployment_peaks(sets), clock)
    )


def solve_linear(solve: LinearSolve, inside: bool = False) -> bool:
    """Solve to optimality with every stress case served; False when no plan exists.

    ``inside`` : a large programme in which work waits, and which was not solved before, is begun by the interior point
    method.

    Rows are only added (each is valid for every plan), so the last optimum is a lower bound of the literal
    programme; it satisfies every stress case, so it is a plan; so it is the optimum.
    """
    if solve.separator.stranded():
        return False
    if not solve.cuts:
        solve.add(solve.separator.without_units())
    if inside and solve.program.columns.count >= LARGE and waits(solve.program.sets) and not solve.session.begun:
        solve.session.solve_inside()
    if not solve.session.solve():
        return False
    for _ in range(ROUNDS):
        cuts = solve.separator.violated(solve.deployed)
        if not cuts:
            return True
        solve.add(cuts)
        if not solve.session.solve():
            return False
    raise ArithmeticError("the stress rows did not settle")


def cut_rows(program: LinearProgram, cuts: list[Cut]) -> RowEntries:
    """Stress rows as entries of the programme's columns: Σ units[d] · v[d, period] ≥ need."""
    start, column, value = [0], [], []
    for cut in cuts:
        used = np.flatnonzero(cut.units > 0)
        column.append(program.columns.deployed[used, cut.period])
        value.append(cut.units[used])
        start.append(start[-1] + len(used))
    return RowEntries(
        np.array([cut.need for cut in cuts]),
        np.full(len(cuts), INF),
        np.array(start),
        np.concatenate(column) if column else np.empty(0, np.int64),
        np.concatenate(value) if value else np.empty(0),
    )
