"""Rule 9: the budget of new commitments."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import Family, Reduction
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Sets


def budget(sets: Sets, at: Columns) -> Rows:
    r"""Keep what new commitments cost inside the horizon within the budget.

    Σ x[offer,p] · usd_per_unit_hour · hours in force inside the horizon  ≤  max_commitment_usd       one row  [USD]
    """
    rows = 0 if sets.budget_usd is None else 1
    return rows_by_key(
        "budget",
        {},
        np.zeros(rows, np.int64),
        constant(rows, -np.inf),
        constant(rows, sets.budget_usd or 0.0),
        [
            Term(
                np.zeros(len(at.committed), np.int64),
                at.committed,
                sets.purchases["committed_usd_per_unit"].to_numpy(float),
            )
        ],
    )


FAMILY = Family(
    name="budget",
    rule="9",
    rows=budget,
    dual="USD that one more dollar of budget would save",
    relaxed_by="max_commitment_usd",
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
    kinds=("", "budget"),
)
