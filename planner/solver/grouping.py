"""Groups of slots: what the search for whole units estimates a cost for, one estimate a group."""

from dataclasses import dataclass

import numpy as np

from planner.model.program import LinearProgram
from planner.model.sets import Ints
from planner.model.waiting import Weeks

GROUPS = 40  # most estimates (θ) of one component: fewer are weaker, more slow the master down (measured)


@dataclass(frozen=True)
class Grouping:
    """How the rows with flows fall into groups of slots (no more than GROUPS): read from their entries.

    group_of : group of each row whose flows are all of one; -1 for rows without flows, and for those that tie groups.
    tying : rows that tie groups together. use_group, use_row : group and number among `tying` of every part of a
    tying limit that some flow can use.
    divisible : whether each tying row is an upper limit >= 0 on flows alone, none of which counts negative. Then the
        master may hand each group its part of the limit: a group's cost is convex in its units and its parts.
    """

    group_of: Ints
    groups: int
    tying: Ints
    use_group: Ints
    use_row: Ints
    divisible: bool


def grouping(program: LinearProgram) -> Grouping:
    """Put each row with flows into its group of slots."""
    at, slots, rows = program.columns, max(len(program.sets.slots), 1), program.row_count
    row, column, value = program.entries()
    used = value != 0
    row, column, value = row[used], column[used], value[used]
    is_flow = column >= at.hours_first
    weekly = at.queues.count > 0 or bool((at.started >= 0).any())
    # where work waits across hours, whole weeks stay together
    of_slot = np.unique(Weeks.of(program.sets).first, return_inverse=True)[1] if weekly else np.arange(slots)
    units = int(of_slot.max(initial=0)) + 1
    group = of_slot[at.hour_slots[column[is_flow] - at.hours_first]] * min(GROUPS, units) // units
    low, high = np.full(rows, slots), np.full(rows, -1)
    np.minimum.at(low, row[is_flow], group)
    np.maximum.at(high, row[is_flow], group)
    ties = high > low
    group_of = np.where(ties, -1, high)
    tying = np.flatnonzero(ties)
    lower, upper = program.bounds()
    limits = bool(np.all(np.isinf(lower[tying]) & np.isfinite(upper[tying]) & (upper[tying] >= 0)))
    of_tying = ties[row]
    divisible = limits and bool(np.all(is_flow[of_tying] & (value[of_tying] > 0)))
    number = np.searchsorted(tying, row[is_flow][ties[row[is_flow]]])
    pairs = np.unique(np.column_stack([group[ties[row[is_flow]]], number]), axis=0)
    return Grouping(group_of, int(high.max(initial=-1)) + 1, tying, pairs[:, 0], pairs[:, 1], divisible)


def one_group(program: LinearProgram) -> Grouping:
    """Put all rows of families with flows into one group: coarser, and right whatever the rows that tie slots are."""
    first = program.columns.hours_first
    with_flows = [bool((rows.column[rows.value != 0] >= first).any()) for rows in program.families]
    group_of = np.repeat(np.where(with_flows, 0, -1), [rows.count for rows in program.families])
    none = np.empty(0, np.int64)
    return Grouping(group_of, int(group_of.max(initial=-1)) + 1, none, none, none, True)
