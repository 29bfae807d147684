"""Large parts by their slots' means: solved by hand, and random cases and unknown families against the literal one."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from planner.errors import StoppedError
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve
from planner.schema.case import Case
from planner.solver import find, partition
from planner.solver.component import ComponentPlan, begin_component, finish_component, reduced_program
from planner.solver.highs import Clock
from planner.solver.partition import may_be_grouped, solve_by_means
from tests import builders
from tests.builders.literal_optimum import TINY_GAP, literal_usd, right
from tests.builders.one_hour import on_demand, one
from tests.builders.random_tables import whole_cases


@pytest.fixture
def small() -> Iterator[None]:
    """Every part is large enough, and begins with one group for each kind of slot."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "LARGE", 0)
        patch.setattr(partition, "DEPTH", 0)
        yield


def by_means(case: Case, gap: float = TINY_GAP) -> list[ComponentPlan | None]:
    """Each part's plan."""
    return [solve_by_means(part, reduced_program(part), gap, Clock()) for part in parts_to_solve(sets_of(case))]


@pytest.mark.usefixtures("small")
def test_two_groups_are_enough_for_a_price_of_two_levels() -> None:
    """A unit that serves a request an hour costs 744 x 1 USD a month, a request on demand 3 USD, in 31/7 weeks.

    Of n hours that ask for a unit it replaces 3 x 31/7 x n USD: it pays from 744 / (3 x 31/7) = 56 hours on. 60 hours
    ask for 2, 40 for 5, 68 for nothing. 2 units are bought (100 hours use them), the third would have 40 hours only:
    2 x 744 + 40 x 3 x 3 x 31/7 = 1488 + 1594.29 = 3082.29 USD.

    Their mean, (60 x 2 + 40 x 5) / 100 = 3.2 in 100 hours, would buy 3.2 units: 2380.80 USD, too little. So the hours
    are split once, and in two.
    """
    case = builders.case(
        one(*[2.0] * 60, *[5.0] * 40, offers=[{"offer": "x", "pool": "west-m", "usd_per_unit_hour": 1.0}],
            on_demand=[on_demand()]),
        failover={"enabled": False}, headroom=0, reserved_headroom=0,
    )  # fmt: skip
    (part,) = parts_to_solve(sets_of(case))
    search = partition._Partition(part, reduced_program(part), partition.ANY_SIZE_GAP, Clock())
    # equal hours are one slot already: without that, 100 of them
    plan = search.plan()
    assert plan is not None
    assert plan.usd == pytest.approx(2 * 744 + 40 * 3 * 3 * 31 / 7)
    assert plan.committed == pytest.approx([2.0])
    assert plan.bound_usd == pytest.approx(plan.usd, rel=1e-9)
    assert int(search.group_of.max()) + 1 == 2


@pytest.mark.usefixtures("small")
@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(whole_cases())
def test_random_cases_have_the_literal_optimum(case: Case) -> None:
    assert right(case)


