"""The busiest days of a log: where the peak minute is measured, and ids are looked at, when a log is long.

To count every minute, or to compare every id, would cost several times the aggregation itself. Capacity is short on
busy days only, and a day's rows are a narrow range of time, which Parquet's statistics or a database's index find.
"""

from typing import Any

import pandas as pd

from planner.demand.history import SERIES
from planner.units import HOURS_PER_DAY, MINUTES_PER_HOUR

SHORT_LOG_ROWS = 1_000_000  # up to here, everything is measured
MOST_DAYS = 2
MINUTE_HOURS = 1.001 / MINUTES_PER_HOUR
SECONDS_PER_HOUR = 3600


def busy_days(sums: pd.DataFrame) -> list[int]:
    """List the busiest day of each workload (days since 1970), at most two: those with most rows."""
    rows = sums["rows"].groupby([sums["workload"].astype("str").fillna(""), sums["hour"] // HOURS_PER_DAY]).sum()
    best = rows.groupby(level=0).idxmax()
    days = rows.loc[list(best)].groupby(level=1).sum().sort_values(ascending=False, kind="stable")
    return sorted(int(day) for day in days.index[:MOST_DAYS])


def stamp(moment: Any, epoch: float) -> Any:
    """Return a moment as a literal that compares with the export's own timestamp."""
    import ibis

    kind = moment.type()
    at = pd.Timestamp(epoch, unit="s", tz=None if kind.timezone is None else "UTC").floor("us")
    return ibis.literal(at.to_pydatetime(), type=kind)


def in_days(readings: Any, days: list[int]) -> Any:
    """Keep the readings of some days; by the export's own timestamp where it has one."""
    if "moment" not in readings.columns:
        hours = [day * HOURS_PER_DAY + k for day in days for k in range(HOURS_PER_DAY)]
        return readings.filter(readings["hour"].isin(hours))
    moment = readings["moment"]
    second = SECONDS_PER_HOUR * HOURS_PER_DAY
    chosen = [(moment >= stamp(moment, day * second)) & (moment < stamp(moment, (day + 1) * second)) for day in days]
    keep = chosen[0]
    for one in chosen[1:]:
        keep |= one
    return readings.filter(keep)


def peak_minutes(readings: Any, sums: pd.DataFrame) -> pd.DataFrame:
    """Measure the peak minute over the hour's mean, by requests; hour, series and ``burst``.

    Only readings of a minute or finer can tell.
    """
    fine = readings["bucket_hours"] <= MINUTE_HOURS
    probe = readings.filter((readings["verdict"] <= 0) & fine & readings["requests"].notnull())  # noqa: PD004
    if int(sums["rows"].sum()) > SHORT_LOG_ROWS:
        probe = in_days(probe, busy_days(sums))
    minute = probe.mutate(minute=(probe["epoch"] / MINUTES_PER_HOUR).floor().cast("int64"))
    counts = minute.group_by(["hour", "minute", *SERIES]).aggregate(n=minute["requests"].sum())
    peaks = counts.group_by(["hour", *SERIES]).aggregate(top=counts["n"].max(), all=counts["n"].sum())
    peak: pd.DataFrame = peaks.to_pandas()
    peak = peak[peak["all"] > 0]
    return peak.assign(burst=MINUTES_PER_HOUR * peak["top"] / peak["all"])[["hour", *SERIES, "burst"]]
