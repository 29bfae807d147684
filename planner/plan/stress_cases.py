"""Stress cases (rule 8) in plain arithmetic, and the witness that shows how each is served."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Names
from planner.plan.frames import Ints, encode
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK


@dataclass(frozen=True)
class StressCase:
    """Headroom (nothing fails) or the loss of one region.

    need_factor : by need, stressed demand over demand. quota_tpm : by row of case.on_demand, tokens per minute that
        count (inf: no limit; 0 for all where on demand is not trusted at all).
    """

    name: str
    failed: str | None
    need_factor: Floats
    quota_tpm: Floats


def stress_cases(case: Case, names: Names) -> tuple[StressCase, ...]:
    """List the stress cases of a case: headroom, and the loss of each region that fails."""
    quota = np.array(
        [np.inf if q.tokens_per_minute_quota is None else q.tokens_per_minute_quota for q in case.on_demand]
    )
    regions = len(names.regions)
    spare = np.tile([case.headroom_demand(w) for w in case.workloads], regions)
    cases = [StressCase("headroom", None, spare, quota)]
    failover = case.settings.policy.failover
    if failover.enabled:
        kept = np.tile([case.failover_demand(w) for w in case.workloads], regions)
        trusted = quota * failover.on_demand_trust if failover.on_demand_trust > 0 else np.zeros(len(quota))
        cases += [StressCase(f"failover {r.region}", r.region, kept, trusted) for r in case.regions if r.fails]
    return tuple(cases)


@dataclass(frozen=True)
class Witness:
    """Routings of one stress case. A *place* is what a group does in a period.

    flows : the routings, at places. slot, place : pairs; the place covers the slot. place_period : period of a place.
    """

    flows: Flows
    slot: Ints
    place: Ints
    place_period: Ints

    @classmethod
    def each(
        cls, case: Case, derived: Derived, names: Names, plan: Plan, stress_cases: Sequence[str]
    ) -> "tuple[list[Witness], Ints]":
        """Read the witness of each stress case; also the positions of flows that name what the input does not know."""
        rows, slots = plan.stress_dispatch, plan.stress_slots
        count, periods = len(stress_cases), len(names.periods)
        slot, slot_case = names.slots(slots), encode(slots["case"], stress_cases)
        period, row_case = encode(rows["period"], names.periods), encode(rows["case"], stress_cases)
        covers = np.flatnonzero((slot >= 0) & (slot_case >= 0))
        slot, slot_case = slot[covers], slot_case[covers]
        groups = np.concatenate([slots["group"].to_numpy()[covers], rows["group"].to_numpy()])
        group = np.unique(groups, return_inverse=True)[1]
        key = (group * count + np.concatenate([slot_case, row_case])) * periods
        key += np.concatenate([slot // HOURS_PER_WEEK % periods, period])
        key[len(slot) :][(period < 0) | (row_case < 0)] = -1
        flows, unknown = Flows.of(case, derived, names, rows, key[len(slot) :])
        return [
            cls._one(
                flows, key[: len(slot)][slot_case == k], slot=slot[slot_case == k], case=k, count=count, periods=periods
            )
            for k in range(count)
        ], unknown

    @classmethod
    def _one(cls, flows: Flows, key: Ints, *, slot: Ints, case: int, count: int, periods: int) -> "Witness":
        own = np.flatnonzero(flows.place // periods % count == case)
        places, number = np.unique(np.concatenate([key, flows.place[own]]), return_inverse=True)
        routings = Flows(flows.ways, flows.loads, flows.way[own], number[len(key) :], flows.rph[own])
        return cls(routings, slot, number[: len(key)], places % periods)

    @property
    def places(self) -> int:
        """How many places there are."""
        return len(self.place_period)

    def over_slots(self, amount: Floats, slots: int) -> Floats:
        """Add up what each group does (an array things x places) in the slots that it covers: things x slots.

        Only the places at which a thing has an amount are looked at: they are few where parts are independent.
        """
        thing, place = np.nonzero(amount)
        order = np.argsort(self.place, kind="stable")
        first, last = (np.searchsorted(self.place[order], place, side) for side in ("left", "right"))
        count = last - first
        entry = np.repeat(np.arange(len(thing)), count)
        nth = np.arange(len(entry)) - np.repeat(np.cumsum(count) - count, count)
        slot = self.slot[order[first[entry] + nth]]
        total = np.bincount(thing[entry] * slots + slot, amount[thing, place][entry], len(amount) * slots)
        return total.astype(float).reshape(len(amount), slots)


LOAD_COLUMNS = ("region", "model", "supply", "reserved", "unlimited", "requests_per_hour")


@dataclass(frozen=True)
class WorkloadMargin:
    """How far one workload alone may grow in a stress case: ``growth`` as a factor, and the slot where it ends."""

    workload: str
    growth: float
    slot: int


@dataclass(frozen=True)
class Margin:
    """A stress case and the slot that binds.

    slot : where growth ends first; where nothing ends it, the slot of most demand; -1: the case asks for nothing.
    need_rph : stressed demand of that slot, requests per hour.
    growth : largest factor by which all demand can grow, in every slot, with every request still served by what stands;
        below 1 the case is broken; inf: nothing that is used has a limit.
    load : columns LOAD_COLUMNS: who serves that slot's demand (where the case is broken: as much of it as can be),
        reserved units first.
    workloads : the same of each workload alone, the others as they are; empty where that was not asked.
    unserved_rph : the fewest requests per hour of that slot that go unserved, whichever they are; 0: none need.
    """

    case: StressCase
    slot: int
    need_rph: float
    growth: float
    load: pd.DataFrame
    workloads: tuple[WorkloadMargin, ...] = ()
    unserved_rph: float = 0.0

    @property
    def share(self) -> float:
        """Margin as a share of demand: growth less 1; NaN where the case asks for nothing."""
        return self.growth - 1 if self.slot >= 0 else float("nan")
