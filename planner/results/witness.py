"""The witness of one stress case: routings of groups of slots, and which groups cover a slot."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from planner.results.derived import Derived
from planner.results.flows import Floats, Flows, Ints, Names, encode
from planner.results.plan import Plan
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK


@dataclass(frozen=True)
class Witness:
    """Routings of one stress case. A *place* is what a group does in a period.

    flows : the routings, at places. slot, place : pairs; the place covers the slot. place_period : period of a place.
    unknown : positions in plan.stress_dispatch of rows that name what the input does not know.
    """

    flows: Flows
    slot: Ints
    place: Ints
    place_period: Ints
    unknown: Ints

    @classmethod
    def of(cls, case: Case, derived: Derived, names: Names, plan: Plan, stress_case: str) -> "Witness":
        """Read the witness of one stress case from a plan."""
        slots = plan.stress_slots.iloc[np.flatnonzero(encode(plan.stress_slots["case"], [stress_case]) == 0)]
        own = np.flatnonzero(encode(plan.stress_dispatch["case"], [stress_case]) == 0)
        rows = plan.stress_dispatch.iloc[own]
        slot = names.slots(slots)
        slots, slot = slots.iloc[np.flatnonzero(slot >= 0)], slot[slot >= 0]
        periods = len(names.periods)
        period = encode(rows["period"], names.periods)
        slot_period = slot // HOURS_PER_WEEK % periods
        groups = np.concatenate([slots["group"].to_numpy(), rows["group"].to_numpy()])
        group = np.unique(groups, return_inverse=True)[1]
        key = group * periods + np.concatenate([slot_period, period])
        known = np.concatenate([np.ones(len(slot), bool), period >= 0])
        places, number = np.unique(key[known], return_inverse=True)
        place = np.full(len(key), -1, np.int64)
        place[known] = number
        flows, unknown = Flows.of(case, derived, names, rows, place[len(slot) :])
        return cls(flows, slot, place[: len(slot)], places % periods, own[unknown])

    @property
    def places(self) -> int:
        """How many places there are."""
        return len(self.place_period)

    def by_period(self, names: Names) -> Iterator[tuple[int, Ints, Ints, Floats]]:
        """For each period: its number, its slots, its places, and which place covers which slot (places x slots)."""
        every = np.arange(names.slot_count)
        slot_period = self.slot // HOURS_PER_WEEK % len(names.periods)
        for p in range(len(names.periods)):
            slots = every[every // HOURS_PER_WEEK % len(names.periods) == p]
            places = np.flatnonzero(self.place_period == p)
            inside = slot_period == p
            cover = np.zeros((len(places), len(slots)))
            at = np.searchsorted(places, self.place[inside]), np.searchsorted(slots, self.slot[inside])
            np.add.at(cover, at, 1.0)
            yield p, slots, places, cover
