"""Starts that an optimum pays for and does not need, as units that run: money that must be spent on contracts.

Where what units by the hour cost counts for several contracts, a dollar spent for nothing saves more than a dollar of
shortfall. The programme then may start more than what runs asks for, at the same price as running idle. A plan states
what runs, and what starts follows: so the same money is spent on units that run, all week or in every other hour. What
`max_scaled_units` leaves no room for is not spent.
"""

from collections.abc import Callable

import numpy as np

from planner.model.columns import Columns, counted_twice
from planner.model.constraints.scaled import started_units
from planner.model.sets import Floats, Sets
from planner.model.waiting import Weeks

WASTED = 1e-7  # of what a week's units cost: starts above it are no rounding
HALVINGS = 100


def run_to_spend(sets: Sets, at: Columns, values: Floats, units: Floats) -> Floats:
    """Let more units run by the hour, so that they cost what the optimum spends on them.

    values : of all columns. units : that run, deployments x slots.
    """
    meter = sets.deployments["meter_row"].to_numpy(int)
    twice = counted_twice(sets)[meter][:, sets.slot_period] & (at.started >= 0)
    if not twice.any():
        return units
    hours = sets.meters["start_hours"].to_numpy(float)[meter]
    asked = np.where(at.started >= 0, values[at.started], 0.0)
    wasted = np.where(twice, np.maximum(asked - started_units(sets, units), 0.0), 0.0)
    pool = sets.meters["pool"].to_numpy(object)[meter]
    most = sets.meters["max_scaled_units"].fillna(np.inf).to_numpy(float)[meter]
    first, found = Weeks.of(sets).first, units.copy()
    for start in np.unique(first):
        week = np.flatnonzero(first == start)
        for d in np.flatnonzero(wasted[:, week].any(axis=1)):
            now = _hours_paid(found[d, week], hours[d])
            more = hours[d] * float(wasted[d, week].sum())
            if more > WASTED * max(now, 1.0):
                top = most[d] - found[pool == pool[d]][:, week].sum(axis=0) + found[d, week]
                found[d, week] = _raised(found[d, week], top, start_hours=hours[d], paid=now + more)
    return found


def _hours_paid(units: Floats, start_hours: float) -> float:
    """Unit-hours paid in a week, starts included."""
    return float(units.sum() + start_hours * np.maximum(units - np.roll(units, 1), 0.0).sum())


def _raised(units: Floats, top: Floats, *, start_hours: float, paid: float) -> Floats:
    """Raise units up to ``top`` until so many unit-hours are paid, or as many as can be."""
    even = np.arange(len(units)) % 2 == 0

    def level(height: float, hours: Floats | np.ndarray) -> Floats:
        return np.where(hours, np.maximum(units, np.minimum(top, height)), units)

    highest = float(np.minimum(top, units + paid).max())
    shapes = [np.ones(len(units), bool), even, ~even]
    ends = [_hours_paid(level(highest, shape), start_hours) for shape in shapes]
    enough = [k for k, end in enumerate(ends) if end >= paid]
    if not enough:
        return level(highest, shapes[int(np.argmax(ends))])
    return _level_that_pays(lambda height: level(height, shapes[enough[0]]), highest, start_hours, paid)


def _level_that_pays(shape: Callable[[float], Floats], highest: float, start_hours: float, paid: float) -> Floats:
    """Find the height at which so many unit-hours are paid, by halving: what is paid changes without jumps."""
    low, high = 0.0, highest
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _hours_paid(shape(middle), start_hours) < paid:
            low = middle
        else:
            high = middle
    return shape(high)
