"""Plans of one workload that a person can price, to change one thing at a time.

In January 2027 (744 hours) the pool west-m has 10 units at 1 USD an hour. A request has 60 tokens; a unit serves one
token a minute, so a request per hour takes a unit; on demand it costs 3 USD. Of 10 requests an hour units serve 8, on
demand 2. A task has 2 requests:

    units 10 x 744 x 1 = 7,440 USD, on demand 2 x 744 x 3 = 4,464 USD, in all 11,904 USD
    10 x 744 / 2 = 3,720 tasks, of 3.20 USD each: 2.00 USD for units, 1.20 USD on demand
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from planner.features.tasks import TaskCosts, task_costs
from planner.plan.plan import DEPLOYMENT_COLUMNS, DISPATCH_COLUMNS, NO_COST, PURCHASE_COLUMNS, Plan, Proof
from planner.plan.pricing import price
from planner.schema.case import Case
from tests import builders
from tests.builders.hand_plans import Flow, hourly

MONTHS = ("2027-01", "2027-02")
HOURS = {"2027-01": 744, "2027-02": 672}
WORKLOAD = {"workload": "w", "input_tokens": 60, "output_tokens": 0, "requests_per_task": 2}
THROUGHPUT = {"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1, "cached_input_weight": 0}
ON_DEMAND = {"region": "west", "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_cached_input": 0,
             "usd_per_mtok_output": 0.0}  # fmt: skip
OFFER = {"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0}


def flow(supply: str, rph: float, workload: str = "w", model: str = "m", origin: str = "west",
         region: str = "west") -> Flow:  # fmt: skip
    return origin, workload, model, region, supply, rph


SERVED = (flow("west-m", 8.0), flow("standard", 2.0))


def priced(case: Case, units: dict[tuple[str, str], float], flows: pd.DataFrame, name: str = "tiny") -> Plan:
    """A plan with these units of the one-month offers, by (pool, month), all deployed for model m."""
    offer = {o.pool: o for o in case.offers}
    bought = [(offer[p].offer, m, n, n * offer[p].usd_per_unit_hour * HOURS[m]) for (p, m), n in units.items()]
    held = [(p, "tokens", "m", m, n) for (p, m), n in units.items()]
    plan = Plan(
        name, case.digest, NO_COST, Proof("gap", 0.0, 1.0),
        pd.DataFrame(bought, columns=list(PURCHASE_COLUMNS)), pd.DataFrame(held, columns=list(DEPLOYMENT_COLUMNS)),
        flows,
    )  # fmt: skip
    return replace(plan, totals=price(case, plan.purchases, plan.deployments, plan.dispatch))


def january(
    units: float = 10.0, flows: tuple[Flow, ...] = SERVED, workload: dict[str, Any] | None = None,
    throughput: dict[str, Any] | None = None, on_demand: dict[str, Any] | None = None,
    offer: dict[str, Any] | None = None, **tables: Any,
) -> TaskCosts:  # fmt: skip
    """The plan of this page, changed."""
    rows = {
        "workloads": [WORKLOAD | (workload or {})],
        "throughput": [THROUGHPUT | (throughput or {})],
        "on_demand": [ON_DEMAND | (on_demand or {})],
        "offers": [OFFER | (offer or {})],
        **tables,
    }
    case = builders.case(builders.tables(**rows))
    return task_costs(case, priced(case, {("west-m", "2027-01"): units}, hourly(list(flows))))


def random_plan(seed: int) -> tuple[Case, Plan]:
    """A case of two regions, models, workloads, months and scenarios with random numbers, and a random plan.

    The plan keeps no rule; it has a price. Each seed has its own prices, tokens, mix and routes; one pool's units move
    by the hour; some deployments are never used, some workloads not asked for.
    """
    rng = np.random.default_rng(seed)

    def some(low: float, high: float) -> float:
        return round(float(rng.uniform(low, high)), 4)

    regions, models, workloads = ("east", "west"), ("m", "n"), ("v", "w")
    meters = ("input", "output") if rng.random() < 0.5 else ("tokens",)
    pools = [{"pool": f"{r}-pool", "region": r, "usd_per_unreserved_unit_hour": some(1, 3),
              "shared_hourly": bool(r == "east")} for r in regions]  # fmt: skip
    rows: builders.Tables = {
        "regions": [{"region": r} for r in regions],
        "models": [{"model": m} for m in models],
        "workloads": [
            {"workload": w, "input_tokens": some(10, 90), "output_tokens": some(1, 20),
             "requests_per_task": some(1, 9), "cache_hit_rate": some(0, 0.6), "on_demand_cache_hit_rate": some(0, 0.6),
             "cache_write_rate": some(0, 0.3), "burst_factor": some(1, 2), "extra_bytes_out": some(0, 1e6)}
            for w in workloads
        ],
        "mix": [{"workload": w, "model": m} for w in workloads for m in models],
        "scenarios": [{"scenario": "low", "probability": 0.6},
                      {"scenario": "high", "probability": 0.4, "on_demand_price_factor": some(1, 2)}],
        "demand": [row for r in regions for w in workloads for row in builders.profile(r, w, 10.0)],
        "pools": pools,
        "throughput": [
            {"pool": p["pool"], "model": m, "meter": k, "tokens_per_minute_per_unit": some(1, 9),
             "cached_input_weight": some(0, 1), "output_weight": some(1, 5)} for p in pools for m in models
            for k in meters
        ],
        "offers": [
            {"offer": f"{p['pool']}-{k}-{t}", "pool": p["pool"], "meter": k, "term_months": t,
             "usd_per_unit_hour": some(0.5, 2)} for p in pools for k in meters for t in (1, 3)
        ],
        "on_demand": [
            {"region": r, "model": m, "option": o, "usd_per_mtok_input": some(1e4, 1e5),
             "usd_per_mtok_cached_input": some(1e3, 1e4), "usd_per_mtok_output": some(1e4, 2e5)}
            for r in regions for m in models for o in ("priority", "standard")
        ],
        "routes": [{"origin": a, "destination": b, "usd_per_gb": some(0, 1e4)}
                   for a, b in (regions, tuple(reversed(regions)))],
    }  # fmt: skip
    case = builders.case(rows, months=2, tail_value=some(0, 1))
    ways = [(o, w, m, r, s) for o in regions for w in workloads for m in models for r in regions
            for s in (f"{r}-pool", "standard", "priority")]  # fmt: skip
    asked = workloads[: int(rng.integers(1, 3))]
    ways = [way for way in ways if way[1] in asked]
    chosen = [ways[k] for k in rng.integers(len(ways), size=12)]
    flows = pd.DataFrame(
        [(*way, str(rng.choice(["low", "high"])), str(rng.choice(MONTHS)), int(h), some(1, 100))
         for way in chosen for h in rng.choice(168, 3, replace=False)],
        columns=list(DISPATCH_COLUMNS),
    )  # fmt: skip
    bought = [(o.offer, m, some(1, 50), 0.0) for o in case.offers for m in MONTHS if rng.random() < 0.5]
    held = [(p["pool"], k, m, month, some(0, 20)) for p in pools for k in meters
            for m in (("*",) if p["shared_hourly"] else models) for month in MONTHS if rng.random() < 0.7]  # fmt: skip
    plan = Plan(
        f"plan {seed}", case.digest, NO_COST, Proof("gap", 0.0, 1.0),
        pd.DataFrame(bought, columns=list(PURCHASE_COLUMNS)), pd.DataFrame(held, columns=list(DEPLOYMENT_COLUMNS)),
        flows,
    )  # fmt: skip
    return case, replace(plan, totals=price(case, plan.purchases, plan.deployments, plan.dispatch))
