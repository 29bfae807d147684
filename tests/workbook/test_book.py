"""Pages of a workbook: tables that stand one below the other."""

import datetime as dt
from pathlib import Path

import openpyxl

from planner.workbook.book import Column, new_book, print_areas


def test_no_page_cuts_a_table_that_fits_on_it() -> None:
    """31 lines a page: 10 and 15 rows with a blank one each stand together, 12 more begin a page; 60 have their own."""
    blocks = [(0, 9), (11, 25), (27, 38), (40, 99)]
    assert print_areas(blocks, 100) == [(0, 25), (27, 38), (40, 99)]
    assert print_areas(blocks[:3], 280) == [(0, 38)]  # scaled by half: twice as many
    assert print_areas(blocks[:2], 100, [0, 20]) == [(0, 9), (11, 25)]  # wrapped texts


def test_a_sheet_of_several_tables_prints_each_from_the_top_of_a_page(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    book = new_book(str(path), "p", dt.date(2027, 1, 1), "", "")
    book.add_sheet("The two").printed(20, 2, areas=[(0, 9), (11, 20)])
    book.raw.close()
    areas = openpyxl.load_workbook(path)["The two"].print_area
    assert areas == "'The two'!$A$1:$C$10,'The two'!$A$12:$C$21"


def test_prices_of_a_column_have_the_decimals_of_the_one_that_needs_most(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    book = new_book(str(path), "p", dt.date(2027, 1, 1), "", "")
    columns = (Column("a", "A", "price"), Column("b", "B", "price:input"))
    book.add_sheet("Prices").table(0, columns, [{"a": 0.30274, "b": 12.5}, {"a": 0.356164, "b": 3.0}])
    book.raw.close()
    formats = [cell.number_format for cell in openpyxl.load_workbook(path)["Prices"][3]]
    assert formats == ["$#,##0.000000;-$#,##0.000000", "$#,##0.00####;-$#,##0.00####"]
