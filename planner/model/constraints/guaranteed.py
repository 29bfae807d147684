"""Rule 3: the share served by capacity that is sure."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Spans
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Sets


def guaranteed(sets: Sets, at: Columns) -> Rows:
    r"""Serve a share of the demand by reserved units or guaranteed on-demand options.

    Σ y[o,w,·,·,τ] + Σ_{k guaranteed} z[o,w,·,·,k,τ]  ≥  guaranteed_share[w] · d[o,w,τ]
                                                    for each o, w with a share, slot τ       [krph]
    """
    slots = len(sets.slots)
    share = sets.needs["guaranteed_share"].to_numpy(float)
    need, slot = np.nonzero((sets.demand > 0) & (share > 0)[:, None])
    sure = sets.arcs["guaranteed"].to_numpy(bool)[at.flow_arc]
    flow_need = sets.arcs["need"].to_numpy(int)[at.flow_arc]
    return rows_by_key(
        "guaranteed",
        {"need": need, "slot": slot},
        need * slots + slot,
        share[need] * sets.demand[need, slot],
        constant(len(need), np.inf),
        [Term((flow_need * slots + at.flow_slot)[sure], at.flows[sure], np.ones(sure.sum()))],
    )


FAMILY = Family(
    name="guaranteed",
    rule="3",
    rows=guaranteed,
    spans=Spans.SLOT,
    dual="what a thousand requests per hour less of the guarantee would save, USD over the horizon",
    relaxed_by="guaranteed_share",
    allows=EVERY_REDUCTION,
    kinds=("guaranteed", ""),
)
