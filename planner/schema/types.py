"""Kinds of cell that people and spreadsheets write in more than one way: days, months, yes or no."""

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

YEARS = range(2000, 2200)  # of any date
# A larger number is a slip of units ("no limit" is a blank cell), and would drown the others in rounding.
LARGEST = 1e12  # of any number
MOST_REQUESTS = 1e9  # of one hour
MOST_TOKENS = 1e9  # of one request
GREATEST_WEIGHT = 1e6  # of a token, relative to others

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]00:00(?::00(?:\.0+)?)?)?")
_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})(?:[-/]0?1(?:[ T]00:00(?::00(?:\.0+)?)?)?)?")
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


def _month(value: Any) -> Any:
    """Bring a month to the form 2027-01, also where a spreadsheet made it ``2027-01-01`` or ``Jan-27``."""
    if isinstance(value, dt.date):
        value = value.isoformat()
    if not isinstance(value, str):
        return value
    text = value.strip()
    if found := _MONTH.fullmatch(text):
        return f"{found[1]}-{int(found[2]):02d}"
    if found := _MONTH_NAMED.fullmatch(text):
        starts = [k for k, name in enumerate(_MONTHS, start=1) if name.startswith(found[1].lower())]
        if len(starts) == 1:
            return f"{found[2] if len(found[2]) == 4 else '20' + found[2]}-{starts[0]:02d}"
    return text


def _flag(value: Any) -> Any:
    """Let 1.0 and 0.0 be yes and no, as tables of numbers write them; the other spellings pydantic knows."""
    return {"1.0": "1", "0.0": "0"}.get(value.strip(), value) if isinstance(value, str) else value


Day = Annotated[dt.date, BeforeValidator(_day)]
Month = Annotated[str, BeforeValidator(_month)]
Flag = Annotated[bool, BeforeValidator(_flag)]
