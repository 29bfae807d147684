"""Commitments that idle or are cut by the calendar, and quotas that are blank."""

import numpy as np

from planner.plan.derived import Derived
from planner.plan.flows import Floats, Names
from planner.plan.warnings.caution import Caution, listed, origins
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK

IDLE_USE, IDLE_HOURS = 0.5, 0.25  # a commitment idles if under half of it can be used in over a quarter of the hours


def idle_commitments(case: Case) -> list[Caution]:
    """Earlier commitments, and smallest purchases, that demand cannot fill off peak."""
    sized = [offer for offer in case.offers if offer.min_units > 0 and case.settings.policy.whole_units]
    if not sized and not case.commitments:
        return []
    derived = Derived.of(case)
    names = Names.of(case, derived)
    demand, found = names.demand(case), []
    per_request = _most_per_request(case, derived, names)
    shape = len(names.scenarios), len(names.periods), HOURS_PER_WEEK
    for (pool, meter, period), units in derived.earlier_units.items():
        most = (per_request[pool, meter] @ demand).reshape(shape)[:, names.periods.index(period)]
        idle = float((most < IDLE_USE * units).mean())
        if units > 0 and idle > IDLE_HOURS:
            message = (
                f"{units:g} units are committed, but in {idle:.0%} of the hours all demand in reach could not use half"
            )
            remedy = "Let more workloads, models or regions use the pool, or let the commitment end"
            found.append(Caution("idle-commitment", "cost", f"pool {pool}, {meter}, {period}", message, remedy))
    mean = demand.mean(axis=1)
    for offer in sized:
        average = float(per_request[offer.pool, offer.meter] @ mean)
        if 0 < average < IDLE_USE * offer.min_units:
            message = (
                f"sells at least {offer.min_units:g} units, and all demand in reach needs {average:.3g} on average"
            )
            found.append(
                Caution("idle-commitment", "cost", f"offer {offer.offer}", message, "It would mostly idle; expect none")
            )
    return found


def part_months(case: Case) -> list[Caution]:
    """Earlier commitments that cover a month of the horizon in part: that part is not counted."""
    found = []
    for c in case.commitments:
        parts = [
            p.name for p in case.periods if c.start < p.end and c.end > p.start and not case.commitment_in_force(c, p)
        ]
        if parts:
            message = f"{c.units:g} units from {c.start} to {c.end} cover {listed(parts)} only in part"
            remedy = "They count in whole months; end is the first day no longer in force"
            found.append(Caution("part-month", "cost", f"commitment to {c.offer}", message, remedy))
    return found


def open_quota(case: Case) -> list[Caution]:
    """On-demand quotas that are blank where there is demand: stress then costs nothing on paper."""
    found = []
    used = {m.model for m in case.mix}
    for region in origins(case):
        options = [o for o in case.on_demand if o.region == region and o.model in used]
        if not options:
            message = "has demand and no on-demand option: nothing there serves what the reserved units cannot"
            found.append(
                Caution(
                    "no-on-demand",
                    "risk",
                    f"region {region}",
                    message,
                    "Add its rows to on_demand, if it is sold there",
                )
            )
        if blank := sorted({o.model for o in options if o.tokens_per_minute_quota is None}):
            message = (
                f"has demand and no quota for {listed(blank)}: a blank quota is never full, so that headroom and "
                "failover cost nothing on paper"
            )
            remedy = "Enter the quota that the seller grants, tokens per minute"
            found.append(Caution("no-quota", "risk", f"region {region}", message, remedy))
    return found


def _most_per_request(case: Case, derived: Derived, names: Names) -> dict[tuple[str, str], Floats]:
    """Units of each pool's meter that one request per hour of each need could use at most; 0 out of reach."""
    share = {(m.workload, m.model): m.max_share for m in case.mix}
    most: dict[tuple[str, str], dict[str, float]] = {(t.pool, t.meter): {} for t in case.throughput}
    columns = ("workload", "pool", "meter", "model", "units_per_request", "usable_share")
    for name, pool, meter, model, units, usable in zip(*(derived.loads[c] for c in columns), strict=True):
        of = most[pool, meter]
        of[name] = max(of.get(name, 0.0), units * share[name, model] / usable)
    workload, origin = ({name: k for k, name in enumerate(known)} for known in (names.workloads, names.regions))
    reach: dict[tuple[str, str], list[int]] = {}
    for name, place, region in zip(*(derived.travel[c] for c in ("workload", "origin", "region")), strict=True):
        reach.setdefault((name, region), []).append(origin[place] * len(workload) + workload[name])
    home = {p.pool: p.region for p in case.pools}
    found = {}
    for (pool, meter), of in most.items():
        found[pool, meter] = np.zeros(names.need_count)
        for name, units in of.items():
            found[pool, meter][reach.get((name, home[pool]), [])] = units
    return found
