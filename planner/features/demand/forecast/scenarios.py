"""From hours to the tables of a plan: months by hour of week, in a few weighted futures.

Cost is planned on the futures (``futures``). A high quantile of every hour is no future: planning cost on it hedges
twice. It is the scenario ``stress``, of probability 0: it costs nothing in expectation, and what is deployed must still
be able to serve it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.features.demand.forecast.futures import PAIRED_WEEKS, real_weeks, to_the_mean
from planner.features.demand.history import TOKENS
from planner.features.demand.series import full_weeks, hour_of_week, long_table, week_start, weeks_without_gap
from planner.schema.settings import Period
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

LEAST_WEEKS, MOST_WEEKS = 6, 26
CARRIED = 0.5
TOLD_CHANGE = 0.02  # a change of less, relative, is not told
FIGURES = ("input_tokens", "output_tokens", "cache_hit_rate")
EDGE = 1e-4
MIDDLE_OF_RECENT = 2.0  # weeks: the recent figure is that of the last four


@dataclass(frozen=True)
class Trend:
    """A figure of a workload's requests, or a model's share of them: over the last four weeks, and as carried on."""

    workload: str
    figure: str
    recent: float
    planned: float


def carried_on(shapes: pd.DataFrame, rows: pd.DataFrame, weeks_to_middle: float) -> tuple[pd.DataFrame, list[Trend]]:
    """Return the requests' shapes in the middle of the horizon, and what changes.

    Parameters
    ----------
    shapes : workload, ``FIGURES`` and others, of the recent past. rows : the history's hourly rows.
    weeks_to_middle : from the end of the history to the middle of the horizon.
    """
    shapes = shapes.copy()
    found = []
    for at, shape in shapes.iterrows():
        weekly = _weekly(rows[rows["workload"] == shape["workload"]])
        if len(weekly) < LEAST_WEEKS:
            continue
        for figure in FIGURES:
            recent = float(shape[figure])
            values, weights = weekly[figure].to_numpy(), weekly["requests"].to_numpy()
            planned = _carried(values, weights, recent, weeks_to_middle, figure)
            if planned != recent:
                shapes.loc[at, figure] = planned
            if abs(planned - recent) > TOLD_CHANGE * max(recent, EDGE):
                found.append(Trend(str(shape["workload"]), figure, recent, planned))
    return shapes, found


def mix_carried_on(
    mix: pd.DataFrame, rows: pd.DataFrame, recent: pd.DataFrame, weeks_to_middle: float
) -> tuple[pd.DataFrame, list[Trend]]:
    """Return each model's share of its workload's requests in the middle of the horizon, and what changes.

    A share continues half of its trend (of its odds); those of a workload then add up to 1. A workload with a model
    that some week did not have keeps the shares of the recent past.

    Parameters
    ----------
    mix : workload, model, share, over the whole history. rows : the history's hourly rows; recent : the last of them.
    weeks_to_middle : from the end of the history to the middle of the horizon.
    """
    mix, found = mix.copy(), []
    for workload, own in mix.groupby("workload"):
        late = recent[recent["workload"] == workload].groupby("model")["requests"].sum()
        if not late.sum() > 0:
            continue
        shares = late.reindex(own["model"]).fillna(0.0).to_numpy() / float(late.sum())
        mine = rows[rows["workload"] == workload]
        week = pd.Series(week_start(pd.DatetimeIndex(mine["hour"])), index=mine.index)
        weekly = mine.pivot_table(index=week, columns="model", values="requests", aggfunc="sum").iloc[-MOST_WEEKS:]
        weekly = weekly.reindex(columns=own["model"]).fillna(0.0)
        total = weekly.sum(axis=1)
        planned = shares
        if len(weekly) >= LEAST_WEEKS and len(own) > 1 and (weekly.to_numpy() > 0).all():
            values = (weekly.div(total, axis=0)).to_numpy()
            carried = [
                _carried(values[:, k], total.to_numpy(), float(share), weeks_to_middle, "cache_hit_rate")
                for k, share in enumerate(shares)
            ]
            planned = np.asarray(carried) / sum(carried)
        mix.loc[own.index, "share"] = planned
        found += [
            Trend(str(workload), str(model), float(was), float(will))
            for model, was, will in zip(own["model"], shares, planned, strict=True)
            if abs(will - was) > TOLD_CHANGE
        ]
    return mix, found


def _weekly(rows: pd.DataFrame) -> pd.DataFrame:
    """Return tokens in and out of a request, and the share of input from the cache, by week of the last half year."""
    sums = rows.assign(week=week_start(pd.DatetimeIndex(rows["hour"]))).fillna(dict.fromkeys(TOKENS, 0.0))
    sums = sums.groupby("week")[["requests", *TOKENS]].sum()
    sums = sums[sums["requests"] > 0].iloc[-MOST_WEEKS:]
    given = sums["input_tokens"] + sums["cached_tokens"] + sums["written_tokens"]
    return pd.DataFrame(
        {
            "requests": sums["requests"],
            "input_tokens": given / sums["requests"],
            "output_tokens": sums["output_tokens"] / sums["requests"],
            "cache_hit_rate": (sums["cached_tokens"] / given.where(given > 0)).fillna(0.0),
        }
    )


def _carried(values: np.ndarray, weights: np.ndarray, recent: float, weeks_to_middle: float, figure: str) -> float:
    """Return a figure in the middle of the horizon."""
    if recent <= 0 or not (values > 0).all():
        return recent
    share = figure == "cache_hit_rate"
    odds = np.clip(values, EDGE, 1 - EDGE)
    scaled = np.log(odds / (1 - odds)) if share else np.log(values)
    slope, _ = np.polyfit(np.arange(len(values)), scaled, 1, w=np.sqrt(weights))
    ahead = min(weeks_to_middle + MIDDLE_OF_RECENT, len(values))
    start = min(max(recent, EDGE), 1 - EDGE)
    moved = (np.log(start / (1 - start)) if share else np.log(recent)) + CARRIED * slope * ahead
    low, high = float(scaled.min()), float(scaled.max())
    moved = float(np.clip(moved, low - (high - low), high + (high - low)))
    planned = 1 / (1 + np.exp(-moved)) if share else np.exp(moved)
    return recent if abs(planned - recent) <= EDGE * recent else float(planned)


STRESS, STRESS_QUANTILE = "stress", "p98"
REAL_WEEKS = 13
LEAST_KNOWN = 0.8  # of a week's hours, for it to be paired; the others have their usual value
LAST_HOUR = pd.Timedelta(hours=HOURS_PER_WEEK - 1)
TINY, STEADY = 1e-9, 1e-3  # weeks that differ by less are one
KEYS = ["region", "workload", "period", "hour_of_week"]


def month_tables(hours: pd.DataFrame, periods: tuple[Period, ...], value: str) -> pd.DataFrame:
    """Return the mean of ``value`` by region, workload, period and hour of week, as ``requests_per_hour``."""
    stamps = pd.DatetimeIndex(hours["hour"])
    table = pd.DataFrame(
        {
            "region": hours["region"],
            "workload": hours["workload"],
            "period": period_of_hours(stamps, periods),
            "hour_of_week": hour_of_week(stamps),
            "requests_per_hour": hours[value],
        }
    )
    table = table[table["period"] != ""]
    return pd.DataFrame(table.groupby(KEYS, as_index=False)["requests_per_hour"].mean())


def period_of_hours(hours: pd.DatetimeIndex, periods: tuple[Period, ...]) -> np.ndarray:
    """Name the period that each hour lies in; blank: none."""
    starts = pd.DatetimeIndex([pd.Timestamp(p.start, tz="UTC") for p in periods])
    inside = (hours >= starts[0]) & (hours < pd.Timestamp(periods[-1].end, tz="UTC"))
    names = np.array([p.name for p in periods], dtype=object)
    return np.where(inside, names[starts.searchsorted(hours, side="right") - 1], "")


def whole_weeks(tables: pd.DataFrame, periods: tuple[Period, ...]) -> pd.DataFrame:
    """Give periods shorter than a week all 168 hours: one that none of their days has is the mean of its hour of day.

    Each hour of the week stands for a part of the period, so that its requests are then those of its days.
    """
    parts = []
    for period in periods:
        own = tables[tables["period"] == period.name]
        there = np.flatnonzero(np.array(period.occurrences) > 0)
        if len(there) < HOURS_PER_WEEK and len(own):
            own = own[own["hour_of_week"].isin(there)]
            keys = [column for column in own.columns if column not in ("hour_of_week", "requests_per_hour")]
            by_hour = own.assign(hour=own["hour_of_week"] % HOURS_PER_DAY).groupby([*keys, "hour"], as_index=False)
            means = pd.DataFrame(by_hour["requests_per_hour"].mean())
            lacking = pd.DataFrame({"hour_of_week": np.setdiff1d(np.arange(HOURS_PER_WEEK), there)})
            lacking = lacking.assign(hour=lacking["hour_of_week"] % HOURS_PER_DAY)
            own = pd.concat([own, means.merge(lacking, on="hour")[list(tables.columns)]], ignore_index=True)
        parts.append(own)
    if not any(len(p) for p in parts) or all(len(np.flatnonzero(p.occurrences)) == HOURS_PER_WEEK for p in periods):
        return tables
    return pd.concat(parts, ignore_index=True)


def scatter_of(requests: pd.DataFrame, futures: int) -> dict[Any, np.ndarray]:
    """Return what each series' recent real weeks were over its usual week: futures x 2 x 168; none where too short.

    Of the last six whole weeks.
    """
    known = requests.groupby(week_start(pd.DatetimeIndex(requests.index))).count().min(axis=1)
    whole = [at for at in full_weeks(requests) if known[at] >= LEAST_KNOWN * HOURS_PER_WEEK][-PAIRED_WEEKS:]
    if len(whole) < 2:
        return {}
    scatter = {}
    for column in requests.columns:
        weeks = [requests[column].loc[at : at + LAST_HOUR].to_numpy(dtype=float) for at in whole]
        scatter[column] = real_weeks(np.stack(weeks), futures)
    return scatter


def scenario_tables(
    hours: pd.DataFrame,
    periods: tuple[Period, ...],
    weights: Mapping[str, float],
    scatter: Mapping[Any, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Return demand of the futures and of stress: ``KEYS``, scenario, probability, requests_per_hour.

    Parameters
    ----------
    hours : region, workload, hour, mean, p98, and each future's level over the mean.
    weights : of each future.
    scatter : of each series, futures x 2 x 168 (`scatter_of`); where there is none, a future is one week.
    """
    levels = [month_tables(hours.assign(level=hours["mean"] * hours[name]), periods, "level") for name in weights]
    stress = month_tables(hours, periods, STRESS_QUANTILE).assign(scenario=STRESS, probability=0.0)
    if not any(np.abs(values - 1.0).max() > STEADY for values in (scatter or {}).values()):
        parts = [t.assign(scenario=n, probability=w) for t, (n, w) in zip(levels, weights.items(), strict=True)]
        return pd.concat([*parts, stress], ignore_index=True)
    names = [f"{name} {week}" for name in weights for week in "ab"]
    chances = np.repeat([weight / 2 for weight in weights.values()], 2)
    means = np.stack([table["requests_per_hour"].to_numpy() for table in levels])
    both = means[:, None, :] * _ratios_of(levels[0], scatter or {}, len(weights))
    demand = to_the_mean(both.reshape(len(names), -1), chances, np.asarray(list(weights.values())) @ means)
    parts = [
        levels[0].assign(requests_per_hour=own, scenario=name, probability=chance)
        for own, name, chance in zip(demand, names, chances, strict=True)
    ]
    return pd.concat([*parts, stress], ignore_index=True)


