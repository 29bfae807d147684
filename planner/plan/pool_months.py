"""Each pool in each month: units held, bought, ending, deployed and used; what they, and each order line, save."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.flows import LOAD_OF_WAY, Floats
from planner.plan.frames import Ints, categories, pairs
from planner.plan.orders import OrderLine, order_lines
from planner.plan.reading import Reading
from planner.schema.capacity import Commitment
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK

_DUST = 1e-9  # of what is wanted: rounding


@dataclass(frozen=True)
class UnitUse:
    """Arrays meters x slots, in the order of `Reading.meters`.

    used_units : with bursts, without headroom. units : with headroom, what rule 4 sets against the deployment.
    usd_per_hour : on-demand price of the same requests with the scenario's factor, 0 where there is none. Where a pool
    has several meters, it is divided among them as the loads times each meter's lowest offer price.
    unpriced : of `units`, those of requests that nobody sells on demand.
    """

    used_units: Floats
    units: Floats
    usd_per_hour: Floats
    unpriced: Floats


def reserved_use(reading: Reading) -> UnitUse:
    """Add up what is served by reserved units; what units that run by the hour serve is left out."""
    flows = reading.dispatch[0]
    way, load, nth = (flows.loads[name].to_numpy(int) for name in ("way", "load", "nth"))
    counted = 1 - reading.by_scaled.of_flow
    return _use(reading, flows.way, reading.prices.of_ways(reading.names, flows), way, load, nth, counted=counted)


def scaled_use(reading: Reading) -> UnitUse:
    """Add up what is served by units that run by the hour, as units of their pool."""
    flows = reading.dispatch[0]
    way, load, nth = (flows.loads[name].to_numpy(int) for name in ("way", "load", "nth"))
    price, counted = reading.prices.of_ways(reading.names, flows), reading.by_scaled.of_flow
    return _use(reading, flows.way, price, way, load, nth, counted=counted)


def convertible_use(reading: Reading) -> UnitUse:
    """Add up the on-demand flows that a pool of their region and model could have served, as units of that pool.

    Of several such pools, the one with the largest deployment of the month counts, so that no flow counts twice.
    """
    names, flows, homes = reading.names, reading.dispatch[0], _homes(reading)
    _, workload, model, region, _ = names.codes(flows.ways)
    pool = np.where(flows.ways["reserved"].to_numpy(bool), -1, homes[:, region, model])
    months = len(homes)  # each way in each month has a pool of its own
    asked = pd.DataFrame({
        "workload": categories(np.tile(workload, months), names.workloads),
        "model": categories(np.tile(model, months), names.models),
        "pool": categories(pool.ravel(), names.supplies),
    })  # fmt: skip
    loads = pairs(asked, reading.derived.loads, LOAD_OF_WAY)
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


def _use(
    reading: Reading, of: Ints, price: Floats, way: Ints, load: Ints, nth: Ints, *, counted: Floats | None = None
) -> UnitUse:
    """Add up the flows of the dispatch; `of` is the way of each, whatever the caller calls so.

    price : of a request, by way. way, load, nth : the loads of ways (`joins.pairs` on `LOAD_OF_WAY`). counted : share
    of each flow that counts; None: all of it.
    """
    names, loads, flows = reading.names, reading.derived.loads, reading.dispatch[0]
    shape = len(reading.meters), names.slot_count
    number = {key: k for k, key in enumerate(reading.meters)}
    meter = np.array([number[key] for key in zip(loads["pool"], loads["meter"], strict=True)], np.int64)
    units = loads["units_per_request"].to_numpy(float)
    kept = units / loads["usable_share"].to_numpy(float)
    unknown, price = np.isnan(price), np.nan_to_num(price)
    share = _meter_shares(reading, meter)
    used, held, usd, unpriced = (np.zeros(shape) for _ in range(4))
    option = reading.prices.quota_of_ways(names, flows)
    factor = reading.derived.price_factors(flows.place, option[flows.way])
    for k in range(int(nth.max(initial=-1)) + 1):
        which = np.full(len(price), -1)
        which[way[nth == k]] = load[nth == k]
        own = np.flatnonzero(which[of] >= 0)
        row, rph = which[of[own]], flows.rph[own] if counted is None else flows.rph[own] * counted[own]
        cell = meter[row] * names.slot_count + flows.place[own]
        for total, per_request in (
            (used, units[row]),
            (held, kept[row]),
            (usd, price[of[own]] * share[row] * factor[own]),
            (unpriced, kept[row] * unknown[of[own]]),
        ):
            total += np.bincount(cell, rph * per_request, total.size).reshape(shape)
    return UnitUse(used, held, usd, unpriced)


def _meter_shares(reading: Reading, meter: Ints) -> Floats:
    """Part of a request's price that each row of the loads stands for; `meter` is its meter."""
    loads, lowest = reading.derived.loads, dict[tuple[str, str], float]()
    for offer in reading.case.offers:
        key = offer.pool, offer.meter
        lowest[key] = min(lowest.get(key, offer.mean_usd_per_hour), offer.mean_usd_per_hour)
    price = np.array([lowest.get(key) or 1.0 for key in reading.meters], dtype=float)
    weight = loads["units_per_request"].to_numpy(float) * price[meter]
    request = {key: k for k, key in enumerate(dict.fromkeys(zip(loads["workload"], loads["pool"], loads["model"])))}
    of = np.array([request[key] for key in zip(loads["workload"], loads["pool"], loads["model"])], np.int64)
    total = np.bincount(of, weight, len(request))[of]
    found: Floats = np.divide(weight, total, out=np.ones(len(weight)), where=total > 0)
    return found


