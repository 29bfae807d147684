"""The choice among the models, series by series, on weeks that they had not seen (rolling origin).

From each of up to eight origins, the newest last, every model that has enough weeks forecasts the weeks that follow;
each is scored by its WAPE over seasonal-naive's on the same weeks. A model that could be tried from under half of the
origins is none to rely on. Of those within a twentieth of the best, the one
that stands first in the list is taken: the scores of a few weeks are too noisy for more. The same held-out errors give
the spread of what may come about the forecast (``spread``).
"""

from dataclasses import dataclass

import numpy as np

from planner.features.demand.forecast.accuracy import bias, coverage, pinball, wape
from planner.features.demand.forecast.candidates import CANDIDATES, TREND_WEEKS, levels_of, shape_of, to_weeks
from planner.features.demand.forecast.spread import Pair, Spread, hour_ratios, spread_of, unknown_spread

ORIGINS, BASELINE, TOLERANCE = 8, "seasonal_naive", 0.05


@dataclass(frozen=True)
class Choice:
    """A chosen model, its held-out errors, and the spread of what may come about its forecast."""

    model: str
    origins: int
    weeks_ahead: int
    measures: dict[str, float]
    by_model: dict[str, float]
    spread: Spread


def held_out_plan(weeks: int, wanted_ahead: int) -> tuple[int, list[int]]:
    """Return weeks ahead and the origins (weeks known at each), the newest last; none where there is one week."""
    if weeks < 2:
        return 0, []
    ahead = max(1, min(wanted_ahead, weeks // 4))
    step = max(1, ahead // 2)
    origins = [weeks - ahead - k * step for k in range(ORIGINS)]
    least = max(1, min(weeks - ahead, weeks // 3))
    return ahead, sorted(origin for origin in origins if origin >= least)


def choose(actual: np.ndarray, factors: np.ndarray, wanted_ahead: int, scored_on: np.ndarray | None = None) -> Choice:
    """Choose a model for one series.

    Parameters
    ----------
    actual : hours to learn from, NaN where unknown.
    factors : what each hour is multiplied by because of its date (holidays); the hours where that is not 1 are forecast
        and scored, but not learnt from.
    wanted_ahead : weeks that the plan looks ahead.
    scored_on : what happened, where that is not what is learnt from (spikes that are cut are part of the error).
    """
    weeks, scale = to_weeks(learnable(actual, factors)), to_weeks(factors)
    came = to_weeks(actual if scored_on is None else scored_on)
    ahead, origins = held_out_plan(len(weeks), wanted_ahead)
    unknown = unknown_spread(learnable(actual, factors))
    errors: dict[str, dict[int, float]] = {}
    tries: dict[str, list[Pair]] = {}
    for candidate in CANDIDATES:
        for origin in (origin for origin in origins if origin >= candidate.least_weeks):
            truth = came[origin : origin + ahead]
            guess = candidate.predict(weeks[:origin], ahead) * scale[origin : origin + ahead]
            error = wape(truth, guess)
            if np.isfinite(error):
                errors.setdefault(candidate.name, {})[origin] = error
                tries.setdefault(candidate.name, []).append((truth, guess))
    if BASELINE not in errors:
        return Choice(BASELINE, 0, 0, {}, {}, unknown)
    least = len(errors[BASELINE]) / 2
    scores = {name: _against_baseline(found, errors[BASELINE]) for name, found in errors.items() if len(found) >= least}
    best = min(scores.values())
    model = next(c.name for c in CANDIDATES if c.name in scores and scores[c.name] <= best * (1 + TOLERANCE))
    means = {name: float(np.mean(list(found.values()))) for name, found in errors.items()}
    held_out = tries[model]
    levels = levels_of(weeks[-TREND_WEEKS:], shape_of(weeks))
    overlap = max(1, ahead // 2) / ahead
    measures = _measures(held_out, levels, overlap, unknown)
    measures["wape_seasonal_naive"] = float(np.mean([errors[BASELINE][origin] for origin in errors[model]]))
    return Choice(model, len(held_out), ahead, measures, means, spread_of(held_out, levels, overlap) or unknown)


def learnable(actual: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the hours to learn from: those whose date is an ordinary one."""
    return np.where(factors == 1.0, actual, np.nan)


def _against_baseline(errors: dict[int, float], baseline: dict[int, float]) -> float:
    """Return a model's error over seasonal-naive's on the origins that both could try."""
    mine, naive = sum(errors.values()), sum(baseline[origin] for origin in errors)
    return mine / naive if naive > 0 else float(mine > 0) + 1.0


def _measures(held_out: list[Pair], levels: np.ndarray, overlap: float, unknown: Spread) -> dict[str, float]:
    """Measure the chosen model; each origin's quantiles come from the other origins only."""
    actual = np.concatenate([a.ravel() for a, _ in held_out])
    guess = np.concatenate([g.ravel() for _, g in held_out])
    upper, lower = [], []
    for index, (a, g) in enumerate(held_out):
        others = [pair for k, pair in enumerate(held_out) if k != index]
        spread = spread_of(others, levels, overlap) or unknown
        upper.append((g * hour_ratios(spread, 0.9, len(a))[:, None]).ravel())
        lower.append((g * hour_ratios(spread, 0.1, len(a))[:, None]).ravel())
    high, low = np.concatenate(upper), np.concatenate(lower)
    return {
        "wape": wape(actual, guess),
        "bias": bias(actual, guess),
        "pinball_p10": pinball(actual, low, 0.1),
        "pinball_p50": pinball(actual, guess, 0.5),
        "pinball_p90": pinball(actual, high, 0.9),
        "coverage_p90": coverage(actual, high),
        "coverage_p10_p90": coverage(actual, high) - coverage(actual, np.nextafter(low, -np.inf)),
    }
