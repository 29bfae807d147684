"""Families of constraints and cost terms that exist only in tests, written as CONTRIBUTING says, with safe defaults.

Each is what someone might add tomorrow: it spans everything, ties hours or scenarios, asks for more instead of less, is
an equality, or counts offers instead of units. What planner makes of them must be right, or refused.
"""

from typing import Any

import numpy as np

from planner.model.columns import Columns
from planner.model.constraints.deployment import months_in_force
from planner.model.family import Family
from planner.model.objective import CostTerm, reserved
from planner.model.objective import on_demand as on_demand_usd
from planner.model.rows import Rows, Term, distinct, joined, no_rows
from planner.model.sets import Floats, Sets, region_names
from planner.schema.case import Case
from tests import builders
from tests.builders.one_hour import hours, on_demand, two


def one_row(name: str, lower: float, upper: float, *terms: tuple[np.ndarray, Floats]) -> Rows:
    """One row over (columns, values)."""
    return joined(name, {}, (lower, upper), [Term({}, columns, np.asarray(values, float)) for columns, values in terms])


def least_spend(usd: float) -> Family:
    """Spend at least so much on new commitments inside the horizon."""

    def rows(sets: Sets, at: Columns) -> Rows:
        return one_row("spend_at_least", usd, np.inf, (at.committed, sets.purchases["committed_usd_per_unit"]))

    return Family(name="spend_at_least", rule="10", rows=rows, dual="USD that one more dollar costs")


def on_demand_floor(share: float) -> Family:
    """Serve at least a share of all requests on demand."""

    def rows(sets: Sets, at: Columns) -> Rows:
        weeks = sets.slots["weeks"].to_numpy(float)
        paid = ~sets.arcs["reserved"].to_numpy(bool)[at.flow_arc]
        asked = float((sets.demand * weeks).sum())
        return one_row("on_demand_floor", share * asked, np.inf, (at.flows[paid], weeks[at.flow_slot[paid]]))

    return Family(name="on_demand_floor", rule="10", rows=rows, dual="USD a thousand requests")


def alike_in_scenarios(share: float) -> Family:
    """Serve in each scenario at least a share of the requests that are reserved in the scenario before it."""

    def rows(sets: Sets, at: Columns) -> Rows:
        names = list(dict.fromkeys(sets.slots["scenario"]))
        number = np.array([names.index(s) for s in sets.slots["scenario"]])[at.flow_slot]
        held = sets.arcs["reserved"].to_numpy(bool)[at.flow_arc]
        later, before = np.flatnonzero(held & (number > 0)), np.flatnonzero(held & (number < len(names) - 1))
        terms = [
            Term({"scenario": number[later] - 1}, at.flows[later], 1.0),
            Term({"scenario": number[before]}, at.flows[before], -share),
        ]
        return joined("alike_in_scenarios", {"scenario": np.arange(len(names) - 1)}, (0.0, np.inf), terms)

    return Family(name="alike_in_scenarios", rule="10", rows=rows, dual="USD a thousand requests")


def ramp(krph: float) -> Family:
    """Change what is served on demand by no more than so much from one hour of the week to the next."""

    def rows(sets: Sets, at: Columns) -> Rows:
        slots = len(sets.slots)
        paid = np.flatnonzero(~sets.arcs["reserved"].to_numpy(bool)[at.flow_arc])
        slot = at.flow_slot[paid]
        now, then = slot < slots - 1, slot > 0
        terms = [
            Term({"slot": slot[then] - 1}, at.flows[paid[then]], 1.0),
            Term({"slot": slot[now]}, at.flows[paid[now]], -1.0),
        ]
        return joined("ramp", {"slot": np.arange(slots - 1)}, (-krph, krph), terms)

    return Family(name="ramp", rule="10", rows=rows, dual="USD a thousand requests per hour")


