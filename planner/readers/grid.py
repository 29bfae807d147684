"""Rows of cells -> a table: the header, blank rows and columns, and cells that belong to no column."""

from collections.abc import Iterable, Sequence

from planner.errors import Fault
from planner.readers.cells import clean
from planner.readers.source import FIRST_ROW, RawTable, Source, letters
from planner.schema.describe import columns_of
from planner.schema.names import nearest
from planner.schema.tables import TABLE

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
