"""What a file or sheet holds before anything is believed: text cells with their place, rows under a header."""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from planner.errors import Fault, nearest
from planner.schema.describe import columns_of
from planner.schema.tables import TABLE

if TYPE_CHECKING:
    from planner.readers.local_demand import LocalRow

FIRST_ROW = 2  # of a table, as an editor counts: row 1 is the header


@dataclass(frozen=True)
class Source:
    """Where a table was read: its name, the file or sheet, and the header as found (stripped; blank cells kept)."""

    table: str
    place: str  # "mix.csv", or the sheet "mix"
    header: tuple[str, ...]
    sheet: bool = False

    def fault(
        self,
        message: str,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        allowed: str | None = None,
    ) -> Fault:
        """Say what is wrong, and where: ``mix.csv, row 3, column model``; in a workbook ``mix!B3, column model``."""
        if not self.sheet:
            return Fault(self.place, message, row, column, value, allowed)
        if row is not None and column in self.header:
            cell = f"{self.place}!{letters(self.header.index(column))}{row}"
            return Fault(cell, message, None, column, value, allowed)
        return Fault(f"sheet {self.place}", message, row, column, value, allowed)


@dataclass(frozen=True)
class RawTable:
    """A table as text: for each row that is not blank, its number and its filled cells by column."""

    source: Source
    rows: tuple[tuple[int, dict[str, str]], ...]


@dataclass(frozen=True)
class RawDemand:
    """Demand as found: a column of categories of text for each column present, the index being the row number.

    ``requests_per_hour`` may be float64 already, where every cell of it is a finite number.
    """

    source: Source
    frame: pd.DataFrame
    local: "tuple[LocalRow, ...]" = ()  # rows with a column an hour, in local time; the frame is empty then


@dataclass(frozen=True)
class RawSettings:
    """plan.yaml or the sheet `plan`: dotted key to text (blank ones left out), and the row of each."""

    source: Source
    values: dict[str, str]
    rows: dict[str, int]

    def fault(self, message: str, key: str, value: object = None, allowed: str | None = None) -> Fault:
        """Say what is wrong with a key."""
        place = f"sheet {self.source.place}" if self.source.sheet else self.source.place
        return Fault(place, message, self.rows.get(key), key, value, allowed)


@dataclass(frozen=True)
class Raw:
    """Everything that was found; what could not be read at all is in `faults`."""

    settings: RawSettings | None
    tables: Mapping[str, RawTable]
    demand: RawDemand | None
    faults: tuple[Fault, ...] = ()
    unreadable: frozenset[str] = field(default_factory=frozenset)  # tables that are there but could not be read


def letters(index: int) -> str:
    """Name a spreadsheet column: 0 is A, 26 is AA."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


NO_VALUE = "the formula of this cell has no value; correct it, or open the file in a spreadsheet and save it"
# what a cell shows where its formula has no value; Excel writes the same words into a CSV file
UNSAVED = "#UNSAVED!"  # our own: a formula that no spreadsheet has calculated yet
FORMULA_ERRORS = frozenset(
    (
        UNSAVED,
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
    )
)


def clean(text: str) -> str:
    """Strip blanks of every kind, and write letters with accents one way, so that equal names are equal."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def text_of(value: object) -> str:
    """Write a workbook's cell as a CSV file would: ``0.3``, ``true``, ``2027-01-01``; a blank cell is ``""``.

    A number keeps every digit, a date at midnight loses its time.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else str(value)
    return str(value)


_MOST_STRAY = 20  # cells outside the table that are named one by one


def header_of(cells: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns, without the blank ones that spreadsheets leave at the end."""
    names = [clean(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def header_faults(source: Source) -> list[Fault]:
    """Columns that are unknown, missing or there twice."""
    known = columns_of(TABLE[source.table].row)
    if not source.header:
        return [source.fault("has no header row", allowed=f"the columns {', '.join(known)}")]
    faults = []
    for index, name in enumerate(source.header):
        if name and name not in known:
            hint = nearest(name, known) or f"; its columns are {', '.join(known)}"
            faults.append(source.fault(f"the table {source.table} has no column {name!r}{hint}", 1))
        elif name and name in source.header[:index]:
            faults.append(source.fault(f"the column {name!r} is there twice", 1))
    for name, facts in known.items():
        if facts.required and name not in source.header:
            faults.append(source.fault(f"the column {name!r} ({facts.meaning}) is missing", 1))
    return faults


def read_grid(table: str, place: str, grid: Iterable[Sequence[str]], *, sheet: bool = False) -> tuple[
    RawTable, list[Fault]
]:  # fmt: skip
    """Read rows of text, the header first, into a table; row numbers count every row, blank ones too."""
    rows = iter(grid)
    source = Source(table, place, header_of(next(rows, ())), sheet)
    faults = header_faults(source)
    known = columns_of(TABLE[table].row)
    wanted = [(index, name) for index, name in enumerate(source.header) if name in known]
    found, strays = [], 0
    for number, cells in enumerate(rows, start=FIRST_ROW):
        row = {name: text for index, name in wanted if index < len(cells) and (text := clean(cells[index]))}
        for index, text in _outside(source.header, cells):
            strays += 1
            if strays <= _MOST_STRAY:
                where = f"column {letters(index)}"
                faults.append(source.fault(f"{where} holds a value, but has no name in the header", number, value=text))
        if row:
            found.append((number, row))
    if strays > _MOST_STRAY:
        faults.append(source.fault(f"and {strays - _MOST_STRAY} more cells that stand in no named column"))
    return RawTable(source, tuple(found)), faults


def _outside(header: Sequence[str], cells: Sequence[str]) -> list[tuple[int, str]]:
    """Cells with text beyond the header or under a blank name."""
    blank = [index for index, name in enumerate(header) if not name and index < len(cells)]
    return [(k, text) for k in (*blank, *range(len(header), len(cells))) if (text := clean(cells[k]))]
