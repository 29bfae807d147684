"""Demand of a deployment without a history: an archetype, scaled to what was asked for, in UTC, month by month."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.schema.settings import Period, add_months, periods_of
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

WEEKEND_HOURS = 2 * HOURS_PER_DAY
EVEN_WEEKEND_SHARE = WEEKEND_HOURS / HOURS_PER_WEEK


@dataclass(frozen=True)
class Archetype:
    """``day``: 24 relative levels in local time; ``peak_over_mean`` and ``weekend_share`` (of the week's requests)."""

    name: str
    day: tuple[float, ...]
    peak_over_mean: float
    weekend_share: float
    meaning: str


ARCHETYPES: dict[str, Archetype] = {
    a.name: a
    for a in (
        Archetype(
            "customer_service",
            (2, 1, 1, 1, 1, 2, 4, 9, 16, 24, 28, 27, 24, 25, 26, 25, 23, 21, 18, 15, 12, 9, 6, 3),
            2.5,
            0.20,
            "people who write to a service desk: long days, quiet nights, weekends at under two thirds",
        ),
        Archetype(
            "voice_agent",
            (1, 1, 1, 1, 1, 2, 5, 14, 30, 42, 46, 43, 34, 36, 40, 39, 36, 30, 20, 12, 7, 4, 2, 1),
            3.0,
            0.15,
            "calls: sharper office hours than text",
        ),
        Archetype(
            "internal_tools",
            (1, 1, 1, 1, 1, 1, 3, 15, 50, 80, 88, 80, 55, 70, 84, 80, 66, 40, 15, 6, 3, 2, 1, 1),
            4.0,
            0.04,
            "employees: working days only",
        ),
        Archetype(
            "batch",
            (30, 30, 30, 30, 29, 25, 15, 5, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 6, 14, 24, 29, 30),
            2.2,
            EVEN_WEEKEND_SHARE,
            "jobs by night, every day",
        ),
        Archetype("constant", (1.0,) * HOURS_PER_DAY, 1.0, EVEN_WEEKEND_SHARE, "the same at every hour"),
    )
}


def shape_week(archetype: Archetype, peak_over_mean: float, weekend_share: float) -> np.ndarray:
    """Return 168 levels in local time with mean 1, the asked peak, and the asked share of Saturday and Sunday.

    The archetype's day is raised to a power: 0 makes it flat, more makes it sharper. The power is found by bisection,
    because the peak only rises with it; the last step sets mean and peak exactly.

    Raises
    ------
    InputError
        The peak cannot be reached with that weekend, or a flat week is already above it.
    """
    low, high = 0.0, 1.0
    if peak_over_mean < _peak(archetype, low, weekend_share) - 1e-9:
        flat = _peak(archetype, low, weekend_share)
        raise InputError([_fault("peak over mean", peak_over_mean, f"at least {flat:.4g} with this weekend share")])
    while _peak(archetype, high, weekend_share) < peak_over_mean and high < 512:
        high *= 2
    largest = _peak(archetype, high, weekend_share)
    if largest < peak_over_mean - 1e-9:
        raise InputError([_fault("peak over mean", peak_over_mean, f"at most {largest:.4g} for {archetype.name}")])
    for _ in range(200):
        middle = (low + high) / 2
        if _peak(archetype, middle, weekend_share) < peak_over_mean:
            low = middle
        else:
            high = middle
    week = _week(archetype, high, weekend_share)
    return np.asarray(week / week.mean())


def _fault(what: str, value: float, allowed: str) -> Fault:
    return Fault("demand new", f"the {what} cannot be had", value=f"{value:g}", allowed=allowed)


def _week(archetype: Archetype, power: float, weekend_share: float) -> np.ndarray:
    day = np.asarray(archetype.day, dtype=float) / max(archetype.day)
    bent = day**power
    bent = bent / bent.mean()
    weekday = (1.0 - weekend_share) * HOURS_PER_WEEK / (HOURS_PER_WEEK - WEEKEND_HOURS)
    weekend = weekend_share * HOURS_PER_WEEK / WEEKEND_HOURS
    return np.concatenate([np.tile(bent * weekday, 5), np.tile(bent * weekend, 2)])


def _peak(archetype: Archetype, power: float, weekend_share: float) -> float:
    week = _week(archetype, power, weekend_share)
    return float(week.max() / week.mean())


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
    cuts: tuple[dt.date, ...] = ()  # of the horizon


def new_demand(deployment: NewDeployment) -> pd.DataFrame:
    """Return demand by period and hour of week (UTC): region, workload, period, hour_of_week, requests_per_hour.

    A month takes the clock of its fifteenth day, a part of one that of its middle, so that local office hours stay
    where they are when clocks change.
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
    first = deployment.start
    for period in periods_of(first, deployment.months, deployment.cuts):
        index = (period.start.year - first.year) * 12 + period.start.month - first.month
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
    whole = add_months(period.start, 1) == period.end
    middle = period.start.replace(day=15) if whole else period.start + (period.end - period.start) // 2
    noon = dt.datetime.combine(middle, dt.time(12), ZoneInfo(zone))
    offset = noon.utcoffset()
    hours = 0 if offset is None else round(offset.total_seconds() / 3600)
    return np.roll(local, -hours)
