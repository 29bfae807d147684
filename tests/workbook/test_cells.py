"""Cells that are written in one go read back as what was put, whatever stands beside them."""

import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from planner.workbook.book import Live, new_book

DAY = dt.date(2027, 1, 1)


def test_cells_read_back_as_what_was_put(tmp_path: Path) -> None:
    book = new_book(str(tmp_path / "a.xlsx"), "a", DAY, "", "")
    sheet = book.add_sheet("one")
    values = [
        None,
        0.1,
        -3,
        "=1+1 & <b>",
        True,
        DAY,
        Live('=IF(B1<1,"a&b",2)', "a&b"),
        Live("=B1*2", 0.2),
        float("nan"),
        Live("=B1/0", float("nan")),  # a stored nan makes a file that nobody can open
    ]
    for k, value in enumerate(values):
        sheet.put(0, k, value, "date" if value is DAY else "plain")
    sheet.merged(1, 0, 2, "across", "text")
    sheet.raw.set_row(3, 40)  # a row with a height and no cells
    sheet.across(4, 1, [1.5, 0.0, 2.5], "heat")
    sheet.down(5, 0, [7.0, 0.0, 8.0])
    book.raw.close()
    plain = openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True)["one"]
    told = [cell.value for cell in plain[1]]
    assert told == [None, 0.1, -3, "=1+1 & <b>", "yes", dt.datetime(2027, 1, 1), "a&b", 0.2, None, None]
    assert [cell.value for cell in plain[2]][:3] == ["across", None, None]
    assert [cell.value for cell in plain[5]][:4] == [None, 1.5, 0, 2.5]
    assert [plain.cell(row, 1).value for row in (6, 7, 8)] == [7, None, 8]
    formulas = openpyxl.load_workbook(tmp_path / "a.xlsx")["one"]
    assert [formulas.cell(1, k).value for k in (7, 8)] == ['=IF(B1<1,"a&b",2)', "=B1*2"]
    assert formulas.dimensions == "A1:J8"
    assert formulas.row_dimensions[4].height == 39.75  # a whole number of pixels


def test_more_columns_than_a_sheet_holds_are_refused(tmp_path: Path) -> None:
    book = new_book(str(tmp_path / "a.xlsx"), "a", DAY, "", "")
    with pytest.raises(ValueError, match="the sheet one has more rows, columns or text"):
        book.add_sheet("one").put(0, 16_384, "too far")
