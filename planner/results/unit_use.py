"""What the dispatch asks of reserved units, hour by hour, and what the same requests would cost on demand."""

import numpy as np
import pandas as pd

from planner.results.plan import Plan
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.schema.case import Case
from planner.schema.on_demand import OnDemand
from planner.schema.workloads import Workload
from planner.units import MINUTES_PER_HOUR, TOKENS_PER_MTOK

SLOT = ["scenario", "period", "hour_of_week"]


def unit_loads(case: Case) -> pd.DataFrame:
    """Units that one request per hour takes (model.md section 2), one row a workload of the mix, pool, meter and model.

    Columns: workload, pool, meter, model, region, deployment ("*" in a shared pool), units_per_rph (with bursts),
    kept_units_per_rph (also divided by 1 - reserved_headroom: what rule 4 sets against the deployment).
    """
    workloads = {w.workload: w for w in case.workloads}
    pools = {p.pool: p for p in case.pools}
    rows = []
    for t in case.throughput:
        for m in case.mix:
            if m.model != t.model:
                continue
            w, pool = workloads[m.workload], pools[t.pool]
            fresh, cached, written, out = _tokens(w, w.cache_hit_rate)
            write_weight = t.input_weight if t.cache_write_weight is None else t.cache_write_weight
            weighted = (
                fresh * t.input_weight + cached * t.cached_input_weight + written * write_weight + out * t.output_weight
            )
            units = w.burst_factor * weighted / (MINUTES_PER_HOUR * t.tokens_per_minute_per_unit)
            deployment = SHARED_DEPLOYMENT if pool.shared_hourly else t.model
            kept = units / (1 - case.reserved_headroom(w))
            rows.append((w.workload, t.pool, t.meter, t.model, pool.region, deployment, units, kept))
    names = ["workload", "pool", "meter", "model", "region", "deployment", "units_per_rph", "kept_units_per_rph"]
    return pd.DataFrame(rows, columns=names)


def on_demand_prices(case: Case) -> pd.DataFrame:
    """Price of one request on demand, before the scenario's factor: the cheapest option that is not a guaranteed tier.

    Columns: workload, region, model, usd_per_request. A model without on demand in a region has no row.
    """
    rows: dict[tuple[str, str, str], tuple[bool, float]] = {}
    for option in case.on_demand:
        for m in case.mix:
            if m.model != option.model:
                continue
            w = next(w for w in case.workloads if w.workload == m.workload)
            key, found = (w.workload, option.region, option.model), (option.guaranteed, _usd(w, option))
            rows[key] = min(rows.get(key, found), found)
    names = ["workload", "region", "model", "usd_per_request"]
    return pd.DataFrame([(*key, usd) for key, (_, usd) in sorted(rows.items())], columns=names)


def reserved_use(case: Case, plan: Plan) -> pd.DataFrame:
    """Each reserved flow of the plan on each meter it loads.

    Columns: those of the dispatch with `pool` for supply, meter, deployment, units (rule 4's: with bursts and headroom),
    and on_demand_usd_per_hour of the same requests with the scenario's price factor. Where a pool has several meters,
    that price is divided among them as the loads times each meter's lowest offer price. NaN: no on demand there.
    """
    pools = [p.pool for p in case.pools]
    flows = plan.dispatch[plan.dispatch["supply"].isin(pools)]
    return _on_units(case, flows.rename(columns={"supply": "pool"}))


def convertible_use(case: Case, plan: Plan) -> pd.DataFrame:
    """Each on-demand flow that a pool of its region and model could have served, as units of that pool.

    Of several such pools, the one with the largest deployment of the month counts, so that no flow counts twice.
    Columns as `reserved_use`.
    """
    pools = [p.pool for p in case.pools]
    flows = plan.dispatch[~plan.dispatch["supply"].isin(pools)].drop(columns="supply")
    deployed = plan.deployments.groupby(["pool", "period"], as_index=False)["units"].sum()
    regions = pd.DataFrame([(p.pool, p.region) for p in case.pools], columns=["pool", "region"])
    served = pd.DataFrame(sorted({(t.pool, t.model) for t in case.throughput}), columns=["pool", "model"])
    home = deployed.merge(regions, on="pool").merge(served, on="pool")
    home = home.sort_values(["units", "pool"], ascending=[False, True]).drop_duplicates(["region", "model", "period"])
    return _on_units(case, flows.merge(home[["region", "model", "period", "pool"]], on=["region", "model", "period"]))


def slot_weeks(case: Case) -> pd.DataFrame:
    """How many of each hour of the week are expected: scenario, period, weeks (probability x weeks of the month)."""
    rows = [(s.scenario, p.name, s.probability * p.weeks) for s in case.scenarios for p in case.periods]
    return pd.DataFrame(rows, columns=["scenario", "period", "weeks"])


def _on_units(case: Case, flows: pd.DataFrame) -> pd.DataFrame:
    flows = flows.reset_index(drop=True)
    factor = {s.scenario: s.on_demand_price_factor for s in case.scenarios}
    flows = flows.merge(on_demand_prices(case), on=["workload", "region", "model"], how="left")
    usd = flows["requests_per_hour"] * flows["usd_per_request"] * flows["scenario"].map(factor).astype(float)
    flows = flows.drop(columns="usd_per_request").assign(flow=np.arange(len(flows)), usd=usd)
    use = flows.merge(_meter_shares(case), on=["workload", "model", "region", "pool"])
    use["units"] = use["requests_per_hour"] * use["kept_units_per_rph"]
    use["on_demand_usd_per_hour"] = use["usd"] * use["meter_share"]
    return use.drop(columns=["flow", "usd", "units_per_rph", "kept_units_per_rph", "meter_share"])


def _meter_shares(case: Case) -> pd.DataFrame:
    """`unit_loads` with meter_share: the part of a request's price that a meter stands for."""
    loads = unit_loads(case)
    lowest: dict[tuple[str, str], float] = {}
    for offer in case.offers:
        key = offer.pool, offer.meter
        lowest[key] = min(lowest.get(key, offer.usd_per_unit_hour), offer.usd_per_unit_hour)
    price = [lowest.get(key) or 1.0 for key in zip(loads["pool"], loads["meter"], strict=True)]
    weight = loads["kept_units_per_rph"] * price
    total = weight.groupby([loads[k] for k in ("workload", "pool", "model")]).transform("sum")
    return loads.assign(meter_share=(weight / total.where(total > 0)).fillna(1.0))


def _tokens(w: Workload, hit: float) -> tuple[float, float, float, float]:
    return (
        w.input_tokens * (1 - hit - w.cache_write_rate),
        w.input_tokens * hit,
        w.input_tokens * w.cache_write_rate,
        w.output_tokens,
    )


def _usd(w: Workload, option: OnDemand) -> float:
    hit = w.cache_hit_rate if w.on_demand_cache_hit_rate is None else w.on_demand_cache_hit_rate
    fresh, cached, written, out = _tokens(w, hit)
    fresh_usd = option.usd_per_mtok_input
    cached_usd = fresh_usd if option.usd_per_mtok_cached_input is None else option.usd_per_mtok_cached_input
    written_usd = fresh_usd if option.usd_per_mtok_cache_write is None else option.usd_per_mtok_cache_write
    return (
        fresh * fresh_usd + cached * cached_usd + written * written_usd + out * option.usd_per_mtok_output
    ) / TOKENS_PER_MTOK
