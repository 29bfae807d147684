"""From hours to the tables of a plan: months by hour of week, in a few weighted futures.

Cost is planned on three futures of the whole level, low, base and high, at the 10th, 50th and 90th percentile of the
spread of the *total*'s level, weighted 0.3, 0.4, 0.3 (Swanson's rule, which keeps mean and variance of most smooth
distributions). A high quantile of every hour is no future: planning cost on it hedges twice. It is the fourth scenario,
``stress``, of probability 0: it costs nothing in expectation, and what is deployed must still be able to serve it.
"""

import numpy as np
import pandas as pd

from planner.features.demand.series import hour_of_week, long_table, weeks_without_gap
from planner.schema.calendar import Period
from planner.units import HOURS_PER_WEEK

WEIGHTS = {"low": 0.3, "base": 0.4, "high": 0.3}
STRESS, STRESS_QUANTILE = "stress", "p98"
REAL_WEEKS = 13
KEYS = ["region", "workload", "period", "hour_of_week"]


def month_tables(hours: pd.DataFrame, periods: tuple[Period, ...], value: str) -> pd.DataFrame:
    """Return the mean of ``value`` by region, workload, period and hour of week, as ``requests_per_hour``."""
    stamps = pd.DatetimeIndex(hours["hour"])
    table = pd.DataFrame(
        {
            "region": hours["region"],
            "workload": hours["workload"],
            "period": stamps.strftime("%Y-%m"),
            "hour_of_week": hour_of_week(stamps),
            "requests_per_hour": hours[value],
        }
    )
    table = table[table["period"].isin([period.name for period in periods])]
    return pd.DataFrame(table.groupby(KEYS, as_index=False)["requests_per_hour"].mean())


def scenario_tables(hours: pd.DataFrame, periods: tuple[Period, ...]) -> pd.DataFrame:
    """Return demand of low, base, high and stress: ``KEYS``, scenario, probability, requests_per_hour."""
    futures = hours.assign(
        low_level=hours["mean"] * hours["low"], base_level=hours["mean"], high_level=hours["mean"] * hours["high"]
    )
    parts = [
        month_tables(futures, periods, f"{name}_level").assign(scenario=name, probability=weight)
        for name, weight in WEIGHTS.items()
    ]
    parts.append(month_tables(hours, periods, STRESS_QUANTILE).assign(scenario=STRESS, probability=0.0))
    return pd.concat(parts, ignore_index=True)


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
    recent = requests.loc[whole[0] :].mean()
    base = month_tables(hours, periods, "mean")
    levels = base.groupby(["region", "workload", "period"])["requests_per_hour"].mean()
    parts = []
    for monday in whole:
        week = long_table(requests.loc[monday : monday + pd.Timedelta(hours=last)])
        for period in periods:
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
