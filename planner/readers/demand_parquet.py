"""demand.parquet: the same columns as demand.csv, numbers as numbers or as text."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from planner.errors import Fault, InputError
from planner.readers.cells import text_of
from planner.readers.csv_files import LARGEST_DEMAND_BYTES, MOST_DEMAND_ROWS, refuse_size
from planner.readers.grid import header_faults
from planner.readers.source import FIRST_ROW, RawDemand, Source
from planner.schema.case import DEMAND_COLUMNS
from planner.schema.types import MOST_REQUESTS


def read_demand_parquet(path: Path) -> tuple[RawDemand, list[Fault]]:
    """Read the columns of demand; rows are counted as if the file were a CSV file with a header.

    Raises
    ------
    InputError
        if it is no Parquet file, or too large.
    """
    refuse_size(path, LARGEST_DEMAND_BYTES)
    try:
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            if rows > MOST_DEMAND_ROWS:
                limit = f"has {rows:,} rows; at most {MOST_DEMAND_ROWS:,} are read"
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
