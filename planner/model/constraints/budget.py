"""Rule 9: the budget of new commitments, inside the horizon and over their whole terms."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import SETTINGS, Cell, Family, Reduction
from planner.model.rows import Rows, Term, joined, no_rows
from planner.model.sets import Sets


def budget(sets: Sets, at: Columns) -> Rows:
    r"""Keep what new commitments cost inside the horizon within the budget.

    Σ x[offer,p] · usd_per_hour · hours paid for inside the horizon  ≤  max_commitment_usd       one row  [USD]
    usd_per_hour is usd_per_unit_hour, and upfront_usd_per_unit over the hours of the term.
    """
    if sets.budget_usd is None:
        return no_rows("budget")
    usd = sets.purchases["committed_usd_per_unit"].to_numpy(float)
    return joined("budget", {}, (-np.inf, sets.budget_usd), [Term({}, at.committed, usd)])


def whole_term_budget(sets: Sets, at: Columns) -> Rows:
    r"""Keep what new commitments cost over their whole terms within the cap on it.

    Σ x[offer,p] · usd_per_hour · hours of the term  ≤  max_commitment_whole_term_usd       one row  [USD]
    """
    if sets.case is None or sets.case.settings.policy.max_commitment_whole_term_usd is None:
        return no_rows("whole_term_budget")
    cap = sets.case.settings.policy.max_commitment_whole_term_usd
    offers, starts = {o.offer: o for o in sets.case.offers}, [p.start for p in sets.case.periods]
    usd = [
        offers[name].usd_per_hour(starts[period]) * offers[name].term_hours(starts[period])
        for name, period in zip(sets.purchases["offer"], sets.purchases["period"])
    ]
    return joined("whole_term_budget", {}, (-np.inf, cap), [Term({}, at.committed, np.array(usd, float))])


BUDGET = Family(
    name="budget",
    rule="9",
    rows=budget,
    dual="USD that one more dollar of budget would save",
    relaxed_by=Cell(SETTINGS, "policy.max_commitment_usd", "USD"),
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
    kinds=("", "budget"),
)

WHOLE_TERM_BUDGET = Family(
    name="whole_term_budget",
    rule="9",
    rows=whole_term_budget,
    dual="USD that one more dollar to be signed would save",
    relaxed_by=Cell(SETTINGS, "policy.max_commitment_whole_term_usd", "USD"),
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
)
