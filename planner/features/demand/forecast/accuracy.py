"""How good the forecast is: errors as shares of demand, series by series, on held-out weeks (rolling origin).

For actual a and forecast f over the known hours: WAPE = Σ|a − f| / Σa; bias = Σ(f − a) / Σa (above 0: forecast too
high); pinball loss of the q-quantile = Σ max(q(a − f), (q − 1)(a − f)) / Σa; coverage of the q-quantile = share of the
hours at or below it.
"""

from dataclasses import dataclass, replace

import numpy as np

from planner.features.demand.forecast.models import TREND_WEEKS, ensemble, levels_of, seasonal_naive, shape_of, to_weeks
from planner.features.demand.forecast.spread import Pair, Spread, checked, hour_quantile, spread_of, unknown_spread


def wape(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Weighted absolute percentage error, as a share."""
    known = np.isfinite(actual)
    total = float(actual[known].sum())
    return float(np.abs(actual[known] - forecast[known]).sum() / total) if total > 0 else float("nan")


def bias(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Mean error as a share of the demand; above 0 the forecast was too high."""
    known = np.isfinite(actual)
    total = float(actual[known].sum())
    return float((forecast[known] - actual[known]).sum() / total) if total > 0 else float("nan")


def pinball(actual: np.ndarray, forecast: np.ndarray, quantile: float) -> float:
    """Pinball loss of a quantile forecast as a share of the demand."""
    known = np.isfinite(actual)
    total = float(actual[known].sum())
    gap = actual[known] - forecast[known]
    loss = np.maximum(quantile * gap, (quantile - 1.0) * gap)
    return float(loss.sum() / total) if total > 0 else float("nan")


def coverage(actual: np.ndarray, upper: np.ndarray) -> float:
    """Share of the known hours at or below ``upper``."""
    known = np.isfinite(actual)
    return float((actual[known] <= upper[known]).mean()) if known.any() else float("nan")


ORIGINS, ENSEMBLE = 8, "ensemble"


@dataclass(frozen=True)
class Trials:
    """What was held out: origins, weeks ahead, the errors, and the spread of what may come about the forecast."""

    origins: int
    weeks_ahead: int
    measures: dict[str, float]
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


def try_out(actual: np.ndarray, factors: np.ndarray, wanted_ahead: int, scored_on: np.ndarray | None = None) -> Trials:
    """Try the forecast on one series.

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
    held_out: list[Pair] = []
    naive = []
    for origin in origins:
        truth, day = came[origin : origin + ahead], scale[origin : origin + ahead]
        guess = ensemble(weeks[:origin], ahead) * day
        if np.isfinite(wape(truth, guess)):
            held_out.append((truth, guess))
            naive.append(wape(truth, seasonal_naive(weeks[:origin], ahead) * day))
    if not held_out:
        return Trials(0, 0, {}, unknown)
    levels = levels_of(weeks[-TREND_WEEKS:], shape_of(weeks))
    overlap = max(1, ahead // 2) / ahead
    spread = spread_of(held_out, levels, overlap) or unknown
    others = [spread_of(held_out[:k] + held_out[k + 1 :], levels, overlap) or unknown for k in range(len(held_out))]
    spread = checked(spread, held_out, others, overlap)
    measures = _measures(held_out, [replace(other, tail=spread.tail) for other in others])
    measures["wape_seasonal_naive"] = float(np.mean(naive))
    return Trials(len(held_out), ahead, measures, spread)


def learnable(actual: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the hours to learn from: those whose date is an ordinary one."""
    return np.where(factors == 1.0, actual, np.nan)


def _measures(held_out: list[Pair], others: list[Spread]) -> dict[str, float]:
    """Measure the forecast; each origin's quantiles come from the other origins only."""
    actual = np.concatenate([a.ravel() for a, _ in held_out])
    guess = np.concatenate([g.ravel() for _, g in held_out])
    upper = [hour_quantile(spread, 0.9, g).ravel() for (_, g), spread in zip(held_out, others, strict=True)]
    lower = [hour_quantile(spread, 0.1, g).ravel() for (_, g), spread in zip(held_out, others, strict=True)]
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
