"""The shares of models that come nearest to a target of tiers, within a workload's allowed shares.

A tier's share of a workload can be anything from the sum of its models' min_share to the sum of their max_share (0
where the workload's mix has no model of the tier). The nearest permitted shares are those with

    the least total deviation   Σ_tiers |share − target|, and of these
    the least distance          |Σ_small − target| + |Σ_small+mid − target|: what a tier cannot take, or must take, is
                                exchanged with the tier next to it; where both neighbours are as near, with the better.

They follow in closed form: each target is cut to its limits; what is then missing (or too much) is given to (or taken
from) tiers with room in one of the six orders, and the best of the six is taken. Within a tier each model has its
min_share, and the rest goes to the models as the plan of the mix as it is gives it to them, up to their max_share.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations

from planner.features.mix.mix_tables import TIERS
from planner.schema.workloads import Mix

_DUST = 1e-12


def nearest(target: Mapping[str, float], low: Mapping[str, float], high: Mapping[str, float]) -> dict[str, float]:
    """Find the permitted shares of tiers that are nearest to a target.

    Parameters
    ----------
    target, low, high : by each of TIERS; the target adds up to 1, low to at most 1, high to at least 1.
    """
    cut = {tier: min(max(target[tier], low[tier]), high[tier]) for tier in TIERS}
    found = [_filled(cut, low, high, order) for order in permutations(reversed(TIERS))]
    return min(found, key=lambda shares: (round(_deviation(shares, target), 12), round(_distance(shares, target), 12)))


def model_shares(rows: Sequence[Mix], share: float, as_is: Mapping[str, float]) -> dict[str, float]:
    """Divide a tier's share of a workload among its models.

    Parameters
    ----------
    rows : rows of the mix: the tier's models. share : between the sums of their limits.
    as_is : share of each model in the plan of the mix as it is.
    """
    found = {row.model: row.min_share for row in rows}
    room = {row.model: row.max_share - row.min_share for row in rows}
    rest = share - sum(found.values())
    while rest > _DUST and any(room.values()):
        open_ = [model for model in found if room[model] > 0]
        weight = {model: max(0.0, as_is.get(model, 0.0) - found[model]) for model in open_}
        if not any(weight.values()):
            weight = dict.fromkeys(open_, 1.0)
        whole, given = sum(weight.values()), 0.0
        for model in open_:
            part = min(room[model], rest * weight[model] / whole)
            found[model], room[model], given = found[model] + part, room[model] - part, given + part
            room[model] = room[model] if room[model] > _DUST else 0.0
        rest -= given
    return found


def _filled(
    cut: Mapping[str, float], low: Mapping[str, float], high: Mapping[str, float], order: Sequence[str]
) -> dict[str, float]:
    """Give what is missing to 1, or take what is too much, in this order."""
    shares = dict(cut)
    for tier in order:
        missing = 1 - sum(shares.values())
        shares[tier] += (
            min(missing, high[tier] - shares[tier]) if missing > 0 else max(missing, low[tier] - shares[tier])
        )
    return shares


def _deviation(shares: Mapping[str, float], target: Mapping[str, float]) -> float:
    return sum(abs(shares[tier] - target[tier]) for tier in TIERS)


def _distance(shares: Mapping[str, float], target: Mapping[str, float]) -> float:
    total, away = 0.0, 0.0
    for tier in TIERS[:-1]:
        total += shares[tier] - target[tier]
        away += abs(total)
    return away
