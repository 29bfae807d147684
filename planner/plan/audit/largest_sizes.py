"""Most units of any plan that the bound need look at: the largest sensible sizes, or what a plan can pay for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planner.plan.audit.linear_rule import RulePrices, Way
from planner.plan.derived import Derived
from planner.plan.flows import Floats, Names
from planner.plan.stress_cases import stress_cases
from planner.schema.capacity import Offer
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, REQUESTS_PER_THOUSAND


@dataclass(frozen=True)
class LargestSizes:
    """Most units of any plan that need be looked at.

    deployed : deployments x periods. unreserved : meters x periods. bought : by offer and number of the period.
    """

    deployed: Floats
    unreserved: Floats
    bought: Mapping[tuple[str, int], float]

    @classmethod
    def of(
        cls, case: Case, derived: Derived, names: Names, meters: tuple[tuple[str, str], ...], *,
        largest: Floats, most_usd: float, any_size: bool,
    ) -> "LargestSizes":  # fmt: skip
        """Take the largest sensible sizes; with ``any_size``, what a plan of ``most_usd`` can pay for instead."""
        periods, whole = case.periods, case.settings.policy.whole_units
        number = {meter: k for k, meter in enumerate(meters)}
        of_meter = np.array([number[pool, meter] for pool, meter, _ in names.deployments], dtype=np.int64)
        by_meter: Floats = np.bincount(of_meter, largest, len(meters)).astype(float)
        price = {p.pool: p.usd_per_unreserved_unit_hour for p in case.pools}
        hourly = np.array([[(price[pool] or 0.0) * p.hours for p in periods] for pool, _ in meters])
        sold = np.array([[price[pool] is not None] * len(periods) for pool, _ in meters])
        hourly, sold = hourly.reshape(len(meters), len(periods)), sold.reshape(len(meters), len(periods))
        unreserved: Floats = np.repeat(by_meter[:, None], len(periods), axis=1)
        if any_size:
            unreserved = np.where(sold, np.divide(most_usd, hourly, out=np.full(hourly.shape, math.inf),
                                                  where=hourly > 0), 0.0)  # fmt: skip
        have: Floats = unreserved.copy()
        bought = {}
        for o in case.offers:
            if (o.pool, o.meter) not in number:
                continue
            k = number[o.pool, o.meter]
            limit = o.most_units(whole)
            for p in range(len(periods)):
                top = by_meter[k] + o.min_units + o.unit_step
                if any_size:
                    usd = unit_usd(case, o, p)[0]
                    top = most_usd / usd if usd > 0 else math.inf
                bought[o.offer, p] = max(0.0, float(top) if limit is None else min(float(top), limit))
                have[k, list(case.covered(o, p))] += bought[o.offer, p]
        for (pool, meter, name), units in derived.earlier_units.items():
            if (pool, meter) in number:
                have[number[pool, meter], names.periods.index(name)] += units
        sensible: Floats = np.repeat(largest[:, None], len(periods), axis=1)
        return cls(have[of_meter] if any_size else sensible, unreserved, bought)


def unit_usd(case: Case, offer: Offer, period: int) -> tuple[float, float]:
    """Cost of a unit bought at the start of a period, and the part of it inside the horizon, USD."""
    hours, beyond = case.paid_hours(offer, period)
    usd = offer.usd_per_hour(case.periods[period].start)
    inside = usd * hours
    return inside + usd * (1 - case.settings.policy.tail_value) * beyond, inside


def largest_loads(case: Case, names: Names, ways: dict[int, list[Way]], demand: Floats) -> Floats:
    """Most units that any sensible plan loads of each deployment: all its needs at their peaks at once."""
    factor = np.zeros(names.need_count)
    for stressed in stress_cases(case, names):
        factor = np.maximum(factor, stressed.need_factor)
    units = np.zeros(len(names.deployments))
    for need, served in ways.items():
        heaviest: dict[int, float] = {}
        for way in served:
            for d, load, usable in way.loads:
                heaviest[d] = max(heaviest.get(d, 0.0), load * max(factor[need], 1 / usable))
        waits = max((way.latest_hours for way in served), default=0)  # all that arose and waits may be served at once
        week = demand[need].reshape(-1, HOURS_PER_WEEK)
        in_an_hour = np.sum([np.roll(week, late, axis=1) for late in range(waits + 1)], axis=0)
        peak = REQUESTS_PER_THOUSAND * float(in_an_hour.max(initial=0.0))
        for d, load in heaviest.items():
            units[d] += load * peak
    most: Floats = units * (1 + 1e-9)
    return most


def largest_deployed(case: Case, names: Names, loads: Floats) -> Floats:
    """Most units of each deployment that any sensible plan has: all that is of use to load, and a step."""
    size = {(t.pool, t.meter, t.model): t.min_units + t.unit_step for t in case.throughput}
    found: Floats = loads + np.array([size.get(key, 0.0) for key in names.deployments], float)
    return found


def most_by_the_hour(case: Case, names: Names, largest: Floats, rule_prices: RulePrices) -> Floats:
    """Most units by the hour that need be looked at, deployments x slots: all that is of use to load.

    Where what they cost counts for several contracts, they may run to be spent: as many as fill all of these.
    """
    slots = names.slot_count
    fill = {p.pool: rule_prices.filled_by_scaled(p.pool, slots) * (1 + 1e-9) for p in case.pools}
    most = [np.maximum(units, fill[pool]) for units, (pool, _, _) in zip(largest, names.deployments, strict=True)]
    return np.array(most, float).reshape(len(names.deployments), slots)
