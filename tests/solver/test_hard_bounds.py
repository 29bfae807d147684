"""Bounds that were once wrong: sizes off their grid, a cost of 0, prices ten decades apart."""

from pathlib import Path

import pytest

from planner.features.resolve.keep import LastPurchases, keep_purchases
from planner.plan.files import write_plan
from planner.plan.plan import Status, gap_of
from planner.solver.find import Options
from planner.solver.solve import solve
from planner.verify.verification import verify
from tests import builders
from tests.builders.one_hour import on_demand, workload

HOURS = 744


def test_a_largest_purchase_off_its_grid_is_counted_on_it(tmp_path: Path) -> None:
    # 10 units' worth of work at 1 USD, on demand 3: steps of 5, at most 7, so 5 units and 5 requests on demand
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 5, "max_units": 7}]
    case = builders.case(builders.tables(offers=offers), whole_units=True)
    plan = solve(case, workers=1)
    assert plan.totals.total_usd == pytest.approx((5 * 1 + 5 * 3) * HOURS)
    assert plan.proof.bound_usd == pytest.approx(plan.totals.total_usd)
    write_plan(plan, case, tmp_path / "out")
    assert verify(case, tmp_path / "out", deep=True).findings == []


def test_a_cost_of_nothing_leaves_no_gap() -> None:
    plan = solve(builders.case(builders.tables(on_demand=[on_demand(usd_per_mtok_input=0)])), workers=1)
    assert plan.proof.status == Status.OPTIMAL
    assert (plan.proof.gap, plan.proof.bound_usd) == (0.0, 0.0)
    assert gap_of(1e-6, -5e-324) == 0.0
    assert gap_of(1.0, 0.5) == 0.5


def test_prices_ten_decades_apart_end_optimal() -> None:
    # model a costs 1e-5 USD a million tokens and has a quota for most of each hour, b 1e5, a unit of a 1e-4 an hour
    tables = builders.tables(
        models=[{"model": "a"}, {"model": "b"}],
        workloads=[workload()],
        mix=[{"workload": "w", "model": m} for m in ("a", "b")],
        demand=builders.profile("west", "w", [7.0 + (h * 13) % 11 / 3 for h in range(168)]),
        throughput=[{"pool": "west-m", "model": "a", "tokens_per_minute_per_unit": 1}],
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1e-4}],
        on_demand=[
            on_demand(model="a", usd_per_mtok_input=1e-5, tokens_per_minute_quota=8),
            on_demand(model="b", usd_per_mtok_input=1e5),
        ],
    )
    plan = solve(builders.case(tables), workers=1)
    assert plan.proof.status == Status.OPTIMAL
    assert plan.totals.total_usd - plan.proof.bound_usd <= 1e-6 * plan.totals.total_usd


def test_kept_purchases_off_the_step_are_weighed_exactly() -> None:
    # 7 units' worth of work in steps of 5; 7 were bought. A unit changed weighs 2,000.
    # 5 units, 2 on demand: 5 x 744 + 2 x 3 x 744 = 8,184, 2 changed: 12,184; 10 units: 7,440, 3 changed: 13,440
    size = {"unit_step": 5}
    tables = builders.tables(
        demand=builders.profile("west", "w", 7.0),
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, **size}],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1, **size}],
    )
    case = builders.case(tables, whole_units=True)
    free, last = solve(case, workers=1), LastPurchases({("o", "2027-01"): 7.0}, ())
    assert free.totals.total_usd == pytest.approx(10 * HOURS)
    plan, told = keep_purchases(case, last, usd_per_unit=2000.0, free=free, options=Options(workers=1))
    assert plan.totals.total_usd == pytest.approx(8184.0)
    assert told.changed_units == pytest.approx(2.0)
