"""From a Case to Sets: who may serve whom, with loads and costs per thousand requests, and which shares bind.

The formulas are those of docs/model.md, "What follows from the input".
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from planner.model.sets import EVERY_FUTURE, Floats, Ints, Risk, Sets, Spend, StressScale
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.schema.case import Case
from planner.units import BYTES_PER_GB, HOURS_PER_WEEK, MINUTES_PER_HOUR, REQUESTS_PER_THOUSAND, TOKENS_PER_MTOK

_OF_ARCS = ("regions", "workloads", "mix", "pools", "throughput", "on_demand", "routes")


def sets_of(case: Case, like: Sets | None = None) -> Sets:
    """Build the index tables of the whole programme of a case; ``like``: those of a case that may differ a little.

    Ways to serve are taken from those where they are made of equal inputs: to list them takes longest.
    """
    slots, price_times = _slots(case)
    needs, demand = _needs(case, len(slots))
    meters, deployments, earlier = _capacity(case)
    quotas = _quotas(case)
    other = None if like is None else like.case
    if (
        like is not None
        and other is not None
        and all(getattr(case, n) == getattr(other, n) for n in _OF_ARCS)
        and all(list(needs[n]) == list(like.needs[n]) for n in ("origin", "workload"))
    ):
        arcs, loads, quota_load = like.arcs, like.loads, like.quota_load
    else:
        arcs, loads, quota_load = _arcs(case, needs, _tokens(case), deployments, quotas)
        arcs, loads = _plain(arcs), _plain(loads)
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
    purchases = _plain(_purchases(case, meters))
    return Sets(
        periods=tuple(p.name for p in case.periods),
        period_hours=np.array([p.hours for p in case.periods]),
        slots=_plain(slots),
        needs=_plain(needs),
        demand=demand,
        shares=_plain(shares),
        arcs=arcs,
        loads=loads,
        deployments=_plain(deployments),
        meters=_plain(meters),
        earlier=earlier,
        quotas=_plain(quotas),
        quota_load=quota_load,
        price_times=price_times,
        purchases=purchases,
        caps=_plain(caps),
        cases=_stress_cases(case, needs),
        whole_units=policy.whole_units,
        max_away_share=policy.egress.max_cross_region_share,
        budget_usd=policy.max_commitment_usd,
        paid_usd=_paid(case, purchases),
        chances=case.chances,
        spend=_spend(case),
        risk=_risk(case),
        case=case,
    )


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Names, also of columns, as plain Python strings: quicker to look up than the kind that pandas infers."""
    columns = [table[name] for name in table]
    found = {k: c.astype(object) if isinstance(c.dtype, pd.StringDtype) else c for k, c in enumerate(columns)}
    plain = pd.DataFrame(found, index=table.index)
    plain.columns = pd.Index([str(name) for name in table], dtype=object)
    return plain


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


def _needs(case: Case, slots: int) -> tuple[pd.DataFrame, Floats]:
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
    of = {w.workload: w for w in case.workloads}
    rows = [(o, w, 1 - case.reserved_headroom(of[w]), of[w].guaranteed_share, of[w].deadline_hours) for o, w in found]
    columns = ["origin", "workload", "usable", "guaranteed_share", "deadline_hours"]
    return pd.DataFrame(rows, columns=columns).astype({"deadline_hours": np.int64}), demand


def _numbered(names: pd.Series) -> tuple[Ints, list[str]]:
    """Return the number of each name in their order, and the names."""
    kinds = names.astype("category").cat
    known = [str(name) for name in kinds.categories]
    order = sorted(range(len(known)), key=known.__getitem__)
    rank = np.empty(len(known), np.int64)
    rank[order] = np.arange(len(known))
    return rank[kinds.codes.to_numpy()], [known[k] for k in order]


def _tokens(case: Case) -> pd.DataFrame:
    """Tokens and gigabytes of a thousand requests of each workload, by reserved units and on demand."""
    rows = []
    for w in case.workloads:
        hit = w.cache_hit_rate
        paid_hit = hit if w.on_demand_cache_hit_rate is None else w.on_demand_cache_hit_rate
        k = REQUESTS_PER_THOUSAND
        rows.append(
            {
                "workload": w.workload,
                "burst": w.burst_factor,
                "fresh": k * w.input_tokens * (1 - hit - w.cache_write_rate),
                "cached": k * w.input_tokens * hit,
                "paid_fresh": k * w.input_tokens * (1 - paid_hit - w.cache_write_rate),
                "paid_cached": k * w.input_tokens * paid_hit,
                "written": k * w.input_tokens * w.cache_write_rate,
                "output": k * w.output_tokens,
                "gb_in": k * (w.input_tokens * w.bytes_per_token + w.extra_bytes_in) / BYTES_PER_GB,
                "gb_out": k * (w.output_tokens * w.bytes_per_token + w.extra_bytes_out) / BYTES_PER_GB,
            }
        )
    return pd.DataFrame(rows)


def _capacity(case: Case) -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
    """Meters, deployments, and the units of earlier commitments in force by meter and period."""
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
    return meters, deployments, earlier_units(case, seen)


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


