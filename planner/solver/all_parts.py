"""The parts of a case and the rows that tie them, as one linear programme: made of the programmes that are alive.

    min Σ_k c[k]·x[k] + d·w    subject to    x[k] in X[k],    lower ≤ Σ_k A[k]·x[k] + B·w ≤ upper,    w ≥ 0,

w the columns of no part (what a contract lacks, what a scenario costs above a threshold). Its duals are the prices of
the rows, and with sizes fixed its optimum is the best plan that has them. Where one part is most of it and there are
such columns, that beats finding prices round by round (`solver.row_prices`) by far; elsewhere it is far slower.

It goes on from the parts' optima where these are known, and each part goes on from its own.
"""

from collections.abc import Sequence

import highspy
import numpy as np

from planner.errors import StoppedError
from planner.model.sets import Floats, Ints
from planner.solver.continuous import ROUNDS
from planner.solver.coupling import Coupling, LivePart
from planner.solver.deployed import purchases_and_deployments
from planner.solver.direct import scaled_stress
from planner.solver.highs import DEVEX, INF, OPTIMAL, Clock, column_wise, quiet_highs, run, set_options
from planner.solver.priced_results import Priced

BASIC, LOWER = highspy.HighsBasisStatus.kBasic, highspy.HighsBasisStatus.kLower
MOST_COLUMNS = 200_000  # of all parts: more are priced round by round
TOGETHER, MOST_SECONDS = 0.3, 90.0  # of the time left, and seconds, for the optimum of all
FIRST, MOST_FIRST_SECONDS = 0.6, 180.0  # the same, where it comes first
MOST_OF_IT = 0.5  # share of all columns: where one part has more, prices take round by round what this takes at once


