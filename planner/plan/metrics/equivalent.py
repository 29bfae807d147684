"""The on-demand price of any request: what it would have cost where it was served, had no unit been reserved."""

import numpy as np

from planner.plan.flows import Floats
from planner.plan.metrics.basis import Basis


def equivalent_usd(basis: Basis) -> Floats:
    """On-demand price of one request of each way, USD; NaN where its model is not sold on demand within reach.

    A request that was served on demand has the price it paid. One that reserved units served has the price of its model
    in its region; where that region does not sell it, the cheapest among the regions that its origin may use.
    """
    ways = basis.flows.ways
    price = basis.reading.prices.of_ways(basis.names, basis.flows)
    found: Floats = np.where(ways["reserved"], price, ways["on_demand_usd"])
    return found
