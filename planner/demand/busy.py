"""The busiest day of a log: where the peak minute is measured, and ids are looked at, when the log is long.

To count every minute, or to compare every id, would cost several times the aggregation itself. Capacity is short on
busy days only, and a day's rows are a narrow range of time, which Parquet's statistics or a database's index find.
"""

from typing import Any

import pandas as pd

from planner.demand.engine import fetched
from planner.demand.history import SERIES
from planner.units import HOURS_PER_DAY, MINUTES_PER_HOUR

SHORT_LOG_ROWS = 1_000_000  # up to here, everything is measured
MINUTE_HOURS = 1.001 / MINUTES_PER_HOUR
SECONDS_PER_HOUR = 3600


def busiest_day(sums: pd.DataFrame) -> int:
    """Return the day with most rows, in days since 1970."""
    return int(str(sums["rows"].groupby(sums["hour"] // HOURS_PER_DAY).sum().idxmax()))


def stamp(moment: Any, epoch: float) -> Any:
    """Return a moment as a literal that compares with the export's own timestamp."""
    import ibis

    kind = moment.type()
    at = pd.Timestamp(epoch, unit="s", tz=None if kind.timezone is None else "UTC").floor("us")
    return ibis.literal(at.to_pydatetime(), type=kind)


def in_day(readings: Any, day: int) -> Any:
    """Keep the readings of one day; by the export's own timestamp where it has one."""
    if "moment" not in readings.columns:
        first = day * HOURS_PER_DAY
        return readings.filter(readings["hour"].between(first, first + HOURS_PER_DAY - 1))
    moment, seconds = readings["moment"], SECONDS_PER_HOUR * HOURS_PER_DAY
    return readings.filter((moment >= stamp(moment, day * seconds)) & (moment < stamp(moment, (day + 1) * seconds)))


def peak_minutes(readings: Any, sums: pd.DataFrame, bucket_hours: float | None = None) -> pd.DataFrame:
    """Measure the peak minute over the hour's mean, by requests; hour, series and ``burst``.

    Only readings of a minute or finer can tell. ``bucket_hours`` is what all rows share; None: each has its own.
    """
    probe = readings.filter(readings["verdict"] <= 0)
    if bucket_hours is None:
        probe = probe.filter(probe["bucket_hours"] <= MINUTE_HOURS)
    if "requests" in probe.columns:
        probe = probe.filter(probe["requests"].notnull())  # noqa: PD004
    if int(sums["rows"].sum()) > SHORT_LOG_ROWS:
        probe = in_day(probe, busiest_day(sums))
    minute = probe.mutate(minute=(probe["epoch"] / MINUTES_PER_HOUR).floor().cast("int64"))
    requests = minute["requests"].sum() if "requests" in minute.columns else minute.count()
    counts = minute.group_by(["hour", "minute", *SERIES]).aggregate(n=requests)
    peaks = counts.group_by(["hour", *SERIES]).aggregate(top=counts["n"].max(), all=counts["n"].sum())
    peak = fetched(peaks)
    peak = peak[peak["all"] > 0]
    return peak.assign(burst=MINUTES_PER_HOUR * peak["top"] / peak["all"])[["hour", *SERIES, "burst"]]
