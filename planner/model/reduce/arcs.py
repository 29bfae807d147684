"""Arcs that no optimum needs.

Barred: an on-demand arc whose quota is 0; an arc whose data would cross a cap of 0, or any away arc under a
cross-region share of 0. Its flow is 0 in every plan, so its columns can go. (Caps below TINY gigabytes count as 0.)

Dominated: arc a, where arc b serves the same need by the same model on demand, has no quota, is guaranteed if a is,
costs no more in any slot, and stays at home or takes a's own route. Moving a's flow to b in any plan keeps balance, mix
and guarantee, frees capacity, quota and caps, and costs no more. So some optimum has no flow on a. (Of two arcs that
dominate each other, the first stays.) All arcs stay under stress: only capacity counts there, and `priced` says
nothing. No arc is left out for being dominated where a family has rows on flows and does not claim that they may move.
"""

from dataclasses import replace

import numpy as np

from planner.model.family import Reduction
from planner.model.sets import Bools, Sets
from planner.model.structure import refusing

TINY = 1e-9  # GB per month


def prune(sets: Sets) -> Sets:
    """Take out of the priced programme the arcs that no optimum needs."""
    arcs = sets.arcs
    kept = arcs["priced"].to_numpy(bool) & ~_barred(sets)
    if not refusing(sets, Reduction.ARCS):
        kept &= ~_dominated(sets, kept)
    return replace(sets, arcs=arcs.assign(priced=kept))


def _barred(sets: Sets) -> Bools:
    arcs = sets.arcs
    quota = np.append(sets.quotas["tokens_per_minute"].to_numpy(float), np.inf)[arcs["quota"].to_numpy(int)]
    barred = (quota <= 0) & (sets.quota_load > 0)
    if "cross_region_share" not in sets.left_out and sets.max_away_share is not None and sets.max_away_share <= 0:
        barred |= arcs["away"].to_numpy(bool)
    caps = sets.caps.iloc[:0] if "egress" in sets.left_out else sets.caps
    closed = {(o, s) for o, s, cap in caps.itertuples(index=False) if cap < TINY}
    if closed:
        ends = list(zip(arcs["origin"], arcs["region"]))
        there = np.array([pair in closed for pair in ends]) & (arcs["gb_in"] > 0).to_numpy()
        back = np.array([(s, o) in closed for o, s in ends]) & (arcs["gb_out"] > 0).to_numpy()
        barred |= (there | back) & arcs["away"].to_numpy(bool)
    return np.asarray(barred, bool)


def _dominated(sets: Sets, kept: Bools) -> Bools:
    arcs = sets.arcs
    dominated = np.zeros(len(arcs), bool)
    if not len(sets.slots):
        return dominated
    quota = np.append(sets.quotas["tokens_per_minute"].to_numpy(float), np.inf)[arcs["quota"].to_numpy(int)]
    unlimited = kept & ~arcs["reserved"].to_numpy(bool) & np.isinf(quota)
    if not unlimited.any():
        return dominated
    factors = sets.slots["price_factor"].to_numpy(float)
    usd, egress = arcs["usd"].to_numpy(float), arcs["egress_usd"].to_numpy(float)
    low, high = factors.min() * usd + egress, factors.max() * usd + egress  # linear in the factor: the ends decide
    away, sure = arcs["away"].to_numpy(bool), arcs["guaranteed"].to_numpy(bool)
    region = arcs["region"].to_numpy(object)
    for rows in arcs.groupby(["need", "model"], sort=False).indices.values():
        for b in rows[unlimited[rows]]:
            if dominated[b]:
                continue
            cheaper = (low[b] <= low[rows]) & (high[b] <= high[rows])
            equal = (low[b] == low[rows]) & (high[b] == high[rows])
            fits = (sure[b] | ~sure[rows]) & ((not away[b]) | (region[rows] == region[b]))
            first = ~(equal & unlimited[rows]) | (rows > b)
            dominated[rows[cheaper & fits & first & (rows != b)]] = True
    return dominated
