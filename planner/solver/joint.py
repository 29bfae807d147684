"""Columns that belong to no part of a case: what a contract falls short of in a scenario. They follow from others."""

import numpy as np

from planner.model.columns import Columns
from planner.model.constraints.spend import spend
from planner.model.sets import Floats, Sets

JOINT = ("spend",)  # families whose rows have such columns


def joint_columns(at: Columns) -> np.ndarray:
    """Numbers of the columns that belong to no part."""
    return at.short[at.short >= 0]


def settle_joint(sets: Sets, at: Columns, values: Floats) -> Floats:
    """Return the values with these columns as small as the rows allow, whatever they are."""
    found = values.copy()
    found[joint_columns(at)] = 0.0
    if at.short.size:
        rows = spend(sets, at)
        spent = np.bincount(rows.row, rows.value * found[rows.column], rows.count)
        short = at.short[rows.index["contract"], rows.index["future"]]
        found[short] = np.maximum(rows.lower - spent, 0.0)
    return found
