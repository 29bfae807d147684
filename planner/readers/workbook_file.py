"""A workbook: one sheet per table and a sheet `plan`. Other sheets (notes, charts, sums) are the user's own."""

import re
import warnings
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.reader.excel import ExcelReader

from planner.errors import Fault, InputError, nearest
from planner.readers.csv_files import MEGABYTE, refuse_size
from planner.readers.load import RESERVED
from planner.readers.local_demand import is_local, read_local
from planner.readers.raw_tables import UNSAVED, Raw, RawDemand, RawSettings, RawTable, read_grid, text_of
from planner.readers.settings_file import SETTINGS_SHEET, read_sheet
from planner.schema.case import DEMAND_COLUMNS, TABLE, TABLES

LARGEST_WORKBOOK_BYTES = 128 * MEGABYTE
LARGEST_UNPACKED_BYTES = 192 * MEGABYTE  # of XML, which takes a few times as much when it is read
MOST_SHEET_ROWS = 250_000
MOST_COLUMNS = 256  # cells further right are nobody's table
_OLD_FORMAT = bytes.fromhex("d0cf11e0")  # .xls, and .xlsx files with a password

_ROW = re.compile(rb"<(?:[\w.-]+:)?row[\s/>]")
_CHUNK, _HEAD, _TAG_BYTES = MEGABYTE, 4096, 64  # of a sheet's XML; most that a tag's name takes

Grid = list[list[str]]


def refuse_rows(path: Path, wanted: Collection[str]) -> None:
    """Refuse a workbook with more rows in a wanted sheet than are read: to read as many takes half a minute.

    openpyxl reads any sheet whole that does not say how large it is, so that of these none may be larger.

    Raises
    ------
    InputError : a sheet has too many rows.
    """
    try:
        with zipfile.ZipFile(path) as package:
            reader = ExcelReader(str(path), read_only=True, keep_links=False)
            reader.read_manifest()
            reader.read_workbook()
            parts = [(sheet.name, rel.target) for sheet, rel in reader.parser.find_sheets()]
            large = [
                name
                for name, part in parts
                if _has_too_many_rows(package, part, always=name.strip().casefold() in wanted)
            ]
    except Exception:  # whatever the broken part of a file leads to: who reads it says so
        return
    if large:
        raise InputError([Fault(f"sheet {name}", _too_many(name)) for name in large])


def _has_too_many_rows(package: zipfile.ZipFile, part: str, *, always: bool) -> bool:
    count, rest = 0, b""
    with package.open(part) as file:
        while chunk := file.read(_CHUNK):
            if not rest and not always and b"dimension" in chunk[:_HEAD]:
                return False
            text = rest + chunk
            count += sum(1 for found in _ROW.finditer(text) if found.end() > len(rest))
            if count > MOST_SHEET_ROWS:
                return True
            rest = text[-_TAG_BYTES:]
    return False


def _too_many(name: str) -> str:
    what = ". Put demand into a folder with demand.csv instead" if name.strip().casefold() == "demand" else ""
    return f"has more than {MOST_SHEET_ROWS:,} rows{what}"


def read_workbook(path: Path) -> Raw:
    """Read the sheets of a workbook as text; what cannot be read becomes a fault.

    Raises
    ------
    InputError
        if the file is no workbook, too large, or unpacks to more than fits.
    """
    _refuse(path)
    refuse_rows(path, {*TABLE, SETTINGS_SHEET})
    try:
        grids, strangers = _grids(path)
    except (MemoryError, InputError):
        raise
    except Exception as error:  # openpyxl raises whatever the broken part of a file leads it to
        said = f"is not a workbook that can be read ({type(error).__name__}: {error})"
        raise InputError([Fault(path.name, said[:300])]) from None
    faults = [Fault(f"sheet {name}", f"there is no such table{hint}") for name, hint in strangers]
    settings: RawSettings | None = None
    if SETTINGS_SHEET in grids:
        settings, found = read_sheet(grids[SETTINGS_SHEET])
        faults += found
    else:
        faults.append(Fault(path.name, f"the sheet {SETTINGS_SHEET!r} is missing; a plan needs it"))
    tables: dict[str, RawTable] = {}
    local: RawDemand | None = None
    for table in TABLES:
        grid = grids.get(table.name, [])
        if table.name == "demand" and grid and is_local(grid[0]):
            local, found = read_local(table.name, grid, sheet=True)
            faults += found
        elif any(map(any, grid)):
            tables[table.name], found = read_grid(table.name, table.name, grid, sheet=True)
            faults += found
        elif table.required:
            said = "is empty" if table.name in grids else "is missing"
            faults.append(Fault(path.name, f"the sheet {table.name!r} {said}; a plan needs it"))
    demand = tables.pop("demand", None)
    return Raw(settings, tables, local if demand is None else _in_columns(demand), tuple(faults))


