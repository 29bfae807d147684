"""Valid demand in canonical order: spread over scenarios and periods, each hour once, sorted, without zeros."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.errors import Fault
from planner.readers.rows import SHOWN_PER_COLUMN
from planner.readers.source import Source
from planner.schema.case import DEMAND_COLUMNS
from planner.units import HOURS_PER_WEEK

MOST_EXPANDED_ROWS = 24_000_000
ALL = -1  # code of a blank scenario or period

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Names:
    """Names that demand may use, each in string order; None where the table that holds them could not be read."""

    region: Sequence[str] | None
    workload: Sequence[str] | None
    scenario: Sequence[str] | None
    period: Sequence[str] | None


def spread_out(
    source: Source,
    row: npt.NDArray[np.int64],
    codes: Mapping[str, Codes],
    numbers: Mapping[str, npt.NDArray[np.float64]],
    names: Names,
) -> tuple[pd.DataFrame | None, list[Fault]]:
    """Spread rows over all scenarios and periods, refuse hours given twice, drop zeros, sort."""
    known = {column: getattr(names, column) for column in ("region", "workload", "scenario", "period")}
    at = np.arange(len(row))
    spread = dict(codes)
    for column in ("scenario", "period"):
        size = len(known[column])
        times = np.where(spread[column] == ALL, size, 1)
        total = int(times.sum())
        if total > MOST_EXPANDED_ROWS:
            limit = f"{total:,} rows over all scenarios and months; at most {MOST_EXPANDED_ROWS:,} are planned at once"
            return None, [source.fault(limit)]
        if total == len(at) and not (spread[column] == ALL).any():
            continue
        pick = np.repeat(np.arange(len(at)), times)
        nth = np.arange(total) - np.repeat(np.cumsum(times) - times, times)
        spread = {name: values[pick] for name, values in spread.items()}
        spread[column] = np.where(spread[column] == ALL, nth, spread[column])
        at = at[pick]
    hour = numbers["hour_of_week"].astype(np.int64)[at]
    slot = np.zeros(len(at), dtype=np.int64)
    for column, options in known.items():
        slot = slot * len(options) + spread[column]
    slot = slot * HOURS_PER_WEEK + hour
    order = np.arange(len(at)) if (np.diff(slot) > 0).all() else np.argsort(slot, kind="stable")
    repeats = np.flatnonzero(np.diff(slot[order]) == 0)
    if len(repeats):
        return None, _repeat_faults(source, row[at[order]], repeats)
    requests = numbers["requests_per_hour"][at[order]]
    order, requests = order[requests > 0], requests[requests > 0]
    table = {
        column: pd.Categorical.from_codes(spread[column][order], categories=pd.Index(options, dtype="str"))
        for column, options in known.items()
    }
    return pd.DataFrame({**table, "hour_of_week": hour[order], "requests_per_hour": requests})[list(DEMAND_COLUMNS)], []


def _repeat_faults(source: Source, row: npt.NDArray[np.int64], repeats: npt.NDArray[np.int64]) -> list[Fault]:
    pairs = sorted({(max(a, b), min(a, b)) for a, b in zip(row[repeats].tolist(), row[repeats + 1].tolist())})
    faults = [
        source.fault(
            f"gives the same region, workload, scenario, period and hour as row {first}; "
            "a blank scenario or period means all of them",
            again,
        )
        for again, first in pairs[:SHOWN_PER_COLUMN]
    ]
    if len(pairs) > SHOWN_PER_COLUMN:
        faults.append(source.fault(f"and {len(pairs) - SHOWN_PER_COLUMN:,} more rows that repeat an earlier one"))
    return faults
