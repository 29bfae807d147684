"""The bound, recomputed from the prices in certificate.parquet by weak duality: any prices >= 0 prove a bound.

For prices of the rules (Plan.certificate) every plan of the case costs at least

    Σ_{need,τ} λ·d + Σ lo·mix_low·d − Σ hi·mix_high·d + Σ share·guaranteed·d − Σ quota·limit − Σ egress·cap
      − cross_region_share·limit − budget·limit − Σ deployment·earlier + Σ_rays stress·need(ray) + charges,      where

    λ[need,τ]  = least, over the ways to serve the need, of the way's cost and of what its loads pay at the prices (of a
                 need that can wait, in the cheapest of the hours in which the way may serve it),
    need(ray)  = Σ μ·stressed demand in the ray's slot − Σ stress_quota·quota, μ the same least at the ray's prices,
    charges    = (price − what its units earn) × its largest sensible size, where x, v or u earn more than they cost.

So the prices need not be optimal, and nobody need be trusted for them; only this file, which shares nothing with the
programme. Flows count in thousand requests per hour (krph).
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.plan.audit.findings import Finding
from planner.plan.audit.largest_sizes import LargestSizes, largest_deployed, largest_loads, most_by_the_hour, unit_usd
from planner.plan.audit.linear_rule import RulePrices, Way, WayNames, ways_of
from planner.plan.audit.read_prices import ReadPrices, read_prices
from planner.plan.audit.rules import rules_of
from planner.plan.audit.stress_check import PricedRay, rays_of
from planner.plan.audit.way_arrays import WayArrays
from planner.plan.derived import Derived
from planner.plan.flows import Bools, Floats, Names
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, REQUESTS_PER_THOUSAND

KINDS = frozenset((
    "risk_floor", "risk_cap", "start", "start_runs", "start_limit", "scaled_limit",
    "rent", "quota", "mix_low", "mix_high", "guaranteed", "deployment", "egress", "cross_region_share", "budget",
    "stress", "stress_unit", "stress_quota", "stress_mix_low", "stress_mix_high",
))  # fmt: skip  # kinds of prices whose rules are stated here
HIGHEST = 1e30  # USD: no price of a programme is above, and sums of such are still finite
ROUNDING = 1e-9  # of all terms: far above the rounding of double precision, far below a gap that matters


def check_bound(case: Case, derived: Derived, names: Names, plan: Plan) -> list[Finding]:
    """Recompute the bound; a finding where the plan states a higher one, or prices that are none."""
    table = plan.certificate
    if not table["price"].between(0, HIGHEST).all():
        message = f"certificate.parquet holds prices below 0, above {HIGHEST:g} or none: the file was changed"
        return [Finding("bound", message, 1.0)]
    rules = rules_of(case, names)
    unknown = sorted(set(table["kind"]) - KINDS - {kind for rule in rules for kind in rule.kinds})
    if unknown:
        return [
            Finding(
                "bound",
                f"certificate.parquet prices {', '.join(unknown)}, a rule that this check does not know, so the bound "
                "cannot be recomputed: state the rule in plan/audit, or check with the planner that made the plan",
                1.0,
            )
        ]
    found = proved_bound_usd(case, derived, names, table, plan.proof.bound_usd)
    stated = plan.proof.bound_usd
    if not stated <= found + ROUNDING * max(1.0, abs(stated), abs(found)):  # so that NaN is none
        return [
            Finding(
                "bound",
                f"bound_usd says {stated:,.6f}, but the prices in certificate.parquet prove {found:,.6f} only",
                (stated - found) / max(1.0, abs(stated)),
            )
        ]
    return []


def proved_bound_usd(
    case: Case, derived: Derived, names: Names, table: pd.DataFrame, stated_usd: float = math.inf
) -> float:
    """Bound on the cost of every plan that these prices prove, USD.

    ``stated_usd`` : the bound that is claimed. Where a rule stated as weights has a price, plans up to that cost are
    looked at (what they buy they can pay for); the others cost more anyway.
    """
    tilt = _tilt(case, table)
    rule_prices = RulePrices(rules_of(case, names), table, tilt)
    meters = tuple(dict.fromkeys((pool, meter) for pool, meter, _ in names.deployments))
    prices = read_prices(names, meters, table)
    demand = names.demand(case) / REQUESTS_PER_THOUSAND
    listed = ways_of(case, derived, names)
    ways = WayArrays.of({need: [w for w in own if not w.barred] for need, own in listed.items()}, names.need_count)
    weeks = _slot_weights(derived, names)
    tilted = np.repeat([tilt[name] for name in names.scenarios], len(names.periods) * HOURS_PER_WEEK)
    terms = [derived.sunk_usd]
    for need in np.flatnonzero(demand.any(axis=1)).tolist():
        asked = demand[need] > 0
        least = _least_usd(
            derived, names, ways, need, asked=asked, prices=prices, weeks=weeks, tilted=tilted, rule_prices=rule_prices
        )
        terms += (np.where(np.isfinite(least), least, 0.0) * demand[need, asked]).tolist()
    terms += _limits(case, names, prices, demand, weeks)
    rays = rays_of(case, names, table, WayArrays.of(listed, names.need_count), demand)
    terms += [price * need for _, price, need, _ in rays]
    most_usd = stated_usd if rule_prices.any_size else math.inf
    loads = largest_loads(case, names, listed, demand)
    largest = largest_deployed(case, names, loads)
    sizes = LargestSizes.of(
        case, derived, names, meters, largest=largest, most_usd=most_usd, any_size=rule_prices.any_size
    )
    terms += _by_the_hour(
        case,
        names,
        table,
        rent=prices.rent,
        weeks=weeks,
        tilted=tilted,
        rule_prices=rule_prices,
        most=most_by_the_hour(case, names, loads, rule_prices),
    )
    terms += [
        rule_prices.worth_usd,
        *_charges(case, derived, names, meters, prices=prices, rays=rays, rule_prices=rule_prices, sizes=sizes),
    ]
    proved = math.fsum(terms) - 1e-12 * math.fsum(abs(t) for t in terms)
    return min(max(proved, derived.sunk_usd), most_usd)  # no price is below 0: what is owed is paid by every plan


def _least_usd(
    derived: Derived, names: Names, ways: WayArrays, need: int, *, asked: Bools, prices: ReadPrices, weeks: Floats,
    tilted: Floats, rule_prices: RulePrices,
) -> Floats:  # fmt: skip
    """Least that a thousand requests per hour of a need cost at the prices, in each slot in which some are asked.

    inf : nothing may serve them.
    """
    own = slice(*ways.first[need : need + 2].tolist())
    count, k = own.stop - own.start, REQUESTS_PER_THOUSAND
    if not count:
        return np.full(int(asked.sum()), np.inf)
    quota, latest = ways.quota[own], ways.latest_hours[own]
    served = np.flatnonzero(_in_some_week(asked) if latest.any() else asked)
    if derived.price_times is None:
        factor = derived.price_factors(served, np.full(len(served), -1))[None, :]
    else:
        factor = derived.price_factors(np.tile(served, count), np.repeat(quota, len(served))).reshape(count, -1)
    cost: Floats = factor * ways.usd[own, None]
    cost += ways.egress_usd[own, None]
    cost *= k * (weeks * tilted)[served]
    for load in ways.loads:
        first, last = np.searchsorted(load.way, [own.start, own.stop]).tolist()
        at = load.way[first:last] - own.start
        per = k * load.units[first:last] / load.usable[first:last]
        cost[at] += per[:, None] * prices.rent[np.ix_(load.deployment[first:last], served)]
    bought = np.flatnonzero(quota >= 0)
    tokens = k * ways.tokens_per_minute[own][bought, None]
    cost[bought] += tokens * prices.quota[np.ix_(quota[bought], served)]
    if rule_prices.any:
        for row, way in enumerate(ways.ways[own]):
            earned = rule_prices.of_served(_named(names, need, way), names.slot_count)
            if earned is not None:
                cost[row] -= earned[served]
    away = np.flatnonzero(ways.away[own])
    if len(away) and (prices.away or prices.egress.any()):
        period = served // HOURS_PER_WEEK % len(names.periods)
        origin, region = ways.origin[own][away, None], ways.region[own][away, None]
        there, back = prices.egress[origin, region, period], prices.egress[region, origin, period]
        sent = ways.gb_in[own][away, None] * there + ways.gb_out[own][away, None] * back
        cost[away] += weeks[served] * (k * sent + prices.away)
    for hours in sorted({hours for hours in latest.tolist() if hours}):
        late = latest == hours
        cost[late] = _least_ahead(cost[late], hours)
    cost -= prices.bonus[np.ix_(need * len(names.models) + ways.model[own], served)]
    cost[ways.sure[own]] -= prices.sure[need, served]
    least = np.full(names.slot_count, np.inf)
    least[served] = cost.min(axis=0)
    return least[asked]


def _by_the_hour(
    case: Case, names: Names, table: pd.DataFrame, *, rent: Floats, weeks: Floats, tilted: Floats,
    rule_prices: RulePrices, most: Floats,
) -> list[float]:  # fmt: skip
    """Charge units that run by the hour, and starts, that earn more than they cost at their most; price the limits.

    most : units of each deployment in each slot.
    """
    pools = {p.pool: p for p in case.pools if p.usd_per_scaled_unit_hour is not None}
    number = {key: k for k, key in enumerate(names.deployments)}
    start, again, beside = (np.zeros(rent.shape) for _ in range(3))
    limit = {pool: np.zeros(names.slot_count) for pool in pools}
    of_kind = {"start": start, "start_runs": again, "start_limit": beside}
    for kind in (*of_kind, "scaled_limit"):
        part = table[table["kind"] == kind]
        rows = part[["supply", "meter", "model", "price"]].astype(object).itertuples(index=False, name=None)
        for (pool, meter, model, price), slot in zip(rows, names.slots(part).tolist(), strict=True):
            if slot < 0 or pool not in pools:
                continue
            if kind == "scaled_limit":
                limit[pool][slot] += price
            elif (pool, meter, model) in number:
                of_kind[kind][number[pool, meter, model], slot] += price
    terms = []
    for d, (name, _, _) in enumerate(names.deployments):
        pool = pools.get(name)
        if pool is None:
            continue
        usd = weeks * tilted * (pool.usd_per_scaled_unit_hour or 0.0) - rule_prices.of_scaled(name, names.slot_count)
        after = np.roll((start - beside)[d].reshape(-1, HOURS_PER_WEEK), -1, axis=1).ravel()
        runs = usd - rent[d] + limit[name]
        if pool.start_hours > 0:
            runs = runs + start[d] - again[d] - after
            begins = usd * pool.start_hours - start[d] + again[d] + beside[d]
            terms += _at_most(begins, most[d] / min(pool.start_hours, 1.0))
        terms += _at_most(runs, most[d])
        if beside[d].any():
            terms.append(
                -math.inf if pool.max_scaled_units is None else -float(beside[d].sum()) * pool.max_scaled_units
            )
    for name, price in limit.items():
        limit_units = pools[name].max_scaled_units
        if price.any():
            terms.append(-math.inf if limit_units is None else -float(price.sum()) * limit_units)
    return terms


def _at_most(usd: Floats, most: Floats) -> list[float]:
    """Add up what units earn that cost less than nothing, at their most."""
    earns = usd < 0
    found: list[float] = (usd[earns] * most[earns]).tolist()
    return found


def _tilt(case: Case, table: pd.DataFrame) -> dict[str, float]:
    """Find how much a dollar of each scenario counts, as a multiple of its probability, by the prices of risk.

    The prices y of the scenarios prove a bound if −w·p·level/(1 − level) ≤ y ≤ w·p and Σ y ≥ 0, for a threshold is at
    least 0: then (1 − w)·E[X] + w·CVaR[X] ≥ Σ (p − y)·X. Prices that do not are moved to such that do.
    """
    risk, own = case.settings.policy.risk, {s.scenario: 0.0 for s in case.scenarios}
    for kind, sign in (("risk_floor", 1.0), ("risk_cap", -1.0)):
        rows = table[table["kind"] == kind]
        for name, price in zip(rows["scenario"].astype(str), rows["price"].tolist(), strict=True):
            own[name] = own.get(name, 0.0) + sign * price
    chance = {s.scenario: s.probability for s in case.scenarios}
    most = {name: risk.weight * p for name, p in chance.items()}
    least = {name: -risk.weight * p * risk.level / (1 - risk.level) for name, p in chance.items()}
    y = {name: min(max(own[name], least[name]), most[name]) for name in chance}
    up, down = sum(v for v in y.values() if v > 0), -sum(v for v in y.values() if v < 0)
    scale = min(1.0, up / down) if down > 0 else 1.0
    return {name: 1 - (v if v > 0 else v * scale) / p if (p := chance[name]) > 0 else 1.0 for name, v in y.items()}


def _in_some_week(asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether something is asked in the week of each slot: work that waits may be served in any hour of it."""
    return np.repeat(asked.reshape(-1, HOURS_PER_WEEK).any(axis=1), HOURS_PER_WEEK)


