"""Rows that every plan in whole units keeps and units of any size break: what a deployment serves, on its size grid.

Let a reserved row say that the load of some flows is within the units of a deployment, Σ_a ρ[a]·y[a] ≤ v, and D be the
most load that some of these flows, S, can have: their needs' demand. Then Σ_{a in S} ρ[a]·y[a] ≤ min(D, v). The units
are on a grid; with v⁻ < D ≤ v⁺ two neighbours on it,

    Σ_{a in S} ρ[a]·y[a]  ≤  v⁻ + (D − v⁻) / (v⁺ − v⁻) · (v − v⁻)

holds at every size: at v ≤ v⁻ the right side is no less than v, at v ≥ v⁺ no less than D (mixed-integer rounding:
Nemhauser and Wolsey 1990). Units that run by the hour add to both sides.

For units v between v⁻ and v⁺ the set that a row is broken most by holds the needs whose load is above (v − v⁻) / (v⁺ −
v⁻) of the most they can have. A few rounds of these raise the bound of units of any size by far more than the search
for whole ones would in the same time, and what is rounded from their optimum costs far less.
"""

from dataclasses import dataclass, field, replace

import highspy
import numpy as np

from planner.model.columns import columns_of
from planner.model.family import Family
from planner.model.program import LinearProgram, families_of
from planner.model.rows import Rows
from planner.model.sets import Bools, Floats, Ints
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.highs import Session

GRID = "grid"
ROUNDS = 12
RISE = 1e-5  # relative: a round that raises the bound by less is the last
BROKEN = 1e-4  # of a step: by how much a row must be broken
SURE = 1e-9  # relative: rounding


@dataclass
class GridRows:
    """The reserved rows of a programme, and what each need can load each with.

    units : column of the deployment of each row; -1: it has none. low, step : of its size grid. flow, load : of each
    entry, ``pair`` its row and need. pair_row, most : of each pair its row, and demand (krph).
    """

    program: LinearProgram
    rows: Rows = field(init=False)
    units: Ints = field(init=False)

    def __post_init__(self) -> None:
        program = self.program
        sets, at = program.sets, program.columns
        self.rows = rows = program.family("reserved")
        is_flow = rows.column >= at.flow_first
        of_units = np.isin(rows.column, at.deployed) & (rows.value == -1.0)
        self.units = np.full(rows.count, -1)
        self.units[rows.row[of_units]] = rows.column[of_units]
        other = ~is_flow & ~of_units
        self.other = rows.row[other], rows.column[other], rows.value[other]
        sized = columns_of(sets, True)
        self.low, self.step = np.zeros(at.count), np.zeros(at.count)
        self.low[sized.sized], self.step[sized.sized] = sized.size_low, sized.size_step
        need, most = _most(program, families_of(sets))
        row, flow, load = rows.row[is_flow], rows.column[is_flow], rows.value[is_flow]
        own = need[flow - at.flow_first]
        kept = (own >= 0) & (load > 0) & (self.units[row] >= 0)
        order = np.flatnonzero(kept)[np.argsort(row[kept], kind="stable")]
        self.row, self.flow, self.load = row[order], flow[order], load[order]
        many = len(most) + 1
        pair, self.pair = np.unique(self.row * many + own[order], return_inverse=True)
        self.pair_row, self.most = pair // many, most[pair % many]

    def broken(self, values: Floats) -> Rows:
        """State rows that some values of the columns break: one a deployment and slot at most."""
        count = self.rows.count
        units = np.where(self.units >= 0, values[self.units], 0.0)
        low, step = self.low[self.units], self.step[self.units]
        first = units < low - SURE
        below = np.where(first, 0.0, low + step * np.floor((units - low) / np.where(step > 0, step, 1.0) + SURE))
        above = np.where(first, low, below + step)
        between = (self.units >= 0) & (above > below)
        share = np.where(between, (units - below) / np.where(between, above - below, 1.0), 0.0)
        between &= (share > SURE) & (share < 1 - SURE)
        served = self.load * values[self.flow]
        of_pair = np.bincount(self.pair, served, len(self.most))
        dearest = np.zeros(len(self.most))
        np.maximum.at(dearest, self.pair, np.where(served > 0, self.load, 0.0))
        most = dearest * self.most
        taken = between[self.pair_row] & (of_pair > share[self.pair_row] * most + SURE)
        self._fewer(taken, of_pair - share[self.pair_row] * most, most, above)
        reach, load = (np.bincount(self.pair_row[taken], x[taken], count) for x in (most, of_pair))
        slope = np.where(between, (reach - below) / np.where(between, above - below, 1.0), 0.0)
        excess = load - below - slope * (units - below)
        stated = np.flatnonzero(between & (reach > below + SURE) & (excess > BROKEN * (above - below)))
        return self._stated(stated, taken[self.pair] & (self.load <= dearest[self.pair]), below, slope)

    def _fewer(self, taken: Bools, gain: Floats, most: Floats, above: Floats) -> None:
        """Leave out the needs that matter least where those taken may load a row with more than the size above."""
        reach = np.bincount(self.pair_row[taken], most[taken], self.rows.count)
        for row in np.flatnonzero(reach > above * (1 + SURE)):
            pairs = np.flatnonzero(taken & (self.pair_row == row))
            pairs = pairs[np.argsort(gain[pairs] / most[pairs], kind="stable")]
            left = reach[row] - np.cumsum(most[pairs])
            taken[pairs[: int((left > above[row]).sum()) + 1]] = False

    def _stated(self, stated: Ints, taken: Bools, below: Floats, slope: Floats) -> Rows:
        number = np.full(self.rows.count, -1)
        number[stated] = np.arange(len(stated))
        mine = taken & (number[self.row] >= 0)
        row, column, value = self.other
        by_hour = number[row] >= 0
        return Rows(
            GRID,
            {"slot": self.rows.index["slot"][stated]},
            np.full(len(stated), -np.inf),
            (below - slope * below)[stated],
            np.concatenate([number[self.row[mine]], np.arange(len(stated)), number[row[by_hour]]]),
            np.concatenate([self.flow[mine], self.units[stated], column[by_hour]]),
            np.concatenate([self.load[mine], -slope[stated], value[by_hour]]),
        )


