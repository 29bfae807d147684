"""The busiest half day of a log: where the peak minute is measured, when the log is long.

To count every minute would cost more than the aggregation itself. Capacity is short in busy hours only, and half a
day's rows are a narrow range of time, which Parquet's statistics or a database's index find.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import pandas as pd

from planner.features.demand.history import SERIES
from planner.units import MINUTES_PER_HOUR, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

SHORT_LOG_ROWS = 1_000_000  # up to here, everything is measured
BUSY_HOURS = 12
MINUTE_HOURS = 1.001 / MINUTES_PER_HOUR


def busiest_hours(sums: pd.DataFrame) -> int:
    """Return the first of the ``BUSY_HOURS`` hours in a row with most rows, in hours since 1970."""
    rows = sums.groupby("hour")["rows"].sum()
    hours, before = rows.index.to_numpy(dtype="int64"), np.append(0, rows.cumsum())
    inside = before[np.searchsorted(hours, hours + BUSY_HOURS)] - before[:-1]
    return int(hours[inside.argmax()])


def stamp(moment: Any, epoch: float) -> Any:
    """Return a moment as a literal that compares with the export's own timestamp."""
    import ibis

    kind = moment.type()
    at = pd.Timestamp(epoch, unit="s", tz=None if kind.timezone is None else "UTC").floor("us")
    return ibis.literal(at.to_pydatetime(), type=kind)


def in_hours(readings: Any, starts: Sequence[int], count: int = 1) -> Any:
    """Keep the readings of ``count`` hours from each of ``starts`` (hours since 1970).

    By the export's own timestamp where it has one: its ranges are found without reading the rest.
    """
    if "moment" not in readings.columns:
        spans = [readings["hour"].between(first, first + count - 1) for first in starts]
    else:
        moment = readings["moment"]
        spans = [
            (moment >= stamp(moment, first * SECONDS_PER_HOUR))
            & (moment < stamp(moment, (first + count) * SECONDS_PER_HOUR))
            for first in starts
        ]
    return readings.filter(reduce(or_, spans))


def minute_counts(
    readings: Any, sums: pd.DataFrame, bucket_hours: float | None = None, all_passed: bool = False
) -> Any:
    """Return the expression of requests in the peak minute (``top``) and in the hour (``all``), by hour and series.

    Only readings of a minute or finer can tell. ``bucket_hours`` is what all rows share; None: each has its own.
    ``all_passed``: no rule kept a row out, so that none need be judged again.
    """
    probe = readings if all_passed else readings.filter(readings["verdict"] <= 0)
    if bucket_hours is None:
        probe = probe.filter(probe["bucket_hours"] <= MINUTE_HOURS)
    if "requests" in probe.columns:
        probe = probe.filter(probe["requests"].notnull())  # noqa: PD004
    if int(sums["rows"].sum()) > SHORT_LOG_ROWS:
        probe = in_hours(probe, [busiest_hours(sums)], BUSY_HOURS)
    minute = probe.mutate(minute=(probe["epoch"] / SECONDS_PER_MINUTE).floor().cast("int64"))
    requests = minute["requests"].sum() if "requests" in minute.columns else minute.count()
    counts = minute.group_by(["minute", *SERIES]).aggregate(n=requests)
    hour = (counts["minute"] / MINUTES_PER_HOUR).floor().cast("int64").name("hour")
    top, total = (value.cast("float64") for value in (counts["n"].max(), counts["n"].sum()))
    return counts.group_by([hour, *SERIES]).aggregate(top=top, all=total)


def bursts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the peak minute over the hour's mean, from the rows of ``minute_counts``: hour, series and ``burst``."""
    served = counts[counts["all"] > 0]
    return served.assign(burst=MINUTES_PER_HOUR * served["top"] / served["all"])[["hour", *SERIES, "burst"]]
