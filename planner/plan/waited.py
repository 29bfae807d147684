"""Work that can wait: how much of it waits and how long, what serves it, and which reserved capacity is still idle."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.flows import Floats, deployed_units
from planner.plan.frames import NUMBER, TEXT, WHOLE, Field, Frame
from planner.plan.reading import Reading
from planner.units import HOURS_PER_WEEK

WAITED = Frame("waited", "one row for each workload that can wait", (
    Field("workload", TEXT, "workload"),
    Field("deadline_hours", WHOLE, "how late a request may be served", "hours"),
    Field("requests", NUMBER, "expected over the horizon", "requests"),
    Field("waited_requests", NUMBER, "of which served in a later hour than they arose in", "requests"),
    Field("reserved_requests", NUMBER, "of which served by reserved units", "requests"),
    Field("slow_requests", NUMBER, "of which handed to an on-demand option that takes hours to answer", "requests"),
    Field("mean_hours_waited", NUMBER, "of the requests that waited", "hours"),
    Field("longest_hours_waited", NUMBER, "of any request", "hours"),
))  # fmt: skip
IDLE = Frame("idle", "one row for each pool and meter with units", (
    Field("pool", TEXT, "pool"),
    Field("meter", TEXT, "what its units count"),
    Field("unit_hours", NUMBER, "deployed over the horizon", "unit-hours"),
    Field("used_unit_hours", NUMBER, "expected to be used, reserved headroom included", "unit-hours"),
    Field("idle_unit_hours", NUMBER, "the rest: more work that can wait could fill it", "unit-hours"),
    Field("idle_hours_of_week", NUMBER, "hours of the week in which a tenth of the units or more are idle (mean of all "
          "months and scenarios)", "hours"),
))  # fmt: skip
TENTH = 0.1


@dataclass(frozen=True)
class Waited:
    """Figures of a plan for an input with work that can wait: the tables WAITED and IDLE."""

    workloads: pd.DataFrame
    idle: pd.DataFrame

    @property
    def requests(self) -> float:
        """Requests that may wait, expected over the horizon."""
        return float(self.workloads["requests"].sum())

    @property
    def waited_share(self) -> float:
        """Share of them that waits."""
        return float(self.workloads["waited_requests"].sum()) / self.requests if self.requests else 0.0

    @property
    def mean_hours_waited(self) -> float:
        """How long those that wait do so, on average."""
        count = self.workloads["waited_requests"].to_numpy(float)
        hours = count @ self.workloads["mean_hours_waited"].to_numpy(float)
        return float(hours / count.sum()) if count.any() else 0.0

    @property
    def longest_hours_waited(self) -> float:
        """How long any request waits at most."""
        return float(self.workloads["longest_hours_waited"].max()) if len(self.workloads) else 0.0


def waited(reading: Reading) -> Waited | None:
    """Work them out; None where no workload can wait."""
    if not reading.case.work_can_wait:
        return None
    return Waited(_workloads(reading), _idle(reading))


def _workloads(reading: Reading) -> pd.DataFrame:
    flows, names, case = reading.dispatch[0], reading.names, reading.case
    weeks = reading.derived.slots["weeks"].to_numpy(float)[flows.place // HOURS_PER_WEEK]
    requests, late = flows.rph * weeks, (flows.place - flows.arrival) % HOURS_PER_WEEK
    _, of_way, *_ = names.codes(flows.ways)
    workload, reserved = of_way[flows.way], flows.ways["reserved"].to_numpy(bool)[flows.way]
    answers = {(q.region, q.model, q.option): q.deadline_hours > 0 for q in case.on_demand}
    keys = zip(flows.ways["region"], flows.ways["model"], flows.ways["supply"], strict=True)
    slow = np.array([answers.get(key, False) for key in keys], bool)[flows.way] & ~reserved

    def summed(counted: Floats) -> Floats:
        total: Floats = np.bincount(workload, counted, len(names.workloads)).astype(float)
        return total

    every, waits, held, handed = (summed(requests * part) for part in (1.0, late > 0, reserved, slow))
    hours, longest = summed(requests * late), np.zeros(len(names.workloads))
    np.maximum.at(longest, workload, np.where(requests > 0, late, 0).astype(float))
    rows = [
        (w.workload, w.deadline_hours, every[k], waits[k], held[k], handed[k],
         hours[k] / waits[k] if waits[k] > 0 else 0.0, longest[k])
        for k, w in enumerate(case.workloads)
        if w.can_wait
    ]  # fmt: skip
    return WAITED.of(rows)


def _idle(reading: Reading) -> pd.DataFrame:
    flows, names = reading.dispatch[0], reading.names
    units = deployed_units(names, reading.plan.deployments)
    load = flows.unit_load(len(names.deployments), names.slot_count, headroom=True)
    block = np.arange(names.slot_count) // HOURS_PER_WEEK
    weeks = reading.derived.slots["weeks"].to_numpy(float)[block]
    have = units[:, block % len(names.periods)]
    groups: dict[tuple[str, str], list[int]] = {}
    for d, (pool, meter, _) in enumerate(names.deployments):
        groups.setdefault((pool, meter), []).append(d)
    rows = []
    for (pool, meter), own in groups.items():
        deployed = have[own].sum(axis=0)
        used = np.minimum(load[own], have[own]).sum(axis=0)
        by_hour = (deployed * weeks).reshape(-1, HOURS_PER_WEEK).sum(axis=0)
        idle_by_hour = ((deployed - used) * weeks).reshape(-1, HOURS_PER_WEEK).sum(axis=0)
        if by_hour.any():
            idle = int(((idle_by_hour >= TENTH * by_hour) & (by_hour > 0)).sum())
            total, left = float(by_hour.sum()), float(idle_by_hour.sum())
            rows.append((pool, meter, total, total - left, left, float(idle)))
    return IDLE.of(rows)
