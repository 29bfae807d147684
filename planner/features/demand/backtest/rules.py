"""Buying rules: at a step, with the hours before it, the level that should be in force; and what was best in hindsight.

A rule sees the past only. What is in force already is known to all of them; they buy the difference. Every rule has one
piece of arithmetic in common, the fractile: the level that would have been cheapest over some hours.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.features.demand.forecast.models import ensemble, to_weeks
from planner.features.demand.forecast.one_series import try_out
from planner.features.demand.forecast.scenarios import PAIRED_WEEKS, WEIGHTS, levels_of_futures, paired_scatter
from planner.features.demand.forecast.spread import Spread, level_ratios
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK


def fractile(demand: np.ndarray, price_ratio: float) -> float:
    """Return the cheapest level to commit to.

    Parameters
    ----------
    demand : hours of equal weight [any unit]; NaN is ignored.
    price_ratio : price of a committed unit-hour over that of an on-demand unit-hour, c/p.

    Returns
    -------
    The level, in the unit of demand; 0 where commitment does not pay.
    """
    values = demand[np.isfinite(demand)]
    if not len(values) or price_ratio >= 1.0:
        return 0.0
    may_exceed = int(np.floor(price_ratio * len(values) * (1 + 1e-12)))
    place = len(values) - 1 - may_exceed
    return max(0.0, float(np.partition(values, place)[place])) if place >= 0 else 0.0


def clairvoyant_ladder(steps: np.ndarray, term_steps: int, price_ratio: float, every: int) -> np.ndarray:
    """Return the units to buy in each step.

    Parameters
    ----------
    steps : demand, steps x hours of a step; NaN: not known, and not counted.
    term_steps, price_ratio : as paid; on demand costs 1.
    every : purchases are possible in steps 0, every, 2·every, ...
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    count, hours = len(steps), np.isfinite(steps).sum(axis=1)
    starts = range(0, count, every)
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    bounds: list[float] = []
    costs: list[float] = []
    for column, start in enumerate(starts):
        costs.append(price_ratio * float(hours[start : start + term_steps].sum()))
        for step in range(start, min(start + term_steps, count)):
            rows.append(step)
            columns.append(column)
            values.append(-1.0)
    first_level, first_hour = len(starts), len(starts) + count
    for step in range(count):  # z_w ≤ Σ x in force
        rows.append(step)
        columns.append(first_level + step)
        values.append(1.0)
        bounds.append(0.0)
    costs += [0.0] * count
    row, column = count, first_hour
    for step in range(count):  # z_w + o_t ≥ D_t
        levels, repeats = np.unique(steps[step][np.isfinite(steps[step])], return_counts=True)
        for level, repeat in zip(levels, repeats, strict=True):
            rows += [row, row]
            columns += [first_level + step, column]
            values += [-1.0, -1.0]
            bounds.append(-float(level))
            costs.append(float(repeat))
            row, column = row + 1, column + 1
    matrix = coo_matrix((values, (rows, columns)), shape=(row, column)).tocsr()
    scale = max(float(np.nanmax(steps, initial=0.0)), 1e-12)
    result = linprog(costs, A_ub=matrix, b_ub=np.asarray(bounds) / scale, bounds=(0, None), method="highs")
    if result.status != 0:
        raise RuntimeError(f"the clairvoyant ladder was not solved: {result.message}")
    bought = np.zeros(count)
    bought[list(starts)] = np.maximum(result.x[: len(starts)], 0.0) * scale
    return bought


Rule = Callable[[np.ndarray], float]
RECENT_DAYS = 30
PLANNER_DAYS, LEAST_PLANNER_DAYS = (7, 30, 60), 14
LEAST_CAP_WEEKS, YEAR_WEEKS, GROWTH_WEEKS = 8, 52, 13
PLAN_WEEKS = (4, 9, 13)  # ends of a plan's months
PLANNER, FIFTY_TWO_WEEKS, FORECAST_AND_SOLVE = "planner", "52 weeks' fractile", "forecast, solve"


def on_demand_only(past: np.ndarray) -> float:
    """Commit to nothing."""
    return 0.0


def reserve_the_average(past: np.ndarray) -> float:
    """Commit to the mean of the last thirty days."""
    recent = _recent(past)
    return float(recent.mean()) if len(recent) else 0.0


def reserve_the_peak(past: np.ndarray) -> float:
    """Commit to the largest hour of the last thirty days."""
    return float(_recent(past).max(initial=0.0))


def _recent(past: np.ndarray) -> np.ndarray:
    """Return the known hours of the last thirty days."""
    hours = past[-RECENT_DAYS * HOURS_PER_DAY :]
    return np.asarray(hours[np.isfinite(hours)])


