"""What the model leaves out by definition: each trap has a case that falls into it, and its dollars by hand."""

from pathlib import Path
from typing import Any

import pytest

from planner.errors import InputError
from planner.plan.warnings import warnings_of
from planner.plan.warnings.traps import Caution
from planner.plan.warnings.uncounted import uncounted_in
from planner.readers import load
from planner.schema.case import Case
from planner.solver.solve import solve
from tests import builders

JANUARY = 31 * 24


def told(case: Case, planned: bool = False) -> dict[str, Caution]:
    return {c.code: c for c in uncounted_in(case, solve(case, workers=1) if planned else None)}


def test_a_week_that_is_flat_and_whole_has_no_trap_but_the_calendar() -> None:
    assert told(builders.case(months=1)) == {}


def long_term(**policy: Any) -> Case:
    offers = [{"offer": "year", "pool": "west-m", "usd_per_unit_hour": 1.0, "term_months": 12}]
    return builders.case(builders.tables(offers=offers), **policy)


def test_a_budget_counts_only_dollars_inside_the_horizon() -> None:
    # a year is 365 days, of which January is 31: 365 / 31 times the budget may be signed
    caution = told(long_term(max_commitment_usd=31_000.0))["beyond-horizon"]
    assert "$31,000 may sign up to $365,000 of year" in caution.message
    # 10 units: 10 x 744 h inside, 10 x 8760 h in all
    caution = told(long_term(max_commitment_usd=31_000.0), planned=True)["beyond-horizon"]
    assert "they cost $7,440 inside the horizon and $87,600 over their whole terms: $80,160 past" in caution.message
    assert "outside the budget of $31,000" in caution.message
    assert "beyond-horizon" not in told(long_term(tail_value=0.0))
    capped = {"max_commitment_usd": 31_000.0, "max_commitment_whole_term_usd": 40_000.0}
    assert "beyond-horizon" not in told(long_term(**capped))  # nothing is signed outside both


def test_what_a_plan_sees_of_a_term_is_its_tail_too() -> None:
    # bought in February, 365 days: 28 x 24 = 672 USD inside and 8,088 beyond, of which a quarter is counted: 2,694
    offers = [{"offer": "year", "pool": "west-m", "usd_per_unit_hour": 1.0, "term_months": 12}]
    message = told(builders.case(builders.tables(offers=offers), months=2, tail_value=0.75))["beyond-horizon"].message
    assert "year costs up to 3.25 times what the plan sees ($8,760 over its term for each $2,694 that is" in message


def test_days_of_a_commitment_that_no_period_covers_are_owed_and_in_no_cost() -> None:
    # 3 units from 2026-12-12 through January 7: 7 days of 24 hours at 1 USD
    part = [{"offer": "west-m-1m", "units": 3, "start": "2026-12-12", "end": "2027-01-08"}]
    case = builders.case(builders.tables(commitments=part))
    caution = told(case, planned=True)["owed-for-days"]
    assert "for a part of 2027-01 only" in caution.message
    assert "the $504.00 that is owed for those days is not in this cost" in caution.message
    (of_input,) = (c for c in warnings_of(case) if c.code == "part-month")
    assert "the $504.00 that is owed for those days is in no cost of the plan" in of_input.message
    assert "owed-for-days" not in told(case)
    cut = builders.case(builders.tables(commitments=part), cuts=["2027-01-08"])
    assert "owed-for-days" not in told(cut, planned=True)


def test_blank_quotas_carry_failover_for_nothing() -> None:
    # the loss of either region leaves 10 requests an hour to the other: 10 units for 744 h at 1 USD
    case = builders.case(builders.two_regions(), failover={"enabled": True})
    assert "up to $7,440 over the horizon" in told(case)["free-failover"].message
    assert "free-failover" not in told(builders.case(builders.two_regions()))


def test_reserved_headroom_that_is_blank_is_the_headroom() -> None:
    # 10 units' worth of work, 0.3 / 0.7 of it more: 10 x 744 x 3 / 7 = 3,188.57
    caution = told(builders.case(headroom=0.3))["spare-reserved"]
    assert "43% more units are bought than the work needs, about $3,189" in caution.message
    # at 1 USD against 3 a plan buys 10 / 0.7 units, of which 0.3 are spare: 10,628.57, and 0.3 of it is 3,188.57
    caution = told(builders.case(headroom=0.3), planned=True)["spare-reserved"]
    assert "about $3,189 of the $10,629 committed" in caution.message
    assert "spare-reserved" not in told(builders.case(headroom=0.3, reserved_headroom=0.0))


def test_headroom_is_not_kept_while_a_region_is_lost() -> None:
    policy = {"headroom": 0.25, "reserved_headroom": 0.0, "failover": {"enabled": True}}
    case = builders.case(builders.two_regions(on_demand=[]), **policy)
    assert "to serve up to 33% more" in told(case)["failover-without-headroom"].message
    # each region's 20 units carry both while the other is lost; a quarter of 26.67 kept spare: 13.33 x 744 more in all
    message = told(case, planned=True)["failover-without-headroom"].message
    assert "up to 33% more, and cost at least $9,920 more, which the plan's prices prove" in message


def test_caps_hold_on_the_average_of_the_scenarios() -> None:
    # 10 or 30 requests an hour of 1 GB each from east to west; the mean of 20 x 744 fills the cap
    tables = builders.two_regions(
        scenarios=[{"scenario": s, "probability": 0.5} for s in ("low", "high")],
        workloads=[{"workload": "w", "input_tokens": 60, "output_tokens": 0, "extra_bytes_in": 1e9 - 240}],
        demand=[
            *builders.profile("east", "w", 10.0, scenario="low"),
            *builders.profile("east", "w", 30.0, scenario="high"),
        ],
        pools=[{"pool": "west-m", "region": "west"}],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0}],
        on_demand=[],
        routes=[{"origin": "east", "destination": "west", "usd_per_gb": 0.01, "max_gb_per_month": 20.0 * JANUARY}],
    )
    # 1.5 times the mean: half of 14,880 GB beyond, at a cent each
    assert "exceeded by 50% there, $74 a month" in told(builders.case(tables))["caps-on-average"].message
    caution = told(builders.case(tables), planned=True)["caps-on-average"]
    assert "carries 22,320.0 GB in 2027-01, scenario high, against 14,880.0 ($74.40" in caution.message


def test_a_month_is_not_days_over_seven_weeks() -> None:
    # January 2027 has five Fridays, Saturdays and Sundays: hour 0, of a Monday, comes 4 times, not 31 / 7 = 4.43
    demand = [{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 100.0}]
    caution = told(builders.case(builders.tables(demand=demand)))["calendar-weeks"]
    assert "$129 less" in caution.message  # 100 x 3 USD x 3 / 7


def test_an_end_on_the_last_day_of_a_month_is_refused_with_both_readings(tmp_path: Path) -> None:
    owed = [{"offer": "west-m-1m", "units": 7, "start": "2026-10-01", "end": "2027-01-31"}]
    folder = builders.write_folder(builders.tables(commitments=owed), tmp_path / "in")
    with pytest.raises(InputError, match=r"drops all of January 2027: write 2027-02-01 .* or 2027-01-01") as error:
        load(folder)
    assert "commitments.csv, row 2" in str(error.value)
