"""The models whose mean is the forecast, each a plain function from whole weeks to the weeks to come.

A model sees the last hours as a matrix of weeks x 168, the newest week last, cut from the end of the history backwards:
column 0 is the hour that follows the history, one week earlier. It returns the same columns for the weeks to come. The
level of a week is its mean over the shape's mean in the hours that are known, so that holes do not pull it down.

The forecast (``ensemble``) is the mean of models that fail differently: one choice among them on a few held-out weeks
is mostly noise. Before, a level that has moved is lifted (``lifted``); after, the path is held near the last week's
level, and the level of the last three days is blended in, which fades; further ahead the same weeks of a year ago gain
weight; and where weeks repeat each other as a timetable does, they have the last one's shape. Theta forecasts the
level, the shape is averaged. The growth that it finds is carried on the less, the further it is ahead of what was seen:
a history of n weeks tells of at most n more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK

SHAPE_WEEKS, MEAN_WEEKS, TREND_WEEKS = 8, 4, 52
THETA_WEEKS = 5  # least weeks that growth is found in
EMPTY = 0.01  # a week at under this part of the largest is none: its logarithm would be all that is fitted
WEEKS_PER_YEAR = 52
YEAR_LEAST_WEEKS = 57  # a year, and the weeks that growth over it is measured on
YEAR_STEPS, YEAR_WEIGHTS = (0, 12), (0.1, 0.3)  # of last_year in the mean, by weeks ahead
BLEND, BLEND_DAYS, BLEND_WEEKS, BLEND_MOST = 0.3, 3, 2.0, 5.0  # the last days' level: power, days, half-life, limit
NEAR, NEAR_WEEKS = 0.12, 8.0  # logarithm of the first week's level over the last one's, at most; half-life of the pull
REPEAT_WEEKS = 2  # in which the last week's shape is held against the mean one
SMOOTHING = np.linspace(0.01, 1.0, 100)  # tried
TINY, STEADY = 1e-9, 1e-6  # a level that never moves has no trend to be fitted


@dataclass(frozen=True)
class Candidate:
    """A model, and the weeks that it needs at least."""

    name: str
    least_weeks: int
    predict: Callable[[np.ndarray, int], np.ndarray]  # weeks x 168, weeks ahead -> weeks ahead x 168
    meaning: str


def to_weeks(values: np.ndarray) -> np.ndarray:
    """Cut hours into whole weeks from the end backwards; weeks x 168, the oldest hours that fill no week fall away."""
    count = len(values) // HOURS_PER_WEEK
    return np.asarray(values[len(values) - count * HOURS_PER_WEEK :], dtype=float).reshape(count, HOURS_PER_WEEK)


def column_means(weeks: np.ndarray) -> np.ndarray:
    """Return the mean of each hour of the week over known values; an hour never seen takes the mean of the others."""
    known = np.isfinite(weeks)
    total, count = np.where(known, weeks, 0.0).sum(axis=0), known.sum(axis=0)
    overall = total.sum() / count.sum() if count.sum() else 0.0
    return np.where(count > 0, total / np.maximum(count, 1), overall)


def shape_of(weeks: np.ndarray) -> np.ndarray:
    """Return the mean week of the newest weeks, each taken at its own level; mean 1."""
    recent = weeks[-SHAPE_WEEKS:]
    first = column_means(recent)
    levels = levels_of(recent, first)
    shape = column_means(recent / np.maximum(levels, TINY)[:, None])
    return np.asarray(shape / max(shape.mean(), TINY))


def levels_of(weeks: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Return each week's level [requests/hour]: known hours over their part of the shape; holes by neighbours."""
    known = np.isfinite(weeks)
    part = np.where(known, shape / max(shape.mean(), TINY), 0.0).sum(axis=1)
    level = np.where(known, weeks, 0.0).sum(axis=1) / np.maximum(part, TINY)
    level[part <= HOURS_PER_WEEK * 0.05] = np.nan
    if np.isnan(level).all():
        return np.zeros(len(level))
    where = np.arange(len(level))
    good = np.isfinite(level)
    return np.asarray(np.interp(where, where[good], level[good]))


