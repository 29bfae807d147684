"""What a search for whole units found, and its values on the columns of the programme without sizes."""

from dataclasses import dataclass

import numpy as np

from planner.model.program import LinearProgram
from planner.model.sets import Floats


@dataclass(frozen=True)
class WholeResult:
    """The best plan found: columns of the LP (values), its cost, and the tree's bound on any plan's cost, USD."""

    values: Floats
    usd: float
    bound_usd: float


def rounded(program: LinearProgram, values: Floats) -> Floats:
    """Put sized columns exactly on their grid: the solver's switches and steps are whole only to its tolerance."""
    at, units = program.columns, values.copy()
    stepped = at.size_steps >= 0
    on = np.where(at.size_on >= 0, np.round(values[np.maximum(at.size_on, 0)]), 1.0)
    steps = np.where(stepped, np.round(values[np.maximum(at.size_steps, 0)]), 0.0)
    exact = at.size_low * on + at.size_step * steps
    loose = np.where(on > 0, np.maximum(values[at.sized], at.size_low), 0.0)
    units[at.sized] = np.where(stepped, exact, loose)
    return np.maximum(units, 0.0)


def values_without_sizes(linear: LinearProgram, sized: LinearProgram, values: Floats) -> Floats:
    """Values of the LP's columns: the same decisions without the size columns."""
    found = np.zeros(linear.columns.count)
    own = linear.columns.flow_first
    found[:own] = values[:own]
    found[own:] = values[sized.columns.flow_first :]
    return found