@dataclass(frozen=True)
class PoolMonth:
    """A pool's meter in one month.

    ``wanted_units`` holds, for each slot of the month, what reserved service and the flows on demand and by the hour
    that the pool could have served would take; ``usd_per_unit`` what one of these units serves would cost on demand,
    or by the hour where that is cheaper, over all occurrences of the slot. Slots in which nothing is wanted are left
    out.
    """

    pool: str
    region: str
    meter: str
    period: str
    start: dt.date
    end: dt.date
    hours: float
    earlier_units: float
    earlier_usd: float  # what they cost in the month
    new_units: float
    ending_units: float  # in force this month, not in the next
    deployed_units: float
    unreserved_usd_per_unit_hour: float | None
    mean_used_units: float  # with bursts, without headroom
    peak_used_units: float  # of the busiest slot, with headroom
    served_usd: float  # on-demand price of what reserved units serve
    wanted_units: Floats
    usd_per_unit: Floats
    unpriced_units: float = 0.0  # of all that is wanted in the month: what nobody sells on demand

    @property
    def priced(self) -> bool:
        """Whether all that is wanted has an on-demand price to compare with; so it is where nothing is wanted."""
        wanted = float(self.wanted_units.sum())
        if wanted and not self.usd_per_unit.any():
            return False
        return self.unpriced_units <= _DUST * wanted

    @property
    def in_force_units(self) -> float:
        """Earlier and new commitments."""
        return self.earlier_units + self.new_units

    @property
    def unreserved_units(self) -> float:
        """Deployed beyond the commitments, where the pool sells that."""
        if self.unreserved_usd_per_unit_hour is None:
            return 0.0
        return max(0.0, self.deployed_units - self.in_force_units)

    @property
    def unreserved_usd(self) -> float:
        """What those cost in the month."""
        return self.unreserved_units * (self.unreserved_usd_per_unit_hour or 0.0) * self.hours

    @property
    def level_units(self) -> float:
        """All units at hand: in force, and deployed beyond that."""
        return self.in_force_units + self.unreserved_units

    @property
    def served_usd_per_unit(self) -> float:
        """On-demand price of what one unit serves in the month."""
        return self.served_usd / self.level_units if self.level_units > 0 else 0.0