def most_units(units: float) -> Family:
    """Have no more units committed in a region and period."""

    def rows(sets: Sets, at: Columns) -> Rows:
        regions = region_names(sets)
        region = np.array([regions.index(r) for r in sets.meters["region"]], dtype=np.int64)
        purchase, period = months_in_force(sets)
        where = {"region": region[sets.purchases["meter_row"].to_numpy(int)[purchase]], "period": period}
        return joined("most_units", distinct(**where), (-np.inf, units), [Term(where, at.committed[purchase], 1.0)])

    return Family(name="most_units", rule="10", rows=rows, dual="USD a unit")


def steady(units: float) -> Family:
    """Change the units of a deployment by no more than so many from month to month."""

    def rows(sets: Sets, at: Columns) -> Rows:
        deployment, period = (axis.ravel() for axis in np.indices(at.deployed[:, 1:].shape))
        where = {"deployment": deployment, "period": period + 1}
        terms = [Term(where, at.deployed[:, 1:].ravel(), 1.0), Term(where, at.deployed[:, :-1].ravel(), -1.0)]
        return joined("steady", where, (-units, units), terms)

    return Family(name="steady", rule="10", rows=rows, dual="USD a unit")


def rise(units: float) -> Family:
    """Own no more than so many units more than a month before; what is in force in both counts for and against."""

    def rows(sets: Sets, at: Columns) -> Rows:
        purchase, period = months_in_force(sets)
        meter = sets.purchases["meter_row"].to_numpy(int)[purchase]
        now, before = np.flatnonzero(period > 0), np.flatnonzero(period < len(sets.periods) - 1)
        names = distinct(meter=np.repeat(np.arange(len(sets.meters)), len(sets.periods) - 1),
                         period=np.tile(np.arange(1, len(sets.periods)), len(sets.meters)))  # fmt: skip
        terms = [
            Term({"meter": meter[now], "period": period[now]}, at.committed[purchase[now]], 1.0),
            Term({"meter": meter[before], "period": period[before] + 1}, at.committed[purchase[before]], -1.0),
        ]
        return joined("rise", names, (-np.inf, units), terms)

    return Family(name="rise", rule="10", rows=rows, dual="USD a unit")


def even_split() -> Family:
    """Commit as many units in the first pool as in the last one."""

    def rows(sets: Sets, at: Columns) -> Rows:
        meter = sets.purchases["meter_row"].to_numpy(int)
        sign = (meter == 0).astype(float) - (meter == len(sets.meters) - 1)
        return one_row("even_split", 0.0, 0.0, (at.committed, sign))

    return Family(name="even_split", rule="10", rows=rows, dual="USD a unit")


def few_purchases(count: int) -> Family:
    """Make no more than so many purchases (only where they have switches: min_units and whole units)."""

    def rows(sets: Sets, at: Columns) -> Rows:
        bought = np.flatnonzero((at.size_on >= 0) & np.isin(at.sized, at.committed))
        if not len(bought):
            return no_rows("few_purchases")
        return one_row("few_purchases", -np.inf, count, (at.size_on[bought], np.ones(len(bought))))

    return Family(name="few_purchases", rule="10", rows=rows, dual="none: the rule is not linear")


FOREIGN: dict[str, Family] = {  # of sizes that bind in `two_months`
    family.name: family
    for family in (
        least_spend(120_000.0),
        on_demand_floor(0.6),
        alike_in_scenarios(2.0),
        ramp(0.004),
        most_units(12.0),
        steady(2.0),
        rise(2.0),
        even_split(),
        few_purchases(1),
    )
}


def stressed_on_demand(share: float) -> Family:
    """Serve no more than a share of what a stress case asks of a need on demand: stress flows, not projected."""

    def rows(sets: Sets, at: Columns) -> Rows:
        stressed = at.flow_case >= 0
        paid = np.flatnonzero(stressed & ~sets.arcs["reserved"].to_numpy(bool)[at.flow_arc])
        where = {
            "case": at.flow_case[paid],
            "need": sets.arcs["need"].to_numpy(int)[at.flow_arc[paid]],
            "slot": at.flow_slot[paid],
        }
        index = distinct(**where)
        scale = np.array([case.demand_scale for case in sets.cases]).reshape(len(sets.cases), len(sets.needs))
        asked = scale[index["case"], index["need"]] * sets.demand[index["need"], index["slot"]]
        return joined("stressed_on_demand", index, (-np.inf, share * asked), [Term(where, at.flows[paid], 1.0)])

    return Family(name="stressed_on_demand", rule="8", rows=rows, dual="USD a thousand requests", of_stress=True)


