"""The cost of a plan, term by term (docs/model.md, "What it costs"), USD over the horizon."""

import numpy as np

from planner.model.columns import Columns
from planner.model.sets import Floats, Sets


def commitments(sets: Sets, at: Columns) -> Floats:
    """Charge commitments: Σ x · usd_per_unit_hour · (hours inside the horizon + (1 − tail_value) · hours beyond)."""
    cost = np.zeros(at.count)
    cost[at.committed] = sets.purchases["usd_per_unit"].to_numpy(float)
    return cost


def unreserved(sets: Sets, at: Columns) -> Floats:
    """Charge units beyond them: Σ u · usd_per_unreserved_unit_hour · hours of the period."""
    cost = np.zeros(at.count)
    priced = at.unreserved[:, 0] >= 0 if at.unreserved.size else np.zeros(0, bool)
    price = sets.meters["usd_per_unreserved_unit_hour"].to_numpy(float)[priced]
    cost[at.unreserved[priced]] = price[:, None] * sets.period_hours
    return cost


def on_demand(sets: Sets, at: Columns) -> Floats:
    """Charge on-demand requests: Σ n_τ · z · on_demand_price_factor · on_demand_usd."""
    cost = np.zeros(at.count)
    slots = sets.slots
    each = (slots["weeks"] * slots["price_factor"]).to_numpy(float)
    cost[at.flows] = sets.arcs["usd"].to_numpy(float)[at.flow_arc] * each[at.flow_slot]
    return cost


def egress(sets: Sets, at: Columns) -> Floats:
    """Charge data between regions: Σ n_τ · (y + z) · egress_usd."""
    cost = np.zeros(at.count)
    weeks = sets.slots["weeks"].to_numpy(float)
    cost[at.flows] = sets.arcs["egress_usd"].to_numpy(float)[at.flow_arc] * weeks[at.flow_slot]
    return cost


def keeping(sets: Sets, at: Columns) -> Floats:
    """Charge changes against the last plan: keep · Σ (more + fewer). Only with `--keep`; no part of the plan's cost."""
    cost = np.zeros(at.count)
    if sets.keep is not None:
        cost[at.more] = cost[at.fewer] = sets.keep.usd_per_unit
    return cost


TERMS = (commitments, unreserved, on_demand, egress, keeping)


def objective(sets: Sets, at: Columns) -> Floats:
    """Cost of one unit of each column: the sum of TERMS (where only changes count, of the last alone)."""
    if sets.keep is not None and not sets.keep.cost_counts:
        return keeping(sets, at)
    total = np.zeros(at.count)
    for term in TERMS:
        total += term(sets, at)
    return total