def seasonal_naive(weeks: np.ndarray, ahead: int) -> np.ndarray:
    """Repeat the last week; its holes are filled from the weeks before."""
    last = weeks[-1].copy()
    for week in weeks[-2::-1]:
        last = np.where(np.isfinite(last), last, week)
    last = np.where(np.isfinite(last), last, column_means(weeks))
    return np.tile(last, (ahead, 1))


def mean_weeks(weeks: np.ndarray, ahead: int) -> np.ndarray:
    """Repeat the mean of the last four weeks."""
    return np.tile(column_means(weeks[-MEAN_WEEKS:]), (ahead, 1))


def last_level(weeks: np.ndarray, ahead: int) -> np.ndarray:
    """Repeat the mean shape at the level of the last week."""
    shape = shape_of(weeks)
    return np.tile(shape * levels_of(weeks[-SHAPE_WEEKS:], shape)[-1], (ahead, 1))


def theta(weeks: np.ndarray, ahead: int) -> np.ndarray:
    """Forecast the level's logarithm by the Theta model, let its growth fade, and give each week the mean shape."""
    shape = shape_of(weeks)
    known = levels_of(weeks[-TREND_WEEKS:], shape)
    levels = np.log(np.maximum(known, max(TINY, EMPTY * known.max())))
    if np.ptp(levels) < STEADY:
        return np.tile(np.exp(levels[-1]) * shape, (ahead, 1))
    path = theta_path(levels, ahead)
    reach, steps = len(levels), np.arange(ahead)
    path = np.interp(reach * (1.0 - np.exp(-steps / reach)), steps, path)
    spread = float(np.ptp(levels)) + 0.7  # never further from the last level than the history ever went, twice over
    path = np.clip(path, levels[-1] - spread, levels[-1] + spread)
    return np.asarray(np.exp(path)[:, None] * shape[None, :])


def theta_path(values: np.ndarray, ahead: int) -> np.ndarray:
    """Forecast by the Theta model: simple exponential smoothing, and half the slope of the line through all values.

    With smoothing a, found by least squares of the errors one step ahead, and slope b over n values, the k-th step is
    level + b/2 · (k − 1 + (1 − (1 − a)ⁿ) / a) (Hyndman & Billah 2003, Unmasking the Theta method).
    """
    count, level = len(values), np.full(len(SMOOTHING), values[0])
    squares = np.zeros(len(SMOOTHING))
    for value in values[1:]:
        error = value - level
        squares, level = squares + error**2, level + SMOOTHING * error
    best = int(np.argmin(squares))
    part, slope = SMOOTHING[best], np.polyfit(np.arange(count), values, 1)[0]
    return np.asarray(level[best] + slope / 2 * (np.arange(ahead) + (1 - (1 - part) ** count) / part))


def last_year(weeks: np.ndarray, ahead: int) -> np.ndarray:
    """Take the levels of the same weeks a year ago, grown as the last four weeks grew over the year."""
    shape = shape_of(weeks)
    levels = levels_of(weeks, shape)
    then = levels[len(levels) - WEEKS_PER_YEAR - MEAN_WEEKS : len(levels) - WEEKS_PER_YEAR]
    growth = levels[-MEAN_WEEKS:].mean() / max(then.mean(), TINY)
    path = [levels[len(levels) - WEEKS_PER_YEAR + k % WEEKS_PER_YEAR] for k in range(ahead)]
    return np.asarray(np.asarray(path)[:, None] * growth * shape[None, :])


