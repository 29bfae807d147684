"""From the components' numbers to the plan's tables, with the names that the buyer uses."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.errors import AuditError
from planner.model import waiting as model_waiting
from planner.model.columns import Columns, columns_of, kept_purchases
from planner.model.constraints.scaled import started_units
from planner.model.family import Family
from planner.model.objective import TERMS
from planner.model.program import families_of
from planner.model.reduce.alike import WAY
from planner.model.rows import number_in
from planner.model.sets import Floats, Ints, Sets
from planner.model.structure import broken
from planner.plan.frames import ARRIVED
from planner.plan.plan import (
    CERTIFICATE_COLUMNS,
    DEPLOYMENT_COLUMNS,
    DISPATCH_COLUMNS,
    PURCHASE_COLUMNS,
    RENT_COLUMNS,
    SCALED_COLUMNS,
    STRESS_DISPATCH_COLUMNS,
    STRESS_RENT_COLUMNS,
    STRESS_SLOT_COLUMNS,
)
from planner.solver.certificate import part_of_merged, slot_names
from planner.solver.component import ComponentPlan, Decided
from planner.solver.deployed import beyond_commitments
from planner.solver.joint import joint_columns, settle_joint
from planner.solver.scaling import column_scale
from planner.units import REQUESTS_PER_THOUSAND, counted

DUST = 1e-9  # units below this are the solver's rounding, not a purchase
DIGITS = 9


def as_listed(units: Floats) -> Floats:
    """Return units as a plan's tables list them: rounded, without the solver's dust."""
    found = np.round(units, DIGITS)
    return np.where(found > DUST, found, 0.0)


def purchases(whole: Sets, plans: Sequence[Decided]) -> pd.DataFrame:
    """List units bought by offer and period, with what they cost inside the horizon."""
    parts = []
    for plan in plans:
        bought = plan.sets.purchases
        units = as_listed(plan.committed)
        parts.append(
            pd.DataFrame(
                {
                    "offer": bought["offer"],
                    "period": np.array(plan.sets.periods, dtype=object)[bought["period"].to_numpy(int)],
                    "units": units,
                    "usd": units * bought["committed_usd_per_unit"].to_numpy(float),
                }
            )[units > 0]
        )
    return _joined(parts, PURCHASE_COLUMNS, ["period", "offer"])


def deployments(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List units deployed by pool, meter, model and period."""
    parts = []
    for plan in plans:
        units = as_listed(plan.deployed)
        d, p = np.nonzero(units)
        rows = plan.sets.deployments.iloc[d]
        parts.append(
            pd.DataFrame(
                {
                    "pool": rows["pool"].to_numpy(),
                    "meter": rows["meter"].to_numpy(),
                    "model": rows["model"].to_numpy(),
                    "period": np.array(plan.sets.periods, dtype=object)[p],
                    "units": units[d, p],
                }
            )
        )
    return _joined(parts, DEPLOYMENT_COLUMNS, ["pool", "meter", "model", "period"])


