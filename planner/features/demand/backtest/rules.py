"""Buying rules: at a step, with the hours before it, the level that should be in force; and what was best in hindsight.

A rule sees the past only. What is in force already is known to all of them; they buy the difference. Every rule has one
piece of arithmetic in common, the fractile: the level that would have been cheapest over some hours.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.features.demand.forecast.futures import PAIRED_WEEKS, Spread, futures_of, real_weeks, to_the_mean
from planner.features.demand.forecast.models import ensemble, levels_of, shape_of, short_week, to_weeks
from planner.features.demand.forecast.one_series import LONGEST_TRIAL_WEEKS, SHORT_WEEKS, try_out
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
WEEKS_PER_YEAR, MONTHS_PER_YEAR = 52, 12
AGAIN_WEEKS = 13  # after which the spread of the futures is measured anew
PLANNER, FIFTY_TWO_WEEKS = "planner", "52 weeks' fractile"


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


def months_of_a_plan(term_weeks: int) -> int:
    """Return the months that a plan should look ahead: as many as the term has, at most a year."""
    return min(MONTHS_PER_YEAR, max(1, -(-term_weeks * MONTHS_PER_YEAR // WEEKS_PER_YEAR)))


def first_level(hours: np.ndarray, weights: np.ndarray, price_ratio: float) -> float:
    """Return what is best bought at once, where each month to come can buy more and nothing ends: the least fractile.

    Parameters
    ----------
    hours : demand, months x futures x hours; weights : of each future's hours, months x futures.
    """
    order = np.argsort(-hours, axis=None, kind="stable")
    values, by_month = hours.ravel()[order], np.zeros((len(hours), hours.size))
    month = np.broadcast_to(np.arange(len(hours))[:, None, None], hours.shape).ravel()[order]
    by_month[month, np.arange(hours.size)] = np.broadcast_to(weights[:, :, None], hours.shape).ravel()[order]
    above = np.cumsum(np.cumsum(by_month, axis=0), axis=1)  # months so far x hours so far, the largest first
    places = [int(np.searchsorted(own, price_ratio * own[-1] * (1 + 1e-12), side="right")) for own in above]
    return max(0.0, float(min(values[min(place, len(values) - 1)] for place in places)))


@dataclass
class Planner:
    """Commit to what a plan buys now that `planner forecast` fills and `planner solve` decides.

    The plan's cost is the mean over the forecast's futures, and each of its months can buy: so a unit is bought now
    only if it pays over every beginning of the plan, and waits if it pays only with a later month. For one pool and a
    term as long as the plan, that is the least of the fractiles over one month's hours, two months', and so on.

    The spread of the futures is measured anew each quarter; in a short history, each time that it has grown by a
    quarter. A month is four weeks or five. Which days are weekends is not known here.
    """

    price_ratio: float
    months: int
    spread: Spread | None = None
    measured_at: int = -(10**9)

    def __call__(self, past: np.ndarray) -> float:
        """Return the level for the hours seen so far."""
        if self.price_ratio >= 1.0:
            return 0.0
        return first_level(*self.futures(past), self.price_ratio)

    def futures(self, past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the months to come in each future, months x futures x 168, and their weights, months x futures."""
        weeks, ends = to_weeks(past), self.ends
        again = min(AGAIN_WEEKS, max(1, self.measured_at // 4))
        if self.spread is None or len(weeks) - self.measured_at >= again:
            ahead = min(LONGEST_TRIAL_WEEKS, ends[-1])
            self.spread, self.measured_at = try_out(past, np.ones(len(past)), ahead).spread, len(weeks)
        if len(weeks) < SHORT_WEEKS:
            week, _ = short_week(past, np.zeros(len(past) + HOURS_PER_WEEK, dtype=bool))
            path = np.tile(week, (ends[-1], 1))
        else:
            path = ensemble(weeks, ends[-1])
        levels = levels_of(weeks, shape_of(weeks))
        found = futures_of(self.spread, path.mean(axis=1), levels)
        each = np.array([future.weight for future in found])
        ratios = np.ones((len(found), 2, HOURS_PER_WEEK))
        if len(weeks) > 1:
            ratios = real_weeks(weeks[-PAIRED_WEEKS:], len(found))
        months = []
        for first, end in zip([0, *ends[:-1]], ends, strict=True):
            means = np.array([(path[first:end] * f.levels[first:end, None]).mean(axis=0) for f in found])
            both = (means[:, None, :] * ratios).reshape(-1, HOURS_PER_WEEK)
            months.append(to_the_mean(both, np.repeat(each, 2), each @ means))
        return np.asarray(months), np.multiply.outer(np.diff([0, *ends]), np.repeat(each / 2, 2))

    @property
    def ends(self) -> list[int]:
        """The week after each month."""
        return [round(month * WEEKS_PER_YEAR / MONTHS_PER_YEAR) for month in range(1, self.months + 1)]


def rules(price_ratio: float, months: int) -> dict[str, Rule]:
    """Return the rules that are compared, by name; the clairvoyant plan is not one: it sees the future.

    Parameters
    ----------
    months : that each plan of the planner looks ahead.
    """
    return {
        "all on demand": on_demand_only,
        "reserve the average": reserve_the_average,
        "reserve the peak": reserve_the_peak,
        "look-back 7 days": look_back(7, price_ratio),
        "look-back 30 days": look_back(30, price_ratio),
        "look-back 60 days": look_back(60, price_ratio),
        FIFTY_TWO_WEEKS: look_back(WEEKS_PER_YEAR * DAYS_PER_WEEK, price_ratio),
        PLANNER: Planner(price_ratio, months),
    }
