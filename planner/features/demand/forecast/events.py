"""One-time events: launches, campaigns, from ``events.csv``, and the weeks in which they happen.

Columns: event, start, end (moments or days, UTC; the end is not included), region, workload (blank: all), multiplier
(blank: 1), added_requests_per_hour (blank: 0; shared evenly by the series it names), probability (blank: 1).

A month's demand is one week that stands for all its weeks. An event of a few days would be lost in that mean, and its
peak with it. So the weeks of a month in which events happen are told apart: each is laid out as it will be, with every
event that falls into it, and weighs as long as it lasts. Events that may or may not happen give one week for each
outcome. Months share scenarios: the first part of the probability is for the event weeks of every month at once, so
that a year of campaigns takes no more room than its fullest month. Where events fill a month, its longest kind of week
becomes the month's level in every future.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand.series import hour_of_week
from planner.schema.settings import Period
from planner.units import HOURS_PER_WEEK

COLUMNS = ("event", "start", "end", "region", "workload", "multiplier", "added_requests_per_hour", "probability")
WEEK = pd.Timedelta(hours=HOURS_PER_WEEK)
NEAR = 0.03  # shares that differ by less (a week of February, a week of March) are one scenario
MOST_OPEN = 5  # events of one week that may or may not happen: 32 outcomes
FULL = 1.0 - 1e-9


@dataclass(frozen=True)
class Event:
    """One event; ``region`` and ``workload`` None: all."""

    event: str
    start: pd.Timestamp
    end: pd.Timestamp
    region: str | None
    workload: str | None
    multiplier: float
    added_requests_per_hour: float
    probability: float


def load_events(path: Path, regions: Sequence[str], workloads: Sequence[str]) -> tuple[Event, ...]:
    """Read events.csv; every fault at once."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError([Fault(str(path), f"cannot be read: {error}")]) from error
    faults = [
        Fault(str(path), "is no column of events", column=name, allowed=", ".join(COLUMNS))
        for name in table.columns
        if name not in COLUMNS
    ]
    faults += [Fault(str(path), "the column is missing", column=n) for n in COLUMNS[:3] if n not in table.columns]
    if faults:
        raise InputError(faults)
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    events = []
    for row, record in enumerate(table.to_dict("records"), start=2):
        cells = {str(key): str(value).strip() for key, value in record.items()}
        found = _event(path.name, row, cells, regions, workloads)
        faults += [item for item in found if isinstance(item, Fault)]
        events += [item for item in found if isinstance(item, Event)]
    if faults:
        raise InputError(faults)
    return tuple(events)


def _event(
    place: str, row: int, cells: dict[str, str], regions: Sequence[str], workloads: Sequence[str]
) -> list[Event | Fault]:
    faults: list[Event | Fault] = []

    def number(name: str, default: float, least: float, most: float) -> float:
        if not cells[name]:
            return default
        try:
            value = float(cells[name])
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            allowed = f"{least:g} to {most:g}" if most < 1e9 else f"{least:g} or more"
            faults.append(Fault(place, "is not a number that is allowed", row, name, cells[name], allowed))
        return value

    moments: dict[str, pd.Timestamp] = {}
    for name in ("start", "end"):
        stamp = pd.to_datetime(cells[name], utc=True, errors="coerce", format="ISO8601")
        if isinstance(stamp, pd.Timestamp):
            moments[name] = stamp
        else:
            faults.append(Fault(place, "is not a moment", row, name, cells[name], "2027-03-01 or 2027-03-01T08:00Z"))
    for name, known in (("region", regions), ("workload", workloads)):
        if cells[name] and cells[name] not in known:
            faults.append(Fault(place, "is not in the history", row, name, cells[name], ", ".join(known)))
    if not cells["event"]:
        faults.append(Fault(place, "needs a name", row, "event"))
    multiplier = number("multiplier", 1.0, 0.0, 1e6)
    added = number("added_requests_per_hour", 0.0, 0.0, 1e12)
    probability = number("probability", 1.0, 0.0, 1.0)
    if not faults and moments["end"] <= moments["start"]:
        faults.append(Fault(place, "ends before it starts", row, "end", cells["end"], f"after {cells['start']}"))
    if not faults and multiplier == 1.0 and added == 0.0:
        wanted = "a multiplier other than 1, or added_requests_per_hour"
        faults.append(Fault(place, "changes nothing", row, "multiplier", cells["multiplier"] or None, wanted))
    if faults:
        return faults
    region, workload = cells["region"] or None, cells["workload"] or None
    return [Event(cells["event"], moments["start"], moments["end"], region, workload, multiplier, added, probability)]


