"""The forecast: a history, the months to plan -> demand by scenario, month and hour of week, and how good it is."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand.forecast.dates import factors_of
from planner.features.demand.forecast.events import outside, with_events
from planner.features.demand.forecast.futures import Future, futures_of
from planner.features.demand.forecast.models import levels_of, shape_of, to_weeks
from planner.features.demand.forecast.one_series import (
    RECENT_WEEKS,
    Assumptions,
    SeriesForecast,
    ended_hours,
    learnable,
    one_series,
)
from planner.features.demand.forecast.planned_moves import late_moves, moved_hours, moved_mix, moved_shapes
from planner.features.demand.forecast.scenarios import (
    Trend,
    carried_on,
    mix_carried_on,
    month_tables,
    real_week_tables,
    scatter_of,
    scenario_tables,
    whole_weeks,
)
from planner.features.demand.history import History
from planner.features.demand.marks import mark_hours, treated
from planner.features.demand.profile import model_mix, request_shape
from planner.features.demand.series import hourly_series
from planner.schema.settings import Period, periods_of
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK, counted

ENDED_WEEKS = 4
LEVELS = ("mean", "p10", "p90", "p98")
LARGEST_CORRECTION = 1.25  # of a week's series, so that they add up with the total's own forecast


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


def forecast(
    history: History,
    start: dt.date,
    months: int,
    assumptions: Assumptions | None = None,
    progress: Callable[[int, int], None] | None = None,
    cuts: Sequence[dt.date] = (),
) -> Forecast:
    """Forecast the demand of ``months`` calendar months from ``start``.

    Parameters
    ----------
    progress : told (series done, all series).
    cuts : days on which a period of the horizon begins, besides the first of each month.

    Raises
    ------
    InputError
        Under a day of history, or a horizon that ends before the history does.
    """
    given = assumptions or Assumptions()
    series = hourly_series(history, given.quiet_hours)
    clean = treated(series.requests, mark_hours(series.requests), given.treatment)
    periods = periods_of(start, months, cuts)
    to_come = _hours_to_come(clean, periods)
    factors, notes = factors_of(clean, pd.DatetimeIndex(clean.index.append(to_come)), given.countries)
    notes = [*series.notes, *notes]
    clean = _forecastable(clean, notes)
    parts, accuracy = [], []
    for number, column in enumerate(clean.columns):
        one = one_series(clean[column], series.requests[column], factors[column], to_come, given)
        parts.append(one.hours.assign(region=column[0], workload=column[1]))
        accuracy.append(_accuracy_row(column, one, clean[column]))
        notes += [f"{column[0]} {column[1]}: {remark}" for remark in one.remarks]
        if progress is not None:
            progress(number + 1, len(clean.columns) + 1)
    hours = pd.concat(parts, ignore_index=True)
    total = total_of(_ordinary(clean, factors))
    if len(clean.columns) > 1:
        whole, came = total_of(clean), total_of(series.requests[clean.columns])
        one = one_series(whole, came, _factors_of_total(clean, factors), to_come, given)
        accuracy.append(_accuracy_row(("all", "all"), one, whole))
        hours = _reconciled(hours, one.hours, old_columns(clean), factors)
    futures = _futures(one, total)
    hours = hours.merge(pd.DataFrame({"hour": to_come, **_by_hour(futures, len(to_come))}), on="hour")
    hours = moved_hours(_with_the_past(hours, series.requests[clean.columns], periods, futures), given.moves)
    weights = {future.name: future.weight for future in futures}
    tables = _real_weeks(series.requests[clean.columns], hours, periods, notes) if given.real_weeks else pd.DataFrame()
    if tables.empty:
        tables = scenario_tables(hours, periods, weights, scatter_of(_ordinary(clean, factors), len(futures)))
    tables = with_events(tables, month_tables(hours, periods, "mean"), given.events, periods)
    tables = whole_weeks(tables, periods)
    end = pd.Timestamp(periods[-1].end, tz="UTC")
    notes += [f"event {name} lies outside the months that are planned" for name in outside(given.events, periods)]
    notes += [f"the move of {name} comes after the months that are planned" for name in late_moves(given.moves, end)]
    rows = _rows_of(series.rows, clean)
    middle = pd.Timestamp(start, tz="UTC") + (end - pd.Timestamp(start, tz="UTC")) / 2
    ahead = (middle - clean.index[-1]) / pd.Timedelta(weeks=1)
    recent = rows[rows["hour"] > clean.index[-1] - pd.Timedelta(weeks=RECENT_WEEKS)]
    shapes, trends = carried_on(_recent_shapes(rows, recent), rows, ahead)
    mix, shifts = mix_carried_on(model_mix(rows), rows, recent, ahead)
    notes += [_told(trend) for trend in (*trends, *shifts)]
    return Forecast(
        demand=tables.drop(columns="probability"),
        scenarios=tables[["scenario", "probability"]].drop_duplicates("scenario", ignore_index=True),
        workloads=moved_shapes(shapes, given.moves),
        mix=moved_mix(mix, given.moves, end),
        hours=hours,
        accuracy=pd.DataFrame(accuracy),
        left_out=_left_out(series.requests, clean),
        notes=tuple(dict.fromkeys(notes)),
    )


def _recent_shapes(rows: pd.DataFrame, recent: pd.DataFrame) -> pd.DataFrame:
    """Return what a request of each workload was like in the last four weeks, or whenever it was last seen."""
    shapes = []
    for name, own in rows.groupby("workload"):
        late = recent[recent["workload"] == name]
        shapes.append({"workload": name, **request_shape(late if len(late) else own)})
    return pd.DataFrame(shapes)


def _told(trend: Trend) -> str:
    names = {"input_tokens": "input tokens", "output_tokens": "output tokens", "cache_hit_rate": "cache hit rate"}
    form = ",.0f" if trend.figure.endswith("_tokens") else ".0%"
    moves = "rises" if trend.planned > trend.recent else "falls"
    if trend.figure not in names:
        return (
            f"{trend.workload}: the share of {trend.figure} {moves} from week to week: {trend.recent:.0%} in the last "
            f"four weeks, {trend.planned:.0%} by the middle of the plan; which models may serve is for mix.csv to say"
        )
    return (
        f"{trend.workload}: {names[trend.figure]} of a request {moves} from week to week: {trend.recent:{form}} in the "
        f"last four weeks, {trend.planned:{form}} in the plan"
    )


def _factors_of_total(clean: pd.DataFrame, factors: Mapping[Any, np.ndarray]) -> np.ndarray:
    """Return what the date does to the sum of the old series: the mean of their factors, weighted by their demand."""
    old = old_columns(clean)
    factor = np.average([factors[column] for column in old], axis=0, weights=[clean[column].mean() for column in old])
    ordinary = np.all([factors[column] == 1.0 for column in old], axis=0)
    return np.where(ordinary, 1.0, factor)


def _reconciled(
    hours: pd.DataFrame, total: pd.DataFrame, columns: list[Any], factors: Mapping[Any, np.ndarray]
) -> pd.DataFrame:
    """Return the series scaled, week by week, to half-way between their sum and the total's own forecast.

    The total is smoother than its parts, and its level and growth are the better known; the parts know where demand
    arises. So both are averaged, over the hours of ordinary days; the sum of the series is then the total.
    """
    chosen = pd.Series(list(zip(hours["region"], hours["workload"], strict=True)), index=hours.index).isin(columns)
    sums = hours[chosen].groupby("hour")["mean"].sum().reindex(total["hour"]).to_numpy(dtype=float)
    ahead = len(total)
    ordinary = np.all([factors[column][-ahead:] == 1.0 for column in columns], axis=0)
    week = np.arange(ahead) // HOURS_PER_WEEK
    parts = np.bincount(week, np.where(ordinary, sums, 0.0))
    whole = np.bincount(week, np.where(ordinary, total["mean"].to_numpy(dtype=float), 0.0))
    ratio = np.where((parts > 0) & (whole > 0), whole / np.where(parts > 0, parts, 1.0), 1.0)
    scale = np.clip((1.0 + ratio) / 2.0, 1 / LARGEST_CORRECTION, LARGEST_CORRECTION)
    by_hour = pd.Series(scale[week], index=pd.DatetimeIndex(total["hour"]))
    factor = np.where(chosen, by_hour.reindex(hours["hour"]).to_numpy(), 1.0)
    return hours.assign(**{name: hours[name] * factor for name in LEVELS})


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


def old_columns(clean: pd.DataFrame) -> list[Any]:
    """List the series that reach back at least half as far as the longest."""
    known = clean.notna().sum()
    return list(clean.columns[known >= known.max() / 2])


def total_of(clean: pd.DataFrame) -> pd.Series:
    """Return the sum of the series that reach back at least half as far as the longest; a young one is no growth."""
    old = clean[old_columns(clean)]
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
    if (ended := ended_hours(values)) > ENDED_WEEKS * HOURS_PER_WEEK:
        weeks = ended // HOURS_PER_WEEK
        return (
            f"no request in the last {counted(weeks, 'week')}, so it is taken as retired (if its export is "
            "missing, ingest it)"
        )
    return ""


def _rows_of(rows: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
    """Return the history's rows of the series that are forecast."""
    kept: set[Any] = set(clean.columns)
    return rows[[pair in kept for pair in zip(rows["region"], rows["workload"], strict=True)]]


