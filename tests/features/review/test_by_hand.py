"""Reviews of the smallest case, with numbers that a person can follow.

10 requests an hour take 10 units of 1 USD an hour each, or cost 3 USD each on demand; January 2027 has 744 hours. The
plan buys 10 units.
"""

import numpy as np
import pandas as pd
import pytest

from planner.errors import InputError
from planner.features.demand.history import History
from planner.features.order.order import price_order
from planner.features.review import review
from planner.features.review.review_rules import Rules
from planner.features.review.review_story import headline
from planner.features.review.review_tables import (
    ACTUAL,
    DROP,
    EXPECTED,
    KEEP,
    LEVEL,
    LOWER,
    QUOTA,
    RAISE,
    REVIEW_FIGURES,
    UNSERVED,
    WATCH,
    Review,
)
from planner.features.review.verdicts import told_units
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import solve
from tests import builders
from tests.builders.declared import undeclared
from tests.builders.histories import history_of
from tests.builders.one_hour import on_demand, workload

HOURS = 744


@pytest.fixture(scope="module")
def case() -> Case:
    return builders.case(builders.tables())


@pytest.fixture(scope="module")
def plan(case: Case) -> Plan:
    return solve(case)


def month(found: Review, side: str) -> pd.Series:
    return found.monthly[found.monthly["side"] == side].iloc[0]


def test_every_table_is_what_it_is_declared_to_be() -> None:
    """More is asked than quotas and units can serve, so that hardly a table is empty."""
    contract = [{"contract": "macc", "usd": 20_000.0}]
    case = builders.case(builders.tables(on_demand=[on_demand(tokens_per_minute_quota=4)], spend_commitments=contract))
    found = review(case, solve(case), history_of(case, 2.0))
    assert [line for frame in REVIEW_FIGURES for line in undeclared(frame, getattr(found, frame.name))] == []
    assert {frame.name for frame in REVIEW_FIGURES if not len(getattr(found, frame.name))} <= {"overflow"}


def test_what_came_as_planned_is_kept_and_nothing_is_regretted(case: Case, plan: Plan) -> None:
    found = review(case, plan, history_of(case))
    assert [v.verdict for v in found.verdicts] == [KEEP]
    assert found.regret.usd == 0
    assert found.paid_usd == pytest.approx(10 * HOURS)
    assert found.overflow.empty
    assert found.peaks.empty
    assert found.alerts == ()
    assert found.errors["wape"].tolist() == pytest.approx([0.0] * 4)


def test_a_lower_demand_lowers_the_units_and_says_what_that_saves(case: Case, plan: Plan) -> None:
    found = review(case, plan, history_of(case, 0.6))
    verdict = found.verdicts[0]
    # 6 requests an hour need 6 units: the other 4 cost 4 x 1 USD x 744 hours for nothing
    assert (verdict.verdict, verdict.best_units) == (LOWER, pytest.approx(6.0))
    assert verdict.saving_usd == pytest.approx(4 * HOURS)
    assert found.regret.usd == pytest.approx(4 * HOURS)
    assert verdict.last_unit_usd == pytest.approx(0.0, abs=1e-6)
    assert verdict.price_usd == pytest.approx(HOURS)
    came = month(found, ACTUAL)
    assert came["utilisation"] == pytest.approx(0.6)
    assert came["coverage"] == pytest.approx(1.0)
    assert came["vacancy"] == pytest.approx(0.4)
    assert came["effective_savings_rate"] == pytest.approx(1 - 10 / 18)  # 6 x 3 USD on demand
    total = found.errors.iloc[-1]
    assert total["wape"] == pytest.approx(4 / 6)
    assert total["bias"] == pytest.approx(4 / 6)


