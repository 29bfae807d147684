"""Cost per task: every dollar of the plan by workload, origin, serving region, model and month, over its tasks.

tasks = requests / requests_per_task. A request's cost is what it pays on demand, its egress, and its share of what
capacity costs (metrics.task_costs), so that the rows of the table add up to the plan's total. A row counts in its
origin, where its tasks arise, and in its region, where they are served; units on standby go where the requests that
bear them are served, wherever the units stand.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.flows import Floats
from planner.plan.frames import Ints
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.metric_tables import COST, HORIZON, MODEL_COST, MONTHS, TASKS, WORKLOAD_COST
from planner.plan.plan import Totals
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.units import REQUESTS_PER_THOUSAND, counted


def equivalent_usd(basis: Basis) -> Floats:
    """On-demand price of one request of each way, USD; NaN where its model is not sold on demand within reach.

    A request that was served on demand has the price it paid. One that reserved units served has the price of its model
    in its region; where that region does not sell it, the cheapest among the regions that its origin may use.
    """
    ways = basis.flows.ways
    price = basis.reading.prices.of_ways(basis.names, basis.flows)
    found: Floats = np.where(ways["reserved"], price, ways["on_demand_usd"])
    return found


UNDEPLOYED = ""  # model of an account: units that no deployment of the horizon holds


@dataclass(frozen=True)
class CapacityCost:
    """Cost of capacity by who bears it. Every array ends in periods.

    accounts : (pool, meter, model): the deployments in the order of Names.deployments, then each pool and meter with
        the model UNDEPLOYED. usd, unit_hours : what each account costs, and the units that it costs, times hours;
        units that run by the hour included, cold starts too.
    used_usd : rows of flows.loads: what each way pays for the units it uses. Units that run by the hour are borne by
        the requests that need them.
    standby_usd : ways: what each way bears of units on standby. standby_unit_hours : accounts x workloads: those units.
    scaled_usd : ways: of all that each way bears, what units that run by the hour cost.
    nobody_usd : what is left where there are no requests at all.
    """

    accounts: tuple[tuple[str, str, str], ...]
    usd: Floats
    unit_hours: Floats
    used_usd: Floats
    standby_usd: Floats
    standby_unit_hours: Floats
    scaled_usd: Floats
    nobody_usd: Floats

    @classmethod
    def of(cls, basis: Basis) -> "CapacityCost":
        """Apply the rule of this file."""
        accounts, held_usd, unit_hours = _accounts(basis)
        count, loads = len(basis.names.deployments), basis.flows.loads
        run_usd, usd = np.zeros(held_usd.shape), held_usd.copy()
        run_usd[:count] = basis.scaled_usd
        usd[:count] += basis.scaled_usd
        unit_hours[:count] += basis.scaled_unit_hours
        deployment, way = loads["deployment"].to_numpy(int), loads["way"].to_numpy(int)
        hours = basis.load_unit_hours
        reserved = np.maximum(hours - basis.scaled_load_unit_hours, 0.0)
        used, scaled = basis.used_unit_hours, basis.scaled_used_unit_hours
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(used > 0, held_usd[:count] / used, 0.0)
            by_hour = np.where(scaled > 0, basis.scaled_usd / scaled, 0.0)
        run = basis.scaled_load_unit_hours * by_hour[deployment]
        standby_usd, scaled_usd = np.zeros(basis.requests.shape), np.zeros(basis.requests.shape)
        np.add.at(scaled_usd, way, run)
        workload = _workload_of_way(basis)
        standby_hours = np.zeros((len(accounts), len(basis.names.workloads), len(basis.hours)))
        nobody = np.zeros(len(basis.hours))
        idle = np.ones(usd.shape, bool)
        idle[:count] = used <= 0
        spare_usd = run_usd.copy()
        spare_usd[:count][scaled > 0] = 0.0  # the rest runs only to be spent on a contract
        left_usd = np.where(idle, held_usd, 0.0) + spare_usd
        for a, p in np.argwhere(left_usd != 0).tolist():
            weights = []
            if a < count:
                own, able = deployment == a, _able(basis, *accounts[a])
                weights = [np.bincount(way[own], hours[own].sum(axis=1), len(able)).astype(float),
                           able * basis.requests[:, p], able * basis.requests.sum(axis=1)]  # fmt: skip
            share = first_shares([*weights, basis.requests[:, p], basis.requests.sum(axis=1)])
            if share.sum() > 0:
                standby_usd[:, p] += left_usd[a, p] * share
                scaled_usd[:, p] += spare_usd[a, p] * share
                held = unit_hours[a, p] * (left_usd[a, p] / usd[a, p])
                standby_hours[a, :, p] += np.bincount(workload, held * share, len(basis.names.workloads))
            else:
                nobody[p] += left_usd[a, p]
        used_usd = reserved * rate[deployment] + run
        return cls(accounts, usd, unit_hours, used_usd, standby_usd, standby_hours, scaled_usd, nobody)


def deployment_usd(basis: Basis) -> Floats:
    """Divide what reserved capacity costs among deployments, USD: deployments x periods."""
    return _accounts(basis)[1][: len(basis.names.deployments)]


def first_shares(weights: list[Floats]) -> Floats:
    """Proportions by the first weights that are not all zero; zeros where all are."""
    for weight in weights:
        if weight.sum() > 0:
            share: Floats = weight / weight.sum()
            return share
    return np.zeros(len(weights[0]))


def _accounts(basis: Basis) -> tuple[tuple[tuple[str, str, str], ...], Floats, Floats]:
    """List the accounts, what each costs and the unit-hours that it costs."""
    names, periods = basis.names, len(basis.hours)
    cost = basis.capacity_usd
    pairs = dict.fromkeys([(pool, meter) for pool, meter, _ in names.deployments])
    pairs |= dict.fromkeys(zip(cost["pool"], cost["meter"], strict=True))
    number, period = {pair: k for k, pair in enumerate(pairs)}, {name: k for k, name in enumerate(names.periods)}
    whole = np.zeros((2, len(pairs), periods))  # USD, unit-hours
    for pool, meter, month, usd in cost[["pool", "meter", "period", "usd"]].itertuples(index=False, name=None):
        whole[0, number[pool, meter], period[month]] += usd
    held = basis.balance
    units = held["committed_units"] + held["unreserved_units"]
    for pool, meter, month, n in zip(held["pool"], held["meter"], held["period"], units, strict=True):
        if (pool, meter) in number:
            whole[1, number[pool, meter], period[month]] += n * basis.hours[period[month]]
    # paid for, and in force in no period whole: at 1 USD a unit-hour, so that hours times price stay what is paid
    whole[1] = np.where((whole[1] <= 0) & (whole[0] > 0), whole[0], whole[1])
    owner = np.array([number[pool, meter] for pool, meter, _ in names.deployments], np.int64)
    month_units, all_units = np.zeros((2, len(pairs), periods))
    np.add.at(month_units, owner, basis.units)
    np.add.at(all_units, owner, np.repeat(basis.units.sum(axis=1)[:, None], periods, axis=1))
    own_all = basis.units.sum(axis=1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        by_month, by_horizon = basis.units / month_units[owner], own_all / all_units[owner]
    share = np.where(month_units[owner] > 0, by_month, np.where(all_units[owner] > 0, by_horizon, 0.0))
    left = np.where(all_units > 0, 0.0, 1.0)
    accounts = (*names.deployments, *((pool, meter, UNDEPLOYED) for pool, meter in pairs))
    usd, unit_hours = (np.concatenate([share * w[owner], left * w]) for w in whole)
    return accounts, usd, unit_hours


def _able(basis: Basis, pool: str, meter: str, model: str) -> Floats:
    """Return 1 for each way whose model the account may serve, else 0."""
    if model == SHARED_DEPLOYMENT:
        models = {t.model for t in basis.case.throughput if t.pool == pool}
    else:
        models = {model}
    found: Floats = basis.flows.ways["model"].isin(models).to_numpy(bool).astype(float)
    return found


def _workload_of_way(basis: Basis) -> Ints:
    number = {name: k for k, name in enumerate(basis.names.workloads)}
    return np.array([number[w] for w in basis.flows.ways["workload"]], dtype=np.int64)


NOBODY = "(no demand)"  # bears what capacity costs where there are no requests at all
UNSPENT = "(unspent commitments)"  # bears what is paid on spend commitments without being spent
CELL = ("workload", "origin", "region", "model")
SUMS = ("tasks", "requests", "reserved_requests", "capacity_usd", "scaled_usd", "on_demand_usd", "egress_usd",
        "total_usd")  # fmt: skip


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
        return f"<TaskCosts of {self.basis.plan.name}: {counted(len(self.table), 'row')}>"

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
    """Add up what each way bears of all units, USD: ways x periods."""
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
        "reserved_requests": basis.reserved_requests,
        "capacity_usd": way_capacity_usd(basis, capacity) - capacity.scaled_usd,
        "scaled_usd": capacity.scaled_usd,
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
    due = basis.spent.due_usd
    if due.any():
        rest = {**dict.fromkeys(CELL, UNSPENT), "period": periods, "capacity_usd": due}
        rows = pd.concat([rows, pd.DataFrame(rest)], ignore_index=True).fillna(dict.fromkeys(amounts, 0.0))
    rows["tasks"] = rows["requests"] / rows["workload"].map(size).astype(float).fillna(1.0)
    rows["total_usd"] = rows["capacity_usd"] + rows["scaled_usd"] + rows["on_demand_usd"] + rows["egress_usd"]
    used = (rows["requests"] > 0) | (rows["total_usd"] != 0)
    return rows.loc[used, list(TASKS.columns)].reset_index(drop=True)


_SUMS = ["requests", "capacity_usd", "scaled_usd", "on_demand_usd", "egress_usd", "total_usd"]


def costs(tasks: TaskCosts) -> pd.DataFrame:
    """Cost and requests by workload, model and period: columns COST; adds up to the plan's total."""
    table = tasks.table.groupby(["workload", "model", "period"], as_index=False)[_SUMS].sum()
    last = table["workload"].isin((NOBODY, UNSPENT)).sort_values(kind="stable").index
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
        "scaled_usd": pd.Series(basis.scaled_usd.sum(axis=0), periods),
        "shortfall_usd": pd.Series(basis.spent.due_usd, periods),
    }
    table = pd.DataFrame({name: by_month[name].reindex(periods).astype(float).fillna(0.0) for name in Totals.names()})
    table.loc[HORIZON] = table.to_numpy(float).sum(axis=0)
    table["total_usd"] = np.sum([table[name].to_numpy(float) for name in Totals.names()], axis=0)
    return table.rename_axis("period").reset_index()[list(MONTHS.columns)]
