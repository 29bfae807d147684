"""Work that can wait is served in the first of the hours that cost the same."""

import numpy as np
import pytest

from planner.model.index_tables import sets_of
from planner.schema.case import Case
from planner.solver.component import reduced_program
from planner.solver.continuous import open_program, solve_linear
from planner.solver.find import Options, find_plan
from planner.solver.highs import Clock
from planner.solver.scaling import column_scale
from planner.solver.ties import served_sooner
from tests import builders

HOURS = 31 * 24  # January 2027


@pytest.fixture
def case() -> Case:
    # 24 requests arise in the first hour of each day and may wait 23 hours; 6 units, owed: 6 requests in each hour, the
    # rest of the day's 24 hours is idle. Any 4 hours of room would do; the first 4 leave the least waiting
    rows = builders.tables(
        workloads=[{"workload": "w", "input_tokens": 60, "output_tokens": 0, "deadline_hours": 23}],
        demand=builders.profile("west", "w", [24.0, *[0.0] * 23]),
        commitments=[{"offer": "west-m-1m", "units": 6.0, "start": "2027-01-01", "end": "2027-02-01"}],
    )
    return builders.case(rows)


def test_nothing_waits_longer_than_room_and_price_ask(case: Case) -> None:
    plan = find_plan(case, Options(workers=1))
    assert plan.totals.on_demand_usd == 0
    waited = (plan.dispatch["hour_of_week"] - plan.dispatch["arrived_hour_of_week"]) % 168
    assert sorted(set(waited)) == [0, 1, 2, 3]
    assert plan.dispatch["requests_per_hour"].to_numpy() == pytest.approx(6.0)


def test_what_each_way_serves_at_each_price_stays_as_it_was(case: Case) -> None:
    # on demand costs 3 in the first hour of each day and 2 after it, the unit's 6 requests an hour are free
    cheap = builders.case(
        builders.tables(
            workloads=[{"workload": "w", "input_tokens": 60, "output_tokens": 0, "deadline_hours": 23}],
            demand=builders.profile("west", "w", [240.0, *[0.0] * 23]),
            commitments=[{"offer": "west-m-1m", "units": 6.0, "start": "2027-01-01", "end": "2027-02-01"}],
            price_factors=[
                {"hours_of_week": ";".join(f"{24 * d + 1}-{24 * d + 23}" for d in range(7)), "factor": 2 / 3}
            ],
        )
    )
    solve = open_program(reduced_program(sets_of(cheap.nothing_for_sale())), Clock())
    assert solve_linear(solve)
    program, before, at = solve.program, solve.session.values(), solve.program.columns
    after = served_sooner(program, before, column_scale(program.sets, at), Clock())
    assert program.cost @ after == pytest.approx(program.cost @ before, rel=1e-12)
    was, now = (np.bincount(at.flow_arc, values[at.flows]) for values in (before, after))
    assert was == pytest.approx(now)
    backlog = at.backlog[at.backlog >= 0]
    # each day 6 of 240 are served at once, 6 in each of 23 hours for nothing, and 96 at the lower price an hour later:
    # 234 wait for the first hour, then 132, 126, ... 6
    assert after[backlog].sum() * 1000 == pytest.approx(7 * (234 + sum(range(6, 133, 6))))
    assert before[backlog].sum() >= after[backlog].sum()
