"""Rule 6: on-demand quotas."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Spans
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Sets


def quota(sets: Sets, at: Columns) -> Rows:
    r"""Keep on-demand traffic within the quota of its region, model and option.

        Σ_{o,w} κ[w,s,i,k] · z[o,w,i,s,k,τ]  ≤  quota[s,i,k]        for each finite quota, slot τ       [tokens/minute]

    κ: tokens per minute that a thousand requests per hour count.
    """
    slots = len(sets.slots)
    limit = sets.quotas["tokens_per_minute"].to_numpy(float)
    of_flow = sets.arcs["quota"].to_numpy(int)[at.flow_arc]
    limited = (of_flow >= 0) & np.isfinite(np.append(limit, np.inf)[of_flow])
    key = of_flow[limited] * slots + at.flow_slot[limited]
    present = np.unique(key)
    return rows_by_key(
        "quota",
        {"quota": present // slots, "slot": present % slots},
        present,
        constant(len(present), -np.inf),
        limit[present // slots],
        [Term(key, at.flows[limited], sets.quota_load[at.flow_arc[limited]])],
    )


FAMILY = Family(
    name="quota",
    rule="6",
    rows=quota,
    spans=Spans.SLOT,
    dual="what one more token per minute of quota would save, USD over the horizon",
    relaxed_by=None,
    allows=EVERY_REDUCTION,
    kinds=("", "quota"),
)
