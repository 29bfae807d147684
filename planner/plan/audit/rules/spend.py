"""Spend commitments: in each scenario what a contract asks for is spent, or paid as shortfall."""

import math
from collections.abc import Callable

import numpy as np

from planner.plan.audit.linear_rule import LinearRule, RowName, Served, WayNames
from planner.plan.derived import Derived
from planner.plan.flows import Floats, Names
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, REQUESTS_PER_THOUSAND

OptionNames = tuple[str, str, str]
Price = Callable[[WayNames], float]


def _price_groups(case: Case, derived: Derived, names: Names) -> list[tuple[frozenset[OptionNames], Floats]]:
    """Group the on-demand options by what price_factors make of their prices, slot by slot."""
    groups: dict[bytes, tuple[list[OptionNames], Floats]] = {}
    slots = np.arange(names.slot_count)
    period, hour = slots // HOURS_PER_WEEK % len(names.periods), slots % HOURS_PER_WEEK
    for k, o in enumerate(case.on_demand):
        times = derived.hour_times(period, hour, np.full(len(slots), k))
        groups.setdefault(times.tobytes(), ([], times))[0].append((o.region, o.model, o.option))
    return [(frozenset(options), times) for options, times in groups.values()]


def spend(case: Case, names: Names) -> LinearRule | None:
    """Spend on each contract in each scenario ≥ what it asks for; less is paid at the scenario's probability. [USD]."""
    if not case.spend_commitments:
        return None
    derived = Derived.of(case)
    price = derived.on_demand_usd
    region = {p.pool: p.region for p in case.pools}
    offers = {o.offer: o for o in case.offers}
    factors = dict(zip(zip(derived.slots["scenario"], derived.slots["period"]), derived.slots["price_factor"].tolist()))
    rows: list[RowName] = []
    lower, missed, served = [], [], []
    bought, unreserved, scaled = [], [], []
    meters = sorted({(t.pool, t.meter) for t in case.throughput})
    for c in case.spend_commitments:
        periods = case.contract_periods(c)
        counted = {r.region for r in case.regions if c.counted_regions is None or r.region in c.counted_regions}

        def on_demand(way: WayNames, counted: set[str] = counted) -> float:
            if way.reserved or way.region not in counted:
                return 0.0
            return REQUESTS_PER_THOUSAND * price[way.workload, way.region, way.model, way.supply]

        for scenario in case.scenarios:
            if scenario.probability <= 0:
                continue
            row = len(rows)
            rows.append({"supply": c.contract, "scenario": scenario.scenario})
            missed.append(scenario.probability)
            asked = c.usd
            if c.counts_on_demand:
                slots = np.zeros(names.slot_count)
                for k in periods:
                    at = (names.scenarios.index(scenario.scenario) * len(names.periods) + k) * HOURS_PER_WEEK
                    name = names.periods[k]
                    factor = factors[scenario.scenario, name]
                    slots[at : at + HOURS_PER_WEEK] = case.periods[k].weeks * factor
                for options, times in _price_groups(case, derived, names):

                    def own(way: WayNames, options: frozenset[OptionNames] = options, usd: Price = on_demand) -> float:
                        return usd(way) if (way.region, way.model, way.supply) in options else 0.0

                    served.append(Served(row, own, slots * times))
                weeks = np.zeros(names.slot_count)
                for k in periods:
                    at = (names.scenarios.index(scenario.scenario) * len(names.periods) + k) * HOURS_PER_WEEK
                    weeks[at : at + HOURS_PER_WEEK] = case.periods[k].weeks
                for pool in case.pools:
                    if pool.region in counted and pool.usd_per_scaled_unit_hour:
                        scaled.append((row, pool.pool, weeks * pool.usd_per_scaled_unit_hour))
            if c.counts_reserved:
                for o in case.offers:
                    for k, p in enumerate(case.periods):
                        paid = sum(case.paid_usd(o, k, q) for q in periods)
                        if region[o.pool] in counted and paid:
                            bought.append((row, o.offer, p.name, paid))
                for pool in case.pools:
                    for _, meter in (key for key in meters if key[0] == pool.pool):
                        for k in periods if pool.region in counted and pool.usd_per_unreserved_unit_hour else ():
                            usd = (pool.usd_per_unreserved_unit_hour or 0.0) * case.periods[k].hours
                            unreserved.append((row, pool.pool, meter, names.periods[k], usd))
                for owed in case.commitments:
                    offer = offers[owed.offer]
                    if region[offer.pool] in counted:
                        in_force = [k for k in periods if case.commitment_in_force(owed, case.periods[k])]
                        asked -= sum(owed.units * offer.usd_per_unit_hour * case.periods[k].hours for k in in_force)
            lower.append(asked)
    twice = len(case.spend_commitments) > 1
    return LinearRule(
        "spend", "USD in the scenario", rows, lower, [math.inf] * len(rows), bought=bought, unreserved=unreserved,
        served=served, missed_usd=missed, scaled=scaled, any_size=twice,
    )  # fmt: skip
