"""Rule 1: everything asked for is served."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Spans
from planner.model.rows import Rows, Term, rows_by_key
from planner.model.sets import Sets


def balance(sets: Sets, at: Columns) -> Rows:
    r"""Serve all demand of an origin and workload, from reserved units or on demand.

    Σ_{i,pool} y[o,w,i,pool,τ] + Σ_{i,s,k} z[o,w,i,s,k,τ] = d[o,w,τ]       for each o, w, slot τ       [krph]
    """
    slots = len(sets.slots)
    need, slot = np.nonzero(sets.demand > 0)
    demand = sets.demand[need, slot]
    flow_need = sets.arcs["need"].to_numpy(int)[at.flow_arc]
    return rows_by_key(
        "balance",
        {"need": need, "slot": slot},
        need * slots + slot,
        demand,
        demand,
        [Term(flow_need * slots + at.flow_slot, at.flows, np.ones(len(at.flow_arc)))],
    )


FAMILY = Family(
    name="balance",
    rule="1",
    rows=balance,
    spans=Spans.SLOT,
    dual="marginal cost of serving one more thousand requests per hour in the slot, USD over the horizon",
    relaxed_by="tokens_per_minute_quota or max_units",
    allows=EVERY_REDUCTION,
    kinds=("", ""),
)
