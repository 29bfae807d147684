"""The cost of a plan, USD over the horizon: each term as one declaration (docs/model.md, "What it costs").

What a term prices is read from its coefficients. Declared is what they cannot show, and each default is the safe one,
as with a family of constraints: a term that says nothing is stated for the whole, and no reduction touches its columns.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.errors import PlannerError
from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Reduction, Spans
from planner.model.sets import Floats, Sets


@dataclass(frozen=True)
class CostTerm:
    """A term of the cost.

    usd : USD of one unit of each column; its docstring has the algebra.
    prices : the columns that it prices, as docs/model.md names them.
    part : the part of a plan's cost that it adds to, a field of `plan.Totals`. None: it is no part of the plan's cost.
    spans : what the price of one column may depend on. EVERYTHING: the term is stated for the whole programme only.
    allows : reductions whose claim holds for these prices.
    """

    usd: Callable[[Sets, Columns], Floats]
    prices: str
    part: str | None
    spans: Spans = Spans.EVERYTHING
    allows: frozenset[Reduction] = frozenset()

    @property
    def name(self) -> str:
        """Name of the term."""
        return self.usd.__name__


def reserved(sets: Sets, at: Columns) -> Floats:
    """Charge new commitments inside the horizon: Σ x · usd_per_hour · hours paid for inside the horizon."""
    cost = np.zeros(at.count)
    cost[at.committed] = sets.purchases["committed_usd_per_unit"].to_numpy(float)
    return cost


def tail(sets: Sets, at: Columns) -> Floats:
    """Charge a share of their payments beyond it: Σ x · usd_per_hour · (1 − tail_value) · hours beyond."""
    cost = np.zeros(at.count)
    bought = sets.purchases
    cost[at.committed] = (bought["usd_per_unit"] - bought["committed_usd_per_unit"]).to_numpy(float)
    return cost


def unreserved(sets: Sets, at: Columns) -> Floats:
    """Charge units beyond them: Σ u · usd_per_unreserved_unit_hour · hours of the period."""
    cost = np.zeros(at.count)
    priced = at.unreserved[:, 0] >= 0 if at.unreserved.size else np.zeros(0, bool)
    price = sets.meters["usd_per_unreserved_unit_hour"].to_numpy(float)[priced]
    cost[at.unreserved[priced]] = price[:, None] * sets.period_hours
    return cost


def on_demand(sets: Sets, at: Columns) -> Floats:
    """Charge on-demand requests: Σ n_τ · z · on_demand_price_factor · Π price factors · on_demand_usd."""
    cost = np.zeros(at.count)
    each = sets.slots["weeks"].to_numpy(float)[at.flow_slot] * sets.times(at.flow_arc, at.flow_slot)
    cost[at.flows] = sets.arcs["usd"].to_numpy(float)[at.flow_arc] * each
    return cost


def egress(sets: Sets, at: Columns) -> Floats:
    """Charge data between regions: Σ n_τ · (y + z) · egress_usd."""
    cost = np.zeros(at.count)
    weeks = sets.slots["weeks"].to_numpy(float)
    cost[at.flows] = sets.arcs["egress_usd"].to_numpy(float)[at.flow_arc] * weeks[at.flow_slot]
    return cost


def scaled(sets: Sets, at: Columns) -> Floats:
    """Charge units that run by the hour, and their starts: Σ n_τ · usd_per_scaled_unit_hour · (a + start_hours · g)."""
    cost = np.zeros(at.count)
    for columns, usd in zip((at.scaled, at.started), scaled_unit_usd(sets), strict=True):
        there = columns >= 0
        cost[columns[there]] = usd[there]
    return cost


def scaled_unit_usd(sets: Sets) -> tuple[Floats, Floats]:
    """Price a unit that runs in a slot, and one that starts in it, USD over the horizon: arrays deployments x slots."""
    meter = sets.deployments["meter_row"].to_numpy(int)
    price = sets.meters["usd_per_scaled_unit_hour"].fillna(0.0).to_numpy(float)[meter]
    hours = sets.meters["start_hours"].to_numpy(float)[meter]
    weeks = sets.slots["weeks"].to_numpy(float)
    return price[:, None] * weeks, (price * np.where(hours > 0, hours, 0.0))[:, None] * weeks


def shortfall(sets: Sets, at: Columns) -> Floats:
    """Charge what stays unspent of spend commitments: Σ probability · short[contract, scenario]."""
    cost = np.zeros(at.count)
    there = at.short >= 0
    cost[at.short[there]] = np.broadcast_to(sets.chance, at.short.shape)[there]
    return cost


def risk(sets: Sets, at: Columns) -> Floats:
    """Charge dear scenarios: weight · Σ probability · (level / (1 − level) · over + under); no part of the plan's cost.

    At the best threshold it is weight · (mean cost of the dearest 1 − level − expected cost): (1 − weight) · E[X] +
    weight · CVaR[X] is E[X] and this.
    """
    cost = np.zeros(at.count)
    if sets.risk is not None and len(at.threshold):
        there = at.over >= 0
        chance = sets.risk.weight * sets.chance[there]
        cost[at.over[there]] = chance * sets.risk.level / (1 - sets.risk.level)
        cost[at.under[there]] = chance
    return cost


def scenario_usd(sets: Sets, at: Columns) -> Floats:
    """Cost of the columns that are decided by the hour, were their future certain: without its probability."""
    found = np.zeros(at.count)
    own = slice(at.hours_first, None)
    chance = sets.slot_chance[at.hour_slots]
    usd = (on_demand(sets, at) + egress(sets, at) + scaled(sets, at))[own]
    found[own] = np.divide(usd, chance, out=np.zeros_like(usd), where=chance > 0)
    return found


def keeping(sets: Sets, at: Columns) -> Floats:
    """Charge changes against the last plan: keep · Σ (more + fewer). Only with `--keep`; no part of the plan's cost."""
    cost = np.zeros(at.count)
    if sets.keep is not None:
        cost[at.more] = cost[at.fewer] = sets.keep.usd_per_unit
    return cost


