"""Rule 2: each model's share of a workload."""

from collections import Counter

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Spans
from planner.model.rows import Rows, Term, rows_by_key
from planner.model.sets import Floats, Ints, Sets


def mix(sets: Sets, at: Columns) -> Rows:
    r"""Keep each model's share of a workload's demand within its bounds.

        min_share[w,i] · d[o,w,τ]  ≤  Σ_{pool} y[o,w,i,·,τ] + Σ_{s,k} z[o,w,i,s,k,τ]  ≤  max_share[w,i] · d[o,w,τ]
                                                        for each o, w, model i, slot τ       [krph]

    Rows that cannot bind (a share from 0 to 1; the only model of a workload) are left out.
    """
    slots = len(sets.slots)
    share_of_arc, lower, upper = bounded_shares(sets)
    count = len(lower)
    flow_share = share_of_arc[at.flow_arc]
    used = flow_share >= 0
    # one row for each (need, bounded share, slot with demand)
    need, share = bounded_pairs(sets, count)
    pair, slot = np.nonzero(sets.demand[need] > 0) if len(need) else (np.empty(0, np.int64), np.empty(0, np.int64))
    demand = sets.demand[need[pair], slot]
    flow_need = sets.arcs["need"].to_numpy(int)[at.flow_arc]
    cap = upper[share[pair]]
    return rows_by_key(
        "mix",
        {"need": need[pair], "share": share[pair], "slot": slot},
        (need[pair] * count + share[pair]) * slots + slot,
        lower[share[pair]] * demand,
        np.where(cap < 1, cap * demand, np.inf),
        [
            Term(
                (flow_need * count + flow_share)[used] * slots + at.flow_slot[used], at.flows[used], np.ones(used.sum())
            )
        ],
    )


FAMILY = Family(
    name="mix",
    rule="2",
    rows=mix,
    spans=Spans.SLOT,
    dual="what a thousand requests per hour more of that model would save (negative: cost), USD over the horizon",
    relaxed_by="min_share or max_share",
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


def bounded_pairs(sets: Sets, count: int) -> tuple[Ints, Ints]:
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