class AllParts:
    """One programme alive in HiGHS. values : of each part's columns, ``prices`` of the rows, at its last optimum."""

    def __init__(self, coupling: Coupling, parts: Sequence[LivePart], clock: Clock) -> None:
        self.coupling, self.parts, self.clock = coupling, parts, clock
        self.first = np.cumsum([0, *(part.program.columns.count for part in parts)])
        self.cost_scale = max(part.solve.session.scale.cost for part in parts)
        self.known = [0] * len(parts)  # stress rows of each part that are stated
        self.stress: list[tuple[int, float]] = []  # part and scale of each stress row that is stated
        self.values: list[Floats] = []
        self.prices: Floats = np.zeros(coupling.count)
        self.duals: Floats = np.empty(0)  # of all rows, as HiGHS has them
        self.column_scale, self.row_scale = self._scales()
        self.highs = quiet_highs()
        set_options(self.highs, presolve="off", solver="simplex", simplex_dual_edge_weight_strategy=DEVEX)
        self.highs.passModel(self._model())
        self._add_stress()
        if all(solved(part) for part in parts):
            self._go_on()

    def _go_on(self) -> None:
        """Go on from the parts' optima, the rows that tie them in the basis: their duals fit all costs still."""
        basis = highspy.HighsBasis()
        of_parts = [part.solve.session.highs.getBasis() for part in self.parts]
        columns = [status for own in of_parts for status in own.col_status]
        basis.col_status = columns + [LOWER] * (self.highs.getNumCol() - len(columns))
        rows = [list(own.row_status) for own in of_parts]
        own = [part.program.row_count for part in self.parts]
        basis.row_status = [status for part, count in zip(rows, own) for status in part[:count]]
        basis.row_status += [BASIC] * self.coupling.count
        basis.row_status += [status for part, count in zip(rows, own) for status in part[count:]]
        basis.valid, basis.alien = True, True
        self.highs.setBasis(basis)

    def _scales(self) -> tuple[Floats, Floats]:
        """Scales of all columns, and of the rows that tie parts: the largest entry of each row, and of w, is 1."""
        joint, count = self.coupling.joint, self.coupling.count
        own = np.concatenate([part.solve.session.scale.column for part in self.parts])
        row = np.zeros(count)
        for k, mine in enumerate(self.coupling.parts):
            np.maximum.at(row, mine.row, np.abs(mine.value * own[self.first[k] + mine.column]))
        row = 1.0 / np.where(row > 0, row, 1.0)
        of_joint = np.zeros(len(joint.cost))
        np.maximum.at(of_joint, joint.column, np.abs(joint.value) * row[joint.row])
        return np.concatenate([own, 1.0 / np.where(of_joint > 0, of_joint, 1.0)]), row

    def _model(self) -> highspy.HighsLp:
        """State the parts one after another, then the rows that tie them."""
        joint, height = self.coupling.joint, 0
        lower: list[Floats] = []
        upper: list[Floats] = []
        entries: list[tuple[Ints, Ints, Floats]] = []
        for part, first in zip(self.parts, self.first):
            scale = part.solve.session.scale.row
            row, column, value = part.program.entries()
            entries.append((row + height, column + first, value * scale[row]))
            for bound, own in zip((lower, upper), part.program.bounds()):
                bound.append(own * scale)
            height += len(scale)
        for mine, first in zip(self.coupling.parts, self.first):
            entries.append((mine.row + height, mine.column + first, mine.value * self.row_scale[mine.row]))
        entries.append((joint.row + height, joint.column + self.first[-1], joint.value * self.row_scale[joint.row]))
        lower.append(self.coupling.lower * self.row_scale)
        upper.append(self.coupling.upper * self.row_scale)
        self.height = height
        row, column, value = (np.concatenate(part) for part in zip(*entries))
        cost = np.concatenate([*(part.program.cost for part in self.parts), joint.cost])
        top = np.concatenate([*(part.program.columns.upper for part in self.parts), np.full(len(joint.cost), INF)])
        return column_wise(
            cost * self.column_scale / self.cost_scale,
            top / self.column_scale,
            (np.concatenate(lower), np.concatenate(upper)),
            (row, column, value * self.column_scale[column]),
        )

    def _add_stress(self) -> None:
        """State the stress rows that parts have met since."""
        for k, part in enumerate(self.parts):
            new = part.solve.cuts[self.known[k] :]
            self.known[k] = len(part.solve.cuts)
            scale = part.solve.session.scale
            for cut, (lower, column, value) in zip(new, scaled_stress(part.program, scale, new), strict=True):
                self.highs.addRow(lower, INF, len(value), (column + self.first[k]).astype(np.int32), value)
                size = float((cut.units[cut.units > 0] * scale.column[column]).max(initial=0.0))
                self.stress.append((k, 1.0 / size if size > 0 else 1.0))

    @property
    def sized(self) -> Ints:
        """Numbers of the sized columns of all parts."""
        return np.concatenate([part.sized + first for part, first in zip(self.parts, self.first)])

    def solved_in(self, lower: Floats, upper: Floats) -> bool:
        """Solve with bounds of the sized columns of all parts, one part after another; whether there is an optimum."""
        column, scale = self.sized, self.column_scale[self.sized]
        self.highs.changeColsBounds(len(column), column.astype(np.int32), lower / scale, upper / scale)
        return self.solve()

    def best_with(self, values: Sequence[Floats]) -> tuple[float, list[Floats]] | None:
        """Find the best plan with the purchases and deployments of each part that some values have: USD, and values.

        None: there is none.
        """
        found = [purchases_and_deployments(part.program, own) for part, own in zip(self.parts, values)]
        column = np.concatenate([columns + first for (columns, _, _), first in zip(found, self.first)])
        top = np.concatenate([part.program.columns.upper[own] for part, (own, _, _) in zip(self.parts, found)])
        lower, upper = (np.concatenate([bounds[k] for bounds in found]) for k in (1, 2))
        number, scale = column.astype(np.int32), self.column_scale[column]
        self.highs.changeColsBounds(len(number), number, lower / scale, upper / scale)
        try:
            if not self.solve():
                return None
            for own, given, (columns, least, _) in zip(self.values, values, found):
                own[columns[least > 0]] = given[columns[least > 0]]
            return self.usd, self.values
        finally:
            self.highs.changeColsBounds(len(number), number, np.zeros(len(number)), top / scale)

    def solve(self) -> bool:
        """Solve to the optimum with every stress case served; False where there is none, or HiGHS finds none.

        Raises
        ------
        StoppedError : the time is over.
        """
        if any(part.solve.separator.stranded() for part in self.parts):
            return False
        for part in self.parts:
            if not part.solve.cuts:
                part.solve.add(part.solve.separator.without_units())
        for _ in range(ROUNDS):
            self._add_stress()
            status = run(self.highs, self.clock)
            if status != OPTIMAL:
                return False
            solution = self.highs.getSolution()
            values = np.maximum(np.array(solution.col_value) * self.column_scale, 0.0)
            self.values = [values[a:b] for a, b in zip(self.first[:-1], self.first[1:])]
            met = False
            for part, own in zip(self.parts, self.values):
                cuts = part.solve.separator.violated(own[part.program.columns.deployed])
                part.solve.add(cuts)
                met |= bool(cuts)
            if not met:
                self.duals = np.array(solution.row_dual)
                dual = self.duals[self.height : self.height + self.coupling.count]
                self.prices = dual * self.row_scale * self.cost_scale
                return True
        raise ArithmeticError("the stress rows did not settle")

    def priced(self) -> Priced:
        """Return what the last optimum proves: prices of the rows that tie parts, and the duals of each part's rows."""
        duals, height = [], 0
        of_stress = self.duals[self.height + self.coupling.count :]
        for k, part in enumerate(self.parts):
            scale = part.solve.session.scale.row
            own = self.duals[height : height + len(scale)] * scale
            height += len(scale)
            stress = [dual * size for dual, (of_part, size) in zip(of_stress, self.stress) if of_part == k]
            duals.append(np.concatenate([own, stress]) * self.cost_scale)
        return Priced(self.prices, self.usd, tuple(duals), None)

    def start_parts(self) -> None:
        """Let each part go on from here: at the prices of this optimum its own is near."""
        whole, height = self.highs.getBasis(), 0
        first_stress = self.height + self.coupling.count
        for k, part in enumerate(self.parts):
            basis, count = highspy.HighsBasis(), part.program.row_count
            basis.col_status = list(whole.col_status[self.first[k] : self.first[k + 1]])
            stress = [first_stress + i for i, (of_part, _) in enumerate(self.stress) if of_part == k]
            basis.row_status = [*whole.row_status[height : height + count], *(whole.row_status[i] for i in stress)]
            height += count
            basis.valid, basis.alien = True, True
            part.solve.session.highs.setBasis(basis)

    @property
    def usd(self) -> float:
        """Cost of the last optimum."""
        return float(self.highs.getInfo().objective_function_value) * self.cost_scale


def solved(part: LivePart) -> bool:
    """Whether a part has an optimum to go on from."""
    return bool(part.solve.session.highs.getBasis().valid)


def together(coupling: Coupling, parts: Sequence[LivePart], clock: Clock) -> AllParts | None:
    """Solve all parts in one programme; None where its time is over. Of no optimum its ``values`` are empty.

    Parts that have no optimum of their own yet need this one more: it may take more of the time.
    """
    known = all(solved(part) for part in parts)
    seconds = min(TOGETHER * clock.left(), MOST_SECONDS) if known else min(FIRST * clock.left(), MOST_FIRST_SECONDS)
    try:
        whole = AllParts(coupling, parts, Clock.of(seconds))
        if not whole.solve():
            whole.values = []
    except StoppedError:  # HiGHS stalls on some: prices are found round by round then
        return None
    whole.clock = clock
    return whole


def hardly_divided(columns: Sequence[int], joint: int) -> bool:
    """Whether parts of so many columns, with as many of no part, are best solved together."""
    return joint > 0 and sum(columns) <= MOST_COLUMNS and max(columns, default=0) > MOST_OF_IT * sum(columns)
