"""Rule 4: reserved capacity, with headroom."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Spans
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Floats, Ints, Sets


def reserved(sets: Sets, at: Columns) -> Rows:
    r"""Keep the load on a deployment within its units, less headroom.

        Σ_{o,w} ρ[w,d] / (1 − η[w]) · y[o,w,d,τ]  ≤  v[d, p(τ)]        for each deployment d, slot τ       [units]

    ρ: units per thousand requests per hour; η: reserved headroom. Slots in which no demand can reach d have no row.
    """
    slots = len(sets.slots)
    key, column, value = flow_loads(sets, at)
    present = np.unique(key)
    deployment, slot = present // slots, present % slots
    return rows_by_key(
        "reserved",
        {"deployment": deployment, "slot": slot},
        present,
        constant(len(present), -np.inf),
        constant(len(present), 0.0),
        [
            Term(key, column, value),
            Term(present, at.deployed[deployment, sets.slot_period[slot]], constant(len(present), -1.0)),
        ],
    )


FAMILY = Family(
    name="reserved",
    rule="4",
    rows=reserved,
    spans=Spans.SLOT,
    dual="rent of one unit in the slot, USD over the horizon: the hours with rent pay for the commitment",
    relaxed_by=None,
    allows=EVERY_REDUCTION,
    kinds=("", "rent"),
)


def flow_loads(sets: Sets, at: Columns) -> tuple[Ints, Ints, Floats]:
    """Load of each reserved flow: key deployment x slots + slot, column, units per krph with reserved headroom."""
    arcs, slots = len(sets.arcs), len(sets.slots)
    load_arc = sets.loads["arc"].to_numpy(int)
    usable = sets.needs["usable"].to_numpy(float)[sets.arcs["need"].to_numpy(int)]
    first = np.searchsorted(load_arc, np.arange(arcs))
    count = np.bincount(load_arc, minlength=arcs)
    repeat = count[at.flow_arc]
    flow = np.repeat(np.arange(len(at.flow_arc)), repeat)
    nth = np.arange(len(flow)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    load = first[at.flow_arc[flow]] + nth
    units = sets.loads["units"].to_numpy(float)[load] / usable[at.flow_arc[flow]]
    key = sets.loads["deployment"].to_numpy(int)[load] * slots + at.flow_slot[flow]
    return key, at.flow_first + flow, units
