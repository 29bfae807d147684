"""What a file or sheet holds before anything is believed: text cells with their place, rows, faults of cells."""

import datetime as dt
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import ValidationError

from planner.errors import Fault, nearest
from planner.schema.base import Row
from planner.schema.case import TABLE
from planner.schema.describe import SLIP, ColumnFacts, columns_of
from planner.units import counted

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
    local: "tuple[LocalRow, ...]" = ()  # rows of the file with a column an hour; the frame has their UTC hours


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
            faults.append(source.fault(f"the column {name!r} appears twice", 1))
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
        for fault in strays_of(source, number, cells):
            strays += 1
            if strays <= _MOST_STRAY:
                faults.append(fault)
        if row:
            found.append((number, row))
    if strays > _MOST_STRAY:
        faults.append(source.fault(f"and {counted(strays - _MOST_STRAY, 'more cell')} in no named column"))
    return RawTable(source, tuple(found)), faults


def strays_of(source: Source, row: int, cells: Sequence[str]) -> list[Fault]:
    """Say which cells of a row stand in no named column."""
    return [
        source.fault(f"column {letters(index)} holds a value, but has no name in the header", row, value=text)
        for index, text in _outside(source.header, cells)
    ]


def _outside(header: Sequence[str], cells: Sequence[str]) -> list[tuple[int, str]]:
    """Cells with text beyond the header or under a blank name."""
    blank = [index for index, name in enumerate(header) if not name and index < len(cells)]
    return [(k, text) for k in (*blank, *range(len(header), len(cells))) if (text := clean(cells[k]))]


SHOWN_PER_COLUMN = 20
GROUPED = "is not a number: write 1000, without underscores"


def read_rows(raw: RawTable) -> tuple[list[tuple[int, Row]], list[Fault]]:
    """Validate each row; rows with faults are left out of the first part of the answer."""
    row_type = TABLE[raw.source.table].row
    facts = columns_of(row_type)
    found: list[tuple[int, Row]] = []
    faults: list[Fault] = []
    for number, cells in raw.rows:
        faults += [
            raw.source.fault(NO_VALUE, number, column, text) for column, text in cells.items() if text in FORMULA_ERRORS
        ]
        grouped = [name for name, text in cells.items() if name in facts and is_grouped(text, facts[name])]
        faults += [raw.source.fault(GROUPED, number, name, cells[name], facts[name].allowed) for name in grouped]
        try:
            row = row_type.model_validate(cells)
        except ValidationError as error:
            faults += row_faults(raw.source, number, cells, error, facts)
            faults += _of_whole_row(raw.source, number, cells, error, row_type)
            continue
        if not grouped:
            found.append((number, row))
    return found, faults


def is_grouped(text: Any, facts: ColumnFacts) -> bool:
    """Tell ``1_000`` in the place of a number: Python reads it as one, nobody else does."""
    return facts.kind in (int, float) and isinstance(text, str) and "_" in text


def row_faults(
    source: Source, number: int, cells: Mapping[str, Any], error: ValidationError, facts: Mapping[str, ColumnFacts]
) -> list[Fault]:
    """Put each of pydantic's complaints about one row in our words and place."""
    faults = []
    for item in error.errors(include_url=False):
        column = str(item["loc"][0]) if item["loc"] else None
        own = facts.get(column) if column is not None else None
        if item["type"] == "missing" and own is not None and own.required and column not in source.header:
            continue  # said once, of the header
        if column is not None and cells.get(column) in FORMULA_ERRORS:
            continue  # said already
        message, allowed = in_words(item, facts.get(column) if column else None)
        faults.append(source.fault(message, number, column, cells.get(column) if column else None, allowed))
    return faults


def _of_whole_row(
    source: Source, number: int, cells: Mapping[str, str], error: ValidationError, row_type: type[Row]
) -> list[Fault]:
    """Say what the cells of a row that are right break together: pydantic looks at it only where all of them are.

    A number that must be there stands in as 1; what is said of a cell that is wrong itself is left out.
    """
    facts = columns_of(row_type)
    wrong = {str(item["loc"][0]) for item in error.errors(include_url=False) if item["loc"]}
    needed = [name for name in wrong if name in facts and facts[name].required]
    if not wrong or any(facts[name].kind not in (int, float) for name in needed):
        return []
    rest = {name: text for name, text in cells.items() if name not in wrong} | dict.fromkeys(needed, "1")
    try:
        row_type.model_validate(rest)
    except ValidationError as found:
        said = [item for item in found.errors(include_url=False) if not item["loc"]]
        return [source.fault(in_words(item, None)[0], number) for item in said
                if not any(name in item["msg"] for name in wrong)]  # fmt: skip
    return []


def in_words(item: Any, facts: ColumnFacts | None) -> tuple[str, str | None]:
    """Say what is wrong with a value, and what is allowed."""
    kind = str(item["type"])
    text = str(item.get("input", ""))
    allowed = facts.allowed if facts else None
    if kind in ("missing", "string_too_short"):
        return "must be filled in", allowed
    if kind == "value_error":
        return str(item["msg"]).removeprefix("Value error, "), None
    if kind == "literal_error" and facts:
        return f"is not one of the allowed words{nearest(text, facts.choices)}", allowed
    if kind.startswith(("float", "int")) and kind != "int_from_float":
        return _not_a_number(text), allowed
    plain = {
        "finite_number": "is not a finite number",
        "int_from_float": "is not a whole number",
        "bool_parsing": "is neither yes nor no",
        "bool_type": "is neither yes nor no",
        "day": "is not a date",
        "greater_than": "is too small",
        "greater_than_equal": "is too small",
        "less_than": "is too large",
        "less_than_equal": "is too large",
    }
    message = plain.get(kind, str(item["msg"]))
    if kind == "greater_than_equal" and item["ctx"]["ge"] == 0:
        message = "must not be negative"
    if kind == "less_than_equal" and item["ctx"]["le"] >= SLIP:
        hint = "; leave the cell blank where there is no limit" if facts and not facts.required else ""
        return f"is above {item['ctx']['le']:,.0f}: wrong unit?{hint}", allowed
    return message, allowed


def _not_a_number(text: str) -> str:
    if text.endswith("%"):
        return "is not a number: write a share such as 0.3, not a percentage"
    if "," in text:
        return "is not a number: write 1234.5, with a point and without separators of thousands"
    try:
        float(text)
    except ValueError:
        return "is not a number"
    return "is not a whole number"


def capped(faults: Iterable[Fault], per_column: int = SHOWN_PER_COLUMN) -> list[Fault]:
    """Keep the first faults of each column of each place, and count the rest in one line."""
    seen: Counter[tuple[str, str | None]] = Counter()
    kept: list[Fault] = []
    for fault in faults:
        place = fault.place.split("!")[0].removeprefix("sheet ")
        seen[place, fault.column] += 1
        if seen[place, fault.column] <= per_column:
            kept.append(fault)
    for (place, column), count in seen.items():
        if count > per_column:
            kept.append(Fault(place, f"and {counted(count - per_column, 'more fault', ',')} like these", column=column))
    return kept