def _ordinary(clean: pd.DataFrame, factors: Mapping[Any, np.ndarray]) -> pd.DataFrame:
    """Return the series without the hours whose date is not an ordinary one."""
    return pd.DataFrame(
        {c: learnable(clean[c].to_numpy(dtype=float), factors[c][: len(clean)]) for c in clean}, clean.index
    )


def _left_out(requests: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
    """Return what was cut or skipped: region, workload, requests, share of the series."""
    rows = []
    for column in clean.columns:
        total = float(requests[column].sum())
        lost = total - float(clean[column].sum())
        if lost > 0:
            rows.append((*column, lost, lost / total))
    return pd.DataFrame(rows, columns=["region", "workload", "requests", "share"])


def _futures(one: SeriesForecast, total: pd.Series) -> list[Future]:
    """Return the futures of everything together.

    Parameters
    ----------
    one : forecast of the total; total : its hours, NaN where unknown.
    """
    means = one.hours["mean"].to_numpy(dtype=float)
    weeks = np.arange(len(means)) // HOURS_PER_WEEK
    whole = max(1, len(means) // HOURS_PER_WEEK)  # a last part of a week takes the level of the week before
    path = (np.bincount(weeks, means) / np.bincount(weeks))[:whole]
    path = np.append(path, path[-1:]) if weeks[-1] >= whole else path
    values = total.to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(values))
    past = to_weeks(values[known[0] : known[-1] + 1])
    return futures_of(one.trials.spread, path, levels_of(past, shape_of(past)) if len(past) else np.zeros(0))


def _by_hour(futures: list[Future], hours_ahead: int) -> dict[str, np.ndarray]:
    """Return what the level of everything may be, times the mean, for each hour to come, by future."""
    return {future.name: np.repeat(future.levels, HOURS_PER_WEEK)[:hours_ahead] for future in futures}


def _with_the_past(
    hours: pd.DataFrame, requests: pd.DataFrame, periods: tuple[Period, ...], futures: list[Future]
) -> pd.DataFrame:
    """Put what is known of the horizon's first month in front of the forecast."""
    start = pd.Timestamp(periods[0].start, tz="UTC")
    seen = requests[requests.index >= start]
    parts = []
    for column in requests.columns:
        values = seen[column].dropna()
        table = pd.DataFrame({"hour": values.index, "region": column[0], "workload": column[1]})
        as_it_was = {name: values.to_numpy() for name in LEVELS}
        parts.append(table.assign(**as_it_was, **dict.fromkeys([future.name for future in futures], 1.0)))
    hours = hours[hours["hour"] >= start]
    return pd.concat([*[p for p in parts if len(p)], hours], ignore_index=True)


def _real_weeks(
    requests: pd.DataFrame, hours: pd.DataFrame, periods: tuple[Period, ...], notes: list[str]
) -> pd.DataFrame:
    """Give each real week of the recent past, at the forecast's level of each month, the same probability."""
    tables = real_week_tables(requests, hours, periods)
    if tables.empty:
        notes.append("no full week without a gap: scenarios by quantiles instead of real weeks")
    return tables


def _accuracy_row(column: Any, one: SeriesForecast, values: pd.Series) -> dict[str, Any]:
    trials = one.trials
    return {
        "region": column[0],
        "workload": column[1],
        "model": one.model,
        "weeks_of_history": round(float(values.notna().sum()) / HOURS_PER_WEEK, 1),
        "origins": trials.origins,
        "weeks_ahead": trials.weeks_ahead,
        **{name: round(value, 6) for name, value in trials.measures.items()},
    }