def test_verdicts_are_on_the_hours_that_were_and_not_on_their_mean_week(case: Case, plan: Plan) -> None:
    # 20 requests in the first six days, then none: the mean week has some 4 to 5 in its first six days, which would
    # keep units; but a unit is used in 144 of 744 hours, worth 3 x 144 USD, and costs 744
    found = review(case, plan, history_of(case, lambda hours: np.where(hours.day <= 6, 2.0, 0.0)))
    verdict = found.verdicts[0]
    assert (verdict.verdict, verdict.best_units) == (DROP, 0.0)
    saved = (10 * HOURS + 10 * 3 * 144) - 20 * 3 * 144
    assert verdict.saving_usd == pytest.approx(saved)
    assert found.regret.usd == pytest.approx(saved)


def test_a_quiet_hour_without_a_row_was_seen_and_its_units_were_idle(case: Case, plan: Plan) -> None:
    # an office tool: 10 requests an hour from 8:00 to 18:00 of working days, 21 x 10 hours, and no row otherwise; the
    # units were paid for in every hour from the first row to the last, Friday the 1st 8:00 to the 29th 17:00
    rows = history_of(case).rows
    hours = pd.DatetimeIndex(rows["hour"])
    office = History(rows[(hours.day_of_week < 5) & (hours.hour >= 8) & (hours.hour < 18)].reset_index(drop=True))
    span = 28 * 24 + 10
    found = review(case, plan, office)
    assert found.spans[0].hours_seen == span
    assert found.paid_usd == pytest.approx(10 * span)
    came = month(found, ACTUAL)
    assert came["utilisation"] == pytest.approx(210 / span)
    assert any(f"{span - 210} hours without any row are zeros" in note for note in found.notes)
    # 10 x 210 requests cost 3 USD each on demand: 6,300 for the 6,820 that the units cost, but for 62 hours not seen,
    # in which the plan needs every unit
    assert found.regret.usd == pytest.approx(0.0)
    # where the log is missing, nothing is known of the hour
    holes = review(case, plan, office, quiet_hours="unknown")
    assert (holes.spans[0].hours_seen, month(holes, ACTUAL)["utilisation"]) == (210, pytest.approx(1.0))
    assert holes.paid_usd == pytest.approx(10 * 210)


def test_a_month_in_which_nobody_asked_is_seen_too() -> None:
    case = builders.case(builders.tables(), months=3)
    rows = history_of(case).rows
    march = History(rows[pd.DatetimeIndex(rows["hour"]).month != 2].reset_index(drop=True))
    found = review(case, solve(case), march, quiet_hours="zero")
    assert [span.hours_seen for span in found.spans] == [744, 672, 743 + 1]
    assert found.monthly.set_index(["period", "side"]).loc[("2027-02", ACTUAL), "utilisation"] == 0.0


def test_a_higher_demand_raises_and_names_the_overflow(case: Case, plan: Plan) -> None:
    found = review(case, plan, history_of(case, 1.5))
    verdict = found.verdicts[0]
    # 5 requests an hour overflow at 3 USD; 5 units more would have cost 5 USD an hour and saved 15
    assert (verdict.verdict, verdict.best_units) == (RAISE, pytest.approx(15.0))
    assert verdict.saving_usd == pytest.approx((15 - 5) * HOURS)
    over = found.overflow.iloc[0]
    assert (over["offer"], over["first_period"]) == ("west-m-1m", "2027-01")
    assert over["units"] == pytest.approx(5.0)
    assert over["on_demand_usd"] == pytest.approx(15 * HOURS)
    assert over["commitment_usd"] == pytest.approx(5 * HOURS)
    assert over["saving_usd"] == pytest.approx(10 * HOURS)
    assert found.paid_usd == pytest.approx((10 + 15) * HOURS)
    levels = found.peaks[found.peaks["kind"] == LEVEL]
    assert len(levels) == HOURS  # every hour is above the planned 10
    assert levels["share"].tolist() == pytest.approx([1.5] * HOURS)


