"""Rule 7: data on each route and month, requests and answers; the share of requests served away from home."""

import numpy as np

from planner.plan.audit.findings import Finding, over, worst
from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Names
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK


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
