"""Slots of like prices are one slot, at their mean demand: a smaller programme, whose optimum is no dearer.

Let a group g hold slots τ of one period that cost the same, w[τ] their weeks and W = Σ_τ w[τ]. One slot of W weeks
stands for them, of demand Σ_τ w[τ] · d[n,τ] / W. Every plan of the literal programme is one of this programme at the
same cost: the same units, and of each arc the mean flow Σ_τ w[τ] · f[a,τ] / W. For a row of one slot is the mean of its
members' rows, and a row over many slots weighs each flow by its weeks. So

- its optimum, also that in whole units, is a bound on every plan's cost;
- its dual prices y, of which each member's row has its part w[τ] / W, are dual prices of the literal programme, worth
  as much.

The two optima are equal where, at the units chosen, the members of each group have a dual optimum in common; there are
only a few such, so few groups are enough (adaptive partition: Espinoza and Moreno 2014, Song and Luedtke 2015).

That rows, bounds and costs are such means is read from the entries (`SlotMeans.hold`): no family has to say so.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from planner.model.program import LinearProgram
from planner.model.reduce.project_stress import slot_tree
from planner.model.reduce.slots import hour_kinds
from planner.model.rows import Rows, codes
from planner.model.sets import Bools, Floats, Ints, Sets

SAME = 1e-9  # relative: rounding of a sum


def numbered(*columns: Ints | Floats | Bools) -> Ints:
    """Give slots that agree in every column the same number, in the order of the first column, then the second, ..."""
    _, number = np.unique(np.column_stack([np.asarray(c, float) for c in columns]), axis=0, return_inverse=True)
    found: Ints = number.ravel().astype(np.int64)
    return found


def priced_alike(sets: Sets) -> Ints:
    """Give slots one number where a unit of flow costs the same in a week of theirs, and the same needs ask."""
    slots = sets.slots
    asks = numbered(*(sets.demand > 0))
    return numbered(slots["price_factor"].to_numpy(float), hour_kinds(sets), slots["weeks"].to_numpy(float) > 0, asks)


def halved(sets: Sets, kind: Ints, depth: int) -> Ints:
    """Halve the slots of each kind a few times, at the median of the need whose demand varies most: groups."""
    peak = sets.demand.max(axis=1, initial=0.0)
    scaled = sets.demand / np.where(peak > 0, peak, 1.0)[:, None]
    group_of, first = np.full(len(kind), -1), 0
    for number in range(int(kind.max(initial=-1)) + 1):
        tree, todo = slot_tree(scaled, np.flatnonzero(kind == number)), [0]
        for _ in range(depth):
            halves = [(tree.left[node], tree.right[node]) if tree.left[node] >= 0 else (node,) for node in todo]
            todo = [int(child) for pair in halves for child in pair]
        for node in todo:
            group_of[tree.slots(node)] = first
            first += 1
    return group_of


def shares(sets: Sets, group_of: Ints) -> Floats:
    """Part that each slot has in the weeks of its group; equal parts where none of them counts."""
    weeks = sets.slots["weeks"].to_numpy(float)
    total, members = np.bincount(group_of, weeks), np.bincount(group_of)
    counts = total[group_of] > 0
    found: Floats = np.where(
        counts, weeks / np.where(counts, total[group_of], 1.0), 1.0 / np.maximum(members[group_of], 1)
    )
    return found


def one_slot_each(sets: Sets, group_of: Ints, demand: Floats) -> Sets:
    """Make one slot of each group, of all its weeks. ``demand`` : krph, needs x groups."""
    _, first = np.unique(group_of, return_index=True)
    weeks = np.bincount(group_of, sets.slots["weeks"].to_numpy(float))
    slots = sets.slots.iloc[first].reset_index(drop=True).assign(weeks=weeks)
    own = sets.members or tuple(np.arange(len(group_of)).reshape(-1, 1))
    members = tuple(np.concatenate([own[t] for t in np.flatnonzero(group_of == g)]) for g in range(len(first)))
    return replace(sets, slots=slots, demand=demand, members=members)


def mean_slots(sets: Sets, group_of: Ints) -> Sets:
    """Make one slot of each group, of its mean demand and all its weeks."""
    demand = np.zeros((len(sets.needs), int(group_of.max(initial=-1)) + 1))
    np.add.at(demand.T, group_of, (sets.demand * shares(sets, group_of)).T)
    return one_slot_each(sets, group_of, demand)


@dataclass(frozen=True)
class SlotMeans:
    """A literal programme, and one of its slots' means.

    row : of the means, for each literal row; -1 where it has none. weight : of each literal row in it.
    """

    literal: LinearProgram
    means: LinearProgram
    group_of: Ints
    row: Ints
    weight: Floats

    @classmethod
    def of(cls, literal: LinearProgram, means: LinearProgram, group_of: Ints) -> "SlotMeans":
        """Find the row that each literal row has a part in, by their names."""
        share = shares(literal.sets, group_of)
        row, weight = np.full(literal.row_count, -1), np.ones(literal.row_count)
        for mine, own in zip(literal.families, means.families):
            first, here = means.first_row(own.family), literal.first_row(mine.family)
            at = slice(here, here + mine.count)
            if "slot" not in mine.index:
                same = mine.count == own.count and all(np.array_equal(mine.index[n], own.index[n]) for n in mine.index)
                row[at] = first + np.arange(mine.count) if same else -1
                continue
            slot = mine.index["slot"]
            place = _places(*codes([own.index, {**mine.index, "slot": group_of[slot]}]))
            row[at] = np.where(place >= 0, first + place, -1)
            weight[at] = share[slot]
        return cls(literal, means, group_of, row, weight)

    def duals(self, duals: Floats) -> Floats:
        """Dual prices of the literal rows: of the row that each has a part in, that part."""
        found: Floats = np.where(self.row >= 0, np.append(duals, 0.0)[self.row] * self.weight, 0.0)
        return found

    @cached_property
    def column(self) -> Ints:
        """Column of the means for each literal column; -1 where it has none."""
        at, own = self.literal.columns, self.means.columns
        number = own.flow_numbers(self.means.sets)
        return np.concatenate([np.arange(at.flow_first), number[at.flow_arc, self.group_of[at.flow_slot]]])

    def hold(self) -> bool:
        """Whether every plan of the literal programme has one of the means at the same cost, as the entries show."""
        at, own = self.literal.columns, self.means.columns
        column = self.column
        if at.flow_first != own.flow_first or (column < 0).any() or (self.row < 0).any():
            return False
        members = np.bincount(self.group_of)
        share = np.concatenate([np.ones(at.flow_first), shares(self.literal.sets, self.group_of)[at.flow_slot]])
        flows = np.bincount(column[at.flow_first :] - at.flow_first, minlength=len(own.flow_arc))
        if not np.array_equal(flows, members[own.flow_slot]) or not _same(
            self.literal.cost, self.means.cost[column] * share
        ):
            return False
        return all(self._family_holds(mine, of, share) for mine, of in zip(self.literal.families, self.means.families))

    def _family_holds(self, mine: Rows, of: Rows, share: Floats) -> bool:
        here, first = self.literal.first_row(mine.family), self.means.first_row(of.family)
        row, weight = (x[here : here + mine.count] for x in (self.row - first, self.weight))
        for bound, mean in ((mine.lower, of.lower), (mine.upper, of.upper)):
            open_rows = np.bincount(row, np.isinf(bound), of.count) > 0
            total = np.bincount(row, np.where(np.isinf(bound), 0.0, bound * weight), of.count)
            if not np.array_equal(open_rows, np.isinf(mean)) or not _same(total[~open_rows], mean[~open_rows]):
                return False
        if "slot" in of.index and not np.array_equal(
            np.bincount(row, minlength=of.count), np.bincount(self.group_of)[of.index["slot"]]
        ):
            return False
        kept, known = mine.value != 0, of.value != 0
        cell = row[mine.row[kept]] * self.means.columns.count + self.column[mine.column[kept]]
        known_cell = of.row[known] * self.means.columns.count + of.column[known]
        place = _places(known_cell, cell)
        if (place < 0).any():
            return False
        value = mine.value[kept] * weight[mine.row[kept]]
        mean, part = of.value[known], share[mine.column[kept]]
        flow = mine.column[kept] >= self.literal.columns.flow_first
        return _same(np.bincount(place, value, len(mean)), mean) and _same(value[flow], mean[place[flow]] * part[flow])


def _same(one: npt.ArrayLike, other: Floats) -> bool:
    """Whether numbers are the same but for rounding."""
    is_ = np.asarray(one, float)
    return bool(np.all(np.abs(is_ - other) <= SAME * np.maximum(np.abs(is_), np.abs(other))))


def _places(known: Ints, code: Ints) -> Ints:
    """Find where each code stands among the known ones; -1: nowhere."""
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], code)
    at = np.append(order, -1)[place]
    return np.where((at >= 0) & (np.append(known, -1)[at] == code), at, -1)
