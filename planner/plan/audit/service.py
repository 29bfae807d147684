"""Rules 1 to 3 and 7: every request is served, by the models of its mix, as surely as it must be; data that is sent."""

import numpy as np

from planner.plan.audit.findings import BALANCE_TOLERANCE, TOLERANCE, Finding, over, worst
from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Names
from planner.plan.frames import Ints
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, counted


def data_sent(names: Names, derived: Derived, flows: Flows, what: tuple[str, str] = ("gb_in", "gb_out")) -> Floats:
    """Add up what travels on each ordered pair of regions in each period: array origins x destinations x periods.

    A request sends its data from origin to region, its answer back. ``what`` are the columns of ways to add: expected
    GB, or ``("in_usd", "out_usd")`` for the price of each direction.
    """
    regions, periods = len(names.regions), len(names.periods)
    block = flows.place // HOURS_PER_WEEK
    weeks = derived.slots["weeks"].to_numpy(float)[block]
    cells = len(flows.ways) * periods
    requests = np.bincount(flows.way * periods + block % periods, flows.rph * weeks, cells)
    requests = requests.reshape(len(flows.ways), periods)
    index = {name: k for k, name in enumerate(names.regions)}
    origin = flows.ways["origin"].map(index).to_numpy(int)
    region = flows.ways["region"].map(index).to_numpy(int)
    away = flows.ways["away"].to_numpy(bool)
    total = np.zeros((regions, regions, periods))
    for start, end, column in ((origin, region, what[0]), (region, origin, what[1])):
        amount = requests * flows.ways[column].to_numpy(float)[:, None]
        np.add.at(total, (start[away], end[away]), amount[away])
    return total


def caps(case: Case, names: Names, derived: Derived, flows: Flows) -> list[Finding]:
    """Check expected GB on each listed pair and month against max_gb_per_month. [GB/month]."""
    sent = data_sent(names, derived, flows)
    limit = np.full(sent.shape, np.inf)
    index = {name: k for k, name in enumerate(names.regions)}
    for route in case.routes:
        if route.max_gb_per_month is not None and route.origin != route.destination:
            limit[index[route.origin], index[route.destination]] = route.max_gb_per_month
    top = limit.ravel()

    def describe(cell: int) -> str:
        o, d, p = np.unravel_index(cell, sent.shape)
        return (
            f"{names.regions[o]} to {names.regions[d]}, {names.periods[p]}: {sent[o, d, p]:.9g} GB, "
            f"cap {limit[o, d, p]:.9g} GB"
        )

    return worst("egress", over(sent.ravel(), top), sent.ravel() - top, np.where(np.isinf(top), 1.0, top), describe)


