"""How far what comes may lie from what was forecast: quantiles of actual over forecast, by weeks ahead.

The ratio of an hour is taken apart: the *level* of its week over the forecast's, and the hour's own scatter about it.
Hours are many, even of one held-out week, and their scatter is taken as it was. Levels are few, because all hours of a
week err together; their logarithm is Student's t about the held-out mean, with a variance that weighs what the origins
saw with a random walk that moves as the history's own weekly levels did. Origins that overlap count for less.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNKNOWN_SPREAD = 0.85  # with nothing held out: p90 is 1.85 times the forecast, p10 its inverse
PRIOR_SD, PRIOR_WEEKS = 0.1, 1.0  # of a week's level over the one before; as many weeks as it counts for
MOST_WALK = 2.0  # origins that the random walk counts for at most
LARGEST_LOG, TINY = 2.0, 1e-9  # a week at under a seventh, or over seven times, tells no more
LEAST_FREEDOM = 3.0
SCATTER_POINTS, LEVEL_POINTS = 201, 41

Pair = tuple[np.ndarray, np.ndarray]  # actual and forecast, weeks ahead x 168


@dataclass(frozen=True)
class Spread:
    """``scatter``: quantiles of the hours' own ratio. ``centre``, ``deviation``: of the log level, by week ahead."""

    scatter: np.ndarray
    centre: np.ndarray
    deviation: np.ndarray
    freedom: float


def spread_of(held_out: Sequence[Pair], levels: np.ndarray, overlap: float) -> Spread | None:
    """Measure the spread of a model.

    Parameters
    ----------
    held_out : what came and what was forecast, one pair an origin.
    levels : the history's weekly levels [requests/hour], oldest first.
    overlap : weeks between two origins over the weeks that each is tried on; 1: they share none.

    Returns
    -------
    None where no hour can be compared.
    """
    scatter, logs = [], []
    for actual, guess in held_out:
        known = np.isfinite(actual) & (guess > 0)
        came, said = np.where(known, actual, 0.0).sum(axis=1), np.where(known, guess, 0.0).sum(axis=1)
        log = np.log(np.maximum(came, TINY) / np.maximum(said, TINY)).clip(-LARGEST_LOG, LARGEST_LOG)
        logs.append(np.where(said > 0, log, np.nan))
        scatter.append((actual / np.where(known, guess, 1.0) / np.exp(log)[:, None])[known])
    hours = np.concatenate(scatter) if scatter else np.zeros(0)
    if not len(hours):
        return None
    points = np.quantile(hours, (np.arange(SCATTER_POINTS) + 0.5) / SCATTER_POINTS)
    table = np.stack(logs)
    seen = np.isfinite(table).sum(axis=0)
    weight = np.maximum(seen * min(1.0, max(overlap, 1.0 / max(len(held_out), 1))), TINY)
    centre = np.nansum(table, axis=0) / (weight * seen / np.maximum(seen, 1) + 1.0) * weight / np.maximum(seen, 1)
    squares = np.nansum((table - centre) ** 2, axis=0) / np.maximum(seen, 1)
    walk, walk_weight = _walk(levels)
    ahead = np.arange(1, table.shape[1] + 1)
    variance = (walk_weight * walk * ahead + weight * squares) / (walk_weight + weight)
    total = walk_weight + float(weight.min())
    deviation = np.maximum.accumulate(np.sqrt(variance))
    return Spread(points, centre, deviation, max(LEAST_FREEDOM, total))


def _walk(levels: np.ndarray) -> tuple[float, float]:
    """Return the variance of a week's log level over the one before, and how many origins it counts for."""
    positive = levels[levels > 0]
    moves = np.diff(np.log(positive)).clip(-LARGEST_LOG, LARGEST_LOG)
    variance = (PRIOR_WEEKS * PRIOR_SD**2 + float((moves**2).sum())) / (PRIOR_WEEKS + len(moves))
    return variance, min(MOST_WALK, (PRIOR_WEEKS + len(moves)) / 2)


def hour_ratios(spread: Spread | None, quantile: float, weeks_ahead: int) -> np.ndarray:
    """Return the quantile of an hour over its forecast, for each week ahead.

    Beyond the weeks that were tried, the level's deviation grows with the square root of time.
    """
    if spread is None:
        return np.full(weeks_ahead, np.exp(np.log1p(UNKNOWN_SPREAD) * (quantile - 0.5) / 0.4))
    from scipy.stats import t

    steps = t.ppf((np.arange(LEVEL_POINTS) + 0.5) / LEVEL_POINTS, spread.freedom)
    tried = len(spread.deviation)
    values = []
    for week in range(weeks_ahead):
        last = min(week, tried - 1)
        deviation = spread.deviation[last] * np.sqrt((week + 1) / (last + 1))
        levels = np.exp(np.clip(spread.centre[last] + deviation * steps, -2 * LARGEST_LOG, 2 * LARGEST_LOG))
        values.append(float(np.quantile(np.multiply.outer(spread.scatter, levels), quantile)))
    found = np.maximum(values, 1e-6)
    if quantile > 0.5:
        return np.maximum.accumulate(found)
    return np.minimum.accumulate(found) if quantile < 0.5 else found
