"""Times that are written as text, in whatever order: ``31.01.2026 08:00``, ``1/31/2026, 8:00:00 AM``, ``Jan 31, 2026``.

What ISO 8601 allows is read by the engine (cells.py). Everything else gets a format of ``strptime``, from the shape of
the cell. Whether the day or the month stands first is settled by the file: ``31/01`` can be read in one way only.
Where nothing settles it, the file is refused: ``time_format`` in the map says it.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand.engine import own_function
from planner.features.demand.formats.numbers import trimmed

NUMERIC = re.compile(r"^(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})(?=\D|$)")
YEAR_FIRST = re.compile(r"^\d{4}([/.\-])\d{1,2}\1\d{1,2}(?=\D|$)")
COMPACT = re.compile(r"^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?=T|\s|$)")
WORDS = (  # a pattern of the date, and its format
    (re.compile(r"^[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4}"), "%a, %d %b %Y"),
    (re.compile(r"^[A-Za-z]{3} \d{1,2},? \d{4}"), "%b %d, %Y"),
    (re.compile(r"^[A-Za-z]{4,9} \d{1,2},? \d{4}"), "%B %d, %Y"),
    (re.compile(r"^\d{1,2}[ \-/][A-Za-z]{3}[ \-/]\d{4}"), "%d %b %Y"),
    (re.compile(r"^\d{1,2} [A-Za-z]{4,9} \d{4}"), "%d %B %Y"),
)
CLOCK = re.compile(
    r"^(?P<gap>,? +|T|:|)(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2}))?(?P<fraction>\.\d+)?"
    r"(?P<half> ?[AaPp]\.?[Mm]\.?)?(?P<zone> ?Z| ?UTC| ?GMT| ?[+-]\d{2}:?\d{2})?$"
)
OFFSET = r"(?:Z|[+-]\d{2}:?(?:\d{2})?)$"  # after a clock
EXCEL_EPOCH = 25569  # serial of 1970-01-01
EXCEL_FROM, EXCEL_TO = 36526, 73051  # 2000 to 2099: as seconds since 1970 they would lie before any log


@dataclass(frozen=True)
class TimeFormats:
    """How a file's times are written, beside ISO 8601: formats of ``strptime``, and of those that are in UTC anyway."""

    local: tuple[str, ...] = ()
    with_zone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.local or self.with_zone)


def settled(texts: Iterable[str], place: str, column: str) -> TimeFormats:
    """Return the formats of the texts that the engine cannot read; texts of no known shape are left to its rules.

    Raises
    ------
    InputError
        Days and months cannot be told apart.
    """
    odd = [text.strip() for text in texts if text and text.strip()]
    numeric = {text: found for text in odd if (found := NUMERIC.match(text))}
    day_first = _day_first(numeric, place, column)
    local: dict[str, None] = {}
    zoned: dict[str, None] = {}
    for text in odd:
        for made in _formats_of(text, day_first):
            (zoned if made.endswith(("Z", "UTC", "GMT", "%z")) else local)[made] = None
    return TimeFormats(tuple(local), tuple(zoned))


def _day_first(numeric: dict[str, re.Match[str]], place: str, column: str) -> bool:
    """Tell whether dates such as 31/01/2026 have the day first; a dot between them says so."""
    days = next((text for text, m in numeric.items() if int(m[1]) > 12 >= int(m[3])), None)
    months = next((text for text, m in numeric.items() if int(m[3]) > 12 >= int(m[1])), None)
    if days and months:
        said = (
            f"dates have the day first in some rows ({days}) and the month first in others ({months}); say time_format"
        )
        raise InputError([Fault(place, said, column=column)])
    open_ones = [text for text, m in numeric.items() if m[2] != "." and m[1].lstrip("0") != m[3].lstrip("0")]
    if days or months:
        return days is not None
    if open_ones:
        said = "no row shows which number is the day and which the month; say time_format in the map"
        allowed = "time_format: '%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M', as it is meant"
        raise InputError([Fault(place, said, column=column, value=open_ones[0], allowed=allowed)])
    return True


def _formats_of(text: str, day_first: bool) -> list[str]:
    """Return the formats that may read a text: date, then clock."""
    date, rest = "", ""
    if found := NUMERIC.match(text):
        parts = ("%d", "%m") if day_first else ("%m", "%d")
        year = "%Y" if len(found[4]) == 4 else "%y"
        date, rest = found[2].join((*parts, year)), text[found.end() :]
    elif found := YEAR_FIRST.match(text):
        date, rest = found[1].join(("%Y", "%m", "%d")), text[found.end() :]
    elif found := COMPACT.match(text):
        date, rest = "%Y%m%d", text[found.end() :]
        if re.fullmatch(r"T\d{4,6}Z?", rest):
            return ["%Y%m%dT%H%M%S"[: 9 + len(rest.rstrip("Z"))] + ("Z" if rest.endswith("Z") else "")]
    else:
        for pattern, form in WORDS:
            if found := pattern.match(text):
                date, rest = form, text[found.end() :]
                sign = next((c for c in found[0] if c in "-/"), None)
                date = date.replace(" ", sign) if sign else date
                date = date if "," in found[0] else date.replace(",", "")
                break
    if not date:
        return []
    clock = _clock_of(rest)
    return [] if clock is None else [date + clock]


