"""Rule 2: each model's share of a workload."""

from collections import Counter

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Relaxed, Spans
from planner.model.rows import Rows, Term, joined
from planner.model.sets import Floats, Ints, Sets


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
    used = share_of_arc[at.flow_arc] >= 0
    arc = at.flow_arc[used]
    where = {"need": sets.arcs["need"].to_numpy(int)[arc], "share": share_of_arc[arc], "slot": at.flow_slot[used]}
    bounds = (low * demand, np.where(high < 1, high * demand, np.inf))
    return joined("mix", index, bounds, [Term(where, at.flows[used], 1.0)])


FAMILY = Family(
    name="mix",
    rule="2",
    rows=mix,
    spans=Spans.SLOT,
    dual="what a thousand requests per hour more of that model would save (negative: cost), USD over the horizon",
    relaxed_by=Relaxed.NEVER,
    of_demand=True,
    allows=EVERY_REDUCTION,
    kinds=("mix_low", "mix_high"),
)


def bounded_shares(sets: Sets) -> tuple[Ints, Floats, Floats]:
    """Row of `shares` that bounds each arc (-1: none binds), and the bounds of every row of `shares`."""
    models = models_of_workload(sets)
    low, high = sets.shares["min_share"].to_numpy(float), sets.shares["max_share"].to_numpy(float)
    binds = ((low > 0) & (models > 1)) | (high < 1)
    number = {
        key: k if bound else -1
        for k, (key, bound) in enumerate(zip(zip(sets.shares["workload"], sets.shares["model"]), binds))
    }
    of_arc = [number[key] for key in zip(sets.arcs["workload"], sets.arcs["model"])]
    return np.array(of_arc, dtype=np.int64), low, high


def bounded_pairs(sets: Sets) -> tuple[Ints, Ints]:
    """All (need, row of `shares`) that have a bound, sorted: also those that no arc can serve."""
    models = models_of_workload(sets)
    by_workload: dict[str, list[int]] = {}
    for k, (w, low, high, n) in enumerate(
        zip(sets.shares["workload"], sets.shares["min_share"], sets.shares["max_share"], models)
    ):
        if (low > 0 and n > 1) or high < 1:
            by_workload.setdefault(w, []).append(k)
    pairs = [(k, share) for k, w in enumerate(sets.needs["workload"]) for share in by_workload.get(w, ())]
    array = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def models_of_workload(sets: Sets) -> Ints:
    """How many models may serve the workload of each row of `shares`."""
    count = Counter(sets.shares["workload"])
    return np.array([count[name] for name in sets.shares["workload"]], dtype=np.int64)
