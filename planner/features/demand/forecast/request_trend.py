"""How a request changes: tokens in and out and the share from the cache, carried on from week to week.

A request's price moves when caching drops or prompts grow. Each figure's weekly values (logarithms of tokens, log odds
of shares) have a straight line, weighted by the requests that tell them; half of its slope is carried on to the middle
of the horizon (as Theta does for levels), no further than the history is long, and
no further beyond what the weeks have shown than they ranged themselves.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.features.demand.history import TOKENS
from planner.features.demand.series import week_start

LEAST_WEEKS, MOST_WEEKS = 6, 26
CARRIED = 0.5
STEADY = 0.02  # a change of less, relative, is not told
FIGURES = ("input_tokens", "output_tokens", "cache_hit_rate")
EDGE = 1e-4
MIDDLE_OF_RECENT = 2.0  # weeks: the recent figure is that of the last four


@dataclass(frozen=True)
class Trend:
    """A figure of a workload's requests: over the last four weeks, and as it is carried on."""

    workload: str
    figure: str
    recent: float
    planned: float


def carried_on(shapes: pd.DataFrame, rows: pd.DataFrame, weeks_to_middle: float) -> tuple[pd.DataFrame, list[Trend]]:
    """Return the requests' shapes in the middle of the horizon, and what changes.

    Parameters
    ----------
    shapes : workload, ``FIGURES`` and others, of the recent past. rows : the history's hourly rows.
    weeks_to_middle : from the end of the history to the middle of the horizon.
    """
    shapes = shapes.copy()
    found = []
    for at, shape in shapes.iterrows():
        weekly = _weekly(rows[rows["workload"] == shape["workload"]])
        if len(weekly) < LEAST_WEEKS:
            continue
        for figure in FIGURES:
            recent = float(shape[figure])
            values, weights = weekly[figure].to_numpy(), weekly["requests"].to_numpy()
            planned = _carried(values, weights, recent, weeks_to_middle, figure)
            if planned != recent:
                shapes.loc[at, figure] = planned
            if abs(planned - recent) > STEADY * max(recent, EDGE):
                found.append(Trend(str(shape["workload"]), figure, recent, planned))
    return shapes, found


def _weekly(rows: pd.DataFrame) -> pd.DataFrame:
    """Return tokens in and out of a request, and the share of input from the cache, by week of the last half year."""
    sums = rows.assign(week=week_start(pd.DatetimeIndex(rows["hour"]))).fillna(dict.fromkeys(TOKENS, 0.0))
    sums = sums.groupby("week")[["requests", *TOKENS]].sum()
    sums = sums[sums["requests"] > 0].iloc[-MOST_WEEKS:]
    given = sums["input_tokens"] + sums["cached_tokens"] + sums["written_tokens"]
    return pd.DataFrame(
        {
            "requests": sums["requests"],
            "input_tokens": given / sums["requests"],
            "output_tokens": sums["output_tokens"] / sums["requests"],
            "cache_hit_rate": (sums["cached_tokens"] / given.where(given > 0)).fillna(0.0),
        }
    )


def _carried(values: np.ndarray, weights: np.ndarray, recent: float, weeks_to_middle: float, figure: str) -> float:
    """Return a figure in the middle of the horizon."""
    if recent <= 0 or not (values > 0).all():
        return recent
    share = figure == "cache_hit_rate"
    odds = np.clip(values, EDGE, 1 - EDGE)
    scaled = np.log(odds / (1 - odds)) if share else np.log(values)
    slope, _ = np.polyfit(np.arange(len(values)), scaled, 1, w=np.sqrt(weights))
    ahead = min(weeks_to_middle + MIDDLE_OF_RECENT, len(values))
    start = min(max(recent, EDGE), 1 - EDGE)
    moved = (np.log(start / (1 - start)) if share else np.log(recent)) + CARRIED * slope * ahead
    low, high = float(scaled.min()), float(scaled.max())
    moved = float(np.clip(moved, low - (high - low), high + (high - low)))
    planned = 1 / (1 + np.exp(-moved)) if share else np.exp(moved)
    return recent if abs(planned - recent) <= EDGE * recent else float(planned)