def ensemble(weeks: np.ndarray, ahead: int) -> np.ndarray:
    """Forecast by the mean of all models, at a level that the last days have a say in."""
    level = lifted(weeks)
    models = [mean_weeks, last_level, *([theta] if len(level) >= THETA_WEEKS else [])]
    weights = [2.0 if model is theta else 1.0 for model in models]  # theta alone knows growth
    path = np.asarray(np.average([model(level, ahead) for model in models], axis=0, weights=weights))
    last, share = seasonal_naive(weeks, 1)[0], _repeating(weeks)
    path, steps = near_last_week(path, level, share), np.arange(ahead)
    if len(weeks) >= YEAR_LEAST_WEEKS:
        weight = np.interp(steps, YEAR_STEPS, YEAR_WEIGHTS)[:, None]
        path = (1 - weight) * path + weight * last_year(level, ahead)
    path = path * (_last_days(weeks, path) ** ((1 - share) * BLEND * 0.5 ** (steps / BLEND_WEEKS)))[:, None]
    if share > 0:
        path = (1 - share) * path + share * path.mean(axis=1)[:, None] * last / last.mean()
    return np.asarray(path)


def near_last_week(path: np.ndarray, weeks: np.ndarray, repeating: float = 0.0) -> np.ndarray:
    """Return the path with its first week's level near the last one's, in case that is a move not yet told; this fades.

    ``repeating``: share of their shape that weeks repeat; the more, the nearer, and the longer.

    The mean of four weeks is slow to follow a move: without this, the first month after one would be forecast worse
    than by repeating the last week.
    """
    last, first = levels_of(weeks[-SHAPE_WEEKS:], shape_of(weeks))[-1], path[0].mean()
    if last <= TINY or first <= TINY:
        return path
    off = np.log(last / first)
    near, fade = NEAR * (1 - repeating), 0.5 ** (np.arange(len(path)) * (1 - repeating) / NEAR_WEEKS)
    return np.asarray(path * np.exp((off - np.clip(off, -near, near)) * fade)[:, None])


def _repeating(weeks: np.ndarray) -> float:
    """Return how far weeks repeat the last one's shape, as a timetable does: 1 to the hour, 0 no better than the mean.

    One less the square of the last week's error over the mean shape's, in the last two weeks. Where a level has
    moved, often the shape has too: then the mean shape is held against the weeks since, and a week against the one
    before it only where both lie on one side of the move.
    """
    new = shift_of(weeks)[0] / DAYS_PER_WEEK
    places = range(len(weeks) - 1, 0, -1)
    pairs = [place for place in places if new == 0 or abs(len(weeks) - place - new) >= 1][:REPEAT_WEEKS]
    since = [place for place in places if new < 1 or len(weeks) - place <= new][:REPEAT_WEEKS]
    if len(weeks) < REPEAT_WEEKS + 2 or len(pairs) < REPEAT_WEEKS:
        return 0.0
    by_last = [_off(weeks[place], seasonal_naive(weeks[:place], 1)[0]) for place in pairs]
    by_mean = [_off(weeks[place], shape_of(weeks[:place])) for place in since]
    if not np.isfinite([*by_last, *by_mean]).all():
        return 0.0
    last, mean = float(np.mean(by_last)), float(np.mean(by_mean))
    return max(0.0, 1.0 - (last / mean) ** 2) if mean > TINY else 0.0


def _off(came: np.ndarray, said: np.ndarray) -> float:
    """Return the mean distance of two weeks' shapes over the known hours; NaN where one of them is empty."""
    known = np.isfinite(came)
    if not known.any() or came[known].sum() <= 0 or said.sum() <= 0:
        return float("nan")
    return float(np.abs(came[known] / came[known].mean() - said[known] / said.mean()).mean())


def _last_days(weeks: np.ndarray, path: np.ndarray) -> float:
    """Return the level of the last three days over what the forecast has for the same hours of the week."""
    hours = slice(HOURS_PER_WEEK - BLEND_DAYS * HOURS_PER_DAY, None)
    known = np.isfinite(weeks[-1, hours])
    came, said = float(weeks[-1, hours][known].sum()), float(path[0, hours][known].sum())
    return float(np.clip(came / said, 1 / BLEND_MOST, BLEND_MOST)) if came > 0 and said > 0 else 1.0


