"""Traps of units that run by the hour, and of a weight on dear scenarios."""

import numpy as np

from planner.plan.derived import Derived
from planner.plan.flows import Floats
from planner.plan.warnings.traps import Caution, listed
from planner.schema.capacity import Pool
from planner.schema.case import Case
from planner.schema.settings import Risk
from planner.units import HOURS_PER_WEEK, counted

_NONE = 1e-9


def scaled_traps(case: Case) -> list[Caution]:
    """Units by the hour without a limit, at a price that is never or always the lowest, or too slow for any peak."""
    pools = [p for p in case.pools if p.usd_per_scaled_unit_hour is not None]
    found = [*_without_price(case)]
    if not pools:
        return found
    derived = Derived.of(case)
    for pool in pools:
        found += [*_without_limit(pool), *_odd_price(case, derived, pool), *_slow_start(case, derived, pool)]
    return found


def _without_price(case: Case) -> list[Caution]:
    """Limits and cold starts of units that nobody sells."""
    found = []
    for p in case.pools:
        filled = [name for name in ("max_scaled_units", "start_hours") if getattr(p, name)]
        if filled and p.usd_per_scaled_unit_hour is None:
            message = f"has {listed(filled)} and no usd_per_scaled_unit_hour: no units run by the hour"
            remedy = "Give their price, or leave these cells blank"
            found.append(Caution("no-scaled-price", "cost", f"pool {p.pool}", message, remedy))
    return found


def _without_limit(pool: Pool) -> list[Caution]:
    if pool.max_scaled_units is not None:
        return []
    message = "sells units by the hour and has no max_scaled_units: on paper any number of them starts at once"
    remedy = "Enter how many may run at once: the seller's quota, or the size of the fleet"
    return [Caution("no-scaled-limit", "risk", f"pool {pool.pool}", message, remedy)]


def _odd_price(case: Case, derived: Derived, pool: Pool) -> list[Caution]:
    """Find a price by the hour above that of the same on demand, or no higher than that of a commitment."""
    usd, found = pool.usd_per_scaled_unit_hour or 0.0, []
    offers = [(o.usd_per_hour(case.periods[0].start), o.offer) for o in case.offers if o.pool == pool.pool]
    if offers and usd <= min(offers)[0]:
        low, offer = min(offers)
        message = (
            f"costs {usd:g} USD by the hour, and its cheapest offer ({offer}) {low:.4g}: only stress cases and the "
            "limit of units by the hour would make a plan sign it"
        )
        remedy = "Check usd_per_scaled_unit_hour: a unit without a commitment usually costs more"
        found.append(Caution("cheap-scaled", "risk", f"pool {pool.pool}", message, remedy))
    most = _worth(case, derived, pool)
    if most is not None and usd >= most:
        message = f"costs {usd:g} USD by the hour, and what a full unit serves costs {most:.4g} on demand at most"
        remedy = "Such units would run only where a quota is full or a share is guaranteed: check the price"
        found.append(Caution("dear-scaled", "cost", f"pool {pool.pool}", message, remedy))
    return found


def _worth(case: Case, derived: Derived, pool: Pool) -> float | None:
    """Return what a full unit-hour of a pool serves, at the dearest hour of on demand; None: nowhere sold.

    Of several meters a request needs a unit of each; the worth is that of the meter of which it takes most.
    """
    sold = derived.options[derived.options["region"] == pool.region]
    own = derived.loads[derived.loads["pool"] == pool.pool]
    price = sold.groupby(["workload", "model"])["on_demand_usd"].min().to_dict()
    times = derived.price_times
    dearest = 1.0 if times is None else max(1.0, float(times.max()))
    dearest *= max((s.on_demand_price_factor for s in case.scenarios if s.probability > 0), default=1.0)
    worth: dict[tuple[str, str], float] = {}
    columns = ("workload", "model", "units_per_request", "usable_share")
    for workload, model, units, usable in zip(*(own[c] for c in columns), strict=True):
        if (workload, model) in price and units > 0:
            value = price[workload, model] * dearest * usable / units
            worth[workload, model] = min(worth.get((workload, model), value), value)
    return max(worth.values(), default=None)