def pool_months(reading: Reading) -> tuple[PoolMonth, ...]:
    """Every pool and meter, every month, in the order of region, pool, meter and month."""
    case, plan, derived, names = reading.case, reading.plan, reading.derived, reading.names
    used, more, scaled = reserved_use(reading), convertible_use(reading), scaled_use(reading)
    weeks = np.repeat(derived.slots["weeks"].to_numpy(float), HOURS_PER_WEEK)
    deployed: dict[tuple[str, str, str], float] = {}
    columns = ("pool", "meter", "period", "units")
    for *at, units in zip(*(plan.deployments[column] for column in columns), strict=True):
        deployed[at[0], at[1], at[2]] = deployed.get((at[0], at[1], at[2]), 0.0) + units
    pools = {p.pool: p for p in case.pools}
    earlier = derived.earlier
    earlier_usd = dict(zip(zip(earlier["pool"], earlier["meter"], earlier["period"]), earlier["usd"], strict=True))
    lines: dict[tuple[str, str], list[OrderLine]] = {}
    for line in order_lines(case, plan):
        lines.setdefault((line.offer.pool, line.offer.meter), []).append(line)
    commitments: dict[tuple[str, str], list[Commitment]] = {}
    offers = {o.offer: (o.pool, o.meter) for o in case.offers}
    for c in case.commitments:
        commitments.setdefault(offers[c.offer], []).append(c)
    slots = np.arange(names.slot_count).reshape(len(names.scenarios), len(names.periods), HOURS_PER_WEEK)
    rows = []
    for region, pool, meter, m in sorted((pools[p].region, p, meter, m) for m, (p, meter) in enumerate(reading.meters)):
        own, owed = lines.get((pool, meter), []), commitments.get((pool, meter), [])
        for k, period in enumerate(case.periods):
            key, now = (pool, meter, period.name), slots[:, k].ravel()
            units = used.units[m, now] + more.units[m, now] + scaled.units[m, now]
            order = np.argsort(-units, kind="stable")[: int((units > 0).sum())]
            per_hour = sum(part.usd_per_hour[m, now] for part in (used, more, scaled))
            by_hour = pools[pool].usd_per_scaled_unit_hour
            if by_hour is not None:
                per_hour = np.minimum(per_hour, by_hour * units)
            usd = (per_hour * weeks[now])[order]
            rows.append(
                PoolMonth(
                    pool=pool,
                    region=region,
                    meter=meter,
                    period=period.name,
                    start=period.start,
                    end=period.end,
                    hours=period.hours,
                    earlier_units=derived.earlier_units.get(key, 0.0),
                    earlier_usd=earlier_usd.get(key, 0.0),
                    new_units=sum(n.units for n in own if n.covers(period.start, period.end)),
                    ending_units=_ending(case, own, owed, k) if k + 1 < len(case.periods) else 0.0,
                    deployed_units=deployed.get(key, 0.0),
                    unreserved_usd_per_unit_hour=pools[pool].usd_per_unreserved_unit_hour,
                    mean_used_units=float(used.used_units[m, now] @ weeks[now]) / period.hours,
                    peak_used_units=float(used.units[m, now].max(initial=0.0)),
                    served_usd=float(used.usd_per_hour[m, now] @ weeks[now]),
                    wanted_units=units[order],
                    usd_per_unit=usd / units[order],
                    unpriced_units=float(sum(part.unpriced[m, now].sum() for part in (used, more, scaled))),
                )
            )
    return tuple(rows)


def _ending(case: Case, lines: list[OrderLine], commitments: list[Commitment], k: int) -> float:
    """Units of a pool's meter in force in month k that are no longer in force in the next."""
    now, following = case.periods[k], case.periods[k + 1]
    earlier = sum(
        c.units for c in commitments if case.commitment_in_force(c, now) and not case.commitment_in_force(c, following)
    )
    return earlier + sum(
        n.units for n in lines if n.covers(now.start, now.end) and not n.covers(following.start, following.end)
    )


@dataclass(frozen=True)
class OrderValue:
    """An order line with its value inside the horizon.

    usage_usd : on-demand price of what these units serve: the line's share of its pool's, month by month.
    full_usd_per_unit_hour : on-demand price of what one fully used unit-hour serves, at the mix of requests served.
    priced : whether all that is served has an on-demand price to compare with; if not, neither figure is whole.
    """

    line: OrderLine
    usage_usd: float
    full_usd_per_unit_hour: float
    priced: bool = True

    @property
    def break_even(self) -> float | None:
        """Utilisation at which a unit costs what on demand would; None where nothing is served."""
        full = self.full_usd_per_unit_hour
        return self.line.usd_per_unit_hour / full if full > 0 else None

    @property
    def utilisation(self) -> float | None:
        """Used share of the units, by value; None where nothing is served."""
        full = self.full_usd_per_unit_hour * self.line.units * self.line.hours_horizon
        return self.usage_usd / full if full > 0 else None


def order_values(lines: tuple[OrderLine, ...], months: tuple[PoolMonth, ...]) -> tuple[OrderValue, ...]:
    """Value every line."""
    return tuple(_value(line, [m for m in months if _covers(line, m)]) for line in lines)


def _covers(line: OrderLine, month: PoolMonth) -> bool:
    same = (month.pool, month.meter) == (line.offer.pool, line.offer.meter)
    return same and line.covers(month.start, month.end)


def _value(line: OrderLine, covered: list[PoolMonth]) -> OrderValue:
    used = sum(m.mean_used_units * m.hours for m in covered)
    full = sum(m.served_usd for m in covered) / used if used > 0 else 0.0
    priced = all(m.priced for m in covered)
    return OrderValue(line, line.units * sum(m.served_usd_per_unit for m in covered), full, priced)
