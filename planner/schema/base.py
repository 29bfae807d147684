"""What every row of every table has in common, and kinds of cell that people write in more than one way."""

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

YEARS = range(2000, 2200)  # of any date
# A larger number is a slip of units ("no limit" is a blank cell), and would drown the others in rounding.
LARGEST = 1e12  # of any number
MOST_REQUESTS = 1e9  # of one hour
MOST_TOKENS = 1e9  # of one request
GREATEST_WEIGHT = 1e6  # of a token, relative to others

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]00:00(?::00(?:\.0+)?)?)?")
_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2})(?:[ T]00:00(?::00(?:\.0+)?)?)?)?")
_MONTH_NAMED = re.compile(r"([A-Za-z]{3,9})[- ](\d{2}|\d{4})")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


def _day(value: Any) -> Any:
    """Accept a date, or the text of one: never a number, which pydantic would take for seconds since 1970."""
    if isinstance(value, dt.datetime):
        value = str(value)
    if isinstance(value, str):
        found = _DAY.fullmatch(value.strip())
        try:
            value = dt.date.fromisoformat(found[1]) if found else None
        except ValueError:
            value = None
    if not isinstance(value, dt.date):
        raise PydanticCustomError("day", "is not a date")
    if value.year not in YEARS:  # a slip; and the calendar ends in 9999
        raise PydanticCustomError("year", f"lies outside the years {YEARS[0]} to {YEARS[-1]}")
    return value


def _days(value: Any) -> Any:
    """Accept several dates, or the text of them separated by semicolons or commas; in order, each once. None: none."""
    if value is None:
        return None
    if isinstance(value, str):
        value = [part for part in re.split(r"[;,]", value) if part.strip()]
    elif isinstance(value, dt.date):
        value = [value]
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise PydanticCustomError("day", "is not a list of dates")
    return tuple(sorted({_day(each) for each in value})) or None


def _period(value: Any) -> Any:
    if isinstance(value, dt.date):
        value = value.isoformat()
    return period_text(value) if isinstance(value, str) else value


def period_text(text: str) -> str:
    """Bring the name of a period to the form 2027-01 or 2027-01-12, also where a spreadsheet made it ``Jan-27``.

    A spreadsheet makes 2027-01-01 of the month 2027-01: which of the two is meant, only the periods tell
    (`settings.period_named`).
    """
    text = text.strip()
    if found := _MONTH.fullmatch(text):
        return f"{found[1]}-{int(found[2]):02d}" + (f"-{int(found[3]):02d}" if found[3] else "")
    if found := _MONTH_NAMED.fullmatch(text):
        starts = [k for k, name in enumerate(_MONTHS, start=1) if name.startswith(found[1].lower())]
        if len(starts) == 1:
            return f"{found[2] if len(found[2]) == 4 else '20' + found[2]}-{starts[0]:02d}"
    return text


def _flag(value: Any) -> Any:
    """Let 1.0 and 0.0 be yes and no, as tables of numbers write them; the other spellings pydantic knows."""
    return {"1.0": "1", "0.0": "0"}.get(value.strip(), value) if isinstance(value, str) else value


Day = Annotated[dt.date, BeforeValidator(_day)]
Days = Annotated[tuple[dt.date, ...] | None, BeforeValidator(_days)]
PeriodName = Annotated[str, BeforeValidator(_period)]
Flag = Annotated[bool, BeforeValidator(_flag)]


class Row(BaseModel):
    """One row of an input table: frozen, no unknown columns, no NaN or infinity.

    ``source``, ``as_of`` and ``note`` are allowed in every table, kept, and shown in the reports.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)

    source: str | None = Field(default=None, description="where the figure was read")
    as_of: str | None = Field(default=None, description="the day it was read or is valid from")
    note: str | None = Field(default=None, description="anything a reader should know")


LISTS = ("serving_regions", "regions")  # columns that hold names joined by ;


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
