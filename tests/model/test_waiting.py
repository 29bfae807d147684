"""Work that can wait, on cases solved by hand; the arithmetic is in the test.

One request per hour needs one unit (744 USD in January 2027) or costs 3 USD on demand; a request that arises in one
hour of the week arises 31/7 times in the month.
"""

from typing import Any

import numpy as np
import pytest

from planner.errors import InfeasibleError
from planner.model.index_tables import sets_of
from planner.model.reduce.slots import merge_slots, prune
from planner.plan.plan import Plan
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import WEEKS, hours, on_demand, one, workload

NO_POOLS: dict[str, Any] = {"pools": [], "throughput": [], "offers": []}


def waits(deadline_hours: int, **more: Any) -> list[dict[str, Any]]:
    return [workload(deadline_hours=deadline_hours, **more)]


def solved(tables: builders.Tables, **options: Any) -> Plan:
    """The plan, whose bound its prices prove."""
    plan = solve(builders.case(tables, **options), workers=1)
    assert plan.proof.bound_usd == pytest.approx(plan.totals.total_usd, rel=1e-9, abs=1e-6)
    return plan


def usd(tables: builders.Tables, **options: Any) -> float:
    return solved(tables, **options).totals.total_usd


def late_hours(plan: Plan) -> np.ndarray:
    d = plan.dispatch
    return ((d["hour_of_week"] - d["arrived_hour_of_week"]) % 168).to_numpy()


def test_a_day_of_waiting_needs_a_unit_where_a_peak_needs_many() -> None:
    # 24 requests in hour 0 of each day, which may wait 23 hours: one unit serves one an hour, all day
    demand = builders.profile("west", "w", [24.0] + [0.0] * 23)
    plan = solved(builders.tables(demand=demand, workloads=waits(23)))
    assert plan.totals.total_usd == pytest.approx(1 * 744)
    assert sorted(set(late_hours(plan))) == list(range(24))
    # at once: on demand, 24 requests on 31 days
    assert usd(builders.tables(demand=demand)) == pytest.approx(24 * 31 * 3)


def test_work_that_waits_fills_the_idle_hours_of_others() -> None:
    # `now` asks 10 in 12 hours of the day and 4 in the other 12: 10 units. 6 units x 12 hours are idle, enough for the
    # 72 requests that arise in hour 0 and may wait the night
    demand = [
        *builders.profile("west", "now", [4.0] * 12 + [10.0] * 12),
        *builders.profile("west", "w", [72.0] + [0.0] * 23),
    ]
    both = {
        "workloads": [{"workload": "now", "input_tokens": 60, "output_tokens": 0}, *waits(11)],
        "mix": [{"workload": name, "model": "m"} for name in ("now", "w")],
        "demand": demand,
    }
    plan = solved(builders.tables(**both))
    assert plan.totals.total_usd == pytest.approx(10 * 744)
    assert plan.totals.on_demand_usd == 0


@pytest.mark.parametrize(("deadline", "price"), [(5, 1.5), (4, 3.0), (0, 3.0)])
def test_a_batch_option_takes_work_that_may_wait_for_its_answer(deadline: int, price: float) -> None:
    options = [on_demand(), on_demand(option="batch", usd_per_mtok_input=25_000.0, deadline_hours=5)]
    tables = one(10, on_demand=options, workloads=waits(deadline), **NO_POOLS)
    assert usd(tables) == pytest.approx(10 * price * WEEKS)


def test_a_batch_option_with_a_quota_is_handed_work_no_later_than_its_answer_allows() -> None:
    # 12 requests may wait 6 hours, the option answers within 5: it may be handed work in hours 0 and 1, 4 each at half
    # the price; the other 4 cost 3 USD
    options = [
        on_demand(),
        on_demand(option="batch", usd_per_mtok_input=25_000.0, deadline_hours=5, tokens_per_minute_quota=4),
    ]
    assert usd(one(12, on_demand=options, workloads=waits(6), **NO_POOLS)) == pytest.approx((8 * 1.5 + 4 * 3) * WEEKS)


def test_waiting_goes_round_the_week() -> None:
    # 12 requests arise on Sunday 23:00 UTC; a quota of 4 an hour needs Monday 00:00 and 01:00 too
    last = [{"region": "west", "workload": "w", "hour_of_week": 167, "requests_per_hour": 12}]
    tables = one(on_demand=[on_demand(tokens_per_minute_quota=4)], workloads=waits(2), **NO_POOLS) | {"demand": last}
    plan = solved(tables)
    assert plan.totals.total_usd == pytest.approx(12 * 3 * WEEKS)
    assert sorted(plan.dispatch["hour_of_week"]) == [0, 1, 167]
    assert set(plan.dispatch["arrived_hour_of_week"]) == {167}


