"""Rows that span parts, and what their prices add to the cost of each part's decisions.

The whole programme is min Σ_k c[k]·x[k] over x[k] in X[k], k a part, subject to lower ≤ Σ_k A[k]·x[k] ≤ upper, a
handful of rows. At prices y of these rows (y[i] ≥ 0 for a lower, ≤ 0 for an upper bound) each part is solved by itself,
its decisions charged the tolls −A[k]ᵀy, and for every plan of the whole (Lagrange)

    cost  ≥  Σ_k min over X[k] of (c[k] − A[k]ᵀy)·x[k]  +  Σ_i y[i] · (lower[i] if y[i] > 0 else upper[i]).

A[k] is read from the assembled rows of the whole; nothing is known of any family but its entries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.errors import PlannerError
from planner.model.columns import Columns, columns_of
from planner.model.family import Family, Reduction
from planner.model.objective import objective
from planner.model.program import LinearProgram
from planner.model.rows import Rows
from planner.model.sets import Floats, Ints, Sets, Tolls
from planner.model.structure import refused_by, rules_on_sizes
from planner.solver.assemble import WAY, original_slots, rows_of
from planner.solver.certificate import ERROR, exact_sum_down
from planner.solver.joint import joint_columns, largest_joint
from planner.solver.mixture import MARGIN, Joint


@dataclass(frozen=True)
class PartRows:
    """Entries of the coupling rows in the columns of a part's programme (A[k])."""

    row: Ints
    column: Ints
    value: Floats

    def activity(self, values: Floats, rows: int) -> Floats:
        """A[k]·x of some values of the columns."""
        found: Floats = np.bincount(self.row, self.value * values[self.column], rows).astype(float)
        return found

    def tolls(self, prices: Floats, columns: int) -> Floats:
        """−A[k]ᵀy, USD of one unit of each column."""
        found: Floats = -np.bincount(self.column, self.value * prices[self.row], columns).astype(float)
        return found


@dataclass(frozen=True)
class Coupling:
    """The rows that span parts: their bounds, each part's entries, and the columns of no part."""

    stated: tuple[Rows, ...]
    lower: Floats
    upper: Floats
    parts: tuple[PartRows, ...]
    joint: Joint
    largest: Callable[[float], Floats]

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.lower)

    def worth(self, prices: Floats, usd: float = 0.0) -> float:
        """Σ y · (lower or upper), less what columns of no part may earn in a plan of ``usd``, rounded down."""
        bound = np.where(prices > 0, self.lower, np.where(prices < 0, self.upper, 0.0))
        own = self.joint
        size = self.joint.cost + np.bincount(own.column, np.abs(own.value * prices[own.row]), len(own.cost))
        least = np.minimum(own.reduced(prices) - ERROR * size, 0.0)
        return exact_sum_down([(prices, bound), (least, self.largest(usd))])

    def rows_of_part(self, number: int) -> Rows:
        """Return the rows as a part's programme has them, with bounds of 0: what they are worth counts once, above."""
        mine = self.parts[number]
        return Rows(
            "coupling",
            {},
            np.where(np.isfinite(self.lower), 0.0, -np.inf),
            np.where(np.isfinite(self.upper), 0.0, np.inf),
            mine.row,
            mine.column,
            mine.value,
        )

    def sensible(self, prices: Floats, programs: Sequence[LinearProgram]) -> Floats:
        """Return prices of the right sign, lowered together until no decision of any part earns money."""
        found = np.where((prices > 0) & ~np.isfinite(self.lower) | (prices < 0) & ~np.isfinite(self.upper), 0.0, prices)
        found = self.joint.allowed(found)
        share = 1.0
        earns = found[self.joint.row] * self.joint.value
        earned = np.bincount(self.joint.column, earns, len(self.joint.cost))
        dear = np.flatnonzero((earned > 0) & (self.joint.cost > 0))
        if len(dear):
            share = min(1.0, (1 - MARGIN) * float((self.joint.cost[dear] / earned[dear]).min()))
        for part, program in zip(self.parts, programs):
            tolls = part.tolls(found, program.columns.count)
            lowered = np.flatnonzero(tolls < 0)
            if len(lowered):
                share = min(share, (1 - MARGIN) * float((program.cost[lowered] / -tolls[lowered]).min()))
        return np.asarray(found * share)


