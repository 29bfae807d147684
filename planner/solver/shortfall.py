"""Shortfalls as cells of the input: named from what the elastic programme found, and applied to a case."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from planner.errors import Shortfall
from planner.model.sets import Sets
from planner.schema.case import Case
from planner.schema.workloads import Route
from planner.solver.elastic import Change

SETTINGS = "plan.yaml"
_SETTING = {
    "budget": ("policy.max_commitment_usd", "USD"),
    "cross_region_share": ("policy.egress.max_cross_region_share", "share"),
    "trust": ("policy.failover.on_demand_trust", "share"),
}
_COLUMN = {
    "quota": ("on_demand", ("region", "model", "option"), "tokens_per_minute_quota", "tokens/minute"),
    "units": ("offers", ("offer",), "max_units", "units"),
    "egress": ("routes", ("origin", "destination"), "max_gb_per_month", "GB"),
    "guaranteed": ("workloads", ("workload",), "guaranteed_share", "share"),
    "failover_share": ("workloads", ("workload",), "failover_share", "share"),
    "demand": ("demand", ("region", "workload"), "requests_per_hour", "share"),
}


def shortfall_of(case: Case, sets: Sets, change: Change) -> Shortfall:
    """Name the cell of a change, what it would have to say, and the slot that sets it."""
    limit = change.limit
    row: tuple[tuple[str, str], ...] = ()
    if limit.rule in _SETTING:
        (column, unit), table = _SETTING[limit.rule], SETTINGS
    elif limit.rule not in _COLUMN:  # a family that is known by its declaration alone
        table, column, unit = SETTINGS, limit.key[0], ""
        column = f"policy.{column}" if hasattr(case.settings.policy, column) else column
    else:
        table, keys, column, unit = _COLUMN[limit.rule]
        row = tuple(zip(keys, limit.key))
    offer = next((o for o in case.offers if limit.rule == "units" and o.offer == limit.key[0]), None)
    slot = sets.slots.iloc[change.slot] if change.slot >= 0 else None
    needs = limit.has - change.amount if limit.lowered else limit.has + change.amount
    return Shortfall(
        rule=limit.rule,
        table=table,
        row=row,
        column=column,
        unit=unit,
        has=limit.has,
        needs=needs if change.value is None else change.value,
        pool="" if offer is None else offer.pool,
        meter="" if offer is None else offer.meter,
        case=change.case,
        scenario="" if slot is None else str(slot["scenario"]),
        period="" if slot is None else sets.periods[int(slot["period"])],
        hour_of_week=-1 if slot is None else int(slot["hour_of_week"]),
    )


def can_apply(case: Case, shortfalls: Iterable[Shortfall]) -> bool:
    """Whether each shortfall is a cell of the input; of a family that names no such cell it is not."""
    policy = case.settings.policy
    settings = [s.column.split(".") for s in shortfalls if s.table == SETTINGS]
    return all(path[0] == "policy" and hasattr(policy, path[1]) for path in settings)


def apply(case: Case, shortfalls: Iterable[Shortfall]) -> Case:
    """Return the case with what the shortfalls ask for, exactly."""
    for s in shortfalls:
        names = dict(s.row)
        if s.table == SETTINGS:
            case = replace(case, settings=_with_setting(case.settings, s.column.split("."), s.needs))
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


def _with_setting(block: Any, path: list[str], value: float) -> Any:
    if len(path) == 1:
        return block.model_copy(update={path[0]: value})
    return block.model_copy(update={path[0]: _with_setting(getattr(block, path[0]), path[1:], value)})
