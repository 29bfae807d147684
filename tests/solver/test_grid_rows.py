"""Rows of the size grids: by hand, against every size on the grid, and random cases against the literal optimum."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from planner.model.index_tables import sets_of
from planner.model.program import program_of
from planner.model.reduce.components import parts_to_solve
from planner.schema.case import Case
from planner.solver import single
from planner.solver.component import begin_component
from planner.solver.continuous import LinearSolve
from planner.solver.grid_rows import GridRows, strengthened
from planner.solver.highs import Clock
from tests import builders
from tests.builders.literal_optimum import right
from tests.builders.one_hour import hours, on_demand, one
from tests.builders.random_tables import whole_cases


@pytest.fixture
def always() -> Iterator[None]:
    """No search by groups comes first, and none of it is done: the rows decide."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SMALL", "SOON", "SOONER", "ROUNDS"):
            patch.setattr(single, name, 0)
        yield


def stepped(*demand: float, **throughput: float) -> Case:
    """One region and workload; a unit serves one request an hour, and is deployed in steps of 5."""
    tables = one(
        *demand,
        offers=[{"offer": "x", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 1}],
        on_demand=[on_demand()],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1, "unit_step": 5, **throughput}],
    )
    return builders.case(tables, failover={"enabled": False}, headroom=0, reserved_headroom=0, whole_units=True)


@pytest.mark.parametrize(
    ("least", "units", "share", "right_side"),
    [
        # demand 7 lies between the sizes 5 and 10: y <= 5 + (7 - 5) / 5 (v - 5), which is 5.4 at v = 6
        (5, 6.0, 0.4, 3.0),
        # from 20 on: between nothing and 20 it is y <= 7 / 20 v, which is 2.1 at v = 6
        (20, 6.0, 0.35, 0.0),
    ],
)
def test_by_hand(least: float, units: float, share: float, right_side: float) -> None:
    program = program_of(sets_of(stepped(7.0, min_units=least)))
    at = program.columns
    values = np.zeros(at.count)
    values[at.deployed] = units
    values[GridRows(program).flow] = units / 1000  # krph
    found = GridRows(program).broken(values)
    assert found.count == 1
    assert found.upper == pytest.approx([right_side])
    assert dict(zip(found.column.tolist(), found.value.tolist())) == pytest.approx(
        {int(GridRows(program).flow[0]): 1000.0, int(at.deployed[0, 0]): -share}
    )


@pytest.mark.parametrize("units", [5.0, 10.0, 12.0])
def test_no_row_is_broken_on_the_grid_or_where_units_are_enough(units: float) -> None:
    program = program_of(sets_of(stepped(7.0)))
    values = np.full(program.columns.count, 0.0)
    values[program.columns.deployed] = units
    values[GridRows(program).flow] = min(units, 7.0) / 1000  # krph
    assert not GridRows(program).broken(values).count


def begun(case: Case) -> list[LinearSolve]:
    """Each part's optimum for units of any size."""
    found = (begin_component(part, Clock()) for part in parts_to_solve(sets_of(case)))
    return [one for one in found if isinstance(one, LinearSolve)]


def regions(seed: int) -> Case:
    """Two regions that serve each other in hours of random demand, deployed in steps of 2 to 5, some from more on."""
    random = np.random.default_rng(seed)
    step = random.integers(2, 6, 2)
    pools = [
        {"pool": f"{r}-m", "model": "m", "tokens_per_minute_per_unit": 1, "unit_step": int(s),
         "min_units": int(s * random.integers(1, 4))} for r, s in zip(("east", "west"), step)
    ]  # fmt: skip
    tables = builders.two_regions(
        demand=[*hours("east", "w", *random.uniform(1, 9, 20)), *hours("west", "w", *random.uniform(1, 9, 20))],
        throughput=pools,
        offers=[{"offer": r, "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "unit_step": 1} for r in ("east", "west")],
        on_demand=[on_demand(r, usd_per_mtok_input=30 / 60e-6) for r in ("east", "west")],
    )
    off = {"enabled": False}
    return builders.case(tables, failover=off, headroom=0, reserved_headroom=0, whole_units=True)


@pytest.mark.parametrize("seed", range(8))
def test_every_size_on_the_grid_keeps_every_row(seed: int) -> None:
    """At each size v as much load as it carries, and as is asked, is allowed: min(D, v) of the flows of a row."""
    (solve,) = begun(regions(seed))
    strong = strengthened(solve)
    assert strong is not None
    of_program, rows = GridRows(solve.program), strong.program.families[-1]
    assert rows.count > 0
    for row in range(rows.count):
        mine = rows.row == row
        column, value = rows.column[mine], rows.value[mine]
        (units,) = np.flatnonzero(np.isin(column, solve.program.columns.deployed))
        most: dict[int, float] = {}
        for flow, load in zip(column[value > 0], value[value > 0]):
            (entry,) = np.flatnonzero((of_program.flow == flow) & (of_program.load == load))[:1]
            pair = int(of_program.pair[entry])
            most[pair] = max(most.get(pair, 0.0), load * of_program.most[pair])
        low, step = of_program.low[column[units]], of_program.step[column[units]]
        for size in (0.0, *(low + step * np.arange(10))):
            assert min(sum(most.values()), size) + value[units] * size <= rows.upper[row] + 1e-7


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("seed", range(8))
def test_steps_have_the_literal_optimum(seed: int) -> None:
    assert right(regions(seed))


@pytest.mark.usefixtures("always")
@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(whole_cases())
def test_random_cases_have_the_literal_optimum(case: Case) -> None:
    assert right(case)


def test_they_raise_the_bound() -> None:
    """Demand of 7 in 100 hours and of 3 in 68, steps of 5.

    A unit is worth its 744 USD in every hour that it serves. Units of any size: 7 or 3. On the grid 5 carry all of the
    3, and 5 of the 7: rows say so before any search.
    """
    (solve,) = begun(stepped(*[7.0] * 100, *[3.0] * 68))
    before = solve.session.objective()
    strong = strengthened(solve)
    assert strong is not None
    assert strong is not solve
    assert strong.session.objective() > before * (1 + 1e-3)
