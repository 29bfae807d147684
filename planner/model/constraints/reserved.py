"""Rule 4: reserved capacity, with headroom."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Relaxed, Spans
from planner.model.rows import Rows, Term, distinct, joined
from planner.model.sets import Sets


def reserved(sets: Sets, at: Columns) -> Rows:
    r"""Keep the load on a deployment within its units, less headroom.

        Σ_{o,w} ρ[w,d] / (1 − η[w]) · y[o,w,d,τ]  ≤  v[d, p(τ)] + a[d,τ]      for each deployment d, slot τ      [units]

    a: units that run by the hour. ρ: units per thousand requests per hour; η: reserved headroom. Slots in which no
    demand can reach d have no row.
    """
    loads = flow_loads(sets, at)
    index = distinct(**loads.where)
    units = at.deployed[index["deployment"], sets.slot_period[index["slot"]]]
    asked = np.zeros(at.scaled.shape, bool)
    asked[index["deployment"], index["slot"]] = True
    deployment, slot = np.nonzero((at.scaled >= 0) & asked)
    by_hour = Term({"deployment": deployment, "slot": slot}, at.scaled[deployment, slot], -1.0)
    return joined("reserved", index, (-np.inf, 0.0), [loads, Term(index, units, -1.0), by_hour])


FAMILY = Family(
    name="reserved",
    rule="4",
    rows=reserved,
    spans=Spans.SLOT,
    dual="rent of one unit in the slot, USD over the horizon: the hours with rent pay for the commitment",
    relaxed_by=Relaxed.NEVER,
    allows=EVERY_REDUCTION,
    kinds=("", "rent"),
)


def flow_loads(sets: Sets, at: Columns) -> Term:
    """Load of each reserved flow on each of its deployments, units per krph with reserved headroom."""
    arcs = len(sets.arcs)
    load_arc = sets.loads["arc"].to_numpy(int)
    usable = sets.needs["usable"].to_numpy(float)[sets.arcs["need"].to_numpy(int)]
    first = np.searchsorted(load_arc, np.arange(arcs))
    count = np.bincount(load_arc, minlength=arcs)
    repeat = count[at.flow_arc]
    flow = np.repeat(np.arange(len(at.flow_arc)), repeat)
    nth = np.arange(len(flow)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    load = first[at.flow_arc[flow]] + nth
    units = sets.loads["units"].to_numpy(float)[load] / usable[at.flow_arc[flow]]
    where = {"deployment": sets.loads["deployment"].to_numpy(int)[load], "slot": at.flow_slot[flow]}
    return Term(where, at.flow_first + flow, units)
