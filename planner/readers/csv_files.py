"""Files as text: their size, encoding and separator; small CSV tables as rows."""

import csv
import io
from pathlib import Path

from planner.errors import Fault, InputError
from planner.readers.grid import read_grid
from planner.readers.source import RawTable

MEGABYTE = 2**20
LARGEST_TABLE_BYTES = 16 * MEGABYTE
LARGEST_DEMAND_BYTES = 512 * MEGABYTE
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
    return Fault(path.name, "is not UTF-8 text; save it as 'CSV UTF-8 (comma delimited)'", line)


def read_small(path: Path) -> tuple[RawTable, list[Fault]]:
    """Read a table other than demand."""
    text = read_text(path, LARGEST_TABLE_BYTES)
    lines = io.StringIO(text, newline="")
    rows = csv.reader(lines, delimiter=separator_of(text[:LONGEST_HEADER]), strict=True)
    try:
        return read_grid(path.stem, path.name, list(rows))
    except csv.Error as error:
        raise InputError([Fault(path.name, f"is not a CSV file ({error})", rows.line_num)]) from None


def separator_of(text: str) -> str:
    """Tell the separator from the header line: a comma; else the semicolon or tab some spreadsheets write."""
    header = text.splitlines()[0] if text else ""
    return next((mark for mark in ",;\t" if mark in header), ",")
