"""Rows added at the end of a CSV table: what the file holds already stays as it is, byte for byte."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError
from planner.readers.csv_files import LARGEST_TABLE_BYTES, read_text, separator_of
from planner.readers.grid import header_of


def appended(path: Path, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a table's file with rows added; a file that is not there begins with a header of their columns.

    Columns that the file lacks are added at the end of its header line, which is all that changes of it: rows that are
    there keep their text, and are blank in them. Separator and line ends are those of the file.

    Raises
    ------
    InputError : the file is no table that can be read, or its header runs over several lines.
    """
    if not path.exists():
        return as_table(rows)
    wanted = _columns(rows)
    text = read_text(path, LARGEST_TABLE_BYTES)
    separator, end = separator_of(text), "\r\n" if "\r\n" in text else "\n"
    first = text.splitlines()[0]
    if first.count('"') % 2:
        raise InputError([Fault(path.name, "its header runs over several lines; write it in one", 1)])
    header = header_of(next(csv.reader([first], delimiter=separator)))
    lacking = [column for column in wanted if column not in header]
    columns = [*header, *lacking]
    if lacking:
        text = _lines([columns], separator, "") + text[len(first) :]
    if not text.endswith(("\n", "\r")):
        text += end
    text += _lines([[_cell(row.get(c)) for c in columns] for row in rows], separator, end)
    mark = b"\xef\xbb\xbf" if path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
    return mark + text.encode()


def as_table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Lay rows out as the file of a new table."""
    columns = _columns(rows)
    return _lines([columns, *[[_cell(row.get(c)) for c in columns] for row in rows]], ",", "\n").encode()


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row if row[column] is not None))


def _lines(rows: Sequence[Sequence[str]], separator: str, end: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=end).writerows(rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    """Write a value so that it reads back the same: numbers to the last digit, dates as 2027-01-31."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
