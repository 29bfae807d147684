"""The way back: reads the purchase order of a plan.xlsx that procurement has edited."""

import datetime as dt
import itertools
import math
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from planner.errors import Fault, InputError
from planner.readers.csv_files import MEGABYTE, refuse_size
from planner.readers.workbook_file import refuse_rows
from planner.workbook.order_columns import BEYOND, OFFER, ORDER_SHEET, PRICE, START, UNITS, UPFRONT, heading

ORDER_COLUMNS = ("offer", "period", "units", "usd_per_unit_hour", "upfront_usd_per_unit")
LARGEST_FILE_BYTES, LARGEST_TEXTS_BYTES, MOST_ROWS = 96 * MEGABYTE, 96 * MEGABYTE, 100_000
_SHOWN_SHEETS = 20
_LAST_HEADER_ROW = 40
_END = "total"


def read_purchase_order(path: str | Path) -> pd.DataFrame:
    """Read the lines of the sheet Purchase order that are still to be bought.

    A line is left out where its row is deleted, its offer or its units are struck through, or its units are blank or 0.

    Returns
    -------
    One row a line: offer, period (``2027-01``, or ``2027-01-12`` where it is no first of a month), units,
    usd_per_unit_hour, and upfront_usd_per_unit where the sheet has that column.

    Raises
    ------
    InputError
        with every fault of the sheet: what is wrong, in which cell, what is allowed.
    """
    path = Path(path)
    rows, formulas = _sheet(path, values=True), _sheet(path, values=False)
    place = f"{path.name}, sheet {ORDER_SHEET}"
    top, columns = _header(place, rows)
    faults: list[Fault] = []
    lines = []
    for number, (row, formula) in enumerate(zip(rows[top + 1 :], formulas[top + 1 :], strict=False), start=top + 2):
        cells = {name: row[k] if k < len(row) else None for name, k in columns.items()}
        offer = _value(cells[OFFER])
        begins = str(row[0].value).strip()
        if begins.casefold() == _END or begins.startswith(f"{BEYOND}:"):
            break
        if offer is None or str(offer).strip() == "":
            continue
        where = _Where(place, number, columns, faults)
        unsaved = [
            name
            for name in (UNITS, PRICE, UPFRONT, START)
            if name in cells and _unsaved(cells[name], formula, columns[name])
        ]
        for name in unsaved:
            where.fault(name, "a formula without a stored value", None, "open the file in a spreadsheet and save it")
        if unsaved or _struck(cells[OFFER]) or _struck(cells[UNITS]) or _value(cells[UNITS]) in (None, "", 0):
            continue
        units = where.number(UNITS, _value(cells[UNITS]))
        price = where.number(PRICE, _value(cells[PRICE]))
        upfront = where.number(UPFRONT, _value(cells[UPFRONT])) if UPFRONT in cells else math.nan
        period = where.period(START, _value(cells[START]))
        if units:
            lines.append((str(offer).strip(), period, units, price, upfront))
    if faults:
        raise InputError(faults)
    order = pd.DataFrame(lines, columns=list(ORDER_COLUMNS)).astype(dict.fromkeys(ORDER_COLUMNS[2:], float))
    return order if UPFRONT in columns else order.drop(columns=ORDER_COLUMNS[-1])