MODELS: dict[str, Candidate] = {
    candidate.name: candidate
    for candidate in (
        Candidate("ensemble", 1, ensemble, "the mean of mean_weeks, last_level, theta and last_year"),
        Candidate("theta", THETA_WEEKS, theta, "the mean shape, and half the level's growth"),
        Candidate("last_level", 1, last_level, "the mean shape at the last week's level"),
        Candidate("mean_weeks", 1, mean_weeks, "the mean of the last four weeks"),
        Candidate("last_year", YEAR_LEAST_WEEKS, last_year, "the same weeks a year ago, grown"),
        Candidate("seasonal_naive", 1, seasonal_naive, "the last week again"),
    )
}


LOOK_WEEKS, BEFORE_DAYS = 8, 28
LEAST_DAYS, MOST_DAYS, LEAST_BEFORE_DAYS = 3, 28, 7
MOVES = ((4.0, 0.25), (3.5, 0.4))  # a level has moved: least t, and least logarithm of new over old level
DEPENDENT_DAYS = 2.0  # days last: their mean scatters about twice as much as that of independent ones
FLOOR = 0.01
LEAST_PART = 0.5  # of a move of the days' levels, that their requests have moved by


def usual_week(weeks: np.ndarray) -> np.ndarray:
    """Return the median of each hour of the week; 0 where it is not known."""
    seen = np.isfinite(weeks).any(axis=0)
    return np.where(seen, np.nanmedian(np.where(seen, weeks, 0.0), axis=0), 0.0)


def day_levels(weeks: np.ndarray) -> np.ndarray:
    """Return each day's level over that of the usual day of its name; NaN where unknown, or usually without demand.

    The level is the median over the day's hours of each hour over its usual value, weighted by that value: bursts of a
    few hours are not the level, and hide no move of it.
    """
    usual = usual_week(weeks)
    counted = (np.isfinite(weeks) & (usual > 0)).reshape(-1, HOURS_PER_DAY)
    ratios = np.where(counted, (weeks / np.where(usual > 0, usual, 1.0)).reshape(-1, HOURS_PER_DAY), 0.0)
    weights = np.where(counted, np.tile(usual, len(weeks)).reshape(-1, HOURS_PER_DAY), 0.0)
    order = np.argsort(ratios, axis=1)
    above = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    middle = np.argmax(above >= above[:, -1:] / 2, axis=1)
    levels = np.take_along_axis(ratios, order, axis=1)[np.arange(len(ratios)), middle]
    return np.asarray(np.where(above[:, -1] > 0, levels, np.nan))


def shift_of(weeks: np.ndarray) -> tuple[int, float]:
    """Return the days since the level moved, and the logarithm of new over old level; 0 and 0 where it did not."""
    recent = weeks[-LOOK_WEEKS:]
    levels = day_levels(recent)
    days = np.flatnonzero(np.isfinite(levels) & (levels > 0))
    logs, best, found = np.log(levels[days]), 0.0, (0, 0.0)
    for count in range(LEAST_DAYS, MOST_DAYS + 1):
        at = len(levels) - count
        new, old = logs[days >= at], logs[(days < at) & (days >= at - BEFORE_DAYS)]
        if len(new) < LEAST_DAYS or len(old) < LEAST_BEFORE_DAYS:
            continue
        squares = float(((new - new.mean()) ** 2).sum() + ((old - old.mean()) ** 2).sum())
        scatter = FLOOR + np.sqrt(squares / (len(new) + len(old) - 2))
        jump = float(new.mean() - old.mean())
        strength = abs(jump) / (DEPENDENT_DAYS * scatter * np.sqrt(1 / len(new) + 1 / len(old)))
        if strength > best:
            best, found = strength, (count, jump)
    moved = any(best > t and abs(found[1]) > log for t, log in MOVES)
    return found if moved and _requests_moved(recent, *found) else (0, 0.0)


