"""Risk: how far what each scenario costs lies above and below a threshold (Rockafellar and Uryasev 2000)."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import Family, Reduction, Relaxed
from planner.model.objective import scenario_usd
from planner.model.rows import Rows, Term, joined, no_rows
from planner.model.sets import Sets


def risk(sets: Sets, at: Columns) -> Rows:
    r"""Tell what a scenario costs above and below the threshold from which scenarios count as dear.

        X[σ] − threshold − over[σ] + under[σ]  =  0            for each scenario σ of probability above 0      [USD]

    X: what flows and shortfalls of the scenario cost, were it certain. What is bought costs the same in all of them.
    """
    if not len(at.threshold):
        return no_rows("risk", "future")
    likely = np.flatnonzero(at.over >= 0)
    index = {"future": likely}
    usd = scenario_usd(sets, at)[at.hours_first :]
    paid = np.flatnonzero(usd > 0)
    place, future = sets.in_futures(at.hour_slots[paid])
    contract, short = np.nonzero(at.short >= 0)
    terms = [
        Term(index, np.repeat(at.threshold, len(likely)), -1.0),
        Term(index, at.over[likely], -1.0),
        Term(index, at.under[likely], 1.0),
        Term({"future": future}, at.hours_first + paid[place], usd[paid[place]]),
        Term({"future": short}, at.short[contract, short], 1.0),
    ]
    return joined("risk", index, (0.0, 0.0), terms)


FAMILY = Family(
    name="risk",
    rule="risk",
    rows=risk,
    dual="probability that the scenario loses (below 0: gains) in weight, being dear",
    relaxed_by=Relaxed.NEVER,
    allows=frozenset({Reduction.SLOTS, Reduction.ARCS, Reduction.SIZES}),
)
