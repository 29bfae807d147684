"""Periods that are no months and terms in days, solved by hand and against the literal oracle.

10 requests an hour take 10 units, or cost 3 USD each on demand (`tests.builders.tiny_cases`). They arise in the week
from 11 January 2027 only: 168 hours.
"""

from pathlib import Path
from typing import Any

import pytest

from planner.features.order.order import as_owed, price_order
from planner.model.index_tables import sets_of
from planner.plan.audit import audit
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.task_costs import cost_by_month
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.solver.find import Options, find_plan
from planner.solver.solve import solve
from planner.verify import deep
from tests import builders
from tests.oracle.generate import generate
from tests.oracle.reference import disagreements

CUTS, WEEK = "2027-01-11; 2027-01-18", 168
MONTH = {"offer": "month", "pool": "west-m", "usd_per_unit_hour": 1.0}


def days(count: int, usd: float) -> dict[str, Any]:
    return {"offer": f"{count}d", "pool": "west-m", "term_days": count, "usd_per_unit_hour": usd}


def campaign(*offers: dict[str, Any], **options: Any) -> Case:
    demand = builders.profile("west", "w", 10.0, period="2027-01-11")
    return builders.case(builders.tables(demand=demand, offers=list(offers)), **({"cuts": CUTS} | options))


def test_a_week_is_bought_for_a_campaign_of_a_week() -> None:
    plan = solve(campaign(days(7, 2.0), MONTH))
    assert plan.purchases[["offer", "period", "units"]].values.tolist() == [["7d", "2027-01-11", 10.0]]
    assert plan.totals.total_usd == pytest.approx(10 * 2 * WEEK)  # the month: 10 x 21 days = 5040; on demand 5040


def test_a_term_that_ends_inside_a_period_is_paid_for_and_serves_what_it_covers_whole() -> None:
    case = campaign(days(10, 1.25), days(7, 2.0))
    plan = solve(case)
    assert plan.totals.total_usd == plan.totals.reserved_usd == pytest.approx(10 * 1.25 * 240)
    assert list(plan.deployments["period"]) == ["2027-01-11"]
    reading = Reading(case, plan)
    assert audit(case, plan) == []
    months = cost_by_month(Basis.of(reading)).set_index("period")["total_usd"]
    assert months["2027-01-18"] == pytest.approx(10 * 1.25 * 72)  # three days of a period that it does not serve
    assert deep.search(case, reading.derived, reading.names)[0] == pytest.approx(plan.totals.total_usd)


def test_days_past_the_horizon_count_as_the_policy_says() -> None:
    # bought on 25 January for 10 days: 7 inside the horizon, 3 past it, of which half count
    rows = builders.tables(
        demand=builders.profile("west", "w", 10.0, period="2027-01-25"), offers=[days(10, 1.0), days(7, 1.3)]
    )
    plan = solve(builders.case(rows, cuts="2027-01-25", tail_value=0.5))
    assert plan.totals.reserved_usd == pytest.approx(10 * 168)
    assert plan.totals.tail_usd == pytest.approx(10 * 72 / 2)


def test_a_term_that_covers_no_period_whole_is_not_for_sale() -> None:
    case = campaign(days(3, 0.0))
    assert sets_of(case).purchases.empty
    assert solve(case).totals.on_demand_usd == pytest.approx(10 * 3 * WEEK)


def test_an_order_costs_what_the_plan_does() -> None:
    case = campaign(days(10, 1.25))
    plan = solve(case)
    owed = find_plan(as_owed(case, plan.purchases), Options())
    assert owed.totals.total_usd == pytest.approx(plan.totals.total_usd)
    priced = price_order(case, plan.purchases.assign(usd_per_unit_hour=1.25), Options())
    assert priced.plan.totals.total_usd == pytest.approx(plan.totals.total_usd)
    assert priced.broken == ()


def test_egress_caps_hold_in_each_part_of_a_month() -> None:
    """East may send 1 GB in each part: 10 requests an hour of 0.001 GB take 1.68 GB in the week of 11 January.

    Units are sold in the west only, at 1 USD; a request costs 3 USD at home. 1 / 0.001 = 1000 requests may go west.
    """
    rows = builders.two_regions(
        demand=builders.profile("east", "w", 10.0, period="2027-01-11"),
        workloads=[{"workload": "w", "input_tokens": 60, "output_tokens": 0, "extra_bytes_in": 1e6 - 240}],
        offers=[{"offer": "7d", "pool": "west-m", "term_days": 7, "usd_per_unit_hour": 1.0}],
        routes=[{"origin": "east", "destination": "west", "max_gb_per_month": 1.0}],
    )
    plan = solve(builders.case(rows, cuts=CUTS))
    assert plan.totals.on_demand_usd == pytest.approx((1680 - 1000) * 3)


@pytest.mark.parametrize(
    ("features", "months", "seed"),
    [("cuts", 2, 1), ("cuts,terms,whole,commitments,pools,unreserved", 1, 2), ("cuts,egress,scenarios,quota", 2, 4)],
)
def test_random_folders(features: str, months: int, seed: int, tmp_path: Path) -> None:
    generate(tmp_path / "in", seed, regions=2, workloads=2, models=2, months=months, features=features)
    assert disagreements(tmp_path / "in", tmp_path / "out") == []


def test_a_term_of_no_use_may_still_fill_two_contracts() -> None:
    """A dollar that counts for two contracts saves two: 100 units of 3 days at 1 USD are bought and serve nothing.

    Both contracts ask for 7200 USD of reserved units in the first ten days. 100 x 72 hours fill both.
    """
    contracts = [
        {"contract": name, "usd": 7200.0, "last_period": "2027-01-01", "counts_on_demand": False} for name in "ab"
    ]
    demand = builders.profile("west", "w", 10.0, period="2027-01-18")
    rows = builders.tables(demand=demand, offers=[days(3, 1.0)], spend_commitments=contracts)
    plan = solve(builders.case(rows, cuts=CUTS))
    assert plan.purchases["units"].sum() == pytest.approx(100)
    assert plan.totals.shortfall_usd == pytest.approx(0, abs=1e-6)
    assert plan.totals.total_usd == pytest.approx(7200 + 10 * 3 * 24 * 14)