def dispatch(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List every non-zero flow in every slot, in requests per hour; names are categories."""
    waits = model_waiting.waits(whole)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in (*DISPATCH_COLUMNS, *([ARRIVED] if waits else []))}
    names = {
        name: sorted({value for plan in plans for value in plan.sets.arcs[name]})
        for name in ("origin", "workload", "model", "region", "supply")
    }
    codes = {name: {value: k for k, value in enumerate(known)} for name, known in names.items()}
    scenarios = list(dict.fromkeys(whole.slots["scenario"]))
    scenario_of = pd.Categorical(whole.slots["scenario"], scenarios).codes
    for plan in plans:
        arc, arrived, slot, flow = _expanded(plan)
        for name, code_of in codes.items():
            columns[name].append(np.array([code_of[value] for value in plan.sets.arcs[name]], dtype=np.int32)[arc])
        columns["scenario"].append(scenario_of[slot])
        columns["period"].append(whole.slots["period"].to_numpy(int)[slot])
        columns["hour_of_week"].append(whole.slots["hour_of_week"].to_numpy(np.int64)[slot])
        if waits:
            columns[ARRIVED].append(whole.slots["hour_of_week"].to_numpy(np.int64)[arrived])
        columns["requests_per_hour"].append(flow * REQUESTS_PER_THOUSAND)
    categories = {**names, "scenario": scenarios, "period": list(whole.periods)}
    joined = {name: np.concatenate(parts) if parts else np.empty(0) for name, parts in columns.items()}
    frame = pd.DataFrame(
        {
            name: pd.Categorical.from_codes(values.astype(np.int64), pd.Index(categories[name]))
            if name in categories
            else values
            for name, values in joined.items()
        }
    )
    hours = {name: "int64" for name in ("hour_of_week", ARRIVED) if name in frame}
    return frame.astype({**hours, "requests_per_hour": "float64"})


def scaled_units(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List the units that run by the hour, in each slot that a merged one stands for."""
    parts = []
    for plan in plans:
        row, merged = np.nonzero(plan.scaled)
        entry, slot = original_slots(plan.sets, merged)
        names = {name: plan.sets.deployments[name].to_numpy(object)[row[entry]] for name in ("pool", "meter", "model")}
        parts.append(pd.DataFrame({**names, **slot_names(whole, slot), "units": plan.scaled[row, merged][entry]}))
    return _joined(parts, SCALED_COLUMNS, list(SCALED_COLUMNS[:-1]))


def _expanded(plan: ComponentPlan) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Arc, original slots of arrival and of service, krph of every flow, in each slot that a merged one stands for."""
    row, slot = original_slots(plan.sets, plan.flow_slot)
    _, arrived = original_slots(plan.sets, plan.flow_arrived)  # slots of one week stand for as many
    return plan.flow_arc[row], arrived, slot, plan.flow[row]


def rents(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List the rents of rule 4 by deployment and slot; a merged slot's rent is spread by weeks."""
    parts = []
    for plan in plans:
        row, slot = original_slots(plan.sets, plan.rent_slot)
        share = part_of_merged(plan.sets, plan.rent_slot[row], whole, slot)
        part = plan.rent_deployment[row]
        names = {name: plan.sets.deployments[name].to_numpy(object)[part] for name in ("pool", "meter", "model")}
        parts.append(pd.DataFrame({**names, **slot_names(whole, slot), "usd_per_unit": plan.rent[row] * share}))
    return _joined(parts, RENT_COLUMNS, [])


def stress_rents(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List what a unit is worth to each stress case in the slot that sets its need."""
    parts = []
    for plan in plans:
        row, part = np.nonzero(plan.stress_units > 0)
        first = plan.sets.in_whole(np.array([members[0] for members in plan.sets.members], dtype=np.int64))
        names = {name: plan.sets.deployments[name].to_numpy(object)[part] for name in ("pool", "meter", "model")}
        case = np.array([case.name for case in plan.sets.cases], dtype=object)[plan.stress_case[row]]
        where = slot_names(whole, first[plan.stress_slot[row]])
        usd = plan.stress_usd[row] * plan.stress_units[row, part]
        parts.append(pd.DataFrame({"case": case, **names, **where, "usd_per_unit": usd}))
    return _joined(parts, STRESS_RENT_COLUMNS, [])


def stress_witness(whole: Sets, plans: Sequence[ComponentPlan]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Slots of each group, and the routing of each group in requests per hour (stressed demand, split by origin)."""
    slots, flows, first = [], [], 0
    for plan in plans:
        w, sets = plan.witness, plan.sets
        periods = np.array(sets.periods, dtype=object)
        case = np.array([case.name for case in sets.cases], dtype=object)[w.group_case]
        row, slot = original_slots(sets, w.slot)
        group = w.slot_group[row]
        slots.append(pd.DataFrame({"case": case[group], "group": group + first, **slot_names(whole, slot)}))
        ways = {n: sets.arcs[n].to_numpy(object)[w.flow_arc] for n in ("workload", "model", "region", "supply")}
        flows.append(
            pd.DataFrame(
                {
                    "case": case[w.flow_group],
                    "group": w.flow_group + first,
                    "period": periods[w.group_period[w.flow_group]],
                    "origin": sets.needs["origin"].to_numpy(object)[w.flow_need],
                    **ways,
                    "requests_per_hour": w.flow * REQUESTS_PER_THOUSAND,
                }
            )
        )
        first += len(w.group_case)
    return _joined(slots, STRESS_SLOT_COLUMNS, []), _joined(flows, STRESS_DISPATCH_COLUMNS, [])


def certificate(plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List the prices that prove the bound; rays are numbered over all components."""
    parts, first = [], 0
    for plan in plans:
        table = plan.prices
        rays = table["ray"].to_numpy()
        parts.append(table.assign(ray=np.where(rays >= 0, rays + first, -1)))
        first += int(rays.max(initial=-1)) + 1
    return _joined(parts, CERTIFICATE_COLUMNS, [])


def _joined(parts: list[pd.DataFrame], columns: Sequence[str], order: list[str]) -> pd.DataFrame:
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame({name: [] for name in columns})
    frame = pd.concat(parts, ignore_index=True)[list(columns)]
    return frame.sort_values(order, ignore_index=True) if order else frame


JOINT_TERMS = ("shortfall", "risk")


def keep_rows(
    sets: Sets, families: Sequence[Family], plans: Sequence[Decided], *, sized: bool, free: bool = True
) -> bool:
    """Whether plans of the parts keep the rows of some families, stated of the whole; ``sized``: size rules included.

    Without those rows the programme is a relaxation; an optimum of it that keeps them is an optimum of the whole, if it
    keeps them for nothing (``free``): without what may be missed at a price.
    """
    if not families:
        return True
    at = columns_of(sets, sized and sets.has_size_rules)
    values, scale = whole_values(sets, at, plans), column_scale(sets, at)
    if free:
        values[joint_columns(at)] = 0.0
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
                f"The plan breaks rule {family.rule} ({family.name}) in {len(found)} of its "
                f"{counted(rows.count, 'row')} and was "
                "not written. This is a fault of planner: please report it, with the input"
            )


def whole_values(sets: Sets, at: Columns, plans: Sequence[Decided]) -> Floats:
    """Value of each column of the whole programme."""
    committed, flow = np.zeros(len(sets.purchases)), np.zeros((len(sets.arcs), len(sets.slots)))
    deployed = np.zeros((len(sets.deployments), len(sets.periods)))
    scaled = np.zeros((len(sets.deployments), len(sets.slots)))
    for plan in plans:
        part = plan.sets
        period = np.array([sets.periods.index(name) for name in part.periods], dtype=np.int64)
        named = part.purchases.assign(period=period[part.purchases["period"].to_numpy(int)])
        committed[rows_of(sets.purchases, named, ["offer", "period"])] = plan.committed
        of = rows_of(sets.deployments, part.deployments, ["pool", "meter", "model"])
        deployed[of[:, None], period] = plan.deployed
        entry, slot = original_slots(part, plan.flow_slot)
        np.add.at(flow, (rows_of(sets.arcs, part.arcs, WAY)[plan.flow_arc[entry]], slot), plan.flow[entry])
        row, merged = np.nonzero(plan.scaled)
        entry, slot = original_slots(part, merged)
        scaled[of[row[entry]], slot] = plan.scaled[row, merged][entry]
    values = values_of(sets, at, committed, deployed, flow[at.flow_arc, at.flow_slot])
    runs, starts = at.scaled >= 0, at.started >= 0
    values[at.scaled[runs]] = scaled[runs]
    values[at.started[starts]] = started_units(sets, scaled)[starts]
    return settle_joint(sets, at, values)


def joint_usd(sets: Sets, plans: Sequence[Decided]) -> dict[str, float]:
    """USD of each cost term on columns that belong to no part, by its part of a plan's cost, of what its tables list.

    A shortfall is a small difference of large sums: rounding of units would be seen in it.
    """
    at = columns_of(sets)
    joint = joint_columns(at)
    if not len(joint):
        return {}
    listed = [replace(plan, committed=as_listed(plan.committed), deployed=as_listed(plan.deployed)) for plan in plans]
    values = whole_values(sets, at, listed)[joint]
    return {term.part or "": float(term.usd(sets, at)[joint] @ values) for term in TERMS if term.name in JOINT_TERMS}


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
