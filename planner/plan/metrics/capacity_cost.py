"""Who bears the cost of reserved capacity: divided among the requests so that the parts add up to the total.

The rule. All that a pool's meter costs in a month (new and earlier commitments, the counted tail, unreserved units)
is divided among its deployments in proportion to units deployed; what a deployment costs, among the requests it serves
in proportion to unit-hours used in the month. So idle units are spread like used ones. Where that says nothing: a
month without use goes by the deployment's use over the horizon; a deployment that is never used (kept for a failover)
goes by the requests that may use its model; else by all requests. What goes by requests, or by the use of other months,
is *standby*: units that serve nothing in the month.
"""

from dataclasses import dataclass

import numpy as np

from planner.plan.flows import Floats
from planner.plan.joins import Ints
from planner.plan.metrics.basis import Basis
from planner.schema.capacity import SHARED_DEPLOYMENT


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
        the model UNDEPLOYED. usd, unit_hours : what each account costs, and the units that it costs, times hours.
    used_usd : rows of flows.loads: what each way pays for the units it uses.
    standby_usd : ways: what each way bears of units on standby. standby_unit_hours : accounts x workloads: those units.
    nobody_usd : what is left where there are no requests at all.
    """

    accounts: tuple[tuple[str, str, str], ...]
    usd: Floats
    unit_hours: Floats
    used_usd: Floats
    standby_usd: Floats
    standby_unit_hours: Floats
    nobody_usd: Floats

    @classmethod
    def of(cls, basis: Basis) -> "CapacityCost":
        """Apply the rule of this file."""
        accounts, usd, unit_hours = _accounts(basis)
        count, loads = len(basis.names.deployments), basis.flows.loads
        deployment, way = loads["deployment"].to_numpy(int), loads["way"].to_numpy(int)
        hours = basis.requests[way] * loads["units_per_request"].to_numpy(float)[:, None]
        used = basis.used_unit_hours
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(used > 0, usd[:count] / used, 0.0)
        standby_usd = np.zeros(basis.requests.shape)
        workload = _workload_of_way(basis)
        standby_hours = np.zeros((len(accounts), len(basis.names.workloads), len(basis.hours)))
        nobody = np.zeros(len(basis.hours))
        idle = np.concatenate([used <= 0, np.ones((len(accounts) - count, len(basis.hours)), bool)])
        for a, p in np.argwhere(idle & (usd != 0)).tolist():
            weights = []
            if a < count:
                own, able = deployment == a, _able(basis, *accounts[a])
                weights = [np.bincount(way[own], hours[own].sum(axis=1), len(able)).astype(float),
                           able * basis.requests[:, p], able * basis.requests.sum(axis=1)]  # fmt: skip
            share = first_shares([*weights, basis.requests[:, p], basis.requests.sum(axis=1)])
            if share.sum() > 0:
                standby_usd[:, p] += usd[a, p] * share
                standby_hours[a, :, p] += np.bincount(workload, unit_hours[a, p] * share, len(basis.names.workloads))
            else:
                nobody[p] += usd[a, p]
        return cls(accounts, usd, unit_hours, hours * rate[deployment], standby_usd, standby_hours, nobody)


def deployment_usd(basis: Basis) -> Floats:
    """Divide what capacity costs among deployments, USD: deployments x periods."""
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
