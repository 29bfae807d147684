"""Keep: what changes against the last plan, where both could have a purchase.

|x − x_last| is convex, so it needs no switch: x − x_last is split into units more and units fewer, both at least 0 and
both charged, and at any optimum one of the two is 0. So it is exact for units of any size and for whole units alike.
"""

import numpy as np

from planner.model.columns import Columns, kept_purchases
from planner.model.family import Family, Reduction, Spans
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Sets


def keep(sets: Sets, at: Columns) -> Rows:
    r"""Tell units more and units fewer than in the last plan apart (only with `--keep`).

    x[offer,p] − more[offer,p] + fewer[offer,p]  =  x_last[offer,p]        for each kept offer, p       [units]
    """
    bought = kept_purchases(sets)
    row = np.arange(len(bought))
    last = sets.purchases["kept_units"].to_numpy(float)[bought] if len(bought) else np.zeros(0)
    return rows_by_key(
        "keep",
        {"purchase": bought},
        row,
        last,
        last,
        [
            Term(row, at.committed[bought], constant(len(row), 1.0)),
            Term(row, at.more, constant(len(row), -1.0)),
            Term(row, at.fewer, constant(len(row), 1.0)),
        ],
    )


KEEP = Family(
    name="keep",
    rule="keep",
    rows=keep,
    spans=Spans.METER,
    dual="what keeping one unit more of the last plan would cost, USD: at most the charge for a change",
    relaxed_by=None,
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
    kinds=("", ""),
)


def keep_limit(sets: Sets, at: Columns) -> Rows:
    r"""Change no more units than the fewest possible (only with `--keep inf`).

    Σ (more[offer,p] + fewer[offer,p])  ≤  fewest changes       one row      [units]
    """
    limited = sets.keep is not None and sets.keep.limited and len(at.more) > 0
    rows, changes = (1 if limited else 0), np.concatenate([at.more, at.fewer])
    most = float(sets.purchases["limit_units"].sum()) if limited else 0.0
    return rows_by_key(
        "keep_limit",
        {},
        np.zeros(rows, np.int64),
        constant(rows, -np.inf),
        constant(rows, most),
        [Term(np.zeros(len(changes), np.int64), changes, constant(len(changes), 1.0))],
    )


KEEP_LIMIT = Family(
    name="keep_limit",
    rule="keep",
    rows=keep_limit,
    spans=Spans.PART,
    dual="what one more unit changed would save, USD",
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
    kinds=("", ""),
)
