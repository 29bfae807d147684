"""What units that run by the hour serve, and what that does to coverage, utilisation, strategies and cost per task.

10 requests in every hour of January 2027, 16 in the first ten of each week (31/7 times). A request needs one unit. A
unit costs 0.50 USD an hour for the month, 1.50 USD by the hour (4 at most), a request on demand 3 USD. A unit for the
month would be used 10 of 168 hours for what is above 10: 84 USD a week, where by the hour it costs 15. So 10 units are
bought, 4 run by the hour in the ten hours, and 2 requests go on demand.
"""

from pathlib import Path

import pytest

import planner
from planner.features.tasks import month_by_month
from planner.plan.hours import served_weeks
from planner.plan.metrics import Metrics
from planner.plan.metrics.metric_tables import HORIZON
from planner.readers.load import load
from planner.solver.solve import solve
from planner.workbook import scaled_story
from planner.workbook.report import Report
from tests import builders
from tests.builders.one_hour import workload
from tests.oracle import generate

WEEKS = 31 / 7
DEMAND = builders.profile("west", "w", [16.0] * 10 + [10.0] * 158)
TABLES = builders.tables(
    demand=DEMAND,
    pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.5, "max_scaled_units": 4}],
    offers=[{"offer": "month", "pool": "west-m", "usd_per_unit_hour": 0.5}],
)


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    case = builders.case(TABLES)
    return planner.metrics_of(case, solve(case, workers=1))


def test_they_have_figures_of_their_own(metrics: Metrics) -> None:
    row = metrics.scaled[metrics.scaled["period"] == HORIZON].iloc[0]
    assert row["peak_units"] == pytest.approx(4)
    assert row[["unit_hours", "used_unit_hours", "requests"]].tolist() == pytest.approx([40 * WEEKS] * 3)
    assert row["starts"] == pytest.approx(4 * WEEKS)
    assert row["start_unit_hours"] == 0
    assert row["scaled_usd"] == pytest.approx(40 * 1.5 * WEEKS)
    assert row["on_demand_equivalent_usd"] == pytest.approx(40 * 3 * WEEKS)


def test_they_are_neither_reserved_nor_on_demand(metrics: Metrics) -> None:
    row = metrics.coverage.iloc[0]
    assert row["requests"] == pytest.approx(1740 * WEEKS)
    assert row["reserved_requests"] == pytest.approx(1680 * WEEKS)
    assert row["scaled_requests"] == pytest.approx(40 * WEEKS)
    assert row["coverage"] == pytest.approx(1680 / 1740)
    whole = metrics.savings[metrics.savings["period"] == HORIZON].iloc[0]
    assert whole["utilisation"] == pytest.approx(1)
    assert whole["capacity_usd"] == pytest.approx(10 * 0.5 * 744)
    assert whole["scaled_usd"] == pytest.approx(60 * WEEKS)
    assert whole["effective_savings_rate"] == pytest.approx(1 - (840 + 60 + 60) / (1740 * 3))
    used = metrics.deployments.iloc[0]
    assert used["used_unit_hours"] == pytest.approx(7440)
    assert used["peak_units"] == pytest.approx(10)


def test_a_week_shows_them_apart(metrics: Metrics) -> None:
    (week,) = served_weeks(metrics.reading)
    assert week.scaled_rph is not None
    assert (week.reserved_rph[9], week.scaled_rph[9], week.on_demand_rph[9]) == pytest.approx((10, 4, 2))
    assert (week.reserved_rph[10], week.scaled_rph[10], week.on_demand_rph[10]) == pytest.approx((10, 0, 0))
    assert week.demand_rph[9] == pytest.approx(16)


def test_two_strategies_use_them(metrics: Metrics) -> None:
    rows = metrics.strategies.set_index("strategy")
    every = rows.loc["all by the hour"]
    assert every["total_usd"] == pytest.approx(1740 * 1.5 * WEEKS)
    assert not every["possible"]  # 16 at once, and 4 may run
    assert every["note"] == "needs 16 units of west-m by the hour at once, max_scaled_units 4"
    mean = 1740 / 168
    above = rows.loc["average reserved, above it by the hour"]
    assert above["capacity_usd"] == pytest.approx(mean * 0.5 * 744)
    assert above["scaled_usd"] == pytest.approx((16 - mean) * 10 * 1.5 * WEEKS)
    assert above["on_demand_usd"] == pytest.approx(0)


