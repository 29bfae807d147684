"""The history as hourly series: one column per (region, workload), one row per hour without holes.

An hour without any row at all is a gap (NaN), and so are the hours before a series began and after it ended; an hour
in between, in which other series have rows but this one has none, is 0.
Where the export has no count of requests, a request is taken as a thousand tokens of input and output, and said so.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.features.demand.history import TOKENS, History
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

ORIGIN = ("region", "workload")
TOKENS_PER_STAND_IN = 1000.0


@dataclass(frozen=True)
class HourlySeries:
    """``requests``: requests per hour, index hour (UTC), columns (region, workload); ``notes``: what was assumed."""

    requests: pd.DataFrame
    rows: pd.DataFrame  # the hourly rows of the history, with ``requests`` filled in
    notes: tuple[str, ...] = ()


def hourly_series(history: History) -> HourlySeries:
    """Return the hourly series of a history; refuses one that has days only."""
    rows = history.hourly().copy()
    notes: tuple[str, ...] = ()
    if rows["requests"].isna().any():
        uncounted = rows["requests"].isna().groupby([rows[name] for name in ORIGIN]).transform("all")
        stand_in = rows[list(TOKENS)].fillna(0.0).sum(axis=1) / TOKENS_PER_STAND_IN
        rows["requests"] = rows["requests"].where(~uncounted, stand_in)
        if uncounted.any():
            named = ", ".join(sorted(set(rows.loc[uncounted, "workload"])))
            notes = (f"no count of requests in {named}: a request is taken as 1,000 tokens",)
    wide = rows.groupby(["hour", *ORIGIN])["requests"].sum().unstack(list(ORIGIN)).sort_index()  # noqa: PD010
    hours = pd.date_range(wide.index[0], wide.index[-1], freq="h")
    alive = wide.ffill().notna() & wide.bfill().notna()
    requests = wide.fillna(0.0).where(alive).reindex(hours).astype(float)
    return HourlySeries(requests, rows, notes)


def hour_of_week(hours: pd.DatetimeIndex) -> np.ndarray:
    """Return 0 (Monday 00:00 UTC) to 167 for each hour."""
    return np.asarray(hours.day_of_week * HOURS_PER_DAY + hours.hour, dtype=np.int64)


def week_start(hours: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the Monday 00:00 UTC at or before each hour."""
    return hours.normalize() - pd.to_timedelta(hours.day_of_week, unit="D")


def full_weeks(requests: pd.DataFrame, first_day: int = 0) -> list[pd.Timestamp]:
    """List the first hours of the weeks that the series cover whole, gaps allowed; weeks begin on ``first_day``.

    0 is Monday: from Monday 00:00 to Sunday 23:00 UTC.
    """
    hours = pd.DatetimeIndex(requests.index)
    shift = pd.Timedelta(days=first_day)
    starts = pd.Series(week_start(hours - shift) + shift, index=hours)
    counts = starts.value_counts().sort_index()
    return list(pd.DatetimeIndex(counts.index[counts == HOURS_PER_WEEK]))


def weeks_without_gap(requests: pd.DataFrame, first_day: int = 0) -> list[pd.Timestamp]:
    """List the full weeks in which every hour has rows; a series that had not begun or has ended makes no gap."""
    seen, rest = requests.notna().any(axis=1), pd.Timedelta(hours=HOURS_PER_WEEK - 1)
    return [at for at in full_weeks(requests, first_day) if seen.loc[at : at + rest].all()]


def select(requests: pd.DataFrame, region: str | None = None, workload: str | None = None) -> pd.DataFrame:
    """Return the columns of one region or workload."""
    keep = [column for column in requests.columns if (region in (None, column[0])) and (workload in (None, column[1]))]
    return requests[keep]


def long_table(requests: pd.DataFrame) -> pd.DataFrame:
    """Return hourly series as rows: region, workload, hour_of_week, requests_per_hour."""
    slots = hour_of_week(pd.DatetimeIndex(requests.index))
    parts = [
        pd.DataFrame(
            {
                "region": column[0],
                "workload": column[1],
                "hour_of_week": slots,
                "requests_per_hour": requests[column].to_numpy(dtype=float),
            }
        )
        for column in requests.columns
    ]
    return pd.concat(parts, ignore_index=True)
