"""The forecast: a history, the months to plan -> demand by scenario, month and hour of week, and how good it is."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand.forecast.candidates import CANDIDATE, to_weeks
from planner.features.demand.forecast.choice import Choice, choose, learnable
from planner.features.demand.forecast.days import factors_of
from planner.features.demand.forecast.event_weeks import outside, with_events
from planner.features.demand.forecast.events import Event
from planner.features.demand.forecast.scenarios import month_tables, scenario_tables
from planner.features.demand.forecast.spread import hour_ratios, level_ratios
from planner.features.demand.history import History
from planner.features.demand.marks import Treatment, mark_hours, treated
from planner.features.demand.profile import model_mix, request_shape
from planner.features.demand.series import hourly_series
from planner.features.demand.silence import QuietHours
from planner.schema.calendar import Period, periods_of
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

LONGEST_TRIAL_WEEKS = 13
RECENT_WEEKS = 4
DAYS_PER_MONTH = 365.25 / 12
ENDED_WEEKS = 4


@dataclass(frozen=True)
class Assumptions:
    """What the planner says instead of, or on top of, the history.

    growth_per_month : share; replaces the models' own growth. None: as the models find it.
    season : month of the year (1-12) -> factor. countries : region -> country of holidays.
    treatment : what is done with spikes and outages. quiet_hours : what hours without a row are (`hourly_series`).
    """

    growth_per_month: float | None = None
    season: Mapping[int, float] = field(default_factory=dict)
    countries: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    real_weeks: bool = False
    treatment: Treatment = field(default_factory=Treatment)
    quiet_hours: QuietHours = "auto"


@dataclass(frozen=True)
class Forecast:
    """``demand``, ``scenarios``, ``workloads``, ``mix``: tables of the folder. ``hours``: every hour with quantiles.

    ``accuracy``: one row a series (and one for their total): the chosen model and its errors on held-out weeks.
    ``left_out``: requests of the history that the forecast was told not to learn from (region, workload, requests).
    """

    demand: pd.DataFrame
    scenarios: pd.DataFrame
    workloads: pd.DataFrame
    mix: pd.DataFrame
    hours: pd.DataFrame
    accuracy: pd.DataFrame
    left_out: pd.DataFrame
    notes: tuple[str, ...]


def forecast(history: History, start: dt.date, months: int, assumptions: Assumptions | None = None) -> Forecast:
    """Forecast the demand of ``months`` calendar months from ``start``.

    Raises
    ------
    InputError
        Under a day of history, or a horizon that ends before the history does.
    """
    given = assumptions or Assumptions()
    series = hourly_series(history, given.quiet_hours)
    clean = treated(series.requests, mark_hours(series.requests), given.treatment)
    periods = periods_of(start, months)
    to_come = _hours_to_come(clean, periods)
    every = clean.index.append(to_come)
    factors, notes = factors_of(clean, pd.DatetimeIndex(every), given.countries)
    notes = [*series.notes, *notes]
    clean = _forecastable(clean, notes)
    parts, accuracy = [], []
    for column in clean.columns:
        path, choice, remarks = _one_series(clean[column], series.requests[column], factors[column], to_come, given)
        parts.append(path.assign(region=column[0], workload=column[1]))
        accuracy.append(_accuracy_row(column, choice, clean[column]))
        notes += [f"{column[0]} {column[1]}: {remark}" for remark in remarks]
    hours = pd.concat(parts, ignore_index=True)
    total = total_of(clean)
    came = total_of(series.requests[clean.columns])
    overall = _choice_of(total, came, np.ones(len(total)), len(to_come)) if len(clean.columns) > 1 else None
    if overall is not None:
        accuracy.append(_accuracy_row(("all", "all"), overall, total))
    levels = _level_factors(overall or choice, len(to_come))
    hours = hours.merge(pd.DataFrame({"hour": to_come, **levels}), on="hour")
    hours = _with_the_past(hours, series.requests[clean.columns], periods)
    if not given.real_weeks:
        tables = scenario_tables(hours, periods)
    else:
        tables = _real_weeks(series.requests[clean.columns], hours, periods, notes)
    base = month_tables(hours, periods, "mean")
    tables = with_events(tables, base, given.events, periods)
    notes += [f"event {name} lies outside the months that are planned" for name in outside(given.events, periods)]
    rows = _rows_of(series.rows, clean)
    recent = rows[rows["hour"] > clean.index[-1] - pd.Timedelta(weeks=RECENT_WEEKS)]
    shapes = [
        {
            "workload": name,
            **request_shape(recent[recent["workload"] == name] if name in set(recent["workload"]) else mine),
        }
        for name, mine in rows.groupby("workload")
    ]
    return Forecast(
        demand=tables.drop(columns="probability"),
        scenarios=tables[["scenario", "probability"]].drop_duplicates("scenario", ignore_index=True),
        workloads=pd.DataFrame(shapes),
        mix=model_mix(rows),
        hours=hours,
        accuracy=pd.DataFrame(accuracy),
        left_out=_left_out(series.requests, clean),
        notes=tuple(dict.fromkeys(notes)),
    )


def _hours_to_come(clean: pd.DataFrame, periods: tuple[Period, ...]) -> pd.DatetimeIndex:
    last = pd.Timestamp(clean.index[-1])
    end = pd.Timestamp(periods[-1].end, tz="UTC")
    if end <= last + pd.Timedelta(hours=1):
        raise InputError(
            [
                Fault(
                    "horizon",
                    "ends before the history does: there is nothing to forecast",
                    value=f"{periods[-1].name}",
                    allowed=f"a month after {last:%Y-%m-%d}",
                )
            ]
        )
    return pd.date_range(last + pd.Timedelta(hours=1), end, freq="h", inclusive="left")


def total_of(clean: pd.DataFrame) -> pd.Series:
    """Return the sum of the series that reach back at least half as far as the longest; a young one is no growth."""
    known = clean.notna().sum()
    old = clean.loc[:, known >= known.max() / 2]
    return pd.Series(old.sum(axis=1, min_count=len(old.columns)))


def _forecastable(clean: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Return the series that can be forecast, and note why the others are left out.

    Raises
    ------
    InputError
        None can.
    """
    reasons = {column: _no_forecast(clean[column]) for column in clean.columns}
    told = [f"{' '.join(column)}: {reason}" for column, reason in reasons.items() if reason]
    if len(told) == len(reasons):
        raise InputError([Fault("history", text) for text in told])
    notes += [f"{text}; left out" for text in told]
    return clean[[column for column, reason in reasons.items() if not reason]]


