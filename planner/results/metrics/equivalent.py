"""The on-demand price of any request: what it would have cost where it was served, had no unit been reserved."""

import numpy as np
import pandas as pd

from planner.results.derived import Derived
from planner.results.flows import Floats
from planner.results.metrics.basis import Basis


def on_demand_price(derived: Derived) -> pd.DataFrame:
    """Price of one request on demand by workload, region and model, before the scenario's factor.

    The cheapest option there that is not a guaranteed tier; where only a guaranteed tier is sold, that. Columns
    workload, region, model, option, on_demand_usd, quota_per_request; no row where nothing is sold.
    """
    options = derived.options.sort_values(["guaranteed", "on_demand_usd"], kind="stable")
    first = options.drop_duplicates(["workload", "region", "model"])
    return first[["workload", "region", "model", "option", "on_demand_usd", "quota_per_request"]]


def equivalent_usd(basis: Basis) -> Floats:
    """On-demand price of one request of each way, USD; NaN where its model is not sold on demand within reach.

    A request that was served on demand has the price it paid. One that reserved units served has the price of its model
    in its region; where that region does not sell it, the cheapest among the regions that its origin may use.
    """
    ways = basis.flows.ways
    prices = on_demand_price(basis.derived)
    here = ways[["workload", "region", "model"]].merge(prices, on=["workload", "region", "model"], how="left")
    near = basis.derived.travel[["workload", "origin", "region"]].merge(prices, on=["workload", "region"])
    cheapest = near.groupby(["workload", "origin", "model"], as_index=False)["on_demand_usd"].min()
    else_where = ways[["workload", "origin", "model"]].merge(cheapest, on=["workload", "origin", "model"], how="left")
    price = here["on_demand_usd"].fillna(else_where["on_demand_usd"]).to_numpy(float)
    found: Floats = np.where(ways["reserved"], price, ways["on_demand_usd"])
    return found