def _least_ahead(cost: Floats, hours: int) -> Floats:
    """Least of each hour and the next ``hours`` of its week, which goes round; whole weeks, one after another."""
    week = cost.reshape(-1, HOURS_PER_WEEK)
    least = week.copy()
    for late in range(1, hours + 1):
        np.minimum(least, np.roll(week, -late, axis=1), out=least)
    return least.reshape(cost.shape)


def _named(names: Names, need: int, way: Way) -> WayNames:
    origin, workload = divmod(need, len(names.workloads))
    supply = names.quotas[way.quota][2] if way.quota >= 0 else names.deployments[way.loads[0][0]][0]
    return WayNames(
        names.regions[origin], names.workloads[workload], names.models[way.model], names.regions[way.region], supply,
        way.quota < 0,
    )  # fmt: skip


def _slot_weights(derived: Derived, names: Names) -> Floats:
    rows: Any = derived.slots[["scenario", "period", "weeks"]].itertuples(index=False, name=None)
    block = {(scenario, period): weeks for scenario, period, weeks in rows}
    found: Floats = np.repeat([block[s, p] for s in names.scenarios for p in names.periods], HOURS_PER_WEEK)
    return found


def _limits(case: Case, names: Names, prices: ReadPrices, demand: Floats, weeks: Floats) -> list[float]:
    """Price the limits of the rules (negative: they cost)."""
    models, terms = len(names.models), []
    for mix in case.mix:
        w, i = names.workloads.index(mix.workload), names.models.index(mix.model)
        for o in range(len(names.regions)):
            need = o * len(names.workloads) + w
            bonus = prices.bonus[need * models + i]  # mix_low and mix_high of one row are never both above 0
            terms.append(float((np.maximum(bonus, 0) * demand[need]).sum()) * mix.min_share)
            terms.append(-float((np.maximum(-bonus, 0) * demand[need]).sum()) * mix.max_share)
    for w, workload in enumerate(case.workloads):
        for o in range(len(names.regions)):
            need = o * len(names.workloads) + w
            terms.append(float((prices.sure[need] * demand[need]).sum()) * workload.guaranteed_share)
    for k, q in enumerate(case.on_demand):
        worth = float(prices.quota[k].sum())
        if worth > 0:
            terms.append(-math.inf if q.tokens_per_minute_quota is None else -worth * q.tokens_per_minute_quota)
    for r in case.routes:
        worth = float(prices.egress[names.regions.index(r.origin), names.regions.index(r.destination)].sum())
        if worth > 0:
            terms.append(-math.inf if r.max_gb_per_month is None else -worth * r.max_gb_per_month)
    policy = case.settings.policy
    if prices.away > 0:
        limit = policy.egress.max_cross_region_share
        terms.append(-math.inf if limit is None else -prices.away * limit * float((demand * weeks).sum()))
    if prices.budget > 0:
        terms.append(-math.inf if policy.max_commitment_usd is None else -prices.budget * policy.max_commitment_usd)
    return terms