@dataclass(frozen=True)
class EventWeek:
    """One kind of week of a month.

    ``happening``: events, each with its hours of the week (168 true or false). ``share``: of the month, times the
    probability of this outcome.
    """

    happening: tuple[tuple[Event, tuple[bool, ...]], ...]
    share: float

    @property
    def name(self) -> str:
        """The events' names."""
        return " + ".join(dict.fromkeys(event.event for event, _ in self.happening))


def with_events(
    tables: pd.DataFrame, base: pd.DataFrame, events: Sequence[Event], periods: Sequence[Period]
) -> pd.DataFrame:
    """Return the scenarios with the weeks of events beside them.

    Parameters
    ----------
    tables : region, workload, period, hour_of_week, requests_per_hour, scenario, probability of the futures.
    base : the same of the central future, without scenario and probability: what events come on top of.

    Raises
    ------
    InputError
        An event of a region and workload that have no series, or too many open outcomes in one week.
    """
    _check(base, events)
    usual: dict[str, EventWeek] = {}  # of the months that events fill
    by_month = {period.name: event_weeks(events, period) for period in periods}
    for month, weeks in by_month.items():
        if sum(week.share for week in weeks) >= FULL:
            usual[month] = weeks.pop(0)
            tables = _applied(tables, month, usual[month])
    taken = set(tables["scenario"])
    parts, at = [], 0.0
    for end in _ends(by_month):
        table, names = base, []
        for month, weeks in by_month.items():
            week = _week_at(weeks, (at + end) / 2)
            names += [week.name] if week is not None else []
            week = week or usual.get(month)
            table = table if week is None else _applied(table, month, week)
        name = _unused(" + ".join(dict.fromkeys(names)), taken)
        parts.append(table.assign(scenario=name, probability=end - at))
        at = end
    rest = tables.assign(probability=tables["probability"] * (1.0 - at))
    return pd.concat([rest, *parts], ignore_index=True) if parts else rest


def outside(events: Sequence[Event], periods: Sequence[Period]) -> list[str]:
    """Name the events that lie in none of the months."""
    first, last = pd.Timestamp(periods[0].start, tz="UTC"), pd.Timestamp(periods[-1].end, tz="UTC")
    return [event.event for event in events if event.start >= last or event.end <= first]


def proposed_cuts(events: Sequence[Event], periods: Sequence[Period]) -> tuple[dt.date, ...]:
    """List the days on which an event begins or is over within a period: cut there, it has periods of its own."""
    days = set()
    for event in events:
        if event.probability > 0:
            days |= {event.start.date(), event.end.ceil("D").date()}
    return tuple(sorted(day for day in days if any(p.start < day < p.end for p in periods)))


def event_weeks(events: Sequence[Event], period: Period) -> list[EventWeek]:
    """Return the kinds of week of a month in which events happen, the one with the largest share first."""
    first, end = pd.Timestamp(period.start, tz="UTC"), pd.Timestamp(period.end, tz="UTC")
    shares: dict[tuple[tuple[Event, tuple[bool, ...]], ...], float] = {}
    for start, weeks in _windows(events, first, end):
        inside = [event for event in events if event.start < start + WEEK and event.end > start]
        certain = [event for event in inside if event.probability == 1.0]
        maybe = [event for event in inside if 0.0 < event.probability < 1.0]
        if len(maybe) > MOST_OPEN:
            names = ", ".join(event.event for event in maybe)
            message = f"so many of one week ({start:%Y-%m-%d}) may or may not happen: put some together"
            raise InputError([Fault("events", message, value=names, allowed=f"{MOST_OPEN} at most")])
        for outcome in product((True, False), repeat=len(maybe)):
            chosen = certain + [event for event, happens in zip(maybe, outcome, strict=True) if happens]
            odds = [
                e.probability if happens else 1.0 - e.probability for e, happens in zip(maybe, outcome, strict=True)
            ]
            chance = float(np.prod(odds))
            if chosen:
                key = tuple((event, _hours_of(event, start, end)) for event in chosen)
                shares[key] = shares.get(key, 0.0) + chance * min(1.0, weeks / period.weeks)  # days are not over one
    found = [EventWeek(happening, min(1.0, share)) for happening, share in shares.items()]
    return sorted(found, key=lambda week: -week.share)


