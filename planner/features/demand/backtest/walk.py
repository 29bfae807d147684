"""The walk: step by step (weeks, or days of a short history), buy on what was known, pay for the actual demand.

On demand costs 1 a unit-hour, a committed unit-hour ``price_ratio``. A commitment runs its whole term; past the end of
the history nothing more is counted of it, for every rule alike. That flatters long terms bought late. Hours that the
history does not know count for nobody: neither their demand nor what was committed in them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.features.demand.backtest.rules import Rule, clairvoyant_ladder, months_of_a_plan, rules
from planner.features.demand.series import HourlySeries
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

POOLS = ("all", "region", "series")
LONGEST_GAP_WEEKS = 4
VARIANTS = {
    "as it was": "the history",
    "reversed": "the history run backwards: growth becomes decline",
    "step": "the history with 40 % of the demand gone from half of the replay on",
}
STEP_SHARE = 0.6


def pools_of(series: HourlySeries, by: str) -> dict[str, np.ndarray]:
    """Return hourly demand by pool: everything in one, one a region, or one a (region, workload)."""
    requests = series.requests
    if by == "all":
        parts = {"all": requests.sum(axis=1, min_count=1)}
    elif by == "series":
        parts = {" ".join(column): requests[column] for column in requests.columns}
    else:
        regions = sorted({column[0] for column in requests.columns})
        mine = {region: [c for c in requests.columns if c[0] == region] for region in regions}
        parts = {region: requests[columns].sum(axis=1, min_count=1) for region, columns in mine.items()}
    return {name: _alive(values) for name, values in parts.items()}


def after_long_gap(values: np.ndarray) -> np.ndarray:
    """Return what comes after the last gap of over four weeks: nobody would buy on what lies before it."""
    known = np.flatnonzero(np.isfinite(values))
    gaps = np.flatnonzero(np.diff(known) > LONGEST_GAP_WEEKS * HOURS_PER_WEEK)
    return values[known[gaps[-1] + 1] :] if len(gaps) else values


def choose_step(pools: dict[str, np.ndarray]) -> str:
    """Return the step of a replay: weeks, or days where the longest pool has under five weeks."""
    longest = max((len(values) for values in pools.values()), default=0)
    return "week" if longest >= 5 * HOURS_PER_WEEK else "day"


def _alive(values: pd.Series) -> np.ndarray:
    hours = values.to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(hours))
    return hours[known[0] : known[-1] + 1] if len(known) else np.zeros(0)


def variant_of(values: np.ndarray, variant: str, replayed_hours: int) -> np.ndarray:
    """Return a pool's hours in one of ``VARIANTS``; ``replayed_hours`` is the length of the replay at the end."""
    if variant == "reversed":
        return values[::-1].copy()
    if variant == "step":
        cut = values.copy()
        cut[len(cut) - replayed_hours // 2 :] *= STEP_SHARE
        return cut
    return values


CLAIRVOYANT = "clairvoyant"
NOTHING = 0.001  # of the demand's cost on demand: a clairvoyant plan that saves less had nothing to win
LEAST_WEEKS = 4  # of history before the first purchase
STEP_HOURS = {"week": HOURS_PER_WEEK, "day": HOURS_PER_DAY}


@dataclass(frozen=True)
class PurchaseTerms:
    """What is bought: discount on the on-demand price (share), length of a term, and when.

    ``step``: week or day; ``every_steps``: steps between purchases; ``first_week``: weeks of history before the first
    purchase (None: a third of it, at least four; by days, one). ``plan_months``: that each of planner's plans looks
    ahead (None: as many as the term has, at most twelve).
    """

    discount: float = 0.3
    term_weeks: int = 52
    every_steps: int = 1
    first_week: int | None = None
    step: str = "week"
    plan_months: int | None = None

    @property
    def months(self) -> int:
        """Months that each plan looks ahead."""
        return self.plan_months or months_of_a_plan(self.term_weeks)

    @property
    def price_ratio(self) -> float:
        """Price of a committed unit-hour over that of an on-demand one."""
        return 1.0 - self.discount

    @property
    def step_hours(self) -> int:
        """Hours of a step."""
        return STEP_HOURS[self.step]

    @property
    def term_steps(self) -> int:
        """Length of a term in steps."""
        return self.term_weeks * HOURS_PER_WEEK // self.step_hours

    def start(self, hours: int) -> int:
        """Return the steps of history before the first purchase, out of ``hours`` of it."""
        weeks = self.first_week
        if weeks is None:
            weeks = 1 if self.step == "day" else max(LEAST_WEEKS, hours // HOURS_PER_WEEK // 3)
        return weeks * HOURS_PER_WEEK // self.step_hours

    def replayed_hours(self, hours: int) -> int:
        """Return how many of ``hours`` of history are paid for; below one step, nothing can be replayed."""
        return (hours // self.step_hours - self.start(hours)) * self.step_hours


def to_steps(values: np.ndarray, step_hours: int) -> np.ndarray:
    """Cut hours into whole steps from the end backwards; what fills no step at the beginning falls away."""
    count = len(values) // step_hours
    return np.asarray(values[len(values) - count * step_hours :], dtype=float).reshape(count, step_hours)


def backtest(
    pools: dict[str, np.ndarray], terms: PurchaseTerms, progress: Callable[[int, int], None] | None = None
) -> pd.DataFrame:
    """Replay every rule on every pool.

    Parameters
    ----------
    pools : name -> hourly demand, oldest first; NaN where not known.
    terms : discount, term, spacing, start.
    progress : told (pools done, all pools).

    Returns
    -------
    One row a pool, rule and step: known hours; demand, committed, used [unit-hours]; cost [on-demand unit-hours].
    """
    parts = []
    for number, (pool, values) in enumerate(pools.items()):
        steps = to_steps(values, terms.step_hours)
        start = terms.start(len(values))
        to_pay = steps[start:]
        bought = {name: _walk(rule, steps, start, terms) for name, rule in _fresh(terms).items()}
        bought[CLAIRVOYANT] = clairvoyant_ladder(to_pay, terms.term_steps, terms.price_ratio, terms.every_steps)
        for name, purchases in bought.items():
            parts.append(_pay(to_pay, in_force(purchases, terms.term_steps), terms).assign(pool=pool, rule=name))
        if progress is not None:
            progress(number + 1, len(pools))
    return pd.concat(parts, ignore_index=True)


def _fresh(terms: PurchaseTerms) -> dict[str, Rule]:
    return rules(terms.price_ratio, terms.months)


def _walk(rule: Rule, steps: np.ndarray, start: int, terms: PurchaseTerms) -> np.ndarray:
    """Return what a rule buys in each step from ``start``."""
    count = len(steps) - start
    bought = np.zeros(count)
    for step in range(0, count, terms.every_steps):
        held = bought[max(0, step - terms.term_steps + 1) : step + 1].sum()
        bought[step] = max(0.0, rule(steps[: start + step].ravel()) - held)
    return bought


def in_force(bought: np.ndarray, term_steps: int) -> np.ndarray:
    """Return the units in force in each step: bought in it, or less than a term before."""
    total = np.cumsum(bought)
    ended = np.concatenate([np.zeros(min(term_steps, len(bought))), total[: max(0, len(bought) - term_steps)]])
    return np.asarray(total - ended)


def _pay(steps: np.ndarray, committed: np.ndarray, terms: PurchaseTerms) -> pd.DataFrame:
    hours = np.isfinite(steps).sum(axis=1)
    demand = np.nan_to_num(steps)
    used = np.minimum(demand, committed[:, None]).sum(axis=1)
    total = demand.sum(axis=1)
    return pd.DataFrame(
        {
            terms.step: range(len(steps)),
            "hours": hours,
            "demand": total,
            "committed": committed * hours,
            "used": used,
            "cost": terms.price_ratio * committed * hours + total - used,
        }
    )


def summarise(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return one row a rule over all pools and weeks.

    ``savings_rate``: 1 − cost / all on demand (effective savings rate); ``coverage``: used / demand; ``utilisation``:
    used / committed; ``of_clairvoyant``: savings over the clairvoyant plan's, blank where that saves under a thousandth
    of the demand's cost; ``regret``: cost over its cost − 1.
    """
    sums = ledger.groupby("rule", sort=False)[["demand", "committed", "used", "cost"]].sum()
    best = float(sums["cost"][CLAIRVOYANT])
    saved, demand = sums["demand"] - sums["cost"], sums["demand"].where(sums["demand"] > 0)
    best_saved = float(saved[CLAIRVOYANT])
    return pd.DataFrame(
        {
            "cost": sums["cost"],
            "savings_rate": saved / demand,
            "coverage": sums["used"] / demand,
            "utilisation": sums["used"] / sums["committed"].where(sums["committed"] > 0),
            "of_clairvoyant": saved / best_saved
            if best_saved > NOTHING * float(sums["demand"].iloc[0])
            else float("nan"),
            "regret": sums["cost"] / best - 1.0 if best > 0 else float("nan"),
        }
    ).reset_index()
