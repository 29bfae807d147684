"""Cost per task: every dollar of the plan by workload, origin, serving region, model and month, over its tasks.

tasks = requests / requests_per_task. A request's cost is what it pays on demand, its egress, and its share of what
capacity costs (metrics.capacity_cost), so that the rows of the table add up to the plan's total. A row counts in its
origin, where its tasks arise, and in its region, where they are served; units on standby go where the requests that
bear them are served, wherever the units stand.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.flows import Floats
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.capacity_cost import CapacityCost
from planner.plan.metrics.tables import (
    COST,
    HORIZON,
    MODEL_COST,
    MONTHS,
    TASKS,
    WORKLOAD_COST,
)
from planner.plan.plan import Totals
from planner.units import REQUESTS_PER_THOUSAND

NOBODY = "(no demand)"  # bears what capacity costs where there are no requests at all
CELL = ("workload", "origin", "region", "model")
SUMS = ("tasks", "requests", "reserved_requests", "capacity_usd", "on_demand_usd", "egress_usd", "total_usd")


@dataclass(frozen=True)
class TaskCosts:
    """What tasks cost.

    table : columns TASKS, one row a workload, origin, region, model and month with requests or cost; adds up to
        the plan's total. basis, capacity : what it was made from.
    """

    basis: Basis
    capacity: CapacityCost
    table: pd.DataFrame

    def __repr__(self) -> str:
        """Name the plan and the size of the table."""
        return f"<TaskCosts of {self.basis.plan.name}: {len(self.table)} rows>"

    @classmethod
    def of(cls, basis: Basis) -> "TaskCosts":
        """Attribute all cost of an audited plan."""
        capacity = CapacityCost.of(basis)
        return cls(basis, capacity, _table(basis, capacity))

    @property
    def months(self) -> tuple[str, ...]:
        """Names of the months of the horizon."""
        return self.basis.names.periods

    def by(self, *keys: str) -> pd.DataFrame:
        """Sum the table by some of its keys: those, SUMS, usd_per_task and usd_per_thousand_requests (NaN: no tasks).

        Tasks of different workloads differ: without `workload` among the keys, look at a thousand requests.
        """
        return per_task(self.table.groupby(list(keys), as_index=False)[list(SUMS)].sum())

    def by_month(self, *keys: str) -> pd.DataFrame:
        """Sum by some keys and month; the HORIZON's row of each key comes after its months."""
        months = self.by(*keys, "period")
        whole = self.by(*keys).assign(period=HORIZON)
        both = pd.concat([months, whole[months.columns]], ignore_index=True)
        rank = both["period"].map({name: k for k, name in enumerate((*self.months, HORIZON))})
        return both.assign(rank=rank).sort_values([*keys, "rank"], ignore_index=True).drop(columns="rank")


def per_task(sums: pd.DataFrame) -> pd.DataFrame:
    """Add usd_per_task and usd_per_thousand_requests to sums of tasks, requests and total_usd."""
    tasks, requests = sums["tasks"], sums["requests"] / REQUESTS_PER_THOUSAND
    return sums.assign(
        usd_per_task=sums["total_usd"] / tasks.where(tasks > 0),
        usd_per_thousand_requests=sums["total_usd"] / requests.where(requests > 0),
    )


def way_capacity_usd(basis: Basis, cost: CapacityCost) -> Floats:
    """Capacity cost that each way bears, USD: ways x periods."""
    borne = cost.standby_usd.copy()
    np.add.at(borne, basis.flows.loads["way"].to_numpy(int), cost.used_usd)
    return borne


