"""A small plan made by hand, correct to the last dollar, for tests of everything that reads plans.

Two regions of builders.two_regions, each with 10 requests every hour. A request per hour takes one unit (1 USD per
hour) or counts one token a minute on the quota (20 in each region) and costs 3 USD on demand. Headroom is 20 %; any
one region may fail, and then half of the quota is counted on. January 2027 has 744 hours.

    10 units in each region: with 20 % kept they serve 8 requests; 2 go on demand, at home
    reserved 2 x 10 x 744 x 1 = 14,880 USD, on demand 2 x 2 x 744 x 3 = 8,928 USD, in all 23,808 USD
    headroom: 12.5 requests in each region: 10 on units in full, 2.5 on demand
    failover: 20 requests on the other region: 10 on its units, 10 = 20 x 0.5 on demand
    no plan can cost less than 2 x 10 / 0.8 x 744 = 18,600 USD: a bound that the certificate proves
"""

from dataclasses import replace
from typing import Any

import pandas as pd

from planner.plan.plan import CERTIFICATE_COLUMNS, NO_COST, Plan, Proof
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK
from tests import builders

HOURS = 744
Flow = tuple[str, str, str, str, str, float]  # origin, workload, model, region, supply, requests per hour
POLICY: dict[str, Any] = {"headroom": 0.2, "failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0.5}}


def on_demand_rows(**changes: Any) -> list[dict[str, Any]]:
    base = {"model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0, "tokens_per_minute_quota": 20}
    return [{"region": r, **base, **changes} for r in ("east", "west")]


def hand_case(policy: dict[str, Any] | None = None, **tables: Any) -> Case:
    """The case of this page, with some tables or policy settings replaced."""
    rows = builders.two_regions(**{"on_demand": on_demand_rows(), **tables})
    return builders.case(rows, **{**POLICY, **(policy or {})})


def hourly(
    flows: list[Flow], scenarios: tuple[str, ...] = ("base",), periods: tuple[str, ...] = ("2027-01",)
) -> pd.DataFrame:
    """The same flows in every slot."""
    columns = ["origin", "workload", "model", "region", "supply", "requests_per_hour"]
    one = pd.DataFrame(flows, columns=columns)
    slots = pd.DataFrame(
        [(s, p, h) for s in scenarios for p in periods for h in range(HOURS_PER_WEEK)],
        columns=["scenario", "period", "hour_of_week"],
    )
    names = [c for c in columns if c != "requests_per_hour"]
    return one.merge(slots, how="cross")[[*names, "scenario", "period", "hour_of_week", "requests_per_hour"]]


def witness(groups: dict[str, list[Flow]], period: str = "2027-01") -> tuple[pd.DataFrame, pd.DataFrame]:
    """One group for each stress case, covering every hour."""
    slots = [(name, k, "base", period, h) for k, name in enumerate(groups) for h in range(HOURS_PER_WEEK)]
    flows = [(name, k, period, *flow) for k, (name, own) in enumerate(groups.items()) for flow in own]
    return (
        pd.DataFrame(slots, columns=["case", "group", "scenario", "period", "hour_of_week"]),
        pd.DataFrame(flows, columns=["case", "group", "period", "origin", "workload", "model", "region", "supply",
                                     "requests_per_hour"]),
    )  # fmt: skip


def certificate() -> pd.DataFrame:
    """Prices that prove 18,600 USD: each unit-hour is worth what it costs, so a request costs 1 / 0.8 USD."""
    weeks = 31 / 7
    blank = dict.fromkeys(CERTIFICATE_COLUMNS)
    rows = [
        {**blank, "kind": "rent", "ray": -1, "supply": f"{r}-m", "meter": "tokens", "model": "m", "scenario": "base",
         "period": "2027-01", "hour_of_week": h, "price": weeks}
        for r in ("east", "west") for h in range(HOURS_PER_WEEK)
    ] + [
        {**blank, "kind": "deployment", "ray": -1, "supply": f"{r}-m", "meter": "tokens", "period": "2027-01",
         "hour_of_week": -1, "price": weeks * HOURS_PER_WEEK}
        for r in ("east", "west")
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(CERTIFICATE_COLUMNS))


def lost(region: str) -> list[Flow]:
    """Routing while a region is lost: units serve their own origin, on demand the other's."""
    other = {"east": "west", "west": "east"}[region]
    return [(other, "w", "m", other, f"{other}-m", 10.0), (region, "w", "m", other, "standard", 10.0)]


def hand_plan(case: Case) -> Plan:
    """The plan of this page."""
    regions = ("east", "west")
    slots, flows = witness({
        "headroom": [f for r in regions
                     for f in ((r, "w", "m", r, f"{r}-m", 10.0), (r, "w", "m", r, "standard", 2.5))],
        "failover east": lost("east"),
        "failover west": lost("west"),
    })  # fmt: skip
    return Plan(
        name="tiny",
        input_digest=case.digest,
        totals=replace(NO_COST, reserved_usd=14_880.0, on_demand_usd=8_928.0),
        proof=Proof("gap", 18_600.0, 0.21875),
        purchases=pd.DataFrame([(f"{r}-m-1m", "2027-01", 10.0, 7_440.0) for r in regions],
                               columns=["offer", "period", "units", "usd"]),
        deployments=pd.DataFrame([(f"{r}-m", "tokens", "m", "2027-01", 10.0) for r in regions],
                                 columns=["pool", "meter", "model", "period", "units"]),
        dispatch=hourly([f for r in regions
                         for f in ((r, "w", "m", r, f"{r}-m", 8.0), (r, "w", "m", r, "standard", 2.0))]),
        stress_slots=slots,
        stress_dispatch=flows,
        certificate=certificate(),
    )  # fmt: skip


def on(case: Case, plan: Plan) -> Plan:
    """The same plan, said to be made for another case."""
    return replace(plan, input_digest=case.digest)
