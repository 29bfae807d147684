"""How well reserved capacity is used: utilisation and vacancy, coverage, effective savings rate."""

import numpy as np
import pandas as pd

from planner.plan.metrics.basis import Basis, ratio
from planner.plan.metrics.metric_tables import COVERAGE, DEPLOYMENT_USE, HORIZON, POOL_USE, SAVINGS
from planner.plan.metrics.task_costs import deployment_usd, equivalent_usd


def deployment_use(basis: Basis) -> pd.DataFrame:
    """Units, utilisation and vacancy of each deployment by period and over the HORIZON: DEPLOYMENT_USE."""
    names, region = basis.names, {p.pool: p.region for p in basis.case.pools}
    usd = deployment_usd(basis)
    spans = [(p, slice(k, k + 1)) for k, p in enumerate(names.periods)] + [(HORIZON, slice(None))]
    rows = []
    for d, (pool, meter, model) in enumerate(names.deployments):
        if not basis.units[d].any() and not usd[d].any():
            continue
        for period, own in spans:
            hours = basis.hours[own]
            capacity = float(basis.units[d, own] @ hours)
            peaks, used = basis.peak_load[d, own], float(basis.used_unit_hours[d, own].sum())
            rows.append(
                (pool, meter, model, region[pool], period, capacity / hours.sum(), capacity, used,
                 float(ratio(used, capacity)), float(peaks.max(initial=0.0)),
                 float(ratio(max(0.0, capacity - peaks @ hours), capacity)), float(usd[d, own].sum()))
            )  # fmt: skip
    return DEPLOYMENT_USE.of(rows)


def pool_use(basis: Basis) -> pd.DataFrame:
    """Units, utilisation and vacancy of each pool and meter by period and over the HORIZON: POOL_USE."""
    names, region = basis.names, {p.pool: p.region for p in basis.case.pools}
    hours = dict(zip(names.periods, basis.hours.tolist(), strict=True))
    keys = ["pool", "meter", "period"]
    parts = pd.DataFrame(
        [
            (pool, meter, period, basis.used_unit_hours[d, p], basis.peak_load[d, p])
            for d, (pool, meter, _) in enumerate(names.deployments)
            for p, period in enumerate(names.periods)
        ],
        columns=[*keys, "used_unit_hours", "peak"],
    )
    table = basis.balance.drop(columns=["usd_per_unit_hour", "unreserved_usd"])
    table = table.merge(parts.groupby(keys, as_index=False).sum(), on=keys, how="left")
    table = table.merge(basis.capacity_usd, on=keys, how="left").fillna(
        {"usd": 0.0, "used_unit_hours": 0.0, "peak": 0.0}
    )
    table = table[(table["committed_units"] > 0) | (table["deployed_units"] > 0) | (table["usd"] > 0)]
    month = table["period"].map(hours).astype(float)
    table = table.assign(
        hours=month,
        capacity_unit_hours=(table["committed_units"] + table["unreserved_units"]) * month,
        peak_hours=table["peak"] * month,
    )
    units = ["committed_units", "deployed_units", "unreserved_units"]
    weighted = table.assign(**{name: table[name] * table["hours"] for name in units})
    whole = weighted.groupby(["pool", "meter"], as_index=False)[
        [*units, "capacity_unit_hours", "used_unit_hours", "peak_hours", "usd"]
    ].sum()
    whole = whole.assign(period=HORIZON, **{name: whole[name] / basis.hours.sum() for name in units})
    table = pd.concat([table, whole], ignore_index=True) if len(table) else table
    capacity = table["capacity_unit_hours"].to_numpy(float)
    table["region"] = table["pool"].map(region)
    table["utilisation"] = ratio(table["used_unit_hours"].to_numpy(float), capacity)
    table["vacancy"] = ratio(np.maximum(0.0, capacity - table["peak_hours"].to_numpy(float)), capacity)
    table = table.sort_values(["pool", "meter"], kind="stable", ignore_index=True)
    return table[list(POOL_USE.columns)]


def coverage(basis: Basis) -> pd.DataFrame:
    """Measure what reserved units serve of all, by region, model and period: COVERAGE."""
    ways, periods = basis.flows.ways, basis.names.periods
    price = equivalent_usd(basis)
    reserved = ways["reserved"].to_numpy(bool)
    value = price[:, None] * basis.priced_requests
    rows = [
        pd.DataFrame(
            {
                "region": ways["region"],
                "model": ways["model"],
                "period": period,
                "requests": basis.requests[:, p],
                "reserved_requests": np.where(reserved, basis.requests[:, p], 0.0),
                "on_demand_equivalent_usd": value[:, p],
                "covered_usd": np.where(reserved, value[:, p], 0.0),
            }
        )
        for p, period in enumerate(periods)
    ]
    keys = ["region", "model", "period"]
    table = pd.concat(rows)
    table = table[table["requests"] > 0].groupby(keys).sum(skipna=False).reset_index()
    table["coverage_of_requests"] = ratio(table["reserved_requests"].to_numpy(float), table["requests"].to_numpy(float))
    table["coverage"] = ratio(table["covered_usd"].to_numpy(float), table["on_demand_equivalent_usd"].to_numpy(float))
    return table[list(COVERAGE.columns)]


def savings(basis: Basis, cover: pd.DataFrame, pools: pd.DataFrame) -> pd.DataFrame:
    r"""Coverage, utilisation, discount and effective savings rate by period and HORIZON: SAVINGS.

    ESR = 1 − (capacity + on demand) / equivalent = κ · (1 − (1 − δ) / υ)

    with coverage κ = covered / equivalent, utilisation υ (of all capacity, weighted by what units cost) and discount
    δ = 1 − υ · capacity / covered: what a fully used unit saves. On-demand flows have the price they paid, so that
    on demand = (1 − κ) · equivalent. NaN where reserved units serve what is not sold on demand.
    """
    ways, periods = basis.flows.ways, list(basis.names.periods)
    paid = pd.Series(ways["on_demand_usd"].to_numpy(float) @ basis.priced_requests, periods)
    sums = cover.groupby("period")[["on_demand_equivalent_usd", "covered_usd"]].sum(skipna=False)
    table = sums.reindex(periods, fill_value=0.0)
    months = pools[pools["period"] != HORIZON]
    cost = months["usd"].to_numpy(float)
    weighted = months.assign(used=cost * months["utilisation"].fillna(0.0), vacant=cost * months["vacancy"].fillna(0.0))
    by_period = weighted.groupby("period")[["usd", "used", "vacant"]].sum().reindex(periods).fillna(0.0)
    table = table.join(by_period.astype(float)).assign(on_demand_usd=paid)
    capacity = basis.capacity_usd.groupby("period")["usd"].sum().reindex(periods).fillna(0.0)
    table["capacity_usd"] = capacity.astype(float)
    table.loc[HORIZON] = table.to_numpy(float).sum(axis=0)
    value = {name: table[name].to_numpy(float) for name in table}
    equivalent, covered = value["on_demand_equivalent_usd"], value["covered_usd"]
    use = ratio(value["used"], value["capacity_usd"])
    table["coverage"], table["utilisation"] = ratio(covered, equivalent), use
    table["vacancy"] = ratio(value["vacant"], value["capacity_usd"])
    table["discount"] = 1 - ratio(value["used"], covered)
    table["effective_savings_rate"] = 1 - ratio(value["capacity_usd"] + value["on_demand_usd"], equivalent)
    return table.rename_axis("period").reset_index()[list(SAVINGS.columns)]