def _most(program: LinearProgram, families: tuple[Family, ...]) -> tuple[Ints, Floats]:
    """Find a limit that flows add up to at most: its number for each flow (-1: none), and what it is (krph)."""
    at = program.columns
    found, most = np.full(len(at.flow_arc), -1), np.empty(0)
    for family in families:
        if not family.of_demand:
            continue
        rows = program.family(family.name)
        least = np.full(rows.count, np.inf)
        np.minimum.at(least, rows.row, rows.value)
        mine = (rows.column >= at.flow_first) & (rows.value == 1.0) & (least[rows.row] >= 0)
        mine &= np.isfinite(rows.upper[rows.row])
        found[rows.column[mine] - at.flow_first] = rows.row[mine] + len(most)
        most = np.concatenate([most, rows.upper])
    return found, most


def strengthened(solve: LinearSolve) -> LinearSolve | None:
    """Return the programme with rows of the size grids, solved; None where they leave no plan: none is in whole units.

    It has the same columns. ``solve`` : solved for units of any size; itself where it breaks no such row.
    """
    of_program = GridRows(solve.program)
    for _ in range(ROUNDS):
        found = of_program.broken(np.maximum(solve.session.values(), 0.0))
        if not found.count:
            break
        before = solve.session.objective()
        solve = _with(solve, found)
        if not solve_linear(solve):
            return None
        if solve.session.objective() - before <= RISE * abs(before):
            break
    return solve


def _with(solve: LinearSolve, found: Rows) -> LinearSolve:
    """State more rows; it starts from the last optimum's basis, in which they are basic."""
    old, highs = solve.program, solve.session.highs
    families = old.families
    if families[-1].family == GRID:
        *kept, known = families
        families, found = tuple(kept), _both(known, found)
    program = replace(old, families=(*families, found))
    session = Session(program, solve.session.clock)
    last = highs.getBasis()
    start = highspy.HighsBasis()
    basic = [highspy.HighsBasisStatus.kBasic] * (program.row_count - old.row_count)
    rows = last.row_status
    start.col_status = last.col_status
    start.row_status = [*rows[: old.row_count], *basic, *rows[old.row_count :]]
    new = LinearSolve(program, session, solve.separator)
    new.add(list(solve.cuts))
    start.valid, start.alien = True, True
    session.highs.setBasis(start)
    return new


def _both(one: Rows, other: Rows) -> Rows:
    return Rows(
        GRID,
        {"slot": np.concatenate([one.index["slot"], other.index["slot"]])},
        np.concatenate([one.lower, other.lower]),
        np.concatenate([one.upper, other.upper]),
        np.concatenate([one.row, other.row + one.count]),
        np.concatenate([one.column, other.column]),
        np.concatenate([one.value, other.value]),
    )


def in_sized(linear: LinearProgram, sized: LinearProgram) -> LinearProgram:
    """State the rows of the size grids in the programme with sizes too, whose flows have other numbers."""
    *_, rows = linear.families
    if rows.family != GRID:
        return sized
    own, there = linear.columns.hours_first, sized.columns.hours_first
    column = np.where(rows.column < own, rows.column, rows.column - own + there)
    return replace(sized, families=(*sized.families, replace(rows, column=column)))