class _Where:
    """Turns the cells of one row into values and gathers what is wrong with them."""

    def __init__(self, place: str, row: int, columns: dict[str, int], faults: list[Fault]) -> None:
        self.place, self.row, self.columns, self.faults = place, row, columns, faults

    def fault(self, name: str, message: str, value: object, allowed: str) -> None:
        cell = f"{get_column_letter(self.columns[name] + 1)}{self.row}"
        self.faults.append(Fault(self.place, message, self.row, f"{name} (cell {cell})", value, allowed))

    def number(self, name: str, value: object) -> float:
        try:
            number = float(value) if not isinstance(value, bool) else math.nan  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or number < 0:
            self.fault(name, "is not a number of 0 or more", "blank" if value is None else value, "0 or more")
            return 0.0
        return number

    def period(self, name: str, value: object) -> str:
        day: dt.date | None = None
        if isinstance(value, dt.datetime):
            day = value.date()
        elif isinstance(value, dt.date):
            day = value
        elif isinstance(value, str):
            text = value.strip()
            try:
                day = dt.date.fromisoformat(f"{text}-01" if len(text) == 7 else text)
            except ValueError:
                day = None
        if day is None:
            self.fault(name, "is not a date", "blank" if value is None else value, "a date such as 2027-01-01")
            return ""
        return f"{day:%Y-%m}" if day.day == 1 else f"{day}"


def _sheet(path: Path, *, values: bool) -> list[Sequence[Any]]:
    """Cells of the sheet, as values stored or as typed."""
    refuse_size(path, LARGEST_FILE_BYTES)
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")  # openpyxl names the features that it leaves alone
        try:
            _refuse_bomb(path)
            refuse_rows(path, {ORDER_SHEET.casefold()})
            book = load_workbook(file, read_only=True, data_only=values, keep_links=False)
            names = book.sheetnames
            rows: list[Sequence[Any]] | None = None
            if ORDER_SHEET in names:
                rows = list(itertools.islice(book[ORDER_SHEET].iter_rows(), MOST_ROWS))
        except (MemoryError, InputError):
            raise
        except Exception as error:  # openpyxl raises whatever the broken part of a file leads it to
            fault = Fault(path.name, "is not a workbook that can be read", allowed="a plan.xlsx as planner writes it")
            raise InputError([fault]) from error
    if rows is None:
        said = f"has no sheet {ORDER_SHEET}; its sheets: {', '.join(names[:_SHOWN_SHEETS])}"
        raise InputError([Fault(path.name, said)])
    return rows


def _refuse_bomb(path: Path) -> None:
    """Refuse a workbook whose texts and styles, which are read whole, would fill the memory."""
    with zipfile.ZipFile(path) as package:
        whole = sum(part.file_size for part in package.infolist() if not part.filename.startswith("xl/worksheets/"))
    if whole > LARGEST_TEXTS_BYTES:
        said = f"has {whole / MEGABYTE:,.0f} MB of texts; a plan.xlsx has at most {LARGEST_TEXTS_BYTES // MEGABYTE} MB"
        raise InputError([Fault(path.name, said)])


def _header(place: str, rows: Sequence[Sequence[Any]]) -> tuple[int, dict[str, int]]:
    """Row of the header (0-based) and the column of each name we need."""
    needed = {name.casefold(): name for name in (OFFER, START, UNITS, PRICE)}
    known = needed | {UPFRONT.casefold(): UPFRONT}
    for number, row in enumerate(rows[:_LAST_HEADER_ROW]):
        found: dict[str, int] = {}
        for k, cell in enumerate(row):
            name = known.get(heading(cell.value))
            if name is not None:
                found.setdefault(name, k)
        if set(needed.values()) <= found.keys():
            return number, found
        if OFFER in found and UNITS in found:
            missing = [name for name in needed.values() if name not in found]
            raise InputError([Fault(place, f"lacks the column {' and '.join(missing)}", number + 1)])
    raise InputError([Fault(place, f"no header row with {OFFER}, {START}, {UNITS} and {PRICE} in its first rows")])


def _value(cell: Any) -> object:
    return None if cell is None else cell.value


def _struck(cell: Any) -> bool:
    font = getattr(cell, "font", None)
    return bool(font is not None and (font.strike or False))


def _unsaved(cell: Any, formulas: Sequence[Any], at: int) -> bool:
    if _value(cell) is not None or at >= len(formulas):
        return False
    typed = formulas[at].value
    return isinstance(typed, str) and typed.startswith("=")
