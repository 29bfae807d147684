"""What the rows of a table stand for: a request, an hour, a day."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.errors import Fault, InputError
from planner.features.demand.formats.format import Format, Inputs

LEAST_DAYS = 3  # midnights, before a file without any other hour is taken to count days
LEAST_MINUTES = 20  # rows at full minutes, before a file without ids and seconds is asked what it counts
PROBED_ROWS = 1000
DATE_ALONE = r"^\s*(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{8})\s*$"


@dataclass(frozen=True)
class Grain:
    """What a row stands for: ``hours`` (0: a request; None: each row has its own), and the rows that are whole days."""

    hours: float | None
    why: str = ""
    note: str = ""
    days: Any = None  # a column that tells the rows that count a whole day
    requests: bool = False  # each row is one request, also where only its day is known

    @property
    def words(self) -> str:
        """Say it."""
        if self.hours is None:
            return "a bucket of its own length"
        if self.days is not None and self.hours in (0.0, 24.0) and not self.requests:
            return "a day"
        return "a request" if self.hours == 0 else f"a bucket of {self.hours:g} hours"


def grain_of(
    format: Format, inputs: Inputs, table: Any, moment: Any, epoch: Any, *, counted: bool, has_id: bool, by_row: bool
) -> Grain:
    """Tell what a row stands for: by the map, the format, or the data.

    Parameters
    ----------
    counted : the rows have a count of requests, so that they are buckets.
    has_id : the rows have ids, as requests do.
    by_row : the rows have a column of their own lengths.

    Raises
    ------
    InputError
        Rows at full minutes without a count of requests and without ids may be either.
    """
    said = inputs.names.bucket_hours
    if said is not None:
        return Grain(said, "bucket_hours in the map")
    if format.bucket_hours is not None:
        if format.bucket_hours == 0 and inputs.files and moment.type().is_string():
            alone = moment.re_search(DATE_ALONE)
            if _all_dates(table.select(alone=alone)):  # as a spreadsheet leaves them that shows dates only
                note = "times are dates without an hour: requests are known by the day only"
                return Grain(0.0, "so are all exports of this kind", note, alone, requests=True)
        return Grain(format.bucket_hours, "so are all exports of this kind")
    if by_row:
        return Grain(1.0 if counted else 0.0, "the column bucket_hours says so")
    usual = Grain(1.0, "it has a count of requests") if counted else Grain(0.0, "it has no count of requests")
    if inputs.names.origin_epoch is not None or not inputs.files:
        import ibis

        return Grain(usual.hours, usual.why, days=ibis.literal(True)) if moment.type().is_date() else usual
    return _by_data(inputs, table, moment, epoch, usual, counted=counted, has_id=has_id)


def _by_data(
    inputs: Inputs, table: Any, moment: Any, epoch: Any, usual: Grain, *, counted: bool, has_id: bool
) -> Grain:
    import ibis

    whole_days = "rows that have a date and no hour count whole days; say bucket_hours in the map if not"
    if moment.type().is_date():
        return Grain(24.0, "its time is a date", whole_days, ibis.literal(True))
    source = table["filename"] if "filename" in table.columns else ibis.literal("")
    alone = moment.re_search(DATE_ALONE) if moment.type().is_string() else ibis.literal(False)
    rows = table.select(source=source, at=epoch, alone=alone)
    if _all_dates(rows):
        return Grain(24.0, "its times are dates without an hour", whole_days)
    probe = rows if counted or _all_on_the_hour(rows.limit(PROBED_ROWS)) else rows.limit(PROBED_ROWS)
    second = probe["at"] % 60
    files = probe.group_by("source").aggregate(
        rows=probe.count(),
        alone=probe["alone"].any(),
        midnight=(probe["at"] % 86400 == 0).all(),
        on_the_hour=(probe["at"] % 3600 == 0).all(),
        on_the_minute=(second == 0).all(),
        moments=probe["at"].nunique(),
    )
    found = files.to_pandas().fillna({"midnight": False, "on_the_hour": False, "on_the_minute": False, "alone": False})
    if not counted and not found.empty and not has_id:
        asked = found[(found["on_the_minute"]) & ~found["on_the_hour"] & (found["rows"] >= LEAST_MINUTES)]
        if len(asked):
            said = (
                "has neither a count of requests nor ids, and its times are full minutes: a row may be a request or a "
                "bucket; say bucket_hours in the map"
            )
            raise InputError(
                [Fault(inputs.place, said, allowed="bucket_hours: 0 for requests, 0.25 for quarter hours")]
            )
    daily = found[found["midnight"].astype(bool) & (found["moments"] >= LEAST_DAYS)]["source"].tolist()
    if has_id and not counted:
        daily = []
    elif not counted and not found.empty and found["on_the_hour"].all() and not found["alone"].any():
        hourly = Grain(1.0, "every time is a full hour", "rows at full hours without a count of requests are hours")
        if not daily:
            return hourly
        usual = hourly
    if counted and not has_id:
        usual = _by_minutes(rows, usual)
    if not daily and not found["alone"].astype(bool).any():
        return usual
    days = alone | source.isin(daily) if daily else alone
    return Grain(usual.hours, "dates without an hour are whole days", whole_days, days)


def _by_minutes(rows: Any, usual: Grain) -> Grain:
    """Return buckets of the minutes between their times, where these are full minutes; else hours."""
    times = rows.mutate(at=rows["at"].round().cast("int64"))
    parts = times.select(second=times["at"] % 60, minute=(times["at"] // 60) % 60).distinct().to_pandas().dropna()
    if parts.empty or (parts["second"] != 0).any():
        return usual
    minutes = int(np.gcd.reduce([60, *parts["minute"].astype(int)]))
    if minutes == 60:
        return usual
    note = f"each row counts {minutes} min, as the times say; give bucket_hours in the map if not"
    return Grain(minutes / 60, "its times are full minutes", note)


def _all_dates(rows: Any) -> bool:
    """Tell whether every time is a date; a long log is asked whole only where its first rows are."""
    for some in (rows.limit(PROBED_ROWS), rows):
        found = some.aggregate(all=some["alone"].all()).to_pandas()["all"].iloc[0]
        if found is None or found != found or not found:
            return False
    return True


def _all_on_the_hour(rows: Any) -> bool:
    found = rows.aggregate(all=(rows["at"] % 3600 == 0).all()).to_pandas()["all"].iloc[0]
    return bool(found) if found is not None and found == found else False
