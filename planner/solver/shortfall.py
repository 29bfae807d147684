"""Shortfalls as cells of the input: named from what the elastic programme found, and applied to a case."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from planner.errors import Shortfall
from planner.model.family import SETTINGS
from planner.model.sets import Sets
from planner.schema.case import Case
from planner.schema.workloads import Route
from planner.solver.elastic import Change


def shortfall_of(case: Case, sets: Sets, change: Change) -> Shortfall:
    """Name the cell of a change, what it would have to say, and the slot that sets it."""
    limit, cell = change.limit, change.limit.cell
    names = [f"name {k + 1}" for k in range(len(limit.key))] if cell is None else [column for column, _ in cell.key]
    offer = next((o for o in case.offers if limit.rule == "units" and o.offer == limit.key[0]), None)
    slot = sets.slots.iloc[change.slot] if change.slot >= 0 else None
    needs = limit.has - change.amount if limit.lowered else limit.has + change.amount
    return Shortfall(
        rule=limit.rule,
        table="" if cell is None else cell.table,
        row=tuple(zip(names, limit.key)),
        column="" if cell is None else cell.column,
        unit="" if cell is None else cell.unit,
        has=limit.has,
        needs=needs if change.value is None else change.value,
        pool="" if offer is None else offer.pool,
        meter="" if offer is None else offer.meter,
        case=change.case,
        scenario="" if slot is None else str(slot["scenario"]),
        period="" if slot is None else sets.periods[int(slot["period"])],
        hour_of_week=-1 if slot is None else int(slot["hour_of_week"]),
    )


def can_apply(shortfalls: Iterable[Shortfall]) -> bool:
    """Whether each shortfall is a cell of the input; the bound of a row of a family that names no cell is not."""
    return all(s.table for s in shortfalls)


def apply(case: Case, shortfalls: Iterable[Shortfall]) -> Case:
    """Return the case with what the shortfalls ask for, exactly."""
    for s in shortfalls:
        names = dict(s.row)
        if s.table == SETTINGS:
            case = replace(case, settings=with_setting(case.settings, s.column, s.needs))
        elif s.rule == "route":
            routes = [*case.routes, Route(origin=names["origin"], destination=names["destination"])]
            case = replace(case, routes=tuple(sorted(routes, key=lambda r: (r.origin, r.destination))))
        elif s.table == "demand":
            asked = case.demand
            mine = (asked["region"] == names["region"]) & (asked["workload"] == names["workload"])
            factor = mine.map({True: s.needs, False: 1.0}).astype(float)
            left = asked.assign(requests_per_hour=asked["requests_per_hour"] * factor)
            case = replace(case, demand=left[left["requests_per_hour"] > 0].reset_index(drop=True))
        else:
            rows = tuple(
                row.model_copy(update={s.column: s.needs})
                if all(getattr(row, key) == name for key, name in names.items())
                else row
                for row in case.rows(s.table)
            )
            changed: dict[str, Any] = {s.table: rows}
            case = replace(case, **changed)
    return case


def with_setting(block: Any, path: str, value: float | None) -> Any:
    """Return a block of settings with one of them, at a dotted path, changed."""
    name, _, rest = path.partition(".")
    return block.model_copy(update={name: with_setting(getattr(block, name), rest, value) if rest else value})
