"""Break-even utilisation of each offer: how full a unit must be to cost no more than on demand would."""

import numpy as np
import pandas as pd

from planner.plan.flows import Floats
from planner.plan.frames import encode
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.metric_tables import BREAK_EVEN
from planner.schema.capacity import Offer
from planner.units import HOURS_PER_DAY, HOURS_PER_MONTH

PAYS, WITHOUT_HEADROOM, NEVER = "pays", "only without headroom", "never"
NO_PRICE, NO_USE = "no on-demand price", "no use"
_LOAD_KEYS = ["workload", "pool", "model"]


def break_even(basis: Basis) -> pd.DataFrame:
    r"""Compare each offer with on demand at this buyer's token mix: columns BREAK_EVEN.

    With q requests of each workload and model, u units per request/hour on each meter and p the on-demand price:

        break-even = Σ_meters price · Σ q·u / Σ q·p          attainable = Σ q·u / Σ q·u/(1 − reserved headroom)

    The mix q is what the plan serves of the pool's models in the pool's region, by whatever supply; where that is
    nothing, the demand that may be served there. A pool that sells meters apart needs all of them: the other meters
    count at their cheapest offer. Prices are those of the cheapest option that is not a guaranteed tier, scenarios'
    factors expected. Above 1, even a unit that is always full costs more than on demand: it can never pay.

    All of it is of the whole horizon. Where on-demand prices change from period to period (`price_factors`), it is of
    the periods in which the purchases are in force; of an offer that is not bought, of the term that would pay best.
    """
    uses: dict[tuple[int, ...], dict[str, dict[str, tuple[float, float, float]]]] = {}
    cheapest: dict[tuple[str, str], float] = {}
    for o in basis.case.offers:
        key = o.pool, o.meter
        cheapest[key] = min(cheapest.get(key, np.inf), o.mean_usd_per_hour)
    region = {p.pool: p.region for p in basis.case.pools}
    rows = []
    for o in basis.case.offers:
        found = []
        for periods in _periods_of(basis, o):
            use = uses[periods] = uses.get(periods) or _use(basis, periods)
            found.append(_compared(o, use.get(o.pool, {}), cheapest))
        worth, needed, attainable, verdict = min(found, key=lambda one: np.inf if np.isnan(one[1]) else one[1])
        rows.append((o.offer, o.pool, o.meter, region[o.pool], _months(o), o.mean_usd_per_hour,
                     worth, needed, attainable, verdict))  # fmt: skip
    return BREAK_EVEN.of(rows)


def _periods_of(basis: Basis, offer: Offer) -> list[tuple[int, ...]]:
    """List the periods over which an offer may be compared with on demand; of several lists, the one that pays best."""
    periods, times = basis.case.periods, basis.derived.price_times
    whole = tuple(range(len(periods)))
    if times is None or np.ptp(times.reshape(len(times), len(periods), -1), axis=1).max(initial=0.0) == 0:
        return [whole]
    bought = basis.plan.purchases
    starts = set(bought.loc[bought["offer"] == offer.offer, "period"].astype(str))
    terms = [
        (p.name, {k for k, q in enumerate(periods) if p.start <= q.start and q.end <= offer.term_end(p.start)})
        for p in periods
    ]
    if starts:
        own = sorted(set().union(*(served for name, served in terms if name in starts)))
        return [tuple(own) or whole]
    return sorted({tuple(sorted(served)) for _, served in terms if served}) or [whole]


def _months(offer: Offer) -> float:
    """Months of a term."""
    if offer.term_days is None:
        return float(offer.term_months)
    return offer.term_days * HOURS_PER_DAY / HOURS_PER_MONTH


