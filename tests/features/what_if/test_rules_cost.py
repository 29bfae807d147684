"""What the rules cost, by hand on the smallest case: 10 requests an hour, 744 hours, a unit 1 USD an hour."""

import io
import time
from dataclasses import replace
from pathlib import Path

import pytest

from planner.errors import StoppedError
from planner.features.what_if import rules_cost_study
from planner.features.what_if.rules_cost_study import rules_cost
from planner.plan.reading import Reading
from planner.plan.rules_cost import Nothing, RuleCost, RulesCost
from planner.schema.case import Case
from planner.solver.find import Options, find_plan
from planner.solver.solve import solve
from planner.verify.figures import figures_of
from planner.workbook import rules_story, story
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from planner.workbook.terminal import print_report
from tests import builders
from tests.builders.books import opened

HOURS = 744
TRUST = "on demand trusted in full while a region is lost (now 0.5)"


def on_demand(usd_per_mtok: float, quota: float) -> list[dict[str, object]]:
    return [{"region": r, "model": "m", "usd_per_mtok_input": usd_per_mtok, "usd_per_mtok_output": 0.0,
             "tokens_per_minute_quota": quota} for r in ("east", "west")]  # fmt: skip


def failover_case() -> Case:
    """10 requests in each of two regions at 0.6 USD on demand, which is cheaper than a unit; quotas of 24.

    If one region is lost, the other has to serve 20: 12 of its quota, so it needs 8 units. Two regions: 16 units.
    """
    rows = builders.two_regions(on_demand=on_demand(10_000.0, 24))
    return builders.case(rows, failover={"enabled": True, "share": 1.0})


def found_of(case: Case) -> tuple[Reading, RulesCost]:
    reading = Reading(case, solve(case))
    return reading, rules_cost(reading, Options(workers=1))


def report_of(reading: Reading, found: RulesCost) -> Report:
    return Report(figures_of(reading), rules=found)


def test_failover_and_the_trust_that_nobody_set_cost_what_they_make_the_plan_buy() -> None:
    reading, found = found_of(failover_case())
    # 8 units in each region serve 8 of 10; 2 go on demand. Without failover: all 20 on demand at 0.6
    plan, free = (16 + 2 * 2 * 0.6) * HOURS, 20 * 0.6 * HOURS
    assert reading.plan.totals.total_usd == pytest.approx(plan)
    rules = {r.rule: r for r in found.rules}
    assert rules["without failover"].total_usd == pytest.approx(free)
    assert rules["without failover"].less_to_sign_usd == pytest.approx(16 * HOURS)
    # trusted in full, 24 of the other region's quota serve all 20
    assert rules[TRUST].saves_usd == pytest.approx(plan - free)
    assert rules[TRUST].unmeasured == "failover.on_demand_trust"
    assert [r.saves_usd for r in found.rules] == sorted((r.saves_usd for r in found.rules), reverse=True)


def test_signing_nothing_says_which_rule_it_breaks() -> None:
    _, found = found_of(failover_case())
    assert found.nothing.total_usd == pytest.approx(20 * 0.6 * HOURS)
    assert found.nothing.broken == ("failover east", "failover west")


def test_a_rule_that_decides_nothing_costs_nothing() -> None:
    case = builders.case(builders.tables(), max_commitment_usd=1e9)
    _, found = found_of(case)
    assert [(r.rule, r.saves_usd, r.less_to_sign_usd) for r in found.rules] == [
        ("without max_commitment_usd", 0.0, 0.0)
    ]
    assert found.nothing.total_usd == pytest.approx(30 * HOURS)
    assert found.nothing.broken == ()


def test_the_terminal_names_the_rule_that_decides_the_order() -> None:
    reading, found = found_of(failover_case())
    stream = io.StringIO()
    print_report(Report(figures_of(reading), rules=found), stream)
    text = " ".join(stream.getvalue().split())
    assert "more than signing nothing today ($8,928, which breaks failover east and failover west)" in text
    assert "One rule decides this order" in text
    assert "failover.on_demand_trust" in text


def test_whole_units_are_a_rule_beside_the_plan_where_the_others_are_found_for_units_of_any_size() -> None:
    sized = [{"pool": f"{r}-m", "model": "m", "tokens_per_minute_per_unit": 1, "min_units": 5, "unit_step": 5}
             for r in ("east", "west")]  # fmt: skip
    rows = builders.two_regions(on_demand=on_demand(10_000.0, 24), throughput=sized)
    case = builders.case(rows, whole_units=True, failover={"enabled": True, "share": 1.0})
    reading = Reading(case, solve(case))
    found = rules_cost(reading, Options(workers=1), whole=False)
    # of any size: 8 units in each region and 2 requests on demand; in steps of 5: 10 units, which serve everything
    any_size, whole = (16 + 2 * 2 * 0.6) * HOURS, 20 * HOURS
    assert reading.plan.totals.total_usd == pytest.approx(whole)
    assert found.any_size
    assert (found.total_usd, found.to_sign_usd) == pytest.approx((any_size, 16 * HOURS))
    rules = {r.rule: (r.saves_usd, r.less_to_sign_usd) for r in found.rules}
    assert rules["units of any size"] == pytest.approx((whole - any_size, 4 * HOURS))
    assert rules["without failover"] == pytest.approx((any_size - 20 * 0.6 * HOURS, 16 * HOURS))
    assert "(for units of any size) would not be signed" in " ".join(
        rules_story.deciding_rule(report_of(reading, found))
    )
    # 80 of the 100 that the plan itself signs, not of the 20 of units of any size
    block = RulesCost(
        (RuleCost("units of any size", 100.0, 20.0, 0.0, 80.0),), found.nothing, 100.0, 20.0, any_size=True
    )
    assert rules_story.deciding_rule(report_of(reading, block)) == [
        "One rule decides this order: units of any size, $80.00 of the $100 would not be signed."
    ]
    nothing = replace(reading.plan, purchases=reading.plan.purchases.iloc[:0])
    assert "order" not in " ".join(
        rules_story.deciding_rule(report_of(Reading(case, nothing), found))
    )  # there is none that a rule could decide


