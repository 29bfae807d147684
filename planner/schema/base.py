"""What every row of every table has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from planner.schema.types import LARGEST


class Row(BaseModel):
    """One row of an input table: frozen, no unknown columns, no NaN or infinity.

    ``source``, ``as_of`` and ``note`` are allowed in every table, kept, and shown in the reports.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)

    source: str | None = Field(default=None, description="where the figure was read")
    as_of: str | None = Field(default=None, description="the day it was read or is valid from")
    note: str | None = Field(default=None, description="anything a reader should know")


def column(
    default: Any = ...,
    *,
    meaning: str,
    unit: str = "",
    blank: str | None = None,
    refers_to: str | None = None,
    **rules: Any,
) -> Any:
    """Declare a column once: default, unit, meaning, what a blank cell means, and the limits pydantic enforces.

    Parameters
    ----------
    default : value of a blank cell; leave out for a column that must be filled in.
    meaning : one line for the schema page, the starter workbook and the error message.
    unit : unit of the value, for instance ``"tokens/minute"``.
    blank : what a blank cell means, where that is not plainly the default ("none", "as headroom").
    refers_to : ``"table.column"`` that holds the names allowed here.
    rules : pydantic limits: ``ge``, ``gt``, ``le``, ``lt``, ``min_length``. A number (it has a unit) is at
        most LARGEST.
    """
    if unit not in ("", "date") and not {"le", "lt"} & rules.keys():
        rules["le"] = LARGEST
    extra: dict[str, Any] = {"unit": unit}
    if blank is not None:
        extra["blank"] = blank
    if refers_to is not None:
        extra["refers_to"] = refers_to
    return Field(default, description=meaning, json_schema_extra=extra, **rules)


def name_column(meaning: str, refers_to: str | None = None) -> Any:
    """Declare a column that holds a name: free text, not empty."""
    return column(meaning=meaning, refers_to=refers_to, min_length=1)
