"""Commitments longer than the history that the demand was forecast from: bets, with what a fall of demand would cost.

A line's units are the last ones of their pool. If every slot wanted (1 − f) of its units, they would serve

    served = Σ over slots  min(max((1 − f)·wanted − (level − units), 0), units) · on-demand price of a unit      [USD]

and lose what they cost in those months less that; the same loss is taken for the rest of the term.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.plan.orders import OrderLine
from planner.plan.pool_months import PoolMonth
from planner.units import HOURS_PER_WEEK

FALL = 0.3


@dataclass(frozen=True)
class Bet:
    """An order line whose term is longer than the history.

    at_stake_usd : what it would lose over its term, against buying the same on demand, if demand fell by ``FALL``;
        None where there is no on-demand price to compare with.
    """

    line: OrderLine
    term_weeks: float
    history_weeks: float
    at_stake_usd: float | None

    def __str__(self) -> str:
        weeks, known = f"{self.term_weeks:,.0f} weeks", f"{self.history_weeks:,.0f} weeks of history"
        name = f"{self.line.offer.offer} from {self.line.start}"
        if self.at_stake_usd is None:
            return (
                f"{name} is a bet: {weeks} on {known}. What it would lose if demand fell is not known: there is no "
                f"on-demand price to compare with. It costs ${self.line.term_usd:,.0f} over its term."
            )
        lost = f"would lose ${self.at_stake_usd:,.0f}" if self.at_stake_usd > 0 else "would still lose nothing"
        return f"{name} is a bet: {weeks} on {known}. It {lost} if demand falls {FALL:.0%}."


def bets_of(lines: Sequence[OrderLine], months: Sequence[PoolMonth], history_weeks: float) -> tuple[Bet, ...]:
    """List the order lines whose term is longer than the history, the one with most at stake first."""
    found = []
    for line in lines:
        weeks = line.hours_term / HOURS_PER_WEEK
        if weeks <= history_weeks:
            continue
        own = [
            m
            for m in months
            if (m.pool, m.meter) == (line.offer.pool, line.offer.meter) and line.covers(m.start, m.end)
        ]
        lost = sum(line.units * line.usd_per_unit_hour * m.hours - _served_usd(m, line.units) for m in own)
        hours = sum(m.hours for m in own)
        stake = max(0.0, lost) * line.hours_term / hours if hours > 0 else 0.0
        found.append(Bet(line, weeks, history_weeks, stake if all(m.priced for m in own) else None))
    return tuple(sorted(found, key=lambda bet: -bet.line.term_usd if bet.at_stake_usd is None else -bet.at_stake_usd))


def _served_usd(month: PoolMonth, units: float) -> float:
    """Return the on-demand price of what a pool's last units would serve after the fall."""
    wanted = (1.0 - FALL) * month.wanted_units - (month.level_units - units)
    return float(np.clip(wanted, 0.0, units) @ month.usd_per_unit)
