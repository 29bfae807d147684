"""Rule 3: the share served by capacity that is sure."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Asked, Cell, Family, Spans
from planner.model.rows import Rows, Term, joined
from planner.model.sets import Floats, Sets


def guaranteed(sets: Sets, at: Columns) -> Rows:
    r"""Serve a share of the demand by reserved units or guaranteed on-demand options.

    Σ y[o,w,·,·,τ] + Σ_{k guaranteed} z[o,w,·,·,k,τ]  ≥  guaranteed_share[w] · d[o,w,τ]
                                                    for each o, w with a share, slot τ       [krph]
    """
    share = sets.needs["guaranteed_share"].to_numpy(float)
    need, slot = np.nonzero((sets.demand > 0) & (share > 0)[:, None])
    of_flow = sets.arcs["need"].to_numpy(int)[at.flow_arc]
    sure = sets.arcs["guaranteed"].to_numpy(bool)[at.flow_arc] & (share[of_flow] > 0)
    where = {"need": of_flow[sure], "slot": at.flow_slot[sure]}
    least = share[need] * sets.demand[need, slot]
    return joined("guaranteed", {"need": need, "slot": slot}, (least, np.inf), [Term(where, at.flows[sure], 1.0)])


def _demand_of_rows(sets: Sets, rows: Rows) -> Floats:
    """Demand of each row, krph."""
    demand: Floats = sets.demand[rows.index["need"], rows.index["slot"]]
    return demand


FAMILY = Family(
    name="guaranteed",
    rule="3",
    rows=guaranteed,
    spans=Spans.SLOT,
    dual="what a thousand requests per hour less of the guarantee would save, USD over the horizon",
    relaxed_by=Cell(
        "workloads", "guaranteed_share", "share", (("workload", "workload"),), Asked.PROMISE, _demand_of_rows
    ),
    of_demand=True,
    allows=EVERY_REDUCTION,
    kinds=("guaranteed", ""),
)
