"""Spend commitments in a review: what was spent on each in the hours seen, what is to come, what is lost.

Spent is what the hours cost with the plan's commitments, dispatched as cheaply as possible while the contracts ask for
money; hours to come are as planned, each scenario of the plan a future of its own.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.features.review.review_tables import CONTRACTS, SeenSpan
from planner.plan.flows import Floats
from planner.plan.plan import Plan
from planner.plan.pricing import spent_of
from planner.plan.reading import Reading
from planner.schema.case import Case


def drawdown(case: Case, plan: Plan, past: tuple[Case, Plan], best: tuple[Case, Plan], spans: Sequence[SeenSpan]
) -> pd.DataFrame:  # fmt: skip
    """List the contracts: columns CONTRACTS.

    case, plan : as planned. past : the actual demand with the plan's commitments, and its cheapest plan. best : the
    same with the best commitments.
    """
    if not past[0].spend_commitments:
        return CONTRACTS.empty()
    planned = spent_of(Reading(case, plan)).expected_usd.sum(axis=1)
    seen, ahead = _parts(*past, spans)
    asked, chance = [c.usd for c in case.spend_commitments], np.array([p for _, p in past[0].chances])
    best_seen, best_ahead = _parts(*best, spans)
    return CONTRACTS.of(
        [
            (c.contract, usd, planned[k], seen[k], float(ahead[k] @ chance), _short(usd, seen[k], ahead[k], chance),
             _short(usd, best_seen[k], best_ahead[k], chance))
            for k, (c, usd) in enumerate(zip(case.spend_commitments, asked, strict=True))
        ]
    )  # fmt: skip


def _short(asked: float, seen: float, ahead: Floats, chance: Floats) -> float:
    """Expect a shortfall over the futures, USD."""
    return float(np.maximum(asked - seen - ahead, 0.0) @ chance)


def _parts(case: Case, plan: Plan, spans: Sequence[SeenSpan]) -> tuple[Floats, Floats]:
    """Return what was spent in the hours seen, by contract, and what is to come, contracts x futures, USD."""
    futures, names = case.futures, [name for name, _ in case.chances]
    found = spent_of(Reading(case, plan))
    share = np.array([s.share for s in spans])
    expected = found.on_demand_usd.sum(axis=2) * found.probability
    seen, ahead = found.reserved_usd @ share, np.tile((found.reserved_usd @ (1 - share))[:, None], len(names))
    for s, usd in zip(case.scenarios, expected.T, strict=True):
        of = None if futures is None else futures.of_scenario.get(s.scenario)
        if of is None:
            seen = seen + usd
        else:
            ahead[:, names.index(of)] += usd / case.chances[names.index(of)][1]
    return seen, ahead
