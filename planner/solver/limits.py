"""Limits: the cells of the input that an elastic programme may change, as families of constraints declare them.

A family's cell stands in the bounds of its rows. Of a family that names no cell, the bound of each row is a limit of
its own, told by the names of the row. What is asked, and what stress cases ask, stands in no single family's bounds:
demand, units for sale, failover shares and trust are listed here.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from planner.model.columns import largest_sizes
from planner.model.constraints.stress_rows import STRESS_BALANCE, STRESS_QUOTA
from planner.model.family import SETTINGS, Asked, Cell, Family, Relaxed
from planner.model.program import LinearProgram, families_of
from planner.model.rows import Rows
from planner.model.sets import Floats, Ints, Sets, names_of
from planner.model.waiting import served_peaks
from planner.schema.case import Case

UNITS = Cell("offers", "max_units", "units", (("offer", "offer"),), Asked.SELLER)
OF_CASE = "stress_case"
DEMAND = Cell("demand", "requests_per_hour", "share", (("region", "origin"), ("workload", "workload")), Asked.DEMAND)


@dataclass(frozen=True)
class Limit:
    """One cell that may change.

    rule : family, or units, demand, failover_share, trust. cell : None: no cell is known for it, a row's bound.
    key : names of its row in the input, or of the row. full : amount that serves all through one line. most : largest
    change. lowered : whether less is asked. ample : amount beyond which it limits nothing, where that is known.
    """

    rule: str
    cell: Cell | None
    key: tuple[str, ...]
    has: float
    full: float
    most: float = np.inf
    lowered: bool = False
    ample: float = 0.0

    @property
    def asked(self) -> Asked:
        """Of whom the change is asked."""
        return Asked.BUYER if self.cell is None else self.cell.asked


@dataclass(frozen=True)
class LimitChange:
    """A limit's change in the limit's unit, and where it is set: stress case ("": none) and slot (-1: no single one).

    ``value`` : units that an offer sells at least, where they are whole and so no amount in between will do.
    """

    limit: Limit
    amount: float
    case: str = ""
    slot: int = -1
    value: float | None = None


@dataclass(frozen=True)
class Limits:
    """All limits of a programme, and where they stand: entries (row of the programme, limit, coefficient)."""

    limits: list[Limit]
    row: Ints
    limit: Ints
    value: Floats

    def of(self, rule: str, table: pd.DataFrame, columns: tuple[str, ...]) -> Ints:
        """Return the number of the limit of each row of a table (-1: none)."""
        number = {limit.key: k for k, limit in enumerate(self.limits) if limit.rule == rule}
        return np.array([number.get(key, -1) for key in zip(*(table[c] for c in columns))], dtype=np.int64)

    def of_cases(self, sets: Sets) -> Ints:
        """Return the number of the limit of each stress case (-1: none)."""
        return self.of(OF_CASE, pd.DataFrame({"case": [case.name for case in sets.cases]}), ("case",))


def with_single_bounds(program: LinearProgram) -> LinearProgram:
    """Give rows with two bounds a copy for each where the two are changed apart."""

    def single(family: Family, rows: Rows) -> Rows:
        two = np.isfinite(rows.lower) & np.isfinite(rows.upper)
        if family.of_demand:
            two &= rows.lower != rows.upper
        if family.relaxed_by is Relaxed.NEVER and not family.of_demand:
            two[:] = False
        again, copied = np.flatnonzero(two), two[rows.row]
        number = np.cumsum(two) - 1 + rows.count
        return replace(
            rows,
            index={name: np.concatenate([values, values[again]]) for name, values in rows.index.items()},
            lower=np.concatenate([rows.lower, np.full(len(again), -np.inf)]),
            upper=np.concatenate([np.where(two, np.inf, rows.upper), rows.upper[again]]),
            row=np.concatenate([rows.row, number[rows.row[copied]]]),
            column=np.concatenate([rows.column, rows.column[copied]]),
            value=np.concatenate([rows.value, rows.value[copied]]),
        )

    declared = {family.name: family for family in families_of(program.sets)}
    return replace(program, families=tuple(single(declared[rows.family], rows) for rows in program.families))


def limits_of(sets: Sets, program: LinearProgram) -> Limits:
    """List the cells of the input that may change in some sets and their programme (`with_single_bounds`)."""
    found: list[Limit] = []
    none = np.empty(0, np.int64)
    entries: list[tuple[Ints, Ints, Floats]] = [(none, none, np.empty(0))]
    usual = _usual_values(sets, program)
    demand = _demand(sets)
    for family in families_of(program.sets):
        rows, first = program.family(family.name), program.first_row(family.name)
        if not rows.count:
            continue
        one_way = bool(np.isfinite(rows.lower).all() or np.isinf(rows.lower).all())
        if isinstance(family.relaxed_by, Cell) and one_way:
            ample = _together(rows, usual) * _most_asked(sets)
            made, limit, value = _of_cell(sets, family, rows, _full(program, rows, usual), ample)
        elif family.relaxed_by is not Relaxed.NEVER:  # also a cell that more of helps some rows and hurts others
            made, limit, value = _of_rows(sets, family, rows, _full(program, rows, usual))
        else:
            made, limit, value = [], none, np.empty(0)
        entries.append((first + np.arange(len(limit)), limit + len(found), value))
        found += made
    # less may be asked: last of all, so that the numbers of the others are known
    for family in families_of(program.sets):
        if family.of_demand:
            rows, first = program.family(family.name), program.first_row(family.name)
            bound = np.where(np.isfinite(rows.lower), rows.lower, rows.upper)
            entries.append((first + np.arange(rows.count), rows.index["need"] + len(found), bound))
    row, limit, value = (np.concatenate(part) for part in zip(*entries))
    used = value != 0
    return Limits([*found, *demand, *_units(sets), *_stress(sets)], row[used], limit[used], value[used])


def _of_cell(sets: Sets, family: Family, rows: Rows, full: Floats, ample: Floats) -> tuple[list[Limit], Ints, Floats]:
    """Limits of a family's cell, and the limit and coefficient of each row."""
    cell = family.relaxed_by
    assert isinstance(cell, Cell)
    names = names_of(sets, rows.index)
    keys = list(zip(*(names[name] for _, name in cell.key))) if cell.key else [()] * rows.count
    number = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    limit = np.array([number[key] for key in keys], dtype=np.int64)
    lowered = np.isfinite(rows.lower)
    per_unit = np.ones(rows.count) if cell.per_unit is None else cell.per_unit(sets, rows)
    bound = np.where(lowered, rows.lower, rows.upper)
    made = []
    for key, k in number.items():
        mine = limit == k
        first = int(np.argmax(mine))
        has = _written(sets.case, cell, key)
        if has is None:
            has = float(bound[first] / per_unit[first])
        share = cell.unit == "share"
        most = (has if lowered[first] else 1.0 - has) if share else has if lowered[first] else np.inf
        enough = 1.0 if share else max(float((full[mine] / per_unit[mine]).max()), 1e-9)
        beyond = 0.0 if share else float((ample[mine] / per_unit[mine]).max())
        made.append(Limit(family.name, cell, key, has, enough, most, bool(lowered[first]), beyond))
    return made, limit, np.where(lowered, per_unit, -per_unit)


