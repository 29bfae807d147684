"""Rule 6: on-demand quotas."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Asked, Cell, Family, Spans
from planner.model.rows import Rows, Term, distinct, joined
from planner.model.sets import Sets


def quota(sets: Sets, at: Columns) -> Rows:
    r"""Keep on-demand traffic within the quota of its region, model and option.

        Σ_{o,w} κ[w,s,i,k] · z[o,w,i,s,k,τ]  ≤  quota[s,i,k]        for each finite quota, slot τ       [tokens/minute]

    κ: tokens per minute that a thousand requests per hour count.
    """
    limit = sets.quotas["tokens_per_minute"].to_numpy(float)
    of_flow = sets.arcs["quota"].to_numpy(int)[at.flow_arc]
    limited = (of_flow >= 0) & np.isfinite(np.append(limit, np.inf)[of_flow])
    where = {"quota": of_flow[limited], "slot": at.flow_slot[limited]}
    index, counted = distinct(**where), sets.quota_load[at.flow_arc[limited]]
    return joined("quota", index, (-np.inf, limit[index["quota"]]), [Term(where, at.flows[limited], counted)])


FAMILY = Family(
    name="quota",
    rule="6",
    rows=quota,
    spans=Spans.SLOT,
    dual="what one more token per minute of quota would save, USD over the horizon",
    relaxed_by=Cell(
        "on_demand",
        "tokens_per_minute_quota",
        "tokens/minute",
        (("region", "region"), ("model", "model"), ("option", "supply")),
        Asked.SELLER,
    ),
    allows=EVERY_REDUCTION,
    kinds=("", "quota"),
)
