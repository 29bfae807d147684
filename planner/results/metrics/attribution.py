"""Who causes the cost of reserved capacity: attributed to workloads and models so that the parts add up to the total.

The rule. All that a pool's meter costs in a month (new and earlier commitments, the counted tail, unreserved units)
is divided among its deployments in proportion to units deployed; what a deployment costs, among the workloads and
models it serves in proportion to unit-hours used in the month. So idle units are spread like used ones. Where that
says nothing: a month without use goes by the deployment's use over the horizon; a deployment that is never used (kept
for a failover) goes by the requests of the workloads that may use its model; else by all requests.
"""

import numpy as np
import pandas as pd

from planner.results.flows import Floats, Ints
from planner.results.metrics.basis import Basis
from planner.results.metrics.tables import COST_COLUMNS, MODEL_COST_COLUMNS, WORKLOAD_COST_COLUMNS
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.units import REQUESTS_PER_THOUSAND

NOBODY = "(no demand)"  # bears what capacity costs where there are no requests at all


def deployment_usd(basis: Basis) -> Floats:
    """Divide what capacity costs among deployments, USD: deployments x periods."""
    names = basis.names
    period = {name: k for k, name in enumerate(names.periods)}
    cost = basis.capacity_usd
    usd = np.zeros(basis.units.shape)
    meters: dict[tuple[str, str], list[int]] = {}
    for d, (pool, meter, _) in enumerate(names.deployments):
        meters.setdefault((pool, meter), []).append(d)
    for pool, meter, month, amount in cost.itertuples(index=False, name=None):
        own = meters.get((pool, meter), [])
        usd[own, period[month]] += amount * _shares([basis.units[own, period[month]], basis.units[own].sum(axis=1)])
    return usd


def costs(basis: Basis) -> pd.DataFrame:
    """Cost and requests by workload, model and period: columns COST_COLUMNS; adds up to the plan's total."""
    pairs = [(m.workload, m.model) for m in basis.case.mix]
    periods = list(basis.names.periods)
    ways = basis.flows.ways
    pair_of = ways["mix"].to_numpy(int)
    requests = _by_pair(pair_of, basis.requests, len(pairs))
    paid = _by_pair(pair_of, ways["on_demand_usd"].to_numpy(float)[:, None] * basis.priced_requests, len(pairs))
    crossed = _by_pair(pair_of, ways["egress_usd"].to_numpy(float)[:, None] * basis.requests, len(pairs))
    capacity, nobody = _capacity(basis, pairs, requests)
    rows = pd.DataFrame(
        {
            "workload": np.repeat([w for w, _ in pairs], len(periods)),
            "model": np.repeat([m for _, m in pairs], len(periods)),
            "period": np.tile(periods, len(pairs)),
            "requests": requests.ravel(),
            "capacity_usd": capacity.ravel(),
            "on_demand_usd": paid.ravel(),
            "egress_usd": crossed.ravel(),
        }
    )
    if nobody.any():
        rest = {"workload": NOBODY, "model": NOBODY, "period": periods, "requests": 0.0, "capacity_usd": nobody}
        rows = pd.concat([rows, pd.DataFrame({**rest, "on_demand_usd": 0.0, "egress_usd": 0.0})], ignore_index=True)
    rows["total_usd"] = rows["capacity_usd"] + rows["on_demand_usd"] + rows["egress_usd"]
    used = (rows["requests"] > 0) | (rows["total_usd"] != 0)
    return rows.loc[used, list(COST_COLUMNS)].reset_index(drop=True)


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
    sums = ["requests", "capacity_usd", "on_demand_usd", "egress_usd", "total_usd"]
    table = cost.groupby(key, as_index=False)[sums].sum()
    thousand = table["requests"] / REQUESTS_PER_THOUSAND
    table["usd_per_thousand_requests"] = table["total_usd"] / thousand.where(thousand > 0)
    return table


def _capacity(basis: Basis, pairs: list[tuple[str, str]], requests: Floats) -> tuple[Floats, Floats]:
    """Capacity cost by pair (of the mix) and period, and what is left where nobody asks for anything."""
    use = _use(basis, len(pairs))
    usd, cost = deployment_usd(basis), basis.capacity_usd
    total = cost.groupby("period")["usd"].sum().reindex(list(basis.names.periods)).fillna(0.0).to_numpy(float)
    found, nobody = np.zeros(requests.shape), np.zeros(len(total))
    served: dict[str, set[str]] = {}
    for t in basis.case.throughput:
        served.setdefault(t.pool, set()).add(t.model)
    for d, (pool, _, model) in enumerate(basis.names.deployments):
        models = served[pool] if model == SHARED_DEPLOYMENT else {model}
        able = np.array([m in models for _, m in pairs], float)
        for p in np.flatnonzero(usd[d]).tolist():
            share = _shares([use[d, :, p], use[d].sum(axis=1), able * requests[:, p], able * requests.sum(axis=1)])
            found[:, p] += usd[d, p] * share
    for p, rest in enumerate(total - found.sum(axis=0)):  # pools that can deploy nothing, or nobody to use them
        if abs(rest) > 1e-9 * max(1.0, total[p]):
            weights = [requests[:, p], requests.sum(axis=1)]
            if any(w.sum() > 0 for w in weights):
                found[:, p] += rest * _shares(weights)
            else:
                nobody[p] += rest
    return found, nobody


def _use(basis: Basis, pairs: int) -> Floats:
    """Add up expected unit-hours used: deployments x pairs of the mix x periods."""
    loads = basis.flows.loads
    way = loads["way"].to_numpy(int)
    use = np.zeros((len(basis.names.deployments), pairs, len(basis.names.periods)))
    hours = basis.requests[way] * loads["units_per_request"].to_numpy(float)[:, None]
    np.add.at(use, (loads["deployment"].to_numpy(int), basis.flows.ways["mix"].to_numpy(int)[way]), hours)
    return use


def _by_pair(pair: Ints, amount: Floats, pairs: int) -> Floats:
    total = np.zeros((pairs, amount.shape[1]))
    np.add.at(total, pair, amount)
    return total


def _shares(weights: list[Floats]) -> Floats:
    """Proportions by the first weights that are not all zero; zeros where all are."""
    for weight in weights:
        if weight.sum() > 0:
            share: Floats = weight / weight.sum()
            return share
    return np.zeros(len(weights[0]))
