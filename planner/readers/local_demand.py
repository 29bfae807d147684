"""Demand as people have it: one row a region and workload, a column an hour of the day, in the region's local time.

    region,workload,day,00,01,...,23            day: Mon to Sun, weekday, weekend, or blank for every day
    region,workload,Mon 00,Mon 01,...,Sun 23    or all hours of the week side by side

It becomes the long table of UTC hours of the week. Over a month with a change of clocks, an hour of the week in UTC is
the mean of the local hours that it falls on in that month.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.errors import Fault, nearest
from planner.readers.raw_tables import FIRST_ROW, RawDemand, Source, clean, header_of, strays_of
from planner.schema.base import MOST_REQUESTS, period_text
from planner.schema.settings import Period, period_named
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK, WEEKDAYS, counted

DAY = "day"
NAMES = ("region", "workload", "scenario", "period")
_KEPT = (*NAMES, DAY, "source", "as_of", "note")
_HOUR = re.compile(r"(?:(mon|tue|wed|thu|fri|sat|sun)[a-z]*[ _.-]?)?h?(\d{1,2})(?::00)?", re.IGNORECASE)
_DAYS: Mapping[str, tuple[int, ...]] = {
    **{name.casefold(): (k,) for k, name in enumerate(WEEKDAYS)},
    "weekday": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
    "": tuple(range(DAYS_PER_WEEK)),
    "all": tuple(range(DAYS_PER_WEEK)),
}

_MOSTLY = HOURS_PER_DAY // 2  # columns of hours: then the others are faults, not another table
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LocalRow:
    """A row: its number, names as text, the days it is for, and its figures (24 or 168), requests per hour."""

    number: int
    names: tuple[str, ...]
    days: tuple[int, ...]
    figures: Floats

    def named(self, column: str) -> str:
        """Return the text in one of the columns of names."""
        return self.names[NAMES.index(column)]


@dataclass
class _Week:
    """What the rows of one region, workload, scenario and month say of the 168 local hours."""

    number: int
    figures: Floats = field(default_factory=lambda: np.zeros(HOURS_PER_WEEK))
    given: dict[int, int] = field(default_factory=dict)  # day: row


def is_local(header: Sequence[str]) -> bool:
    """Whether a header is that of a table with a column an hour."""
    return sum(_hour_of(name) is not None for name in header) >= _MOSTLY


def _hour_of(name: str) -> tuple[int | None, int] | None:
    """Day (None: of any day) and hour of a column; None where it is no hour."""
    found = _HOUR.fullmatch(clean(name))
    if found is None or int(found[2]) >= HOURS_PER_DAY:
        return None
    return (_DAYS[found[1].casefold()][0] if found[1] else None), int(found[2])


def read_local(place: str, grid: Iterable[Sequence[str]], *, sheet: bool = False) -> tuple[RawDemand, list[Fault]]:
    """Read such a table; every fault of its header and cells."""
    rows = iter(grid)
    source = Source("demand", place, header_of(next(rows, ())), sheet)
    faults = _header_faults(source)
    columns = {k: found_at for k, name in enumerate(source.header) if (found_at := _hour_of(name)) is not None}
    by_week = any(day is not None for day, _ in columns.values())
    found: list[LocalRow] = []
    for number, cells in enumerate(rows, start=FIRST_ROW):
        texts = {name: clean(cells[k]) for k, name in enumerate(source.header) if k < len(cells)}
        faults += strays_of(source, number, cells)
        if not any(texts.values()):
            continue
        figures = np.zeros(HOURS_PER_WEEK if by_week else HOURS_PER_DAY)
        for k, (weekday, hour) in columns.items():
            at = hour if weekday is None else weekday * HOURS_PER_DAY + hour
            if at < len(figures):
                figures[at] = _figure(source, number, source.header[k], texts.get(source.header[k], ""), faults)
        day = texts.get(DAY, "").casefold()
        days = _DAYS.get(day, _DAYS.get(day[:3]))
        if days is None:
            allowed = "Mon to Sun, weekday, weekend, or blank for every day"
            faults.append(source.fault("is not a day", number, DAY, texts[DAY], allowed))
            continue
        found.append(LocalRow(number, tuple(texts.get(name, "") for name in NAMES), days, figures))
    return RawDemand(source, pd.DataFrame(), tuple(found)), faults


def _figure(source: Source, row: int, column: str, text: str, faults: list[Fault]) -> float:
    try:
        value = float("nan" if "_" in text else text)  # 1_000 is text
    except ValueError:
        value = float("nan")
    if not 0 <= value <= MOST_REQUESTS:
        said = "must be filled in" if not text else "is not a number of requests per hour"
        faults.append(source.fault(said, row, column, text or None, f"0 to {MOST_REQUESTS:g}"))
        return 0.0
    return value


def _header_faults(source: Source) -> list[Fault]:
    faults = []
    hours = [hour for name in source.header if (hour := _hour_of(name)) is not None]
    for k, name in enumerate(source.header):
        if name and _hour_of(name) is None and name not in _KEPT:
            known = nearest(name, _KEPT) or f"; beside the hours there are {', '.join(_KEPT)}"
            faults.append(source.fault(f"the table demand has no column {name!r}{known}", 1))
        elif name and name in source.header[:k]:
            faults.append(source.fault(f"the column {name!r} appears twice", 1))
    faults += [source.fault(f"the column {name!r} is missing", 1) for name in NAMES[:2] if name not in source.header]
    by_week = any(day is not None for day, _ in hours)
    if by_week and (DAY in source.header or any(day is None for day, _ in hours)):
        faults.append(
            source.fault("has hours of the week (Mon 00) beside hours or rows of a day: use one of the two", 1)
        )
    wanted = HOURS_PER_WEEK if by_week else HOURS_PER_DAY
    if len(set(hours)) != wanted or len(hours) != wanted:
        example = "Mon 00 to Sun 23" if by_week else "00 to 23"
        faults.append(
            source.fault(f"has {counted(len(set(hours)), 'column')} of hours; it needs {wanted}, {example}", 1)
        )
    return faults


def in_utc(raw: RawDemand, zones: Mapping[str, str | None], periods: Sequence[Period]) -> tuple[RawDemand, list[Fault]]:
    """Turn local hours into the long table of UTC hours of the week.

    Parameters
    ----------
    zones : IANA time zone of each region; None where its row has none. periods : those of the horizon; none
        where it could not be read.
    """
    faults: list[Fault] = []
    weeks: dict[tuple[str, ...], _Week] = {}
    for row in raw.local:
        week = weeks.setdefault(row.names, _Week(row.number))
        for day in row.days:
            if day in week.given:
                said = f"gives {WEEKDAYS[day]} again; row {week.given[day]} already gives it"
                faults.append(raw.source.fault(said, row.number))
                break
            week.given[day] = row.number
            hours = (
                row.figures[day * HOURS_PER_DAY :][:HOURS_PER_DAY] if len(row.figures) > HOURS_PER_DAY else row.figures
            )
            week.figures[day * HOURS_PER_DAY : (day + 1) * HOURS_PER_DAY] = hours
    for week in weeks.values():
        if lacking := [WEEKDAYS[day] for day in range(DAYS_PER_WEEK) if day not in week.given]:
            said = f"the rows of this region and workload give no {', '.join(lacking)}; 0 must be written out"
            faults.append(raw.source.fault(said, week.number))
    unknown = sorted({names[0] for names in weeks if names[0] in zones and zones[names[0]] is None})
    for region in unknown:
        message = f"the hours are local time, and the region {region!r} has no time_zone in the table regions"
        faults.append(raw.source.fault(message, allowed="an IANA name such as Europe/Paris; UTC if they are UTC"))
    if faults:
        return replace(raw, frame=pd.DataFrame()), faults
    by_name = {p.name: p for p in periods}
    parts: list[pd.DataFrame] = []
    turned: dict[tuple[str, str], Floats] = {}
    for names, week in weeks.items():
        zone = zones.get(names[0]) or "UTC"
        zone = zone if _is_zone(zone) else "UTC"  # the zone is refused with its row of the table regions
        own = period_named(period_text(names[3]), by_name)
        for period in [by_name[own]] if own else list(periods) if not names[3] else []:
            if (zone, period.name) not in turned:
                turned[zone, period.name] = local_hours(zone, period.start, period.end)
            parts.append(_long(week, (*names[:3], period.name), turned[zone, period.name] @ week.figures))
        if not periods or (names[3] and not own):
            parts.append(_long(week, names, week.figures))  # the period is refused with its row, or the horizon was
    frame = pd.concat(parts) if parts else pd.DataFrame()
    named = {name: frame[name].astype("category") for name in (*NAMES, "hour_of_week") if name in frame}
    return replace(raw, frame=frame.assign(**named)), []


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _long(week: _Week, names: Sequence[str], figures: Floats) -> pd.DataFrame:
    columns: dict[str, Any] = {name: pd.array([text] * HOURS_PER_WEEK, dtype="str") for name, text in zip(NAMES, names)}
    columns["hour_of_week"] = pd.array([str(h) for h in range(HOURS_PER_WEEK)], dtype="str")
    return pd.DataFrame({**columns, "requests_per_hour": figures}, index=[week.number] * HOURS_PER_WEEK)


def local_hours(zone: str, start: dt.date, end: dt.date) -> Floats:
    """Shares (168 UTC hours of the week x 168 local ones): on which local hours a UTC hour falls in these days.

    Of fewer days than a week, those that follow make it whole: every hour of the week stands for a part of them.
    """
    moments = pd.date_range(
        start, max(end, start + dt.timedelta(days=DAYS_PER_WEEK)), freq="15min", inclusive="left", tz="UTC"
    )
    local = moments.tz_convert(zone)
    here = np.asarray(moments.day_of_week * HOURS_PER_DAY + moments.hour)
    there = np.asarray(local.day_of_week * HOURS_PER_DAY + local.hour)
    counts = np.zeros((HOURS_PER_WEEK, HOURS_PER_WEEK))
    np.add.at(counts, (here, there), 1.0)
    totals = counts.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    return shares
