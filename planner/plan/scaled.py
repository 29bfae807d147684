"""Units that run by the hour: what they cost, and as arrays."""

from typing import Any

import numpy as np
import pandas as pd

from planner.plan.flows import Floats, Names
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK


def scaled_array(names: Names, table: pd.DataFrame) -> Floats:
    """Lay units that run by the hour out as an array deployments x slots; rows of unknown names are left out."""
    units = np.zeros((len(names.deployments), names.slot_count))
    number = {key: k for k, key in enumerate(names.deployments)}
    slots = names.slots(table)
    rows: Any = zip(table["pool"], table["meter"], table["model"], slots.tolist(), table["units"].tolist(), strict=True)
    for pool, meter, model, slot, n in rows:
        d = number.get((str(pool), str(meter), str(model)), -1)
        if d >= 0 and slot >= 0:
            units[d, slot] += n
    return units


def scaled_usd(case: Case, names: Names, scaled: Floats) -> Floats:
    """Price them, starts included, were each scenario certain: deployments x scenarios x periods, USD."""
    shape = len(names.deployments), len(names.scenarios), len(names.periods)
    if not scaled.size:
        return np.zeros(shape)
    pools = {p.pool: p for p in case.pools}
    units = scaled.reshape(*shape, HOURS_PER_WEEK)
    starts = np.maximum(units - np.roll(units, 1, axis=-1), 0.0).sum(axis=-1)
    price = np.array([pools[pool].usd_per_scaled_unit_hour or 0.0 for pool, _, _ in names.deployments])
    hours = np.array([pools[pool].start_hours for pool, _, _ in names.deployments])
    weeks = np.array([p.weeks for p in case.periods])
    found: Floats = price[:, None, None] * weeks * (units.sum(axis=-1) + hours[:, None, None] * starts)
    return found
