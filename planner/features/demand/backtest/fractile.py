"""The best level for one pool and one term, in closed form.

With demand D over the hours, a unit committed at price c (paid every hour) and on demand at price p (paid when used),
the cost C(x) = c·x + p·E[(D − x)⁺] is convex with slope c − p·P(D > x). The optimum is the smallest level x, out of 0
and the demands that occurred, with P(D > x) ≤ c/p: the (1 − c/p) quantile of all hours of all scenarios together. It is
the newsvendor fractile; no linear programme is needed, and none does better.
"""

from collections.abc import Sequence

import numpy as np

BEGINNINGS_WEEKS = (1, 2, 3, 4, 6, 8, 13, 20, 26, 39, 52, 78, 104, 156)


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


def ladder_level(weeks: Sequence[np.ndarray], price_ratio: float) -> float:
    """Return the level to hold from now, when more can be bought later but nothing can be given back.

    ``weeks`` are the term's coming weeks, each holding the hours of all scenarios. A unit is bought now only if it pays
    over *every* beginning of the term: where its first weeks do not pay, waiting is cheaper; where the whole does not,
    it should not be bought at all. So the level is the least of the fractiles of all beginnings (a dozen are tried).
    """
    counts = [count for count in BEGINNINGS_WEEKS if count < len(weeks)] + [len(weeks)]
    hours = np.concatenate([np.ravel(week) for week in weeks]) if len(weeks) else np.zeros(0)
    each = len(hours) // max(1, len(weeks))
    return min((fractile(hours[: count * each], price_ratio) for count in counts), default=0.0)
