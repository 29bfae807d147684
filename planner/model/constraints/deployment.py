"""Rule 5: what is deployed is committed, or paid by the hour."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Relaxed, Spans
from planner.model.rows import Rows, Term, joined
from planner.model.sets import Ints, Sets


def months_in_force(sets: Sets) -> tuple[Ints, Ints]:
    """Purchase and period of every month in which a purchase is in force."""
    start, last = (sets.purchases[name].to_numpy(int) for name in ("period", "last_period"))
    span = last - start + 1
    purchase = np.repeat(np.arange(len(span)), span)
    return purchase, start[purchase] + np.arange(len(purchase)) - np.repeat(np.cumsum(span) - span, span)


def deployment(sets: Sets, at: Columns) -> Rows:
    r"""Deploy no more units of a pool than commitments in force and unreserved units.

    Σ_i v[pool,meter,i,p] − u[pool,meter,p] − Σ_{offers in force in p} x  ≤  earlier[pool,meter,p]
                                                    for each pool, meter, period p       [units]
    """
    meter, period = (axis.ravel() for axis in np.indices(sets.earlier.shape))
    part, when = (axis.ravel() for axis in np.indices(at.deployed.shape))
    placed = {"meter": sets.deployments["meter_row"].to_numpy(int)[part], "period": when}
    priced = at.unreserved.ravel() >= 0
    beyond = {"meter": meter[priced], "period": period[priced]}
    purchase, month = months_in_force(sets)
    bought = {"meter": sets.purchases["meter_row"].to_numpy(int)[purchase], "period": month}
    terms = [
        Term(placed, at.deployed.ravel(), 1.0),
        Term(beyond, at.unreserved.ravel()[priced], -1.0),
        Term(bought, at.committed[purchase], -1.0),
    ]
    return joined("deployment", {"meter": meter, "period": period}, (-np.inf, sets.earlier.ravel()), terms)


FAMILY = Family(
    name="deployment",
    rule="5",
    rows=deployment,
    spans=Spans.METER,
    dual="what one more committed unit is worth in the period, USD",
    relaxed_by=Relaxed.NEVER,
    allows=EVERY_REDUCTION,
    kinds=("", "deployment"),
)
