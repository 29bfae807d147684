"""Work that can wait: what a queue takes is served within its hours, around the week (`model.waiting`)."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Reduction, Relaxed, Spans
from planner.model.rows import Rows, Term, joined, kept, no_rows
from planner.model.sets import Ints, Sets
from planner.model.waiting import Weeks

WAITS = EVERY_REDUCTION - {Reduction.SLOTS}  # two hours of equal demand are not equal where work waits across them


def backlog(sets: Sets, at: Columns) -> Rows:
    r"""Serve what has arisen: work that waits at the end of an hour is what waited, and arose, and is not served.

    a[q,t] + b[q,t−1] − b[q,t] − Σ_{ways of q} f[way,t]  =  0        for each queue q, slot t       [krph]
    """
    rows = _rows(at)
    if not len(rows["queue"]):
        return no_rows("backlog", "queue", "slot")
    weeks = Weeks.of(sets)
    terms = [
        _in_slot(at.taken, 1.0),
        _in_slot(at.backlog, -1.0),
        _in_slot(at.backlog, 1.0, weeks.later(1)),
        _served(sets, at, -1.0),
    ]
    return joined("backlog", rows, (0.0, 0.0), terms)


BACKLOG = Family(
    name="backlog",
    rule="1",
    rows=backlog,
    spans=Spans.WEEK,
    dual="none: the price of an hour's arrivals follows from the hours that may serve them",
    relaxed_by=Relaxed.NEVER,
    by_arrival=True,
    allows=WAITS,
    kinds=("", ""),
)


def deadline(sets: Sets, at: Columns) -> Rows:
    r"""Serve what arose L hours ago: of the last L hours' arrivals some are served already, s, and none too late.

        Σ_{ways of q} f[way,t] + s[q,t−1] − s[q,t] − a[q,t−L]  =  0        for each queue q, slot t       [krph]

    In the first hour of a week in which work may always wait, Σ_{t−L<h≤t} a[q,h] − b[q,t] − s[q,t] = 0 stands in its
    place, from which that row follows.
    """
    rows = _rows(at)
    if not len(rows["queue"]):
        return no_rows("deadline", "queue", "slot")
    weeks = Weeks.of(sets)
    always = np.logical_and.reduceat(at.backlog >= 0, np.unique(weeks.first), axis=1)
    block = np.searchsorted(np.unique(weeks.first), weeks.first)
    anchor = always[:, block] & (np.arange(len(weeks.first)) == weeks.first)[None, :]  # queues x slots

    def but_anchors(term: Term) -> Term:
        stays = ~anchor[term.where["queue"], term.where["slot"]]
        return Term(kept(term.where, stays), term.column[stays], term.value)

    terms = [
        but_anchors(_served(sets, at, 1.0)),
        but_anchors(_in_slot(at.credit, 1.0, weeks.later(1))),
        but_anchors(_in_slot(at.credit, -1.0)),
    ]
    for hours in np.unique(at.queues.latest_hours):
        mine = (at.queues.latest_hours == hours)[:, None]
        terms.append(but_anchors(_in_slot(np.where(mine, at.taken, -1), -1.0, weeks.later(int(hours)))))
        for back in range(int(hours)):
            term = _in_slot(np.where(mine, at.taken, -1), 1.0, weeks.later(back))
            first = anchor[term.where["queue"], term.where["slot"]]
            terms.append(Term(kept(term.where, first), term.column[first], 1.0))
    for columns in (at.backlog, at.credit):
        terms.append(_in_slot(np.where(anchor, columns, -1), -1.0))
    return joined("deadline", rows, (0.0, 0.0), terms)


DEADLINE = Family(
    name="deadline",
    rule="1",
    rows=deadline,
    spans=Spans.WEEK,
    dual="none: the price of an hour's arrivals follows from the hours that may serve them",
    relaxed_by=Relaxed.NEVER,
    by_arrival=True,
    allows=WAITS,
    kinds=("", ""),
)


def _rows(at: Columns) -> dict[str, Ints]:
    """Name a row for each queue and slot in which it may serve."""
    queue, slot = np.nonzero(at.reach.serves)
    return {"queue": queue, "slot": slot}


def _in_slot(columns: Ints, value: float, slot_of: Ints | None = None) -> Term:
    """Entries of columns (queues x slots, -1: none) in the row of their slot, or of another for each slot."""
    queue, slot = np.nonzero(columns >= 0)
    return Term({"queue": queue, "slot": slot if slot_of is None else slot_of[slot]}, columns[queue, slot], value)


def _served(sets: Sets, at: Columns, value: float) -> Term:
    """Enter what the ways of a queue serve in a slot."""
    queue = at.queues.of_arc[at.flow_arc]
    waits = queue >= 0
    return Term({"queue": queue[waits], "slot": at.flow_slot[waits]}, at.flows[waits], value)