def _no_forecast(values: pd.Series) -> str:
    """Say why a series cannot be forecast; empty where it can."""
    known = values.dropna()
    if len(known) < HOURS_PER_DAY:
        return "under one day of known hours: nothing can be forecast from it"
    if not (known > 0).any():
        return "it never had a request"
    if (ended := _ended(values)) > ENDED_WEEKS * HOURS_PER_WEEK:
        weeks = ended // HOURS_PER_WEEK
        return f"no request in the last {weeks} weeks, so it is taken as retired (if its export is missing, ingest it)"
    return ""


def _ended(values: pd.Series) -> int:
    """Return the hours of the history after a series' last known one."""
    return int(len(values) - 1 - np.flatnonzero(values.notna().to_numpy())[-1])


def _rows_of(rows: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
    """Return the history's rows of the series that are forecast."""
    kept: set[Any] = set(clean.columns)
    return rows[[pair in kept for pair in zip(rows["region"], rows["workload"], strict=True)]]


def _trimmed(values: pd.Series, factors: np.ndarray) -> np.ndarray:
    """Return what can be learnt from, without the hours before a series began and after it ended."""
    all_hours = values.to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(all_hours))
    return learnable(all_hours, factors)[known[0] : known[-1] + 1] if len(known) else np.zeros(0)


def _left_out(requests: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
    """Return what was cut or skipped: region, workload, requests, share of the series."""
    rows = []
    for column in clean.columns:
        total = float(requests[column].sum())
        lost = total - float(clean[column].sum())
        if lost > 0:
            rows.append((*column, lost, lost / total))
    return pd.DataFrame(rows, columns=["region", "workload", "requests", "share"])


def _choice_of(values: pd.Series, came: pd.Series, factors: np.ndarray, hours_ahead: int) -> Choice:
    """Choose on ``values``, what is learnt from, and score on ``came``, what happened."""
    clean = values.to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(clean))
    if not len(known):
        return choose(np.zeros(0), np.zeros(0), 1)
    cut = slice(known[0], known[-1] + 1)
    ahead = min(LONGEST_TRIAL_WEEKS, int(np.ceil(hours_ahead / HOURS_PER_WEEK)))
    return choose(clean[cut], factors[: len(values)][cut], ahead, came.to_numpy(dtype=float)[cut])


