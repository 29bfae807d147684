"""From a Case to Sets: the tables of the whole programme, with every load and cost.

The formulas are those of docs/model.md, "What follows from the input".
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from planner.model.served_ways import plain, ways_of
from planner.model.sets import EVERY_FUTURE, Floats, Ints, Risk, Sets, Spend, StressScale
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, REQUESTS_PER_THOUSAND

_OF_SLOTS = ("periods", "scenarios", "price_factors", "futures", "chances")
_OF_DEMAND = ("periods", "scenarios")


def sets_of(case: Case, like: Sets | None = None) -> Sets:
    """Build the index tables of the whole programme of a case; ``like``: those of a case that may differ a little.

    Slots, demand, capacity and ways to serve are taken from those where they are made of equal inputs: to list them
    takes longest.
    """
    old = None if like is None else like.case
    slots, price_times = _slots_like(case, like, old)
    pairs, demand = _demand_like(case, len(slots), like, old)
    needs = plain(_needs(case, pairs))
    meters, deployments = _capacity_like(case, like, old)
    ways = ways_of(case, needs, deployments, like)
    shares = pd.DataFrame(
        [(m.workload, m.model, m.min_share, m.max_share) for m in case.mix],
        columns=["workload", "model", "min_share", "max_share"],
    )
    caps = pd.DataFrame(
        [
            (r.origin, r.destination, r.max_gb_per_month)
            for r in case.routes
            if r.max_gb_per_month is not None and r.origin != r.destination
        ],
        columns=["origin", "destination", "gb_per_month"],
    )
    policy = case.settings.policy
    purchases = plain(_purchases(case, meters))
    return Sets(
        periods=tuple(p.name for p in case.periods),
        period_hours=np.array([p.hours for p in case.periods]),
        slots=slots,
        needs=needs,
        demand=demand,
        shares=plain(shares),
        arcs=ways.arcs,
        loads=ways.loads,
        deployments=deployments,
        meters=meters,
        earlier=earlier_units(case, zip(meters["pool"], meters["meter"])),
        quotas=plain(_quotas(case)),
        quota_load=ways.quota_load,
        price_times=price_times,
        purchases=purchases,
        caps=plain(caps),
        cases=_stress_cases(case, needs),
        whole_units=policy.whole_units,
        max_away_share=policy.egress.max_cross_region_share,
        budget_usd=policy.max_commitment_usd,
        paid_usd=_paid(case, purchases),
        chances=case.chances,
        spend=spend_of(case),
        risk=_risk(case),
        case=case,
    )


def _slots_like(case: Case, like: Sets | None, old: Case | None) -> tuple[pd.DataFrame, Floats]:
    """Take the slots of a case that has the same, or list them."""
    if like is not None and old is not None and not case.price_factors and _same(case, old, _OF_SLOTS):
        return like.slots, np.empty((0, len(case.on_demand)))
    slots, price_times = _slots(case)
    return plain(slots), price_times


def _same(case: Case, old: Case, names: Iterable[str]) -> bool:
    return all(getattr(case, name) == getattr(old, name) for name in names)


def _slots(case: Case) -> tuple[pd.DataFrame, Floats]:
    """List the slots; hours of equal prices are a kind, with what each option's price is multiplied by."""
    kind, kinds = np.zeros((len(case.periods), HOURS_PER_WEEK), np.int64), np.empty((0, len(case.on_demand)))
    if case.price_factors and case.on_demand:
        times = np.ones((len(case.periods), HOURS_PER_WEEK, len(case.on_demand)))
        for f in case.price_factors:
            own = [q for q, o in enumerate(case.on_demand) if f.applies_to(o.region, o.model, o.option)]
            times[np.ix_(case.factor_periods(f), f.hours, own)] *= f.factor
        kinds, kind = np.unique(times.reshape(-1, len(case.on_demand)), axis=0, return_inverse=True)
        kind = kind.reshape(len(case.periods), HOURS_PER_WEEK)
    number = {name: k for k, (name, _) in enumerate(case.chances)}
    of = {name: name for name in number} if case.futures is None else case.futures.of_scenario
    future = [number[of[s.scenario]] if s.scenario in of else EVERY_FUTURE for s in case.scenarios]
    rows = [
        (s.scenario, k, h, s.probability * p.weeks, s.on_demand_price_factor, kind[k, h], f)
        for s, f in zip(case.scenarios, future)
        for k, p in enumerate(case.periods)
        for h in range(HOURS_PER_WEEK)
    ]
    columns = ["scenario", "period", "hour_of_week", "weeks", "price_factor", "hour_prices", "future"]
    return pd.DataFrame(rows, columns=columns), kinds


