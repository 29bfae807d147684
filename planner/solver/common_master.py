"""The master programme of several parts under one limit of their cost: of `solver.nearly`.

Each part brings its own master (`solver.whole`: x, v, u on their sizes, θ by group of slots, the rows learnt so far).
Together they have one row more, and another goal:

    Σ_parts (c·(x, v, u) + Σ_g θ[g])  ≤  most        [USD]
    min Σ aim · x                                     what is signed, or the units changed
    min Σ b,  x[line] ≤ largest[line] · b[line]       lines; b is 0 or 1, and the cost decides among equal counts
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import highspy
import numpy as np

from planner.errors import PlannerError
from planner.model.columns import affordable_sizes, largest_sizes
from planner.model.family import Reduction
from planner.model.reduce.slots import Line
from planner.model.sets import Floats, Ints
from planner.model.structure import refusing
from planner.solver.continuous import LinearSolve
from planner.solver.highs import INF, OPTIMAL, Clock, quiet_highs, set_options
from planner.solver.whole import Master

SAME = 1e-9  # relative: costs and values that differ by less are the same
COST_WEIGHT = 0.5  # of the cost, from the least to the most, against one line: of equal counts the cheaper
COUNTED = 0.1  # how far the search may stop from the least count and cost: near enough to tell the count
ROOM = 1e-4  # least part of the cost that is weighed so
ROUNDING = 1e-6  # of a count


class Aim(Enum):
    """What is least among the plans within a cost, and its unit."""

    SIGNED = "USD to sign"
    LINES = "lines"
    CHANGES = "units changed"


@dataclass
class MasterPart:
    """A part: its live linear programme, its rows of the master, the weight of its columns in the aim."""

    solve: LinearSolve
    master: Master
    aim: Floats
    lines: list[Line]
    usd: float = 0.0  # of its cheapest plan for units of any size

    @property
    def cost(self) -> Floats:
        """USD of the columns of the linear programme."""
        return self.solve.program.cost

    @property
    def committed(self) -> Floats:
        """Units of each purchase at the last optimum."""
        return self.solve.session.values()[self.solve.program.columns.committed]


@dataclass(frozen=True)
class Asked:
    """What is asked of the master.

    most : USD that the columns of all parts may cost. excluded : lines of which no more than these cannot do; some
    other line is needed. gap : relative gap asked; of lines, the count itself.
    """

    aim: Aim
    most: float
    excluded: Sequence[Sequence[Line]]
    gap: float


@dataclass(frozen=True)
class MasterAnswer:
    """Columns of each part's master (natural units; None: none was found), and the bound on the aim (inf: none is)."""

    values: list[Floats] | None
    bound: float


@dataclass(frozen=True)
class _Block:
    """Where a part's columns stand in the common programme."""

    first: int
    count: int
    scale: Floats


def solve_common(parts: Sequence[MasterPart], asked: Asked, clock: Clock) -> MasterAnswer:
    """Solve the master of all parts; each part's master then knows its answer.

    Raises
    ------
    PlannerError : a line has no largest size. StoppedError : no time is left.
    """
    h = quiet_highs(1e-9)
    set_options(h, mip_feasibility_tolerance=1e-9)
    blocks = [_add_part(h, part) for part in parts]
    column = np.arange(h.getNumCol(), dtype=np.int32)
    usd, aim = np.zeros(len(column)), np.zeros(len(column))
    for part, block in zip(parts, blocks):
        shared = part.solve.program.columns.hours_first
        theta = part.master.program.columns.count + np.arange(part.master.groups)
        usd[block.first : block.first + shared] = part.cost[:shared] * block.scale[:shared]
        usd[block.first + theta] = block.scale[theta]
        aim[block.first : block.first + shared] = part.aim[:shared] * block.scale[:shared]
    used = usd != 0
    size = float(np.abs(usd).max(initial=0.0)) or 1.0
    h.addRow(-INF, asked.most * (1 + SAME) / size, int(used.sum()), column[used], usd[used] / size)
    unit = float(np.abs(aim).max(initial=0.0)) or 1.0
    if asked.aim is Aim.LINES:
        unit = 1.0
        cheapest = sum(part.usd for part in parts)
        room = max(asked.most - cheapest, ROOM * asked.most, SAME)
        _add_lines(h, parts, blocks, asked)
        h.changeColsCost(len(column), column, COST_WEIGHT * usd / room)
        h.changeObjectiveOffset(-COST_WEIGHT * cheapest / room)
        set_options(h, mip_rel_gap=0.0, mip_abs_gap=COUNTED)
    else:
        h.changeColsCost(len(column), column, aim / unit)
        set_options(h, mip_rel_gap=asked.gap, mip_abs_gap=0.0)
    left = clock.left()
    set_options(h, time_limit=left if np.isfinite(left) else INF)
    h.run()
    return _answer(h, parts, blocks, asked, unit)