def test_a_verdict_buys_no_more_than_the_budget_allows() -> None:
    case = builders.case(builders.tables(), max_commitment_usd=11.2 * HOURS)  # 10 units, and 1 more in steps of a half
    found = review(case, solve(case), history_of(case, 1.5))
    assert (found.verdicts[0].verdict, found.verdicts[0].best_units) == (RAISE, pytest.approx(11.0))
    assert found.verdicts[0].saving_usd == pytest.approx((3 - 1) * HOURS)
    assert found.regret.usd == pytest.approx((3 - 1) * 1.2 * HOURS)


def test_what_an_edited_order_cost_on_the_forecast_is_no_rounding(case: Case) -> None:
    lines = [("west-m-1m", "2027-01", 5.0, 1.0)]
    order = pd.DataFrame(lines, columns=["offer", "period", "units", "usd_per_unit_hour"])
    found = review(case, price_order(case, order, Options()).plan, history_of(case))
    # 5 of 10 requests went on demand at 3 USD as was to be expected, where a unit costs 1
    assert (found.verdicts[0].verdict, found.verdicts[0].best_units) == (RAISE, pytest.approx(10.0))
    assert found.verdicts[0].saving_usd == found.regret.usd == pytest.approx(5 * 2 * HOURS)


def test_no_demand_drops_the_commitment(case: Case, plan: Plan) -> None:
    found = review(case, plan, history_of(case, 0.0))
    assert found.verdicts[0].verdict == DROP
    assert found.verdicts[0].saving_usd == pytest.approx(10 * HOURS)


def test_hours_that_met_the_quota_and_what_could_not_be_served() -> None:
    limited = builders.case(
        builders.tables(
            on_demand=[
                {"region": "west", "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0,
                 "tokens_per_minute_quota": 3.0}
            ]
        )
    )  # fmt: skip
    plan = solve(limited)

    def peak(hours: pd.DatetimeIndex) -> np.ndarray:
        return np.where((hours.day == 12) & (hours.hour == 9), 1.5, np.where(hours.day == 13, 1.295, 1.0))

    found = review(limited, plan, history_of(limited, peak))
    # 12 January, 9 o'clock: 15 requests; 10 units and 3 tokens a minute serve 13. On the 13th 12.95 come: 98.3 %
    quota = found.peaks[found.peaks["kind"] == QUOTA]
    lost = found.peaks[found.peaks["kind"] == UNSERVED]
    assert len(quota) == 25
    assert quota["hour"].iloc[0] == pd.Timestamp("2027-01-12 09:00", tz="UTC")
    assert quota["found"].iloc[0] == pytest.approx(3.0)
    assert quota["unserved_requests"].iloc[0] == pytest.approx(2.0)
    assert quota["found"].iloc[1] == pytest.approx(2.95)
    assert lost["hour"].tolist() == [pd.Timestamp("2027-01-12 09:00", tz="UTC")]
    assert (lost["found"].iloc[0], lost["limit"].iloc[0]) == (pytest.approx(15.0), pytest.approx(13.0))
    assert month(found, ACTUAL)["unserved_requests"] == pytest.approx(2.0)


def test_more_than_quotas_and_units_can_serve_asks_for_more_units() -> None:
    limited = builders.case(
        builders.tables(
            on_demand=[
                {"region": "west", "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0,
                 "tokens_per_minute_quota": 3.0}
            ]
        )
    )  # fmt: skip
    found = review(limited, solve(limited), history_of(limited, 2.0))
    assert found.verdicts[0].verdict == RAISE
    assert found.verdicts[0].best_units == pytest.approx(20.0)
    assert found.regret.broken
    assert found.regret.unserved_requests == pytest.approx(7 * HOURS, rel=1e-5)  # 20 asked, 13 served


def test_the_calendar_is_told_apart(case: Case) -> None:
    # on demand only, 1 request on Fridays of which January 2027 has five: 5 x 24 hours in place of 31 / 7 x 24
    friday = [{"region": "west", "workload": "w", "hour_of_week": h, "requests_per_hour": 1.0} for h in range(96, 120)]
    small = builders.case(builders.tables(demand=friday, offers=[], pools=[], throughput=[]))
    plan = solve(small)
    found = review(small, plan, history_of(small))
    assert found.paid_usd == pytest.approx(3 * 120)
    assert found.calendar_usd == pytest.approx(3 * 24 * (5 - 31 / 7))
    assert found.regret.usd == 0
    assert month(found, EXPECTED)["total_usd"] == pytest.approx(3 * 120)


