"""What each scenario costs, and the worst tail, on terminal, page and Summary; the case is solved by hand."""

import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

import planner
from planner.solver.solve import solve
from planner.workbook import contract_story
from planner.workbook.contract_story import scenario_lines, scenario_rows
from planner.workbook.html import write_html
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from planner.workbook.story import ways
from planner.workbook.terminal import print_report
from tests.builders.solved import solved

CASE = next(each.case for each in solved() if each.family == "risk")
UNITS = 15 * 3.72
HIGH = UNITS + 5 * 93 / 7  # 122.23
EXPECTED = UNITS + 0.2 * 5 * 93 / 7  # 69.09


@pytest.fixture(scope="module")
def report() -> Report:
    return Report(planner.metrics_of(CASE, solve(CASE, workers=1)))


def test_rows(report: Report) -> None:
    high, low = scenario_rows(report)
    assert (high.scenario, high.probability, high.in_tail) == ("high", 0.2, True)
    assert (high.usd, high.dearer_usd) == pytest.approx((HIGH, HIGH - EXPECTED))
    assert (low.usd, low.in_tail) == (pytest.approx(UNITS), False)
    assert scenario_lines(report) == [
        "Worst tail: the dearest 20.0 % of the probability (high) cost $122 on average, weighed 50.0 % against the "
        "expected $69.09: $95.66 is what was minimised."
    ]


def test_a_way_of_a_lower_expected_cost_is_named(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = ways(report)[-1]
    lower = [replace(plan, name=name, total_usd=usd, possible=usd < 68) for name, usd in (("A", 68), ("B", 67.5))]
    monkeypatch.setattr(contract_story, "ways", lambda _: [*lower, replace(plan, name="C", total_usd=67), plan])
    (line,) = scenario_lines(report)
    assert line.endswith(" C has a lower expected cost ($67.00), which is not all that is minimised.")


def test_terminal(report: Report) -> None:
    stream = io.StringIO()
    print_report(report, stream)
    lines = [" ".join(line.split()) for line in stream.getvalue().splitlines()]
    assert "high 20.0 % $122 +$53.14 worst tail" in lines
    assert "low 80.0 % $55.80 -$13.29" in lines
    assert "Expected 100.0 % $69.09" in lines
    assert "Worst tail, on average 20.0 % $122" in lines


def test_page_and_summary(report: Report, tmp_path: Path) -> None:
    write_html(report, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "<td>Worst tail, on average</td>" in page
    write_workbook(report, tmp_path / "plan.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "plan.xlsx")["Summary"]
    rows = {row[0]: row[1:5] for row in sheet.iter_rows(values_only=True) if row[0]}
    assert rows["high"] == pytest.approx((0.2, HIGH, HIGH - EXPECTED, "worst tail"))
    assert rows["Expected"][:2] == pytest.approx((1.0, EXPECTED))
    assert rows["Worst tail, on average"][:2] == pytest.approx((0.2, HIGH))


def test_the_bound_of_what_was_minimised_is_no_bound_of_the_expected_cost(report: Report) -> None:
    """20 units for the peak cost 74.40 USD: below the bound of 95.66 on the weighed sum, and possible all the same."""
    row = report.metrics.strategies.set_index("strategy").loc["reserved for the peak"]
    assert row["total_usd"] == pytest.approx(20 * 3.72)
    assert row["possible"]


def test_a_dollar_s_worth_is_left_out_far_from_the_bound() -> None:
    """The prices that prove the bound are the plan's own where they meet; 2 % apart they tell of another plan."""
    case = next(each.case for each in solved() if each.family == "spend")
    solution = solve(case, workers=1)
    near = contract_story.while_money_must_be_spent(Report(planner.metrics_of(case, solution)))
    assert any("breaks even at" in line for line in near)
    assert "One more dollar spent on it costs" in near[0]
    plan = replace(solution, proof=replace(solution.proof, gap=0.02))
    far = contract_story.while_money_must_be_spent(Report(planner.metrics_of(case, plan)))
    assert "One more dollar" not in far[0]
    assert far[1:] == [
        "Left out is where offers break even while money must be spent anyway: the prices that tell are those of the "
        "bound, and 2.0 % of what the plan costs is above it."
    ]