def coupling_of(sets: Sets, families: Sequence[Family], programs: Sequence[LinearProgram]) -> Coupling | None:
    """Read the coupling rows of some families, for the reduced programmes of the parts that leave them out.

    None where they cannot be priced: a family counts sizes or changes, or does not claim the reductions of the parts.
    """
    at = columns_of(sets)
    stated = tuple(family.rows(sets, at) for family in families)
    names = {family.name for family in families}
    if not names.isdisjoint(rules_on_sizes(sets)):
        return None
    if any(refused_by(families, stated, sets, at, claim) for claim in (Reduction.SLOTS, Reduction.ARCS)):
        return None
    first = np.cumsum([0, *(rows.count for rows in stated)])
    row = np.concatenate([rows.row + k for rows, k in zip(stated, first)])
    column = np.concatenate([rows.column for rows in stated])
    value = np.concatenate([rows.value for rows in stated])
    if np.isin(column, np.concatenate([at.more, at.fewer])).any():
        return None
    part_of, column_of = np.full(at.count, -1), np.full(at.count, -1)
    flow_number = np.full((len(sets.arcs), len(sets.slots)), -1, dtype=np.int32)
    flow_number[at.flow_arc, at.flow_slot] = at.flows
    for k, program in enumerate(programs):
        own, in_whole = _in_whole(sets, at, flow_number, program)
        part_of[in_whole], column_of[in_whole] = k, own
    parts = []
    for k in range(len(programs)):
        mine = part_of[column] == k
        pair = np.column_stack([row[mine], column_of[column[mine]]])
        unique, group = np.unique(pair, axis=0, return_inverse=True)
        added = np.bincount(group.ravel(), value[mine], len(unique))
        parts.append(PartRows(unique[:, 0], unique[:, 1], added.astype(float)))
    own = joint_columns(at)
    number = np.full(at.count, -1)
    number[own] = np.arange(len(own))
    mine = number[column] >= 0
    joint = Joint(objective(sets, at)[own], row[mine], number[column[mine]], value[mine])
    return Coupling(
        stated,
        np.concatenate([rows.lower for rows in stated]),
        np.concatenate([rows.upper for rows in stated]),
        tuple(parts),
        joint,
        lambda usd: largest_joint(sets, at, usd)[own],
    )


def _in_whole(whole: Sets, at: Columns, flow_number: np.ndarray, program: LinearProgram) -> tuple[Ints, Ints]:
    """Pairs of a part's column and a column of the whole that it stands for: a merged slot's flow for several."""
    part, own = program.sets, program.columns
    period = np.array([whole.periods.index(name) for name in part.periods], dtype=np.int64)
    bought = part.purchases.assign(period=period[part.purchases["period"].to_numpy(int)])
    deployments = rows_of(whole.deployments, part.deployments, ["pool", "meter", "model"])
    meters = rows_of(whole.meters, part.meters, ["pool", "meter"])
    priced = own.unreserved >= 0
    row, slot = original_slots(part, own.flow_slot)
    arcs = rows_of(whole.arcs, part.arcs, WAY)
    pairs = [
        (own.committed, at.committed[rows_of(whole.purchases, bought, ["offer", "period"])]),
        (own.deployed.ravel(), at.deployed[deployments[:, None], period].ravel()),
        (own.unreserved[priced], at.unreserved[meters[:, None], period][priced]),
        (own.flows[row], flow_number[arcs[own.flow_arc[row]], slot].astype(np.int64)),
    ]
    for mine, of_whole in ((own.scaled, at.scaled), (own.started, at.started)):
        part_row, merged = np.nonzero(mine >= 0)
        entry, when = original_slots(part, merged)
        pairs.append((mine[part_row, merged][entry], of_whole[deployments[part_row[entry]], when]))
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def tolled(program: LinearProgram, tolls: Floats) -> LinearProgram:
    """Return the same programme with tolls on its columns.

    Raises
    ------
    PlannerError : some column would earn money.
    """
    cost = program.cost + tolls
    if (cost < 0).any():
        raise PlannerError("prices of rows that span parts make something cost less than nothing: no bound is proved")
    sets, at = program.sets, program.columns
    flow = np.zeros((len(sets.arcs), len(sets.slots)))
    flow[at.flow_arc, at.flow_slot] = tolls[at.flows]
    charged = replace(
        sets,
        tolls=Tolls(
            tolls[at.committed],
            tolls[at.deployed],
            np.where(at.unreserved >= 0, tolls[at.unreserved], 0.0),
            flow,
            np.where(at.scaled >= 0, tolls[at.scaled], 0.0),
            np.where(at.started >= 0, tolls[at.started], 0.0),
        ),
    )
    return replace(program, sets=charged, cost=cost)
