"""Rule 7: caps on data and requests that cross regions."""

import numpy as np
import pandas as pd

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Spans
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Ints, Sets


def egress(sets: Sets, at: Columns) -> Rows:
    r"""Keep the expected data from one region to another within its monthly cap.

        Σ n_τ · (GB_in · flow[o→s,τ]) + Σ n_τ · (GB_out · flow[s→o,τ])  ≤  max_gb_per_month[o→s]
                                                        for each capped pair o→s, period p       [GB]

    A request sends GB_in from its origin and gets GB_out back.
    """
    if not len(sets.caps):
        nothing = np.empty(0, np.int64)
        return rows_by_key(
            "egress", {"cap": nothing, "period": nothing}, nothing, constant(0, 0.0), constant(0, 0.0), []
        )
    periods = len(sets.periods)
    region: dict[str, int] = {}
    for name in (*sets.arcs["origin"], *sets.arcs["region"], *sets.caps["origin"], *sets.caps["destination"]):
        region.setdefault(name, len(region))
    size = len(region)

    def code(names: pd.Series) -> Ints:
        return np.array([region[n] for n in names], dtype=np.int64)

    pair = code(sets.caps["origin"]) * size + code(sets.caps["destination"])
    order = np.argsort(pair, kind="stable")
    cap = np.repeat(np.arange(len(pair)), periods)
    key = pair[order][cap] * periods + np.tile(np.arange(periods), len(pair))
    origin, served = code(sets.arcs["origin"])[at.flow_arc], code(sets.arcs["region"])[at.flow_arc]
    period, weeks = sets.slot_period[at.flow_slot], sets.slots["weeks"].to_numpy(float)[at.flow_slot]
    gb_in, gb_out = (sets.arcs[c].to_numpy(float)[at.flow_arc] for c in ("gb_in", "gb_out"))
    away = origin != served
    out = Term(((origin * size + served) * periods + period)[away], at.flows[away], (weeks * gb_in)[away])
    back = Term(((served * size + origin) * periods + period)[away], at.flows[away], (weeks * gb_out)[away])
    return rows_by_key(
        "egress",
        {"cap": order[cap], "period": np.tile(np.arange(periods), len(pair))},
        key,
        constant(len(key), -np.inf),
        sets.caps["gb_per_month"].to_numpy(float)[order][cap],
        [out, back],
    )


EGRESS = Family(
    name="egress",
    rule="7",
    rows=egress,
    spans=Spans.PERIOD,
    dual="what one more gigabyte would save, USD/GB",
    relaxed_by="max_gb_per_month",
    allows=EVERY_REDUCTION,
    kinds=("", "egress"),
)


def cross_region_share(sets: Sets, at: Columns) -> Rows:
    r"""Keep the share of requests served away from their origin within the policy's limit.

        Σ_{o≠s} n_τ · flow[o→s,τ]  ≤  max_cross_region_share · Σ n_τ · d[o,w,τ]       one row       [thousand requests]

    By the balance rows, the demand on the right is all that is served.
    """
    limit = sets.max_away_share
    away = sets.arcs["away"].to_numpy(bool)[at.flow_arc]
    weeks = sets.slots["weeks"].to_numpy(float)
    rows = 0 if limit is None else 1
    all_requests = float((sets.demand * weeks).sum())
    return rows_by_key(
        "cross_region_share",
        {},
        np.zeros(rows, np.int64),
        constant(rows, -np.inf),
        constant(rows, (limit or 0.0) * all_requests),
        [Term(np.zeros(int(away.sum()), np.int64), at.flows[away], weeks[at.flow_slot[away]])],
    )


CROSS_REGION_SHARE = Family(
    name="cross_region_share",
    rule="7",
    rows=cross_region_share,
    dual="what a thousand requests more served away from their origin would save, USD",
    relaxed_by="max_cross_region_share",
    allows=EVERY_REDUCTION,
    kinds=("", "cross_region_share"),
)
