"""What lines cost, serve and are paid by, on the hand-made plan (tests.builders.hand_plans) and small changes of it."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from planner.plan.hours import served_weeks
from planner.plan.orders import order_lines
from planner.plan.plan import Plan
from planner.plan.pool_months import order_values, pool_months, reserved_use
from planner.plan.reading import Reading
from planner.plan.why import line_rents
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK
from planner.verify.figures import metrics_of
from tests.builders.hand_plans import hand_case, hand_plan, hourly, on


def months(case: Case, plan: Plan):
    return pool_months(Reading(case, plan))


def test_a_line_is_paid_for_its_whole_term() -> None:
    """A year from 2027-01-01 has 365 x 24 = 8,760 hours, of which January's 744 are planned."""
    offers = [
        {"offer": f"{r}-m-1m", "pool": f"{r}-m", "term_months": 12, "usd_per_unit_hour": 2.0} for r in ("east", "west")
    ]
    case = hand_case(offers=offers)
    line = order_lines(case, on(case, hand_plan(case)))[0]
    assert (line.start, line.end) == (dt.date(2027, 1, 1), dt.date(2028, 1, 1))
    assert line.term_usd == 10 * 2 * 8_760
    assert line.horizon_usd == 10 * 2 * 744


def test_a_pool_month_by_hand() -> None:
    """8 requests an hour use 8 units and, with 20 % kept, want 10; with the 2 on demand the hour wants 12.5."""
    case = hand_case()
    east = months(case, hand_plan(case))[0]
    assert (east.in_force_units, east.deployed_units, east.unreserved_units) == (10, 10, 0)
    assert east.mean_used_units == pytest.approx(8)
    assert east.peak_used_units == pytest.approx(10)
    assert east.served_usd == pytest.approx(8 * 744 * 3)
    assert east.wanted_units == pytest.approx([12.5] * HOURS_PER_WEEK)
    # what is wanted above 10 units is what is served on demand: 2 x 744 x 3 USD
    assert ((east.wanted_units - 10) * east.usd_per_unit).sum() == pytest.approx(2 * 744 * 3)


def test_units_beyond_commitments_are_priced() -> None:
    """Deployed 10 on 7 bought: 3 beyond, 744 hours at 2 USD."""
    pools = [{"pool": f"{r}-m", "region": r, "usd_per_unreserved_unit_hour": 2.0} for r in ("east", "west")]
    case = hand_case(pools=pools)
    plan = on(case, hand_plan(case))
    east = months(case, replace(plan, purchases=plan.purchases.assign(units=7.0)))[0]
    assert (east.unreserved_units, east.unreserved_usd, east.level_units) == (3, 3 * 744 * 2, 10)


def test_earlier_units_count_and_end() -> None:
    commitments = [{"offer": "east-m-1m", "units": 4, "start": "2026-12-01", "end": "2027-02-01"}]
    case = hand_case({"months": 2}, commitments=commitments)
    plan = on(case, hand_plan(case))
    january, february = months(case, plan)[:2]
    assert (january.earlier_units, january.earlier_usd, january.ending_units) == (4, 4 * 744, 14)
    assert (february.earlier_units, february.new_units, february.ending_units) == (0, 0, 0)


def test_value_of_a_line() -> None:
    case = hand_case()
    plan = hand_plan(case)
    value = order_values(order_lines(case, plan), months(case, plan))[0]
    assert value.usage_usd == pytest.approx(8 * 744 * 3)
    assert value.break_even == pytest.approx(1 / 3)
    assert value.utilisation == pytest.approx(0.8)


def test_a_pool_that_serves_nothing_has_no_utilisation() -> None:
    case = hand_case()
    plan = hand_plan(case)
    idle = replace(plan, dispatch=plan.dispatch[plan.dispatch["supply"] == "standard"])
    value = order_values(order_lines(case, idle), months(case, idle))[0]
    assert (value.usage_usd, value.break_even, value.utilisation) == (0, None, None)


def test_two_meters_share_a_request_s_price() -> None:
    """A request takes 1 input unit at 1 USD and 1 output unit at 3 USD: a quarter and three quarters of its 3 USD."""
    rows = [
        {"pool": f"{r}-m", "model": "m", "meter": meter, "tokens_per_minute_per_unit": 1, **weights}
        for r in ("east", "west")
        for meter, weights in (("input", {"output_weight": 0}), ("output", {"input_weight": 1, "output_weight": 0}))
    ]
    offers = [{"offer": f"{r}-{m}", "pool": f"{r}-m", "meter": m, "usd_per_unit_hour": usd}
              for r in ("east", "west") for m, usd in (("input", 1.0), ("output", 3.0))]  # fmt: skip
    case = hand_case(throughput=rows, offers=offers)
    reading = Reading(case, hand_plan(case))
    price = dict(zip(reading.meters, reserved_use(reading).usd_per_hour[:, 0], strict=True))
    assert price["east-m", "input"] == pytest.approx(8 * 3 / 4)
    assert price["east-m", "output"] == pytest.approx(8 * 3 * 3 / 4)


