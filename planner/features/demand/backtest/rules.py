"""Buying rules: at a week, with the hours before it, the level that should be in force.

A rule sees the past only. What is in force already is known to all of them; they buy the difference.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from planner.features.demand.backtest.fractile import fractile, ladder_level
from planner.features.demand.forecast.candidates import CANDIDATE, to_weeks
from planner.features.demand.forecast.choice import Choice, choose
from planner.features.demand.forecast.spread import level_ratios
from planner.units import HOURS_PER_DAY

Rule = Callable[[np.ndarray], float]
RECENT_DAYS = 30
FUTURES = (0.1, 0.3, 0.5, 0.7, 0.9)  # equally likely levels of everything
RECHOOSE_WEEKS = 13


def on_demand_only(past: np.ndarray) -> float:
    """Commit to nothing."""
    return 0.0


def reserve_the_average(past: np.ndarray) -> float:
    """Commit to the mean of the last thirty days."""
    recent = _recent(past)
    return float(recent.mean()) if len(recent) else 0.0


def reserve_the_peak(past: np.ndarray) -> float:
    """Commit to the largest hour of the last thirty days."""
    return float(_recent(past).max(initial=0.0))


def _recent(past: np.ndarray) -> np.ndarray:
    """Return the known hours of the last thirty days."""
    hours = past[-RECENT_DAYS * HOURS_PER_DAY :]
    return np.asarray(hours[np.isfinite(hours)])


def look_back(days: int, price_ratio: float) -> Rule:
    """Commit to what would have been cheapest over the last days: the clouds' own recommendation."""

    def rule(past: np.ndarray) -> float:
        return fractile(past[-days * HOURS_PER_DAY :], price_ratio)

    return rule


@dataclass
class Planner:
    """Commit to the ladder level of the forecast, made again at each purchase.

    The model is chosen anew every quarter; in a short history, each time that it has grown by a quarter.
    """

    price_ratio: float
    term_weeks: int
    chosen: Choice | None = None
    chosen_at: int = field(default=-(10**9))

    def __call__(self, past: np.ndarray) -> float:
        """Return the level for the hours seen so far."""
        weeks = to_weeks(past)
        if self.chosen is None or len(weeks) - self.chosen_at >= min(RECHOOSE_WEEKS, max(1, self.chosen_at // 4)):
            self.chosen = choose(past, np.ones(len(past)), min(self.term_weeks, RECHOOSE_WEEKS))
            self.chosen_at = len(weeks)
        path = CANDIDATE[self.chosen.model].predict(weeks, self.term_weeks)
        levels = [level_ratios(self.chosen.spread, q, self.term_weeks) for q in FUTURES]
        futures = np.stack([path * level[:, None] for level in levels], axis=1)  # weeks x futures x hours
        return ladder_level(list(futures), self.price_ratio)


def rules(price_ratio: float, term_weeks: int) -> dict[str, Rule]:
    """Return the rules that are compared, by name; the clairvoyant plan is not one: it sees the future."""
    return {
        "all on demand": on_demand_only,
        "reserve the average": reserve_the_average,
        "reserve the peak": reserve_the_peak,
        "look-back 7 days": look_back(7, price_ratio),
        "look-back 30 days": look_back(30, price_ratio),
        "look-back 60 days": look_back(60, price_ratio),
        "planner": Planner(price_ratio, term_weeks),
    }
