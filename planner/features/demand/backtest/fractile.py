"""The best level for one pool and one term, in closed form.

With demand D over the hours, a unit committed at price c (paid every hour) and on demand at price p (paid when used),
the cost C(x) = c·x + p·E[(D − x)⁺] is convex with slope c − p·P(D > x). The optimum is the smallest level x, out of 0
and the demands that occurred, with P(D > x) ≤ c/p: the (1 − c/p) quantile of all hours of all scenarios together. It is
the newsvendor fractile; no linear programme is needed, and none does better.
"""

import numpy as np


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