def dear_hour() -> CostTerm:
    """On demand costs five times as much in the second hour of the week: equal slots are equal no more."""

    def dear_hour(sets: Sets, at: Columns) -> Floats:
        hour = np.zeros(at.count)
        hour[at.flows] = sets.slots["hour_of_week"].to_numpy(int)[at.flow_slot] == 1
        found: Floats = 4.0 * hour * on_demand_usd(sets, at)
        return found

    return CostTerm(dear_hour, "z", "on_demand_usd")


def home_fee() -> CostTerm:
    """A fee for each thousand requests on demand, far more at home: the way that looks best is the dearer one."""

    def home_fee(sets: Sets, at: Columns) -> Floats:
        cost = np.zeros(at.count)
        usd = np.where(sets.arcs["away"], 1e2, 9e4) * ~sets.arcs["reserved"].to_numpy(bool)
        cost[at.flows] = usd[at.flow_arc] * sets.slots["weeks"].to_numpy(float)[at.flow_slot]
        return cost

    return CostTerm(home_fee, "z", "egress_usd")


def seat_fee() -> CostTerm:
    """A fee for each unit deployed in a month, used or not."""

    def seat_fee(sets: Sets, at: Columns) -> Floats:
        cost = np.zeros(at.count)
        cost[at.deployed] = 400.0
        return cost

    return CostTerm(seat_fee, "v", "unreserved_usd")


def crowd_fee() -> CostTerm:
    """Each unit is a tenth dearer for each pool that there is: the price of one depends on all."""

    def crowd_fee(sets: Sets, at: Columns) -> Floats:
        found: Floats = 0.1 * len(sets.meters) * reserved(sets, at)
        return found

    return CostTerm(crowd_fee, "x", "reserved_usd")


def order_fee() -> CostTerm:
    """A fee for each purchase of any size (only where they have switches: min_units and whole units)."""

    def order_fee(sets: Sets, at: Columns) -> Floats:
        cost = np.zeros(at.count)
        cost[at.size_on[(at.size_on >= 0) & np.isin(at.sized, at.committed)]] = 2000.0
        return cost

    return CostTerm(order_fee, "on", "reserved_usd")


FOREIGN_TERMS: dict[str, CostTerm] = {
    term.name: term for term in (dear_hour(), home_fee(), seat_fee(), crowd_fee(), order_fee())
}


def two_months(whole_units: bool, **policy: Any) -> Case:
    """Two regions with routes, two scenarios, demand that doubles in the second month, three hours a week."""
    demand = [
        {**row, "scenario": s, "period": p}
        for r, a in (("east", 1), ("west", 2))
        for s, b in (("calm", 1), ("busy", 1.5))
        for p, c in (("2027-01", 1), ("2027-02", 2))
        for row in hours(r, "w", *(n * a * b * c for n in (3, 7, 4)))
    ]
    offers = [
        {"offer": f"{r}-{term}m", "pool": f"{r}-m", "usd_per_unit_hour": usd, "term_months": term, "min_units": 2,
         "unit_step": 1}
        for r in ("east", "west")
        for term, usd in ((1, 1.0), (2, 0.9))
    ]  # fmt: skip
    tables = two(
        1,
        1,
        demand=demand,
        offers=offers,
        scenarios=[{"scenario": "calm", "probability": 0.75}, {"scenario": "busy", "probability": 0.25}],
        on_demand=[on_demand(r, usd_per_mtok_input=2e6) for r in ("east", "west")],
    )
    return builders.case(tables, months=2, whole_units=whole_units, failover={"enabled": False}, **policy)
