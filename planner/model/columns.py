"""Columns: each decision of model.md section 3 declared once, with its index, bounds, unit and meaning."""

from dataclasses import dataclass

import numpy as np

from planner.model.sets import Bools, Floats, Ints, Sets


@dataclass(frozen=True)
class Columns:
    """Where each decision stands among the columns of the programme (all are >= 0).

    committed : x[purchase], units committed at the start of a period under an offer. Array purchases.
    deployed : v[deployment, period], units. Array deployments x periods.
    unreserved : u[meter, period], units beyond the commitments; -1 where the pool has no such price.
        Array meters x periods.
    flow_first : number of the first flow column; flows are the last columns.
    flow_arc, flow_slot : arc and slot of each flow: y where the arc is reserved, z where it is on demand (krph).
    upper : upper bound of each column.
    """

    committed: Ints
    deployed: Ints
    unreserved: Ints
    flow_first: int
    flow_arc: Ints
    flow_slot: Ints
    upper: Floats

    @property
    def count(self) -> int:
        """Number of columns."""
        return self.flow_first + len(self.flow_arc)

    @property
    def flows(self) -> Ints:
        """Column numbers of all flows."""
        return np.arange(self.flow_first, self.count)


def columns_of(sets: Sets) -> Columns:
    """Number the decisions: committed, deployed, unreserved, then one flow for each priced arc and slot with demand."""
    periods, purchases = len(sets.periods), len(sets.purchases)
    committed = np.arange(purchases)
    deployed = purchases + np.arange(len(sets.deployments) * periods).reshape(-1, periods)
    first = purchases + deployed.size
    has_price = np.isfinite(sets.meters["usd_per_unreserved_unit_hour"].to_numpy(float))
    unreserved = np.full((len(sets.meters), periods), -1)
    unreserved[has_price] = first + np.arange(has_price.sum() * periods).reshape(-1, periods)
    first += int(has_price.sum()) * periods
    arc, slot = np.nonzero(_usable(sets))
    upper = np.full(first + len(arc), np.inf)
    upper[committed] = largest_purchase(sets)
    return Columns(committed, deployed, unreserved, first, arc, slot, upper)


def _usable(sets: Sets) -> Bools:
    """Whether an arc may carry a priced flow in a slot: it is priced, and its need has demand there."""
    need = sets.arcs["need"].to_numpy(int)
    usable: Bools = (sets.demand[need] > 0) & sets.arcs["priced"].to_numpy(bool)[:, None]
    return usable


def largest_purchase(sets: Sets) -> Floats:
    """max_units of each purchase, lowered to the size grid where units are whole: min + step * floor((max - min)/step)."""
    top = sets.purchases["max_units"].to_numpy(float).copy()
    if sets.whole_units:
        low, step = sets.purchases["min_units"].to_numpy(float), sets.purchases["unit_step"].to_numpy(float)
        grid = np.isfinite(top) & (step > 0)
        top[grid] = low[grid] + step[grid] * np.floor((top[grid] - low[grid]) / step[grid] + 1e-9)
    return top