def _one_series(
    values: pd.Series, came: pd.Series, factors: np.ndarray, to_come: pd.DatetimeIndex, given: Assumptions
) -> tuple[pd.DataFrame, Choice, list[str]]:
    """Forecast one series; (hour, mean, p10, p90, p98), its choice, remarks."""
    remarks: list[str] = []
    known = _trimmed(values, factors[: len(values)])
    ended = _ended(values)
    choice = _choice_of(values, came, factors, len(to_come))
    if len(known) < HOURS_PER_WEEK:
        remarks.append("under one week of history: the same day is repeated; weekends are not known")
        known = _day_as_week(known)
    if choice.origins == 0:
        remarks.append("under two weeks of history: a level and a shape, no growth, and no error that was measured")
    weeks_ahead = int(np.ceil((len(to_come) + ended) / HOURS_PER_WEEK))
    path = CANDIDATE[choice.model].predict(to_weeks(known), weeks_ahead)
    if given.growth_per_month is not None:
        path = np.tile(path[0], (weeks_ahead, 1)) * _growth(given.growth_per_month, weeks_ahead)[:, None]
    window = slice(ended, ended + len(to_come))
    season = _season(to_come, pd.DatetimeIndex(values.index), given.season)
    mean = np.maximum(path.ravel()[window] * factors[len(values) :] * season, 0.0)
    table = {"hour": to_come, "mean": mean}
    for name, quantile in (("p10", 0.1), ("p90", 0.9), ("p98", 0.98)):
        ratio = hour_ratios(choice.spread, quantile, weeks_ahead)
        table[name] = mean * np.repeat(ratio, HOURS_PER_WEEK)[window]
    return pd.DataFrame(table), choice, remarks


def _day_as_week(known: np.ndarray) -> np.ndarray:
    """Fill the week before the end of a short history with its mean day."""
    back = np.arange(len(known))[::-1] % HOURS_PER_DAY  # hours before the end, within a day
    day = pd.Series(known).groupby(back).mean().reindex(range(HOURS_PER_DAY))
    day = day.fillna(float(np.nanmean(known)))
    return day.to_numpy()[np.arange(HOURS_PER_WEEK)[::-1] % HOURS_PER_DAY]


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


def _level_factors(choice: Choice, hours_ahead: int) -> dict[str, np.ndarray]:
    """Return what the level of everything may be, times the mean, for each hour to come: low and high."""
    weeks = int(np.ceil(hours_ahead / HOURS_PER_WEEK))
    low = level_ratios(choice.spread, 0.1, weeks)
    high = level_ratios(choice.spread, 0.9, weeks)
    spread = {"low": np.minimum(low, 1.0), "high": np.maximum(high, 1.0)}
    return {name: np.repeat(values, HOURS_PER_WEEK)[:hours_ahead] for name, values in spread.items()}


def _with_the_past(hours: pd.DataFrame, requests: pd.DataFrame, periods: tuple[Period, ...]) -> pd.DataFrame:
    """Put what is known of the horizon's first month in front of the forecast."""
    start = pd.Timestamp(periods[0].start, tz="UTC")
    seen = requests[requests.index >= start]
    parts = []
    for column in requests.columns:
        values = seen[column].dropna()
        table = pd.DataFrame({"hour": values.index, "region": column[0], "workload": column[1]})
        parts.append(table.assign(**{n: values.to_numpy() for n in ("mean", "p10", "p90", "p98")}, low=1.0, high=1.0))
    hours = hours[hours["hour"] >= start]
    return pd.concat([*[p for p in parts if len(p)], hours], ignore_index=True)


def _real_weeks(
    requests: pd.DataFrame, hours: pd.DataFrame, periods: tuple[Period, ...], notes: list[str]
) -> pd.DataFrame:
    """Give each real week of the recent past, at the forecast's level of each month, the same probability."""
    from planner.features.demand.forecast.scenarios import real_week_tables

    tables = real_week_tables(requests, hours, periods)
    if tables.empty:
        notes.append("no full week without a gap: scenarios by quantiles instead of real weeks")
        return scenario_tables(hours, periods)
    return tables


def _accuracy_row(column: Any, choice: Choice, values: pd.Series) -> dict[str, Any]:
    return {
        "region": column[0],
        "workload": column[1],
        "model": choice.model,
        "weeks_of_history": round(float(values.notna().sum()) / HOURS_PER_WEEK, 1),
        "origins": choice.origins,
        "weeks_ahead": choice.weeks_ahead,
        **{name: round(value, 6) for name, value in choice.measures.items()},
    }
