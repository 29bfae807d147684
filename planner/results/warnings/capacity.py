"""Commitments that idle or are cut by the calendar, and quotas that are blank."""

import pandas as pd

from planner.results.derived import Derived
from planner.results.warnings.caution import Caution, listed, origins
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK

IDLE_USE, IDLE_HOURS = 0.5, 0.25  # a commitment idles if under half of it can be used in over a quarter of the hours


def idle_commitments(case: Case) -> list[Caution]:
    """Earlier commitments, and smallest purchases, that demand cannot fill off peak."""
    derived = Derived.of(case)
    most = _most_units(case, derived)
    found = []
    for (pool, meter, period), units in derived.earlier_units.items():
        hours = most[(most["pool"] == pool) & (most["meter"] == meter) & (most["period"] == period)]
        per_scenario = HOURS_PER_WEEK * len(case.scenarios)
        idle = 1 - float((hours["units"] >= IDLE_USE * units).sum()) / per_scenario
        if units > 0 and idle > IDLE_HOURS:
            message = (
                f"{units:g} units are committed, but in {idle:.0%} of the hours all demand in reach could not use half"
            )
            remedy = "Let more workloads, models or regions use the pool, or let the commitment end"
            found.append(Caution("idle-commitment", "cost", f"pool {pool}, {meter}, {period}", message, remedy))
    mean = most.groupby(["pool", "meter"])["units"].sum() / (HOURS_PER_WEEK * len(case.scenarios) * len(case.periods))
    for offer in case.offers if case.settings.policy.whole_units else ():
        average = float(mean.get((offer.pool, offer.meter), 0.0))
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


def _most_units(case: Case, derived: Derived) -> pd.DataFrame:
    """Units that all demand in reach of a pool could use at most, by pool, meter, scenario, period and hour."""
    share = pd.DataFrame([(m.workload, m.model, m.max_share) for m in case.mix], columns=["workload", "model", "share"])
    loads = derived.loads.merge(share, on=["workload", "model"])
    loads["units"] = loads["units_per_request"] * loads["share"] / loads["usable_share"]
    loads = loads.groupby(["workload", "pool", "meter", "region"], as_index=False).agg({"units": "max"})
    reach = loads.merge(derived.travel[["workload", "origin", "region"]], on=["workload", "region"])
    demand = case.demand.rename(columns={"region": "origin"}).astype({"origin": str, "workload": str, "period": str})
    used = demand.merge(reach[["origin", "workload", "pool", "meter", "units"]], on=["origin", "workload"])
    used["units"] *= used["requests_per_hour"]
    keys = ["pool", "meter", "scenario", "period", "hour_of_week"]
    return used.groupby(keys, observed=True, as_index=False).agg({"units": "sum"})
