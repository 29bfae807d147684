"""Spend commitments: what is not spent on a contract is paid all the same."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import Family, Reduction, Relaxed
from planner.model.objective import on_demand, scaled, unreserved
from planner.model.rows import Rows, Term, joined, no_rows
from planner.model.sets import Sets


def spend(sets: Sets, at: Columns) -> Rows:
    r"""Spend what a contract asks for in every scenario, or pay the rest as shortfall.

        short[c,σ] + Σ on-demand USD of c in σ + Σ x · USD paid in c's periods + Σ u · USD  ≥  usd[c] − earlier USD[c]
                                        for each contract c, scenario σ of probability above 0       [USD]

    Of on-demand tokens (with units by the hour) and reserved units only what c counts, in its regions and periods.
    Flows count by scenario: n_τ without the probability.
    """
    if sets.spend is None or not at.short.size:
        return no_rows("spend", "contract", "future")
    contract, future = np.nonzero(at.short >= 0)
    index = {"contract": contract, "future": future}
    terms = [Term(index, at.short[contract, future], 1.0)]
    counted = sets.spend.of_regions(sets.spend.on_demand, sets.arcs["region"])
    usd, chance = on_demand(sets, at)[at.flows], sets.slot_chance[at.flow_slot]
    usd = np.divide(usd, chance, out=np.zeros_like(usd), where=chance > 0)
    period = sets.slot_period[at.flow_slot]
    held = sets.spend.of_regions(sets.spend.reserved, sets.meters["region"])
    bought = sets.purchases["meter_row"].to_numpy(int)
    meter, month = np.nonzero(at.unreserved >= 0)
    hourly = unreserved(sets, at)
    run, when = np.nonzero(at.scaled >= 0)
    begun, begins = np.nonzero(at.started >= 0)
    by_hour = np.concatenate([at.scaled[run, when], at.started[begun, begins]])
    of_meter = sets.deployments["meter_row"].to_numpy(int)[np.concatenate([run, begun])]
    tau = np.concatenate([when, begins])
    likely = sets.slot_chance[tau]
    hour_usd = np.divide(scaled(sets, at)[by_hour], likely, out=np.zeros(len(tau)), where=likely > 0)
    near = sets.spend.of_regions(sets.spend.on_demand, sets.meters["region"])
    for c in np.unique(contract):
        mine = np.flatnonzero(near[c, of_meter, sets.slot_period[tau]] & (hour_usd > 0))
        place, futures = sets.in_futures(tau[mine])
        where = {"contract": np.full(len(place), c), "future": futures}
        terms.append(Term(where, by_hour[mine[place]], hour_usd[mine[place]]))
        own = np.flatnonzero(counted[c, at.flow_arc, period] & (usd > 0))
        place, futures = sets.in_futures(at.flow_slot[own])
        where = {"contract": np.full(len(place), c), "future": futures}
        terms.append(Term(where, at.flows[own[place]], usd[own[place]]))
        paid = (sets.paid_usd * held[c, bought]).sum(axis=1)
        x = np.flatnonzero(paid > 0)
        u = np.flatnonzero(held[c, meter, month])
        column = np.concatenate([at.committed[x], at.unreserved[meter[u], month[u]]])
        value = np.concatenate([paid[x], hourly[at.unreserved[meter[u], month[u]]]])
        for s in future[contract == c]:
            where = {"contract": np.full(len(column), c), "future": np.full(len(column), s)}
            terms.append(Term(where, column, value))
    return joined("spend", index, (sets.spend.usd[contract], np.inf), terms)


FAMILY = Family(
    name="spend",
    rule="spend",
    rows=spend,
    dual="what one more dollar to be spent would cost in the scenario, USD: up to its probability",
    relaxed_by=Relaxed.NEVER,
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
)
