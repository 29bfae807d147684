"""What is replayed: the pools of a history, and the same history run backwards or cut, to see a rule lose."""

import numpy as np
import pandas as pd

from planner.features.demand.series import HourlySeries
from planner.units import HOURS_PER_WEEK

POOLS = ("all", "region", "series")
LONGEST_GAP_WEEKS = 4
VARIANTS = {
    "as it was": "the history",
    "reversed": "the history run backwards: growth becomes decline",
    "step": "the history with 40 % of the demand gone from half of the replay on",
}
STEP_SHARE = 0.6


def pools_of(series: HourlySeries, by: str) -> dict[str, np.ndarray]:
    """Return hourly demand by pool: everything in one, one a region, or one a (region, workload)."""
    requests = series.requests
    if by == "all":
        parts = {"all": requests.sum(axis=1, min_count=1)}
    elif by == "series":
        parts = {" ".join(column): requests[column] for column in requests.columns}
    else:
        regions = sorted({column[0] for column in requests.columns})
        mine = {region: [c for c in requests.columns if c[0] == region] for region in regions}
        parts = {region: requests[columns].sum(axis=1, min_count=1) for region, columns in mine.items()}
    return {name: _alive(values) for name, values in parts.items()}


def after_long_gap(values: np.ndarray) -> np.ndarray:
    """Return what comes after the last gap of over four weeks: nobody would buy on what lies before it."""
    known = np.flatnonzero(np.isfinite(values))
    gaps = np.flatnonzero(np.diff(known) > LONGEST_GAP_WEEKS * HOURS_PER_WEEK)
    return values[known[gaps[-1] + 1] :] if len(gaps) else values


def choose_step(pools: dict[str, np.ndarray]) -> str:
    """Return the step of a replay: weeks, or days where the longest pool has under five weeks."""
    longest = max((len(values) for values in pools.values()), default=0)
    return "week" if longest >= 5 * HOURS_PER_WEEK else "day"


def _alive(values: pd.Series) -> np.ndarray:
    hours = values.to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(hours))
    return hours[known[0] : known[-1] + 1] if len(known) else np.zeros(0)


def variant_of(values: np.ndarray, variant: str, replayed_hours: int) -> np.ndarray:
    """Return a pool's hours in one of ``VARIANTS``; ``replayed_hours`` is the length of the replay at the end."""
    if variant == "reversed":
        return values[::-1].copy()
    if variant == "step":
        cut = values.copy()
        cut[len(cut) - replayed_hours // 2 :] *= STEP_SHARE
        return cut
    return values