def test_a_rule_without_a_price_in_the_certificate_is_not_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = builders.two_regions(on_demand=on_demand(10_000.0, 48))  # half of 48 is enough for the 20 of both regions
    case = builders.case(rows, failover={"enabled": True, "share": 1.0})
    reading = Reading(case, solve(case))

    def refused(case: Case, options: Options) -> object:
        assert not case.offers[0].usd_per_unit_hour or case.offers[0].max_units == 0, "solved again without a rule"
        return find_plan(case, options)

    monkeypatch.setattr("planner.features.what_if.rules_cost_study.find_plan", refused)
    found = rules_cost(reading, Options(workers=1), whole=False)
    assert {r.rule: r.saves_usd for r in found.rules} == {"without failover": 0.0, TRUST: 0.0}


def test_what_takes_too_long_is_said_with_the_command_that_does_it() -> None:
    case = failover_case()
    found = rules_cost(Reading(case, solve(case)), Options(workers=1), whole=False, budget_seconds=0.0)
    assert found.rules == ()
    assert "planner solve FOLDER --rules-cost takes the time" in found.skipped
    assert rules_story.rule_lines(report_of(Reading(case, solve(case)), found)) == [found.skipped]


def test_the_saving_leads_to_the_effective_savings_rate() -> None:
    reading, found = found_of(failover_case())
    report = report_of(reading, found)
    # the plan 18.4 an hour, signing nothing 12, which is what the usage costs on demand: one figure, nothing to explain
    assert story.compared_with(report) == story.Base(
        "signing nothing today", pytest.approx(12 * HOURS), ", which breaks failover east and failover west"
    )
    assert story.from_one_saving_to_the_other(report) == ""
    more = replace(found, nothing=replace(found.nothing, total_usd=20 * HOURS, units_usd=8 * HOURS))
    told = story.from_one_saving_to_the_other(report_of(reading, more))
    assert told.startswith("Saving $1,190 = signing nothing today $14,880 - the plan $13,690. ")
    assert "= $8,928 on demand + $5,952 for units by the hour." in told


def test_a_guaranteed_share_is_named_wherever_it_decides() -> None:
    # 10 requests an hour at 0.6 on demand, half of them guaranteed: 5 units and 5 x 0.6; all of it on demand would be 6
    workload = [{"workload": "w", "input_tokens": 60.0, "output_tokens": 0.0, "guaranteed_share": 0.5}]
    case = builders.case(builders.tables(workloads=workload, on_demand=on_demand(10_000.0, 24)[1:]))
    reading, found = found_of(case)
    report = report_of(reading, found)
    assert reading.plan.totals.total_usd == pytest.approx((5 + 5 * 0.6) * HOURS)
    rule = next(r for r in found.rules if r.rule == "without the guaranteed share of w")
    assert (rule.saves_usd, rule.less_to_sign_usd) == pytest.approx((2 * HOURS, 5 * HOURS))
    way = next(w for w in story.ways(report) if w.name == "All on demand")
    assert (way.possible, way.note) == (False, "serves less than the guaranteed share of w")
    assert all(w.possible for w in story.ways(report) if w.name.startswith("Reserved for"))
    assert "because the guaranteed share of w asks for it: west-m-1m" in " ".join(report.metrics.cautions)
    value, rent = report.values[0], report.rents[0]
    assert story.reason(value, rent, report.guarantees["west-m"]).startswith("Needed for the guaranteed share of w")


def test_units_bought_by_the_hour_stand_in_the_headline_and_on_the_purchase_order(tmp_path: Path) -> None:
    pools = [{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 0.5}]  # a commitment costs 1
    case = builders.case(builders.tables(pools=pools))
    report = Report(figures_of(Reading(case, solve(case))))
    assert story.decision(report)[0] == (
        "Sign nothing new, buy units by the hour for $3,720 beyond commitments, and leave the rest of the usage to on "
        "demand."
    )
    write_workbook(report, tmp_path / "plan.xlsx")
    cells = [cell.value for row in opened(tmp_path / "plan.xlsx")["Purchase order"].iter_rows() for cell in row]
    at = next(k for k, value in enumerate(cells) if str(value).startswith("Beyond commitments"))
    assert [value for value in cells[at:] if value in ("west-m", "west", "2027-01", 10, 0.5, 3720)] == [
        "west-m", "west", "2027-01", 10, 0.5, 3720]  # fmt: skip


def test_signing_nothing_is_left_out_where_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a time limit it has some minutes; a time limit of the command is the command's to tell of."""
    asked: list[float] = []

    def endless(case: object, options: Options) -> Nothing:
        asked.append(options.until - time.monotonic())
        raise StoppedError("out of time")

    monkeypatch.setattr(rules_cost_study, "signing_nothing", endless)
    case = builders.case(builders.tables())
    assert rules_cost_study.nothing_if_quick(case, Options()) == Nothing(None, tried=False)
    assert asked == [pytest.approx(rules_cost_study.NOTHING_SECONDS, abs=5)]
    with pytest.raises(StoppedError):
        rules_cost_study.nothing_if_quick(case, Options(until=time.monotonic() + 5))
