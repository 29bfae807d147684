"""First come, first served: from what queues take and serve by the hour to the hours of arrival that each flow serves.

A queue's arrivals and what it serves are laid out on one line, in the order of time. The work that waits at the start
of the week is the least that keeps the backlog at 0 or above, so nothing waits longer than it has to. A flow then
serves the arrivals that lie at its place on the line; `model.waiting` tells why none is past its deadline.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from planner.model.columns import Columns
from planner.model.sets import Floats, Ints, Sets
from planner.model.waiting import Weeks

DUST = 1e-10  # of the demand: the solver's rounding


@dataclass(frozen=True)
class ServedWork:
    """Flows that are not 0, each of one hour of arrival: arc, slot in which it arose, slot that serves it, krph."""

    arc: Ints
    arrived: Ints
    slot: Ints
    flow: Floats


def served_work(sets: Sets, at: Columns, values: Floats) -> ServedWork:
    """Drop the solver's dust, and let the flows of every hour of arrival add up to its demand exactly.

    values : of all columns, krph.
    """
    need, flow = sets.arcs["need"].to_numpy(int)[at.flow_arc], values[at.flows]
    queue = at.queues.of_arc[at.flow_arc]
    asked = sets.demand[need, at.flow_slot]
    if at.queues.count:
        asked = np.where(queue >= 0, sets.demand.max(axis=1, initial=0.0)[need], asked)
    used = np.flatnonzero(flow > DUST * asked)
    now = used[queue[used] < 0]
    parts = [(at.flow_arc[now], at.flow_slot[now], at.flow_slot[now], flow[now])]
    parts += _of_queues(sets, at, values, used[queue[used] >= 0])
    arc, arrived, slot, krph = (np.concatenate(column) for column in zip(*parts))
    of_arc = sets.arcs["need"].to_numpy(int)[arc]
    key = of_arc * len(sets.slots) + arrived
    served = np.bincount(key, krph, len(sets.needs) * len(sets.slots))[key]
    exact: Floats = krph * sets.demand[of_arc, arrived] / np.where(served > 0, served, 1.0)
    kept = np.flatnonzero(exact)
    return ServedWork(arc[kept], arrived[kept], slot[kept], exact[kept])


def flow_totals(at: Columns, work: ServedWork, slots: int) -> Floats:
    """Sum what each flow column serves, whatever its hour of arrival, krph."""
    key = at.flow_arc * slots + at.flow_slot
    order = np.argsort(key, kind="stable")
    column = order[np.searchsorted(key[order], work.arc * slots + work.slot)]
    total: Floats = np.bincount(column, work.flow, len(key)).astype(float)
    return total


def _of_queues(sets: Sets, at: Columns, values: Floats, used: Ints) -> list[tuple[Ints, Ints, Ints, Floats]]:
    """Match the used flows of each queue and week with its arrivals."""
    if not len(used):
        return []
    first = Weeks.of(sets).first
    weeks = np.unique(first)
    queue, slot = at.queues.of_arc[at.flow_arc[used]], at.flow_slot[used]
    week = np.searchsorted(weeks, first[slot])
    order = np.lexsort((at.flow_arc[used], slot, week, queue))
    group = (queue * len(weeks) + week)[order]
    bounds = np.flatnonzero(np.diff(group, prepend=-1, append=-1))
    parts = []
    for begin, end in pairwise(bounds.tolist()):
        mine = used[order[begin:end]]
        q, start = int(at.queues.of_arc[at.flow_arc[mine[0]]]), int(weeks[group[begin] % len(weeks)])
        length = int((first == start).sum())
        columns = at.taken[q, start : start + length]
        took = np.where(columns >= 0, np.maximum(values[columns], 0.0), 0.0)
        hour = at.flow_slot[mine] - start
        k, arrived, amount = matched(took, hour, values[at.flows[mine]], int(at.queues.latest_hours[q]))
        parts.append((at.flow_arc[mine[k]], start + arrived, at.flow_slot[mine[k]], amount))
    return parts


def matched(took: Floats, hour: Ints, flow: Floats, latest: int) -> tuple[Ints, Ints, Floats]:
    """Match flows with the arrivals of a week that goes round.

    Parameters
    ----------
    took : arrivals by hour of the week. hour, flow : hour and amount of each flow, in the order of time. latest : how
        many hours late work may be served.

    Returns
    -------
    Number of the flow, hour of arrival, amount. Rounding is left out: dust of an hour's arrivals, and what it would
    serve before it arises or past its deadline.
    """
    hours, all_took = len(took), float(took.sum())
    served = np.bincount(hour, flow, hours)
    waits_at_start = max(0.0, -float(np.cumsum(took - served).min()))
    line = np.concatenate([[0.0], np.cumsum(took)])
    arrivals = np.concatenate([line[:-1] - all_took, line])  # the week before, and this one
    done = np.concatenate([[0.0], np.cumsum(flow)]) - waits_at_start
    edges = np.unique(np.concatenate([done, arrivals[(arrivals > done[0]) & (arrivals < done[-1])]]))
    middle, amount = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    k = np.clip(np.searchsorted(done, middle, side="right") - 1, 0, len(flow) - 1)
    place = np.clip(np.searchsorted(arrivals, middle, side="right") - 1, 0, 2 * hours - 1)
    late = hour[k] - (place - hours)
    fits = (late >= 0) & (late <= latest) & (amount > DUST * took[place % hours])
    return k[fits], place[fits] % hours, amount[fits]
