"""Rule 7: caps on data and requests that cross regions."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, SETTINGS, Cell, Family, Spans
from planner.model.rows import Rows, Term, constant, joined, no_rows, number_in
from planner.model.sets import Sets


def egress(sets: Sets, at: Columns) -> Rows:
    r"""Keep the expected data from one region to another within its monthly cap.

        Σ n_τ · (GB_in · flow[o→s,τ]) + Σ n_τ · (GB_out · flow[s→o,τ])  ≤  max_gb_per_month[o→s]
                                                        for each capped pair o→s, period p       [GB]

    A request sends GB_in from its origin and gets GB_out back.
    """
    if not len(sets.caps):
        return no_rows("egress", "cap", "period")
    cap, period = (axis.ravel() for axis in np.indices((len(sets.caps), len(sets.periods))))
    month, weeks = sets.slot_period[at.flow_slot], sets.slots["weeks"].to_numpy(float)[at.flow_slot]
    terms = []
    for gb, ends in (("gb_in", ("origin", "region")), ("gb_out", ("region", "origin"))):
        of_arc = number_in(sets.caps, ("origin", "destination"), sets.arcs, ends)
        capped = (of_arc[at.flow_arc] >= 0) & sets.arcs["away"].to_numpy(bool)[at.flow_arc]
        where = {"cap": of_arc[at.flow_arc[capped]], "period": month[capped]}
        sent = sets.arcs[gb].to_numpy(float)[at.flow_arc[capped]]
        terms.append(Term(where, at.flows[capped], weeks[capped] * sent))
    limit = sets.caps["gb_per_month"].to_numpy(float)[cap]
    return joined("egress", {"cap": cap, "period": period}, (-np.inf, limit), terms)


EGRESS = Family(
    name="egress",
    rule="7",
    rows=egress,
    spans=Spans.PERIOD,
    dual="what one more gigabyte would save, USD/GB",
    relaxed_by=Cell("routes", "max_gb_per_month", "GB", (("origin", "origin"), ("destination", "region"))),
    allows=EVERY_REDUCTION,
    kinds=("", "egress"),
)


def cross_region_share(sets: Sets, at: Columns) -> Rows:
    r"""Keep the share of requests served away from their origin within the policy's limit.

        Σ_{o≠s} n_τ · flow[o→s,τ]  ≤  max_cross_region_share · Σ n_τ · d[o,w,τ]       one row       [thousand requests]

    By the balance rows, the demand on the right is all that is served.
    """
    if sets.max_away_share is None:
        return no_rows("cross_region_share")
    away = sets.arcs["away"].to_numpy(bool)[at.flow_arc]
    weeks = sets.slots["weeks"].to_numpy(float)
    most = sets.max_away_share * _all_requests(sets)
    return joined("cross_region_share", {}, (-np.inf, most), [Term({}, at.flows[away], weeks[at.flow_slot[away]])])


def _all_requests(sets: Sets) -> float:
    """Thousand requests of the horizon."""
    return float((sets.demand * sets.slots["weeks"].to_numpy(float)).sum())


CROSS_REGION_SHARE = Family(
    name="cross_region_share",
    rule="7",
    rows=cross_region_share,
    dual="what a thousand requests more served away from their origin would save, USD",
    relaxed_by=Cell(
        SETTINGS,
        "policy.egress.max_cross_region_share",
        "share",
        per_unit=lambda sets, rows: constant(rows.count, _all_requests(sets)),
    ),
    allows=EVERY_REDUCTION,
    kinds=("", "cross_region_share"),
)
