"""Ways to serve the same usage: all on demand, reserved for the peak, reserved for the average, the plan.

Where a pool sells units that run by the hour, two more: all by the hour, and reserved for the average with the hours
above it by the hour.

The same usage: every request that the plan serves, by the same model in the same region. So egress is the same in all
of them, and earlier commitments are owed in all (and used in those that reserve).

All on demand: every request at the price of `task_costs.equivalent_usd`.

Reserved for the peak: for each region and model, the pool with the least reserved cost of a mean request, its meters
at their cheapest offer (where none is offered, at the unreserved price). Each deployment holds, over the horizon, the
largest load of any slot and scenario, headroom added; what earlier commitments do not cover is bought at that price. A
region and model without such a pool stays on demand.

Reserved for the average: the same with the mean load over the horizon instead of the largest; where the load of a slot
is above it, the share of the requests that does not fit goes on demand.

All by the hour: for each region and model, the pool whose scaled units serve a mean request at the least price; in each
slot its load, headroom added, is what runs, and what starts pays the cold start. In the other, the load above the
average runs so where the chosen pool sells such units; elsewhere it goes on demand.

Where units are whole, deployments and what is bought for them are rounded up to sizes that are sold. Left aside in
those that reserve, in their favour: terms, budgets and the most that an offer sells. A strategy that would need more
than a quota (or max_scaled_units) is computed as if it were raised, and said not to be possible; so is one that does
not serve every stress case with its units (found like the margins of the plan), or that costs less than the bound on
any plan that keeps the rules. Without any price the total is NaN.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.plan.flows import Floats, Flows
from planner.plan.frames import Ints
from planner.plan.metrics.basis import Basis, ratio
from planner.plan.metrics.metric_tables import STRATEGIES
from planner.plan.metrics.strategy_limits import above_quota, above_scaled, unkept_guarantees
from planner.plan.metrics.task_costs import equivalent_usd
from planner.plan.plan import Totals
from planner.plan.scaled import scaled_usd
from planner.plan.spend import counted, on_demand_by_scenario
from planner.units import HOURS_PER_WEEK

_SHOWN, _ROUNDING, _DUST = 4, 1e-9, 1e-9
_Price = tuple[float, float, float]  # USD per unit-hour, least units, step
UNTRIED = "not tried in every stress case: the time limit ran out"
ALL_ON_DEMAND, PEAK, AVERAGE, PLAN = (
    "all on demand", "reserved for the peak", "reserved for the average", "the plan",
)  # fmt: skip
ALL_BY_THE_HOUR, ABOVE_AVERAGE = "all by the hour", "average reserved, above it by the hour"
COMPARED = (ALL_ON_DEMAND, PEAK, AVERAGE)  # in the order in which `strategies` asks what breaks


def strategies(basis: Basis, totals: Totals, broken: Callable[[Floats], Sequence[str] | None]) -> pd.DataFrame:
    """Compare the strategies: columns STRATEGIES, in the order of this file's title.

    broken : names of the stress cases that units (deployments x periods) do not serve; None: there was no time to try.
    """
    price = equivalent_usd(basis)
    reserved = _placed(basis, _unit_prices(basis), "no pool with a price, so on demand")
    load = reserved.flows.unit_load(len(basis.names.deployments), basis.names.slot_count, headroom=True)
    weeks = basis.weeks
    mean = load @ weeks / weeks.sum() if weeks.sum() > 0 else np.zeros(len(load))
    deployed = _deployment_sizes(basis)
    nothing, hourly = np.zeros(len(load)), _scaled_prices(basis)
    rows = [
        _on_demand_row(
            basis, ALL_ON_DEMAND, overflow=np.ones(len(basis.flows.rph)), price=price, capacity_usd={}, note=""
        )
    ]
    unserved = broken(_every_period(basis, nothing))
    _mark(rows[0], unserved, basis)
    if hourly:
        by_hour = _placed(basis, hourly, "no units by the hour, so on demand")
        rows.append(_by_the_hour(basis, ALL_BY_THE_HOUR, by_hour, units=nothing, price=price, capacity_usd={}))
        _mark(rows[-1], unserved, basis)
    for name, wanted in ((PEAK, load.max(axis=1, initial=0.0)), (AVERAGE, mean)):
        units = np.array([_sold(n, *size) for n, size in zip(wanted.tolist(), deployed, strict=True)])
        overflow = 1 - reserved.fitting(units, load)
        rows.append(
            _on_demand_row(
                basis, name, overflow=overflow, price=price, capacity_usd=reserved.usd(basis, units), note=reserved.note
            )
        )
        unserved = broken(_every_period(basis, units))
        _mark(rows[-1], unserved, basis)
        if name == AVERAGE and hourly:
            held_usd = reserved.usd(basis, units)
            rows.append(_by_the_hour(basis, ABOVE_AVERAGE, reserved, units=units, price=price, capacity_usd=held_usd))
            _mark(rows[-1], unserved, basis)
    rows.append({
        "strategy": PLAN, "possible": True,
        "capacity_usd": totals.reserved_usd + totals.tail_usd + totals.unreserved_usd,
        "on_demand_usd": totals.on_demand_usd, "egress_usd": totals.egress_usd, "sunk_usd": totals.sunk_usd,
        "scaled_usd": totals.scaled_usd, "shortfall_usd": totals.shortfall_usd,
        "total_usd": totals.total_usd, "note": "",
    })  # fmt: skip
    table = pd.DataFrame(rows)
    total = table["total_usd"].to_numpy(float)
    table["saving_share"] = np.round(1 - ratio(total, total[:1]), 12) + 0.0  # equal is 0, whatever was added up first
    return table[list(STRATEGIES.columns)]


def _by_the_hour(
    basis: Basis,
    name: str,
    placed: "_Placed",
    *,
    units: Floats,
    price: Floats,
    capacity_usd: dict[tuple[str, int], float],
) -> dict[str, Any]:
    """Cost of a strategy in which units by the hour serve what is above `units` where the pool sells them."""
    names, pools = basis.names, {p.pool: p for p in basis.case.pools}
    load = placed.flows.unit_load(len(names.deployments), names.slot_count, headroom=True)
    sold = np.array([pools[pool].usd_per_scaled_unit_hour is not None for pool, _, _ in names.deployments])
    run = np.where(sold[:, None], np.maximum(load - units[:, None], 0.0), 0.0)
    overflow = 1 - placed.fitting(units, load - run)
    return _on_demand_row(
        basis, name, overflow=overflow, price=price, capacity_usd=capacity_usd, note=placed.note, run=run
    )


def _every_period(basis: Basis, units: Floats) -> Floats:
    held: Floats = np.repeat(units[:, None], len(basis.names.periods), axis=1)
    return held


def _mark(row: dict[str, Any], broken: Sequence[str] | None, basis: Basis) -> None:
    """Say which stress cases a strategy does not keep, or that it is below what any plan can cost."""
    if broken is None:
        row["note"] = "; ".join(text for text in (UNTRIED, row["note"]) if text)
        broken = ()
    notes = [f"breaks {', '.join(broken[:_SHOWN])}{' ...' if len(broken) > _SHOWN else ''}"] if broken else []
    least = basis.plan.proof.bound_usd if basis.plan.risk is None else 0.0  # else the bound is of another sum
    if row["possible"] and not broken and row["total_usd"] < least * (1 - _ROUNDING):
        notes = [
            "costs less than any plan that keeps every rule: terms, budgets, what is sold at most and others are "
            "left aside"
        ]
    row["possible"] = row["possible"] and not notes
    row["note"] = "; ".join(text for text in (*notes, row["note"]) if text)


def _equivalent_option(basis: Basis) -> Ints:
    """Return the option at whose price each way would go on demand (`task_costs.equivalent_usd`)."""
    ways = basis.flows.ways
    equivalent = basis.reading.prices.quota_of_ways(basis.names, basis.flows)
    found: Ints = np.where(ways["reserved"].to_numpy(bool), equivalent, ways["quota"].to_numpy(int))
    return found


def _on_demand_row(
    basis: Basis,
    name: str,
    *,
    overflow: Floats,
    price: Floats,
    capacity_usd: dict[tuple[str, int], float],
    note: str,
    run: Floats | None = None,
) -> dict[str, Any]:
    """Cost of a strategy in which the share `overflow` of each flow goes on demand.

    capacity_usd : what units cost beyond earlier commitments, by pool and number of the period. run : units that run
    by the hour, deployments x slots; None: none.
    """
    flows, slots = basis.flows, basis.derived.slots
    block = flows.place // HOURS_PER_WEEK
    rph = flows.rph * overflow
    option = _equivalent_option(basis)
    factor = slots["weeks"].to_numpy(float)[block] * basis.derived.price_factors(flows.place, option[flows.way])
    paid = np.bincount(flows.way, rph * factor, len(flows.ways)) * np.nan_to_num(price)
    unpriced = np.bincount(flows.way, rph, len(flows.ways))[np.isnan(price)].sum() > 0
    egress = float(flows.ways["egress_usd"].to_numpy(float) @ basis.requests.sum(axis=1))
    notes = [note] if note else []
    if unpriced:
        missing = flows.ways[np.isnan(price)]
        pairs = sorted({f"{m} from {o}" for m, o in zip(missing["model"], missing["origin"], strict=True)})
        notes.append(f"no on-demand price within reach for {', '.join(pairs[:5])}{' ...' if len(pairs) > 5 else ''}")
    excess = above_quota(basis, rph)
    if excess:
        notes.append(excess)
    unsold = "" if run is None else above_scaled(basis, run)
    if unsold:
        notes.append(unsold)
    by_hour = np.zeros((0, 0, 0)) if run is None else scaled_usd(basis.case, basis.names, run)
    chance = np.array([s.probability for s in basis.case.scenarios])
    hourly = 0.0 if run is None else float(np.einsum("dsp,s->", by_hour, chance))
    unkept = unkept_guarantees(basis, overflow, option)
    if unkept:
        notes.append(f"serves less than the guaranteed share of {', '.join(unkept)}")
    on_demand = float("nan") if unpriced else float(paid.sum())
    units = sum(capacity_usd.values())
    moved = Flows(flows.ways, flows.loads, flows.way, flows.place, rph)
    short = _shortfall_usd(basis, moved, np.nan_to_num(price), capacity_usd, by_hour)
    return {
        "strategy": name,
        "possible": not unpriced and not excess and not unsold and not unkept,
        "capacity_usd": units,
        "on_demand_usd": on_demand,
        "egress_usd": egress,
        "sunk_usd": basis.derived.sunk_usd,
        "scaled_usd": hourly,
        "shortfall_usd": short,
        "total_usd": units + on_demand + egress + basis.derived.sunk_usd + hourly + short,
        "note": "; ".join(notes),
    }


def _shortfall_usd(
    basis: Basis, moved: Flows, price: Floats, capacity_usd: Mapping[tuple[str, int], float], by_hour: Floats
) -> float:
    """Find what spend commitments fall short of, expected, where these flows go on demand and these units are held.

    by_hour : what units by the hour cost, were each scenario certain: deployments x scenarios x periods, or nothing.
    """
    if not basis.case.spend_commitments:
        return 0.0
    names, region = basis.names, {p.pool: p.region for p in basis.case.pools}
    held = np.zeros((len(names.regions), len(names.periods)))
    earlier = basis.derived.earlier[["pool", "period", "usd"]].itertuples(index=False, name=None)
    owed = [(pool, names.periods.index(period), usd) for pool, period, usd in earlier]
    for pool, k, usd in [*owed, *((pool, k, usd) for (pool, k), usd in capacity_usd.items())]:
        held[names.regions.index(region[pool]), k] += usd
    tokens = on_demand_by_scenario(basis.derived, names, moved, price, _equivalent_option(basis))
    for usd, (pool, _, _) in zip(by_hour, names.deployments):
        tokens[names.regions.index(region[pool])] += usd
    return counted(basis.case, names, held, tokens).shortfall_usd


@dataclass(frozen=True)
class _Placed:
    """The usage as if units served all of it: flows with the loads of the chosen pools."""

    flows: Flows
    price: Mapping[tuple[str, str], _Price]  # by (pool, meter)
    deployments: tuple[tuple[str, str, str], ...]
    note: str

    def fitting(self, units: Floats, load: Floats) -> Floats:
        """Share of each flow that its deployments hold; 0 where no pool was chosen."""
        held = np.ones(load.shape)
        np.divide(units[:, None], load, out=held, where=load > units[:, None])
        share = np.zeros(len(self.flows.rph))
        for nth, meter in self.flows.loads.groupby("nth"):
            deployment = np.full(len(self.flows.ways), -1, np.int64)
            deployment[meter["way"].to_numpy(int)] = meter["deployment"].to_numpy(int)
            of = deployment[self.flows.way]
            has = of >= 0
            own = held[of[has], self.flows.place[has]]
            share[has] = own if nth == 0 else np.minimum(share[has], own)
        return share

    def usd(self, basis: Basis, units: Floats) -> dict[tuple[str, int], float]:
        """Cost of holding units of each deployment, beyond earlier commitments, by pool and number of the period."""
        need: dict[tuple[str, str], float] = {}
        for (pool, meter, _), n in zip(self.deployments, units.tolist(), strict=True):
            need[pool, meter] = need.get((pool, meter), 0.0) + n
        earlier = basis.derived.earlier_units
        found: dict[tuple[str, int], float] = {}
        for key, n in need.items():
            usd, least, step = self.price.get(key, (0.0, 0.0, 0.0))
            for k, period in enumerate(basis.case.periods):
                more = _sold(n - earlier.get((*key, period.name), 0.0), least, step) * usd * period.hours
                found[key[0], k] = found.get((key[0], k), 0.0) + more
        return found


def _placed(basis: Basis, prices: Mapping[tuple[str, str], _Price], otherwise: str) -> _Placed:
    """Choose the pool of the least price for each region and model, and put the usage on it.

    otherwise : what to say of those without such a pool.
    """
    loads = basis.derived.loads.assign(
        kept=basis.derived.loads["units_per_request"] / basis.derived.loads["usable_share"]
    )
    usd = [prices[key][0] if key in prices else np.nan for key in zip(loads["pool"], loads["meter"], strict=True)]
    loads["usd"] = loads["kept"] * usd
    served = basis.flows.ways[["workload", "model", "region"]].assign(requests=basis.requests.sum(axis=1))
    served = served.groupby(["workload", "model", "region"], as_index=False)[["requests"]].sum()
    both = loads.merge(served, on=["workload", "model", "region"])
    both["usd"] *= both["requests"]
    cost = both.groupby(["region", "model", "pool"], as_index=False)[["usd"]].sum(skipna=False)
    chosen = cost.dropna(subset="usd").sort_values(["usd", "pool"], kind="stable").drop_duplicates(["region", "model"])
    ways = basis.flows.ways
    number = {key: k for k, key in enumerate(basis.names.deployments)}
    at = ways[["workload", "model", "region"]].assign(way=np.arange(len(ways)))
    at = at.merge(chosen[["region", "model", "pool"]], on=["region", "model"])
    at = at.merge(loads.drop(columns=["region", "usd", "kept"]), on=["workload", "model", "pool"])
    keys = zip(at["pool"], at["meter"], at["deployment"], strict=True)
    placed = pd.DataFrame(
        {
            "way": at["way"],
            "deployment": np.array([number[key] for key in keys], dtype=np.int64),
            "nth": at.groupby("way").cumcount(),
            "units_per_request": at["units_per_request"],
            "usable_share": at["usable_share"],
        }
    )
    alone = sorted({(r, m) for r, m in zip(ways["region"], ways["model"], strict=True)}
                   - {(r, m) for r, m in zip(chosen["region"], chosen["model"], strict=True)})  # fmt: skip
    names = ", ".join(f"{m} in {r}" for r, m in alone[:5]) + (" ..." if len(alone) > 5 else "")
    note = f"{otherwise}: {names}" if alone else ""
    flows = Flows(ways, placed, basis.flows.way, basis.flows.place, basis.flows.rph)
    return _Placed(flows, prices, basis.names.deployments, note)


def _scaled_prices(basis: Basis) -> dict[tuple[str, str], _Price]:
    """Price of units by the hour of each pool and meter that sells them."""
    price = {p.pool: p.usd_per_scaled_unit_hour for p in basis.case.pools}
    return {
        (pool, meter): (usd, 0.0, 0.0) for pool, meter, _ in basis.names.deployments if (usd := price[pool]) is not None
    }


def _unit_prices(basis: Basis) -> dict[tuple[str, str], _Price]:
    """Cheapest offer of each pool and meter: USD per unit-hour, and its sizes; the unreserved price where none is."""
    prices: dict[tuple[str, str], _Price] = {}
    whole = basis.case.settings.policy.whole_units
    for o in basis.case.offers:
        key = o.pool, o.meter
        usd = o.usd_per_hour(basis.case.periods[0].start)
        one = (usd, o.min_units if whole else 0.0, o.unit_step if whole else 0.0)
        prices[key] = min(prices.get(key, one), one)
    unreserved = {p.pool: p.usd_per_unreserved_unit_hour for p in basis.case.pools}
    for pool, meter, _ in basis.names.deployments:
        price = unreserved[pool]
        if price is not None:
            prices.setdefault((pool, meter), (price, 0.0, 0.0))
    return prices


def _deployment_sizes(basis: Basis) -> list[tuple[float, float]]:
    """Least units and step of each deployment; 0 where any size may be deployed."""
    if not basis.case.settings.policy.whole_units:
        return [(0.0, 0.0)] * len(basis.names.deployments)
    sizes = {(t.pool, t.meter, t.model): (t.min_units, t.unit_step) for t in basis.case.throughput}
    return [sizes.get(key, (0.0, 0.0)) for key in basis.names.deployments]


def _sold(units: float, least: float, step: float) -> float:
    """Return the smallest size that is sold and not below `units`: 0, or `least` and whole steps."""
    if units <= _DUST:
        return 0.0
    steps = math.ceil((units - least) / step - _DUST) if step > 0 and units > least else 0
    return max(units, least) if step <= 0 else least + step * steps
