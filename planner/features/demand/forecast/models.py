"""The models whose mean is the forecast, each a plain function from whole weeks to the weeks to come.

A model sees the last hours as a matrix of weeks x 168, the newest week last, cut from the end of the history backwards:
column 0 is the hour that follows the history, one week earlier. It returns the same columns for the weeks to come. The
level of a week is its mean over the shape's mean in the hours that are known, so that holes do not pull it down.

The forecast (``ensemble``) is the mean of models that fail differently: one choice among them on a few held-out weeks
is mostly noise. Before, a level that has moved is lifted (``level_shift``); after, the level of the last three days is
blended in, which fades; further ahead the same weeks of a year ago gain weight; and where weeks repeat each other as a
timetable does, they have the last one's shape. Theta is statsmodels'; it forecasts the
level, the shape is averaged. The growth that it finds is carried on the less, the further it is ahead of what was seen:
a history of n weeks tells of at most n more.
"""

import warnings
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
REPEAT_WEEKS = 2  # in which the last week's shape is held against the mean one
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


def _smoothed(weeks: np.ndarray, ahead: int, fit: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    """Forecast the logarithm of the level by ``fit``, let its growth fade, and give each week the mean shape."""
    shape = shape_of(weeks)
    known = levels_of(weeks[-TREND_WEEKS:], shape)
    levels = np.log(np.maximum(known, max(TINY, EMPTY * known.max())))
    if np.ptp(levels) < STEADY:
        return np.tile(np.exp(levels[-1]) * shape, (ahead, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels tells of fits that stop early; the choice judges them by result
        path = np.asarray(fit(levels, ahead), dtype=float)
    reach, steps = len(levels), np.arange(ahead)
    path = np.interp(reach * (1.0 - np.exp(-steps / reach)), steps, path)
    spread = float(np.ptp(levels)) + 0.7  # never further from the last level than the history ever went, twice over
    path = np.clip(path, levels[-1] - spread, levels[-1] + spread)
    return np.asarray(np.exp(path)[:, None] * shape[None, :])


def theta(weeks: np.ndarray, ahead: int) -> np.ndarray:
    """Continue half the level's growth (the Theta model on the logarithm)."""

    def fit(levels: np.ndarray, steps: int) -> np.ndarray:
        from statsmodels.tsa.forecasting.theta import ThetaModel

        return np.asarray(ThetaModel(levels, period=1, deseasonalize=False).fit(disp=False).forecast(steps))

    return _smoothed(weeks, ahead, fit)


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
    steps = np.arange(ahead)
    if len(weeks) >= YEAR_LEAST_WEEKS:
        weight = np.interp(steps, YEAR_STEPS, YEAR_WEIGHTS)[:, None]
        path = (1 - weight) * path + weight * last_year(level, ahead)
    path = path * (_last_days(weeks, path) ** (BLEND * 0.5 ** (steps / BLEND_WEEKS)))[:, None]
    last, share = seasonal_naive(weeks, 1)[0], _repeating(weeks)
    if share > 0:
        path = (1 - share) * path + share * path.mean(axis=1)[:, None] * last / last.mean()
    return np.asarray(path)


def _repeating(weeks: np.ndarray) -> float:
    """Return how far weeks repeat the last one's shape, as a timetable does: 1 to the hour, 0 no better than the mean.

    One less the error of the last week's shape over that of the mean shape, in the last two weeks.
    """
    if len(weeks) < REPEAT_WEEKS + 2:
        return 0.0
    by_last = by_mean = 0.0
    for place in range(len(weeks) - REPEAT_WEEKS, len(weeks)):
        came, last, mean = weeks[place], seasonal_naive(weeks[:place], 1)[0], shape_of(weeks[:place])
        known = np.isfinite(came)
        if not known.any() or came[known].sum() <= 0 or last.sum() <= 0:
            return 0.0
        shape = came[known] / came[known].mean()
        by_last += float(np.abs(shape - last[known] / last.mean()).sum())
        by_mean += float(np.abs(shape - mean[known]).sum())
    return max(0.0, 1.0 - by_last / by_mean) if by_mean > TINY else 0.0


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
LEAST_T, LEAST_LOG = 4.0, 0.25
DEPENDENT_DAYS = 2.0  # days last: their mean scatters about twice as much as that of independent ones
LEAST_DAY, FLOOR = 1e-9, 0.01


def shift_of(weeks: np.ndarray) -> tuple[int, float]:
    """Return the days since the level moved, and the logarithm of new over old level; 0 and 0 where it did not."""
    recent = weeks[-LOOK_WEEKS:].reshape(-1, DAYS_PER_WEEK, HOURS_PER_DAY)
    known = np.isfinite(recent).mean(axis=2) > 0.5
    days = np.where(known, np.nansum(recent, axis=2) / np.maximum(np.isfinite(recent).sum(axis=2), 1), np.nan)
    if np.isnan(days).any() or not (days > 0).all() or len(days) < 2:
        return 0, 0.0
    logs = np.log(np.maximum(days, LEAST_DAY))
    weekday = np.median(logs - np.median(logs, axis=1)[:, None], axis=0)
    values = (logs - weekday).ravel()
    best, found = 0.0, (0, 0.0)
    for count in range(LEAST_DAYS, min(MOST_DAYS, len(values) - LEAST_BEFORE_DAYS) + 1):
        new, old = values[-count:], values[max(0, len(values) - count - BEFORE_DAYS) : -count]
        squares = float(((new - new.mean()) ** 2).sum() + ((old - old.mean()) ** 2).sum())
        scatter = FLOOR + np.sqrt(squares / (len(new) + len(old) - 2))
        jump = float(new.mean() - old.mean())
        strength = abs(jump) / (DEPENDENT_DAYS * scatter * np.sqrt(1 / len(new) + 1 / len(old)))
        if strength > best:
            best, found = strength, (count, jump)
    return found if best > LEAST_T and abs(found[1]) > LEAST_LOG else (0, 0.0)


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
