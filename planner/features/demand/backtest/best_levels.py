"""What is best to commit to, with the demand known: the closed form for one level, and the ladder of purchases.

With demand D over the hours, a unit committed at price c (paid every hour) and on demand at price p (paid when used),
the cost C(x) = c·x + p·E[(D − x)⁺] is convex with slope c − p·P(D > x). The optimum is the smallest level x, out of 0
and the demands that occurred, with P(D > x) ≤ c/p: the (1 − c/p) quantile of all hours of all scenarios together. It is
the newsvendor fractile; no linear programme is needed, and none does better.

The clairvoyant plan is the cheapest ladder of commitments:

    minimise  Σ_k c·(Σ_{w = k}^{k + T − 1} H_w)·x_k + p·Σ_t o_t
    subject to  Σ_{k: k ≤ w(t) < k + T} x_k + o_t ≥ D_t,  x, o ≥ 0

x_k: units bought at the start of step k (a week or a day) for T steps; o_t: on demand in hour t; H_w: known hours of
step w. Each column is one block of consecutive steps, so the matrix is totally unimodular. Steps' levels z_w stand
between purchases and hours, which keeps the rows short; equal hours of a step are merged with their count.
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
