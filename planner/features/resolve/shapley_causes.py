r"""The Shapley value of causes, where some mixtures of old and new may have no plan.

Let N be the causes that differ and v(S) the cost of the cheapest plan with the causes S as they are now and the others
as they were. Cause i gets the mean, over the orders in which the causes can be taken one after another, of what it adds
when its turn comes (Shapley 1953):

    φ[i] = Σ_{S ⊆ N∖i}  a(S) · b(S ∪ i) / a(N) · (v(S ∪ i) − v(S))

a(S) is the number of orders that lead from nothing to S, b(S) of those from S to N. Where every mixture has a plan,
a(S) = |S|! and b(S) = (|N| − |S|)!, and this is the ordinary Shapley value. Where some S has no plan, only the orders
count all of whose steps have plans: the value for causes under precedence (Faigle and Kern 1992). Along each order
the additions sum to v(N) − v(∅), so their mean does too: Σ φ = v(N) − v(∅), always. And no order is preferred.

Where no order has plans at all its steps, some causes cannot be separated (a model withdrawn and the mix that stops to
use it). Of the ways from nothing to N in steps of several causes, take those with the most steps; causes that one of
them takes in one step are joined, and the value is worked out for the joined causes; again, until an order exists.
"""

import math
from collections.abc import Callable, Sequence

Cost = Callable[[frozenset[str]], float | None]


def shapley(causes: Sequence[str], cost: Cost) -> list[tuple[tuple[str, ...], float]]:
    """Attribute v(N) − v(∅) to causes, or to groups of causes that cannot be separated.

    Parameters
    ----------
    causes : N. cost : v, None where there is no plan; v(∅) and v(N) must exist.

    Returns
    -------
    (causes, USD), in the order given; the dollars sum to v(N) − v(∅).
    """
    blocks: list[tuple[str, ...]] = [(cause,) for cause in causes]
    while True:
        value = _values(blocks, cost)
        paths = _orders(len(blocks), value)
        if paths[0][-1]:
            return [(block, _share(k, value, *paths)) for k, block in enumerate(blocks)]
        blocks = _joined(blocks, value)


def _values(blocks: Sequence[tuple[str, ...]], cost: Cost) -> list[float | None]:
    """V of every set of blocks, by bit mask."""
    return [
        cost(frozenset(cause for k, block in enumerate(blocks) if mask >> k & 1 for cause in block))
        for mask in range(1 << len(blocks))
    ]


def _orders(count: int, value: Sequence[float | None]) -> tuple[list[int], list[int]]:
    """Count the orders with plans at all steps, from nothing to each set and from each set to all."""
    size, every = 1 << count, (1 << count) - 1
    before, after = [0] * size, [0] * size
    before[0] = after[every] = 1
    for mask in range(1, size):
        if value[mask] is not None:
            before[mask] = sum(before[mask & ~(1 << k)] for k in range(count) if mask >> k & 1)
    for mask in reversed(range(every)):
        if value[mask] is not None:
            after[mask] = sum(after[mask | (1 << k)] for k in range(count) if not mask >> k & 1)
    return before, after


def _share(k: int, value: Sequence[float | None], before: Sequence[int], after: Sequence[int]) -> float:
    """φ of one block."""
    bit, terms = 1 << k, []
    for mask, usd in enumerate(value):
        then = value[mask | bit]
        if mask & bit or usd is None or then is None:
            continue
        orders = before[mask] * after[mask | bit]
        if orders:
            terms.append(orders / before[-1] * (then - usd))
    return math.fsum(terms)


def _joined(blocks: list[tuple[str, ...]], value: Sequence[float | None]) -> list[tuple[str, ...]]:
    """Join blocks that a way with the most steps takes in one step."""
    have = [mask for mask, usd in enumerate(value) if usd is not None]
    before = {mask: 0 if mask == 0 else -1 for mask in have}  # most steps from nothing; -1: no way
    after = dict.fromkeys(have, -1)
    after[have[-1]] = 0
    pairs = [(s, t) for t in have for s in have if s != t and s & t == s]
    for s, t in pairs:  # t ascends, and a subset's mask is smaller
        before[t] = max(before[t], before[s] + 1)
    for s, t in sorted(pairs, key=lambda pair: -pair[0]):
        after[s] = max(after[s], after[t] + 1)
    most, group = before[have[-1]], list(range(len(blocks)))
    for s, t in pairs:
        if before[s] + 1 + after[t] == most:
            taken = [k for k in range(len(blocks)) if (t & ~s) >> k & 1]
            old = {group[k] for k in taken}
            group = [min(old) if g in old else g for g in group]
    return [
        tuple(cause for k, block in enumerate(blocks) if group[k] == g for cause in block) for g in sorted(set(group))
    ]
