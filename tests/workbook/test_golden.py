"""Every cell of the hand-made plan's workbook, formulas and values, against a text file that a person has read.

A difference is either a fault, or meant. If it is meant, change `golden/plan.csv` by hand in a commit that says why;
the test leaves what the workbook holds now beside its other temporary files and names it, so that the two can be
compared line by line.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest
from openpyxl.utils.cell import coordinate_to_tuple

from tests.builders.books import opened, small_workbook

GOLDEN = Path(__file__).parent / "golden" / "plan.csv"
# Sheets with a row or a column an hour: their first rows and columns are read, of the rest the number of cells.
HOURLY = {"Week data": 2560, "Unit data": 730, "Week": 610, "Demand": 452, "Why by hour": 408}
FIRST_ROWS, FIRST_COLUMNS = 12, 8
Cells = dict[tuple[str, str], tuple[str, str]]


def cells_of(path: Path) -> Cells:
    """(sheet, cell) -> (formula or "", value as text), all cells that hold something."""
    typed, stored = opened(path), opened(path, data_only=True)
    found: Cells = {}
    for sheet in typed:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    value = stored[sheet.title][cell.coordinate].value
                    formula = cell.value if cell.data_type == "f" else ""
                    found[sheet.title, cell.coordinate] = (formula, text(value))
    return found


def text(value: object) -> str:
    """Value as text; numbers to 12 digits, more than any reader sees and fewer than machines differ in."""
    return "" if value is None else f"{value:.12g}" if isinstance(value, (int, float)) else str(value)


def read(path: Path) -> Cells:
    with path.open(encoding="utf-8", newline="") as file:
        return {(sheet, cell): (formula, value) for sheet, cell, formula, value in csv.reader(file)}


def is_read(sheet: str, cell: str) -> bool:
    """Whether a person reads this cell: all of a sheet, or the first rows and columns of one with a row an hour."""
    row, column = coordinate_to_tuple(cell)
    return sheet not in HOURLY or (row <= FIRST_ROWS and column <= FIRST_COLUMNS)


def write(cells: Cells, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*key, *content] for key, content in cells.items())


def same(one: tuple[str, str] | None, other: tuple[str, str] | None) -> bool:
    if one is None or other is None or one[0] != other[0]:
        return False
    try:
        return float(one[1]) == pytest.approx(float(other[1]), rel=1e-9, abs=1e-9)
    except ValueError:
        return one[1] == other[1]


def test_every_cell_is_as_it_was_read_and_accepted(tmp_path: Path) -> None:
    everything, golden = cells_of(small_workbook(tmp_path)), read(GOLDEN)
    assert Counter(sheet for sheet, _ in everything if sheet in HOURLY) == HOURLY
    now = {key: content for key, content in everything.items() if is_read(*key)}
    every = {**golden, **now}
    changed = [f"{'!'.join(key)}: was {golden.get(key)}, is {now.get(key)}"
               for key in every if not same(golden.get(key), now.get(key))]  # fmt: skip
    if changed:
        write(now, tmp_path / "plan.csv")
        more = f"\n... and {len(changed) - 20} more" if len(changed) > 20 else ""
        pytest.fail("\n".join(changed[:20]) + f"{more}\nthe workbook as it is now: {tmp_path / 'plan.csv'}")