def _arcs(
    case: Case, needs: pd.DataFrame, tokens: pd.DataFrame, deployments: pd.DataFrame, quotas: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
    """Every way to serve a need, its load on deployments (units per krph) and on quota (tokens/minute per krph)."""
    ways = _ways(case, needs).merge(tokens, on="workload")
    pooled, loads = _reserved_arcs(case, ways, deployments)
    paid = _on_demand_arcs(case, ways, quotas)
    arcs = pd.concat([pooled, paid], ignore_index=True)
    arcs["priced"] = True
    arcs["at_once"] = False
    quota_load = arcs.pop("quota_load").to_numpy(float)
    return arcs, loads, quota_load


def _ways(case: Case, needs: pd.DataFrame) -> pd.DataFrame:
    """Need, model and region that may serve it, with the egress price of a gigabyte each way."""
    models: dict[str, list[str]] = {}
    for m in case.mix:
        models.setdefault(m.workload, []).append(m.model)
    of = {w.workload: w for w in case.workloads}
    price = {pair: route.usd_per_gb for pair, route in case.route.items()}
    rows = []
    for k, (o, name) in enumerate(zip(needs["origin"], needs["workload"])):
        for region in case.regions:
            s = region.region
            if not case.may_serve(of[name], o, s):
                continue
            there = 0.0 if o == s else price[o, s]
            back = 0.0 if o == s else price.get((s, o), there)
            rows += [
                (k, o, name, model, s, there, back, o != s, of[name].deadline_hours) for model in models.get(name, ())
            ]
    return pd.DataFrame(
        rows, columns=["need", "origin", "workload", "model", "region", "usd_there", "usd_back", "away", "latest_hours"]
    ).astype({"away": bool, "latest_hours": np.int64})


_ARC = ["need", "origin", "workload", "model", "region", "supply", "reserved", "quota", "guaranteed", "usd",
        "egress_usd", "gb_in", "gb_out", "away", "latest_hours", "quota_load"]  # fmt: skip


def _reserved_arcs(case: Case, ways: pd.DataFrame, deployments: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Arcs to pools, and units per krph = burst x weighted tokens / (60 x tokens per minute per unit)."""
    pools = {p.pool: p for p in case.pools}
    number = {
        (p, m, part): k
        for k, (p, m, part) in enumerate(zip(deployments["pool"], deployments["meter"], deployments["model"]))
    }
    rows = []
    for t in case.throughput:
        pool = pools[t.pool]
        part = SHARED_DEPLOYMENT if pool.shared_hourly else t.model
        write = t.input_weight if t.cache_write_weight is None else t.cache_write_weight
        rows.append((t.pool, pool.region, t.model, number[t.pool, t.meter, part], t.tokens_per_minute_per_unit,
                     t.input_weight, t.cached_input_weight, write, t.output_weight))  # fmt: skip
    rates = pd.DataFrame(rows, columns=["supply", "region", "model", "deployment", "rate", "wi", "wc", "ww", "wo"])
    served = ways.merge(rates[["supply", "region", "model"]].drop_duplicates(), on=["region", "model"])
    served = served.sort_values(["need", "model", "region", "supply"], ignore_index=True)
    served["arc"] = np.arange(len(served))
    load = served.merge(rates, on=["supply", "region", "model"])
    weighted = (
        load["fresh"] * load["wi"] + load["cached"] * load["wc"] + load["written"] * load["ww"]
        + load["output"] * load["wo"]
    )  # fmt: skip
    load["units"] = load["burst"] * weighted / (MINUTES_PER_HOUR * load["rate"])
    served["egress_usd"] = served["gb_in"] * served["usd_there"] + served["gb_out"] * served["usd_back"]
    arcs = served.assign(reserved=True, quota=-1, guaranteed=True, usd=0.0, quota_load=0.0)
    return arcs[_ARC], load[["arc", "deployment", "units"]].sort_values(["arc", "deployment"], ignore_index=True)


def _on_demand_arcs(case: Case, ways: pd.DataFrame, quotas: pd.DataFrame) -> pd.DataFrame:
    """Arcs to on-demand options, their price and load on quota per thousand requests."""
    rows = []
    for k, q in enumerate(case.on_demand):
        fresh = q.usd_per_mtok_input
        cached = fresh if q.usd_per_mtok_cached_input is None else q.usd_per_mtok_cached_input
        written = fresh if q.usd_per_mtok_cache_write is None else q.usd_per_mtok_cache_write
        rows.append((q.region, q.model, q.option, k, q.guaranteed, fresh, cached, written, q.usd_per_mtok_output,
                     q.quota_cached_weight, q.quota_output_weight, q.deadline_hours))  # fmt: skip
    columns = ["region", "model", "supply", "quota", "guaranteed", "pi", "pc", "pw", "po", "qc", "qo", "answers_within"]
    prices = pd.DataFrame(rows, columns=columns).astype({"guaranteed": bool, "answers_within": np.int64})
    a = ways.merge(prices, on=["region", "model"]).sort_values(["need", "model", "region", "supply"], ignore_index=True)
    a = a.assign(latest_hours=a["latest_hours"] - a["answers_within"])
    a = a[a["latest_hours"] >= 0].reset_index(drop=True)  # an option too slow for its work is no way to serve it
    usd = a["paid_fresh"] * a["pi"] + a["paid_cached"] * a["pc"] + a["written"] * a["pw"] + a["output"] * a["po"]
    counted = a["paid_fresh"] + a["written"] + a["paid_cached"] * a["qc"] + a["output"] * a["qo"]
    a = a.assign(
        reserved=False,
        usd=usd / TOKENS_PER_MTOK,
        egress_usd=a["gb_in"] * a["usd_there"] + a["gb_out"] * a["usd_back"],
        quota_load=a["burst"] * counted / MINUTES_PER_HOUR,
    )
    return a[_ARC]


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


def _spend(case: Case) -> Spend | None:
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
