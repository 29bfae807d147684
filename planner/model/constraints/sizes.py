"""Whole units: x and v are 0, or min_units plus a whole number of unit_steps (docs/model.md, "What is decided")."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Relaxed, Spans
from planner.model.rows import Rows, Term, joined
from planner.model.sets import Sets


def size_low(sets: Sets, at: Columns) -> Rows:
    r"""Tie a sized quantity to its switch and its steps.

        x − min_units · on − unit_step · steps  =  0      where there is a step      [units]
        x − min_units · on                      ≥  0      where there is none (any amount from min_units)

    on is 0 or 1, steps a whole number.
    """
    sized, has_on, has_steps = np.arange(len(at.sized)), at.size_on >= 0, at.size_steps >= 0
    terms = [
        Term({"sized": sized}, at.sized, 1.0),
        Term({"sized": sized[has_on]}, at.size_on[has_on], -at.size_low[has_on]),
        Term({"sized": sized[has_steps]}, at.size_steps[has_steps], -at.size_step[has_steps]),
    ]
    return joined("size_low", {"sized": sized}, (0.0, np.where(has_steps, 0.0, np.inf)), terms)


SIZE_LOW = Family(
    name="size_low",
    rule="sizes",
    rows=size_low,
    spans=Spans.METER,
    dual="none: the rule is not linear",
    relaxed_by=Relaxed.NEVER,
    allows=EVERY_REDUCTION,
    kinds=("", ""),
)


def size_top(sets: Sets, at: Columns) -> Rows:
    r"""Allow more than nothing only when the switch is on.

        steps  ≤  most steps · on          where there is a step, and min_units > 0      [steps]
        x  ≤  largest size · on            where there is none, and min_units > 0        [units]

    on is 0 or 1.
    """
    sized = np.flatnonzero(at.size_on >= 0)
    stepped = at.size_steps[sized] >= 0
    body = np.where(stepped, at.size_steps[sized], at.sized[sized])
    most = np.where(stepped, at.upper[np.maximum(at.size_steps[sized], 0)], at.size_top[sized])
    where = {"sized": sized}
    return joined("size_top", where, (-np.inf, 0.0), [Term(where, body, 1.0), Term(where, at.size_on[sized], -most)])


SIZE_TOP = Family(
    name="size_top",
    rule="sizes",
    rows=size_top,
    spans=Spans.METER,
    dual="none: the rule is not linear",
    relaxed_by=Relaxed.NEVER,
    allows=EVERY_REDUCTION,
    kinds=("", ""),
)
