"""What the rules cost, by hand on the smallest case: 10 requests an hour, 744 hours, a unit 1 USD an hour."""

import io

import pytest

from planner.features.what_if.rules_cost import rules_cost
from planner.plan.reading import Reading
from planner.plan.rules_cost import RulesCost
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import solve
from planner.verify.figures import figures_of
from planner.workbook.report import Report
from planner.workbook.terminal import print_report
from tests import builders

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