def test_a_task_bears_them(metrics: Metrics) -> None:
    (row,) = metrics.costs.to_dict("records")
    parts = {"capacity_usd": 3720.0, "scaled_usd": 60 * WEEKS, "on_demand_usd": 60 * WEEKS}
    assert {name: row[name] for name in parts} == pytest.approx(parts)
    assert row["total_usd"] == pytest.approx(metrics.reading.plan.totals.total_usd)


def test_words(metrics: Metrics) -> None:
    lines = scaled_story.scaled_lines(Report(metrics))
    assert lines == [
        "west-m, m: up to 4 units at once (Mon 00:00 UTC), 177 unit-hours in 10 hours of the week, $266; on demand the "
        "same requests would cost $531.",
        "They serve 2.3 % of all requests, which count as neither reserved nor on demand.",
    ]


def test_the_requests_of_the_peak_bear_what_the_peak_costs() -> None:
    """Night work needs no unit by the hour, and bears none, though it shares the deployment's units."""
    both = builders.tables(
        demand=[
            *builders.profile("west", "w", [10.0] * 10 + [0.0] * 158),
            *builders.profile("west", "night", [0.0] * 10 + [6.0] * 158),
        ],
        workloads=[workload(), workload(workload="night")],
        mix=[{"workload": w, "model": "m"} for w in ("w", "night")],
        pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.5, "start_hours": 1}],
        offers=[{"offer": "month", "pool": "west-m", "usd_per_unit_hour": 0.5}],
    )
    case = builders.case(both)
    metrics = planner.metrics_of(case, solve(case, workers=1))
    table = metrics.costs.set_index("workload")
    assert table.loc["night", "scaled_usd"] == 0
    assert table.loc["w", "scaled_usd"] == pytest.approx(4 * (10 + 1) * 1.5 * WEEKS)
    used = {"w": 60 / (60 + 948), "night": 948 / (60 + 948)}
    for name, share in used.items():
        assert table.loc[name, "capacity_usd"] == pytest.approx(6 * 0.5 * 744 * share)


def test_a_request_on_two_meters_counts_once() -> None:
    """A request takes a unit of one meter and two of the other; 10 of them in an hour of the week, all by the hour."""
    meters = [
        {"pool": "west-m", "model": "m", "meter": meter, "tokens_per_minute_per_unit": n, "output_weight": 0}
        for meter, n in (("input", 1), ("cached", 0.5))
    ]
    case = builders.case(
        builders.tables(
            demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0}],
            pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 0.5}],
            throughput=meters,
            offers=[],
        )
    )
    metrics = planner.metrics_of(case, solve(case, workers=1))
    whole = metrics.scaled[metrics.scaled["period"] == HORIZON].set_index("meter")
    assert whole["peak_units"].to_dict() == pytest.approx({"input": 10, "cached": 20})
    assert whole["requests"].sum() == pytest.approx(10 * WEEKS)
    assert metrics.coverage["scaled_requests"].sum() == pytest.approx(10 * WEEKS)
    assert metrics.costs["scaled_usd"].sum() == pytest.approx(30 * 0.5 * WEEKS)


@pytest.mark.parametrize("seed", [12, 15])
def test_figures_of_random_folders_add_up(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    features = "scaled", "pools", "meters", "unreserved", "commitments", "scenarios"
    generate.generate(str(folder), seed, regions=2, workloads=2, models=2, months=2, features=features)
    case = load(folder)
    plan = solve(case, workers=1)
    metrics = planner.metrics_of(case, plan)
    total = plan.totals.total_usd
    assert metrics.costs["total_usd"].sum() == pytest.approx(total)
    assert metrics.costs["scaled_usd"].sum() == pytest.approx(plan.totals.scaled_usd)
    months = metrics.scaled[metrics.scaled["period"] != HORIZON]
    assert months["scaled_usd"].sum() == pytest.approx(plan.totals.scaled_usd)
    assert (metrics.pools["utilisation"].fillna(0) <= 1 + 1e-9).all()
    assert (metrics.scaled["used_unit_hours"] <= metrics.scaled["unit_hours"] * (1 + 1e-9)).all()
    assert len(month_by_month(metrics.tasks)) == 1  # the formula of a task's cost gives what is attributed
