"""The futures of a forecast: what a plan is made for, and what the rule of the backtest buys for, by one arithmetic.

Three futures of the whole level, low, base and high, are the 10th, 50th and 90th percentile of the spread of the
*total*'s level, weighted 0.3, 0.4, 0.3 (Swanson's rule, which keeps mean and variance of most smooth distributions), as
if the spread's deviation were known: s² is the mean of squares, so a t's percentiles, which lie further out, would vary
more than what came, and plans would tell too small a saving.
Those know how the last months moved. What they do not know is that a level may go back to where it was within the
year: a campaign ends, a season turns, a customer leaves. So there are two more, ``past 1`` and ``past 2``: the level of
each half of the last year (of the whole history, where it is shorter), with half of the growth since (the root of it).
Further ahead than errors are known of (a quarter), low and high lie further out than they would, twice as far in a
year: what is bought for a year is not taken back, and a plan that is made anew each week or month buys in its most
hopeful one. So a plan of a year tells less saving than comes, one of three months as much.

Of all of them the weighted mean is the forecast: what the past lacks is added to the high future (up to the forecast
again; beyond that the past is moved nearer), what the past has too much is taken from all.

A unit that serves the mean of an hour is idle in some weeks and short in others, so each future is two weeks, ``a`` and
``b``, each as a real week of the recent past was about the usual one. Then all are scaled, hour by hour, so that their
weighted mean is the forecast.

How far what comes may lie from what was forecast: quantiles of actual over forecast, by weeks ahead.

The ratio of an hour is taken apart: the *level* of its week over the forecast's, and the hour's own scatter about it.
Hours are many, even of one held-out week, and their scatter is taken as it was, apart for quiet, middling and busy
hours of the week, because quiet hours scatter most. Levels are few, because all hours of a
week err together. Their logarithm k weeks ahead is Student's t with centre c·√g(k) and deviation s·√g(k), where
g(k) = 1 + (k − 1)/2: between a level that only scatters (g = 1) and a random walk (g = k). So every held-out week, near
or far, tells of the same c and s, and weeks further than any that was tried need no other rule. s² weighs the held-out
squares with those of the history's own moves from week to week; c is drawn towards 0; origins that overlap count for
less, and few of them give a t with few degrees of freedom (the predictive distribution of a normal with unknown
variance: Gelman et al., Bayesian Data Analysis, 3rd ed., sections 2.6 and 3.2).

What came of it is then checked: the share of held-out hours at or below their p90, each origin's from the others
alone, says how far out the upper quantiles must lie to hold (conformal prediction by origins; Lei et al. 2018,
Distribution-free predictive inference for regression); the few origins weigh with as many that trust the model.

With nothing held out, the hours' scatter is that of an hour over the same hour of the day before, and the level may be
anything that a young deployment's can become.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

FURTHER_WEEK = 0.5  # what each further week adds to the variance of the level, over that of the first
PRIOR_SD, PRIOR_WEEKS = 0.1, 1.0  # of a week's level over the one before; as many weeks as it counts for
MOVES_ORIGINS = 1.0  # origins that the history's own moves count for
CENTRE_ORIGINS = 1.0  # origins' worth of doubt about the centre
UNKNOWN_SD, UNKNOWN_FREEDOM = 0.4, float("inf")  # of the level with nothing held out: p90 is 1.67 times the forecast's
LARGEST_LOG, TINY = 2.0, 1e-9  # a week at under a seventh, or over seven times, tells no more
LEAST_FREEDOM = 3.0
KINDS, LEAST_HOURS = 3, 40  # quiet, middling and busy hours of the week; hours that tell a kind's own scatter
TAILS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5)  # tried
CHECK_ORIGINS = 1.0  # origins' worth of trust in the model as it is
SCATTER_POINTS, LEVEL_POINTS = 201, 41
SCATTER_STEPS = (np.arange(SCATTER_POINTS) + 0.5) / SCATTER_POINTS

Pair = tuple[np.ndarray, np.ndarray]  # actual and forecast, weeks ahead x 168


@dataclass(frozen=True)
class Spread:
    """``scatter``: quantiles of the hours' own ratio, kinds x points. ``centre``, ``deviation``: of the log level.

    The level's are those of one week ahead. ``further``: what each further week adds to the variance of the level, over
    that of the first. ``tail``: what the share of hours above an upper quantile is multiplied by, so that it holds.
    """

    scatter: np.ndarray
    centre: float
    deviation: float
    freedom: float
    further: float = FURTHER_WEEK
    tail: float = 1.0


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
    scatter: list[list[np.ndarray]] = [[] for _ in range(KINDS)]
    logs = []
    for actual, guess in held_out:
        known = np.isfinite(actual) & (guess > 0)
        came, said = np.where(known, actual, 0.0).sum(axis=1), np.where(known, guess, 0.0).sum(axis=1)
        log = np.log(np.maximum(came, TINY) / np.maximum(said, TINY)).clip(-LARGEST_LOG, LARGEST_LOG)
        logs.append(np.where(known.sum(axis=1) >= HOURS_PER_DAY, log, np.nan))
        ratios, kinds = actual / np.where(known, guess, 1.0) / np.exp(log)[:, None], kinds_of(guess)
        for kind in range(KINDS):
            scatter[kind].append(ratios[known & (kinds == kind)])
    hours = [np.concatenate(found) if found else np.zeros(0) for found in scatter]
    every = np.concatenate(hours)
    if not len(every):
        return None
    table = np.stack(logs)
    steps = table / np.sqrt(_growth(table.shape[1], FURTHER_WEEK))  # each as if it were one week ahead
    steps = steps[np.isfinite(steps)]
    origins = 1.0 + (len(held_out) - 1) * min(1.0, overlap) if len(steps) else 0.0
    centre = float(steps.sum() / max(len(steps), 1)) * origins / (origins + CENTRE_ORIGINS)
    squares = float(((steps - centre) ** 2).sum() / max(len(steps), 1))
    variance = (MOVES_ORIGINS * _moves(levels) + origins * squares) / (MOVES_ORIGINS + origins)
    points = np.stack([np.quantile(own if len(own) >= LEAST_HOURS else every, SCATTER_STEPS) for own in hours])
    return Spread(points, centre, float(np.sqrt(variance)), max(LEAST_FREEDOM, MOVES_ORIGINS + origins))


def unknown_spread(hours: np.ndarray) -> Spread:
    """Return the spread of a forecast that nothing was held out for.

    Parameters
    ----------
    hours : the last known hours, NaN where unknown; those of the last week are looked at.
    """
    week = hours[-HOURS_PER_WEEK:]
    now, before = week[HOURS_PER_DAY:], week[:-HOURS_PER_DAY]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(now / before) if len(week) > HOURS_PER_DAY else np.zeros(0)
    logs = logs[np.isfinite(logs)].clip(-LARGEST_LOG, LARGEST_LOG)
    points = np.quantile(np.concatenate([logs, -logs]), SCATTER_STEPS) if len(logs) else np.zeros(SCATTER_POINTS)
    return Spread(np.tile(np.exp(points), (KINDS, 1)), 0.0, UNKNOWN_SD, UNKNOWN_FREEDOM, further=0.0)


def _growth(weeks_ahead: int, further: float) -> np.ndarray:
    """Return the variance of the level for each week ahead, over that of the first."""
    return 1.0 + further * np.arange(weeks_ahead)


def _moves(levels: np.ndarray) -> float:
    """Return the mean square of a week's log level over the one before."""
    positive = levels[levels > 0]
    moves = np.diff(np.log(positive)).clip(-LARGEST_LOG, LARGEST_LOG)
    return (PRIOR_WEEKS * PRIOR_SD**2 + float((moves**2).sum())) / (PRIOR_WEEKS + len(moves))