def _ratios_of(table: pd.DataFrame, scatter: Mapping[Any, np.ndarray], futures: int) -> np.ndarray:
    """Return what each row is multiplied by in the weeks of each future: futures x 2 x rows."""
    ratios = np.ones((futures, 2, len(table)))
    slots = table["hour_of_week"].to_numpy()
    for column, rows in table.groupby(["region", "workload"]).indices.items():
        if column in scatter:
            ratios[:, :, rows] = scatter[column][:, :, slots[rows]]
    return ratios


def real_week_tables(requests: pd.DataFrame, hours: pd.DataFrame, periods: tuple[Period, ...]) -> pd.DataFrame:
    """Return recent real weeks as equally likely scenarios, each series scaled to its forecast level of the month.

    In weeks before a series began, its usual week stands in.
    """
    last = HOURS_PER_WEEK - 1
    whole = weeks_without_gap(requests)[-REAL_WEEKS:]
    if not whole:
        return pd.DataFrame()
    usual = requests.groupby(hour_of_week(pd.DatetimeIndex(requests.index))).transform("mean")
    requests = requests.fillna(usual).fillna(requests.mean())
    slots, late = hour_of_week(pd.DatetimeIndex(requests.index)), requests.index >= whole[0]
    base = month_tables(hours, periods, "mean")
    levels = base.groupby(["region", "workload", "period"])["requests_per_hour"].mean()
    parts = []
    for monday in whole:
        week = long_table(requests.loc[monday : monday + pd.Timedelta(hours=last)])
        for period in periods:
            recent = requests[late & (np.array(period.occurrences) > 0)[slots]].mean()
            pairs = zip(week["region"], week["workload"], strict=True)
            scale = [levels.get((r, w, period.name), 0.0) / max(float(recent[(r, w)]), 1e-9) for r, w in pairs]
            level = week["requests_per_hour"] * np.asarray(scale)
            parts.append(
                week.assign(
                    period=period.name,
                    requests_per_hour=level,
                    scenario=f"week-{monday:%Y-%m-%d}",
                    probability=1.0 / len(whole),
                )
            )
    return pd.concat(parts, ignore_index=True)
