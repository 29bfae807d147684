"""The sheet Cost per task over two months: 3.20 USD a task, then 3.60; its formulas add up to what it shows."""

from dataclasses import replace
from pathlib import Path

import pytest

import planner
from planner.features.tasks import cost_per_task_sheet
from planner.verify.figures import metrics_of
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from tests import builders
from tests.builders.books import opened
from tests.builders.hand_plans import hourly
from tests.builders.solved import spend
from tests.builders.task_plans import MONTHS, OFFER, ON_DEMAND, THROUGHPUT, WORKLOAD, flow, priced


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[object]], dict[str, list[object]]]:
    """Rows of the sheet by their first two cells: as formulas and as values."""
    case = builders.case(
        builders.tables(workloads=[WORKLOAD], throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER]), months=2
    )
    flows = hourly([flow("west-m", 8.0), flow("standard", 2.0)], periods=MONTHS)
    plan = priced(case, dict(zip([("west-m", m) for m in MONTHS], (10.0, 12.0))), flows)
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    write_workbook(Report(metrics_of(case, plan)), path, [*cost_per_task_sheet.SHEETS])
    return rows(path), rows(path, data_only=True)


def rows(path: Path, **options: bool) -> dict[str, list[object]]:
    sheet = opened(path, **options)["Cost per task"]
    return {f"{row[0].value} {row[1].value}": [cell.value for cell in row] for row in sheet.iter_rows(max_col=10)}


def test_each_month(sheets: tuple[dict[str, list[object]], dict[str, list[object]]]) -> None:
    formulas, values = sheets
    total, task, change, index = values["w 2027-02"][3:7]
    assert (total, task) == (pytest.approx(18 * 672), pytest.approx(3.6))  # 12 + 2 x 3 USD an hour, 5 tasks
    assert (change, index) == (pytest.approx(0.125), pytest.approx(112.5))
    assert values["w 2027-01"][5] is None
    assert str(formulas["w 2027-02"][3]).startswith(
        "='Cost by model and month'!$H$"
    )  # the cell by workload, model and month


def test_why_it_moved(sheets: tuple[dict[str, list[object]], dict[str, list[object]]]) -> None:
    formulas, values = sheets
    assert values["Workload Months"][2:5] == ["Before", "Utilisation", "After"]
    assert values["w 2027-01 → 2027-02"][2:5] == [pytest.approx(3.2), pytest.approx(0.4), pytest.approx(3.6)]
    assert str(formulas["w 2027-01 → 2027-02"][4])[0] == "="


def test_the_alert(sheets: tuple[dict[str, list[object]], dict[str, list[object]]]) -> None:
    alert = [name for name in sheets[1] if "a task costs 12.5 % more in 2027-02 than in 2027-01" in name]
    assert len(alert) == 1
    assert "Driver: utilisation" in alert[0]


def test_what_nobody_asked_for_has_no_tasks(tmp_path: Path) -> None:
    """200 USD promised, 132.86 spent: a row of its own, and a workbook that opens (a stored nan is none)."""
    (contract,) = spend.CASE.spend_commitments
    case = replace(spend.CASE, spend_commitments=(contract.model_copy(update={"usd": 200.0}),))
    write_workbook(Report(metrics_of(case, planner.solve(case))), tmp_path / "plan.xlsx", [*cost_per_task_sheet.SHEETS])
    found = rows(tmp_path / "plan.xlsx", data_only=True)
    (row,) = [values for name, values in found.items() if name.startswith("(unspent commitments) 0")]
    assert row[7:9] == [None, None]  # requests of a task, USD of a task


def test_an_effect_too_small_to_show_is_none() -> None:
    """Six decimals are shown: -0.0000002 USD would be -$0.000000, and belongs to the largest effect."""
    shown = cost_per_task_sheet._shown
    assert shown({"utilisation": -2e-7, "volume": None}) == {"utilisation": 0.0, "volume": None}
    assert shown({"price": 0.001, "mix": -2e-7}) == {"price": 0.001 - 2e-7, "mix": 0.0}
    assert shown({"price": None}) == {"price": None}
