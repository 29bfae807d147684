"""A search that has a plan ends in time: the clock's patience, and a plan that states its gap."""

import time

import pytest

from planner.errors import StoppedError
from planner.model.columns import affordable_sizes
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve
from planner.model.sets import Sets
from planner.plan.plan import Status
from planner.solver import begun, direct
from planner.solver.component import ComponentPlan, begin_component
from planner.solver.continuous import LinearSolve
from planner.solver.direct import search
from planner.solver.find import Options, find_plan
from planner.solver.highs import GOOD, POOR, Clock
from planner.solver.infeasible import ChangeSearch
from tests import builders
from tests.builders.one_hour import two


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


@pytest.mark.parametrize("tied", [False, True])
def test_each_part_has_its_own_time(tied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # a part that waited for others before it is not searched for as long as it waited; a budget that does not bind
    # lets both parts begin together
    ages, real = [], begun.finish_component

    def slow(part: Sets, solve: LinearSolve, gap: float, solver: str) -> ComponentPlan | None:
        ages.append(time.monotonic() - solve.session.clock.since)
        time.sleep(0.3)
        return real(part, solve, gap, solver)

    monkeypatch.setattr(begun, "finish_component", slow)
    tables = two(1, 1, routes=[], demand=[*builders.profile("east", "w", 7), *builders.profile("west", "w", 4)])
    case = builders.case(tables, whole_units=True, failover={"enabled": False})
    find_plan(case.with_policy(max_commitment_usd=1e9) if tied else case, Options(workers=1))
    assert len(ages) == 2
    assert max(ages) < 0.25


def test_that_a_changed_case_has_a_plan_is_no_reason_to_stop_looking() -> None:
    (part,) = parts_to_solve(sets_of(builders.two_models_on_sizes()))
    clock = Clock(patience=0.0)
    assert ChangeSearch.part_has_plan(part, clock)
    assert clock.left() == float("inf")


def test_a_plan_that_was_found_stays_where_its_last_digits_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    # as in a company with a contract and risk: the search had a plan, and the linear programme at its sizes none yet
    def late(solve: LinearSolve) -> bool:
        raise StoppedError("the time is over")

    (part,) = parts_to_solve(sets_of(builders.two_models_on_sizes()))
    solve = begin_component(part, Clock())
    assert solve is not None
    largest = affordable_sizes(part, solve.program.columns, solve.program.cost, 1e6)[0]
    sharp = search(solve, largest, 1e-4, Clock())
    monkeypatch.setattr(direct, "solve_linear", late)
    found = search(solve, largest, 1e-4, Clock())
    assert sharp is not None
    assert found is not None
    assert found.usd == pytest.approx(sharp.usd, rel=1e-6)


def test_without_patience_the_first_plan_is_returned_with_its_gap() -> None:
    # sizes 5, 8, 11 ... of two models in two regions that may lose each other: 11 + 8 units in each are needed
    case = builders.two_models_on_sizes()
    plan = find_plan(case, Options(patience_seconds=0.0, workers=1))
    best = find_plan(case, Options(workers=1))
    assert best.proof.status is Status.OPTIMAL
    assert best.totals.total_usd == pytest.approx(2 * 19 * 744)
    bound = plan.proof.bound_usd if plan.proof.tree_bound_usd is None else plan.proof.tree_bound_usd
    assert bound <= best.totals.total_usd + 1e-6 <= plan.totals.total_usd + 2e-6


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_a_search_that_met_no_plan_in_time_goes_on_to_its_first_and_ends(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as above, 38 units; the time is over at once, then after so many seconds more
    (part,) = parts_to_solve(sets_of(builders.two_models_on_sizes()))
    asked: list[float] = []

    def over(clock: Clock) -> float:
        asked.append(seconds if len(asked) % 2 else 0.0)
        return asked[-1]

    solve = begin_component(part, Clock(patience=0.0))
    assert solve is not None
    monkeypatch.setattr(Clock, "without_plan", over)
    sets, program = solve.program.sets, solve.program
    most = affordable_sizes(sets, program.columns, program.cost, 16 * solve.session.objective())[0]  # not found at once
    found = search(solve, most, 1e-6, Clock())
    assert found is not None
    assert asked[:2] == [0.0, seconds]
    assert found.bound_usd <= 38 * 744 * (1 + 1e-9)
    assert found.usd >= 38 * 744 * (1 - 1e-9)
    if seconds:
        assert found.usd == pytest.approx(38 * 744)
        assert found.bound_usd == pytest.approx(38 * 744, rel=1e-5)
