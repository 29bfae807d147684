"""Rule 2: each model's share of a workload."""

import numpy as np

from planner.model.arrivals import arrivals
from planner.model.bounded_shares import bounded_pairs, bounded_shares
from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Relaxed, Spans
from planner.model.rows import Rows, Term, joined
from planner.model.sets import Sets


def mix(sets: Sets, at: Columns) -> Rows:
    r"""Keep each model's share of a workload's demand within its bounds.

        min_share[w,i] · d[o,w,τ]  ≤  Σ_{pool} y[o,w,i,·,τ] + Σ_{s,k} z[o,w,i,s,k,τ]  ≤  max_share[w,i] · d[o,w,τ]
                                                        for each o, w, model i, slot τ       [krph]

    Rows that cannot bind (a share from 0 to 1; the only model of a workload) are left out.
    """
    share_of_arc, lower, upper = bounded_shares(sets)
    # one row for each (need, bounded share, slot with demand)
    need, share = bounded_pairs(sets)
    pair, slot = np.nonzero(sets.demand[need] > 0)
    index = {"need": need[pair], "share": share[pair], "slot": slot}
    demand = sets.demand[index["need"], slot]
    low, high = lower[index["share"]], upper[index["share"]]
    came = arrivals(sets, at, share_of_arc)
    used = came.share >= 0
    where = {"need": came.need[used], "share": came.share[used], "slot": came.slot[used]}
    bounds = (low * demand, np.where(high < 1, high * demand, np.inf))
    return joined("mix", index, bounds, [Term(where, came.column[used], 1.0)])


FAMILY = Family(
    name="mix",
    rule="2",
    rows=mix,
    spans=Spans.SLOT,
    dual="what a thousand requests per hour more of that model would save (negative: cost), USD over the horizon",
    relaxed_by=Relaxed.NEVER,
    of_demand=True,
    by_arrival=True,
    allows=EVERY_REDUCTION,
    kinds=("mix_low", "mix_high"),
)
