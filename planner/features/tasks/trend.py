"""How the cost of a task runs over the months, and how far it spreads over months, regions and models."""

import numpy as np
import pandas as pd

from planner.plan.frames import NUMBER, TEXT, Field, Frame
from planner.plan.metrics.task_costs import NOBODY, TaskCosts

_WORKLOAD = Field("workload", TEXT, "workload")
_PER_TASK = Field("usd_per_task", NUMBER, "cost of a task", "USD")
TREND = Frame("trend", "cost of a workload's task in each month with tasks", (
    _WORKLOAD, Field("period", TEXT, "month"), Field("tasks", NUMBER, "tasks", "tasks"),
    Field("total_usd", NUMBER, "cost", "USD"), _PER_TASK,
    Field("change_usd", NUMBER, "against the month before; NaN: it is the first", "USD"),
    Field("change_share", NUMBER, "the same, over the month before", "share"),
    Field("since_first_usd", NUMBER, "against the first month", "USD"),
    Field("since_first_share", NUMBER, "the same, over the first month", "share"),
))  # fmt: skip
SPREAD = Frame("spread", "how the cost of a workload's task differs over months, origins, regions or models", (
    _WORKLOAD, Field("over", TEXT, "month, origin, region or model"), _PER_TASK,
    Field("lowest", TEXT, "where a task costs least"), Field("lowest_usd", NUMBER, "what it costs there", "USD"),
    Field("highest", TEXT, "where it costs most"), Field("highest_usd", NUMBER, "what it costs there", "USD"),
    Field("deviation_usd", NUMBER, "standard deviation, weighted by tasks", "USD"),
    Field("variation", NUMBER, "deviation over the mean", "share"),
))  # fmt: skip
OVER = {"month": "period", "origin": "origin", "region": "region", "model": "model"}


def trend(costs: TaskCosts) -> pd.DataFrame:
    """Cost of a task by month, against the month before and against the first: columns TREND.

    Only months with tasks have a row; the month before is the last that had some.
    """
    table = costs.by("workload", "period")
    table = table[(table["workload"] != NOBODY) & (table["tasks"] > 0)].reset_index(drop=True)
    usd = table.groupby("workload")["usd_per_task"]
    last, first = usd.shift(1), usd.transform("first")
    found = table.assign(
        change_usd=table["usd_per_task"] - last,
        change_share=_change(table["usd_per_task"], last),
        since_first_usd=table["usd_per_task"] - first,
        since_first_share=_change(table["usd_per_task"], first),
    )
    return found[list(TREND.columns)]


def spread(costs: TaskCosts) -> pd.DataFrame:
    """How the cost of a workload's task differs between months, origins, regions and models: columns SPREAD.

    deviation_usd : standard deviation, weighted by tasks; variation: that over usd_per_task, the mean. lowest and
    highest name the month, origin, region or model.
    """
    rows = []
    for over, key in OVER.items():
        table = costs.by("workload", key)
        table = table[(table["workload"] != NOBODY) & (table["tasks"] > 0)]
        for workload, own in table.groupby("workload"):
            usd, tasks = own["usd_per_task"].to_numpy(float), own["tasks"].to_numpy(float)
            names = own[key].to_numpy(object)
            mean = float(np.average(usd, weights=tasks))
            deviation = float(np.sqrt(np.average((usd - mean) ** 2, weights=tasks)))
            low, high = int(np.argmin(usd)), int(np.argmax(usd))
            rows.append((str(workload), over, mean, str(names[low]), float(usd[low]), str(names[high]),
                         float(usd[high]), deviation, deviation / mean if mean > 0 else float("nan")))  # fmt: skip
    found = SPREAD.of(rows)
    return found.sort_values("workload", kind="stable", ignore_index=True)


def _change(value: pd.Series, base: pd.Series) -> pd.Series:
    return value / base.where(base > 0) - 1
