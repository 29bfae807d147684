"""The way back: an order edited as procurement edits it, and every way in which it can be unusable."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from openpyxl.styles import Font

from planner.errors import InputError
from planner.features.order.order_reader import read_purchase_order
from planner.solver.solve import solve
from planner.verify.figures import metrics_of
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from tests import builders
from tests.builders.books import opened, small_workbook

FIRST = 12  # row of the first line
UNITS, PRICE, START = "F", "I", "J"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_workbook(tmp_path_factory.mktemp("order"))


@pytest.fixture
def edit(written: Path, tmp_path: Path) -> Callable[..., Path]:
    def edited(change: Callable[..., None]) -> Path:
        book = opened(written)
        change(book["Purchase order"])
        book.save(tmp_path / "edited.xlsx")
        book.close()
        return tmp_path / "edited.xlsx"

    return edited


def lines(path: Path) -> list[tuple[str, str, float, float]]:
    return list(read_purchase_order(path).itertuples(index=False, name=None))


EAST, WEST = ("east-m-1m", "2027-01", 10.0, 1.0), ("west-m-1m", "2027-01", 10.0, 1.0)


def test_an_unedited_order_is_the_plan(written: Path) -> None:
    assert lines(written) == [EAST, WEST]


def test_other_units_and_prices(edit) -> None:
    def change(sheet) -> None:
        sheet[f"{UNITS}{FIRST}"] = 12
        sheet[f"{PRICE}{FIRST + 1}"] = "0.9"  # a number stored as text

    assert lines(edit(change)) == [("east-m-1m", "2027-01", 12.0, 1.0), ("west-m-1m", "2027-01", 10.0, 0.9)]


@pytest.mark.parametrize("column", ["A", UNITS])
def test_a_struck_line_is_not_bought(edit, column: str) -> None:
    def change(sheet) -> None:
        sheet[f"{column}{FIRST}"].font = Font(strike=True)

    assert lines(edit(change)) == [WEST]


@pytest.mark.parametrize("units", [0, None, ""])
def test_no_units_is_not_bought(edit, units: object) -> None:
    def change(sheet) -> None:
        sheet[f"{UNITS}{FIRST}"] = units

    assert lines(edit(change)) == [WEST]


def test_a_deleted_row_is_not_bought(edit) -> None:
    assert lines(edit(lambda sheet: sheet.delete_rows(FIRST))) == [WEST]


def test_moved_columns_and_another_month(edit) -> None:
    def change(sheet) -> None:
        sheet.insert_cols(1)
        sheet[f"A{FIRST - 1}"] = "Ticket"
        sheet[f"K{FIRST}"] = dt.datetime(2027, 2, 1)

    assert lines(edit(change)) == [("east-m-1m", "2027-02", 10.0, 1.0), WEST]


def test_a_start_within_a_month_names_a_part_of_it(edit) -> None:
    def change(sheet) -> None:
        sheet[f"{START}{FIRST}"] = dt.datetime(2027, 1, 15)

    assert lines(edit(change))[0][1] == "2027-01-15"


def test_every_fault_with_its_cell(edit) -> None:
    def change(sheet) -> None:
        sheet[f"{UNITS}{FIRST}"] = "twelve"
        sheet[f"{PRICE}{FIRST}"] = -1
        sheet[f"{START}{FIRST}"] = "mid January"
        sheet[f"{UNITS}{FIRST + 1}"] = "=5+5"

    with pytest.raises(InputError) as caught:
        read_purchase_order(edit(change))
    said = [str(fault) for fault in caught.value.faults]
    assert len(said) == 4
    assert said[0].startswith("edited.xlsx, sheet Purchase order, row 12, column Units (cell F12): is not a number")
    assert "'twelve'" in said[0]
    assert "cell I12" in said[1]
    assert "cell J12" in said[2]
    assert "mid January" in said[2]
    assert "cell F13" in said[3]
    assert "without a stored value" in said[3]


def test_a_missing_column_and_a_missing_sheet(edit) -> None:
    with pytest.raises(InputError, match="lacks the column Price"):
        read_purchase_order(edit(lambda sheet: sheet.delete_cols(9)))
    with pytest.raises(InputError, match="has no sheet Purchase order; its sheets: Summary, Order"):
        read_purchase_order(edit(lambda sheet: setattr(sheet, "title", "Order")))


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04 broken"])
def test_what_is_no_workbook_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"is not a workbook that can be read|the file is empty"):
        read_purchase_order(path)


def test_an_order_without_lines_is_empty(edit) -> None:
    found = read_purchase_order(edit(lambda sheet: sheet.delete_rows(FIRST, 2)))
    assert list(found.columns) == ["offer", "period", "units", "usd_per_unit_hour"]
    pd.testing.assert_series_equal(
        found.dtypes[2:], pd.Series({"units": "float64", "usd_per_unit_hour": "float64"}), check_dtype=False
    )
    assert found.empty


def test_units_by_the_hour_below_an_order_without_lines_are_no_lines(tmp_path: Path) -> None:
    rows = builders.tables(
        pools=[{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 1.5}], offers=[]
    )  # on demand would cost 3 USD for what a unit does in an hour
    case = builders.case(rows)
    plan = solve(case)
    assert plan.totals.unreserved_usd > 0
    write_workbook(Report(metrics_of(case, plan)), tmp_path / "plan.xlsx")
    assert read_purchase_order(tmp_path / "plan.xlsx").empty


def test_a_workbook_that_would_fill_the_memory_is_refused(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.features.order.order_reader.LARGEST_TEXTS_BYTES", 1000)
    with pytest.raises(InputError, match="MB of texts"):
        read_purchase_order(written)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "order.xlsx")
    with pytest.raises(InputError, match="is not a file"):
        read_purchase_order(tmp_path / "order.xlsx")
