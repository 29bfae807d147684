"""Parts and the rows that tie them as one programme, and whole units from it: all solved by hand."""

import numpy as np
import pytest

from planner.model.columns import columns_of, sizes_beside
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve, spanning
from planner.schema.case import Case
from planner.solver.all_parts import AllParts, hardly_divided
from planner.solver.component import begin_component
from planner.solver.coupling import LivePart, coupling_of
from planner.solver.diving import Diving
from planner.solver.highs import Clock
from tests import builders
from tests.builders.one_hour import on_demand, two

HOURS = 744


def two_parts(budget_units: float, **policy: object) -> Case:
    """Ask for 7 requests an hour in east and 4 in west, under one budget for so many units.

    A unit serves one of them, costs 1 USD an hour and saves 3. Sizes: 2, 4, 6 in east, whole units in west. On demand
    has quotas of 7 requests an hour in east and 8 in west.
    """
    tables = two(
        1, 1,
        demand=[*builders.profile("east", "w", 7), *builders.profile("west", "w", 4)],
        offers=[{"offer": f"{r}", "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "unit_step": step, "min_units": low}
                for r, step, low in (("east", 2, 2), ("west", 1, 0))],
        on_demand=[on_demand(r, usd_per_mtok_input=3 / 60e-6, tokens_per_minute_quota=quota)
                   for r, quota in (("east", 7), ("west", 8))],
        routes=[],
    )  # fmt: skip
    return builders.case(
        tables, whole_units=True, max_commitment_usd=budget_units * HOURS, **{"failover": {"enabled": False}, **policy}
    )


def together(case: Case, clock: Clock | None = None) -> AllParts:
    whole = sets_of(case)
    wide = spanning(whole)
    loose = whole.without([family.name for family in wide])
    parts = [(part, begin_component(part, Clock())) for part in parts_to_solve(loose)]
    coupling = coupling_of(whole, wide, [solve.program for _, solve in parts if solve is not None])
    assert coupling is not None
    assert len(parts) == 2
    live = [
        LivePart(part, solve, solve.program, k, columns_of(solve.program.sets, True).sized, np.zeros(coupling.count))
        for k, (part, solve) in enumerate(parts)
        if solve is not None
    ]
    return AllParts(coupling, live, clock or Clock())


def test_the_optimum_and_the_price_of_the_row_that_ties_parts() -> None:
    # on demand alone 11 x 3; each of 9 units of budget saves 3 and costs 1, so a dollar of budget is worth 2
    whole = together(two_parts(9.0))
    assert whole.solve()
    assert whole.usd == pytest.approx((33 - 9 * 2) * HOURS)
    assert whole.prices == pytest.approx([-2.0])


def test_sizes_are_fixed_and_freed() -> None:
    whole = together(two_parts(10.4))
    sizes = np.array([2.0, 4.0])
    assert whole.solved_in(sizes, sizes)
    assert whole.usd == pytest.approx((33 - 6 * 2) * HOURS)
    assert np.concatenate([v[p.sized] for p, v in zip(whole.parts, whole.values)]) == pytest.approx(sizes)
    assert not whole.solved_in(np.array([8.0, 4.0]), np.array([8.0, 4.0]))  # 12 units of a budget of 10.4
    assert whole.solved_in(np.zeros(2), np.full(2, np.inf))
    assert whole.usd == pytest.approx((33 - 10.4 * 2) * HOURS)


def test_stress_rows_of_parts_are_kept_together() -> None:
    # a headroom of 0.3 asks 7 / 0.7 = 10 of east, of which on demand serves 7: 3 units, whatever they are worth;
    # 4 / 0.7 = 5.7 of west, which on demand serves. With 3 units of budget all go to east, with 2.9 there is no plan
    whole = together(two_parts(3.0, headroom=0.3, reserved_headroom=0.0))
    assert whole.solve()
    east, west = (v[p.sized] for p, v in zip(whole.parts, whole.values))
    assert (*east, *west) == pytest.approx((3.0, 0.0))
    assert not together(two_parts(2.9, headroom=0.3, reserved_headroom=0.0)).solve()


@pytest.mark.parametrize(("columns", "one_is_most"), [([6, 5], True), ([5, 5], False), ([7], True), ([], False)])
def test_where_one_part_is_most_of_it(columns: list[int], one_is_most: bool) -> None:
    assert hardly_divided(columns, 1) is one_is_most
    assert not hardly_divided(columns, 0)  # a budget, a share
    assert not hardly_divided([150_000, 60_000], 1)  # too many in all


@pytest.mark.parametrize(("budget", "units"), [(10.4, 10), (9.2, 9), (7.3, 7), (1.0, 1), (0.4, 0)])
def test_a_plan_in_whole_units_from_the_optimum(budget: float, units: int) -> None:
    # 2, 4 or 6 in east and up to 4 in west: every whole number of units but none above the budget. From 9.2 = 6 + 3.2
    # and 7.3 = 4 + 3.3 or 6 + 1.3 rounding alone stops a unit short: it is moved up
    whole = together(two_parts(budget))
    assert whole.solve()
    dive = Diving(whole)
    dive.search()
    assert dive.usd == pytest.approx((33 - 2 * units) * HOURS)
    east, west = dive.of_parts()
    assert east[0] + west[0] == pytest.approx(units)
    assert east[0] in (0, 2, 4, 6)


def test_out_of_time_there_is_no_plan_but_no_error() -> None:
    whole = together(two_parts(9.0))
    assert whole.solve()
    whole.clock.deadline = 0.0
    dive = Diving(whole)
    dive.search()
    assert dive.of_parts() == []
    assert dive.usd == np.inf


def test_sizes_next_to_an_amount() -> None:
    # 0, 5, 8, 11 ...; any amount from 5; 0, 2, 4 ...; a hair below a minimum of many steps is that minimum
    low, step = np.array([5.0] * 6 + [5.0, 5.0, 0.0, 100.0]), np.array([3.0] * 6 + [0.0, 0.0, 2.0, 1.0])
    size = np.array([0.0, 1.0, 5.0, 6.0, 8.0, 12.0, 4.0, 7.5, 3.0, 100.0 - 5e-8])
    below, above = sizes_beside(size, low, step)
    assert below.tolist() == [0, 0, 5, 5, 8, 11, 0, 7.5, 2, 100]
    assert above.tolist() == [0, 5, 5, 8, 8, 14, 5, 7.5, 4, 100]
