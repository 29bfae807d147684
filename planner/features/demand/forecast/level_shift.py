"""A level that has moved for good: history before the move is lifted to the new level, so that nothing averages both.

Each day's logarithm, less its weekday's usual part, is compared over the last k days (3 to 28) with the four weeks
before them. The break is where the difference is largest against the scatter within both parts; it counts as a move
where that is over ``LEAST_T`` times what independent days would scatter (days do not: half is taken off) and over
``LEAST_LOG``.
"""

import numpy as np

from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK

LOOK_WEEKS, BEFORE_DAYS = 8, 28
LEAST_DAYS, MOST_DAYS, LEAST_BEFORE_DAYS = 3, 28, 7
LEAST_T, LEAST_LOG = 4.0, 0.25
DEPENDENT_DAYS = 2.0  # days last: their mean scatters about twice as much as that of independent ones
TINY, FLOOR = 1e-9, 0.01


def shift_of(weeks: np.ndarray) -> tuple[int, float]:
    """Return the days since the level moved, and the logarithm of new over old level; 0 and 0 where it did not."""
    recent = weeks[-LOOK_WEEKS:].reshape(-1, DAYS_PER_WEEK, HOURS_PER_DAY)
    known = np.isfinite(recent).mean(axis=2) > 0.5
    days = np.where(known, np.nansum(recent, axis=2) / np.maximum(np.isfinite(recent).sum(axis=2), 1), np.nan)
    if np.isnan(days).any() or not (days > 0).all() or len(days) < 2:
        return 0, 0.0
    logs = np.log(np.maximum(days, TINY))
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