def _compared(
    offer: Offer, use: dict[str, tuple[float, float, float]], cheapest: dict[tuple[str, str], float]
) -> tuple[float, float, float, str]:
    """On-demand value of a full unit-hour, break-even and attainable utilisation, and the verdict."""
    nan = float("nan")
    units, kept, value = use.get(offer.meter, (0.0, 0.0, 0.0))
    if not units > 0:
        return nan, nan, nan, NO_USE
    attainable = units / kept
    if np.isnan(value):
        return nan, nan, attainable, NO_PRICE
    price = {meter: cheapest.get((offer.pool, meter), 0.0) for meter in use} | {offer.meter: offer.mean_usd_per_hour}
    cost = {meter: price[meter] * part[0] for meter, part in use.items()}
    together = sum(cost.values())
    share = cost[offer.meter] / together if together > 0 else 1 / len(cost)
    worth = value * share / units
    needed = together / value if value > 0 else np.inf
    if needed > 1:
        return worth, needed, attainable, NEVER
    return worth, needed, attainable, WITHOUT_HEADROOM if needed > attainable else PAYS


def _use(basis: Basis, periods: tuple[int, ...]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Units, units with headroom and on-demand price (NaN: none) of the buyer's mix in periods, by pool and meter."""
    names, loads, prices = basis.names, basis.derived.loads, basis.reading.prices
    served = np.zeros(prices.usd.shape)
    _, *way, _ = names.codes(basis.flows.ways)
    np.add.at(served, (way[0], way[2], way[1]), basis.requests[:, periods].sum(axis=1))
    workload, region, model = (
        encode(loads[column], known)
        for column, known in (("workload", names.workloads), ("region", names.regions), ("model", names.models))
    )
    pool = encode(loads["pool"], names.supplies)
    requests = served[workload, region, model]
    idle = np.bincount(pool, requests, len(names.supplies))[pool] <= 0
    q = np.where(idle, _may_come(basis)[workload, region], requests)
    factor = _mean_factor(basis, periods)[workload, region, model]
    units = q * loads["units_per_request"].to_numpy(float)
    kept = units / loads["usable_share"].to_numpy(float)
    usd = q * factor * prices.usd[workload, region, model]
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    rows = zip(loads["pool"], loads["meter"], q.tolist(), units.tolist(), kept.tolist(), usd.tolist(), strict=True)
    for name, meter, n, *amounts in rows:
        if n > 0:
            so_far = found.setdefault(name, {}).get(meter, (0.0, 0.0, 0.0))
            found[name][meter] = (so_far[0] + amounts[0], so_far[1] + amounts[1], so_far[2] + amounts[2])
    return found


def _mean_factor(basis: Basis, periods: tuple[int, ...]) -> Floats:
    """Average what prices are multiplied by over what is served in periods, or over all hours where nothing is.

    Arrays workloads x regions x models; the scenarios' factors are expected.
    """
    names, prices = basis.names, basis.reading.prices
    _, workload, model, region, _ = names.codes(basis.flows.ways)
    served, priced = np.zeros(prices.usd.shape), np.zeros(prices.usd.shape)
    np.add.at(served, (workload, region, model), basis.requests[:, periods].sum(axis=1))
    np.add.at(priced, (workload, region, model), basis.priced_requests[:, periods].sum(axis=1))
    expected = sum(s.probability * s.on_demand_price_factor for s in basis.case.scenarios)
    times = basis.derived.price_times
    hourly = np.ones(prices.usd.shape)
    if times is not None:
        own = times.reshape(len(times), len(names.periods), -1)[:, periods]
        hourly = np.append(own.mean(axis=(1, 2)), 1.0)[prices.quota]
    if times is None:
        return hourly * expected
    found: Floats = np.divide(priced, served, out=hourly * expected, where=served > 0)
    return found


def _may_come(basis: Basis) -> Floats:
    """Demand of each workload that may be served in each region: workloads x regions."""
    names, travel = basis.names, basis.derived.travel
    asked = basis.reading.demand.sum(axis=1).reshape(len(names.regions), len(names.workloads))
    workload = encode(travel["workload"], names.workloads)
    origin, region = encode(travel["origin"], names.regions), encode(travel["region"], names.regions)
    may = np.zeros((len(names.workloads), len(names.regions)))
    np.add.at(may, (workload, region), asked[origin, workload])
    return may
