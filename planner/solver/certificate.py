"""The certificate: a lower bound on the cost of every plan, from dual prices, without trusting the solver.

Weak duality needs no optimal duals. Take any prices y of the rows (a one-sided row's price has the sign that its side
allows, else it counts 0) and let c'[j] = c[j] − Σ_i y[i]·a[i,j]. For every plan

    cost  ≥  Σ_i y[i] · (lower[i] if y[i] > 0 else upper[i])  +  Σ_j min(0, c'[j]) · largest[j].

The prices are HiGHS's, as floating-point numbers, which are exact rationals. Each c'[j] is computed with a bound on its
rounding error, and what is not proved to be ≥ 0 is made so: the price of a flow's balance row is lowered until every
flow of its need and slot is (theory: duals repaired by construction); capacity columns are charged at the largest size
that any sensible plan has (`largest_sizes`), or, where a family of constraints may want more, at what a plan of the
claimed cost can pay for. The sum is taken in integers, without rounding, and rounded down at the
end. Stress rows are rays of their own (model.reduce.stress), valid by construction.
"""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import affordable_sizes, kept_purchases, largest_sizes
from planner.model.family import Reduction
from planner.model.program import LinearProgram, families_of
from planner.model.sets import Floats
from planner.model.structure import refused_by
from planner.solver.linear import cut_rows
from planner.solver.stress import Cut

ERROR = 1e-14  # relative error of a sum of products and of its coefficients: far above (terms + 10) x 2^-53
_SHIFT = 2200  # products of two doubles are whole multiples of 2^-_SHIFT (2 x 1074 and to spare)


@dataclass(frozen=True)
class Certificate:
    """A proved lower bound on the component's new cost (USD), and the repaired row prices that prove it."""

    bound_usd: float
    row_price: Floats
    cut_price: Floats


def certify(program: LinearProgram, duals: Floats, cuts: list[Cut], usd: float = np.inf) -> Certificate:
    """Prove a lower bound from row duals (natural units; the programme's rows, then those of ``cuts``).

    ``usd`` : the cost that these duals claim; the bound is no higher where it has to rest on what a plan can pay for.
    """
    lower, upper = program.bounds()
    stress = cut_rows(program, cuts)
    rows = program.row_count
    price = duals[:rows].copy()
    price[(price > 0) & ~np.isfinite(lower)] = 0.0
    price[(price < 0) & ~np.isfinite(upper)] = 0.0
    cut_price = np.maximum(duals[rows : rows + len(cuts)], 0.0)

    row, column, value = program.entries()
    product = value * price[row]
    added = np.repeat(np.arange(len(cuts)), np.diff(stress.start))
    cut_product = stress.value * cut_price[added]
    count, first = program.columns.count, program.columns.flow_first
    taken = np.bincount(column, product, count) + np.bincount(stress.column, cut_product, count)
    size = (
        np.bincount(column, np.abs(product), count) + np.bincount(stress.column, cut_product, count)
        + np.abs(program.cost)
    )  # fmt: skip
    least = program.cost - taken - ERROR * size  # proved: the exact reduced cost is not below this

    balance = program.family("balance")
    repair = np.zeros(balance.count)
    slots = len(program.sets.slots)
    key = balance.index["need"] * slots + balance.index["slot"]
    flow_need = program.sets.arcs["need"].to_numpy(int)[program.columns.flow_arc]
    of_flow = np.searchsorted(key, flow_need * slots + program.columns.flow_slot)
    np.maximum.at(repair, of_flow, -least[first:])
    at = slice(program.first_row("balance"), program.first_row("balance") + balance.count)
    lowered = repair > 0
    price[at] = np.where(lowered, np.nextafter(price[at] - repair, -np.inf), price[at])

    largest, most = _largest(program, usd)
    bound = np.where(price > 0, lower, np.where(price < 0, upper, 0.0))
    terms = [(price, bound), (cut_price, stress.lower), (np.minimum(least[:first], 0.0), largest)]
    return Certificate(min(exact_sum_down(terms), most), price, cut_price)


def _largest(program: LinearProgram, usd: float) -> tuple[Floats, float]:
    """Largest value of each column before the flows, and what the bound is worth at most.

    Where some family refuses `largest_sizes`: of the plans that cost no more than ``usd``; others cost more than that.
    """
    sets, at = program.sets, program.columns
    largest = np.zeros(at.flow_first)
    if refused_by(families_of(sets), program.families, sets, at, Reduction.SIZES):
        most = usd
        sizes, beyond = affordable_sizes(sets, at, program.cost, usd)
    else:
        most = np.inf
        sizes = largest_sizes(sets)
        beyond = np.zeros(at.unreserved.shape)
        np.add.at(beyond, sets.deployments["meter_row"].to_numpy(int),
                  sizes[len(at.committed) :].reshape(-1, len(sets.periods)))  # fmt: skip
    largest[: len(sizes)] = sizes
    largest[at.unreserved[at.unreserved >= 0]] = beyond[at.unreserved >= 0]
    kept = kept_purchases(sets)
    if len(kept):
        largest[at.more] = sizes[kept]
        largest[at.fewer] = sets.purchases["kept_units"].to_numpy(float)[kept]
    return largest, most


def exact_sum_down(terms: list[tuple[Floats, Floats]]) -> float:
    """Sum of products, exact in integers, then rounded down, less the rounding of the data themselves."""
    total, size = 0, 0.0
    for a, b in terms:
        used = (a != 0) & (b != 0)
        if not np.isfinite(b[used]).all():
            return -np.inf
        for x, y in zip(a[used].tolist(), b[used].tolist()):
            (n, d), (m, e) = x.as_integer_ratio(), y.as_integer_ratio()
            total += (n * m) << (_SHIFT - (d.bit_length() + e.bit_length() - 2))
        size += float(np.abs(a[used] * b[used]).sum())
    return float(np.nextafter(_to_float(total), -np.inf)) - 1e-13 * size


def _to_float(total: int) -> float:
    """Turn a whole number of 2^-_SHIFT into a float (nearest)."""
    return total / (1 << _SHIFT)