def _demand_like(
    case: Case, slots: int, like: Sets | None, old: Case | None
) -> tuple[list[tuple[str, str]], Floats]:  # fmt: skip
    """Take the demand of a case that has the same, or lay it out."""
    if like is not None and old is not None and case.demand is old.demand and _same(case, old, _OF_DEMAND):
        return list(zip(like.needs["origin"], like.needs["workload"])), like.demand
    return _demand(case, slots)


def _demand(case: Case, slots: int) -> tuple[list[tuple[str, str]], Floats]:
    """Origin-workloads with demand, and their demand in each slot (krph)."""
    d = case.demand
    scenario = pd.Categorical(d["scenario"], [s.scenario for s in case.scenarios]).codes.astype(np.int64)
    period = pd.Categorical(d["period"], [p.name for p in case.periods]).codes.astype(np.int64)
    slot = (scenario * len(case.periods) + period) * HOURS_PER_WEEK + d["hour_of_week"].to_numpy()
    (origin, origins), (workload, workloads) = (_numbered(d[name]) for name in ("region", "workload"))
    pairs, code = np.unique(origin * len(workloads) + workload, return_inverse=True)
    found = [(origins[pair // len(workloads)], workloads[pair % len(workloads)]) for pair in pairs.tolist()]
    demand = np.zeros((len(found), slots))
    demand[code, slot] = d["requests_per_hour"].to_numpy() / REQUESTS_PER_THOUSAND
    return found, demand


def _needs(case: Case, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Say of each origin-workload what it asks of the units that serve it, and how long it may wait."""
    of = {w.workload: w for w in case.workloads}
    rows = [(o, w, 1 - case.reserved_headroom(of[w]), of[w].guaranteed_share, of[w].deadline_hours) for o, w in pairs]
    columns = ["origin", "workload", "usable", "guaranteed_share", "deadline_hours"]
    return pd.DataFrame(rows, columns=columns).astype({"deadline_hours": np.int64})


def _numbered(names: pd.Series) -> tuple[Ints, list[str]]:
    """Return the number of each name in their order, and the names."""
    kinds = names.astype("category").cat
    known = [str(name) for name in kinds.categories]
    order = sorted(range(len(known)), key=known.__getitem__)
    rank = np.empty(len(known), np.int64)
    rank[order] = np.arange(len(known))
    return rank[kinds.codes.to_numpy()], [known[k] for k in order]


def _capacity_like(case: Case, like: Sets | None, old: Case | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the meters and deployments of a case that has the same, or list them."""
    if like is not None and old is not None and _same(case, old, ("pools", "throughput")):
        return like.meters, like.deployments
    meters, deployments = _capacity(case)
    return plain(meters), plain(deployments)


def _capacity(case: Case) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Meters and deployments."""
    pools = {p.pool: p for p in case.pools}
    seen = sorted({(t.pool, t.meter) for t in case.throughput})
    row_of = {key: k for k, key in enumerate(seen)}
    meters = pd.DataFrame(
        [
            (p, m, pools[p].region, pools[p].usd_per_unreserved_unit_hour, pools[p].usd_per_scaled_unit_hour,
             pools[p].max_scaled_units, pools[p].start_hours)
            for p, m in seen
        ],
        columns=["pool", "meter", "region", "usd_per_unreserved_unit_hour", "usd_per_scaled_unit_hour",
                 "max_scaled_units", "start_hours"],
    ).astype(dict.fromkeys(("usd_per_unreserved_unit_hour", "usd_per_scaled_unit_hour", "max_scaled_units",
                            "start_hours"), float))  # fmt: skip
    parts = {}
    for t in case.throughput:
        shared = pools[t.pool].shared_hourly
        key = (t.pool, t.meter, SHARED_DEPLOYMENT if shared else t.model)
        parts[key] = (row_of[t.pool, t.meter], *((0.0, 0.0) if shared else (t.min_units, t.unit_step)))
    deployments = pd.DataFrame(
        [(*key, *value) for key, value in sorted(parts.items())],
        columns=["pool", "meter", "model", "meter_row", "min_units", "unit_step"],
    )
    return meters, deployments


def earlier_units(case: Case, meters: Iterable[tuple[str, str]]) -> Floats:
    """Units of earlier commitments in force, of some (pool, meter), array meters x periods."""
    row_of = {key: k for k, key in enumerate(meters)}
    earlier = np.zeros((len(row_of), len(case.periods)))
    offers = {o.offer: o for o in case.offers}
    for c in case.commitments:
        meter = row_of.get((offers[c.offer].pool, offers[c.offer].meter))
        for k, period in enumerate(case.periods):
            if meter is not None and case.commitment_in_force(c, period):
                earlier[meter, k] += c.units
    return earlier


def _quotas(case: Case) -> pd.DataFrame:
    quotas = pd.DataFrame(
        [(q.region, q.model, q.option, q.tokens_per_minute_quota) for q in case.on_demand],
        columns=["region", "model", "option", "tokens_per_minute"],
    )
    quotas["tokens_per_minute"] = quotas["tokens_per_minute"].astype(float).fillna(np.inf)
    return quotas


def _purchases(case: Case, meters: pd.DataFrame) -> pd.DataFrame:
    """Each offer at each start, with what a unit costs: its hours inside the horizon, and the counted tail.

    One that covers no period whole is left out, unless it may fill a spend commitment: it is in force through none.
    """
    row_of = {key: k for k, key in enumerate(zip(meters["pool"], meters["meter"]))}
    rows: list[tuple[object, ...]] = []
    held = {c.offer for c in case.commitments}
    for o in case.offers:
        meter = row_of.get((o.pool, o.meter))
        if meter is None:
            continue
        top = np.inf if o.max_units is None else o.max_units
        for k in range(len(case.periods)):
            covered = case.covered(o, k)
            if not covered and not case.spend_commitments:  # of no use to any plan
                continue
            inside, beyond = case.paid_hours(o, k)
            counted = inside + (1 - case.settings.policy.tail_value) * beyond
            usd = o.usd_per_hour(case.periods[k].start)
            rows.append((o.offer, k, k + len(covered) - 1, meter, usd * counted, usd * inside,
                         o.min_units, o.unit_step, top, o.offer in held))  # fmt: skip
    columns = ["offer", "period", "last_period", "meter_row", "usd_per_unit", "committed_usd_per_unit",
               "min_units", "unit_step", "max_units", "held"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"held": bool})


def _paid(case: Case, purchases: pd.DataFrame) -> Floats:
    """Spread what a unit of each purchase costs over the periods that it is paid in, purchases x periods, USD."""
    offers = {o.offer: o for o in case.offers}
    bought = purchases[["offer", "period"]].itertuples(index=False, name=None)
    found = [[case.paid_usd(offers[offer], k, q) for q in range(len(case.periods))] for offer, k in bought]
    return np.array(found, dtype=float).reshape(len(purchases), len(case.periods))


def _risk(case: Case) -> Risk | None:
    """Read the weight of dear scenarios; None where there is none, or one future only."""
    risk = case.settings.policy.risk
    likely = sum(probability > 0 for _, probability in case.chances)
    return Risk(risk.weight, risk.level) if risk.weight > 0 and risk.level > 0 and likely > 1 else None


def spend_of(case: Case) -> Spend | None:
    """Read the spend commitments: what is left of each for new decisions, and what counts."""
    if not case.spend_commitments:
        return None
    regions = tuple(r.region for r in case.regions)
    of_pool, offers = {p.pool: p.region for p in case.pools}, {o.offer: o for o in case.offers}
    shape = len(case.spend_commitments), len(regions), len(case.periods)
    on_demand, reserved, usd = np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(shape[0])
    for k, c in enumerate(case.spend_commitments):
        named = np.array([c.counted_regions is None or r in c.counted_regions for r in regions])
        period = np.isin(np.arange(shape[2]), case.contract_periods(c))
        counted = named[:, None] & period
        on_demand[k], reserved[k] = counted & c.counts_on_demand, counted & c.counts_reserved
        usd[k] = c.usd
        for owed in case.commitments:
            offer = offers[owed.offer]
            at = regions.index(of_pool[offer.pool])
            usd[k] -= sum(
                owed.units * offer.usd_per_unit_hour * p.hours
                for q, p in enumerate(case.periods)
                if reserved[k, at, q] and case.commitment_in_force(owed, p)
            )
    return Spend(tuple(c.contract for c in case.spend_commitments), usd, regions, on_demand, reserved)


def _stress_cases(case: Case, needs: pd.DataFrame) -> tuple[StressScale, ...]:
    of = {w.workload: w for w in case.workloads}
    head = np.array([case.headroom_demand(of[w]) for w in needs["workload"]])
    keep = np.array([case.failover_demand(of[w]) for w in needs["workload"]])
    cases = [StressScale("headroom", None, 1.0, head)]
    failover = case.settings.policy.failover
    if failover.enabled:
        cases += [
            StressScale(f"failover {r.region}", r.region, failover.on_demand_trust, keep)
            for r in case.regions
            if r.fails
        ]
    return tuple(cases)