def _table(basis: Basis, capacity: CapacityCost) -> pd.DataFrame:
    ways, periods = basis.flows.ways, list(basis.names.periods)
    cells = ways[list(CELL)].drop_duplicates().sort_values(list(CELL), ignore_index=True)
    number = ways[list(CELL)].merge(cells.assign(cell=np.arange(len(cells))), on=list(CELL))["cell"].to_numpy(int)
    size = dict(zip([w.workload for w in basis.case.workloads], [w.requests_per_task for w in basis.case.workloads]))
    amounts = {
        "requests": basis.requests,
        "reserved_requests": basis.requests * ways["reserved"].to_numpy(bool)[:, None],
        "capacity_usd": way_capacity_usd(basis, capacity),
        "on_demand_usd": ways["on_demand_usd"].to_numpy(float)[:, None] * basis.priced_requests,
        "egress_usd": ways["egress_usd"].to_numpy(float)[:, None] * basis.requests,
    }
    found: dict[str, object] = {key: np.repeat(cells[key].to_numpy(object), len(periods)) for key in CELL}
    found["period"] = np.tile(np.array(periods, dtype=object), len(cells))
    for name, amount in amounts.items():
        total = np.zeros((len(cells), len(periods)))
        np.add.at(total, number, amount)
        found[name] = total.ravel()
    rows = pd.DataFrame(found)
    if capacity.nobody_usd.any():
        rest = {**dict.fromkeys(CELL, NOBODY), "period": periods, "capacity_usd": capacity.nobody_usd}
        rows = pd.concat([rows, pd.DataFrame(rest)], ignore_index=True).fillna(dict.fromkeys(amounts, 0.0))
    rows["tasks"] = rows["requests"] / rows["workload"].map(size).astype(float).fillna(1.0)
    rows["total_usd"] = rows["capacity_usd"] + rows["on_demand_usd"] + rows["egress_usd"]
    used = (rows["requests"] > 0) | (rows["total_usd"] != 0)
    return rows.loc[used, list(TASKS.columns)].reset_index(drop=True)


_SUMS = ["requests", "capacity_usd", "on_demand_usd", "egress_usd", "total_usd"]


def costs(tasks: TaskCosts) -> pd.DataFrame:
    """Cost and requests by workload, model and period: columns COST; adds up to the plan's total."""
    table = tasks.table.groupby(["workload", "model", "period"], as_index=False)[_SUMS].sum()
    last = (table["workload"] == NOBODY).sort_values(kind="stable").index
    return table.loc[last, list(COST.columns)].reset_index(drop=True)


def by_workload(basis: Basis, cost: pd.DataFrame) -> pd.DataFrame:
    """Sum `costs` by workload, with the cost of a task: columns WORKLOAD_COST."""
    table = _per_thousand(cost, "workload")
    per_task = {w.workload: w.requests_per_task for w in basis.case.workloads}
    table["requests_per_task"] = table["workload"].map(per_task).astype(float)
    table["usd_per_task"] = table["usd_per_thousand_requests"] / REQUESTS_PER_THOUSAND * table["requests_per_task"]
    return table[list(WORKLOAD_COST.columns)]


def by_model(cost: pd.DataFrame) -> pd.DataFrame:
    """Sum `costs` by model: columns MODEL_COST."""
    return _per_thousand(cost, "model")[list(MODEL_COST.columns)]


def _per_thousand(cost: pd.DataFrame, key: str) -> pd.DataFrame:
    table = cost.groupby(key, as_index=False)[_SUMS].sum()
    thousand = table["requests"] / REQUESTS_PER_THOUSAND
    table["usd_per_thousand_requests"] = table["total_usd"] / thousand.where(thousand > 0)
    return table


def cost_by_month(basis: Basis) -> pd.DataFrame:
    """Columns MONTHS; the rows of the months add up to the HORIZON row, which is the plan's cost."""
    ways, periods = basis.flows.ways, list(basis.names.periods)
    by_month = {
        "reserved_usd": basis.in_force.groupby("period")["reserved_usd"].sum(),
        "tail_usd": basis.in_force.groupby("period")["tail_usd"].sum(),
        "unreserved_usd": basis.balance.groupby("period")["unreserved_usd"].sum(),
        "on_demand_usd": pd.Series(ways["on_demand_usd"].to_numpy(float) @ basis.priced_requests, periods),
        "egress_usd": pd.Series(ways["egress_usd"].to_numpy(float) @ basis.requests, periods),
        "sunk_usd": basis.derived.earlier.groupby("period")["usd"].sum(),
    }
    table = pd.DataFrame({name: by_month[name].reindex(periods).astype(float).fillna(0.0) for name in Totals.names()})
    table.loc[HORIZON] = table.to_numpy(float).sum(axis=0)
    table["total_usd"] = np.sum([table[name].to_numpy(float) for name in Totals.names()], axis=0)
    return table.rename_axis("period").reset_index()[list(MONTHS.columns)]
