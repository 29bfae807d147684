"""Overflow that a commitment would have served cheaper, by the hours that happened.

In each hour of a month reserved service and the on-demand flows that a pool could have served want w units; what one of
them serves costs v on demand. With L units in force, n more would have saved

    saving(n) = Σ over months of the term ( Σ over hours  min(max(w − L, 0), n) · v  −  n · price · hours )      [USD]

which is concave: the best n is where one unit more costs more than it saves. Sizes are kept (min_units, unit_step,
max_units); stress cases are not looked at, because more units never break one.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.features.review.tables import OVERFLOW_COLUMNS
from planner.plan.flows import Floats
from planner.plan.pool_months import PoolMonth
from planner.schema.capacity import Offer
from planner.schema.case import Case


def overflow(case: Case, months: Sequence[tuple[PoolMonth, float]], least_usd: float) -> pd.DataFrame:
    """Find for each pool the offer, months and units that would have saved most: columns OVERFLOW_COLUMNS.

    Parameters
    ----------
    months : each pool in each month with hours seen, and how many hours that is. least_usd : savings below are left
        out. An offer whose term is longer than the months reviewed counts with the months that were (`runs_on`).
    """
    rows = []
    meters = sorted({(m.region, m.pool, m.meter) for m, _ in months})
    for region, pool, meter in meters:
        own = sorted(
            ((m, hours) for m, hours in months if (m.pool, m.meter) == (pool, meter)), key=lambda x: x[0].start
        )
        best: tuple[float, tuple[object, ...]] | None = None
        for offer in case.offers:
            if (offer.pool, offer.meter) != (pool, meter):
                continue
            for first in range(len(own)):
                term = own[first : first + offer.term_months]
                units, served, cost = _best(offer, term, case.settings.policy.whole_units)
                row = (pool, meter, region, offer.offer, term[0][0].period, term[-1][0].period, units, served, cost,
                       served - cost, len(term) < offer.term_months)  # fmt: skip
                if units > 0 and served - cost >= max(least_usd, 1e-9) and (best is None or served - cost > best[0]):
                    best = served - cost, row
        if best is not None:
            rows.append(best[1])
    table = pd.DataFrame(rows, columns=list(OVERFLOW_COLUMNS))
    return table.sort_values(["saving_usd", "pool", "meter"], ascending=[False, True, True], ignore_index=True)


def _best(offer: Offer, term: Sequence[tuple[PoolMonth, float]], whole: bool) -> tuple[float, float, float]:
    """Units of an offer that save most over some months, what they serve at on-demand prices, and what they cost."""
    over = np.concatenate([np.maximum(m.wanted_units - m.level_units, 0.0) for m, _ in term])
    value = np.concatenate([m.usd_per_unit for m, _ in term])
    price = offer.usd_per_unit_hour * sum(hours for _, hours in term)
    best = 0.0, 0.0, 0.0
    for n in _sizes(offer, over, whole):
        served, cost = float((np.minimum(over, n) * value).sum()), n * price
        if served - cost > best[1] - best[2] + 1e-9:
            best = n, served, cost
    return best


def _sizes(offer: Offer, over: Floats, whole: bool) -> list[float]:
    """Sizes worth a look: the kinks of the curve, or the offer's sizes next to them."""
    most = np.inf if offer.max_units is None else offer.max_units
    kinks = np.unique(over[over > 0])
    if whole and offer.unit_step > 0:
        steps = (kinks - offer.min_units) / offer.unit_step
        near = np.unique(np.maximum(np.concatenate([np.floor(steps), np.ceil(steps)]), 0.0))
        kinks = offer.min_units + near * offer.unit_step
    elif whole:
        kinks = np.maximum(kinks, offer.min_units)
    return [float(n) for n in np.unique(kinks) if 0 < n <= most]
