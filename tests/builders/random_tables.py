"""Small random cases: any rule may bind, and some have no plan."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment
from planner.schema.settings import Risk
from tests import builders
from tests.builders.one_hour import hours, on_demand, workload

REGIONS, MODELS, WORKLOADS = ("east", "west", "south"), ("m", "n"), ("w", "v")
SHARES = (0.0, 0.25, 0.5)


@st.composite
def whole_cases(draw: st.DrawFn) -> Case:
    """Draw a case of two months, in whole units or not, in one scenario or two."""
    whole, scenarios = draw(st.booleans()), draw(st.booleans())
    return draw(cases(months=2, whole=whole, scenarios=2 if scenarios else 1))


@st.composite
def cases(draw: st.DrawFn, months: int = 1, coupled: bool = True, whole: bool = False, scenarios: int = 1) -> Case:
    """Draw a case; ``coupled``: with budget and cross-region share, in some; ``whole``: with size rules, in some."""
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    regions, models = REGIONS[: pick(1, 2, 3)], MODELS[: pick(1, 2)]
    names = WORKLOADS[: pick(1, 2)]
    most = 0.75 if len(models) > 1 else 1.0
    rows: dict[str, Any] = {
        "regions": [{"region": r, "fails": pick(True, True, False)} for r in regions],
        "models": [{"model": m} for m in models],
        "workloads": [
            workload(
                workload=w,
                headroom=pick(None, 0.5),
                reserved_headroom=pick(None, 0, 0.2),
                guaranteed_share=pick(0, 0, 0.5),
                extra_bytes_in=pick(0, 5e8),
            )
            for w in names
        ],
        "mix": [
            {"workload": w, "model": m, "min_share": pick(*SHARES), "max_share": pick(1.0, 1.0, most)}
            for w in names
            for m in models
        ],
        "demand": [d for r in regions for w in names for d in hours(r, w, *(pick(0, 3, 7, 20) for _ in range(3)))],
        "routes": [
            {"origin": o, "destination": d, "usd_per_gb": pick(0, 0.1), "max_gb_per_month": pick(None, None, 40)}
            for o in regions
            for d in regions
            if o != d and pick(True, True, False)
        ],
        "on_demand": [
            on_demand(
                r, m, usd_per_mtok_input=pick(2e3, 5e4), tokens_per_minute_quota=pick(None, 0, 8, 60),
                guaranteed=pick(True, False),
            )
            for r in regions
            for m in models
            if pick(True, True, False)
        ],
    }  # fmt: skip
    pools = [
        {"pool": f"{r}-pool", "region": r, "usd_per_unreserved_unit_hour": pick(None, None, 2.0),
         "shared_hourly": pick(False, True)}
        for r in regions
    ]  # fmt: skip
    rows["pools"] = pools
    rows["throughput"] = [
        {"pool": p["pool"], "model": m, "tokens_per_minute_per_unit": pick(1, 4)} for p in pools for m in models
    ]
    sizes = [(0, 0), (0, 1), (2, 1), (3, 0), (5, 5)] if whole else [(0, 0)]
    rows["offers"] = [
        {"offer": f"{p['pool']}-{term}", "pool": p["pool"], "usd_per_unit_hour": pick(0.01, 0.02, 0.05),
         "term_months": term, "max_units": pick(None, None, 30),
         **dict(zip(("min_units", "unit_step"), pick(*sizes)))}
        for p in pools
        for term in (1, 2)
    ]  # fmt: skip
    if scenarios > 1:
        rows["scenarios"] = [
            {"scenario": "s", "probability": 0.75},
            {"scenario": "t", "probability": 0.25, "on_demand_price_factor": pick(1.0, 2.0)},
        ]
        rows["demand"] = [
            {**row, "scenario": s, "requests_per_hour": row["requests_per_hour"] * times}
            for s, times in (("s", 1.0), ("t", pick(0.5, 1.0, 1.5)))
            for row in rows["demand"]
        ]
    policy: dict[str, Any] = {
        "whole_units": whole,
        "headroom": pick(0.0, 0.2),
        "tail_value": pick(1.0, 0.5),
        "failover": {"enabled": len(regions) > 1, "share": pick(0.5, 1.0), "on_demand_trust": pick(0, 0.5, 1)},
    }
    if coupled:
        policy["egress"] = {"max_cross_region_share": pick(None, None, 0.2)}
        policy["max_commitment_usd"] = pick(None, None, 500.0)
    return builders.case({name: table for name, table in rows.items() if table}, months=months, **policy)


def with_money(case: Case) -> Case:
    """The same case with two contracts on money, which count some of it twice, and with a weight on dear scenarios."""
    contracts = (
        SpendCommitment(contract="all", usd=300.0, counts_reserved=False),
        SpendCommitment(contract="east", usd=100.0, regions="east", last_period=case.periods[0].name),
    )
    risky = case.with_policy(risk=Risk(weight=0.5, level=0.9))
    return replace(risky, spend_commitments=contracts)
