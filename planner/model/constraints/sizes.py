"""Whole units: x and v are 0, or min_units plus a whole number of unit_steps (docs/model.md, "What is decided")."""

import numpy as np

from planner.model.columns import Columns
from planner.model.family import EVERY_REDUCTION, Family, Spans
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Sets


def size_low(sets: Sets, at: Columns) -> Rows:
    r"""Tie a sized quantity to its switch and its steps.

        x − min_units · on − unit_step · steps  =  0      where there is a step      [units]
        x − min_units · on                      ≥  0      where there is none (any amount from min_units)

    on is 0 or 1, steps a whole number.
    """
    row = np.arange(len(at.sized))
    has_on, has_steps = at.size_on >= 0, at.size_steps >= 0
    return rows_by_key(
        "size_low",
        {"sized": row},
        row,
        constant(len(row), 0.0),
        np.where(has_steps, 0.0, np.inf),
        [
            Term(row, at.sized, constant(len(row), 1.0)),
            Term(row[has_on], at.size_on[has_on], -at.size_low[has_on]),
            Term(row[has_steps], at.size_steps[has_steps], -at.size_step[has_steps]),
        ],
    )


SIZE_LOW = Family(
    name="size_low",
    rule="sizes",
    rows=size_low,
    spans=Spans.METER,
    dual="none: the rule is not linear",
    relaxed_by=None,
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
    row = np.arange(len(sized))
    return rows_by_key(
        "size_top",
        {"sized": sized},
        row,
        constant(len(row), -np.inf),
        constant(len(row), 0.0),
        [Term(row, body, constant(len(row), 1.0)), Term(row, at.size_on[sized], -most)],
    )


SIZE_TOP = Family(
    name="size_top",
    rule="sizes",
    rows=size_top,
    spans=Spans.METER,
    dual="none: the rule is not linear",
    relaxed_by=None,
    allows=EVERY_REDUCTION,
    kinds=("", ""),
)
