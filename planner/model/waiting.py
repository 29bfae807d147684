"""Work that can wait, as served amounts by hour: no column for each pair of hours, of arrival and of service.

Literally a flow over an arc carries the hour h in which the work arose and the hour t that serves it, t − h from 0 to
the arc's `latest_hours`. Ways of one need that are alike to the rules of the hour of arrival (share of the mix that
bounds them, guaranteed or not, latest hours L) are one *queue*. With a[q,h] the arrivals that a queue takes and f[q,t]
what it serves,

    b[q,t] = b[q,t−1] + a[q,t] − f[q,t] ≥ 0                   work that waits at the end of hour t,
    s[q,t] = s[q,t−1] + f[q,t] − a[q,t−L] ≥ 0,   b[q,t] + s[q,t] = Σ_{t−L<h≤t} a[q,h]      of what arose in the last
                                                              L hours, what is served already,

around the week, is the same: first come, first served (`solver.ties`) finds the pairs (h, t), for the work that
waits is then the latest that arose, and what arose L hours ago is served. Conversely any pairs give such b and s. So
the optimum is that of the literal programme, with three columns a queue and hour in place of L + 1 a way and hour.

An arc marked `at_once` (`reduce.slots.prune`) gains nothing by waiting: its flow is served when it arises.
"""

from dataclasses import dataclass

import numpy as np

from planner.model.bounded_shares import bounded_shares
from planner.model.sets import Bools, Floats, Ints, Sets


@dataclass(frozen=True)
class Queues:
    """Queues of some sets.

    need, share (row of `shares` that bounds it, -1: none), guaranteed, latest_hours : of each queue. of_arc : queue of
    each arc, -1: what it serves does not wait.
    """

    need: Ints
    share: Ints
    guaranteed: Bools
    latest_hours: Ints
    of_arc: Ints

    @property
    def count(self) -> int:
        """Number of queues."""
        return len(self.need)


def waits(sets: Sets) -> bool:
    """Whether some need of the sets can wait."""
    return bool((sets.needs["deadline_hours"] > 0).any())


def queues_of(sets: Sets) -> Queues:
    """Put the arcs whose flows may wait into queues."""
    none = np.full(len(sets.arcs), -1)
    if not waits(sets):
        empty = np.empty(0, np.int64)
        return Queues(empty, empty, np.empty(0, bool), empty, none)
    arcs = sets.arcs
    late, need = arcs["latest_hours"].to_numpy(int), arcs["need"].to_numpy(int)
    may = (late > 0) & ~arcs["at_once"].to_numpy(bool) & arcs["priced"].to_numpy(bool)
    asks = sets.needs["guaranteed_share"].to_numpy(float)[need] > 0
    sure = arcs["guaranteed"].to_numpy(bool) & asks
    key = np.column_stack([need, bounded_shares(sets)[0], sure, late])[may]
    found, of = np.unique(key, axis=0, return_inverse=True)
    none[may] = of.ravel()
    return Queues(found[:, 0], found[:, 1], found[:, 2].astype(bool), found[:, 3], none)


@dataclass(frozen=True)
class Weeks:
    """Where slots stand in their week: first slot of each slot's scenario and period, and how many there are."""

    first: Ints
    length: Ints

    @classmethod
    def of(cls, sets: Sets) -> "Weeks":
        """Read it from the slots, of which those of a scenario and period stand together, hour by hour."""
        period, scenario = sets.slots["period"].to_numpy(int), sets.slots["scenario"].to_numpy(object)
        begins = np.ones(len(period), bool)
        begins[1:] = (period[1:] != period[:-1]) | (scenario[1:] != scenario[:-1])
        starts = np.flatnonzero(begins)
        block = np.cumsum(begins) - 1
        return cls(starts[block], np.diff(np.append(starts, len(period)))[block])

    def later(self, hours: int) -> Ints:
        """Slot that comes so many hours after each (before: negative), around the week."""
        return self.first + (np.arange(len(self.first)) - self.first + hours) % self.length

    def within(self, amount: Floats, hours: int) -> Floats:
        """Sum of the last ``hours`` hours, this one included, by slot (last axis)."""
        total = np.zeros_like(amount)
        for back in range(hours):
            total += amount[..., self.later(-back)]
        return total

    def least_ahead(self, amount: Floats, hours: int) -> Floats:
        """Least of this hour and the next ``hours``, by slot (last axis)."""
        least = amount.copy()
        for ahead in range(1, hours + 1):
            np.minimum(least, amount[..., self.later(ahead)], out=least)
        return least


@dataclass(frozen=True)
class Reach:
    """In which slots a queue takes arrivals, may serve, and may have work that waits: arrays queues x slots."""

    takes: Bools
    serves: Bools
    holds: Bools


def reach_of(sets: Sets, queues: Queues) -> Reach:
    """Work out where the columns of each queue are."""
    shape = queues.count, len(sets.slots)
    asked = sets.demand[queues.need] > 0
    serves, holds = np.zeros(shape, bool), np.zeros(shape, bool)
    if queues.count:
        weeks = Weeks.of(sets)
        for hours in np.unique(queues.latest_hours):
            mine = queues.latest_hours == hours
            count = asked[mine].astype(float)
            holds[mine] = weeks.within(count, int(hours)) > 0
            serves[mine] = holds[mine] | (count[:, weeks.later(-int(hours))] > 0)
    return Reach(asked, serves, holds)


def served_peaks(sets: Sets) -> Floats:
    """Most of each need that one hour may have to serve: its peak, or all that arose and may still wait (krph)."""
    peak: Floats = sets.demand.max(axis=1, initial=0.0)
    if waits(sets) and len(sets.slots):
        deadline, weeks = sets.needs["deadline_hours"].to_numpy(int), Weeks.of(sets)
        for hours in np.unique(deadline[deadline > 0]):
            mine = deadline == hours
            peak[mine] = weeks.within(sets.demand[mine], int(hours) + 1).max(axis=1, initial=0.0)
    return peak