def busy(seed: int, whole_units: bool, months: int = 2) -> Case:
    """Two regions with random demand in every hour of two months, quotas, a lost region, a term of two months."""
    random = np.random.default_rng(seed)
    names = ["2027-01", "2027-02"][:months]
    demand = [
        {**row, "period": name}
        for r in ("east", "west")
        for name in names
        for row in builders.profile(r, "w", random.uniform(1, 9, 168).tolist())
    ]
    tables = builders.two_regions(
        demand=demand,
        offers=[{"offer": f"{r}-{term}", "pool": f"{r}-m", "usd_per_unit_hour": 1.1 / term**0.2, "min_units": 2,
                 "unit_step": 1, "term_months": term} for r in ("east", "west") for term in (1, 2)],
        on_demand=[on_demand(r, usd_per_mtok_input=1.8 / 60e-6, tokens_per_minute_quota=8) for r in ("east", "west")],
    )  # fmt: skip
    return builders.case(
        tables, months=months, whole_units=whole_units, failover={"enabled": True, "share": 0.6, "on_demand_trust": 0.5}
    )


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("whole_units", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_finds_what_the_whole_programme_finds(seed: int, whole_units: bool) -> None:
    gap = 1e-4 if whole_units else 1e-8
    (part,) = parts_to_solve(sets_of(busy(seed, whole_units)))
    reduced = reduced_program(part)
    plan = solve_by_means(part, reduced, gap, Clock())
    solve = begin_component(part, Clock(), reduced)
    assert plan is not None
    assert solve is not None
    other = finish_component(part, solve, gap)
    assert other is not None
    assert plan.tree_bound_usd <= other.usd * (1 + 1e-9)
    assert other.tree_bound_usd <= plan.usd * (1 + 1e-9)
    assert plan.usd - plan.tree_bound_usd <= gap * plan.usd
    assert plan.bound_usd == pytest.approx(other.bound_usd, rel=1e-4 if whole_units else 1e-8)


@pytest.mark.usefixtures("small")
def test_units_that_leave_some_hour_unserved_split_the_groups_of_its_period() -> None:
    """On demand may serve 3 a minute: hours of 1 and 9 ask for 6 units, their mean of 5 for 2. No stress case helps."""
    case = builders.case(
        one(1.0, 9.0, offers=[{"offer": "x", "pool": "west-m", "usd_per_unit_hour": 1.0}],
            on_demand=[on_demand(tokens_per_minute_quota=3, usd_per_mtok_input=1.0)]),
        failover={"enabled": False}, headroom=0, reserved_headroom=0,
    )  # fmt: skip
    (plan,) = by_means(case)
    assert plan is not None
    assert plan.committed == pytest.approx([6.0])
    assert plan.usd == pytest.approx(literal_usd(case))


@pytest.mark.usefixtures("small")
def test_work_that_waits_units_by_the_hour_and_rows_over_months_are_left_to_others() -> None:
    case = busy(1, False, months=1)
    waits = replace(case, workloads=tuple(w.model_copy(update={"deadline_hours": 3}) for w in case.workloads))
    priced = {"usd_per_scaled_unit_hour": 1.2, "max_scaled_units": 9.0}
    by_hour = replace(case, pools=tuple(pool.model_copy(update=priced) for pool in case.pools))
    (part,) = parts_to_solve(sets_of(case))
    assert may_be_grouped(reduced_program(part))
    for other in (waits, by_hour):
        (part,) = parts_to_solve(sets_of(other))
        assert not may_be_grouped(reduced_program(part))


@pytest.mark.usefixtures("small")
def test_a_search_that_the_time_ends_leaves_a_plan_and_what_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock runs out in the first search of whole units: its plan is finished all the same, with its bounds."""
    (part,) = parts_to_solve(sets_of(busy(1, True)))
    reduced, clock = reduced_program(part), Clock.of(1e6)
    search = partition._Partition(part, reduced, 1e-9, clock)
    real = partition.solve_sizes

    def last(*given: object, **named: object) -> object:
        found = real(*given, **named)  # type: ignore[arg-type]
        monkeypatch.setattr(search, "_solve", stopped)
        return found

    def stopped() -> bool:
        raise StoppedError("out of time")

    monkeypatch.setattr(partition, "solve_sizes", last)
    plan = search.plan()
    assert plan is not None
    assert clock.deadline == np.inf
    assert plan.bound_usd <= plan.tree_bound_usd <= plan.usd


def test_a_large_part_has_no_more_than_its_turn_of_a_limited_time() -> None:
    """Of 80 s for 8 parts on 2 cores each has 20 s, or as much as some need; of an unlimited time, all."""
    clock = Clock.of(80.0)
    assert find._turn(clock, 8, 2).deadline == pytest.approx(clock.deadline - 60.0, abs=0.5)
    assert find._turn(clock, 8, 2, 30.0).deadline == pytest.approx(clock.deadline - 50.0, abs=0.5)
    assert find._turn(clock, 8, 2, 90.0).deadline == pytest.approx(clock.deadline, abs=0.5)
    assert find._turn(clock, 1, 2).deadline == pytest.approx(clock.deadline, abs=0.5)
    assert find._turn(Clock(), 8, 2).deadline == np.inf
