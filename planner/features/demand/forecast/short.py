"""Under two weeks known: the day before, the mean day, or a day of the week and one of the weekend, as each has served.

Every day but the first is forecast from the hours before it, to the end of what is known; the way with the least error
is taken, and from a week on averaged with the last week, which no held-out day can try.
"""

import numpy as np

from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK


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
