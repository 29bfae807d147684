"""Plans of the parts, put together, against the assembled rows of the whole: nothing merged, split or left out.

The parts' programmes leave out what ties everything. Whether their plans keep it is not left to any rule's own code,
but by the rows themselves.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.errors import AuditError
from planner.model.columns import Columns, columns_of, kept_purchases
from planner.model.family import Family
from planner.model.program import families_of
from planner.model.rows import number_in
from planner.model.sets import Floats, Ints, Sets
from planner.model.structure import broken
from planner.solver.component import Decided
from planner.solver.scaling import column_scale

WAY = ["origin", "workload", "model", "region", "supply", "reserved"]


def keep_rows(sets: Sets, families: Sequence[Family], plans: Sequence[Decided], sized: bool) -> bool:
    """Whether plans of the parts keep the rows of some families, stated of the whole; ``sized``: size rules included.

    Without those rows the programme is a relaxation; an optimum of it that keeps them is an optimum of the whole.
    """
    if not families:
        return True
    at = columns_of(sets, sized and sets.has_size_rules)
    values, scale = whole_values(sets, at, plans), column_scale(sets, at)
    return not any(len(broken(family.rows(sets, at), values, scale)) for family in families)


def check_rows(sets: Sets, plans: Sequence[Decided], names: Sequence[str]) -> None:
    """Check the finished plan against every row of some families, size rules included.

    Raises
    ------
    AuditError : a row is broken; the plan must not be used.
    """
    checked = [family for family in families_of(sets) if family.name in names]
    if not checked:
        return
    at = columns_of(sets, sets.whole_units)
    values, scale = whole_values(sets, at, plans), column_scale(sets, at)
    for family in checked:
        rows = family.rows(sets, at)
        found = broken(rows, values, scale)
        if len(found):
            raise AuditError(
                f"The plan breaks rule {family.rule} ({family.name}) in {len(found)} of its {rows.count} rows and was "
                "not written. This is a fault of planner: please report it, with the input"
            )


def whole_values(sets: Sets, at: Columns, plans: Sequence[Decided]) -> Floats:
    """Value of each column of the whole programme."""
    committed, flow = np.zeros(len(sets.purchases)), np.zeros((len(sets.arcs), len(sets.slots)))
    deployed = np.zeros((len(sets.deployments), len(sets.periods)))
    for plan in plans:
        part = plan.sets
        period = np.array([sets.periods.index(name) for name in part.periods], dtype=np.int64)
        named = part.purchases.assign(period=period[part.purchases["period"].to_numpy(int)])
        committed[rows_of(sets.purchases, named, ["offer", "period"])] = plan.committed
        of = rows_of(sets.deployments, part.deployments, ["pool", "meter", "model"])
        deployed[of[:, None], period] = plan.deployed
        entry, slot = original_slots(part, plan.flow_slot)
        flow[rows_of(sets.arcs, part.arcs, WAY)[plan.flow_arc[entry]], slot] = plan.flow[entry]
    return values_of(sets, at, committed, deployed, flow[at.flow_arc, at.flow_slot])


def values_of(sets: Sets, at: Columns, committed: Floats, deployed: Floats, flow: Floats) -> Floats:
    """Value of each column where purchases, deployments and flows are decided: the others follow."""
    values = np.zeros(at.count)
    values[at.committed], values[at.deployed], values[at.flows] = committed, deployed, flow
    priced = at.unreserved >= 0
    values[at.unreserved[priced]] = beyond_commitments(sets, committed, deployed)[priced]
    kept = kept_purchases(sets)
    changed = committed[kept] - sets.purchases["kept_units"].to_numpy(float)[kept] if len(kept) else 0.0
    values[at.more], values[at.fewer] = np.maximum(changed, 0.0), np.maximum(-changed, 0.0)
    on, stepped = at.size_on >= 0, at.size_steps >= 0
    size = values[at.sized]
    values[at.size_on[on]] = size[on] > 0
    above = size - np.where(on, at.size_low, 0.0)
    values[at.size_steps[stepped]] = np.maximum(above[stepped], 0.0) / at.size_step[stepped]
    return values


def beyond_commitments(sets: Sets, committed: Floats, deployed: Floats) -> Floats:
    """Units deployed beyond those committed, meters x periods."""
    have = sets.earlier.copy()
    bought = sets.purchases
    for n, meter, start, last in zip(committed, bought["meter_row"], bought["period"], bought["last_period"]):
        have[meter, start : last + 1] += n
    used = np.zeros_like(have)
    np.add.at(used, sets.deployments["meter_row"].to_numpy(int), deployed)
    return np.maximum(used - have, 0.0)


def original_slots(sets: Sets, merged: npt.NDArray[np.int64]) -> tuple[Ints, Ints]:
    """For entries of merged slots: which entry, and which slot of the whole, one for each original slot."""
    size = np.array([len(m) for m in sets.members], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(size)])
    flat = np.concatenate(sets.members) if sets.members else np.empty(0, np.int64)
    repeat = size[merged]
    row = np.repeat(np.arange(len(merged)), repeat)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    return row, sets.in_whole(flat[first[merged[row]] + nth])


def rows_of(table: pd.DataFrame, part: pd.DataFrame, names: list[str]) -> Ints:
    """Row of the whole's table that each row of a part's stands for.

    Raises
    ------
    KeyError : a row of the part is not one of the whole's.
    """
    found = number_in(table, names, part)
    if (found < 0).any():
        raise KeyError(f"a part has {part[names].iloc[int(np.argmin(found))].to_dict()}, which the whole does not have")
    return found
