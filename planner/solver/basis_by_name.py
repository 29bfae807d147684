"""A basis for one programme from an optimum of another: what both have in common is found by name.

A programme may gain or lose columns and rows (a region without new units, a rule that was off): what is new is out of
the basis, its rows are in, and HiGHS makes the rest.
"""

from collections.abc import Hashable, Mapping, Sequence

import highspy
import numpy as np
import pandas as pd

from planner.model.columns import Columns
from planner.model.program import LinearProgram
from planner.model.reduce.alike import WAY
from planner.model.rows import Rows, number_in
from planner.model.sets import Ints, Sets, region_names, scenario_names
from planner.solver.continuous import LinearSolve

BASIC, LOWER = highspy.HighsBasisStatus.kBasic, highspy.HighsBasisStatus.kLower


def begin_by_name(
    solve: LinearSolve, networks: Sequence[str], *, old: LinearSolve, old_networks: Sequence[str],
    optimum: highspy.HighsBasis,
) -> None:  # fmt: skip
    """Start a programme that is stated from an optimum of another: what is new is out of the basis, its rows are in.

    networks : name of each stress case's network; rows of stress cases go from one to the other where it is the same.
    """
    program, before = solve.program, old.program
    of = _Numbers(program.sets, before.sets)
    status = np.array(optimum.row_status, dtype=object)
    found = np.array(optimum.col_status, dtype=object)
    columns = _carried(_old_columns(program.columns, before.columns, of), found, LOWER)
    rows = _carried(_old_rows(program, before, of), status[: before.row_count], BASIC)
    number = {name: k for k, name in enumerate(networks)}
    added, added_rows = [], []
    for cut, of_cut in zip(old.cuts, status[before.row_count :]):  # those added since are not in the basis
        case = number.get(old_networks[cut.case])
        if case is not None and of_cut != BASIC:
            added.append(solve.separator.renewed(cut, case))
            added_rows.append(of_cut)
    solve.add(added)
    basis = highspy.HighsBasis()
    basis.col_status, basis.row_status = columns, [*rows, *added_rows]
    basis.valid, basis.alien = True, True
    solve.session.highs.setBasis(basis)


def _carried(old: Ints, status: np.ndarray, new: highspy.HighsBasisStatus) -> "list[highspy.HighsBasisStatus]":
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
    put(new.flow_numbers(of.sets), old.flow_numbers(of.old), of.arcs(), slot)
    return found


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
