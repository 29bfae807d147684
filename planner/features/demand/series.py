"""The history as hourly series: one column per (region, workload), one row per hour without holes.

An hour without a row is 0 where silence is usual in such hours, or where other series have rows; it is a gap (NaN)
where the log itself is missing, and so are the hours before a series began. After a series' last row,
hours are 0 too, unless that silence is strange: then the series has ended, or its export has.
Where the export has no count of requests, a request is taken as a thousand tokens of input and output, and said so.

Quiet or missing: in which hours without a row nobody asked, and in which the log itself is missing.

A log of requests has no row for an hour without a request: an office tool's nights and weekends are zeros. But a log
can also be lost, and then nothing is known. A run of silent hours is taken as lost where it would be too strange: with
n other hours of the same kind (of the week; of the day and of weekday or weekend, under three weeks), s of them silent,
and at least m requests in each of the others, an hour is silent with probability

    p = (s + ½) / (n + 1),  and at most exp(−m) where s = 0        (Laplace's rule; Poisson arrivals)

The hours of a day are quiet together, so twenty-four count as one: a run is lost where Σ log p / 24 over its hours is
under log(1 / 10,000).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from planner.features.demand.history import TOKENS, History
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK, counted

QuietHours = Literal["auto", "zero", "unknown"]
QUIET_HOURS: tuple[QuietHours, ...] = get_args(QuietHours)
LEAST_WEEKS_BY_HOUR_OF_WEEK = 3
WEEKEND = 5  # Saturday and Sunday, UTC
STRANGE = np.log(1e-4)


def kinds_of_hour(hours: pd.DatetimeIndex) -> np.ndarray:
    """Return the kind of each hour: its hour of the week; under three weeks, its hour of a weekday or weekend day."""
    if len(hours) >= LEAST_WEEKS_BY_HOUR_OF_WEEK * HOURS_PER_WEEK:
        return np.asarray(hours.day_of_week * HOURS_PER_DAY + hours.hour, dtype=np.int64)
    return np.asarray((hours.day_of_week >= WEEKEND) * HOURS_PER_DAY + hours.hour, dtype=np.int64)


def lost_hours(hours: pd.DatetimeIndex, requests: np.ndarray) -> np.ndarray:
    """Tell the silent hours in which the log is missing.

    Parameters
    ----------
    hours : every hour from the first to the last, without holes.
    requests : requests in each hour; NaN where it is silent.

    Returns
    -------
    One truth value an hour; False where something was seen, and where silence is usual.
    """
    silent = np.isnan(requests)
    lost = np.zeros(len(silent), dtype=bool)
    kinds = kinds_of_hour(hours)
    count = np.bincount(kinds, minlength=HOURS_PER_WEEK)
    quiet = np.bincount(kinds[silent], minlength=HOURS_PER_WEEK)
    least = np.full(HOURS_PER_WEEK, np.inf)
    np.minimum.at(least, kinds[~silent], requests[~silent])
    for first, end in runs(silent):
        own = kinds[first:end]
        mine = np.bincount(own, minlength=HOURS_PER_WEEK)
        others, others_quiet = (count - mine)[own], (quiet - mine)[own]
        chance = np.log((others_quiet + 0.5) / (others + 1.0))
        certain = (others_quiet == 0) & (others > 0)
        chance = np.where(certain, np.minimum(chance, -least[own]), chance)
        lost[first:end] = float(np.where(others > 0, chance, 0.0).sum()) / HOURS_PER_DAY < STRANGE
    return lost


def runs(where: np.ndarray) -> list[tuple[int, int]]:
    """List the runs of true values: first place, and the place after the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


ORIGIN = ("region", "workload")
TOKENS_PER_STAND_IN = 1000.0


@dataclass(frozen=True)
class HourlySeries:
    """``requests``: requests per hour, index hour (UTC), columns (region, workload); ``notes``: what was assumed."""

    requests: pd.DataFrame
    rows: pd.DataFrame  # the hourly rows of the history, with ``requests`` filled in
    notes: tuple[str, ...] = ()


def hourly_series(history: History, quiet_hours: QuietHours = "auto") -> HourlySeries:
    """Return the hourly series of a history; refuses one that has days only.

    Parameters
    ----------
    quiet_hours : what hours without any row are. ``zero``: nobody asked; ``unknown``: the log is missing; ``auto``:
        zero where silence is usual in such hours, unknown where it is strange.
    """
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
    wide = wide.reindex(hours).astype(float)
    total = wide.sum(axis=1, min_count=1).to_numpy()
    silent = np.isnan(total)
    lost = silent if quiet_hours == "unknown" else np.zeros(len(hours), dtype=bool)
    if quiet_hours == "auto":
        lost = lost_hours(hours, total)
    requests = pd.DataFrame(
        {column: _filled(hours, wide[column].to_numpy(), lost, quiet_hours) for column in wide.columns}, index=hours
    )
    requests.columns = wide.columns
    return HourlySeries(requests, rows, (*notes, *_silence_notes(hours, silent, lost)))


def seen_hours(series: HourlySeries) -> pd.DatetimeIndex:
    """List the hours of which something is known: those with a row, and those in which nobody asked."""
    return pd.DatetimeIndex(series.requests.index[series.requests.notna().any(axis=1)])


def _filled(hours: pd.DatetimeIndex, values: np.ndarray, lost: np.ndarray, quiet_hours: QuietHours) -> np.ndarray:
    """Return a series with its quiet hours as 0; NaN where the log is missing, before it began and after it ended."""
    known = np.flatnonzero(np.isfinite(values))
    first, end = int(known[0]), int(known[-1]) + 1
    filled = np.where(np.isnan(values) & ~lost, 0.0, values)
    filled[:first] = np.nan
    strange = quiet_hours == "unknown"
    if quiet_hours == "auto" and end < len(values):
        asked = np.where(filled > 0, filled, np.nan)[first:]
        strange = bool(lost_hours(hours[first:], asked)[-1])
    if strange:
        filled[end:] = np.nan
    return filled


def _silence_notes(hours: pd.DatetimeIndex, silent: np.ndarray, lost: np.ndarray) -> tuple[str, ...]:
    """Say how the hours without any row were taken."""
    notes = []
    if quiet := int((silent & ~lost).sum()):
        notes.append(
            f"{counted(quiet, 'hour without any row is a zero', ',', 'hours without any row are zeros')}: "
            "nobody asked (--quiet-hours unknown says otherwise)"
        )
    if missing := int(lost.sum()):
        at = hours[int(np.flatnonzero(lost)[0])]
        notes.append(
            f"{counted(missing, 'hour', ',')} without any row, the first {at:%Y-%m-%d %H:00}, are unknown: such "
            "hours are usually "
            "busy, so the log is taken to be missing (--quiet-hours zero says otherwise)"
        )
    return tuple(notes)


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
