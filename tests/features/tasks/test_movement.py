"""Why the cost of a task moved: one factor at a time, by hand; and identities that hold for any pair of plans."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import AuditError, InputError
from planner.features.tasks import Movement, month_by_month, task_costs, why_moved
from planner.features.tasks import task_formula as f
from planner.features.tasks.movement import MOVEMENT_FIGURES, shapley
from planner.solver.solve import solve
from tests import builders
from tests.builders.declared import undeclared
from tests.builders.hand_plans import hourly
from tests.builders.task_plans import (
    HOURS,
    MONTHS,
    OFFER,
    ON_DEMAND,
    SERVED,
    THROUGHPUT,
    WORKLOAD,
    flow,
    january,
    priced,
    random_plan,
)

ONLY: dict[str, tuple[dict[str, Any], str, float]] = {
    # on demand 6 USD a request: 2 x 744 x 6 = 8,928 instead of 4,464 USD, over 3,720 tasks
    "on-demand price": ({"on_demand": {"usd_per_mtok_input": 100_000.0}}, f.PRICE, 1.2),
    # units 1.5 USD an hour: 11,160 instead of 7,440 USD
    "unit price": ({"offer": {"usd_per_unit_hour": 1.5}}, f.PRICE, 1.0),
    # 90 tokens: 15 units do what 10 did, and on demand costs 4.5 USD a request; all is 1.5 times 3.20
    "token lengths, units follow": ({"workload": {"input_tokens": 90}, "units": 15.0}, f.TOKENS, 1.6),
    # half of the input is read from cache, where it costs nothing: 5 units, on demand 1.5 USD a request
    "cache rate, units follow": ({"workload": {"cache_hit_rate": 0.5}, "units": 5.0}, f.CACHE, -1.6),
    # the same on demand only: 2,232 USD less
    "cache rate on demand": ({"workload": {"on_demand_cache_hit_rate": 0.5}}, f.CACHE, -0.6),
    "requests per task": ({"workload": {"requests_per_task": 3}}, f.TASK_SIZE, 1.6),
    # a unit serves two tokens a minute: 5 units do
    "throughput, units follow": ({"throughput": {"tokens_per_minute_per_unit": 2}, "units": 5.0}, f.THROUGHPUT, -1.0),
    "bursts, units follow": ({"workload": {"burst_factor": 1.25}, "units": 12.5}, f.THROUGHPUT, 0.5),
    # 12 units where 10 did: 1,488 USD more
    "utilisation": ({"units": 12.0}, f.UTILISATION, 0.4),
    # 5 units serve 4, on demand 6: 3,720 + 13,392 = 17,112 USD
    "coverage": ({"units": 5.0, "flows": (flow("west-m", 4.0), flow("standard", 6.0))}, f.COVERAGE, 1.4),
    # twice the volume, the same units, all of the growth on demand: 7,440 + 12 x 744 x 3 = 34,224 USD, 7,440 tasks
    "volume overflows": ({"flows": (flow("west-m", 8.0), flow("standard", 12.0))}, f.VOLUME, 1.4),
    # 1.25 times the volume, all of it as before, on the same units: 7,440 + 5,580 = 13,020 USD, 4,650 tasks
    "volume fills units": ({"flows": (flow("west-m", 10.0), flow("standard", 2.5))}, f.VOLUME, -0.4),
    # half the volume, the same units: 7,440 + 2,232 = 9,672 USD, 1,860 tasks
    "volume falls": ({"flows": (flow("west-m", 4.0), flow("standard", 1.0))}, f.VOLUME, 2.0),
    # 0.8 of the volume, and units serve all of it: 7,440 USD, 2,976 tasks
    "volume falls, on demand goes first": ({"flows": (flow("west-m", 8.0),)}, f.VOLUME, 7_440 / 2_976 - 3.2),
}  # fmt: skip


def effects(movement: Movement, workload: str = "w") -> dict[str, float]:
    """USD per task by factor."""
    own = movement.effects[(movement.effects["workload"] == workload) & (movement.effects["factor"] != f.TASKS)]
    return dict(zip(own["factor"], own["usd_per_task"], strict=True))


@pytest.mark.parametrize("name", ONLY)
def test_one_change_is_put_down_to_one_factor(name: str) -> None:
    change, factor, usd = ONLY[name]
    movement = why_moved(january(), january(**change))
    assert effects(movement) == {factor: pytest.approx(usd, abs=1e-12)}
    assert [line for frame in MOVEMENT_FIGURES for line in undeclared(frame, getattr(movement, frame.name))] == []
    assert effects(why_moved(january(**change), january())) == {factor: pytest.approx(-usd, abs=1e-12)}


def test_units_that_follow_volume_change_nothing() -> None:
    doubled = january(units=20.0, flows=(flow("west-m", 16.0), flow("standard", 4.0)))
    movement = why_moved(january(), doubled)
    assert effects(movement) == {}
    assert movement.by_factor.to_dict("list") == {"factor": [f.TASKS], "usd": [pytest.approx(11_904)]}


def test_units_that_follow_volume_in_part() -> None:
    """Twice the volume on 15 units: 12 served by 15 units as well as 8 by 10, and 8 instead of 4 on demand.

    11,160 + 8 x 744 x 3 = 29,016 USD, 7,440 tasks: 3.90 USD. Utilisation stays at 0.8; 0.6 instead of 0.8 is covered,
    for the units did not follow in full: all volume.
    """
    movement = why_moved(january(), january(units=15.0, flows=(flow("west-m", 12.0), flow("standard", 8.0))))
    assert effects(movement) == {f.VOLUME: pytest.approx(0.7)}


def test_more_units_than_volume_asks_for() -> None:
    """1.25 times the volume on twice the units: 20 instead of 12.5; utilisation 0.5 instead of 0.8.

    14,880 + 5,580 = 20,460 USD over 4,650 tasks: 4.40 USD. Volume asks for no less units, so it is utilisation.
    """
    movement = why_moved(january(), january(units=20.0, flows=(flow("west-m", 10.0), flow("standard", 2.5))))
    assert effects(movement) == {f.UTILISATION: pytest.approx(1.2)}


def test_model_mix() -> None:
    """Model n costs 1 USD a request on demand: half of the requests there, 2 instead of 3 USD in the mean, 2 a task."""
    two = {
        "models": [{"model": "m"}, {"model": "n"}],
        "mix": [{"workload": "w", "model": "m"}, {"workload": "w", "model": "n"}],
        "on_demand": [ON_DEMAND, ON_DEMAND | {"model": "n", "usd_per_mtok_input": 1e6 / 60}],
    }

    def plan(m: float, n: float) -> Any:
        rows = builders.tables(workloads=[WORKLOAD], pools=[], throughput=[], offers=[], **two)
        case = builders.case(rows)
        return task_costs(case, priced(case, {}, hourly([flow("standard", m), flow("standard", n, model="n")])))

    movement = why_moved(plan(10.0, 0.0), plan(5.0, 5.0))
    assert effects(movement) == {f.MIX: pytest.approx(-2.0)}
    told = movement.evidence.iloc[0]
    assert (told["factor"], told["what"], told["before"], told["after"]) == (f.MIX, "share of n", 0.0, 0.5)


def test_regions_and_egress() -> None:
    """East's requests are served in west: 240 bytes at 1e6 USD/GB are 0.24 USD a request, 0.48 a task."""
    rows = builders.two_regions(
        workloads=[WORKLOAD], pools=[], throughput=[], offers=[],
        routes=[{"origin": "east", "destination": "west", "usd_per_gb": 1e6}],
    )  # fmt: skip
    case = builders.case(rows)

    def plan(region: str) -> Any:
        return task_costs(case, priced(case, {}, hourly([flow("standard", 10.0, origin="east", region=region)])))

    assert effects(why_moved(plan("east"), plan("west"))) == {f.REGIONS: pytest.approx(0.48)}


