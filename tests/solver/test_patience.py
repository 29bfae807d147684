"""A search that has a plan ends in time: the clock's patience, and a plan that states its gap."""

import time

import pytest

from planner.plan.plan import Status
from planner.solver.find import Options, find_plan
from planner.solver.highs import GOOD, POOR, Clock
from tests import builders


def test_a_plan_sets_the_end_and_a_later_one_does_not_move_it_away() -> None:
    now = time.monotonic()
    clock = Clock(patience=100.0, since=now - 30)  # 30 s for the plan: less than the patience
    clock.found(GOOD)
    assert clock.deadline == pytest.approx(now + 100, abs=1)
    clock.since = now - 500
    clock.found(GOOD)
    assert clock.deadline == pytest.approx(now + 100, abs=1)
    slow = Clock(patience=100.0, since=now - 500)
    slow.found(GOOD)
    assert slow.deadline == pytest.approx(now + 500, abs=1)
    poor = Clock(patience=100.0, since=now)
    poor.found(2 * GOOD)
    assert poor.deadline == pytest.approx(now + POOR * 100, abs=1)


def test_a_time_limit_is_not_shortened_by_patience() -> None:
    assert Options(time_limit_seconds=1000.0, patience_seconds=0.0).clock().patience == float("inf")
    assert Options(patience_seconds=7.0).clock().patience == 7.0


def test_without_patience_the_first_plan_is_returned_with_its_gap() -> None:
    # sizes 5, 8, 11 ... of two models in two regions that may lose each other: 11 + 8 units in each are needed
    case = builders.two_models_on_sizes()
    plan = find_plan(case, Options(patience_seconds=0.0, workers=1))
    best = find_plan(case, Options(workers=1))
    assert best.proof.status is Status.OPTIMAL
    assert best.totals.total_usd == pytest.approx(2 * 19 * 744)
    bound = plan.proof.bound_usd if plan.proof.tree_bound_usd is None else plan.proof.tree_bound_usd
    assert bound <= best.totals.total_usd + 1e-6 <= plan.totals.total_usd + 2e-6