def look_back(days: int, price_ratio: float) -> Rule:
    """Commit to what would have been cheapest over the last days: the clouds' own recommendation."""

    def rule(past: np.ndarray) -> float:
        return fractile(past[-days * HOURS_PER_DAY :], price_ratio)

    return rule


@dataclass(frozen=True)
class Planner:
    """Commit to no more than was cheapest over the last week, month and two months, and over as long as the term runs.

    The least of four fractiles: of the last 7, 30 and 60 days (none longer than the term), and of as many weeks as the
    term has (8 to 52), grown as the last quarter grew on the same quarter of the year before. More can be bought next
    week and nothing given back: a unit that one of them does not want can wait. So in growth the purchase waits for the
    recent days; at the top of a season or after a burst the year holds it back; in decline the last week does, less the
    half of a year's decline that lies between now and the middle of the term.
    """

    price_ratio: float
    term_weeks: int

    def __call__(self, past: np.ndarray) -> float:
        """Return the level for the hours seen so far."""
        longest = max(LEAST_PLANNER_DAYS, DAYS_PER_WEEK * self.term_weeks)
        recent = min(fractile(past[-min(d, longest) * HOURS_PER_DAY :], self.price_ratio) for d in PLANNER_DAYS)
        weeks = min(YEAR_WEEKS, max(LEAST_CAP_WEEKS, self.term_weeks))
        term = fractile(past[-weeks * HOURS_PER_WEEK :], self.price_ratio)
        growth = growth_of(past) if weeks == YEAR_WEEKS else 1.0
        return min(recent * float(np.sqrt(min(1.0, growth))), term * max(1.0, growth))


@dataclass
class ForecastAndSolve:
    """Commit to what a plan of three months buys that `planner forecast` fills: the fractile over its futures.

    A unit is bought now only if it pays over every beginning of the three months; else a later month can buy it. The
    spread of the futures is measured anew each quarter; in a short history, each time that it has grown by a quarter.
    """

    price_ratio: float
    spread: Spread | None = None
    measured_at: int = -(10**9)

    def __call__(self, past: np.ndarray) -> float:
        """Return the level for the hours seen so far."""
        each = self.futures(past)
        return min(fractile(each[:count].ravel(), self.price_ratio) for count in PLAN_WEEKS)

    def futures(self, past: np.ndarray) -> np.ndarray:
        """Return the coming weeks, weeks x futures (each as often as it weighs) x 168."""
        weeks = to_weeks(past)
        if self.spread is None or len(weeks) - self.measured_at >= min(GROWTH_WEEKS, max(1, self.measured_at // 4)):
            self.spread, self.measured_at = try_out(past, np.ones(len(past)), PLAN_WEEKS[-1]).spread, len(weeks)
        path = ensemble(weeks, PLAN_WEEKS[-1])
        low, high = (level_ratios(self.spread, quantile, len(path)) for quantile in (0.1, 0.9))
        still = np.zeros((len(WEIGHTS), HOURS_PER_WEEK))
        scatter = paired_scatter(weeks[-PAIRED_WEEKS:]) if len(weeks) > 1 else still
        futures = []
        for number, (name, level) in enumerate(levels_of_futures(low, high).items()):
            hours = path * level[:, None]
            both = [hours * (1.0 + sign * scatter[number]) for sign in (1.0, -1.0)]
            futures += both * round(10 * WEIGHTS[name])
        return np.stack(futures, axis=1)


def growth_of(past: np.ndarray) -> float:
    """Return the last quarter's mean over that of the same weeks a year before; 1 where none is known."""
    year, quarter = YEAR_WEEKS * HOURS_PER_WEEK, GROWTH_WEEKS * HOURS_PER_WEEK
    before, now = past[-year - quarter : -year], past[-quarter:]
    if len(past) < year + quarter or not np.isfinite(before).any() or not np.isfinite(now).any():
        return 1.0
    then = float(np.nanmean(before))
    return float(np.nanmean(now)) / then if then > 0 else 1.0


def rules(price_ratio: float, term_weeks: int) -> dict[str, Rule]:
    """Return the rules that are compared, by name; the clairvoyant plan is not one: it sees the future."""
    return {
        "all on demand": on_demand_only,
        "reserve the average": reserve_the_average,
        "reserve the peak": reserve_the_peak,
        "look-back 7 days": look_back(7, price_ratio),
        "look-back 30 days": look_back(30, price_ratio),
        "look-back 60 days": look_back(60, price_ratio),
        FIFTY_TWO_WEEKS: look_back(YEAR_WEEKS * DAYS_PER_WEEK, price_ratio),
        FORECAST_AND_SOLVE: ForecastAndSolve(price_ratio),
        PLANNER: Planner(price_ratio, term_weeks),
    }