def test_requests_that_are_not_counted_follow_from_tokens(case: Case, plan: Plan) -> None:
    found = review(case, plan, history_of(case, 0.6, counted=False))
    assert found.verdicts[0].best_units == pytest.approx(6.0)
    assert any("no request count" in note for note in found.notes)


def test_longer_requests_are_seen_and_priced(case: Case, plan: Plan) -> None:
    found = review(case, plan, history_of(case, tokens=1.2))
    row = found.assumptions[found.assumptions["figure"] == "input_tokens"].iloc[0]
    assert (row["assumed"], row["seen"], row["change_share"]) == (60, pytest.approx(72), pytest.approx(0.2))
    # 12 units are needed: 10 are held, the last 2 tokens a minute cost 120 tokens x 0.05 USD an hour
    assert found.paid_usd == pytest.approx((10 + 2 * 3) * HOURS)
    assert found.verdicts[0].verdict == RAISE


def test_a_dearer_task_at_a_flat_volume_alerts_with_its_driver() -> None:
    small = builders.case(builders.tables(offers=[], pools=[], throughput=[]))
    found = review(small, solve(small), history_of(small, tokens=1.2))
    assert [(a.driver, a.before, a.after) for a in found.alerts] == [("tokens", "the plan for 2027-01", "2027-01")]
    assert found.alerts[0].usd == pytest.approx(0.2 * 30 * HOURS)
    assert found.tasks["usd_per_task"].tolist() == pytest.approx([3.0, 3.6])


def test_a_month_that_is_not_over_is_reviewed_to_date(case: Case) -> None:
    long = builders.case(builders.tables(), months=2)
    plan = solve(long)
    whole = history_of(long, 0.6, months=1)
    part = whole.rows[whole.rows["hour"] < pd.Timestamp("2027-01-11", tz="UTC")]
    found = review(long, plan, type(whole)(part))
    assert found.paid_usd == pytest.approx(10 * 240)  # ten days of 10 units
    assert month(found, ACTUAL)["utilisation"] == pytest.approx(0.6)
    assert found.until.isoformat() == "2027-01-11T00:00:00+00:00"
    # 4 units fewer would save 4 x 744 USD, and cost 4 x 3 USD in each of the 504 hours to come, which are as planned
    assert {v.verdict for v in found.verdicts} == {KEEP}
    late = whole.rows[whole.rows["hour"] < pd.Timestamp("2027-01-25", tz="UTC")]
    rules = Rules(least_seen_share=0.9)  # 576 of 744 hours
    judged = review(long, plan, type(whole)(late), rules=rules).verdicts
    assert {v.verdict for v in judged} == {WATCH, KEEP}
    assert max(v.saving_usd for v in judged) == pytest.approx(4 * HOURS - 4 * 3 * 168)
    assert any("2027-02 was not seen" in note for note in found.notes)
    assert review(long, plan, history_of(long, months=1)).regret.usd == 0


def test_faults_come_all_at_once(case: Case, plan: Plan) -> None:
    history = history_of(case)
    rows = history.rows.assign(model="x", region="y")
    with pytest.raises(InputError) as error:
        review(case, plan, type(history)(rows))
    assert "no such model" in str(error.value)
    assert "no such region" in str(error.value)
    mapped = review(case, plan, type(history)(rows), names={"model": {"x": "m"}, "region": {"y": "west"}})
    assert mapped.regret.usd == 0
    late = type(history)(history.rows.assign(hour=history.rows["hour"] + pd.Timedelta(days=400)))
    with pytest.raises(InputError, match="no hour in the months"):
        review(case, plan, late)


