"""The months to plan: what the command line says, else the folder's plan.yaml, else the months to come."""

import datetime as dt
from pathlib import Path
from typing import Any

import yaml

from planner.errors import Fault, InputError
from planner.schema.calendar import add_months

DEFAULT_MONTHS = 3


def horizon_of(
    folder: Path, start: str | None = None, months: int | None = None, after: dt.date | None = None
) -> tuple[dt.date, int]:
    """Return first day and number of months.

    Parameters
    ----------
    folder : planning folder; its plan.yaml gives what the options leave open.
    start, months : options; a start such as 2027-01 or 2027-01-01.
    after : where nothing says the start, the first month that begins after this day (default: today).
    """
    there: dict[str, Any] = {}
    path = folder / "plan.yaml"
    if path.exists():
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError([Fault(str(path), f"is not readable YAML: {error}")]) from error
        found = content.get("horizon") if isinstance(content, dict) else None
        there = found if isinstance(found, dict) else {}
    first = _day(start, "--start") if start else None
    if first is None and there.get("start"):
        first = _day(str(there["start"]), str(path))
    if first is None:
        first = add_months((after or dt.datetime.now(dt.UTC).date()).replace(day=1), 1)
    count = months if months is not None else int(there.get("months") or DEFAULT_MONTHS)
    if not 1 <= count <= 120:
        raise InputError([Fault("--months", "is not a number of months", value=count, allowed="1 to 120")])
    return first.replace(day=1), count


def check_within(folder: Path, start: dt.date, months: int) -> None:
    """Refuse months that a folder's plan.yaml does not plan: their demand could not be read.

    Raises
    ------
    InputError
        naming both horizons.
    """
    if not (folder / "plan.yaml").exists():
        return
    first, count = horizon_of(folder)
    if start < first or add_months(start, months) > add_months(first, count):
        asked, planned = (f"{s:%Y-%m}, {n} months" for s, n in ((start, months), (first, count)))
        message = "the folder plans other months; leave out --start and --months, or change its horizon first"
        raise InputError([Fault(str(folder / "plan.yaml"), message, value=asked, allowed=planned)])


def _day(text: str, place: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text if len(text) > 7 else f"{text}-01")
    except ValueError:
        raise InputError([Fault(place, "is not a month", value=text, allowed="2027-01 or 2027-01-01")]) from None
