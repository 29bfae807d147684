"""Pages of a workbook: tables that stand one below the other."""

import datetime as dt
from pathlib import Path

import openpyxl

from planner.workbook.book import new_book, print_areas


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
