"""What the schema says of each input column, put as a header comment and a validation of the spreadsheet's cells."""

import datetime as dt
import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from planner.schema.base import Row
from planner.schema.types import LARGEST

COMMON = tuple(Row.model_fields)  # source, as_of, note: allowed in every table, shown last
LAST_ROW = {"demand": 200_000}
LAST_ROW_DEFAULT = 2_000  # rows of a table that get drop-downs and validation
_SIGN = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


@dataclass(frozen=True)
class InputColumn:
    """One column of an input table, or one key of the plan sheet."""

    name: str
    required: bool
    kind: type
    choices: tuple[str, ...]
    limits: dict[str, float]
    refers_to: tuple[str, str] | None
    unit: str
    meaning: str
    when_blank: str

    @property
    def comment(self) -> str:
        """Meaning, unit, default and limits, a line each."""
        lines = [self.meaning[:1].upper() + self.meaning[1:] + "."]
        if self.unit:
            lines.append(f"Unit: {self.unit}")
        lines.append("Must be filled in" if self.required else f"Blank: {self.when_blank}")
        if self.limits:
            lines.append("Allowed: " + " and ".join(f"{_SIGN[k]} {v:g}" for k, v in self.limits.items()))
        if self.choices:
            lines.append("One of: " + ", ".join(self.choices))
        if self.refers_to:
            lines.append(f"A name of sheet {self.refers_to[0]}")
        return "\n".join(lines)

    def validation(self) -> dict[str, Any] | None:
        """XlsxWriter's data validation of the column's cells; None where any text will do."""
        if self.refers_to and self.name != "serving_regions":  # that one holds a list of names, or any
            table, _ = self.refers_to
            return {
                "validate": "list",
                "source": f"={table}!$A$2:$A${LAST_ROW_DEFAULT}",
                "error_type": "warning",
                "error_title": "Unknown name",
                "error_message": f"Not a name of sheet {table}. Add it there, or choose from the list.",
            }
        if self.kind is bool or self.choices:
            allowed = ["TRUE", "FALSE"] if self.kind is bool else list(self.choices)
            return {"validate": "list", "source": allowed, "error_message": "Choose from the list."}
        if self.kind is dt.date:
            return {
                "validate": "date",
                "criteria": ">=",
                "value": dt.date(2000, 1, 1),
                "error_message": "A date, such as 2027-01-01.",
            }
        if self.kind in (int, float):
            return self._number()
        return None

    def _number(self) -> dict[str, Any]:
        low = self.limits.get("ge", self.limits.get("gt"))
        high = self.limits.get("le", self.limits.get("lt"))
        rule: dict[str, Any] = {"validate": "integer" if self.kind is int else "decimal"}
        if low is not None and high is not None and "lt" not in self.limits and "gt" not in self.limits:
            rule |= {"criteria": "between", "minimum": low, "maximum": high}
        elif high is not None and "lt" in self.limits:
            rule |= {"criteria": "between", "minimum": low or 0, "maximum": high - 1e-6}
        elif low is not None:
            rule |= {"criteria": ">" if "gt" in self.limits else ">=", "value": low}
        else:
            rule |= {"criteria": ">=", "value": -1e300}
        said = " and ".join(f"{_SIGN[k]} {v:g}" for k, v in self.limits.items()) or "a number"
        return rule | {
            "error_title": self.name.rsplit(".", 1)[-1][:32],
            "error_message": f"Allowed: {said}" + f" ({self.unit})" * bool(self.unit),
        }


def columns_of(row: type[BaseModel]) -> list[InputColumn]:
    """Columns of a table in the order of the schema, the common ones last."""
    fields = row.model_fields
    own = [name for name in fields if name not in COMMON]
    return [_column(name, fields[name]) for name in own + [name for name in COMMON if name in fields]]


def settings_of(block: type[BaseModel], prefix: str = "") -> list[InputColumn]:
    """Keys of the plan sheet, blocks inside blocks joined by dots: ``policy.failover.share``."""
    found = []
    for name, info in block.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += settings_of(kind, f"{prefix}{name}.")
        else:
            found.append(_column(prefix + name, info))
    return found


def _column(name: str, info: FieldInfo) -> InputColumn:
    kind, choices = _kind(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    limits = {
        rule: float(getattr(limit, rule))
        for limit in info.metadata
        for rule in ("ge", "gt", "le", "lt")
        if getattr(limit, rule, None) not in (None, LARGEST)
    }
    target = extra.get("refers_to")
    reference = tuple(str(target).split(".", 1)) if target else None
    default = info.default
    blank = str(extra.get("blank") or ("nothing" if default in (None, "") else _shown(default)))
    return InputColumn(
        name=name,
        required=info.is_required(),
        kind=kind,
        choices=choices,
        limits=limits,
        refers_to=(reference[0], reference[1]) if reference else None,
        unit=str(extra.get("unit", "")),
        meaning=info.description or name,
        when_blank=blank,
    )


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).upper()
    return f"{default:g}" if isinstance(default, float) else str(default)


def _kind(annotation: Any) -> tuple[type, tuple[str, ...]]:
    """Type of a cell and the words it may hold, without the None of an optional column."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return str, tuple(str(word) for word in get_args(annotation))
    return annotation, ()
