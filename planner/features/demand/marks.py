"""Hours that should not teach a plan anything: gaps, outages, and spikes that came once.

Each hour is held against its usual value: the median of the same hour of the week (of the same hour of the day, where
there are under three weeks) times the week's own level, so that growth is no mark. An hour at less than a tenth of its
usual value is an outage; one at more than three times it, and far outside the series' own scatter, is a spike, unless
the same hour of the week is high again and again: then it is the shape, not a spike.
"""

import numpy as np
import pandas as pd

from planner.features.demand.series import hour_of_week, week_start
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

OUTAGE_SHARE, SPIKE_RATIO, SPIKE_SIGMAS = 0.1, 3.0, 6.0
LEAST_USUAL = 5.0  # requests per hour: below this, a single missing request is no outage
COLUMNS = ("hour", "region", "workload", "mark", "requests", "usual")


def usual_values(series: pd.Series) -> np.ndarray:
    """Return the usual value of each hour: shape of the week times level of the week, both by medians."""
    hours = pd.DatetimeIndex(series.index)
    values = series.to_numpy(dtype=float)
    weeks = pd.Series(week_start(hours), index=series.index)
    by_week = series.groupby(weeks.to_numpy()).transform("median")
    typical = float(series[series > 0].median()) if (series > 0).any() else 1.0
    level = by_week.where(by_week > 0, typical).to_numpy(dtype=float)
    slots = hour_of_week(hours)
    if len(series) < 3 * HOURS_PER_WEEK:
        slots = slots % HOURS_PER_DAY
    shape = pd.Series(values / level).groupby(slots).transform("median").to_numpy(dtype=float)
    return np.asarray(level * shape)


def mark_hours(requests: pd.DataFrame) -> pd.DataFrame:
    """List marked hours: ``COLUMNS``, mark one of gap, outage, spike."""
    found: list[pd.DataFrame] = []
    for column in requests.columns:
        series = requests[column]
        usual = usual_values(series)
        values = series.to_numpy(dtype=float)
        scatter = np.abs(values - usual)
        sigma = 1.4826 * float(np.nanmedian(scatter)) if np.isfinite(scatter).any() else 0.0
        known = np.flatnonzero(np.isfinite(values))
        gap = np.isnan(values)
        gap[: known[0] if len(known) else 0] = False  # before a series began and after it ended nothing is missing
        gap[known[-1] + 1 if len(known) else 0 :] = False
        outage = (values < OUTAGE_SHARE * usual) & (usual >= LEAST_USUAL)
        spike = (values > SPIKE_RATIO * usual) & (values - usual > SPIKE_SIGMAS * max(sigma, 1.0)) & (usual > 0)
        for mark, where in (("gap", gap), ("outage", outage), ("spike", spike)):
            if where.any():
                found.append(
                    pd.DataFrame(
                        {
                            "hour": series.index[where],
                            "region": column[0],
                            "workload": column[1],
                            "mark": mark,
                            "requests": values[where],
                            "usual": usual[where],
                        }
                    )
                )
    if not found:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(found, ignore_index=True).sort_values(["hour", "region", "workload"], ignore_index=True)


def without_marked(requests: pd.DataFrame, marks: pd.DataFrame) -> pd.DataFrame:
    """Return the series with every marked hour blank."""
    clean = requests.copy()
    for (region, workload), rows in marks.groupby(["region", "workload"]):
        clean.loc[rows["hour"], (region, workload)] = np.nan
    return clean