def away_share(derived: Derived, flows: Flows) -> tuple[float, float]:
    """Add up expected requests over the horizon: those served outside their origin, and all."""
    requests = flows.rph * derived.slots["weeks"].to_numpy(float)[flows.place // HOURS_PER_WEEK]
    return float(requests[flows.ways["away"].to_numpy(bool)[flows.way]].sum()), float(requests.sum())


def cross_region(case: Case, derived: Derived, flows: Flows) -> list[Finding]:
    """Check the share of requests served outside their origin against max_cross_region_share."""
    share = case.settings.policy.egress.max_cross_region_share
    if share is None:
        return []
    away, every = away_share(derived, flows)
    if not over(np.array(away), share * every):
        return []
    return [Finding("egress", f"{away / every:.6g} of all requests are served outside their origin, "
                    f"max_cross_region_share is {share:g}", away / every - share)]  # fmt: skip


def balance(names: Names, flows: Flows, demand: Floats) -> list[Finding]:
    """Check rule 1: per origin, workload and slot, what is served is the demand. [requests/hour]."""
    served = flows.sums(flows.ways["need"].to_numpy(int), names.need_count, names.slot_count, arrival=True)
    room = np.where(demand > 0, BALANCE_TOLERANCE * np.maximum(1.0, demand), TOLERANCE)
    difference = (served - demand).ravel()
    broken = ~(np.abs(difference) <= room.ravel())

    def describe(cell: int) -> str:
        need, slot = divmod(cell, names.slot_count)
        return (
            f"{names.need_name(need)}, {names.slot_name(slot)}: served {served[need, slot]:.9g} of "
            f"{demand[need, slot]:.9g} requests/hour"
        )

    return worst("balance", broken, difference, demand.ravel(), describe)


def waiting(names: Names, flows: Flows) -> list[Finding]:
    """Check that no request is served before it arises or past its deadline, in a week that goes round. [hours].

    A request of a workload with `deadline_hours` may be served by so many hours after it arises, handed to an option
    that answers within some hours by so many fewer; all others at once.
    """
    if flows.arrived is None:
        return []
    late = (flows.place - flows.arrived) % HOURS_PER_WEEK
    latest = flows.ways["latest_hours"].to_numpy(int)[flows.way]
    elsewhere = flows.place // HOURS_PER_WEEK != flows.arrived // HOURS_PER_WEEK
    broken = (elsewhere | (late > latest)) & (np.abs(flows.rph) > TOLERANCE)

    def describe(row: int) -> str:
        way = flows.ways.iloc[int(flows.way[row])]
        return (
            f"{names.need_name(int(way['need']))}, {names.slot_name(int(flows.place[row]))}: {flows.rph[row]:.9g} "
            f"requests/hour by {way['supply']} in {way['region']} arose {counted(late[row], 'hour')} before, "
            "its latest is "
            f"{counted(latest[row], 'hour')}"
        )

    return worst("waiting", broken, (late - latest).astype(float), 1.0, describe)


def mix(case: Case, names: Names, flows: Flows, demand: Floats) -> list[Finding]:
    """Check rule 2: each model's share of the demand lies within the mix. [requests/hour]."""
    findings: list[Finding] = []
    need_of = flows.ways["need"].to_numpy(int)
    regions, workloads = len(names.regions), len(names.workloads)
    index = {w: k for k, w in enumerate(names.workloads)}
    for number, (rule, own) in enumerate(zip(case.mix, flows.by_mix(len(case.mix)), strict=True)):
        if rule.min_share <= 0 and rule.max_share >= 1:
            continue
        need = np.arange(regions) * workloads + index[rule.workload]
        wanted = demand[need]
        cell = need_of[flows.way[own]] // workloads * names.slot_count + flows.arrival[own]
        served = np.bincount(cell, flows.rph[own], wanted.size).astype(float).reshape(wanted.shape)
        room = BALANCE_TOLERANCE * np.maximum(1.0, wanted)
        short = np.maximum(rule.min_share * wanted - served, served - rule.max_share * wanted)

        def describe(
            cell: int, served: Floats = served, wanted: Floats = wanted, need: Ints = need, number: int = number
        ) -> str:
            origin, slot = divmod(cell, names.slot_count)
            m = case.mix[number]
            return (
                f"{names.need_name(int(need[origin]))}, {names.slot_name(slot)}: model {m.model} serves "
                f"{served[origin, slot]:.9g} of {wanted[origin, slot]:.9g} requests/hour; its share must lie in "
                f"{m.min_share:g} to {m.max_share:g}"
            )

        broken = (short > room) & (wanted > 0)
        findings += worst("mix", broken.ravel(), short.ravel(), wanted.ravel(), describe)
    return findings


def guaranteed(case: Case, names: Names, flows: Flows, demand: Floats) -> list[Finding]:
    """Check rule 3: pools and guaranteed options serve the guaranteed share of the demand. [requests/hour]."""
    share = np.tile([w.guaranteed_share for w in case.workloads], len(names.regions))
    sure = np.where(flows.ways["guaranteed"], flows.ways["need"], -1).astype(np.int64)
    served = flows.sums(sure, names.need_count, names.slot_count, arrival=True)
    asked = share[:, None] * demand
    missing = (asked - served).ravel()

    def describe(cell: int) -> str:
        need, slot = divmod(cell, names.slot_count)
        return (
            f"{names.need_name(need)}, {names.slot_name(slot)}: pools and guaranteed options serve "
            f"{served[need, slot]:.9g} requests/hour, {asked[need, slot]:.9g} are guaranteed"
        )

    broken = missing > (BALANCE_TOLERANCE * np.maximum(1.0, demand)).ravel()
    return worst("guaranteed", broken, missing, demand.ravel(), describe)
