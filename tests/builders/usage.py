"""Histories of usage, hour by hour, made from a function or from a list of numbers."""

import numpy as np
import pandas as pd

from planner.features.demand.history import COLUMNS, History, tidy

MONDAY = pd.Timestamp("2026-03-02", tz="UTC")


def history(weeks=4, level=lambda hours: 100 + 10 * (hours % 24), workload="chat"):
    hours = np.arange(168 * weeks)
    requests = np.asarray(level(hours), dtype=float) * np.ones(len(hours))
    rows = pd.DataFrame(
        {
            "hour": MONDAY + pd.to_timedelta(hours, unit="h"),
            "region": "eu",
            "workload": workload,
            "model": "m",
            "bucket_hours": 1.0,
            "requests": requests,
            "input_tokens": 600 * requests,
            "cached_tokens": 300 * requests,
            "written_tokens": 100 * requests,
            "output_tokens": 50 * requests,
            "burst_factor": 1.5,
        },
        columns=list(COLUMNS),
    )
    return History(tidy(rows))


DAY = 100.0 + 10.0 * np.arange(24)
WEEK = np.tile(DAY, 7)


def of(values, workload="chat"):
    return history(len(values) // 168 + 1, lambda h: np.resize(values, len(h)), workload).rows.iloc[: len(values)]


def as_history(*frames):
    return History(tidy(pd.concat(frames)))


def office(weeks, lost=range(0), workload="office"):
    """Monday to Friday, 8 to 18, 120 requests an hour; a log has no row for any other hour."""
    rows = history(weeks, lambda h: np.full(len(h), 120.0), workload).rows
    hour = pd.DatetimeIndex(rows["hour"])
    kept = rows[(hour.day_of_week < 5) & (hour.hour >= 8) & (hour.hour < 18)]
    return History(tidy(kept[~kept.index.isin(lost)]))
