"""How well capacity is used: utilisation, coverage, savings rate; units by the hour; egress by pair; quotas."""

import numpy as np
import pandas as pd

from planner.plan.audit.service import away_share, data_sent
from planner.plan.metrics.basis import Basis, ratio
from planner.plan.metrics.metric_tables import (
    COVERAGE,
    DEPLOYMENT_USE,
    EGRESS,
    HORIZON,
    ON_DEMAND,
    POOL_USE,
    SAVINGS,
    SCALED_USE,
)  # fmt: skip
from planner.plan.metrics.task_costs import deployment_usd, equivalent_usd
from planner.plan.scaled import started_units
from planner.units import HOURS_PER_WEEK


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
    value, covered = price[:, None] * basis.priced_requests, price[:, None] * basis.priced_reserved_requests
    by_reserved, by_scaled = basis.reserved_requests, basis.scaled_requests
    reserved = ways["reserved"].to_numpy(bool)
    rows = [
        pd.DataFrame(
            {
                "region": ways["region"],
                "model": ways["model"],
                "period": period,
                "requests": basis.requests[:, p],
                "reserved_requests": by_reserved[:, p],
                "scaled_requests": by_scaled[:, p],
                "on_demand_equivalent_usd": value[:, p],
                "covered_usd": np.where(reserved, covered[:, p], 0.0),
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

    ESR = 1 − (capacity + scaled + on demand) / equivalent = κ · (1 − (1 − δ) / υ) + σ − scaled / equivalent

    with coverage κ = covered / equivalent, utilisation υ (of reserved capacity, weighted by what units cost), discount
    δ = 1 − υ · capacity / covered: what a fully used unit saves, and the share σ that units by the hour serve. Flows on
    demand have the price they paid, so that on demand = (1 − κ − σ) · equivalent. NaN where reserved units serve what
    is not sold on demand.
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
    table["scaled_usd"] = pd.Series(basis.scaled_usd.sum(axis=0), periods)
    table.loc[HORIZON] = table.to_numpy(float).sum(axis=0)
    value = {name: table[name].to_numpy(float) for name in table}
    equivalent, covered = value["on_demand_equivalent_usd"], value["covered_usd"]
    use = ratio(value["used"], value["capacity_usd"])
    table["coverage"], table["utilisation"] = ratio(covered, equivalent), use
    table["vacancy"] = ratio(value["vacant"], value["capacity_usd"])
    table["discount"] = 1 - ratio(value["used"], covered)
    table["effective_savings_rate"] = 1 - ratio(
        value["capacity_usd"] + value["scaled_usd"] + value["on_demand_usd"], equivalent
    )
    return table.rename_axis("period").reset_index()[list(SAVINGS.columns)]


def scaled_use(basis: Basis) -> pd.DataFrame:
    """Measure units that run by the hour, of each deployment by period and over the HORIZON: SCALED_USE."""
    names, region, flows = basis.names, {p.pool: p.region for p in basis.case.pools}, basis.flows
    if not flows.scaled.any():
        return SCALED_USE.empty()
    shape = len(names.deployments), len(names.scenarios), len(names.periods), HOURS_PER_WEEK
    chance = np.array([s.probability for s in basis.case.scenarios])
    week = chance[:, None] * np.array([p.weeks for p in basis.case.periods])
    run = flows.scaled.reshape(shape)
    hours = np.einsum("dsph,sp->dp", run, week)
    starts = np.einsum("dsph,sp->dp", started_units(flows.scaled).reshape(shape), week)
    warm = np.array([{p.pool: p.start_hours for p in basis.case.pools}[pool] for pool, _, _ in names.deployments])
    requests, value = (np.zeros((len(names.deployments), len(names.periods))) for _ in range(2))
    first = flows.loads["nth"].to_numpy(int) == 0  # a request on several meters counts once, on its first
    way, deployment = (flows.loads[name].to_numpy(int)[first] for name in ("way", "deployment"))
    np.add.at(requests, deployment, basis.scaled_requests[way])
    np.add.at(value, deployment, (equivalent_usd(basis)[:, None] * basis.priced_scaled_requests)[way])
    spans = [(p, slice(k, k + 1)) for k, p in enumerate(names.periods)] + [(HORIZON, slice(None))]
    return SCALED_USE.of(
        [
            (pool, meter, model, region[pool], period, float(run[d][:, own].max(initial=0.0)),
             *(float(part[d, own].sum()) for part in (hours, basis.scaled_used_unit_hours, starts)),
             float(warm[d] * starts[d, own].sum()), float(requests[d, own].sum()),
             float(basis.scaled_usd[d, own].sum()), float(value[d, own].sum()))
            for d, (pool, meter, model) in enumerate(names.deployments)
            if run[d].any()
            for period, own in spans
        ]
    )  # fmt: skip


def egress(basis: Basis) -> pd.DataFrame:
    """List data and cost on each ordered pair of regions by period, then HORIZON: columns EGRESS."""
    names, ways = basis.names, basis.flows.ways
    gb = data_sent(names, basis.derived, basis.flows)
    usd = data_sent(names, basis.derived, basis.flows, ("in_usd", "out_usd"))
    index = {name: k for k, name in enumerate(names.regions)}
    requests = np.zeros(gb.shape)
    away = ways["away"].to_numpy(bool)
    np.add.at(requests, (ways["origin"].map(index).to_numpy(int)[away], ways["region"].map(index).to_numpy(int)[away]),
              basis.requests[away])  # fmt: skip
    cap = {(r.origin, r.destination): r.max_gb_per_month for r in basis.case.routes if r.max_gb_per_month is not None}
    rows = []
    for o, d in zip(*np.nonzero(gb.sum(axis=2) + requests.sum(axis=2)), strict=True):
        pair = names.regions[o], names.regions[d]
        limit = cap.get(pair, np.nan)
        rows += [
            (*pair, period, requests[o, d, p], gb[o, d, p], limit, _used(gb[o, d, p], limit), usd[o, d, p])
            for p, period in enumerate(names.periods)
        ]
        whole = float(gb[o, d].sum())
        rows.append((*pair, HORIZON, requests[o, d].sum(), whole, limit,
                     _used(whole, limit * len(names.periods)), usd[o, d].sum()))  # fmt: skip
    return EGRESS.of(rows)


def _used(gb: float, cap: float) -> float:
    return float(gb / cap) if cap > 0 else float("nan")


def share_away(basis: Basis) -> float:
    """Share of requests served outside their origin; NaN without requests."""
    away, every = away_share(basis.derived, basis.flows)
    return away / every if every > 0 else float("nan")


def on_demand(basis: Basis) -> pd.DataFrame:
    """List requests, tokens, cost and the busiest slot of each on-demand option: columns ON_DEMAND."""
    names, ways, quotas = basis.names, basis.flows.ways, len(basis.names.quotas)
    of = ways["quota"].to_numpy(int)
    own = of >= 0
    sums = {}
    for name, amount in (
        ("requests", basis.requests.sum(axis=1)),
        ("tokens", basis.requests.sum(axis=1) * ways["tokens_per_request"].to_numpy(float)),
        ("usd", basis.priced_requests.sum(axis=1) * ways["on_demand_usd"].to_numpy(float)),
    ):
        sums[name] = np.bincount(of[own], amount[own], quotas).astype(float)
    load = basis.flows.sums(of, quotas, names.slot_count, ways["quota_per_request"].to_numpy(float))
    peak, slot = load.max(axis=1, initial=0.0), load.argmax(axis=1)
    block, hour = np.divmod(slot, HOURS_PER_WEEK)
    scenario, period = np.divmod(block, len(names.periods))
    used = peak > 0
    limit = np.array(
        [np.nan if q.tokens_per_minute_quota is None else q.tokens_per_minute_quota for q in basis.case.on_demand],
        float,
    )
    table = pd.DataFrame(list(names.quotas), columns=["region", "model", "option"]).assign(
        **sums,
        peak_tokens_per_minute=peak,
        tokens_per_minute_quota=limit,
        peak_share_of_quota=ratio(peak, limit),
        peak_scenario=pd.Series(np.array(names.scenarios, dtype=object)[scenario]).where(used),
        peak_period=pd.Series(np.array(names.periods, dtype=object)[period]).where(used),
        peak_hour_of_week=np.where(used, hour, np.nan),
    )
    return table[list(ON_DEMAND.columns)]
