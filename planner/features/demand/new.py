"""Demand of a deployment without a history: an archetype, scaled to what was asked for, in UTC, month by month."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from planner.features.demand.archetypes import ARCHETYPES, shape_week
from planner.schema.calendar import Period, periods_of
from planner.units import HOURS_PER_WEEK


@dataclass(frozen=True)
class NewDeployment:
    """What is known of a new deployment.

    mean_requests_per_hour : of a whole week, at full use, in the first month.
    peak_over_mean, weekend_share : None: the archetype's.
    growth_per_month : share added each month; ramp_months : months until full use, in equal steps (1: at once).
    """

    workload: str
    region: str
    archetype: str
    mean_requests_per_hour: float
    time_zone: str = "UTC"
    peak_over_mean: float | None = None
    weekend_share: float | None = None
    growth_per_month: float = 0.0
    ramp_months: int = 1
    start: dt.date = dt.date(2027, 1, 1)
    months: int = 3


def new_demand(deployment: NewDeployment) -> pd.DataFrame:
    """Return demand by period and hour of week (UTC): region, workload, period, hour_of_week, requests_per_hour.

    A month takes the clock of its fifteenth day, so that local office hours stay where they are when clocks change.
    """
    archetype = ARCHETYPES[deployment.archetype]
    asked = deployment.peak_over_mean
    share = deployment.weekend_share
    local = shape_week(
        archetype,
        archetype.peak_over_mean if asked is None else asked,
        archetype.weekend_share if share is None else share,
    )
    parts = []
    for index, period in enumerate(periods_of(deployment.start, deployment.months)):
        ramp = min(1.0, (index + 1) / max(1, deployment.ramp_months))
        level = deployment.mean_requests_per_hour * ramp * (1.0 + deployment.growth_per_month) ** index
        parts.append(
            pd.DataFrame(
                {
                    "region": deployment.region,
                    "workload": deployment.workload,
                    "period": period.name,
                    "hour_of_week": range(HOURS_PER_WEEK),
                    "requests_per_hour": level * _in_utc(local, deployment.time_zone, period),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _in_utc(local: np.ndarray, zone: str, period: Period) -> np.ndarray:
    """Turn local hours of the week into UTC ones; half hours are rounded: the peak stays the peak."""
    noon = dt.datetime.combine(period.start.replace(day=15), dt.time(12), ZoneInfo(zone))
    offset = noon.utcoffset()
    hours = 0 if offset is None else round(offset.total_seconds() / 3600)
    return np.roll(local, -hours)