def _charged(earns: float, most: float) -> float:
    """Charge what earns more than it costs at its most: nothing where it does not."""
    return 0.0 if earns >= 0 else earns * most


def _charges(
    case: Case, derived: Derived, names: Names, meters: tuple[tuple[str, str], ...], *, prices: ReadPrices,
    rays: list[PricedRay], rule_prices: RulePrices, sizes: LargestSizes,
) -> list[float]:  # fmt: skip
    """Charge x, v and u that earn more than they cost at their largest size; and take off earlier units."""
    terms = []
    number = {meter: k for k, meter in enumerate(meters)}
    of_rays = np.zeros((len(names.deployments), len(names.periods)))
    for p, price, _, unit in rays:
        for d, units in unit.items():
            of_rays[d, p] += price * units
    earlier = derived.earlier_units
    for k, (pool, meter) in enumerate(meters):
        for p, name in enumerate(names.periods):
            terms.append(-float(prices.unit[k, p]) * earlier.get((pool, meter, name), 0.0))
    period_of = np.arange(names.slot_count) // HOURS_PER_WEEK % len(names.periods)
    for d, (pool, meter, model) in enumerate(names.deployments):
        k = number[pool, meter]
        for p, name in enumerate(names.periods):
            earned = float(prices.rent[d, period_of == p].sum()) + rule_prices.of_deployed((pool, meter, model), name)
            earned += float(of_rays[d, p])
            terms.append(_charged(float(prices.unit[k, p]) - earned, float(sizes.deployed[d, p])))
    unreserved = {p.pool: p.usd_per_unreserved_unit_hour for p in case.pools}
    for k, (pool, meter) in enumerate(meters):
        hourly = unreserved[pool]
        for p, period in enumerate(case.periods):
            if hourly is not None:
                earned = float(prices.unit[k, p]) + rule_prices.of_unreserved(pool, meter, period.name)
                terms.append(_charged(hourly * period.hours - earned, float(sizes.unreserved[k, p])))
    for o in case.offers:
        if (o.pool, o.meter) not in number:
            continue
        k = number[o.pool, o.meter]
        for p, name in enumerate(names.periods):
            usd, inside = unit_usd(case, o, p)
            earned = float(prices.unit[k, list(case.covered(o, p))].sum()) + rule_prices.of_bought(o.offer, name)
            terms.append(_charged(usd + prices.budget * inside - earned, sizes.bought[o.offer, p]))
    return terms