def test_two_factors_are_divided_by_halves() -> None:
    """Price and tokens of what is all on demand: 3 x 2 USD a task to 4.5 x 4: +12, of which Shapley gives each a part.

    Tokens first 3, price after it 9; price first 6, tokens after it 6: tokens (3 + 6) / 2, price (6 + 9) / 2.
    """
    bought = (flow("standard", 10.0),)
    after = january(units=0.0, flows=bought, workload={"input_tokens": 90}, on_demand={"usd_per_mtok_input": 1e5})
    movement = why_moved(january(units=0.0, flows=bought), after)
    assert effects(movement) == {f.PRICE: pytest.approx(7.5), f.TOKENS: pytest.approx(4.5)}


def two_months(units: dict[str, float], served: dict[str, tuple[float, float]]) -> Any:
    """The plan of `tiny` in January and February: units, and requests an hour of units and on demand, by month."""
    case = builders.case(
        builders.tables(workloads=[WORKLOAD], throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER]), months=2
    )
    flows = [hourly([flow("west-m", a), flow("standard", b)], periods=(m,)) for m, (a, b) in served.items()]
    flows = [frame[frame["requests_per_hour"] > 0] for frame in flows]
    plan = priced(case, {("west-m", m): n for m, n in units.items()}, pd.concat(flows, ignore_index=True))
    return task_costs(case, plan)


