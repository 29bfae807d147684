"""Terms in days that serve no period whole: nobody wants them, but what they cost is spent."""

import pytest

from planner.features.tasks.movement import month_by_month
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.task_costs import TaskCosts
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.solver.find import find_plan
from tests import builders


def case(contracts: list[dict[str, object]]) -> Case:
    """January 2027 cut at the 11th, and units for 7 days at 1 USD an hour: 168 USD, which serve no period whole."""
    return builders.case(
        builders.tables(
            demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 7.0}],
            offers=[{"offer": "7d", "pool": "west-m", "usd_per_unit_hour": 1.0, "term_days": 7}],
            spend_commitments=contracts,
        ),
        cuts="2027-01-11",
    )


def test_a_unit_that_serves_nothing_is_spent_for_two_contracts() -> None:
    """On demand costs 3 USD a request: 7 an hour x 31/7 weeks = 31 requests, 93 USD, counted in both contracts' month.

    One contract of 336 USD: 93 are spent, 243 would be short, and burning them on units costs as much: 336 either way.
    Two contracts of 336 USD: each dollar of a unit saves two, so 243 USD of units, 243/168 of one: 336 USD in place of
    93 + 2 x 243 = 579.
    """
    alone = find_plan(case([{"contract": "a", "usd": 336.0}]))
    assert alone.totals.total_usd == pytest.approx(336.0)
    both = find_plan(case([{"contract": "a", "usd": 336.0}, {"contract": "b", "usd": 336.0}]))
    assert both.totals.total_usd == pytest.approx(336.0)
    assert both.purchases["units"].sum() == pytest.approx(243 / 168)
    assert both.totals.on_demand_usd == pytest.approx(93.0)


def test_without_contracts_nobody_buys_it() -> None:
    plan = find_plan(case([]))
    assert plan.purchases.empty
    assert plan.totals.total_usd == pytest.approx(93.0)


def test_the_cost_of_a_task_counts_it() -> None:
    """Contract b asks for 300 USD to the 10th: 30 are spent on demand (7 x 10/7 x 3 USD), 270 on units, which a counts.

    The other 21 days cost 63 USD on demand. What is paid for units that serve nothing is borne by the requests.
    """
    contracts = [{"contract": "a", "usd": 400.0}, {"contract": "b", "usd": 300.0, "last_period": "2027-01-01"}]
    plan = find_plan(made := case(contracts))
    costs = TaskCosts.of(Basis.of(Reading(made, plan)))
    assert costs.table["total_usd"].sum() == pytest.approx(plan.totals.total_usd)
    (movement,) = month_by_month(costs)  # checks the formula against the attributed cost
    assert movement.workloads["usd_before"].sum() == pytest.approx(300.0)
    assert movement.workloads["usd_after"].sum() == pytest.approx(63.0)
