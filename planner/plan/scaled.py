"""Units that run by the hour: as arrays, what they cost, and what they serve.

They serve what the deployed units of their deployment do not: in each slot the load above those, divided among all
requests of the deployment alike. A request on two meters is served by them if either meter needs one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.plan.flows import Floats, Flows, Names
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
    starts = started_units(scaled).reshape(units.shape).sum(axis=-1)
    price = np.array([pools[pool].usd_per_scaled_unit_hour or 0.0 for pool, _, _ in names.deployments])
    hours = np.array([pools[pool].start_hours for pool, _, _ in names.deployments])
    weeks = np.array([p.weeks for p in case.periods])
    found: Floats = price[:, None, None] * weeks * (units.sum(axis=-1) + hours[:, None, None] * starts)
    return found


def started_units(scaled: Floats) -> Floats:
    """Units that start in each slot, the week being a circle: deployments x slots."""
    by_week = scaled.reshape(len(scaled), -1, HOURS_PER_WEEK)
    found: Floats = np.maximum(by_week - np.roll(by_week, 1, axis=-1), 0.0).reshape(scaled.shape)
    return found


@dataclass(frozen=True)
class ServedByScaled:
    """What units that run by the hour serve.

    of_load : deployments x slots: the share of the load (headroom kept) above the deployed units. of_flow : of each
        flow, the share of its requests that needs such a unit.
    """

    of_load: Floats
    of_flow: Floats

    @classmethod
    def of(cls, names: Names, flows: Flows, units: Floats) -> "ServedByScaled":
        """Find it; units : deployed, deployments x periods."""
        of_load, of_flow = np.zeros((len(names.deployments), names.slot_count)), np.zeros(len(flows.rph))
        if flows.scaled.any():
            load = flows.unit_load(len(names.deployments), names.slot_count, headroom=True)
            period = np.arange(names.slot_count) // HOURS_PER_WEEK % len(names.periods)
            above = np.clip(load - units[:, period], 0.0, flows.scaled)
            np.divide(above, load, out=of_load, where=load > 0)
            for way, deployment, _, _ in flows.meters():
                at = np.full(len(flows.ways), -1, np.int64)
                at[way] = deployment
                own = np.flatnonzero(at[flows.way] >= 0)
                of_flow[own] = np.maximum(of_flow[own], of_load[at[flows.way[own]], flows.place[own]])
        return cls(of_load, of_flow)

    def __bool__(self) -> bool:
        """Whether they serve anything."""
        return bool(self.of_load.any())
