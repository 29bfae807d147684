"""How the cost of a task runs over the months, and how far it spreads over months, regions and models."""

import numpy as np
import pandas as pd

from planner.plan.metrics.task_costs import NOBODY, TaskCosts

TREND_COLUMNS = ("workload", "period", "tasks", "total_usd", "usd_per_task", "change_usd", "change_share",
                 "since_first_usd", "since_first_share")  # fmt: skip
SPREAD_COLUMNS = ("workload", "over", "usd_per_task", "lowest", "lowest_usd", "highest", "highest_usd",
                  "deviation_usd", "variation")  # fmt: skip
OVER = {"month": "period", "origin": "origin", "region": "region", "model": "model"}


def trend(costs: TaskCosts) -> pd.DataFrame:
    """Cost of a task by month, against the month before and against the first: columns TREND_COLUMNS.

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
    return found[list(TREND_COLUMNS)]


def spread(costs: TaskCosts) -> pd.DataFrame:
    """How the cost of a workload's task differs between months, origins, regions and models: columns SPREAD_COLUMNS.

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
    found = pd.DataFrame(rows, columns=list(SPREAD_COLUMNS))
    return found.sort_values("workload", kind="stable", ignore_index=True)


def _change(value: pd.Series, base: pd.Series) -> pd.Series:
    return value / base.where(base > 0) - 1