def _requests_moved(weeks: np.ndarray, days: int, jump: float) -> bool:
    """Return whether the requests moved too: new hours of the day, at as many requests, are no new level."""
    usual, known = np.tile(usual_week(weeks), len(weeks)), np.isfinite(weeks).ravel()
    new = np.arange(len(usual)) >= len(usual) - HOURS_PER_DAY * days
    old = ~new & (np.arange(len(usual)) >= len(usual) - HOURS_PER_DAY * (days + BEFORE_DAYS))
    came, said = np.nan_to_num(weeks.ravel()), np.where(known, usual, 0.0)
    now, before = (came[part].sum() / max(said[part].sum(), TINY) for part in (new, old))
    return bool(min(now, before) > 0 and np.log(now / before) / jump > LEAST_PART)


def lifted(weeks: np.ndarray) -> np.ndarray:
    """Return the weeks with all that lies before a move brought to the level after it; weeks x 168."""
    days, jump = shift_of(weeks)
    if days == 0:
        return weeks
    hours = weeks.reshape(-1).copy()
    hours[: len(hours) - HOURS_PER_DAY * days] *= np.exp(jump)
    return np.asarray(hours.reshape(-1, HOURS_PER_WEEK))


def short_week(values: np.ndarray, weekend: np.ndarray) -> tuple[np.ndarray, str]:
    """Forecast the 168 hours that follow a history of under two weeks.

    Parameters
    ----------
    values : known hours up to now, NaN where unknown; at least a day.
    weekend : whether each of them, and of the 168 to come, lies on a weekend.

    Returns
    -------
    Requests per hour of the coming 168 hours, and the name of what is repeated.
    """
    count = len(values)
    ways = {"weekday and weekend": _by_kind, "mean day": _mean_day, "yesterday": _yesterday}
    errors = dict.fromkeys(ways, 0.0)
    for known in range(count % HOURS_PER_DAY + HOURS_PER_DAY, count, HOURS_PER_DAY):
        came = values[known:]
        for name, way in ways.items():
            guess = way(values[:known], weekend[:count], count - known)
            errors[name] += float(np.nansum(np.abs(came - guess)))
    name = min(ways, key=lambda n: errors[n])
    week = ways[name](values, weekend, HOURS_PER_WEEK)
    if count >= HOURS_PER_WEEK:
        last = values[-HOURS_PER_WEEK:]
        week = np.where(np.isfinite(last), (week + last) / 2, week)
        name = f"last week, {name}"
    return week, name


def _places(known: int, ahead: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hour of the day of known hours and of those to come, counted from now."""
    return np.arange(-known, 0) % HOURS_PER_DAY, np.arange(ahead) % HOURS_PER_DAY


def _means(values: np.ndarray, kinds: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    seen = np.isfinite(values)
    size = int(max(kinds.max(), wanted.max())) + 1
    total = np.bincount(kinds[seen], values[seen], size)
    count = np.bincount(kinds[seen], minlength=size)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan)[wanted])


def _mean_day(values: np.ndarray, weekend: np.ndarray, ahead: int) -> np.ndarray:
    past, future = _places(len(values), ahead)
    found = _means(values, past, future)
    return np.where(np.isnan(found), np.nanmean(values) if np.isfinite(values).any() else 0.0, found)


def _yesterday(values: np.ndarray, weekend: np.ndarray, ahead: int) -> np.ndarray:
    last = np.resize(values[-HOURS_PER_DAY:], ahead)
    return np.where(np.isnan(last), _mean_day(values, weekend, ahead), last)


def _by_kind(values: np.ndarray, weekend: np.ndarray, ahead: int) -> np.ndarray:
    past, future = _places(len(values), ahead)
    kinds = weekend.astype(np.int64) * HOURS_PER_DAY
    found = _means(values, kinds[: len(values)] + past, kinds[len(values) : len(values) + ahead] + future)
    return np.where(np.isnan(found), _mean_day(values, weekend, ahead), found)