def _add_part(h: highspy.Highs, part: MasterPart) -> _Block:
    """Add the columns and rows of a part's master."""
    lp, own, scale, limit = part.master.model()
    first, rows = h.getNumCol(), h.getNumRow()
    none = np.empty(0, np.int32)
    lower, upper = np.array(lp.row_lower_), np.array(lp.row_upper_)
    h.addRows(len(lower), lower, upper, 0, np.zeros(len(lower), np.int32), none, np.empty(0))
    matrix = lp.a_matrix_
    h.addCols(
        lp.num_col_, np.zeros(lp.num_col_), np.array(lp.col_lower_), np.array(lp.col_upper_), len(matrix.index_),
        np.array(matrix.start_[:-1], np.int32), (np.array(matrix.index_, np.int64) + rows).astype(np.int32),
        np.array(matrix.value_),
    )  # fmt: skip
    part.master.add_rows(h, own, scale, limit, first)
    # all of them: purchases follow from deployments only where no row but rule 5 has both, and the cost's has
    whole = (first + np.flatnonzero(part.master.program.columns.integer)).astype(np.int32)
    h.changeColsIntegrality(len(whole), whole, np.full(len(whole), highspy.HighsVarType.kInteger))
    return _Block(first, lp.num_col_, scale)


def _add_lines(h: highspy.Highs, parts: Sequence[MasterPart], blocks: Sequence[_Block], asked: Asked) -> None:
    """Add a switch for each line; it costs 1."""
    number: dict[Line, int] = {}
    for part, block in zip(parts, blocks):
        most = _most_units(part, asked.most - sum(p.usd for p in parts) + part.usd)
        for k, line in enumerate(part.lines):
            number[line] = h.getNumCol()
            h.addCol(1.0, 0.0, 1.0 if most[k] > 0 else 0.0, 0, np.empty(0, np.int32), np.empty(0))
            h.changeColIntegrality(number[line], highspy.HighsVarType.kInteger)
            column = int(part.solve.program.columns.committed[k])
            at: Ints = np.array([block.first + column, number[line]])
            value = np.array([block.scale[column] / max(most[k], SAME), -1.0])
            h.addRow(-INF, 0.0, 2, at.astype(np.int32), value)
    for lines in asked.excluded:
        others = np.array([n for line, n in number.items() if line not in set(lines)], np.int32)
        h.addRow(1.0, INF, len(others), others, np.ones(len(others)))


def _most_units(part: MasterPart, usd: float) -> Floats:
    """Most units of each purchase in a plan in which the part costs no more than ``usd``."""
    program = part.solve.program
    most = affordable_sizes(program.sets, program.columns, program.cost, usd * (1 + SAME))[0][: len(part.lines)]
    if not refusing(program.sets, Reduction.SIZES):
        most = np.minimum(most, largest_sizes(program.sets)[: len(part.lines)])
    at = part.master.program.columns
    bought = np.flatnonzero(at.sized < len(part.lines))
    most[at.sized[bought]] = np.minimum(most[at.sized[bought]], at.size_top[bought])
    if np.isinf(most).any():
        offer = part.lines[int(np.argmax(np.isinf(most)))][0]
        raise PlannerError(
            f"{offer} costs nothing and has no max_units: give it max_units, so that lines can be counted"
        )
    return most


def _answer(
    h: highspy.Highs, parts: Sequence[MasterPart], blocks: Sequence[_Block], asked: Asked, unit: float
) -> MasterAnswer:
    status, info = h.getModelStatus(), h.getInfo()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return MasterAnswer(None, np.inf)
    whole = asked.aim is Aim.LINES or any(part.master.program.columns.integer.any() for part in parts)
    bound = float(info.mip_dual_bound if whole else info.objective_function_value) * unit
    if asked.aim is Aim.LINES:  # the cost, from its least to its most, counts for no more than COST_WEIGHT
        bound = float(np.ceil(bound - COST_WEIGHT - ROUNDING))
    if not np.isfinite(bound):
        bound = 0.0
    if status != OPTIMAL and info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return MasterAnswer(None, bound)
    solution = np.array(h.getSolution().col_value)
    values = []
    for part, block in zip(parts, blocks):
        part.master.last = solution[block.first : block.first + block.count] * block.scale
        values.append(part.master.last)
    return MasterAnswer(values, bound)
