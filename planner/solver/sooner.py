"""Of the hours that cost the same, those in which the least work waits.

The optimum says how much each way serves; where several hours have room and one price, which of them serves is left to
chance, and work would wait for nothing. A small linear programme moves it forward: units and what each way serves in a
week at each price stay as they are, so that no cost and no rule on sums can tell the difference, and the request-hours
spent waiting are the fewest.
"""

from dataclasses import replace

import numpy as np

from planner.errors import StoppedError
from planner.model import program as programme
from planner.model.program import LinearProgram
from planner.model.reduce.slots import unlike_hours
from planner.model.sets import Bools, Floats
from planner.model.structure import breaks
from planner.model.waiting import Weeks
from planner.solver.highs import Clock, RowEntries, Session, set_options

SAME_PRICE = 1e-12  # relative: rounding of a price
LESS = 1e-6  # of the request-hours that wait: less is not worth another plan


def served_sooner(program: LinearProgram, values: Floats, scale: Floats, clock: Clock) -> Floats:
    """Return the values with work that can wait served as soon as may be, at the same cost.

    ``values`` : of the columns, rows kept. They are returned as they are where nothing waits or time runs out.
    """
    sets, at = program.sets, program.columns
    waiting = at.backlog[at.backlog >= 0]
    if not len(waiting):
        return values
    cost = np.zeros(at.count)
    cost[waiting] = np.broadcast_to(sets.slots["weeks"].to_numpy(float), at.backlog.shape)[at.backlog >= 0]
    now = float(cost @ values)
    if now <= LESS * float(values[at.flows] @ sets.slots["weeks"].to_numpy(float)[at.flow_slot]):
        return values
    session = Session(replace(program, cost=cost), clock)
    fixed = np.zeros(at.count, bool)
    fixed[: at.hours_first] = True
    for columns in (at.scaled, at.started):
        fixed[columns[columns >= 0]] = True
    fixed[at.flows] = ((at.queues.of_arc < 0) | _counted_by_hour(program))[at.flow_arc]
    still = np.flatnonzero(fixed)
    set_options(session.highs, presolve="on")
    session.set_column_bounds(still, values[still], values[still])
    session.add_rows(_same_sums(program, values, ~fixed))
    try:
        if not session.solve():
            return values
    except StoppedError:
        return values
    found = np.maximum(session.values(), 0.0)
    found[still] = values[still]
    better = float(cost @ found) < (1 - LESS) * now
    return found if better and not breaks(program, found, scale) else values


def _counted_by_hour(program: LinearProgram) -> Bools:
    """Arcs that a rule which is stated of the whole only counts in some hours and not in others."""
    sets, at = program.sets, program.columns
    found = np.zeros(len(sets.arcs), bool)
    for family in programme.FAMILIES:
        if family.name in sets.left_out:
            rows = family.rows(replace(sets, left_out=()), at)
            used = np.flatnonzero((rows.value != 0) & (rows.column >= at.flow_first))
            found |= unlike_hours(
                sets, at, row=rows.row[used], flow=rows.column[used] - at.flow_first, value=rows.value[used]
            )
    return found


def _same_sums(program: LinearProgram, values: Floats, moves: Bools) -> RowEntries:
    """State that each way serves as much as it did, in each week and at each price."""
    sets, at = program.sets, program.columns
    flows = at.flows[moves[at.flows]]
    number, weeks = flows - at.flow_first, sets.slots["weeks"].to_numpy(float)
    slot = at.flow_slot[number]
    price = np.divide(program.cost[flows], weeks[slot], out=np.zeros(len(flows)), where=weeks[slot] > 0)
    step = SAME_PRICE * max(float(np.abs(price).max(initial=0.0)), 1e-300)
    key = np.column_stack([at.flow_arc[number], Weeks.of(sets).first[slot], np.round(price / step)])
    _, group = np.unique(key, axis=0, return_inverse=True)
    group = group.ravel()
    order = np.argsort(group, kind="stable")
    total = np.bincount(group, values[flows]).astype(float)
    start = np.concatenate([[0], np.cumsum(np.bincount(group))])
    return RowEntries(total, total, start, flows[order], np.ones(len(flows)))
