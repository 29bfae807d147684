"""Two contracts count the same dollar: then units may be worth paying for beyond what is deployed, and are deployed.

A unit at the unreserved price costs 1 USD an hour, 744 USD in January 2027. 10 requests in hour 0 cost 3 USD each on
demand, 31/7 times in the month; a unit serves one of them. Both contracts ask for 5,000 USD. A dollar spent for nothing
saves two of shortfall, so 5,000 / 744 = 6.72 units would be paid for if there were any number of them.
"""

from typing import Any

import pytest

from planner.plan.audit import audit
from planner.schema.case import Case
from planner.solver.solve import solve
from tests import builders

ON_DEMAND = 3 * 31 / 7  # USD, a request in hour 0


def two_contracts(whole_units: bool, on_demand: bool = False, models: int = 1, **pool: Any) -> Case:
    """Units are deployed in steps of 5 where ``whole_units``; ``on_demand`` : whether the contracts count that."""
    names = ["m", "n"][:models]
    return builders.case(
        builders.tables(
            demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0}],
            pools=[{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 1.0, **pool}],
            offers=[],
            models=[{"model": name} for name in names],
            mix=[{"workload": "w", "model": name, "min_share": 0.0, "max_share": 1.0} for name in names],
            throughput=[
                {"pool": "west-m", "model": name, "tokens_per_minute_per_unit": 1, "input_weight": 1, "unit_step": 5}
                for name in names
            ],
            spend_commitments=[
                {"contract": name, "usd": 5000.0, "counts_on_demand": on_demand} for name in ("one", "two")
            ],
        ),
        whole_units=whole_units,
    )


@pytest.mark.parametrize("models", [1, 2])
def test_units_of_any_size_are_deployed_as_far_as_they_are_paid_for(models: int) -> None:
    """6.72 units serve as many of the 10 requests."""
    case = two_contracts(False, models=models)
    plan = solve(case)
    assert plan.totals.total_usd == pytest.approx(5000 + (10 - 5000 / 744) * ON_DEMAND)
    assert plan.proof.bound_usd == pytest.approx(plan.totals.total_usd)
    assert plan.deployments["units"].sum() == pytest.approx(5000 / 744, rel=1e-5)
    assert audit(case, plan) == []


@pytest.mark.parametrize("models", [1, 2])
def test_of_sizes_the_one_that_costs_less_is_deployed(models: int) -> None:
    """5 units spend 3,720 and leave 1,280 short, twice; 10 units would cost 7,440.

    The bound lets any number of units be paid for beside the 5 that serve.
    """
    case = two_contracts(True, models=models)
    plan = solve(case)
    assert plan.totals.total_usd == pytest.approx(3720 + 2 * 1280 + 5 * ON_DEMAND)
    assert plan.proof.tree_bound_usd == pytest.approx(5000 + 5 * ON_DEMAND)
    assert plan.deployments["units"].tolist() == [5.0]
    assert audit(case, plan) == []


def test_what_sizes_leave_is_spent_on_units_that_run_by_the_hour() -> None:
    """A dollar on demand counts too, so 5,000 is the least: less is short twice, more is spent for nothing."""
    case = two_contracts(True, on_demand=True, usd_per_scaled_unit_hour=2.0)
    plan = solve(case)
    assert plan.totals.total_usd == pytest.approx(5000)
    assert plan.totals.shortfall_usd == pytest.approx(0, abs=1e-6)
    assert plan.proof.status == "optimal"
    assert audit(case, plan) == []