def test_thresholds_decide(case: Case, plan: Plan) -> None:
    history = history_of(case, 0.95)  # half a unit too many: 372 USD of 7,440
    assert review(case, plan, history).verdicts[0].verdict == LOWER
    assert review(case, plan, history, rules=Rules(act_share=0.06)).verdicts[0].verdict == WATCH
    assert review(case, plan, history, rules=Rules(act_share=0.06, watch_share=0.055)).verdicts[0].verdict == KEEP


def test_a_share_that_the_plan_keeps_is_not_broken_by_the_weekdays_of_the_calendar() -> None:
    # east serves 10 of the 10 requests of Monday 00:00 and 10 of the 20 of Friday 00:00; 10 of 30 cross to west: 0.333.
    # January 2027 has 4 Mondays and 5 Fridays: 50 of 140 cross there, 0.357, more than the 0.34 allowed.
    friday = {"region": "east", "workload": "w", "hour_of_week": 96, "requests_per_hour": 20.0}
    price = {"model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0}
    rows = builders.two_regions(
        demand=[{**friday, "hour_of_week": 0, "requests_per_hour": 10.0}, friday],
        on_demand=[{"region": "east", "tokens_per_minute_quota": 10, **price}, {"region": "west", **price}],
        pools=[], throughput=[], offers=[],
    )  # fmt: skip
    case = builders.case(rows, egress={"max_cross_region_share": 0.34})
    found = review(case, solve(case), history_of(case))
    assert found.regret.usd == 0
    assert found.regret.rules_kept
    assert found.regret.unserved_requests == 0
    assert UNSERVED not in set(found.peaks["kind"])
    assert found.paid_usd == pytest.approx(3 * 140)


def test_how_often_an_hour_of_the_week_occurs() -> None:
    # January 2027 begins on a Friday: Friday to Sunday five times, the others four
    (january,) = builders.case().periods
    assert january.occurrences[::24] == (4, 4, 4, 4, 5, 5, 5)
    assert sum(january.occurrences) == january.hours


@pytest.mark.parametrize(("units", "told"), [(-1e-12, "0"), (0.0, "0"), (1200.0000001, "1,200"), (7.25, "7.25")])
def test_units_are_told_without_a_sign_of_zero(units, told):
    assert told_units(units) == told


def test_units_by_the_hour_run_as_the_hours_were() -> None:
    """16 requests in the first ten hours of four Mondays, 10 in all other hours: tests/plan/test_scaled_figures.

    10 units are held, 4 run by the hour at 1.50 USD in those 40 hours, and 2 requests go on demand at 3 USD.
    """
    pools = [{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.5, "max_scaled_units": 4}]
    offers = [{"offer": "month", "pool": "west-m", "usd_per_unit_hour": 0.5}]
    demand = builders.profile("west", "w", [16.0] * 10 + [10.0] * 158)
    case = builders.case(builders.tables(demand=demand, pools=pools, offers=offers))
    found = review(case, solve(case, workers=1), history_of(case))
    for side in (EXPECTED, ACTUAL):
        row = month(found, side)
        parts = row[["capacity_usd", "scaled_usd", "on_demand_usd"]].tolist()
        assert parts == pytest.approx([3720, 4 * 40 * 1.5, 2 * 40 * 3])
        assert row["total_usd"] == pytest.approx(3720 + 480)
        assert row["utilisation"] == pytest.approx(1)
        assert row["coverage"] == pytest.approx(7440 / (7440 + 240))
    assert found.regret.usd == 0
    assert found.pools.loc[found.pools["side"] == ACTUAL, "used_unit_hours"].tolist() == pytest.approx([7440])


def nightly() -> Case:
    """24 requests in hour 0 of each day, which may wait 23 hours: one unit serves one an hour (test_waiting_sheet)."""
    demand = builders.profile("west", "w", [24.0] + [0.0] * 23)
    return builders.case(builders.tables(demand=demand, workloads=[workload(deadline_hours=23)]))


def test_work_that_waited_is_put_back_to_when_it_arose() -> None:
    """The history has what exports have, a request in every hour: it is the plan itself, and nothing is regretted."""
    case = nightly()
    plan = solve(case, workers=1)
    served = history_of(builders.case(builders.tables(demand=builders.profile("west", "w", 1.0))))
    found = review(case, plan, served)
    assert found.regret.usd == pytest.approx(0, abs=1e-6)
    assert found.errors["wape"].tolist() == pytest.approx([0.0] * 4)
    assert month(found, ACTUAL)["requests"] == pytest.approx(HOURS)
    assert month(found, ACTUAL)["hours"] == HOURS
    assert any("713 requests were put back" in note for note in found.notes)  # of 31 x 24 all but those of hour 0


def test_a_history_that_has_the_hours_of_arrival_is_taken_as_it_is() -> None:
    case = nightly()
    found = review(case, solve(case, workers=1), history_of(case), arrived=True)
    assert found.regret.usd == pytest.approx(0, abs=1e-6)
    assert not any("put back" in note for note in found.notes)


def test_what_the_plan_serves_nothing_of_stays_where_it_is() -> None:
    """What is served at 05:00 arose at 00:00, an hour that this history has not seen: it has the 05:00 of each day."""
    case = nightly()
    served = history_of(case, 0.0)
    rows = served.rows[pd.DatetimeIndex(served.rows["hour"]).hour == 5].assign(requests=1.0)
    found = review(case, solve(case, workers=1), History(rows), quiet_hours="unknown")
    assert not any("put back" in note for note in found.notes)
    assert month(found, ACTUAL)["requests"] == pytest.approx(31)


def macc(usd: float, **columns: object) -> Case:
    return builders.case(builders.tables(spend_commitments=[{"contract": "macc", "usd": usd, **columns}]))


def test_a_contract_as_planned_is_kept_and_nothing_is_regretted() -> None:
    """A contract of 10,000 USD, which 10 units at 7,440 would not fill: the fewest that cost no more are signed for.

    u units and the rest on demand fill it with 744 u + 3 x 744 (10 - u) = 10,000: u = 12,320 / 1,488.
    """
    case = macc(10_000.0)
    plan = solve(case, workers=1)
    assert plan.purchases["units"].sum() == pytest.approx(12_320 / 1_488)
    found = review(case, plan, history_of(case))
    assert (found.regret.plan_usd, found.regret.best_usd) == (pytest.approx(10_000), pytest.approx(10_000))
    assert found.regret.usd == 0
    assert [v.verdict for v in found.verdicts] == [KEEP]
    assert found.contracts[["spent_usd", "to_come_usd", "short_usd"]].to_numpy().tolist() == [
        pytest.approx([10_000, 0, 0], abs=1e-3)
    ]


def test_units_that_stood_idle_are_kept_where_the_money_is_lost_without_them() -> None:
    """6 of 10 requests came. u = 12,320 / 1,488 units cost 6,160, and 3,840 of the contract is lost: 10,000 in all.

    Fewer units would only lose more: no units at all spend 6 x 3 x 744 = 13,392 on demand. Without the contract, 6
    units would have been best (4,464), and the idle ones regretted.
    """
    case = macc(10_000.0)
    found = review(case, solve(case, workers=1), history_of(case, 0.6))
    assert found.regret.plan_usd == pytest.approx(10_000)
    assert found.regret.short_usd == pytest.approx(10_000 - 744 * 12_320 / 1_488)
    assert found.regret.usd == 0
    verdict = found.verdicts[0]
    assert (verdict.verdict, verdict.last_unit_usd) == (KEEP, pytest.approx(HOURS))  # it fills what is lost without it
    assert "macc" in " ".join(verdict.evidence)
    assert found.paid_usd == pytest.approx(744 * 12_320 / 1_488)  # no month owes what is lost: it is said there
    assert any("without being spent" in sentence for sentence in headline(found))
    row = found.contracts.iloc[0]
    assert (row["planned_usd"], row["spent_usd"]) == (pytest.approx(10_000), pytest.approx(744 * 12_320 / 1_488))


def test_units_are_lowered_only_so_far_as_the_contract_saves_nothing_more() -> None:
    """10 units at 7,440 fill a contract of 5,000; 6 requests came. 6 units (4,464) lose 536 of it: 5,000 in all.

    That is the least that can be paid; the regret is 2,440, where it would be 4 x 744 = 2,976 without the contract.
    """
    case = macc(5_000.0)
    found = review(case, solve(case, workers=1), history_of(case, 0.6))
    assert found.regret.usd == pytest.approx(10 * HOURS - 5_000)
    assert found.verdicts[0].verdict == LOWER
    assert found.verdicts[0].saving_usd == pytest.approx(10 * HOURS - 5_000)


def test_what_is_not_seen_is_still_to_come_in_each_scenario_of_the_plan() -> None:
    """10 or 5 requests an hour, each as likely, all on demand at 3 USD; 10 of 31 days were seen, with 8.

    Spent 8 x 3 x 240 = 5,760. To come 504 hours at 30 or 15 USD: 15,120 or 7,560, 11,340 on average. Of 18,000 to be
    spent, 0 or 4,680 is lost: 2,340 on average, though 5,760 + 11,340 are only 900 short of it.
    """
    demand = [{"region": "west", "workload": "w", "scenario": s, "requests_per_hour": n, "hour_of_week": h}
              for s, n in (("high", 10.0), ("low", 5.0)) for h in range(168)]  # fmt: skip
    case = builders.case(
        builders.tables(
            scenarios=[{"scenario": "high", "probability": 0.5}, {"scenario": "low", "probability": 0.5}],
            demand=demand,
            offers=[],
            spend_commitments=[{"contract": "macc", "usd": 18_000.0}],
        )
    )
    history = history_of(case, 0.8)
    seen = history.rows[pd.DatetimeIndex(history.rows["hour"]).day <= 10]
    found = review(case, solve(case, workers=1), History(seen))
    row = found.contracts.iloc[0]
    assert row[["spent_usd", "to_come_usd", "short_usd"]].tolist() == pytest.approx([5_760, 11_340, 2_340])
    assert found.regret.plan_usd == pytest.approx(5_760 + 11_340 + 2_340)


def test_weeks_that_were_seen_are_no_risk_to_be_weighed() -> None:
    """10 units may serve m or n, month by month. m was asked for 10 in the first 14 days, n for 10 in the other 17.

    All units for n leave 336 hours of 10 requests to on demand, 10,080. Half of them for each would leave 5 in each of
    744 hours, 11,160: no week would be dearer than another, which is worth nothing once the month is over.
    """
    tables = builders.tables(
        models=[{"model": m} for m in "mn"],
        workloads=[workload(), workload(workload="v")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "v", "model": "n"}],
        scenarios=[{"scenario": s, "probability": 0.5} for s in ("high", "low")],
        demand=[row for s, n in (("high", 10), ("low", 5)) for w in "wv"
                for row in builders.profile("west", w, n, scenario=s)],
        throughput=[{"pool": "west-m", "model": m, "tokens_per_minute_per_unit": 1} for m in "mn"],
        on_demand=[on_demand(model=m) for m in "mn"],
        offers=[{"offer": "month", "pool": "west-m", "usd_per_unit_hour": 1, "max_units": 0}],
        commitments=[{"offer": "month", "units": 10, "start": "2027-01-01", "end": "2027-02-01"}],
    )  # fmt: skip
    case = builders.case(tables, risk={"weight": 0.9, "level": 0.9})
    rows = history_of(case).rows
    early = pd.DatetimeIndex(rows["hour"]).day <= 14
    found = review(case, solve(case, workers=1), History(rows[(rows["workload"] == "w") == early]))
    assert found.paid_usd == pytest.approx(10 * HOURS + 10 * 3 * 336)