def test_a_short_month_is_not_less_volume() -> None:
    costs = two_months(dict.fromkeys(MONTHS, 10.0), dict.fromkeys(MONTHS, (8.0, 2.0)))
    (movement,) = month_by_month(costs)
    assert (movement.before, movement.after) == MONTHS
    assert effects(movement) == {}
    january_usd, february_usd = (HOURS[m] * 16.0 for m in MONTHS)  # 10 + 2 x 3 USD an hour
    assert list(movement.workloads.loc[0, ["usd_before", "usd_after"]]) == pytest.approx([january_usd, february_usd])
    assert movement.by_factor["usd"].tolist() == pytest.approx([february_usd - january_usd])


def test_a_month_in_which_units_stand_by() -> None:
    """In February nothing is sent to the units: 10 x 672 USD are borne all the same, 2 USD a task; on demand 6 USD.

    8.00 USD instead of 3.20: all on demand costs 2.80 more, and the units that stand by 2.00.
    """
    costs = two_months(dict.fromkeys(MONTHS, 10.0), {"2027-01": (8.0, 2.0), "2027-02": (0.0, 10.0)})
    found = effects(why_moved(costs, costs, *MONTHS))
    assert found == {f.COVERAGE: pytest.approx(2.8), f.UTILISATION: pytest.approx(2.0)}


def test_a_workload_on_one_side_only() -> None:
    both = {
        "workloads": [WORKLOAD, WORKLOAD | {"workload": "v"}],
        "mix": [{"workload": w, "model": "m"} for w in ("w", "v")],
        "flows": (*SERVED, flow("standard", 1.0, workload="v")),
    }
    rows = {key: both[key] for key in ("workloads", "mix")}
    case = builders.case(builders.tables(throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER], **rows))
    after = task_costs(case, priced(case, {("west-m", "2027-01"): 10.0}, hourly(list(both["flows"]))))
    movement = why_moved(january(), after)
    assert effects(movement) == {}
    new = movement.effects.iloc[0]
    assert (new["workload"], new["factor"], new["usd"]) == ("v", f.TASKS, pytest.approx(744 * 3))


def test_capacity_without_any_request() -> None:
    case = builders.case(builders.tables(demand=builders.profile("west", "w", 1.0)))
    nothing = hourly([]).iloc[:0]
    costs = [task_costs(case, priced(case, {("west-m", "2027-01"): n}, nothing)) for n in (10.0, 12.0)]
    movement = why_moved(*costs)
    assert movement.effects.to_dict("list")["usd"] == [pytest.approx(2 * 744)]
    assert movement.effects["factor"].tolist() == [f.UTILISATION]


def test_no_such_month() -> None:
    with pytest.raises(InputError, match=r"no such month .found '2027-02'.; allowed: 2027-01"):
        why_moved(january(), january(), "2027-01", "2027-02")


