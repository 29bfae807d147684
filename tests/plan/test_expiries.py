"""The calendar of expiries, by hand: dates, units before and after, what a lapse costs, what is owed by month."""

import datetime as dt

import pytest

from planner.plan.expiries import MOST_MONTHS, OTHERS, calendar_of
from planner.plan.orders import Owed, owed_after
from planner.schema.capacity import Offer
from planner.solver.solve import solve
from planner.workbook.sheets.expiries_sheet import inside_the_plan
from tests import builders
from tests.builders.hand_plans import hand_case, hand_plan

JANUARY, MARCH = 31 * 24, 31 * 24


def three_months():
    """10 units wanted all quarter at 3 USD on demand. 4 are owed until March at 1 USD; the year costs 0.5 USD."""
    year = {"offer": "year", "pool": "west-m", "term_months": 12, "usd_per_unit_hour": 0.5}
    old = {"offer": "west-m-1m", "units": 4, "start": "2026-06-01", "end": "2027-03-01"}
    case = builders.case(builders.tables(offers=[*builders.tables()["offers"], year], commitments=[old]), months=3)
    return case, solve(case)


def test_dates_units_and_coverage() -> None:
    calendar = calendar_of(*three_months())
    told = [
        (e.owed.offer.offer, e.owed.new, e.owed.units, str(e.owed.end), str(e.decide), e.before_units, e.after_units,
         e.month) for e in calendar.expiries
    ]  # fmt: skip
    assert told == [
        ("west-m-1m", False, 4, "2027-03-01", "2027-01-30", 10, 10, "2027-03"),  # 4 more of a year begin that day
        ("year", True, 6, "2028-01-01", "2027-12-02", 10, 4, "2027-03"),  # past the plan: by its last month's hours
        ("year", True, 4, "2028-03-01", "2028-01-31", 4, 0, "2027-03"),
    ]
    assert [(e.coverage_before, e.coverage_after) for e in calendar.expiries] == [
        (1.0, 1.0), (1.0, pytest.approx(0.4)), (pytest.approx(0.4), 0.0)
    ]  # fmt: skip
    assert [e.days_without for e in calendar.expiries] == [31, 0, 0]
    assert inside_the_plan(calendar) == (
        "Inside the plan: west-m-1m runs through 2027-02-28 (the plan's last 31 days are without it)."
    )
    assert [e.lapse_usd for e in calendar.expiries] == pytest.approx([0, 6 * 3 * MARCH, 4 * 3 * MARCH])
    hours = [273 * 24 / 9, 365 * 24 / 12, 366 * 24 / 12]  # of a mean month: their days over their months
    assert [e.mean_month_hours for e in calendar.expiries] == pytest.approx(hours)
    assert [e.usd_per_month for e in calendar.expiries] == pytest.approx(
        [4 * hours[0], 6 * 0.5 * hours[1], 4 * 0.5 * hours[2]]
    )
    assert calendar.expiries[1].lapse_usd_per_month == pytest.approx(6 * 3 * 730)


def test_what_is_owed_month_by_month() -> None:
    calendar = calendar_of(*three_months())
    assert calendar.groups == ("west",)
    assert len(calendar.months) == 14  # January 2027 to February 2028, in which the last one is still in force
    by_month = {str(first)[:7]: usd for first, (usd,) in zip(calendar.months, calendar.usd, strict=True)}
    assert by_month["2027-01"] == pytest.approx((4 * 1 + 6 * 0.5) * JANUARY)
    assert by_month["2027-03"] == pytest.approx((6 + 4) * 0.5 * MARCH)
    assert by_month["2028-01"] == pytest.approx(4 * 0.5 * JANUARY)
    assert list(by_month)[-1] == "2028-02"
    assert not calendar.cut


def test_headroom_counts_as_wanted() -> None:
    """10 units with 20 % kept serve 8 of 10 requests: 12.5 wanted, a unit-hour serves 0.8 x 3 = 2.4 USD."""
    case = hand_case()
    first, second = calendar_of(case, hand_plan(case), notice_days=45).expiries
    assert (first.owed.region, second.owed.region) == ("east", "west")
    assert str(first.decide) == "2026-12-18"
    assert (first.coverage_before, first.coverage_after) == (pytest.approx(0.8), 0.0)
    assert first.lapse_usd == pytest.approx(10 * 2.4 * JANUARY)


def test_two_that_end_on_one_day_are_each_told_what_it_alone_would_leave() -> None:
    """4 and 6 units end together: the pool goes from 10 to 0, and renewing the 4 alone would serve 4 units' worth."""
    old = [{"offer": "west-m-1m", "units": u, "start": "2026-06-01", "end": "2027-02-01"} for u in (4, 6)]
    case = builders.case(builders.tables(commitments=old))
    four, six = calendar_of(case, solve(case)).expiries
    assert (four.before_units, four.after_units, six.before_units, six.after_units) == (10, 0, 10, 0)
    assert [four.lapse_usd, six.lapse_usd] == pytest.approx([4 * 3 * JANUARY, 6 * 3 * JANUARY])


def test_nothing_committed() -> None:
    case = builders.case(builders.tables(pools=[], throughput=[], offers=[]), months=2)
    calendar = calendar_of(case, solve(case))
    assert (calendar.expiries, calendar.groups, len(calendar.months)) == ((), (), 2)


def test_a_very_long_term_is_cut_in_the_months_only() -> None:
    ages = {"offer": "ages", "pool": "west-m", "term_months": 1200, "usd_per_unit_hour": 0.1}
    case = builders.case(builders.tables(offers=[ages]))
    calendar = calendar_of(case, solve(case))
    assert str(calendar.expiries[-1].owed.end) == "2127-01-01"
    assert (len(calendar.months), calendar.cut) == (MOST_MONTHS, True)


def test_regions_beyond_the_sixth_share_a_group(monkeypatch) -> None:
    case = builders.case()
    offer = Offer(offer="o", pool="west-m", usd_per_unit_hour=1.0)
    many = tuple(
        Owed(offer, f"r{k}", float(10 - k), dt.date(2027, 1, 1), dt.date(2027, 2, 1), line=k) for k in range(8)
    )
    monkeypatch.setattr("planner.plan.expiries.owed_after", lambda *_: many)
    calendar = calendar_of(case, solve(case))
    assert calendar.groups == ("r0", "r1", "r2", "r3", "r4", OTHERS)
    assert calendar.usd == (tuple(pytest.approx(units * JANUARY) for units in (10, 9, 8, 7, 6, 5 + 4 + 3)),)


def test_what_ended_before_the_plan_is_not_owed() -> None:
    old = {"offer": "west-m-1m", "units": 4, "start": "2026-06-01", "end": "2027-01-01"}
    case = builders.case(builders.tables(commitments=[old]))
    assert [o.new for o in owed_after(case, solve(case))] == [True]