def test_rents_are_weighted_by_what_deployments_hold() -> None:
    """3 of 4 units earn 1 USD by use, 1 earns 1 USD by failover: a unit earns 0.75 and 0.25."""
    case = hand_case(models=[{"model": "m"}, {"model": "n"}],
                     throughput=[{"pool": p, "model": m, "tokens_per_minute_per_unit": 1}
                                 for p in ("east-m", "west-m") for m in ("m", "n")])  # fmt: skip
    plan = on(case, hand_plan(case))
    held = pd.DataFrame([("east-m", "tokens", "m", "2027-01", 3.0), ("east-m", "tokens", "n", "2027-01", 1.0)],
                        columns=plan.deployments.columns)  # fmt: skip
    names = ["pool", "meter", "model", "scenario", "period", "hour_of_week", "usd_per_unit"]
    rents = pd.DataFrame([("east-m", "tokens", "m", "base", "2027-01", 5, 1.0)], columns=names)
    stress = rents.assign(case="failover west", model="n", hour_of_week=7)
    plan = replace(plan, deployments=held, rents=rents, stress_rents=stress)
    rent = line_rents(Reading(case, plan), order_lines(case, plan))[0]
    assert (rent.use_usd, rent.stress_usd, rent.rent_usd) == (0.75, 0.25, 1.0)
    assert (rent.use_by_hour[5], rent.stress_by_hour[7]) == (0.75, 0.25)
    assert rent.stress_by_case == {"failover west": 0.25}
    damaged = replace(plan, stress_rents=pd.concat([stress, stress.assign(case="failover nowhere")]))
    assert line_rents(Reading(case, damaged), order_lines(case, damaged))[0].stress_usd == 0.25  # counts for nothing


def test_a_week_by_hand() -> None:
    case = hand_case()
    week = served_weeks(Reading(case, hand_plan(case)))[0]
    assert (week.region, week.model, week.period) == ("east", "m", "2027-01")
    assert week.reserved_rph == [8.0] * HOURS_PER_WEEK
    assert week.demand_rph == [10.0] * HOURS_PER_WEEK
    assert week.capacity_rph == pytest.approx([8.0] * HOURS_PER_WEEK)  # 10 units, one request each, 20 % kept
    assert week.level_rph == pytest.approx(8)


def test_capacity_follows_the_hour_s_mix() -> None:
    """A heavy request takes 2 units, a light one 1: 10 units with 20 % kept serve 4 heavy or 8 light ones an hour.

    By day 2 heavy, by night 8 light: the mean request of the week takes (12 x 2 x 2 + 12 x 8) / (12 x 10) = 1.2 units.
    """
    tables = {"workloads": [{"workload": "w", "input_tokens": 60, "output_tokens": 0},
                            {"workload": "heavy", "input_tokens": 120, "output_tokens": 0}],
              "mix": [{"workload": "w", "model": "m"}, {"workload": "heavy", "model": "m"}]}  # fmt: skip
    case = hand_case(**tables)
    day = hourly([("east", "heavy", "m", "east", "east-m", 2.0)])
    night = hourly([("east", "w", "m", "east", "east-m", 8.0)])
    is_day = day["hour_of_week"] % 24 >= 12
    plan = replace(hand_plan(case), dispatch=pd.concat([day[is_day], night[~is_day]], ignore_index=True))
    week = served_weeks(Reading(case, plan))[0]
    assert week.capacity_rph[0] == pytest.approx(8)
    assert week.capacity_rph[12] == pytest.approx(4)
    assert week.level_rph == pytest.approx(10 * 0.8 / 1.2, abs=1e-4)


def promised_to_east(stress_usd: float) -> tuple[Case, Plan]:
    """A unit at 4 USD an hour, above the 3 USD of the request that it serves; a dollar spent in east saves 0.9 USD."""
    offers = [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": 4.0} for r in ("east", "west")]
    contract = {"contract": "macc", "usd": 1e6, "regions": "east"}
    case = hand_case(offers=offers, spend_commitments=[contract])
    plan = on(case, hand_plan(case))
    names = ["pool", "meter", "model", "scenario", "period", "hour_of_week", "usd_per_unit"]
    stress = pd.DataFrame([("east-m", "tokens", "m", "base", "2027-01", 7, stress_usd)], columns=names)
    price = plan.certificate.iloc[:1].assign(kind="spend_floor", supply="macc", price=0.9)
    return case, replace(
        plan, certificate=price, rents=stress.iloc[:0], stress_rents=stress.assign(case="failover west")
    )


def test_money_that_must_be_spent_pays_for_units() -> None:
    """A unit of east costs 4 x 744 = 2,976 USD, which count: 0.9 of them would be lost otherwise."""
    case, plan = promised_to_east(stress_usd=297.6)
    east, *others = line_rents(Reading(case, plan), order_lines(case, plan))
    assert east.spend_by_contract == {"macc": pytest.approx(0.9 * 2_976)}
    assert (east.rent_usd, east.paid_usd) == (pytest.approx(297.6), pytest.approx(2_976))
    assert not any(rent.spend_by_contract for rent in others)


@pytest.mark.parametrize(
    ("stress_usd", "because"),
    [
        (1.0, "because money promised to macc must be spent anyway:"),
        (297.6, "because money promised to macc must be spent anyway and failover west asks for it:"),
        (5_000.0, "because failover west asks for it and money promised to macc must be spent anyway:"),
    ],
)
def test_what_pays_most_for_units_that_never_break_even_is_named_first(stress_usd: float, because: str) -> None:
    """Money that must be spent pays 2,678.40 USD a unit; what pays less than 1 % of all is no reason."""
    case, plan = promised_to_east(stress_usd)
    found = [text for text in metrics_of(case, plan).cautions if text.startswith("Purchased although")]
    assert len(found) == 1
    assert because in found[0]