def test_nothing_is_said_where_the_formula_does_not_hold() -> None:
    costs = january()
    wrong = replace(costs, basis=replace(costs.basis, case=january(workload={"input_tokens": 61}).basis.case))
    with pytest.raises(AuditError, match="the formula gives"):
        why_moved(wrong, costs)


def test_shapley_by_hand() -> None:
    """The value is a x b, from 1 x 2 to 3 x 5: a first adds 4, last 10; b first 3, last 9; c adds nothing."""

    def value(changed: frozenset[str]) -> Any:
        return np.array([(3 if "a" in changed else 1) * (5 if "b" in changed else 2)], dtype=float)

    assert shapley(value, ("a", "b", "c"))[:, 0] == pytest.approx([7, 6, 0])
    assert shapley(value, ()).shape == (0, 1)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seeds=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)))
def test_identities_of_any_two_plans(seeds: tuple[int, int]) -> None:
    """Parts add up; turning the question round turns every sign; the order of rows does not matter."""
    first, second = (task_costs(*random_plan(seed)) for seed in seeds)
    movement = why_moved(first, second)
    change = movement.workloads["usd_after"].sum() - movement.workloads["usd_before"].sum()
    scale = movement.workloads[["usd_before", "usd_after"]].to_numpy().sum()
    assert movement.effects["usd"].sum() == pytest.approx(change, abs=1e-9 * scale)
    for row in movement.workloads.itertuples():
        moved = row.usd_per_task_after - row.usd_per_task_before
        if np.isfinite(moved):
            assert sum(effects(movement, row.workload).values()) == pytest.approx(moved, abs=1e-9 * scale)
        own = movement.effects[movement.effects["workload"] == row.workload]["usd"].sum()
        assert own == pytest.approx(row.usd_after - row.usd_before, abs=1e-9 * scale)
    turned = {key: -usd for key, usd in effects_by_name(movement).items()}
    assert effects_by_name(why_moved(second, first)) == pytest.approx(turned, abs=1e-9 * scale)
    case, plan = random_plan(seeds[1])
    shuffled = replace(plan, **{name: getattr(plan, name).sample(frac=1.0, random_state=1)
                                for name in ("purchases", "deployments", "dispatch")})  # fmt: skip
    again = why_moved(first, task_costs(case, shuffled))
    assert effects_by_name(again) == pytest.approx(effects_by_name(movement), abs=1e-9 * scale)


def effects_by_name(movement: Movement) -> dict[tuple[str, str], float]:
    return {(row.workload, row.factor): row.usd for row in movement.effects.itertuples()}


def test_more_demand_on_units_already_owed_is_volume_alone() -> None:
    """10 units are owed, none for sale. Demand is 4 and 12 requests an hour in turn, then 5 and 15.

    Units serve 4 and 10, then 5 and 10; on demand 0 and 2, then 0 and 5. In the mean of an hour: 10 + 3 USD for 4
    tasks, 10 + 7.5 USD for 5: 3.25 and 3.50 USD a task. Utilisation rises less than volume, and less is covered.
    """
    owed = [{"offer": "west-m-1m", "units": 10, "start": "2026-01-01", "end": "2028-01-01"}]

    def plan(*requests_per_hour: float) -> Any:
        rows = builders.tables(
            workloads=[WORKLOAD], throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER | {"max_units": 0}],
            commitments=owed, demand=builders.profile("west", "w", requests_per_hour),
        )  # fmt: skip
        case = builders.case(rows)
        return task_costs(case, solve(case))

    movement = why_moved(plan(4.0, 12.0), plan(5.0, 15.0))
    assert effects(movement) == {f.VOLUME: pytest.approx(0.25)}
    told = movement.evidence.set_index("factor")
    assert list(told.loc[f.UTILISATION, ["before", "after"]]) == pytest.approx([0.7, 0.75])
    assert list(told.loc[f.COVERAGE, ["before", "after"]]) == pytest.approx([14 / 16, 15 / 20])
