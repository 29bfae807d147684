"""Rule 3: the share served by capacity that is sure."""

import numpy as np

from planner.model.arrivals import arrivals
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
    came = arrivals(sets, at)
    sure = came.guaranteed & (share[came.need] > 0)
    where = {"need": came.need[sure], "slot": came.slot[sure]}
    least = share[need] * sets.demand[need, slot]
    return joined("guaranteed", {"need": need, "slot": slot}, (least, np.inf), [Term(where, came.column[sure], 1.0)])


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
    by_arrival=True,
    allows=EVERY_REDUCTION,
    kinds=("guaranteed", ""),
)
