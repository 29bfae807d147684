"""CSV files as text: size, encoding and separator; small tables as rows; rows added at the end of a table."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError
from planner.readers.raw_tables import RawTable, header_of, read_grid

MEGABYTE = 2**20
LARGEST_TABLE_BYTES = 16 * MEGABYTE
LARGEST_DEMAND_BYTES = 512 * MEGABYTE
MOST_ROWS, SPARE_CELLS = 500_000, 1_000  # of other tables: rows, and cells of a row beyond those of the header
MOST_DEMAND_ROWS = 12_000_000
LONGEST_HEADER = 64 * 1024


def refuse_size(path: Path, largest_bytes: int) -> None:
    """Raise if a file is missing, empty, not a file, or larger than we read; nothing of it is read.

    Raises
    ------
    InputError
        saying which.
    """
    if not path.is_file():
        what = "is a folder; a file is needed" if path.is_dir() else "is not a file"
        raise InputError([Fault(path.name, what)])
    size = path.stat().st_size
    if size == 0:
        raise InputError([Fault(path.name, "the file is empty (0 bytes)")])
    if size > largest_bytes:
        message = f"the file is too large: {size / MEGABYTE:,.0f} MB; at most {largest_bytes // MEGABYTE} MB are read"
        raise InputError([Fault(path.name, message)])


def refuse_long_lines(path: Path, longest_bytes: int = MEGABYTE) -> None:
    """Raise if a line is longer than any table's; of each window, a piece is read up to its first line end.

    Raises
    ------
    InputError
        saying near which byte.
    """
    size, window = path.stat().st_size, longest_bytes // 2
    with path.open("rb") as file:
        for start in range(0, size - window, window):
            file.seek(start)
            left = window
            while left > 0:
                piece = file.read(min(left, LONGEST_HEADER))
                if not piece or b"\n" in piece or b"\r" in piece:
                    break
                left -= len(piece)
            else:
                said = f"has a line of over {window / MEGABYTE:g} MB, near byte {start:,}: it is damaged, or no table"
                raise InputError([Fault(path.name, said)])


def refuse_wide_header(path: Path) -> None:
    """Raise if the first line is longer than any table's header."""
    with path.open("rb") as file:
        first = file.read(LONGEST_HEADER + 1)
    if len(first) > LONGEST_HEADER and not {10, 13} & set(first):
        said = f"its first line is longer than {LONGEST_HEADER // 1024} KB: it holds no names of a table's columns"
        raise InputError([Fault(path.name, said)])


def read_text(path: Path, largest_bytes: int) -> str:
    """Read a small UTF-8 file, with or without byte order mark.

    Raises
    ------
    InputError
        if it is no such file, too large, or in another encoding.
    """
    refuse_size(path, largest_bytes)
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError([not_utf8(path, data.count(b"\n", 0, error.start) + 1)]) from None
    if "\0" in text:
        raise InputError(
            [Fault(path.name, "holds zero bytes: it is not a text file", text[: text.index("\0")].count("\n") + 1)]
        )
    return text


def not_utf8(path: Path, line: int | None) -> Fault:
    """Say that a file is not UTF-8, and what to do."""
    how = "'CSV UTF-8 (comma delimited)'" if path.suffix.casefold() == ".csv" else "UTF-8"
    return Fault(path.name, f"is not UTF-8 text; save it as {how}", line)


def read_small(path: Path) -> tuple[RawTable, list[Fault]]:
    """Read a table other than demand."""
    return read_grid(path.stem, path.name, read_rows(path))


def read_rows(path: Path) -> list[list[str]]:
    """Read the rows of a small file as text."""
    text = read_text(path, LARGEST_TABLE_BYTES)
    refuse_wide_header(path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text[:LONGEST_HEADER]), strict=True)
    found: list[list[str]] = []
    try:
        for row in rows:
            if len(found) >= MOST_ROWS or len(row) > (len(found[0]) if found else len(row)) + SPARE_CELLS:
                said = f"has over {MOST_ROWS:,} rows, or a row of {len(row):,} cells: no table is so large"
                raise InputError([Fault(path.name, said, rows.line_num)])
            found.append(row)
    except csv.Error as error:
        raise InputError([Fault(path.name, f"is not a CSV file ({error})", rows.line_num)]) from None
    if found and 0 < len(found[-1]) < len(found[0]) and not text.endswith(("\n", "\r")):
        said = "ends in the middle of this row: the file was cut off (what it lacks would count as blank)"
        raise InputError([Fault(path.name, said, rows.line_num, allowed="if it is whole, a line end after the row")])
    return found


def header(path: Path) -> tuple[str, ...]:
    """Names in the first line of a file; none where they cannot be read, which its reader will report."""
    if not path.is_file():
        return ()
    try:
        with path.open("rb") as file:
            lines = file.read(LONGEST_HEADER).splitlines()
        line = lines[0].decode("utf-8-sig") if lines else ""
        return header_of(next(csv.reader([line], delimiter=separator_of(line)), []))
    except (OSError, UnicodeDecodeError, csv.Error):
        return ()


def separator_of(text: str) -> str:
    """Tell the separator from the header line: a comma; else the semicolon or tab some spreadsheets write."""
    header = text.splitlines()[0] if text else ""
    return next((mark for mark in ",;\t" if mark in header), ",")


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