def _slow_start(case: Case, derived: Derived, pool: Pool) -> list[Caution]:
    """Find a cold start that is paid for longer than any peak of the demand in reach lasts."""
    if pool.start_hours <= 0:
        return []
    served = set(derived.loads.loc[derived.loads["pool"] == pool.pool, "workload"])
    reach = derived.travel[derived.travel["region"] == pool.region]
    pairs = {(o, w) for o, w in zip(reach["origin"], reach["workload"], strict=True) if w in served}
    at = zip(case.demand["region"], case.demand["workload"], strict=True)
    demand = case.demand[np.array([pair in pairs for pair in at], dtype=bool)]
    sums = demand.astype({"scenario": str, "period": str})
    weeks: dict[tuple[str, str], Floats] = {}
    for scenario, period, hour, rph in sums[["scenario", "period", "hour_of_week", "requests_per_hour"]].itertuples(
        index=False, name=None
    ):
        weeks.setdefault((scenario, period), np.zeros(HOURS_PER_WEEK))[hour] += rph
    longest = max((_longest_peak(week) for week in weeks.values()), default=0)
    if not 0 < longest < pool.start_hours:
        return []
    message = (
        f"pays {counted(pool.start_hours, 'hour', 'g')} for each start by the hour, and no peak in reach lasts "
        "so long: demand is "
        f"above its average for {counted(longest, 'hour')} at most"
    )
    remedy = "start_hours is in hours (10 minutes are 0.17); with a start so slow they would hardly run"
    return [Caution("slow-start", "cost", f"pool {pool.pool}", message, remedy)]


def _longest_peak(week: Floats) -> int:
    """Most hours on end, around the week, in which demand is above its average; 0: it is flat."""
    above = week > week.mean() * (1 + _NONE)
    if not above.any():
        return 0
    longest = run = 0
    for busy in np.concatenate([above, above]).tolist():
        run = run + 1 if busy else 0
        longest = max(longest, run)
    return min(longest, HOURS_PER_WEEK)


def risk_traps(case: Case) -> list[Caution]:
    """Find a weight on dear scenarios that changes nothing, or more than is probably meant."""
    risk = case.settings.policy.risk
    likely = [s for s in case.scenarios if s.probability > 0]
    found: list[tuple[str, str, str, str]] = []
    if risk.weight <= 0:
        if risk.level != Risk().level:
            found.append(("risk-level", "cost", f"level is {risk.level:g} and weight 0: dear scenarios weigh no more "
                          "than others", "Set policy.risk.weight, or leave level out"))  # fmt: skip
    elif len(likely) < 2:
        count = "only one scenario is" if likely else "no scenario is"
        message = f"weight is {risk.weight:g} and {count} likely: there are no dear ones to weigh"
        remedy = "Add scenarios (planner forecast makes them), or remove the weight"
        found.append(("risk-scenarios", "risk", message, remedy))
    else:
        least = min(likely, key=lambda s: (s.probability, s.scenario))
        tail = 1 - risk.level
        if risk.level <= 0:
            found.append(("risk-level", "cost", "level is 0, so that the dearest scenarios are all of them: the weight "
                          "changes nothing", "Set level to 0.8 or more"))  # fmt: skip
        elif tail < least.probability - _NONE:
            found.append(("risk-tail", "risk", f"the dearest {100 * tail:.4g} % (1 - level) are less than the least "
                          f"likely scenario ({least.scenario}, {100 * least.probability:.4g} %): the dearest scenario "
                          "alone is weighed, whatever its probability",
                          f"Lower level to {1 - least.probability:.4g} or less, or add scenarios"))  # fmt: skip
        if risk.weight >= 1:
            found.append(("risk-weight", "risk", "weight is 1: the expected cost counts only among plans whose dearest "
                          "scenarios cost as little", "Set weight below 1, unless no saving on average is worth a "
                          "dollar in the dearest scenarios"))  # fmt: skip
    return [Caution(code, severity, "policy.risk", message, remedy) for code, severity, message, remedy in found]