def _of_rows(sets: Sets, family: Family, rows: Rows, full: Floats) -> tuple[list[Limit], Ints, Floats]:
    """Make a limit of each row, told by the row's names."""
    lowered = np.isfinite(rows.lower)
    bound = np.where(lowered, rows.lower, rows.upper)
    names = names_of(sets, rows.index)
    if "slot" in rows.index:
        slots = sets.slots.iloc[rows.index["slot"]]
        hours = [f"hour {hour}" for hour in slots["hour_of_week"]]
        periods = np.array(sets.periods, dtype=object)[slots["period"].to_numpy(int)]
        names |= {"scenario": slots["scenario"].to_numpy(object), "period": periods, "hour": np.array(hours, object)}
    keys = list(zip(*names.values())) if names else [()] * rows.count
    made = [
        Limit(
            family.name,
            None,
            tuple(map(str, key)),
            float(b),
            max(float(enough), abs(float(b)), 1e-3),
            lowered=bool(low),
        )
        for key, b, enough, low in zip(keys, bound, full, lowered)
    ]
    return made, np.arange(rows.count), np.where(lowered, 1.0, -1.0)


def _written(case: Case | None, cell: Cell, key: tuple[str, ...]) -> float | None:
    """Read what a cell of the input says; None: nothing, or there is no such input."""
    if case is None:
        return None
    said: Any = case.settings
    if cell.table == SETTINGS:
        for name in cell.column.split("."):
            said = getattr(said, name, None)
    else:
        columns = [column for column, _ in cell.key]
        rows = [row for row in case.rows(cell.table) if tuple(getattr(row, c) for c in columns) == key]
        said = getattr(rows[0], cell.column) if rows else None
    return None if said is None else float(said)


