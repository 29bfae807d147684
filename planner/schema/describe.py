"""What the schema says of each column, as data and in words: for faults, `planner schema`, docs and workbooks."""

import datetime as dt
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from planner.schema.base import GREATEST_WEIGHT, LISTS, Row
from planner.schema.case import TABLES
from planner.schema.settings import PlanSettings

COMMON = tuple(Row.model_fields)  # source, as_of, note: allowed in every table
SLIP = GREATEST_WEIGHT  # upper limits from here on are against slips of units
_LIMITS = ("ge", "gt", "le", "lt")


@dataclass(frozen=True)
class ColumnFacts:
    """One column of an input table, or one key of plan.yaml (``policy.failover.share``)."""

    name: str
    required: bool
    kind: type  # str, bool, int, float, datetime.date, or tuple: a list of dates
    choices: tuple[str, ...]  # the words it may hold; empty: any
    limits: tuple[tuple[str, float], ...]  # (ge, gt, le or lt; number)
    refers_to: tuple[str, str] | None  # table and column that hold the names allowed here
    unit: str
    meaning: str
    blank: str  # what a blank cell means; "" where a value is required

    @property
    def allowed(self) -> str:
        """What a cell may hold, in words: ``a number from 0 to 1``."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.name in LISTS:
            return "any, or names of the table regions separated by semicolons"
        if self.refers_to:
            return f"a name of the table {self.refers_to[0]}"
        kinds = {
            bool: "true or false", int: "a whole number", float: "a number", dt.date: "a date such as 2027-01-01",
            tuple: "dates such as 2027-01-12, separated by semicolons",
        }  # fmt: skip
        return kinds.get(self.kind, "text") + self._range()

    def _range(self) -> str:
        """Name the limits, but not those against slips of units."""
        limits = {rule: f"{limit:g}" for rule, limit in self.limits if limit < SLIP}
        if "gt" in limits:
            low = f" above {limits['gt']}"
        else:
            low = f" from {limits['ge']}" if "ge" in limits else ""
        if "lt" in limits:
            return f"{low} to below {limits['lt']}"
        if "le" in limits:
            return f"{low} to {limits['le']}"
        return low.replace("from", "of at least")


@cache
def columns_of(row: type[BaseModel]) -> dict[str, ColumnFacts]:
    """Columns of a table by name, in the order of the schema, the common ones (source, as_of, note) last."""
    fields = row.model_fields
    own = [name for name in fields if name not in COMMON]
    return {name: _facts(name, fields[name]) for name in own + [name for name in COMMON if name in fields]}


@cache
def settings_of(block: type[BaseModel], prefix: str = "") -> dict[str, ColumnFacts]:
    """Keys of plan.yaml by their dotted name."""
    found: dict[str, ColumnFacts] = {}
    for name, info in block.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= settings_of(kind, f"{prefix}{name}.")
        else:
            found[prefix + name] = _facts(prefix + name, info)
    return found


def _facts(name: str, info: FieldInfo) -> ColumnFacts:
    kind, choices = _kind(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    limits = tuple(
        (rule, float(getattr(limit, rule)))
        for limit in info.metadata
        for rule in _LIMITS
        if getattr(limit, rule, None) is not None
    )
    table, _, column = str(extra.get("refers_to") or "").partition(".")
    required = info.is_required() and "blank" not in extra  # what another column may stand for can be blank
    blank = str(extra.get("blank") or ("none" if info.default is None else _shown(info.default)))
    return ColumnFacts(
        name=name,
        required=required,
        kind=kind,
        choices=choices,
        limits=limits,
        refers_to=(table, column) if table else None,
        unit=str(extra.get("unit", "")),
        meaning=info.description or name,
        blank="" if required else blank,
    )


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def _kind(annotation: Any) -> tuple[type, tuple[str, ...]]:
    """Type of a cell and the words it may hold, without the None of an optional column."""
    while (origin := get_origin(annotation)) in (Union, types.UnionType, Annotated):
        parts = get_args(annotation)
        annotation = parts[0] if origin is Annotated else next(part for part in parts if part is not type(None))
    if get_origin(annotation) is Literal:
        return str, tuple(str(word) for word in get_args(annotation))
    if get_origin(annotation) is tuple:
        return tuple, ()
    return annotation, ()


PLAN = "plan"


@dataclass(frozen=True)
class Part:
    """One table, or plan.yaml, with its columns or keys."""

    name: str
    meaning: str
    needed: bool
    key: tuple[str, ...]
    columns: Mapping[str, ColumnFacts]

    @property
    def own(self) -> list[ColumnFacts]:
        """Columns without those that every table may have (source, as_of, note)."""
        return [facts for facts in self.columns.values() if facts.name not in COMMON]

    @property
    def use(self) -> str:
        """Whether a plan needs it, and what makes a row."""
        need = "A plan needs it." if self.needed else "It may be left out."
        return f"{need} One row for each {', '.join(self.key)}." if self.key else need


def parts() -> dict[str, Part]:
    """Every table by name, plan.yaml first."""
    plan = Part(PLAN, "name, horizon and policy: plan.yaml, or the sheet plan", True, (), settings_of(PlanSettings))
    tables = [Part(t.name, t.meaning, t.required, t.key, columns_of(t.row)) for t in TABLES]
    return {part.name: part for part in (plan, *tables)}


def as_text(part: Part) -> str:
    """Give two lines a column."""
    wide = max(len(facts.name) for facts in part.own)
    lines = [f"{part.name}: {part.meaning}", f"  {part.use}"]
    for facts in part.own:
        unit = f" [{facts.unit}]" if facts.unit else ""
        blank = "must be filled in" if facts.required else f"blank: {facts.blank}"
        lines.append(f"  {facts.name:<{wide}}  {facts.meaning}{unit}")
        lines.append(f"  {'':<{wide}}    {facts.allowed}; {blank}")
    return "\n".join(lines)


def as_markdown(part: Part) -> str:
    """Give a heading and a table."""
    rows = [("column", "unit", "blank means", "allowed", "meaning"), ("---",) * 5]
    for facts in part.own:
        blank = "*must be filled in*" if facts.required else facts.blank
        rows.append((f"`{facts.name}`", facts.unit, blank, facts.allowed, facts.meaning))
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([f"### {part.name}", "", f"{part.meaning[:1].upper()}{part.meaning[1:]}. {part.use}", "", *lines])


def as_plain(part: Part) -> dict[str, Any]:
    """Give dictionaries and lists for JSON."""
    columns = [
        asdict(facts) | {"kind": facts.kind.__name__, "limits": dict(facts.limits), "allowed": facts.allowed}
        for facts in part.columns.values()
    ]
    return {"meaning": part.meaning, "needed": part.needed, "key": part.key, "columns": columns}
