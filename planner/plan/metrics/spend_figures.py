"""Spend commitments: what is spent on each by month, what will be lost, and what offers are worth meanwhile."""

from typing import Any

import numpy as np
import pandas as pd

from planner.plan.metrics.basis import Basis
from planner.plan.metrics.metric_tables import DRAWDOWN, MEANWHILE, SPEND
from planner.plan.why import worth_of_spending


def spend(basis: Basis) -> pd.DataFrame:
    """Sum up each contract over its periods: columns SPEND."""
    spent, rows = basis.spent, []
    worth = worth_of_spending(basis.plan)
    expected, short = spent.expected_usd.sum(axis=1), spent.short_usd
    likely = spent.probability > 0
    for k, c in enumerate(basis.case.spend_commitments):
        periods = basis.case.contract_periods(c)
        on_demand = float(spent.on_demand_usd[k].sum(axis=1) @ spent.probability)
        rows.append((c.contract, basis.names.periods[periods[0]], basis.names.periods[periods[-1]], c.usd, on_demand,
                     float(spent.reserved_usd[k].sum()), float(expected[k]), float(short[k] @ spent.probability),
                     float(short[k][likely].max(initial=0.0)), float(spent.probability[short[k] > _CENT_USD].sum()),
                     worth.get(c.contract, 0.0)))  # fmt: skip
    return SPEND.of(rows)


def drawdown(basis: Basis) -> pd.DataFrame:
    """Draw each contract down month by month, expected over scenarios: columns DRAWDOWN."""
    spent, rows = basis.spent, []
    for k, c in enumerate(basis.case.spend_commitments):
        lost = float(spent.short_usd[k] @ spent.probability)
        so_far = 0.0
        for p in basis.case.contract_periods(c):
            on_demand = float(spent.on_demand_usd[k][:, p] @ spent.probability)
            held = float(spent.reserved_usd[k, p])
            so_far += on_demand + held
            left = max(c.usd - so_far, 0.0)
            rows.append((c.contract, basis.names.periods[p], on_demand, held, so_far, left, lost))
    return DRAWDOWN.of(rows)


def meanwhile(basis: Basis, break_even: pd.DataFrame) -> pd.DataFrame:
    """Compare each offer with on demand while money must be spent anyway: columns MEANWHILE.

    A dollar that counts for a contract costs 1 less what it saves of the shortfall: by the prices of the bound,
    expected over scenarios. So a unit of price p, the equal of w on demand when it is full, breaks even at
    p·(1 − s) / (w·(1 − t)) of its capacity, s and t being what a dollar on it and on demand saves.
    """
    worth, rows = worth_of_spending(basis.plan), []
    row: Any
    for row in break_even.itertuples(index=False):
        contracts = [
            c
            for c in basis.case.spend_commitments
            if (c.counted_regions is None or row.region in c.counted_regions) and worth.get(c.contract, 0.0) > _NONE
        ]
        held = sum(worth[c.contract] for c in contracts if c.counts_reserved)
        paid = sum(worth[c.contract] for c in contracts if c.counts_on_demand)
        if not contracts or not np.isfinite(row.break_even_utilisation):
            continue
        unit, tokens = max(0.0, 1 - held), max(0.0, 1 - paid)
        if tokens > _NONE:
            now = row.break_even_utilisation * unit / tokens
        else:
            now = 0.0 if unit <= _NONE else np.inf
        names = "; ".join(c.contract for c in contracts)
        rows.append((row.offer, row.pool, row.region, names, row.break_even_utilisation, held, paid, now))
    return MEANWHILE.of(rows)


_CENT_USD = 0.005
_NONE = 1e-6
