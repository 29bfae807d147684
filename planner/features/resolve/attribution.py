"""Why the cost changed: the Shapley value of the causes, each mixture of old and new solved as a case of its own."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.features.resolve.causes import CAUSES, GROUPS
from planner.features.resolve.changes import Cause
from planner.features.resolve.hybrid import Hybrids
from planner.plan.plan import Plan, Status
from planner.schema.case import Case
from planner.solver.find import Options, find_cost

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


EACH, BY_GROUP, NONE, AUTO = "each", "groups", "none", "auto"
MOST_EACH = 8  # causes that are taken one by one where that is left to us: 2^8 plans
PLANS = "plans"


@dataclass(frozen=True)
class Attribution:
    """Causes whose dollars add up to the change; what gaps leave open in each; the number of mixtures solved."""

    causes: tuple[Cause, ...]
    exact_to_usd: float
    solves: int


def attribute(
    old: tuple[Case, Plan],
    new: tuple[Case, Plan],
    options: Options,
    detail: str = AUTO,
    progress: Callable[[int, int], None] | None = None,
) -> Attribution:
    """Attribute the change of total cost from one plan to the next to its causes.

    The ends are the plans' own totals where they are as cheap as was asked for (status optimal); a plan that is not
    (purchases kept, an order priced as given, a time limit) is set against the cheapest plan of its case, and the
    difference is a cause of its own, "plans". So the causes always add up to the change, to rounding.

    Parameters
    ----------
    old, new : case and plan. options : how mixtures are solved. detail : each cause, groups, or (auto) each while no
    more than MOST_EACH differ. progress : called with (combinations solved, all).
    """
    hybrids = Hybrids(old[0], new[0])
    differing = [cause for cause in CAUSES if hybrids.differ(cause)]
    players = _players(differing, detail)
    change = new[1].totals.total_usd - old[1].totals.total_usd
    if not players:
        found = [Cause((PLANS,), change)] if abs(change) > 0 else []
        return Attribution(tuple(found), _open_usd(old[1]) + _open_usd(new[1]), 0)
    unsought = frozenset(CAUSES) - frozenset(differing)  # of equal data it does not matter which case gives them
    options = replace(options, kept=None)
    every = frozenset(players)
    known: dict[frozenset[str], float | None] = {}

    def cost(taken: frozenset[str]) -> float | None:
        """Cost of a mixture, solved once."""
        if taken not in known:
            ends = {frozenset[str](): old, every: new}
            plan = ends[taken][1] if taken in ends else None
            if plan is not None and plan.proof.status == Status.OPTIMAL:
                known[taken] = plan.totals.total_usd
            else:
                causes = unsought.union(*(players[name] for name in taken))
                usd = find_cost(hybrids.case(causes), options)
                known[taken] = plan.totals.total_usd if usd is None and plan is not None else usd
            if progress is not None:
                progress(len(known), 1 << len(players))
        return known[taken]

    shares = shapley(list(players), cost)
    found = [Cause(keys, usd) for keys, usd in shares]
    before, after = cost(frozenset()), cost(every)
    assert before is not None
    assert after is not None
    made = (new[1].totals.total_usd - after) - (old[1].totals.total_usd - before)
    if old[1].totals.total_usd != before or new[1].totals.total_usd != after:
        found.append(Cause((PLANS,), made))
    solved = [usd for usd in known.values() if usd is not None]
    return Attribution(tuple(found), options.gap * max(solved) if _whole(old[0], new[0]) else 0.0, len(known))


def _players(differing: Sequence[str], detail: str) -> dict[str, tuple[str, ...]]:
    """Choose what is listed: causes, or groups of them, by the name that the reader sees."""
    if detail == EACH or (detail == AUTO and len(differing) <= MOST_EACH):
        return {cause: (cause,) for cause in differing}
    groups = {name: tuple(c for c in causes if c in differing) for name, causes in GROUPS.items()}
    return {name if causes[1:] else causes[0]: causes for name, causes in groups.items() if causes}


def _whole(*cases: Case) -> bool:
    return any(case.settings.policy.whole_units for case in cases)


def _open_usd(plan: Plan) -> float:
    return plan.proof.gap_asked * abs(plan.totals.total_usd)
