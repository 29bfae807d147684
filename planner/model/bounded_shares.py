"""Which shares of the mix bind: rows of `Sets.shares` that bound the models of a workload."""

from collections import Counter

import numpy as np

from planner.model.sets import Floats, Ints, Sets


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
