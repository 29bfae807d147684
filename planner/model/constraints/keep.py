"""Keep: what changes against the last plan, where both could have a purchase.

|x − x_last| is convex, so it needs no switch: x − x_last is split into units more and units fewer, both at least 0 and
both charged, and at any optimum one of the two is 0. So it is exact for units of any size and for whole units alike.
"""

import numpy as np

from planner.model.columns import Columns, kept_purchases
from planner.model.family import Family, Reduction, Relaxed, Spans
from planner.model.rows import Rows, Term, joined, no_rows
from planner.model.sets import Sets


def keep(sets: Sets, at: Columns) -> Rows:
    r"""Tell units more and units fewer than in the last plan apart (only with `--keep`).

    x[offer,p] − more[offer,p] + fewer[offer,p]  =  x_last[offer,p]        for each kept offer, p       [units]
    """
    bought = kept_purchases(sets)
    if not len(bought):
        return no_rows("keep", "purchase")
    where, last = {"purchase": bought}, sets.purchases["kept_units"].to_numpy(float)[bought]
    terms = [Term(where, at.committed[bought], 1.0), Term(where, at.more, -1.0), Term(where, at.fewer, 1.0)]
    return joined("keep", where, (last, last), terms)


KEEP = Family(
    name="keep",
    rule="keep",
    rows=keep,
    spans=Spans.METER,
    dual="what keeping one unit more of the last plan would cost, USD: at most the charge for a change",
    relaxed_by=Relaxed.NEVER,
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
    kinds=("", ""),
)


def keep_limit(sets: Sets, at: Columns) -> Rows:
    r"""Change no more units than the fewest possible (only with `--keep inf`).

    Σ (more[offer,p] + fewer[offer,p])  ≤  fewest changes       one row      [units]
    """
    if sets.keep is None or not sets.keep.limited or not len(at.more):
        return no_rows("keep_limit")
    most = float(sets.purchases["limit_units"].sum())
    return joined("keep_limit", {}, (-np.inf, most), [Term({}, np.concatenate([at.more, at.fewer]), 1.0)])


KEEP_LIMIT = Family(
    name="keep_limit",
    rule="keep",
    rows=keep_limit,
    spans=Spans.PART,
    dual="what one more unit changed would save, USD",
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
    kinds=("", ""),
)