def _levels(spread: Spread, quantiles: np.ndarray, weeks_ahead: int) -> np.ndarray:
    """Return weeks ahead x quantiles of the level over its forecast."""
    from scipy.stats import t

    first = spread.centre + spread.deviation * t.ppf(quantiles, spread.freedom)
    logs = np.sqrt(_growth(weeks_ahead, spread.further))[:, None] * first[None, :]
    return np.asarray(np.exp(np.clip(logs, -2 * LARGEST_LOG, 2 * LARGEST_LOG)))


def level_ratios(spread: Spread, quantile: float, weeks_ahead: int) -> np.ndarray:
    """Return the quantile of a week's level over its forecast, for each week ahead."""
    return _levels(spread, np.array([quantile]), weeks_ahead)[:, 0]


def kinds_of(path: np.ndarray) -> np.ndarray:
    """Return the kind of each hour, 0 (quiet) to KINDS - 1 (busy): by its rank in its week; weeks x 168."""
    places = np.argsort(np.argsort(path, axis=1, kind="stable"), axis=1)
    return np.asarray(places * KINDS // path.shape[1])


def hour_quantile(spread: Spread, quantile: float, path: np.ndarray) -> np.ndarray:
    """Return the quantile of each hour of a forecast, weeks ahead x 168: any level with any scatter."""
    beyond = (1.0 - quantile) * spread.tail if quantile > 0.5 else 1.0 - quantile
    levels = _levels(spread, (np.arange(LEVEL_POINTS) + 0.5) / LEVEL_POINTS, len(path))
    ratios = np.empty((len(path), KINDS))
    for kind in range(KINDS):
        both = np.multiply.outer(levels, spread.scatter[kind]).reshape(len(path), -1)
        ratios[:, kind] = np.quantile(both, 1.0 - beyond, axis=1)
    return np.asarray(path * np.take_along_axis(ratios, kinds_of(path), axis=1))


def checked(spread: Spread, held_out: Sequence[Pair], others: Sequence[Spread], overlap: float) -> Spread:
    """Return the spread with the tail that makes p90 hold on held-out weeks, each measured by the others' spread."""
    above = []
    for tail in TAILS:
        outside = known = 0
        for (actual, guess), other in zip(held_out, others, strict=True):
            upper = hour_quantile(replace(other, tail=tail), 0.9, guess)
            seen = np.isfinite(actual) & (guess > 0)
            outside, known = outside + int((actual > upper)[seen].sum()), known + int(seen.sum())
        above.append(outside / max(known, 1))
    wanted = float(np.interp(0.1, np.maximum.accumulate(above), TAILS))
    origins = 1.0 + (len(held_out) - 1) * min(1.0, overlap)
    weight = origins / (origins + CHECK_ORIGINS)
    return replace(spread, tail=float(np.exp(weight * np.log(wanted))))


WEIGHTS = {"low": 0.3, "base": 0.4, "high": 0.3}  # of the spread's futures, among themselves
PAST_WEIGHT, PAST_PARTS, LEAST_PAST_WEEKS = 0.3, 2, 8  # of all; the last year in halves; weeks that have halves
PAST_GROWTH = 0.5  # power of the growth since, that a half's level is lifted by
MOST_LIFT = 1.0  # times the forecast, that the high future is raised by at most for what the past lacks
YEAR_WEEKS, GROWTH_WEEKS = 52, 13
TRIED_WEEKS, FAR = 13, 2.0  # weeks ahead that errors are known of; logarithm of low and high in a year, over its own
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
    wide = np.interp(np.arange(ahead), (TRIED_WEEKS, YEAR_WEEKS), (1.0, FAR))
    spread = replace(spread, freedom=np.inf)
    low, high = level_ratios(spread, 0.1, ahead) ** wide, level_ratios(spread, 0.9, ahead) ** wide
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

    The newest weeks are taken in turn. Their differences are those from their own mean, which are smaller than those
    from what is usual by √((n - 1) / n): the forecast's shape is the mean of the same weeks, so the rest of their
    scatter is in it already. Widened, it would count twice, and a plan would tell too small a saving.

    Parameters
    ----------
    weeks : at least two, oldest first, weeks x 168; hours that are not known have their usual value.
    """
    weeks = np.where(np.isnan(weeks), np.nanmean(weeks, axis=0), weeks)
    weeks = weeks / np.maximum(weeks.mean(axis=1, keepdims=True), TINY)
    usual, half = weeks.mean(axis=0), len(weeks) // 2
    ratios = np.where(usual > TINY, weeks / np.maximum(usual, TINY), 1.0)
    return np.stack([ratios[[k % half, k % half + half]] for k in range(futures)])


def to_the_mean(demand: np.ndarray, weights: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the weeks of futures scaled, hour by hour, so that their weighted mean is as wanted.

    Parameters
    ----------
    demand : weeks x hours. weights : of each week. wanted : mean demand of each hour; where all weeks have 0, it stays.
    """
    mean = np.average(demand, axis=0, weights=weights)
    return np.where(mean > TINY, demand * (wanted / np.where(mean > TINY, mean, 1.0)), wanted)
