"""Hours that stand out: gaps, outages, and spikes that happened once.

Each hour is held against its usual value: the median of the same kind of hour (of the week; of the day and of weekday
or weekend, where there are under three weeks) times the week's own level, so that growth is no mark. An hour at less
than a tenth of its usual value is an outage; one at more than three times it, and far outside the series' own scatter,
is a spike, unless the same hour of the week is high again and again: then it is the shape, not a spike. A kind of hour
that was seen under three times marks nothing.

A mark is a remark. What stands out was real load: it counts, unless a user says that spikes are to be cut or outages to
be skipped (``Treatment``).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.features.demand.series import LEAST_WEEKS_BY_HOUR_OF_WEEK, kinds_of_hour, week_start
from planner.units import HOURS_PER_WEEK

OUTAGE_SHARE, SPIKE_RATIO, SPIKE_SIGMAS = 0.1, 3.0, 6.0
LEAST_USUAL = 5.0  # requests per hour: below this, a single missing request is no outage
LEAST_SEEN = 3  # hours of a kind, to tell what is usual
COLUMNS = ("hour", "region", "workload", "mark", "requests", "usual")


@dataclass(frozen=True)
class Treatment:
    """What a user wants done with marked hours.

    cap_spikes : cut to three times their usual value. skip_outages : taken as unknown.
    """

    cap_spikes: bool = False
    skip_outages: bool = False


def usual_values(series: pd.Series) -> np.ndarray:
    """Return the usual value of each hour: shape of the week times level of the week, both by medians; else NaN."""
    hours = pd.DatetimeIndex(series.index)
    values = pd.Series(series.to_numpy(dtype=float))
    kinds = kinds_of_hour(hours)
    seen = values.groupby(kinds).transform("count").to_numpy()
    shape = values.groupby(kinds).transform("median")
    level = np.ones(len(values))
    if len(series) >= LEAST_WEEKS_BY_HOUR_OF_WEEK * HOURS_PER_WEEK:
        ratios = values / shape.where(shape > 0)
        by_week = ratios.groupby(week_start(hours).to_numpy()).transform("median")
        level = by_week.where(by_week > 0, 1.0).to_numpy()
        shape = (values / level).groupby(kinds).transform("median")
    return np.where(seen >= LEAST_SEEN, level * shape.to_numpy(dtype=float), np.nan)


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


def treated(requests: pd.DataFrame, marks: pd.DataFrame, treatment: Treatment) -> pd.DataFrame:
    """Return the series with spikes cut and outages blank, as far as the treatment says so."""
    changed = requests.copy()
    for (region, workload, mark), rows in marks.groupby(["region", "workload", "mark"]):
        if mark == "spike" and treatment.cap_spikes:
            changed.loc[rows["hour"], (region, workload)] = SPIKE_RATIO * rows["usual"].to_numpy(dtype=float)
        if mark == "outage" and treatment.skip_outages:
            changed.loc[rows["hour"], (region, workload)] = np.nan
    return changed
