"""One-time events: launches, campaigns, migrations, from ``events.csv``.

Columns: event, start, end (moments or days, UTC; the end is not included), region, workload (blank: all), multiplier
(blank: 1), added_requests_per_hour (blank: 0; shared evenly by the series it names), probability (blank: 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from planner.errors import Fault, InputError

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
    if not faults and multiplier == 1.0 and added == 0.0:
        wanted = "a multiplier other than 1, or added_requests_per_hour"
        faults.append(Fault(place, "changes nothing", row, "multiplier", cells["multiplier"] or None, wanted))
    if faults:
        return faults
    region, workload = cells["region"] or None, cells["workload"] or None
    return [Event(cells["event"], moments["start"], moments["end"], region, workload, multiplier, added, probability)]
