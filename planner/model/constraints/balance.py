"""Rule 1: everything asked for is served."""

import numpy as np

from planner.model.arrivals import arrivals
from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Relaxed, Spans
from planner.model.rows import Rows, Term, joined
from planner.model.sets import Sets


def balance(sets: Sets, at: Columns) -> Rows:
    r"""Serve all demand of an origin and workload, from reserved units or on demand.

    Σ_{i,pool} y[o,w,i,pool,τ] + Σ_{i,s,k} z[o,w,i,s,k,τ] = d[o,w,τ]       for each o, w, slot τ       [krph]
    """
    need, slot = np.nonzero(sets.demand > 0)
    demand = sets.demand[need, slot]
    came = arrivals(sets, at)
    where = {"need": came.need, "slot": came.slot}
    return joined("balance", {"need": need, "slot": slot}, (demand, demand), [Term(where, came.column, 1.0)])


FAMILY = Family(
    name="balance",
    rule="1",
    rows=balance,
    spans=Spans.SLOT,
    dual="marginal cost of serving one more thousand requests per hour in the slot, USD over the horizon",
    relaxed_by=Relaxed.NEVER,
    of_demand=True,
    by_arrival=True,
    allows=EVERY_REDUCTION,
    kinds=("", ""),
)