def _refuse(path: Path) -> None:
    """Raise for a file that is no workbook, or would fill the memory when unpacked."""
    refuse_size(path, LARGEST_WORKBOOK_BYTES)
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            old = file.read(4) == _OLD_FORMAT
        said = (
            "is an old .xls file or has a password; save it as .xlsx without one" if old else "is not an .xlsx workbook"
        )
        raise InputError([Fault(path.name, said)])
    try:
        with zipfile.ZipFile(path) as package:
            unpacked = sum(part.file_size for part in package.infolist())
    except Exception:  # zipfile raises whatever the broken part of a file leads it to
        raise InputError([Fault(path.name, "is a damaged workbook")]) from None
    if unpacked > LARGEST_UNPACKED_BYTES:
        said = f"unpacks to {unpacked / MEGABYTE:,.0f} MB; at most {LARGEST_UNPACKED_BYTES // MEGABYTE} MB are read"
        raise InputError([Fault(path.name, f"{said}. Put demand into a folder with demand.csv instead")])


def _grids(path: Path) -> tuple[dict[str, Grid], list[tuple[str, str]]]:
    """Texts of each sheet that is a table, by its name; and sheets whose name is nearly one, with the hint."""
    wanted = {*TABLE, SETTINGS_SHEET}
    grids: dict[str, Grid] = {}
    strangers: list[tuple[str, str]] = []
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")  # openpyxl names features it leaves alone: validations, styles, headers
        book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
        for sheet in book.worksheets:
            name = sheet.title.strip().casefold()
            if name in wanted:
                grids[name], formulas = _texts(sheet)
                if formulas:
                    _fill_in(path, sheet.title, grids[name], formulas)
            elif name not in RESERVED and (hint := nearest(name, wanted)):
                strangers.append((sheet.title, hint))
    return grids, strangers


def _rows(sheet: Any, **how: Any) -> Iterator[tuple[Any, ...]]:
    """Rows of a sheet, whatever size it claims to have."""
    sheet.reset_dimensions()
    for number, cells in enumerate(sheet.iter_rows(**how)):
        if number >= MOST_SHEET_ROWS:
            raise InputError([Fault(f"sheet {sheet.title}", _too_many(sheet.title))])
        yield cells


def _texts(sheet: Any) -> tuple[Grid, set[tuple[int, int]]]:
    """Cells as text, and the places of those that hold a formula."""
    grid: Grid = []
    formulas = set()
    for r, cells in enumerate(_rows(sheet, values_only=True)):
        row = []
        for k, value in enumerate(cells[:MOST_COLUMNS]):
            text = text_of(value)
            if text.startswith("=") or hasattr(value, "ref"):  # an array formula is an object with its range
                formulas.add((r, k))
            row.append(text)
        while row and not row[-1]:
            row.pop()
        grid.append(row)
    return grid, formulas


def _fill_in(path: Path, title: str, grid: Grid, formulas: set[tuple[int, int]]) -> None:
    """Put the stored values in place of formulas; one that was never calculated has none, which is not a blank."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        for r, cells in enumerate(_rows(book[title])):
            for k, cell in enumerate(cells):
                if (r, k) in formulas:
                    never = cell.value is None and cell.data_type == "n"
                    grid[r][k] = UNSAVED if never else text_of(cell.value)
    finally:
        book.close()


def _in_columns(table: RawTable) -> RawDemand:
    """Turn rows of demand into columns of categories, as demand.csv is read."""
    present = [name for name in DEMAND_COLUMNS if name in table.source.header]
    columns: Mapping[str, Any] = {
        name: pd.Categorical(pd.array([row.get(name, "") for _, row in table.rows], dtype="str")) for name in present
    }
    return RawDemand(table.source, pd.DataFrame(columns, index=[number for number, _ in table.rows]))
