"""The clairvoyant plan: the cheapest ladder of commitments for a demand that is known in full.

    minimise  Σ_k c·H·min(T, K − k)·x_k + p·Σ_t o_t
    subject to  Σ_{k: k ≤ w(t) < k + T} x_k + o_t ≥ D_t,  x, o ≥ 0

x_k: units bought at the start of week k for T weeks; o_t: on demand in hour t; H: hours a week. Each column is one
block of consecutive weeks, so the matrix is totally unimodular. Weeks' levels z_w stand between purchases and hours,
which keeps the rows short; equal hours of a week are merged with their count.
"""

import numpy as np

from planner.units import HOURS_PER_WEEK


def clairvoyant_ladder(weeks: np.ndarray, term_weeks: int, price_ratio: float, every: int) -> np.ndarray:
    """Return the units to buy in each week.

    Parameters
    ----------
    weeks : demand, weeks x 168; NaN counts as 0.
    term_weeks, price_ratio : as paid; on demand costs 1.
    every : purchases are possible in weeks 0, every, 2·every, ...
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    count = len(weeks)
    starts = range(0, count, every)
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    bounds: list[float] = []
    costs: list[float] = []
    for column, start in enumerate(starts):
        costs.append(price_ratio * HOURS_PER_WEEK * min(term_weeks, count - start))
        for week in range(start, min(start + term_weeks, count)):
            rows.append(week)
            columns.append(column)
            values.append(-1.0)
    first_level, first_hour = len(starts), len(starts) + count
    for week in range(count):  # z_w ≤ Σ x in force
        rows.append(week)
        columns.append(first_level + week)
        values.append(1.0)
        bounds.append(0.0)
    costs += [0.0] * count
    row, column = count, first_hour
    for week in range(count):  # z_w + o_t ≥ D_t
        levels, repeats = np.unique(np.nan_to_num(weeks[week]), return_counts=True)
        for level, repeat in zip(levels, repeats, strict=True):
            rows += [row, row]
            columns += [first_level + week, column]
            values += [-1.0, -1.0]
            bounds.append(-float(level))
            costs.append(float(repeat))
            row, column = row + 1, column + 1
    matrix = coo_matrix((values, (rows, columns)), shape=(row, column)).tocsr()
    scale = max(float(np.nanmax(weeks)), 1e-12)
    result = linprog(costs, A_ub=matrix, b_ub=np.asarray(bounds) / scale, bounds=(0, None), method="highs")
    if result.status != 0:
        raise RuntimeError(f"the clairvoyant ladder was not solved: {result.message}")
    bought = np.zeros(count)
    bought[list(starts)] = np.maximum(result.x[: len(starts)], 0.0) * scale
    return bought
