"""What the reports say of work that can wait, in figures worked out by hand."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import planner
from planner.plan.rules_cost import Deadlines, Nothing, RulesCost, WaitingCost
from planner.plan.waited import waited
from planner.solver.solve import solve
from planner.workbook import waiting_story
from planner.workbook.export import tables as exported
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from planner.workbook.terminal import print_report
from tests import builders
from tests.builders.one_hour import workload


@pytest.fixture(scope="module")
def report() -> Report:
    """Of 24 requests in hour 0 of each day, which may wait 23 hours, one unit serves one an hour."""
    demand = builders.profile("west", "w", [24.0] + [0.0] * 23)
    case = builders.case(builders.tables(demand=demand, workloads=[workload(deadline_hours=23)]))
    return Report(planner.metrics_of(case, solve(case)))


def test_figures(report: Report) -> None:
    found = waited(report.reading)
    assert found is not None
    (row,) = found.workloads.to_dict("records")
    assert row["requests"] == pytest.approx(24 * 31)
    assert row["waited_requests"] == pytest.approx(23 * 31)
    assert row["mean_hours_waited"] == pytest.approx(12)  # 1 to 23 hours
    assert row["longest_hours_waited"] == 23
    assert row["reserved_requests"] == pytest.approx(24 * 31)
    assert row["slow_requests"] == 0
    (idle,) = found.idle.to_dict("records")
    assert idle["unit_hours"] == pytest.approx(744)
    assert idle["idle_unit_hours"] == pytest.approx(0, abs=1e-6)
    assert found.waited_share == pytest.approx(23 / 24)


def with_costs(report: Report, *waiting: WaitingCost) -> Report:
    total = report.plan.totals.total_usd  # 744
    return replace(report, rules=RulesCost((), Nothing(None), total, 744.0, waiting=waiting))


def test_it_says_what_waiting_saves_and_longer_deadlines_would(report: Report) -> None:
    at_once = WaitingCost(Deadlines.NONE, 2232.0, 0.0)  # 24 requests on 31 days at 3 USD
    twice, week = WaitingCost(Deadlines.TWICE, 700.0, 700.0), WaitingCost(Deadlines.WEEK, 690.0, 690.0)
    text = " ".join(waiting_story.waiting_lines(with_costs(report, at_once, twice, week)))
    assert "95.8 % of the requests that can wait do, 12.0 hours on average and 23 at most." in text
    assert "Waiting saves $1,488: " in text
    assert "would make the cheapest plan cost $2,232, not $744." in text
    assert "Longer deadlines would save $44.00 if they were twice as long and $54.00 if they were of a week." in text
    assert "No deployed unit is idle" in text
    none = waiting_story.waiting_lines(with_costs(report, WaitingCost(Deadlines.NONE, None)))
    assert "Without waiting there is no plan" in " ".join(none)
    useless = waiting_story.waiting_lines(with_costs(report, replace(twice, total_usd=744.0)))
    assert "Longer deadlines would save nothing." in useless


def test_terminal_exports_and_sheets_have_it(report: Report, tmp_path: Path) -> None:
    stream = io.StringIO()
    print_report(report, stream)
    assert "Work that can wait" in stream.getvalue()
    assert {"waited", "idle"} <= set(exported(report))
    costs = with_costs(report, WaitingCost(Deadlines.NONE, None), WaitingCost(Deadlines.TWICE, 700.0, 700.0))
    write_workbook(costs, tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    rows: list[tuple[Any, ...]] = list(book["Work that can wait"].iter_rows(values_only=True))
    first = {row[0]: row for row in rows}
    assert first["Served in the hour in which it arises"][1] is None
    assert first["Every deadline twice as long"][1:4] == (700, 44, 700)
    assert first["w"][1:3] == (23, pytest.approx(744))
    week = [row[0] for row in book["Week"].iter_rows(values_only=True)]
    arose = "The same demand in the hour in which it arose: what differs from the grid below has waited"
    assert week.index(arose) < week.index("Demand served here, requests per hour")


def test_an_input_without_deadlines_has_neither(tmp_path: Path) -> None:
    case = builders.case(builders.tables())
    plain = Report(planner.metrics_of(case, solve(case)))
    assert plain.waited is None
    assert waiting_story.waiting_lines(plain) == []
    write_workbook(plain, tmp_path / "plan.xlsx")
    assert "Work that can wait" not in openpyxl.load_workbook(tmp_path / "plan.xlsx").sheetnames
