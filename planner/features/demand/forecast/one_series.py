"""One series: what can be learnt from it, its forecast hour by hour, and how good that was on weeks it had not seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from planner.features.demand.forecast.events import Event
from planner.features.demand.forecast.futures import Pair, Spread, checked, hour_quantile, spread_of, unknown_spread
from planner.features.demand.forecast.models import (
    TREND_WEEKS,
    ensemble,
    levels_of,
    seasonal_naive,
    shape_of,
    shift_of,
    short_week,
    to_weeks,
)
from planner.features.demand.forecast.planned_moves import PlannedMove
from planner.features.demand.marks import Treatment
from planner.features.demand.series import WEEKEND, QuietHours
from planner.units import HOURS_PER_WEEK, counted


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


LONGEST_TRIAL_WEEKS = 13
RECENT_WEEKS = 4
DAYS_PER_MONTH = 365.25 / 12
SHORT_WEEKS = 2  # under so many, days are repeated


@dataclass(frozen=True)
class Assumptions:
    """What the planner says instead of, or on top of, the history.

    growth_per_month : share; replaces the models' own growth. None: as the models find it.
    season : month of the year (1-12) -> factor. countries : region -> country of holidays.
    moves : between regions, workloads or models. treatment : what is done with spikes and outages. quiet_hours :
    what hours without a row are (`hourly_series`).
    """

    growth_per_month: float | None = None
    season: Mapping[int, float] = field(default_factory=dict)
    countries: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    moves: tuple[PlannedMove, ...] = ()
    real_weeks: bool = False
    treatment: Treatment = field(default_factory=Treatment)
    quiet_hours: QuietHours = "auto"


def _trials_of(values: pd.Series, came: pd.Series, factors: np.ndarray, hours_ahead: int) -> Trials:
    """Choose on ``values``, what is learnt from, and score on ``came``, what happened."""
    clean = values.to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(clean))
    if not len(known):
        return try_out(np.zeros(0), np.zeros(0), 1)
    cut = slice(known[0], known[-1] + 1)
    ahead = min(LONGEST_TRIAL_WEEKS, int(np.ceil(hours_ahead / HOURS_PER_WEEK)))
    return try_out(clean[cut], factors[: len(values)][cut], ahead, came.to_numpy(dtype=float)[cut])


@dataclass(frozen=True)
class SeriesForecast:
    """One series' forecast. hours : hour, mean, p10, p90, p98. model : what is repeated or averaged."""

    hours: pd.DataFrame
    trials: Trials
    model: str
    remarks: tuple[str, ...]


def one_series(
    values: pd.Series, came: pd.Series, factors: np.ndarray, to_come: pd.DatetimeIndex, given: Assumptions
) -> SeriesForecast:
    """Forecast one series.

    Parameters
    ----------
    values : what is learnt from; came : what happened (spikes and outages as they were). factors : of each hour's date,
        past and to come.
    """
    known = _trimmed(values, factors[: len(values)])
    ended = ended_hours(values)
    trials = _trials_of(values, came, factors, len(to_come))
    weeks_ahead = int(np.ceil((len(to_come) + ended) / HOURS_PER_WEEK))
    model, remarks = ENSEMBLE, []
    if len(known) < SHORT_WEEKS * HOURS_PER_WEEK:
        week, model = short_week(known, _weekends(pd.DatetimeIndex(values.index), ended, len(known)))
        path = np.tile(week, (weeks_ahead, 1))
        remarks.append(f"under two weeks of history: {model} is repeated; no growth, and no error that was measured")
    else:
        path = ensemble(to_weeks(known), weeks_ahead)
        days, jump = shift_of(to_weeks(known))
        if days:
            remarks.append(
                f"its level moved by {np.expm1(jump):+.0%} {counted(days, 'day')} before its end: that is taken to last"
            )
    if given.growth_per_month is not None:
        path = np.tile(path[0], (weeks_ahead, 1)) * _growth(given.growth_per_month, weeks_ahead)[:, None]
    window = slice(ended, ended + len(to_come))
    season = _season(to_come, pd.DatetimeIndex(values.index), given.season)
    usual = path.ravel()[window]
    mean = np.maximum(usual * factors[len(values) :] * season, 0.0)
    table = {"hour": to_come, "mean": mean}
    for name, quantile in (("p10", 0.1), ("p90", 0.9), ("p98", 0.98)):
        upper = hour_quantile(trials.spread, quantile, path).ravel()[window]
        table[name] = mean * np.where(usual > 0, upper / np.where(usual > 0, usual, 1.0), 1.0)
    return SeriesForecast(pd.DataFrame(table), trials, model, tuple(remarks))


def _weekends(hours: pd.DatetimeIndex, ended: int, known: int) -> np.ndarray:
    """Return whether each known hour of a series, and each of the 168 after it, lies on a weekend (UTC)."""
    last = hours[len(hours) - 1 - ended]
    span = pd.date_range(last - pd.Timedelta(hours=known - 1), periods=known + HOURS_PER_WEEK, freq="h")
    return np.asarray(span.day_of_week >= WEEKEND)


def _growth(per_month: float, weeks_ahead: int) -> np.ndarray:
    middle_days = 7.0 * (np.arange(weeks_ahead) + 0.5)
    return np.asarray((1.0 + per_month) ** (middle_days / DAYS_PER_MONTH))


def _season(to_come: pd.DatetimeIndex, past: pd.DatetimeIndex, season: Mapping[int, float]) -> np.ndarray:
    """Return the given factor of each hour's month over that of the last four weeks."""
    if not season:
        return np.ones(len(to_come))
    recent = past[-RECENT_WEEKS * HOURS_PER_WEEK :]
    base = float(np.mean([season.get(month, 1.0) for month in recent.month]))
    return np.asarray([season.get(month, 1.0) / base for month in to_come.month])


def _trimmed(values: pd.Series, factors: np.ndarray) -> np.ndarray:
    """Return what can be learnt from, without the hours before a series began and after it ended."""
    all_hours = values.to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(all_hours))
    return learnable(all_hours, factors)[known[0] : known[-1] + 1] if len(known) else np.zeros(0)


def ended_hours(values: pd.Series) -> int:
    """Return the hours of the history after a series' last known one."""
    return int(len(values) - 1 - np.flatnonzero(values.notna().to_numpy())[-1])
