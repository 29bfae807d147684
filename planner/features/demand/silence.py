"""Quiet or missing: in which hours without a row nobody asked, and in which the log itself is missing.

A log of requests has no row for an hour without a request: an office tool's nights and weekends are zeros. But a log
can also be lost, and then nothing is known. A run of silent hours is taken as lost where it would be too strange: with
n other hours of the same kind (of the week; of the day and of weekday or weekend, under three weeks), s of them silent,
and at least m requests in each of the others, an hour is silent with probability

    p = (s + ½) / (n + 1),  and at most exp(−m) where s = 0        (Laplace's rule; Poisson arrivals)

The hours of a day are quiet together, so twenty-four count as one: a run is lost where Σ log p / 24 over its hours is
under log(1 / 10,000).
"""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

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
