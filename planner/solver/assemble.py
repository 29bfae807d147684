"""From the components' numbers to the plan's tables, with the names that the buyer uses."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.model.sets import Sets
from planner.results.plan import (
    CERTIFICATE_COLUMNS,
    DEPLOYMENT_COLUMNS,
    DISPATCH_COLUMNS,
    PURCHASE_COLUMNS,
    RENT_COLUMNS,
    STRESS_DISPATCH_COLUMNS,
    STRESS_RENT_COLUMNS,
    STRESS_SLOT_COLUMNS,
)
from planner.solver.component import ComponentPlan
from planner.solver.prices import slot_names
from planner.solver.stress import Routing
from planner.units import REQUESTS_PER_THOUSAND

DUST = 1e-9  # units below this are the solver's rounding, not a purchase
DIGITS = 9


def purchases(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List units bought by offer and period, with what they cost inside the horizon."""
    parts = []
    for plan in plans:
        bought = plan.sets.purchases
        units = np.round(plan.committed, DIGITS)
        parts.append(
            pd.DataFrame(
                {
                    "offer": bought["offer"],
                    "period": np.array(whole.periods, dtype=object)[bought["period"].to_numpy(int)],
                    "units": units,
                    "usd": units * bought["committed_usd_per_unit"].to_numpy(float),
                }
            )[units > DUST]
        )
    return _joined(parts, PURCHASE_COLUMNS, ["period", "offer"])


def deployments(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List units deployed by pool, meter, model and period."""
    parts = []
    for plan in plans:
        d, p = np.nonzero(np.round(plan.deployed, DIGITS) > DUST)
        rows = plan.sets.deployments.iloc[d]
        parts.append(
            pd.DataFrame(
                {
                    "pool": rows["pool"].to_numpy(),
                    "meter": rows["meter"].to_numpy(),
                    "model": rows["model"].to_numpy(),
                    "period": np.array(whole.periods, dtype=object)[p],
                    "units": np.round(plan.deployed, DIGITS)[d, p],
                }
            )
        )
    return _joined(parts, DEPLOYMENT_COLUMNS, ["pool", "meter", "model", "period"])


def dispatch(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List every non-zero flow in every slot, in requests per hour; names are categories."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in DISPATCH_COLUMNS}
    names = {
        name: sorted({value for plan in plans for value in plan.sets.arcs[name]})
        for name in ("origin", "workload", "model", "region", "supply")
    }
    scenarios = list(dict.fromkeys(whole.slots["scenario"]))
    scenario_of = pd.Categorical(whole.slots["scenario"], scenarios).codes
    for plan in plans:
        arc, slot, flow = _expanded(plan)
        for name, known in names.items():
            codes = pd.Categorical(plan.sets.arcs[name], known).codes.astype(np.int32)
            columns[name].append(codes[arc])
        columns["scenario"].append(scenario_of[slot])
        columns["period"].append(whole.slots["period"].to_numpy(int)[slot])
        columns["hour_of_week"].append(whole.slots["hour_of_week"].to_numpy(np.int64)[slot])
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
    return frame.astype({"hour_of_week": "int64", "requests_per_hour": "float64"})


def _expanded(plan: ComponentPlan) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arc, original slot and krph of every flow: a merged slot's flows hold in each slot that it stands for."""
    row, slot = _original_slots(plan.sets, plan.flow_slot)
    return plan.flow_arc[row], slot, plan.flow[row]


def _original_slots(sets: Sets, merged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For entries of merged slots: which entry, and which original slot, one for each original slot."""
    size = np.array([len(m) for m in sets.members], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(size)])
    flat = np.concatenate(sets.members) if sets.members else np.empty(0, np.int64)
    repeat = size[merged]
    row = np.repeat(np.arange(len(merged)), repeat)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    return row, flat[first[merged[row]] + nth]


def rents(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List the rents of rule 4 by deployment and slot; a merged slot's rent is spread by weeks."""
    weeks = whole.slots["weeks"].to_numpy(float)
    parts = []
    for plan in plans:
        deployment, merged, rent = plan.rents
        paying = rent > 0
        row, slot = _original_slots(plan.sets, merged[paying])
        share = weeks[slot] / plan.sets.slots["weeks"].to_numpy(float)[merged[paying]][row]
        names = {
            name: plan.sets.deployments[name].to_numpy(object)[deployment[paying]][row]
            for name in ("pool", "meter", "model")
        }
        parts.append(pd.DataFrame({**names, **slot_names(whole, slot), "usd_per_unit": rent[paying][row] * share}))
    return _joined(parts, RENT_COLUMNS, [])


def stress_rents(whole: Sets, plans: Sequence[ComponentPlan]) -> pd.DataFrame:
    """List what a unit is worth to each stress case in the slot that sets its need."""
    scenario, hour = whole.slots["scenario"].to_numpy(object), whole.slots["hour_of_week"].to_numpy(int)
    rows = []
    for plan in plans:
        names = plan.sets.deployments[["pool", "meter", "model"]].to_numpy(object)
        for cut, dual in plan.stress_rents:
            slot = int(plan.sets.members[cut.slot][0])
            case = plan.sets.cases[cut.case].name
            rows += [
                (
                    case,
                    *names[d],
                    scenario[slot],
                    whole.periods[cut.period],
                    int(hour[slot]),
                    dual * float(cut.units[d]),
                )
                for d in np.flatnonzero(cut.units > 0)
            ]
    return pd.DataFrame(rows, columns=list(STRESS_RENT_COLUMNS))


def stress_witness(whole: Sets, plans: Sequence[ComponentPlan]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Slots of each group, and the routing of each group in requests per hour (stressed demand, split by origin)."""
    slots, flows = [], []
    routings = [(plan, routing) for plan in plans for routing in plan.routings]
    for group, (plan, routing) in enumerate(routings):
        original = np.concatenate([plan.sets.members[t] for t in routing.slots])
        named = {"case": routing.net.case.name, "group": group}
        slots.append(pd.DataFrame({**named, **slot_names(whole, original)}))
        flows.append(_group_flows(plan, routing, group, whole))
    return _joined(slots, STRESS_SLOT_COLUMNS, []), _joined(flows, STRESS_DISPATCH_COLUMNS, [])


def _group_flows(plan: ComponentPlan, routing: Routing, group: int, whole: Sets) -> pd.DataFrame:
    """Split a routing by origin, requests per hour: a need takes its share of each of its class's flows."""
    net = routing.net
    used = np.flatnonzero(routing.flow > 0)
    demand = routing.envelope * net.case.demand_scale
    total = np.bincount(net.class_of, demand, net.classes)
    served = np.bincount(net.arc_class, routing.flow, net.classes)
    exact = total / np.where(served > 0, served, 1.0)  # the class's demand, to the last digit
    need = np.flatnonzero(demand > 0)
    share = demand[need] / total[net.class_of[need]]
    pair_need, pair_arc = np.nonzero(net.class_of[need][:, None] == net.arc_class[used][None, :])
    arc = used[pair_arc]
    ways = plan.sets.arcs.iloc[net.arcs[arc]]
    return pd.DataFrame(
        {
            "case": net.case.name,
            "group": group,
            "period": whole.periods[routing.period],
            "origin": plan.sets.needs["origin"].to_numpy()[need[pair_need]],
            **{name: ways[name].to_numpy() for name in ("workload", "model", "region", "supply")},
            "requests_per_hour": routing.flow[arc] * exact[net.arc_class[arc]] * share[pair_need]
            * REQUESTS_PER_THOUSAND,
        }
    )  # fmt: skip


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