def _usual_values(sets: Sets, program: LinearProgram) -> Floats:
    """Value of each column where it does all the work: a flow its need's demand, units what carries everything."""
    at = program.columns
    usual = np.where(np.isfinite(at.upper), at.upper, 0.0)
    free = replace(sets, purchases=sets.purchases.assign(max_units=np.inf))
    sizes = largest_sizes(free)
    usual[at.committed] = sizes[: len(at.committed)]
    usual[at.deployed] = sizes[len(at.committed) :].reshape(at.deployed.shape)
    runs = at.scaled >= 0
    usual[at.scaled[runs]] = usual[at.deployed][:, sets.slots["period"].to_numpy(int)][runs]
    need = sets.arcs["need"].to_numpy(int)[at.flow_arc]
    waits = at.queues.of_arc[at.flow_arc] >= 0
    usual[at.flows] = np.where(waits, served_peaks(sets)[need], sets.demand[need, at.flow_slot])
    return usual


def _full(program: LinearProgram, rows: Rows, usual: Floats) -> Floats:
    """Sum of all usual flows of each row, or its largest usual purchase."""
    term = np.abs(rows.value) * usual[rows.column]
    flow = rows.column >= program.columns.hours_first
    full: Floats = np.bincount(rows.row[flow], term[flow], rows.count).astype(float)
    np.maximum.at(full, rows.row[~flow], term[~flow])
    return full


def _together(rows: Rows, usual: Floats) -> Floats:
    """Sum of all usual flows and purchases of each row: whole units may take them all."""
    return np.bincount(rows.row, np.abs(rows.value) * usual[rows.column], rows.count).astype(float)


def _most_asked(sets: Sets) -> float:
    """Return how much more than the demand a stress case asks of a limit at most: a quota is used to its trust only."""
    cases = [case for case in sets.cases if case.quota_scale > 0]
    return max([1.0, *(float(np.max(case.demand_scale, initial=0.0)) / case.quota_scale for case in cases)])


def _demand(sets: Sets) -> list[Limit]:
    return [
        Limit("demand", DEMAND, key, 1.0, 1.0, 1.0, True) for key in zip(sets.needs["origin"], sets.needs["workload"])
    ]


def _units(sets: Sets) -> list[Limit]:
    """Units for sale under each offer."""
    bought, found = sets.purchases, []
    sizes = largest_sizes(replace(sets, purchases=bought.assign(max_units=np.inf)))
    for offer, rows in bought.groupby("offer", sort=True).indices.items():
        has = float(bought["max_units"].iloc[rows[0]])
        if np.isfinite(has):
            found.append(Limit("units", UNITS, (str(offer),), has, max(float(sizes[rows].max()), 1e-9)))
    return found


def with_case_limits(known: Limits, sets: Sets) -> Limits:
    """Add a limit for each stress case: how much less it asks for, as a share of what it asks."""
    own = [Limit(OF_CASE, None, (case.name,), 1.0, 1.0, 1.0, True) for case in sets.cases]
    return replace(known, limits=[*known.limits, *own])


def failover_stretch(sets: Sets) -> float:
    """Demand that a failover case asks for each unit of failover share: 1 / (1 - failover.headroom)."""
    return 1.0 if sets.case is None else 1 / (1 - sets.case.settings.policy.failover.headroom)


def _stress(sets: Sets) -> list[Limit]:
    """Limits of stress cases: shares of the demand while a region is lost, and trust in on demand."""
    first = next((case for case in sets.cases if case.failed is not None), None)
    if first is None:
        return []
    share, trust = STRESS_BALANCE.relaxed_by, STRESS_QUOTA.relaxed_by
    assert isinstance(share, Cell)
    assert isinstance(trust, Cell)
    scale = dict(zip(sets.needs["workload"], (first.demand_scale / failover_stretch(sets)).tolist()))
    found = [Limit("failover_share", share, (w,), s, 1.0, s, True) for w, s in sorted(scale.items()) if s > 0]
    has = float(first.quota_scale)
    return [*found, Limit("trust", trust, (), has, 1.0, 1.0 - has)]
