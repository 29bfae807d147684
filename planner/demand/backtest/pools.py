"""What is replayed: the pools of a history, and the same history run backwards or cut, to see a rule lose."""

import numpy as np
import pandas as pd

from planner.demand.series import HourlySeries

POOLS = ("all", "region", "series")
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
        return {"all": requests.sum(axis=1, min_count=1).to_numpy(dtype=float)}
    if by == "series":
        return {" ".join(column): _alive(requests[column]) for column in requests.columns}
    regions = sorted({column[0] for column in requests.columns})
    return {
        region: _alive(requests[[c for c in requests.columns if c[0] == region]].sum(axis=1, min_count=1))
        for region in regions
    }


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
