"""Cost by workload and model: sums of the attributed cost (metrics.task_costs), and a thousand requests."""

import pandas as pd

from planner.plan.metrics.basis import Basis
from planner.plan.metrics.tables import COST_COLUMNS, MODEL_COST_COLUMNS, WORKLOAD_COST_COLUMNS
from planner.plan.metrics.task_costs import NOBODY, TaskCosts
from planner.units import REQUESTS_PER_THOUSAND

_SUMS = ["requests", "capacity_usd", "on_demand_usd", "egress_usd", "total_usd"]


def costs(tasks: TaskCosts) -> pd.DataFrame:
    """Cost and requests by workload, model and period: columns COST_COLUMNS; adds up to the plan's total."""
    table = tasks.table.groupby(["workload", "model", "period"], as_index=False)[_SUMS].sum()
    last = (table["workload"] == NOBODY).sort_values(kind="stable").index
    return table.loc[last, list(COST_COLUMNS)].reset_index(drop=True)


def by_workload(basis: Basis, cost: pd.DataFrame) -> pd.DataFrame:
    """Sum `costs` by workload, with the cost of a task: columns WORKLOAD_COST_COLUMNS."""
    table = _per_thousand(cost, "workload")
    per_task = {w.workload: w.requests_per_task for w in basis.case.workloads}
    table["requests_per_task"] = table["workload"].map(per_task).astype(float)
    table["usd_per_task"] = table["usd_per_thousand_requests"] / REQUESTS_PER_THOUSAND * table["requests_per_task"]
    return table[list(WORKLOAD_COST_COLUMNS)]


def by_model(cost: pd.DataFrame) -> pd.DataFrame:
    """Sum `costs` by model: columns MODEL_COST_COLUMNS."""
    return _per_thousand(cost, "model")[list(MODEL_COST_COLUMNS)]


def _per_thousand(cost: pd.DataFrame, key: str) -> pd.DataFrame:
    table = cost.groupby(key, as_index=False)[_SUMS].sum()
    thousand = table["requests"] / REQUESTS_PER_THOUSAND
    table["usd_per_thousand_requests"] = table["total_usd"] / thousand.where(thousand > 0)
    return table
