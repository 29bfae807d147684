"""demand.csv and demand.parquet in columns: millions of rows, a chunk at a time, as numbers where they are plain."""

import csv
import re
from collections.abc import Set
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from planner.errors import Fault, InputError
from planner.readers.csv_files import (
    LARGEST_DEMAND_BYTES,
    LONGEST_HEADER,
    MOST_DEMAND_ROWS,
    not_utf8,
    refuse_long_lines,
    refuse_size,
    refuse_wide_header,
    separator_of,
)
from planner.readers.raw_tables import FIRST_ROW, RawDemand, Source, clean, header_faults, header_of, letters, text_of
from planner.schema.base import MOST_REQUESTS
from planner.schema.case import DEMAND_COLUMNS
from planner.units import counted

_CHUNK_ROWS = 2_000_000
_SPARE_COLUMNS = 50  # blank cells that a spreadsheet may leave at the end of a line


def read_demand_csv(path: Path) -> tuple[RawDemand, list[Fault]]:
    """Read demand.csv in columns, a chunk at a time, so that millions of rows fit."""
    refuse_size(path, LARGEST_DEMAND_BYTES)
    refuse_wide_header(path)
    refuse_long_lines(path)
    with path.open("rb") as file:
        first = file.read(LONGEST_HEADER).splitlines()[0]
    try:
        line = first.decode("utf-8-sig")
        separator = separator_of(line)
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


def read_demand_parquet(path: Path) -> tuple[RawDemand, list[Fault]]:
    """Read the columns of demand; rows are counted as if the file were a CSV file with a header.

    Raises
    ------
    InputError
        if it is no Parquet file, or too large.
    """
    import pyarrow as pa  # takes a while, and most folders hold text
    import pyarrow.parquet as pq

    refuse_size(path, LARGEST_DEMAND_BYTES)
    try:
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            if rows > MOST_DEMAND_ROWS:
                limit = f"has {counted(rows, 'row', ',')}; at most {MOST_DEMAND_ROWS:,} are read"
                raise InputError([Fault(path.name, limit)])
            source = Source("demand", path.name, tuple(file.schema_arrow.names))
            wanted = [name for name in source.header if name in DEMAND_COLUMNS]
            frame = file.read(columns=wanted).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise InputError([Fault(path.name, f"is not a Parquet file that can be read ({error})"[:300])]) from None
    frame.index = pd.RangeIndex(FIRST_ROW, FIRST_ROW + len(frame))
    texts = pd.DataFrame({name: _as_text(frame[name]) for name in frame}, index=frame.index)
    return RawDemand(source, texts), header_faults(source)


def _as_text(cells: pd.Series) -> pd.Series:
    """Turn a column into categories of text; a column of plain numbers within the limits stays one."""
    if cells.name == "requests_per_hour" and pd.api.types.is_numeric_dtype(cells.dtype):
        numbers = cells.to_numpy(dtype=float, na_value=np.nan)
        if ((numbers >= 0) & (numbers <= MOST_REQUESTS)).all():
            return pd.Series(numbers, index=cells.index, name=cells.name)
    distinct = cells.astype("category")
    texts = [text_of(value) for value in distinct.cat.categories]
    known = sorted({*texts, ""})
    position = {text: k for k, text in enumerate(known)}
    code_of = np.array([*(position[text] for text in texts), position[""]])  # the last: a null, whose code is -1
    codes = code_of[distinct.cat.codes.to_numpy()]
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(known, dtype="str")), index=cells.index)