def _clock_of(rest: str) -> str | None:
    """Return the format of what follows the date; None where it is no clock."""
    if not rest.strip():
        return ""
    found = CLOCK.match(rest)
    if found is None or (found["half"] and "." in found["half"]):
        return None
    hour = "%I" if found["half"] else "%H"
    parts = [hour, *(["%M"] if found["minute"] else []), *(["%S"] if found["second"] else [])]
    text = found["gap"] + ":".join(parts)
    if found["fraction"]:
        text += ".%f" if len(found["fraction"]) <= 7 else ".%n"
    if found["half"]:
        text += found["half"][: -len(found["half"].strip())] + "%p"
    zone = found["zone"] or ""
    return text + (re.sub(r"[+-]\d{2}:?\d{2}", "%z", zone) if zone else "")


def expression(value: Any, formats: TimeFormats, time_zone: str) -> Any:
    """Return a text column as seconds since 1970 UTC by these formats; null where none fits. For DuckDB."""
    import ibis

    text = trimmed(value)
    found = ibis.null("float64")
    for form in formats.with_zone:
        found = ibis.coalesce(found, _epoch(_strptime(text, form)))
    for form in formats.local:
        moment = _strptime(text, form)
        if time_zone != "UTC":
            moment = in_zone(time_zone, moment)
        found = ibis.coalesce(found, _epoch(moment))
    return found


def _epoch(moment: Any) -> Any:
    return moment.epoch_seconds().cast("float64")


def _strptime(text: Any, form: str) -> Any:
    # DuckDB gives a timestamp with an offset where the format has one; both come as plain UTC
    return own_function("try_strptime", ("string", "string"), "timestamp")(text, form).cast("timestamp")


def in_zone(time_zone: str, moment: Any) -> Any:
    """Return a local time as plain UTC."""
    as_local = own_function("timezone", ("string", "timestamp"), "timestamp('UTC')")
    as_plain = own_function("timezone", ("string", "timestamp('UTC')"), "timestamp")
    return as_plain("UTC", as_local(time_zone, moment))


def local_time(time_zone: str, epoch: Any) -> Any:
    """Return seconds since 1970 as the local time of a zone. For DuckDB."""
    as_utc = own_function("to_timestamp", ("float64",), "timestamp('UTC')")
    as_local = own_function("timezone", ("string", "timestamp('UTC')"), "timestamp")
    return as_local(time_zone, as_utc(epoch))


def plain_moment(epoch: Any) -> Any:
    """Return seconds since 1970 as a timestamp without a zone. For DuckDB."""
    return own_function("make_timestamp", ("int64",), "timestamp")((epoch * 1_000_000).cast("int64"))


def moment_of(value: object) -> pd.Timestamp | None:
    """Read a moment out of an export's cell, UTC where it has no offset; None where it holds no moment."""
    stamp = pd.to_datetime(str(value), utc=True, errors="coerce") if value is not None else pd.NaT
    return stamp if isinstance(stamp, pd.Timestamp) else None


def parsed(texts: pd.Series, place: str, formats: TimeFormats | None = None, time_zone: str = "UTC") -> pd.Series:
    """Read a column of moments as UTC timestamps, NaT where a cell is none; settled like a table's time.

    Raises
    ------
    InputError
        Days and months cannot be told apart.
    """
    shown = texts.astype("object").map(lambda value: None if value is None or value != value else str(value).strip())
    iso = pd.to_datetime(shown, utc=True, errors="coerce", format="ISO8601")
    if time_zone != "UTC":  # what has no offset is the zone's
        plain = shown[iso.notna() & ~shown.fillna("").str.contains(OFFSET)]
        local = pd.to_datetime(plain, errors="coerce", format="ISO8601")
        local = local.dt.tz_localize(time_zone, ambiguous=True, nonexistent="shift_forward").dt.tz_convert("UTC")
        iso = iso.mask(iso.index.isin(local.index), local.reindex(iso.index))
    odd = shown[iso.isna() & shown.notna()]
    if odd.empty:
        return iso
    formats = formats or settled(odd.unique(), place, str(texts.name))
    for form in (*formats.with_zone, *formats.local):
        zone = dt.UTC if form in formats.with_zone else ZoneInfo(time_zone)
        read = odd.map(lambda text, form=form, zone=zone: _read(text, form, zone))
        iso = iso.fillna(pd.to_datetime(read, utc=True, errors="coerce").reindex(iso.index))
    return iso


def _read(text: str, form: str, zone: dt.tzinfo) -> dt.datetime | None:
    form = form.replace("Z", "%z").replace("UTC", "%Z").replace("GMT", "%Z").replace("%n", "%f")
    try:
        moment = dt.datetime.strptime(re.sub(r"(\.\d{6})\d+", r"\1", text), form)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