def _windows(events: Sequence[Event], first: pd.Timestamp, end: pd.Timestamp) -> list[tuple[pd.Timestamp, float]]:
    """Cut the hours of a month in which events may happen into weeks: the first hour of each, and how many it is.

    A week that the month's end would cut begins earlier. Where the week before is in the way, it is less than one: the
    hours of events that are left over the hours of events that it shows.
    """
    spans = sorted((max(e.start, first).floor("h"), min(e.end, end)) for e in events if e.start < end and e.end > first)
    found: list[tuple[pd.Timestamp, float]] = []
    free = first
    for start, stop in spans:
        at = max(free, start)
        while at < stop:
            begin, weeks = min(at, end - WEEK), 1.0
            if begin < free:
                weeks = _hours_with_events(spans, at, end) / _hours_with_events(spans, begin, end)
            found.append((begin, weeks))
            free = at = begin + WEEK
    return found


def _hours_with_events(
    spans: Sequence[tuple[pd.Timestamp, pd.Timestamp]], start: pd.Timestamp, end: pd.Timestamp
) -> int:
    hours = pd.date_range(start, end, freq="h", inclusive="left")
    return int(np.any([(hours >= first) & (hours < last) for first, last in spans], axis=0).sum())


def _hours_of(event: Event, start: pd.Timestamp, end: pd.Timestamp) -> tuple[bool, ...]:
    """Tell for each hour of the week whether the event happens in it, in the week from ``start``."""
    hours = pd.date_range(start, min(start + WEEK, end), freq="h", inclusive="left")
    there = np.zeros(HOURS_PER_WEEK, dtype=bool)
    there[hour_of_week(hours[(hours >= event.start.floor("h")) & (hours < event.end)])] = True
    return tuple(there.tolist())


def _applied(table: pd.DataFrame, month: str, week: EventWeek) -> pd.DataFrame:
    """Return the demand with what happens in one kind of week of a month."""
    table = table.copy()
    for event, hours in week.happening:
        rows = (table["period"] == month) & _touched(table, event)
        hit = np.asarray(hours)[table.loc[rows, "hour_of_week"].to_numpy()]
        level = table.loc[rows, "requests_per_hour"].to_numpy()
        series = len(table.loc[rows, ["region", "workload"]].drop_duplicates())
        added = event.added_requests_per_hour / max(1, series)
        table.loc[rows, "requests_per_hour"] = np.where(hit, level * event.multiplier + added, level)
    return table


def _touched(table: pd.DataFrame, event: Event) -> pd.Series:
    rows = pd.Series(True, index=table.index)
    for name in ("region", "workload"):
        wanted = getattr(event, name)
        rows &= True if wanted is None else table[name] == wanted
    return rows


def _check(base: pd.DataFrame, events: Sequence[Event]) -> None:
    faults = [
        Fault("events", "names a region and a workload that have no demand together", value=f"{e.region} {e.workload}")
        for e in events
        if not _touched(base, e).any()
    ]
    if faults:
        raise InputError(faults)


def _ends(by_month: dict[str, list[EventWeek]]) -> list[float]:
    """Return where the scenarios of event weeks end on the line from 0 to 1; nearly equal ends become one."""
    ends = sorted(float(end) for weeks in by_month.values() for end in np.cumsum([week.share for week in weeks]))
    groups: list[list[float]] = []
    for end in ends:
        if groups and end - groups[-1][0] < NEAR:
            groups[-1].append(end)
        else:
            groups.append([end])
    return [float(np.mean(group)) for group in groups]


def _week_at(weeks: Sequence[EventWeek], place: float) -> EventWeek | None:
    """Return the kind of week at a place on the line from 0 to 1; None: a usual one."""
    for week, end in zip(weeks, np.cumsum([week.share for week in weeks]), strict=True):
        if place < end:
            return week
    return None


def _unused(name: str, taken: set[str]) -> str:
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name} {count}"
    taken.add(found)
    return found
