"""The choice among the models, series by series, on weeks that they had not seen (rolling origin).

From each of up to eight origins, the newest last, every model that has enough weeks forecasts the weeks that follow;
each is scored by its WAPE over seasonal-naive's on the same weeks. Of those within a twentieth of the best, the one
that stands first in the list is taken: the scores of a few weeks are too noisy for more. The same held-out errors give
the quantiles: the ratio of what came to what was forecast, by weeks ahead, widened by the square root of time beyond
the weeks that could be tried.
"""

from dataclasses import dataclass

import numpy as np

from planner.demand.forecast.accuracy import bias, coverage, pinball, wape
from planner.demand.forecast.candidates import CANDIDATES, TREND_WEEKS, levels_of, shape_of, to_weeks
from planner.demand.forecast.spread import UNKNOWN_SPREAD, Pair, Spread, hour_ratios, spread_of
from planner.units import HOURS_PER_WEEK

ORIGINS, BASELINE, TOLERANCE = 8, "seasonal_naive", 0.05
FEW_ORIGINS = 4
LEAST_RATIO_HOURS = HOURS_PER_WEEK // 2


@dataclass(frozen=True)
class Choice:
    """A chosen model, its held-out errors, and the ratios (weeks ahead x pooled values) of actual to forecast."""

    model: str
    origins: int
    weeks_ahead: int
    measures: dict[str, float]
    by_model: dict[str, float]
    spread: Spread | None  # of hours about the forecast
    level_ratios: tuple[np.ndarray, ...]  # of whole weeks, one array a week ahead


def held_out_plan(weeks: int, wanted_ahead: int) -> tuple[int, list[int]]:
    """Return weeks ahead and the origins (weeks known at each), the newest last; none where there is one week."""
    if weeks < 2:
        return 0, []
    ahead = max(1, min(wanted_ahead, weeks // 4))
    step = max(1, ahead // 2)
    origins = [weeks - ahead - k * step for k in range(ORIGINS)]
    least = max(1, min(weeks - ahead, weeks // 3))
    return ahead, sorted(origin for origin in origins if origin >= least)


def choose(actual: np.ndarray, factors: np.ndarray, wanted_ahead: int) -> Choice:
    """Choose a model for one series.

    Parameters
    ----------
    actual : hours known, NaN where unknown or not to be learnt from.
    factors : what each hour is multiplied by because of its date (holidays); the hours where that is not 1 are forecast
        and scored, but not learnt from.
    wanted_ahead : weeks that the plan looks ahead.
    """
    weeks, scale, came = to_weeks(learnable(actual, factors)), to_weeks(factors), to_weeks(actual)
    ahead, origins = held_out_plan(len(weeks), wanted_ahead)
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
        return Choice(BASELINE, 0, 0, {}, {}, None, ())
    scores = {name: _against_baseline(found, errors[BASELINE]) for name, found in errors.items()}
    best = min(scores.values())
    model = next(c.name for c in CANDIDATES if c.name in scores and scores[c.name] <= best * (1 + TOLERANCE))
    means = {name: float(np.mean(list(found.values()))) for name, found in errors.items()}
    held_out = tries[model]
    levels = levels_of(weeks[-TREND_WEEKS:], shape_of(weeks))
    overlap = max(1, ahead // 2) / ahead
    spread = spread_of(held_out, levels, overlap)
    measures = _measures(held_out, [errors[BASELINE][origin] for origin in errors[model]], levels, overlap)
    return Choice(model, len(held_out), ahead, measures, means, spread, _level_ratios(held_out, ahead))


def learnable(actual: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the hours to learn from: those whose date is an ordinary one."""
    return np.where(factors == 1.0, actual, np.nan)


def _against_baseline(errors: dict[int, float], baseline: dict[int, float]) -> float:
    """Return a model's error over seasonal-naive's on the origins that both could try."""
    mine, naive = sum(errors.values()), sum(baseline[origin] for origin in errors)
    return mine / naive if naive > 0 else float(mine > 0) + 1.0


def _level_ratios(held_out: list[Pair], ahead: int) -> tuple[np.ndarray, ...]:
    levels = []
    for week in range(ahead):
        of_weeks = []
        for actual, guess in held_out:
            known = np.isfinite(actual[week]) & (guess[week] > 0)
            if known.sum() >= LEAST_RATIO_HOURS:
                of_weeks.append(actual[week][known].sum() / guess[week][known].sum())
        levels.append(np.asarray(of_weeks))
    return tuple(levels)


def quantile_ratios(ratios: tuple[np.ndarray, ...], quantile: float, weeks_ahead: int, origins: int) -> np.ndarray:
    """Return quantiles of a week's level over its forecast, for each week ahead.

    Quantiles of under four origins are too narrow, because the hours of one origin err together: the asked quantile is
    then moved outwards by half of conformal prediction's finite-sample step, 1/(2 origins) of its distance from 0.5.
    """
    if not ratios or all(len(values) == 0 for values in ratios):
        spread = np.log1p(UNKNOWN_SPREAD) * (quantile - 0.5) / 0.4
        return np.asarray(np.exp(np.full(weeks_ahead, spread)))
    step = 0.5 / max(origins, 1) if origins < FEW_ORIGINS else 0.0
    outward = 0.5 + (quantile - 0.5) * (1.0 + step)
    asked = float(np.clip(outward, 0.005, 0.995))
    tried = []
    for week in range(len(ratios)):
        pooled = np.concatenate(ratios[max(0, week - 1) : week + 2])
        tried.append(float(np.quantile(pooled, asked)) if len(pooled) else 1.0)
    values = np.maximum(tried, 1e-6)
    if quantile > 0.5:
        values = np.maximum.accumulate(values)
    elif quantile < 0.5:
        values = np.minimum.accumulate(values)
    beyond = np.arange(len(values), weeks_ahead)
    further = np.exp(np.log(values[-1]) * np.sqrt((beyond + 1) / len(values)))
    if quantile == 0.5:
        further = np.full(len(beyond), values[-1])
    return np.concatenate([values[:weeks_ahead], further])


def _measures(held_out: list[Pair], naive: list[float], levels: np.ndarray, overlap: float) -> dict[str, float]:
    """Measure the chosen model; each origin's quantiles come from the other origins only."""
    actual = np.concatenate([a.ravel() for a, _ in held_out])
    guess = np.concatenate([g.ravel() for _, g in held_out])
    upper, lower = [], []
    for index, (a, g) in enumerate(held_out):
        others = [pair for k, pair in enumerate(held_out) if k != index]
        spread = spread_of(others, levels, overlap)
        upper.append((g * hour_ratios(spread, 0.9, len(a))[:, None]).ravel())
        lower.append((g * hour_ratios(spread, 0.1, len(a))[:, None]).ravel())
    high, low = np.concatenate(upper), np.concatenate(lower)
    return {
        "wape": wape(actual, guess),
        "wape_seasonal_naive": float(np.mean(naive)),
        "bias": bias(actual, guess),
        "pinball_p10": pinball(actual, low, 0.1),
        "pinball_p50": pinball(actual, guess, 0.5),
        "pinball_p90": pinball(actual, high, 0.9),
        "coverage_p90": coverage(actual, high),
        "coverage_p10_p90": coverage(actual, high) - coverage(actual, np.nextafter(low, -np.inf)),
    }
