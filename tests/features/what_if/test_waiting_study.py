"""What waiting saves, by hand: 24 requests a day in one hour that may wait until the next day, on one unit."""

import pytest

from planner.features.what_if.rules_cost_study import other_deadlines, rules_cost
from planner.plan.reading import Reading
from planner.plan.rules_cost import Deadlines
from planner.solver.find import Options
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import workload


def test_plans_with_other_deadlines() -> None:
    # 11 hours: two units serve 24 requests in 12 hours (1488 USD). At once: 24 x 31 x 3 USD on demand. 22 hours, twice
    # as long: 24/23 units; a week: one unit
    demand = builders.profile("west", "w", [24.0] + [0.0] * 23)
    case = builders.case(builders.tables(demand=demand, workloads=[workload(deadline_hours=11)]))
    found = rules_cost(Reading(case, solve(case)), Options())
    assert found.total_usd == pytest.approx(2 * 744)
    cost = {each.deadlines: each.total_usd for each in found.waiting}
    assert cost == {
        Deadlines.NONE: pytest.approx(24 * 31 * 3),
        Deadlines.TWICE: pytest.approx(24 / 23 * 744),
        Deadlines.WEEK: pytest.approx(744),
    }


def test_served_at_once_it_steps_aside_all_the_same() -> None:
    tables = builders.two_regions(workloads=[workload(deadline_hours=3)])
    case = builders.case(tables, headroom=0.5, reserved_headroom=None)
    (_, at_once), *_ = other_deadlines(case)
    (w,) = at_once.workloads
    assert not w.can_wait
    assert at_once.reserved_headroom(w) == case.reserved_headroom(case.workloads[0]) == 0
    assert at_once.failover_share(w) == 0
    assert at_once.headroom_demand(w) == 1  # what is served anyway


def test_nothing_is_tried_where_nothing_waits() -> None:
    assert other_deadlines(builders.case(builders.tables())) == []
    longest = builders.case(builders.tables(workloads=[workload(deadline_hours=167)]))
    assert [deadlines for deadlines, _ in other_deadlines(longest)] == [Deadlines.NONE]
