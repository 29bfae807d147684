"""The walk: week by week, buy with what was known, pay what came.

On demand costs 1 a unit-hour, a committed unit-hour ``price_ratio``. A commitment runs its whole term; past the end of
the history nothing more is counted of it, for every rule alike. That flatters long terms bought late.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.demand.backtest.ladder import clairvoyant_ladder
from planner.demand.backtest.rules import Rule, rules
from planner.demand.forecast.candidates import to_weeks
from planner.units import HOURS_PER_WEEK

CLAIRVOYANT = "clairvoyant"
LEAST_WEEKS = 4


@dataclass(frozen=True)
class Terms:
    """What is bought: discount on the on-demand price (share), term and spacing of purchases in weeks."""

    discount: float = 0.3
    term_weeks: int = 52
    every_weeks: int = 1
    first_week: int | None = None  # weeks of history before the first purchase; None: a third of it, at least four

    @property
    def price_ratio(self) -> float:
        """Price of a committed unit-hour over that of an on-demand one."""
        return 1.0 - self.discount

    def start(self, weeks: int) -> int:
        """Return the weeks of history before the first purchase, out of ``weeks``."""
        return max(LEAST_WEEKS, weeks // 3) if self.first_week is None else self.first_week


def backtest(pools: dict[str, np.ndarray], terms: Terms) -> pd.DataFrame:
    """Replay every rule on every pool.

    Parameters
    ----------
    pools : name -> hourly demand, oldest first; NaN where not known.
    terms : discount, term, spacing, start.

    Returns
    -------
    One row a pool, rule and week: demand, committed, used (unit-hours), cost (on-demand unit-hours' worth).
    """
    parts = []
    for pool, values in pools.items():
        weeks = to_weeks(values)
        start = terms.start(len(weeks))
        to_pay = weeks[start:]
        bought = {name: _walk(rule, weeks, start, terms) for name, rule in _fresh(terms).items()}
        bought[CLAIRVOYANT] = clairvoyant_ladder(to_pay, terms.term_weeks, terms.price_ratio, terms.every_weeks)
        for name, purchases in bought.items():
            parts.append(_pay(to_pay, in_force(purchases, terms.term_weeks), terms).assign(pool=pool, rule=name))
    return pd.concat(parts, ignore_index=True)


def _fresh(terms: Terms) -> dict[str, Rule]:
    return rules(terms.price_ratio, terms.term_weeks)


def _walk(rule: Rule, weeks: np.ndarray, start: int, terms: Terms) -> np.ndarray:
    """Return what a rule buys in each week from ``start``."""
    count = len(weeks) - start
    bought = np.zeros(count)
    for week in range(0, count, terms.every_weeks):
        held = bought[max(0, week - terms.term_weeks + 1) : week + 1].sum()
        bought[week] = max(0.0, rule(weeks[: start + week].ravel()) - held)
    return bought


def in_force(bought: np.ndarray, term_weeks: int) -> np.ndarray:
    """Return the units in force in each week: bought in it, or less than a term before."""
    total = np.cumsum(bought)
    ended = np.concatenate([np.zeros(min(term_weeks, len(bought))), total[: max(0, len(bought) - term_weeks)]])
    return np.asarray(total - ended)


def _pay(weeks: np.ndarray, committed: np.ndarray, terms: Terms) -> pd.DataFrame:
    demand = np.nan_to_num(weeks)
    used = np.minimum(demand, committed[:, None]).sum(axis=1)
    total = demand.sum(axis=1)
    paid = terms.price_ratio * committed * HOURS_PER_WEEK
    return pd.DataFrame(
        {
            "week": range(len(weeks)),
            "demand": total,
            "committed": committed * HOURS_PER_WEEK,
            "used": used,
            "cost": paid + total - used,
        }
    )


def summarise(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return one row a rule over all pools and weeks.

    ``savings_rate``: 1 − cost / all on demand (effective savings rate); ``coverage``: used / demand; ``utilisation``:
    used / committed; ``of_clairvoyant``: savings over the clairvoyant plan's; ``regret``: cost over its cost − 1.
    """
    sums = ledger.groupby("rule", sort=False)[["demand", "committed", "used", "cost"]].sum()
    best = float(sums["cost"][CLAIRVOYANT])
    saved = sums["demand"] - sums["cost"]
    best_saved = float(saved[CLAIRVOYANT])
    return pd.DataFrame(
        {
            "cost": sums["cost"],
            "savings_rate": saved / sums["demand"],
            "coverage": sums["used"] / sums["demand"],
            "utilisation": sums["used"] / sums["committed"].where(sums["committed"] > 0),
            "of_clairvoyant": saved / best_saved if best_saved > 0 else float("nan"),
            "regret": sums["cost"] / best - 1.0,
        }
    ).reset_index()