def test_shares_of_the_mix_hold_for_the_hour_of_arrival() -> None:
    # hour 0: 10 requests, half of them by n at 5 USD, whatever waits; m at 3 USD has a quota of 2 an hour, so its 5
    # wait for two more hours
    models = {"models": [{"model": "m"}, {"model": "n"}], "on_demand": [
        on_demand(tokens_per_minute_quota=2), on_demand(model="n", usd_per_mtok_input=5 / 60e-6),
    ], "mix": [{"workload": "w", "model": "m"}, {"workload": "w", "model": "n", "min_share": 0.5}]}  # fmt: skip
    plan = solved(one(10, workloads=waits(2), **models, **NO_POOLS))
    assert plan.totals.total_usd == pytest.approx((5 * 3 + 5 * 5) * WEEKS)
    by_model = plan.dispatch.groupby("model", observed=True)["requests_per_hour"].sum()
    assert by_model.to_dict() == pytest.approx({"m": 5, "n": 5})


def test_a_guaranteed_share_holds_for_the_hour_of_arrival() -> None:
    # 10 requests, 4 of them sure: the guaranteed option at 5 USD lets 2 through an hour, so 2 of the 4 wait an hour
    options = [on_demand(), on_demand(option="sure", usd_per_mtok_input=5 / 60e-6, guaranteed=True,
                                      tokens_per_minute_quota=2)]  # fmt: skip
    tables = one(10, workloads=waits(1, guaranteed_share=0.4), on_demand=options, **NO_POOLS)
    assert usd(tables) == pytest.approx((6 * 3 + 4 * 5) * WEEKS)


def test_stress_cases_leave_it_out_and_its_reserved_headroom_is_0_where_blank() -> None:
    # 10 an hour on 10 units: no headroom, no other region; at once it would need 10 / (1 - 0.2) and a second region
    tables = builders.two_regions(workloads=waits(1))
    strict = {"headroom": 0.2, "failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0.0}}
    assert usd(tables, **strict) == pytest.approx(2 * 10 * 744)
    spare = builders.two_regions(workloads=waits(1, reserved_headroom=0.5))
    assert usd(spare, **strict) == pytest.approx(2 * 10 / 0.5 * 744)
    now = builders.two_regions(workloads=waits(0))
    assert usd(now, **strict) > 2 * 10 * 744 * 1.2


def test_no_plan_where_it_does_not_fit_before_its_deadline() -> None:
    tables = one(13, on_demand=[on_demand(tokens_per_minute_quota=4)], workloads=waits(2), **NO_POOLS)
    with pytest.raises(InfeasibleError) as error:
        solve(builders.case(tables), workers=1)
    # 13 requests in three hours: 13/3 = 4.3333 tokens a minute
    assert "4.3" in str(error.value)
    assert error.value.shortfalls[0].table == "on_demand"
    # or it may wait a third hour: 13 / 4 = 3.25 hours of quota
    assert "workloads, w: deadline_hours 2 is 1 hour too short; 3 is enough" in str(error.value)
    longer = one(13, on_demand=[on_demand(tokens_per_minute_quota=4)], workloads=waits(3), **NO_POOLS)
    assert usd(longer) == pytest.approx(13 * 3 * WEEKS)


def test_equal_hours_stay_apart_where_work_waits_and_whole_weeks_are_merged() -> None:
    scenarios = [{"scenario": "a", "probability": 0.5}, {"scenario": "b", "probability": 0.5}]
    tables = builders.tables(workloads=waits(2), scenarios=scenarios)
    merged = merge_slots(sets_of(builders.case(tables)))
    assert len(merged.slots) == 168  # of 336
    assert all(len(members) == 2 for members in merged.members)
    assert len(merge_slots(sets_of(builders.case(builders.tables(scenarios=scenarios)))).slots) == 1


def test_an_option_without_a_quota_is_used_at_once() -> None:
    options = [on_demand(), on_demand(option="limited", tokens_per_minute_quota=4)]
    sets = sets_of(builders.case(one(10, workloads=waits(2), on_demand=options)))
    arcs = prune(merge_slots(sets)).arcs.set_index("supply")
    assert arcs["at_once"].to_dict() == {"west-m": False, "standard": True, "limited": False}
    plan = solved(one(10, workloads=waits(2), on_demand=options[:1]))
    assert (late_hours(plan) == 0).all()


def test_an_input_without_deadlines_has_no_column_of_arrivals() -> None:
    assert "arrived_hour_of_week" not in solve(builders.case(builders.tables()), workers=1).dispatch


def test_all_demand_of_an_hour_is_told_as_it_arose() -> None:
    demand = hours("west", "w", 9, 0, 3)
    plan = solved(builders.tables(demand=demand, workloads=waits(3)))
    arose = plan.dispatch.groupby("arrived_hour_of_week")["requests_per_hour"].sum()
    assert arose.to_dict() == pytest.approx({0: 9, 2: 3})
