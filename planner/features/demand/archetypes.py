"""Archetypes of demand: the shape of a day and of a week, for deployments that have no history yet.

The shapes and the ratios are this project's assumptions, to be replaced by a history as soon as there is one: working
hours in local time, a lunch dip where people work, nights for batch. Mean and peak are the user's; `shape_week` bends
the shape until both, and the weekend's share, are exactly what was asked for.
"""

from dataclasses import dataclass

import numpy as np

from planner.errors import Fault, InputError
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
