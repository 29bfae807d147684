"""What the dispatch asks of reserved units, hour by hour, and what the same requests would cost on demand."""

import numpy as np
import pandas as pd

from planner.results.derived import Derived
from planner.results.metrics.equivalent import on_demand_price
from planner.results.plan import Plan
from planner.schema.case import Case

SLOT = ["scenario", "period", "hour_of_week"]


def reserved_use(case: Case, plan: Plan, derived: Derived) -> pd.DataFrame:
    """Each reserved flow of the plan on each meter it loads.

    Columns: those of the dispatch with `pool` for supply; meter, deployment; used_units (with bursts, without
    headroom); units (with headroom: what rule 4 sets against the deployment); and on_demand_usd_per_hour of the same
    requests with the scenario's price factor, NaN where there is no on demand. Where a pool has several meters, that
    price is divided among them as the loads times each meter's lowest offer price.
    """
    pools = [p.pool for p in case.pools]
    flows = plan.dispatch[plan.dispatch["supply"].isin(pools)]
    return _on_units(case, flows.rename(columns={"supply": "pool"}), derived)


def convertible_use(case: Case, plan: Plan, derived: Derived) -> pd.DataFrame:
    """Each on-demand flow that a pool of its region and model could have served, as units of that pool.

    Of several such pools, the one with the largest deployment of the month counts, so that no flow counts twice.
    Columns as `reserved_use`.
    """
    pools = [p.pool for p in case.pools]
    flows = plan.dispatch[~plan.dispatch["supply"].isin(pools)].drop(columns="supply")
    deployed = plan.deployments.groupby(["pool", "period"], as_index=False, observed=True)[["units"]].sum()
    deployed = deployed.astype(dict.fromkeys(("pool", "period"), object))  # where nothing is deployed, they are numbers
    regions = pd.DataFrame([(p.pool, p.region) for p in case.pools], columns=["pool", "region"])
    served = pd.DataFrame(sorted({(t.pool, t.model) for t in case.throughput}), columns=["pool", "model"])
    home = deployed.merge(regions, on="pool").merge(served, on="pool")
    home = home.sort_values(["units", "pool"], ascending=[False, True]).drop_duplicates(["region", "model", "period"])
    flows = flows.merge(home[["region", "model", "period", "pool"]], on=["region", "model", "period"])
    return _on_units(case, flows, derived)


def _on_units(case: Case, flows: pd.DataFrame, derived: Derived) -> pd.DataFrame:
    factor = {s.scenario: s.on_demand_price_factor for s in case.scenarios}
    flows = flows.merge(_prices(derived), on=["workload", "origin", "region", "model"], how="left")
    usd = flows["requests_per_hour"] * flows["usd_per_request"] * flows["scenario"].map(factor).astype(float)
    use = flows.drop(columns="usd_per_request").assign(usd=usd)
    use = use.merge(_meter_shares(case, derived), on=["workload", "model", "region", "pool"])
    use["used_units"] = use["requests_per_hour"] * use["units_per_request"]
    use["units"] = use["used_units"] / use["usable_share"]
    use["on_demand_usd_per_hour"] = use["usd"] * use["meter_share"]
    return use.drop(columns=["usd", "units_per_request", "usable_share", "meter_share"])


def _prices(derived: Derived) -> pd.DataFrame:
    """Price of a request where it is served, else the cheapest within its origin's reach (metrics.equivalent)."""
    price = on_demand_price(derived)[["workload", "region", "model", "on_demand_usd"]]
    travel = derived.travel[["workload", "origin", "region"]]
    reach = travel.merge(price, on=["workload", "region"]).rename(columns={"on_demand_usd": "elsewhere_usd"})
    nearest = reach.groupby(["workload", "origin", "model"], as_index=False)[["elsewhere_usd"]].min()
    models = derived.options[["workload", "model"]].drop_duplicates()
    every = travel.merge(models, on="workload").merge(price, on=["workload", "region", "model"], how="left")
    every = every.merge(nearest, on=["workload", "origin", "model"], how="left")
    every["usd_per_request"] = every["on_demand_usd"].fillna(every["elsewhere_usd"])
    return every[["workload", "origin", "region", "model", "usd_per_request"]]


def _meter_shares(case: Case, derived: Derived) -> pd.DataFrame:
    """Add meter_share to the loads: the part of a request's price that a meter stands for."""
    loads, lowest = derived.loads, dict[tuple[str, str], float]()
    for offer in case.offers:
        key = offer.pool, offer.meter
        lowest[key] = min(lowest.get(key, offer.usd_per_unit_hour), offer.usd_per_unit_hour)
    price = np.array([lowest.get(key) or 1.0 for key in zip(loads["pool"], loads["meter"], strict=True)], dtype=float)
    weight = loads["units_per_request"] * price
    total = weight.groupby([loads[k] for k in ("workload", "pool", "model")]).transform("sum")
    return loads.assign(meter_share=(weight / total.where(total > 0)).fillna(1.0))