def tolls(sets: Sets, at: Columns) -> Floats:
    """Charge what the prices of rows that are left out ask for. Only while parts are solved; no part of the cost."""
    cost = np.zeros(at.count)
    if sets.tolls is not None:
        cost[at.committed], cost[at.deployed] = sets.tolls.committed, sets.tolls.deployed
        priced = at.unreserved >= 0
        cost[at.unreserved[priced]] = sets.tolls.unreserved[priced]
        cost[at.flows] = sets.tolls.flow[at.flow_arc, at.flow_slot]
        for columns, own in ((at.scaled, sets.tolls.scaled), (at.started, sets.tolls.started)):
            cost[columns[columns >= 0]] = own[columns >= 0]
    return cost


KEEPING = CostTerm(keeping, "more, fewer", None, Spans.METER, EVERY_REDUCTION)
TERMS: tuple[CostTerm, ...] = (
    CostTerm(reserved, "x", "reserved_usd", Spans.METER, EVERY_REDUCTION),
    CostTerm(tail, "x", "tail_usd", Spans.METER, EVERY_REDUCTION),
    CostTerm(unreserved, "u", "unreserved_usd", Spans.METER, EVERY_REDUCTION),
    CostTerm(on_demand, "z", "on_demand_usd", Spans.SLOT, EVERY_REDUCTION),
    CostTerm(egress, "y and z", "egress_usd", Spans.SLOT, EVERY_REDUCTION),
    CostTerm(scaled, "a and g", "scaled_usd", Spans.SLOT, EVERY_REDUCTION),
    CostTerm(shortfall, "short", "shortfall_usd", Spans.EVERYTHING, EVERY_REDUCTION),
    CostTerm(risk, "over, under", None, Spans.EVERYTHING, EVERY_REDUCTION),
    KEEPING,
)


TOLLS = CostTerm(tolls, "x, v, u, y and z", None, Spans.METER, EVERY_REDUCTION)


def terms_of(sets: Sets) -> tuple[CostTerm, ...]:
    """Return the terms that count in some sets: all, or with `--keep inf` the changes alone; tolls where there are."""
    found = TERMS if sets.keep is None or sets.keep.cost_counts else (KEEPING,)
    return found if sets.tolls is None else (*found, TOLLS)


def objective(sets: Sets, at: Columns) -> Floats:
    """Cost of one unit of each column: the sum of the terms.

    Raises
    ------
    PlannerError : some column would earn money; every bound rests on costs that are not negative.
    """
    total = np.zeros(at.count)
    for term in terms_of(sets):
        total += term.usd(sets, at)
    if (total < 0).any():
        names = ", ".join(term.name for term in terms_of(sets) if (term.usd(sets, at) < 0).any())
        raise PlannerError(f"the cost terms {names} make something cost less than nothing, so no bound can be proved")
    return total
