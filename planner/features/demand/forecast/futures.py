"""The futures of a forecast: what a plan is made for, and what the rule of the backtest buys for, by one arithmetic.

Three futures of the whole level, low, base and high, are the 10th, 50th and 90th percentile of the spread of the
*total*'s level, weighted 0.3, 0.4, 0.3 (Swanson's rule, which keeps mean and variance of most smooth distributions).
Those know how the last months moved. What they do not know is that a level may go back to where it was within the
year: a campaign ends, a season turns, a customer leaves. So there are two more, ``past 1`` and ``past 2``: the level of
each half of the last year (of the whole history, where it is shorter), with half of the growth since (the root of it).
Of all of them the weighted mean is the forecast: what the past lacks is added to the high future (up to the forecast
again; beyond that the past is moved nearer), what the past has too much is taken from all.

A unit that serves the mean of an hour is idle in some weeks and short in others, so each future is two weeks, ``a`` and
``b``, each as a real week of the recent past was about the usual one. Then all are scaled, hour by hour, so that their
weighted mean is the forecast.
"""

from dataclasses import dataclass

import numpy as np

from planner.features.demand.forecast.spread import Spread, level_ratios

WEIGHTS = {"low": 0.3, "base": 0.4, "high": 0.3}  # of the spread's futures, among themselves
PAST_WEIGHT, PAST_PARTS, LEAST_PAST_WEEKS = 0.3, 2, 8  # of all; the last year in halves; weeks that have halves
PAST_GROWTH = 0.5  # power of the growth since, that a half's level is lifted by
MOST_LIFT = 1.0  # times the forecast, that the high future is raised by at most for what the past lacks
YEAR_WEEKS, GROWTH_WEEKS = 52, 13
PAIRED_WEEKS = 6
TINY = 1e-9


@dataclass(frozen=True)
class Future:
    """One future of the level. levels : over the forecast, for each week ahead. weight : of all; they add up to 1."""

    name: str
    weight: float
    levels: np.ndarray


def futures_of(spread: Spread, path_levels: np.ndarray, weekly_levels: np.ndarray) -> list[Future]:
    """Return the futures of the level of everything together.

    Parameters
    ----------
    spread : of the total's level. path_levels : its forecast for each week ahead [requests/hour].
    weekly_levels : its known weeks, oldest first [requests/hour].
    """
    ahead = len(path_levels)
    low, high = level_ratios(spread, 0.1, ahead), level_ratios(spread, 0.9, ahead)
    spread_levels = levels_of_futures(low, high)
    past = past_levels(weekly_levels)
    if not len(past):
        return [Future(name, WEIGHTS[name], levels) for name, levels in spread_levels.items()]
    weights = {name: round((1.0 - PAST_WEIGHT) * weight, 12) for name, weight in WEIGHTS.items()}
    back = past[:, None] / np.maximum(path_levels, TINY)[None, :]
    lacking, most = PAST_WEIGHT * (1.0 - back.mean(axis=0)), weights["high"] * MOST_LIFT
    back = np.where(lacking > most, 1.0 + (back - 1.0) * (most / np.maximum(lacking, TINY)), back)
    mean = (1.0 - PAST_WEIGHT) + PAST_WEIGHT * back.mean(axis=0)
    scale = 1.0 / np.maximum(mean, 1.0)
    raised = {name: levels * scale for name, levels in spread_levels.items()}
    raised["high"] = raised["high"] + np.maximum(1.0 - mean, 0.0) / weights["high"]
    found = [Future(name, weights[name], levels) for name, levels in raised.items()]
    return found + [Future(f"past {k + 1}", PAST_WEIGHT / PAST_PARTS, levels * scale) for k, levels in enumerate(back)]


def levels_of_futures(low: np.ndarray, high: np.ndarray) -> dict[str, np.ndarray]:
    """Return the levels of low, base and high over the forecast, scaled so that their weighted mean is 1.

    Levels are skewed: half of the high future is not made up for by the low one. Unscaled, a plan would be made for
    more demand than was forecast.
    """
    spread = {"low": np.minimum(low, 1.0), "base": np.ones(len(low)), "high": np.maximum(high, 1.0)}
    mean = sum(WEIGHTS[name] * values for name, values in spread.items())
    return {name: values / mean for name, values in spread.items()}


def past_levels(weekly_levels: np.ndarray) -> np.ndarray:
    """Return the mean level of each half of the last year, lifted by half of the growth since; none where too short.

    Parameters
    ----------
    weekly_levels : mean of each known week, oldest first, NaN where unknown [requests/hour].
    """
    year = weekly_levels[-YEAR_WEEKS:]
    halves = [part[np.isfinite(part)] for part in np.array_split(year, PAST_PARTS)]
    if len(year) < LEAST_PAST_WEEKS or any(not len(part) for part in halves):
        return np.zeros(0)
    lift = max(1.0, growth_of(weekly_levels)) ** PAST_GROWTH
    return np.asarray([lift * float(part.mean()) for part in halves])


def growth_of(weekly_levels: np.ndarray) -> float:
    """Return the last quarter's mean level over that of the same weeks a year before; 1 where none is known."""
    before, now = weekly_levels[-YEAR_WEEKS - GROWTH_WEEKS : -YEAR_WEEKS], weekly_levels[-GROWTH_WEEKS:]
    if len(weekly_levels) < YEAR_WEEKS + GROWTH_WEEKS or not np.isfinite(before).any() or not np.isfinite(now).any():
        return 1.0
    then = float(np.nanmean(before))
    return float(np.nanmean(now)) / then if then > 0 else 1.0


def real_weeks(weeks: np.ndarray, futures: int) -> np.ndarray:
    """Return what real weeks were over the usual one, for the weeks a and b of each future: futures x 2 x 168.

    The newest weeks are taken in turn; their differences from their own mean are widened by √(n / (n - 1)), to those
    from what is usual.

    Parameters
    ----------
    weeks : at least two, oldest first, weeks x 168; hours that are not known have their usual value.
    """
    weeks = np.where(np.isnan(weeks), np.nanmean(weeks, axis=0), weeks)
    weeks = weeks / np.maximum(weeks.mean(axis=1, keepdims=True), TINY)
    usual, half = weeks.mean(axis=0), len(weeks) // 2
    ratios = np.where(usual > TINY, weeks / np.maximum(usual, TINY), 1.0)
    ratios = np.maximum(1.0 + (ratios - 1.0) * np.sqrt(len(weeks) / (len(weeks) - 1)), 0.0)
    return np.stack([ratios[[k % half, k % half + half]] for k in range(futures)])


def to_the_mean(demand: np.ndarray, weights: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the weeks of futures scaled, hour by hour, so that their weighted mean is as wanted.

    Parameters
    ----------
    demand : weeks x hours. weights : of each week. wanted : mean demand of each hour; where all weeks have 0, it stays.
    """
    mean = np.average(demand, axis=0, weights=weights)
    return np.where(mean > TINY, demand * (wanted / np.where(mean > TINY, mean, 1.0)), wanted)
