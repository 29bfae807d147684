"""Rule 9: the budget of new commitments."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import SETTINGS, Cell, Family, Reduction
from planner.model.rows import Rows, Term, joined, no_rows
from planner.model.sets import Sets


def budget(sets: Sets, at: Columns) -> Rows:
    r"""Keep what new commitments cost inside the horizon within the budget.

    Σ x[offer,p] · usd_per_unit_hour · hours in force inside the horizon  ≤  max_commitment_usd       one row  [USD]
    """
    if sets.budget_usd is None:
        return no_rows("budget")
    usd = sets.purchases["committed_usd_per_unit"].to_numpy(float)
    return joined("budget", {}, (-np.inf, sets.budget_usd), [Term({}, at.committed, usd)])


FAMILY = Family(
    name="budget",
    rule="9",
    rows=budget,
    dual="USD that one more dollar of budget would save",
    relaxed_by=Cell(SETTINGS, "policy.max_commitment_usd", "USD"),
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
    kinds=("", "budget"),
)
