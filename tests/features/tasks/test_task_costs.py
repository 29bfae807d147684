"""Cost of a task by workload, origin, region, model and month: by hand, and adding up to the plan's total."""

import numpy as np
import pytest

from planner.features.tasks import spread, task_costs, trend
from planner.plan.metrics import HORIZON
from planner.plan.metrics.metric_tables import TASKS
from planner.plan.metrics.task_costs import NOBODY
from planner.verify.figures import metrics_of
from tests import builders
from tests.builders.hand_plans import hourly
from tests.builders.task_plans import MONTHS, OFFER, ON_DEMAND, THROUGHPUT, WORKLOAD, flow, january, priced, random_plan


def test_the_plan_of_tiny() -> None:
    costs = january()
    assert tuple(costs.table.columns) == TASKS.columns
    one = costs.by("workload").iloc[0]
    assert (one["tasks"], one["requests"], one["reserved_requests"]) == pytest.approx((3_720, 7_440, 5_952))
    assert (one["capacity_usd"], one["on_demand_usd"], one["total_usd"]) == pytest.approx((7_440, 4_464, 11_904))
    assert (one["usd_per_task"], one["usd_per_thousand_requests"]) == pytest.approx((3.2, 1_600))


def test_by_origin_and_by_serving_region() -> None:
    """East sends 4 requests an hour to west's units, west 4: the units' 10 USD an hour are halved.

    West's on demand serves 2 of west at 3 USD; 744 hours.
    """
    rows = builders.two_regions(workloads=[WORKLOAD], throughput=[THROUGHPUT],
                                pools=[{"pool": "west-m", "region": "west"}], offers=[OFFER])  # fmt: skip
    case = builders.case(rows)
    flows = [flow("west-m", 4.0, origin="east"), flow("west-m", 4.0), flow("standard", 2.0)]
    costs = task_costs(case, priced(case, {("west-m", "2027-01"): 10.0}, hourly(flows)))
    origin = costs.by("origin").set_index("origin")
    assert origin["total_usd"].to_dict() == pytest.approx({"east": 5 * 744, "west": (5 + 6) * 744})
    assert origin["usd_per_task"].to_dict() == pytest.approx({"east": 2.5, "west": 11 / 3})
    assert costs.by("region")["total_usd"].tolist() == pytest.approx([16 * 744])


def test_units_on_standby_go_where_the_requests_that_bear_them_are_served() -> None:
    """East's pool serves nothing; its 5 units are borne by all requests that may use its model, served in west."""
    rows = builders.two_regions(workloads=[WORKLOAD])
    case = builders.case(rows)
    costs = task_costs(case, priced(case, {("east-m", "2027-01"): 5.0}, hourly([flow("standard", 2.0)])))
    one = costs.table.iloc[0]
    assert (one["origin"], one["region"], one["capacity_usd"]) == ("west", "west", pytest.approx(5 * 744))


def test_months_and_trend() -> None:
    """3.20 USD a task in January; in February 12 units at 1 USD an hour: 12 + 6 USD an hour for 5 tasks an hour."""
    case = builders.case(
        builders.tables(workloads=[WORKLOAD], throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER]), months=2
    )
    flows = hourly([flow("west-m", 8.0), flow("standard", 2.0)], periods=MONTHS)
    costs = task_costs(case, priced(case, dict(zip([("west-m", m) for m in MONTHS], (10.0, 12.0))), flows))
    table = costs.by_month("workload")
    assert table["period"].tolist() == [*MONTHS, HORIZON]
    assert table["usd_per_task"].tolist() == pytest.approx([3.2, 3.6, (16 * 744 + 18 * 672) / (5 * 1_416)])
    second = trend(costs).iloc[1]
    assert (second["change_usd"], second["change_share"]) == pytest.approx((0.4, 0.125))
    assert (second["since_first_usd"], second["since_first_share"]) == pytest.approx((0.4, 0.125))
    assert np.isnan(trend(costs).iloc[0]["change_usd"])
    by_month = spread(costs).set_index("over").loc["month"]
    assert (by_month["lowest"], by_month["highest"]) == MONTHS
    mean, share = (16 * 744 + 18 * 672) / (5 * 1_416), 672 / 1_416
    assert by_month["usd_per_task"] == pytest.approx(mean)
    assert by_month["deviation_usd"] == pytest.approx(0.4 * (share * (1 - share)) ** 0.5)  # of a two-valued variable
    assert by_month["variation"] == pytest.approx(by_month["deviation_usd"] / mean)


def test_capacity_without_any_request_is_nobodys() -> None:
    case = builders.case(builders.tables())
    costs = task_costs(case, priced(case, {("west-m", "2027-01"): 10.0}, hourly([]).iloc[:0]))
    one = costs.by("workload").iloc[0]
    assert (one["workload"], one["total_usd"]) == (NOBODY, pytest.approx(7_440))
    assert np.isnan(one["usd_per_task"])
    assert trend(costs).empty
    assert spread(costs).empty


@pytest.mark.parametrize("seed", range(12))
def test_adds_up_to_the_total(seed: int) -> None:
    case, plan = random_plan(seed)
    costs = task_costs(case, plan)
    total = plan.totals.total_usd
    assert costs.table["total_usd"].sum() == pytest.approx(total, rel=1e-12)
    months = metrics_of(case, plan).months.set_index("period")["total_usd"]
    for keys in (["workload"], ["origin"], ["region"], ["model"], ["origin", "region", "model"]):
        found = costs.by_month(*keys)
        whole = found[found["period"] == HORIZON]
        assert whole["total_usd"].sum() == pytest.approx(total, rel=1e-12)
        by_month = found[found["period"] != HORIZON].groupby("period")["total_usd"].sum()
        assert by_month.to_dict() == pytest.approx({m: months[m] for m in by_month.index}, rel=1e-9, abs=1e-9)
    assert costs.table[["requests", "reserved_requests", "capacity_usd", "on_demand_usd"]].to_numpy().min() >= 0
