"""Rule 5: what is deployed is committed, or paid by the hour."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Spans
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Sets


def deployment(sets: Sets, at: Columns) -> Rows:
    r"""Deploy no more units of a pool than commitments in force and unreserved units.

    Σ_i v[pool,meter,i,p] − u[pool,meter,p] − Σ_{offers in force in p} x  ≤  earlier[pool,meter,p]
                                                    for each pool, meter, period p       [units]
    """
    periods = len(sets.periods)
    key = np.arange(len(sets.meters) * periods)
    meter, period = key // periods, key % periods
    part = sets.deployments["meter_row"].to_numpy(int)
    terms = [
        Term(
            (part[:, None] * periods + np.arange(periods)).ravel(), at.deployed.ravel(), constant(at.deployed.size, 1.0)
        )
    ]
    priced = at.unreserved.ravel() >= 0
    terms.append(Term(key[priced], at.unreserved.ravel()[priced], constant(int(priced.sum()), -1.0)))
    bought = sets.purchases
    start, last = bought["period"].to_numpy(int), bought["last_period"].to_numpy(int)
    span = last - start + 1
    purchase = np.repeat(np.arange(len(bought)), span)
    when = start[purchase] + np.arange(len(purchase)) - np.repeat(np.cumsum(span) - span, span)
    of_meter = bought["meter_row"].to_numpy(int)[purchase]
    terms.append(Term(of_meter * periods + when, at.committed[purchase], constant(len(purchase), -1.0)))
    return rows_by_key(
        "deployment",
        {"meter": meter, "period": period},
        key,
        constant(len(key), -np.inf),
        sets.earlier.ravel(),
        terms,
    )


FAMILY = Family(
    name="deployment",
    rule="5",
    rows=deployment,
    spans=Spans.METER,
    dual="what one more committed unit is worth in the period, USD",
    relaxed_by=None,
    allows=EVERY_REDUCTION,
    kinds=("", "deployment"),
)
