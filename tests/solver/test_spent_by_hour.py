"""Two contracts count the same dollar: then units that run by the hour may be worth running for nothing.

A week of January 2027 counts 31/7 times. 10 requests in hour 0 cost 3 USD each on demand, 93/7 x 10 = 132.857 USD over
the month; a unit that runs by the hour serves one for 2 USD. Both contracts ask for 500 USD of on-demand spend. A plan
without waste pays 500 twice, less what it spends once: 1,000 - 88.571. A dollar spent for nothing saves two of
shortfall, so the best plan spends 500 and nothing is short.
"""

import pytest

from planner.plan.audit import audit
from planner.schema.case import Case
from planner.solver.solve import solve
from tests import builders

WEEKS = 31 / 7


def sold(**pool: float) -> Case:
    return builders.case(
        builders.tables(
            demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0}],
            pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 2.0, **pool}],
            offers=[],
            spend_commitments=[{"contract": name, "usd": 500.0, "counts_reserved": False} for name in ("one", "two")],
        )
    )


def test_units_run_for_nothing_where_a_dollar_counts_twice() -> None:
    plan = solve(sold())
    assert plan.totals.total_usd == pytest.approx(500.0)
    assert plan.proof.bound_usd == pytest.approx(500.0)


@pytest.mark.parametrize("start_hours", [0.25, 2.0])
def test_starts_that_nothing_needs_are_spent_on_units_that_run(start_hours: float) -> None:
    case = sold(start_hours=start_hours)
    plan = solve(case)
    assert plan.totals.total_usd == pytest.approx(500.0)
    assert audit(case, plan) == []


def test_what_a_pool_may_run_limits_what_can_be_spent() -> None:
    """Of 0.1 units 168 hours can be paid a week, 0.1 x 168 x 2 x 31/7 = 148.80 USD, beside 132.857 on demand."""
    plan = solve(sold(max_scaled_units=0.1))
    spent = 0.1 * 168 * 2 * WEEKS + 10 * 3 * WEEKS
    assert plan.totals.total_usd == pytest.approx(spent + 2 * (500 - spent))
    assert plan.proof.bound_usd == pytest.approx(plan.totals.total_usd)
