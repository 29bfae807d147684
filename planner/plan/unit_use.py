"""What the dispatch asks of reserved units, slot by slot, and what the same requests would cost on demand."""

from dataclasses import dataclass

import numpy as np

from planner.plan.flows import Floats, Ints, loads_of
from planner.plan.reading import Reading
from planner.units import HOURS_PER_WEEK


@dataclass(frozen=True)
class UnitUse:
    """Arrays meters x slots, in the order of `Reading.meters`.

    used_units : with bursts, without headroom. units : with headroom, what rule 4 sets against the deployment.
    usd_per_hour : on-demand price of the same requests with the scenario's factor, 0 where there is none. Where a pool
    has several meters, it is divided among them as the loads times each meter's lowest offer price.
    """

    used_units: Floats
    units: Floats
    usd_per_hour: Floats


def reserved_use(reading: Reading) -> UnitUse:
    """Add up what is served by reserved units."""
    flows = reading.dispatch[0]
    way, load, nth = (flows.loads[name].to_numpy(int) for name in ("way", "load", "nth"))
    return _use(reading, flows.way, reading.prices.of_ways(reading.names, flows), way, load, nth)


def convertible_use(reading: Reading) -> UnitUse:
    """Add up the on-demand flows that a pool of their region and model could have served, as units of that pool.

    Of several such pools, the one with the largest deployment of the month counts, so that no flow counts twice.
    """
    names, flows, homes = reading.names, reading.dispatch[0], _homes(reading)
    _, workload, model, region, _ = names.codes(flows.ways)
    pool = np.where(flows.ways["reserved"].to_numpy(bool), -1, homes[:, region, model])
    months = len(homes)  # each way in each month has a pool of its own
    loads = loads_of(reading.derived, names, np.tile(workload, months), np.tile(model, months), pool.ravel())
    period = flows.place // HOURS_PER_WEEK % months
    price = np.tile(reading.prices.of_ways(names, flows), months)
    return _use(reading, period * len(flows.ways) + flows.way, price, *loads)


def _homes(reading: Reading) -> Ints:
    """Find the pool (a supply) with the largest deployment: periods x regions x models; -1: none."""
    names = reading.names
    deployed: dict[tuple[str, str], float] = {}
    for pool, month, units in zip(*(reading.plan.deployments[c] for c in ("pool", "period", "units")), strict=True):
        deployed[pool, month] = deployed.get((pool, month), 0.0) + units
    region, model, supply, period = (
        {name: k for k, name in enumerate(known)}
        for known in (names.regions, names.models, names.supplies, names.periods)
    )
    place = {p.pool: region[p.region] for p in reading.case.pools}
    models: dict[str, set[int]] = {}
    for t in reading.case.throughput:
        models.setdefault(t.pool, set()).add(model[t.model])
    found = np.full((len(period), len(region), len(model)), -1)
    by_pool = sorted(deployed.items(), reverse=True)
    for (pool, month), _ in sorted(by_pool, key=lambda item: item[1]):  # the largest is written last
        found[period[month], place[pool], list(models.get(pool, ()))] = supply[pool]
    return found


def _use(reading: Reading, of: Ints, price: Floats, way: Ints, load: Ints, nth: Ints) -> UnitUse:
    """Add up the flows of the dispatch; `of` is the way of each, whatever the caller calls so.

    price : of a request, by way. way, load, nth : the loads of ways (`flows.loads_of`).
    """
    names, loads, flows = reading.names, reading.derived.loads, reading.dispatch[0]
    shape = len(reading.meters), names.slot_count
    number = {key: k for k, key in enumerate(reading.meters)}
    meter = np.array([number[key] for key in zip(loads["pool"], loads["meter"], strict=True)], np.int64)
    units = loads["units_per_request"].to_numpy(float)
    kept = units / loads["usable_share"].to_numpy(float)
    share, price = _meter_shares(reading, meter), np.nan_to_num(price)
    used, held, usd = (np.zeros(shape) for _ in range(3))
    for k in range(int(nth.max(initial=-1)) + 1):
        which = np.full(len(price), -1)
        which[way[nth == k]] = load[nth == k]
        own = np.flatnonzero(which[of] >= 0)
        row, rph = which[of[own]], flows.rph[own]
        cell = meter[row] * names.slot_count + flows.place[own]
        for total, per_request in ((used, units[row]), (held, kept[row]), (usd, price[of[own]] * share[row])):
            total += np.bincount(cell, rph * per_request, total.size).reshape(shape)
    factor = np.repeat(reading.derived.slots["price_factor"].to_numpy(float), HOURS_PER_WEEK)
    return UnitUse(used, held, usd * factor)


def _meter_shares(reading: Reading, meter: Ints) -> Floats:
    """Part of a request's price that each row of the loads stands for; `meter` is its meter."""
    loads, lowest = reading.derived.loads, dict[tuple[str, str], float]()
    for offer in reading.case.offers:
        key = offer.pool, offer.meter
        lowest[key] = min(lowest.get(key, offer.usd_per_unit_hour), offer.usd_per_unit_hour)
    price = np.array([lowest.get(key) or 1.0 for key in reading.meters], dtype=float)
    weight = loads["units_per_request"].to_numpy(float) * price[meter]
    request = {key: k for k, key in enumerate(dict.fromkeys(zip(loads["workload"], loads["pool"], loads["model"])))}
    of = np.array([request[key] for key in zip(loads["workload"], loads["pool"], loads["model"])], np.int64)
    total = np.bincount(of, weight, len(request))[of]
    found: Floats = np.divide(weight, total, out=np.ones(len(weight)), where=total > 0)
    return found
