"""One-time events: launches, campaigns, migrations, from ``events.csv``.

Columns: event, start, end (moments or days, UTC; the end is not included), region, workload (blank: all), multiplier
(blank: 1), added_requests_per_hour (blank: 0; shared evenly by the series it names), probability (blank: 1).

A month's demand is one week that stands for all its weeks. An event of a few days would be lost in that mean, and its
peak with it. So each event is a scenario of its own, which holds the event's hours at full height and weighs as much as
the event lasts: weeks of the event / weeks of the month x its probability.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from planner.demand.series import hour_of_week
from planner.errors import Fault, InputError
from planner.schema.calendar import Period
from planner.units import HOURS_PER_WEEK

COLUMNS = ("event", "start", "end", "region", "workload", "multiplier", "added_requests_per_hour", "probability")


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
    if faults:
        return faults
    region, workload = cells["region"] or None, cells["workload"] or None
    return [Event(cells["event"], moments["start"], moments["end"], region, workload, multiplier, added, probability)]


def event_scenarios(base: pd.DataFrame, events: Sequence[Event], periods: Sequence[Period]) -> pd.DataFrame:
    """Return one scenario an event and month: scenario, probability, and base demand with the event in it.

    Parameters
    ----------
    base : region, workload, period, hour_of_week, requests_per_hour of the central scenario.
    """
    parts = []
    for event in events:
        for period in periods:
            first = max(event.start, pd.Timestamp(period.start, tz="UTC"))
            last = min(event.end, pd.Timestamp(period.end, tz="UTC"))
            if first >= last:
                continue
            hours = pd.date_range(first.floor("h"), last, freq="h", inclusive="left")
            weeks = int(np.ceil(len(hours) / HOURS_PER_WEEK))
            share = np.bincount(hour_of_week(hours), minlength=HOURS_PER_WEEK) / weeks
            share = np.minimum(share, 1.0)
            table = base.copy()
            mine = table["period"] == period.name
            for name in ("region", "workload"):
                wanted = getattr(event, name)
                mine &= True if wanted is None else table[name] == wanted
            part = share[table.loc[mine, "hour_of_week"].to_numpy()]
            level = table.loc[mine, "requests_per_hour"].to_numpy()
            series = max(1, int(mine.sum()) // HOURS_PER_WEEK)
            added = event.added_requests_per_hour / series
            table.loc[mine, "requests_per_hour"] = level * (1 + (event.multiplier - 1) * part) + added * part
            name = event.event if len(periods) == 1 else f"{event.event} {period.name}"
            weight = min(1.0, weeks / period.weeks) * event.probability
            parts.append(table.assign(scenario=name, probability=weight))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=[*base.columns, "scenario", "probability"])
    )
