"""A change of one cell of the input, as data: in the input's own terms, and made exactly."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from planner.errors import Shortfall
from planner.model.family import SETTINGS
from planner.schema.case import Case
from planner.schema.workloads import Route

ROUTE, EVERY, DEMAND = "route", "every", "demand"
Value = float | str | bool | None


def number(value: Value) -> str:
    """Write a value as a person would: 145,438; 0.31; off for no."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, str) or value is None else f"{value:,.10g}"


@dataclass(frozen=True)
class InputChange:
    """One cell, what it says and what it would have to say.

    rule : as of `Shortfall`, or headroom, residency, fails, ... `every` : the column of all rows, times ``needs``.
    table, row, column, unit : as of `Shortfall`.
    """

    rule: str
    table: str
    row: tuple[tuple[str, str], ...]
    column: str
    unit: str
    has: Value
    needs: Value

    @classmethod
    def of(cls, s: Shortfall) -> "InputChange":
        """Take over a shortfall that is a cell."""
        return cls(s.rule, s.table, s.row, s.column, s.unit, s.has, s.needs)

    @property
    def share(self) -> float | None:
        """Size of the change as a share of what the cell says; None where that is nothing, or no number."""
        if isinstance(self.has, bool | str) or isinstance(self.needs, bool | str) or self.has is None:
            return None
        if self.rule == ROUTE or self.needs is None or self.has == 0:
            return None
        return abs(self.needs - self.has) / abs(self.has)

    @property
    def what(self) -> str:
        """What is changed, without the figures; of what has no size, all of it."""
        names = dict(self.row)
        if self.rule == ROUTE:
            return f"allow {names['origin']} to be served from {names['destination']} (a route)"
        if self.rule == "residency":
            added = str(self.needs).split(";")[-1]
            return f"allow {names['workload']} to be served in {added} (serving_regions)"
        if self.rule == "fails":
            return f"do not plan for the loss of {names['region']} (fails)"
        if self.rule == "failover":
            return "do not plan for the loss of any region (failover.enabled)"
        if self.rule == EVERY:
            return f"every {self.column} of {self.table}"
        if self.rule == DEMAND:
            return f"demand of {names['workload']} from {names['region']}"
        if self.table == SETTINGS:
            return self.column.removeprefix("policy.")
        if self.rule == "quota":
            option = "" if names["option"] == "standard" else f" ({names['option']})"
            return f"quota of {names['model']}{option} in {names['region']}"
        of = " to ".join(names.values()) if self.table == "routes" else ", ".join(names.values())
        return f"{self.column} of {of}"

    def __str__(self) -> str:
        if self.rule in (ROUTE, "residency", "fails", "failover"):
            return self.what
        if self.rule in (EVERY, DEMAND):
            return f"{self.what} times {number(self.needs)}"
        return f"{self.what} from {number(self.has)} to {number(self.needs)}"


def apply_changes(case: Case, changes: Iterable[InputChange]) -> Case:
    """Return the case with some changes made, exactly."""
    for change in changes:
        case = _applied(case, change)
    return case


def _applied(case: Case, change: InputChange) -> Case:
    names = dict(change.row)
    if change.table == SETTINGS:
        return replace(case, settings=with_setting(case.settings, change.column, change.needs))
    if change.rule == ROUTE:
        routes = [*case.routes, Route(origin=names["origin"], destination=names["destination"])]
        return replace(case, routes=tuple(sorted(routes, key=lambda r: (r.origin, r.destination))))
    if change.rule == DEMAND:
        asked = case.demand
        mine = (asked["region"] == names["region"]) & (asked["workload"] == names["workload"])
        factor = mine.map({True: change.needs, False: 1.0}).astype(float)
        left = asked.assign(requests_per_hour=asked["requests_per_hour"] * factor)
        return replace(case, demand=left[left["requests_per_hour"] > 0].reset_index(drop=True))

    def value(row: Any) -> Value:
        if change.rule == EVERY:
            had = getattr(row, change.column)
            return None if had is None else had * change.needs
        whole = change.column == "deadline_hours"
        return int(change.needs) if whole else change.needs  # type: ignore[arg-type]

    rows = tuple(
        row.model_copy(update={change.column: value(row)})
        if all(getattr(row, key) == name for key, name in names.items())
        else row
        for row in case.rows(change.table)
    )
    changed: dict[str, Any] = {change.table: rows}
    return replace(case, **changed)


def with_setting(block: Any, path: str, value: Value) -> Any:
    """Return a block of settings with one of them, at a dotted path, changed."""
    name, _, rest = path.partition(".")
    return block.model_copy(update={name: with_setting(getattr(block, name), rest, value) if rest else value})
