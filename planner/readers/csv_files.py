"""CSV files as text: encoding, separator, size; small tables as rows, demand by the million."""

import csv
import io
import re
from collections.abc import Set
from pathlib import Path

import pandas as pd
from pandas.api.types import union_categoricals

from planner.errors import Fault, InputError
from planner.readers.cells import clean
from planner.readers.grid import header_faults, header_of, read_grid
from planner.readers.source import FIRST_ROW, RawDemand, RawTable, Source, letters
from planner.schema.case import DEMAND_COLUMNS
from planner.schema.types import MOST_REQUESTS

MEGABYTE = 2**20
LARGEST_TABLE_BYTES = 16 * MEGABYTE
LARGEST_DEMAND_BYTES = 512 * MEGABYTE
MOST_DEMAND_ROWS = 12_000_000
_CHUNK_ROWS = 2_000_000
_LONGEST_HEADER = 64 * 1024
_SPARE_COLUMNS = 50  # blank cells that a spreadsheet may leave at the end of a line


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
    rows = csv.reader(lines, delimiter=_separator(text[:_LONGEST_HEADER]), strict=True)
    try:
        return read_grid(path.stem, path.name, list(rows))
    except csv.Error as error:
        raise InputError([Fault(path.name, f"is not a CSV file ({error})", rows.line_num)]) from None


def read_demand(path: Path) -> tuple[RawDemand, list[Fault]]:
    """Read demand.csv in columns, a chunk at a time, so that millions of rows fit."""
    refuse_size(path, LARGEST_DEMAND_BYTES)
    with path.open("rb") as file:
        first = file.read(_LONGEST_HEADER).splitlines()[0]
    try:
        line = first.decode("utf-8-sig")
        separator = _separator(line)
        source = Source("demand", path.name, header_of(next(csv.reader([line], delimiter=separator), [])))
        frame = _best_reading(path, separator, source)
    except UnicodeDecodeError:
        raise InputError([not_utf8(path, _first_line_not_utf8(path))]) from None
    except (pd.errors.ParserError, csv.Error) as error:
        raise InputError([_not_csv(path, str(error))]) from None
    wanted = {k: name for k, name in enumerate(source.header) if name in DEMAND_COLUMNS}
    strays = _strays(source, frame)
    frame = frame[list(wanted)].rename(columns=wanted)
    return RawDemand(source, frame.loc[:, ~frame.columns.duplicated()]), header_faults(source) + strays


def _best_reading(path: Path, separator: str, source: Source) -> pd.DataFrame:
    """Try the fast readings first: requests as numbers, one blank column at the end; a doubt leads to the next."""
    number = source.header.index("requests_per_hour") if "requests_per_hour" in source.header else None
    width = len(source.header)
    for numbers, spare in (({number} - {None}, 1), (set(), 1)):
        try:
            return _columns(path, separator, width + spare, numbers)
        except UnicodeDecodeError:
            raise
        except (ValueError, OverflowError):
            continue
    return _columns(path, separator, width + _SPARE_COLUMNS, set())


def _columns(path: Path, separator: str, width: int, numbers: Set[int | None]) -> pd.DataFrame:
    """Read every column as categories of text, those in `numbers` as float64; the index counts rows as editors do.

    Raises
    ------
    ValueError
        if a cell of `numbers` is not a number from 0 to MOST_REQUESTS, or a row is wider than `width`.
    """
    chunks = pd.read_csv(
        path,
        sep=separator,
        header=None,
        skiprows=1,
        names=list(range(width)),
        dtype={k: "float64" if k in numbers else "str" for k in range(width)},  # "category" would read 01 as 1
        na_filter=False,
        skip_blank_lines=False,
        encoding="utf-8",
        chunksize=_CHUNK_ROWS,
    )
    parts: list[pd.DataFrame] = []
    with chunks:
        for part in chunks:
            if not isinstance(part.index, pd.RangeIndex):
                raise pd.errors.ParserError(f"Expected {width} fields in line {FIRST_ROW}, saw more")
            if any(not part[k].between(0, MOST_REQUESTS).all() or part[k].isin((0, 1)).all() for k in numbers):
                raise ValueError("not plain numbers")  # a column of nothing but 0 and 1 may have been true and false
            parts.append(part.astype({k: "category" for k in range(width) if k not in numbers}))
            if sum(map(len, parts)) > MOST_DEMAND_ROWS:
                raise InputError([Fault(path.name, f"has more than {MOST_DEMAND_ROWS:,} rows; plan fewer at once")])
    if len(parts) == 1:
        frame = parts[0]
    else:
        joined = {
            k: pd.concat([p[k] for p in parts]) if k in numbers else union_categoricals([p[k] for p in parts])
            for k in range(width)
            if parts
        }
        frame = pd.DataFrame(joined, columns=list(range(width)))
    frame.index = pd.RangeIndex(FIRST_ROW, FIRST_ROW + len(frame))
    return frame


def _strays(source: Source, frame: pd.DataFrame) -> list[Fault]:
    """Cells with text beyond the header or under a blank name: an unquoted 1,234 makes one."""
    faults = []
    blank = [k for k in range(len(frame.columns)) if k >= len(source.header) or not source.header[k]]
    for k in blank:
        texts = frame[k].cat.categories
        filled = frame[k].isin([text for text in texts if clean(text)])
        if filled.any():
            more = f" (and {int(filled.sum()) - 1:,} more like it)" if filled.sum() > 1 else ""
            message = f"column {letters(k)} holds a value, but has no name in the header{more}"
            first = int(filled.to_numpy().argmax())
            faults.append(source.fault(message, first + FIRST_ROW, value=frame[k].iloc[first]))
    return faults


def _first_line_not_utf8(path: Path) -> int | None:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None


def _not_csv(path: Path, said: str) -> Fault:
    """Put the parser's words as ours."""
    if found := re.search(r"line (\d+)", said):
        return Fault(path.name, "has more cells than the header has names", int(found[1]))
    if found := re.search(r"starting at row (\d+)", said):
        return Fault(path.name, "a quotation mark is opened here and never closed", int(found[1]) + 1)
    return Fault(path.name, f"is not a CSV file ({said})")


def _separator(text: str) -> str:
    """Tell the separator from the header line: a comma; else the semicolon or tab some spreadsheets write."""
    header = text.splitlines()[0] if text else ""
    return next((mark for mark in ",;\t" if mark in header), ",")
