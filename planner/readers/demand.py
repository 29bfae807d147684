"""Demand in columns: the limits of the row `Demand` put to each distinct text once; then canonical order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ConfigDict, TypeAdapter, ValidationError

from planner.errors import Fault, nearest
from planner.readers.raw_tables import (
    FORMULA_ERRORS,
    GROUPED,
    NO_VALUE,
    SHOWN_PER_COLUMN,
    RawDemand,
    Source,
    clean,
    in_words,
    is_grouped,
)
from planner.schema.case import DEMAND_COLUMNS
from planner.schema.describe import columns_of
from planner.schema.settings import period_named
from planner.schema.workloads import Demand
from planner.units import HOURS_PER_WEEK, counted

MOST_EXPANDED_ROWS = 24_000_000
ALL = -1  # code of a blank scenario or period

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class KnownNames:
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
    names: KnownNames,
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
            limit = f"{total:,} rows over all scenarios and periods; at most {MOST_EXPANDED_ROWS:,} are planned at once"
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
        faults.append(
            source.fault(f"and an earlier one is repeated in {counted(len(pairs) - SHOWN_PER_COLUMN, 'more row', ',')}")
        )
    return faults


_BAD = -2  # code of a text that will not do


class _Refused(NamedTuple):
    """Why a text will not do: what is wrong, what is allowed; of a name that is not known, the most similar one."""

    message: str
    allowed: str | None = None
    guess: str | None = None


_STAND_IN = {"hour_of_week": "0", "requests_per_hour": "0"}  # passes in place of a refused text


def read_demand(raw: RawDemand, names: KnownNames) -> tuple[pd.DataFrame | None, list[Fault]]:
    """Check demand and bring it to canonical order.

    Returns
    -------
    The table of `Case.demand` (None where there are faults): rows for all scenarios or all periods spread out, rows
    of zero left out, sorted by region, workload, scenario, period and hour; names are categories in the order of
    `names`, hours int64, requests per hour float64. And the faults.
    """
    frame = _without_blank_rows(raw.frame)
    faults: list[Fault] = []
    codes: dict[str, Codes] = {}
    for column in ("region", "workload", "scenario", "period"):
        known = getattr(names, column)
        if column in frame:
            codes[column] = _name_codes(raw, frame[column], known, faults)
        elif not columns_of(Demand)[column].required:
            codes[column] = np.full(len(frame), ALL)
    numbers: dict[str, npt.NDArray[np.float64]] = {}
    for column in ("hour_of_week", "requests_per_hour"):
        if column in frame:
            numbers[column] = _numbers(raw, frame[column], faults)
    if frame.empty:
        faults.append(raw.source.fault("has no rows; a plan needs demand"))
    if (
        faults
        or len(codes) < 4
        or len(numbers) < 2
        or None in (names.region, names.workload, names.scenario, names.period)
    ):
        return None, faults
    return spread_out(raw.source, frame.index.to_numpy(), codes, numbers, names)


def _without_blank_rows(frame: pd.DataFrame) -> pd.DataFrame:
    if any(frame[column].dtype == "float64" for column in frame):
        return frame  # a number in every row
    filled = np.zeros(len(frame), dtype=bool)
    for column in frame:
        texts = frame[column].cat.categories
        filled |= np.array([bool(clean(text)) for text in texts], dtype=bool)[frame[column].cat.codes.to_numpy()]
    return frame if filled.all() else frame.loc[filled]


def _name_codes(raw: RawDemand, cells: pd.Series, known: Sequence[str] | None, faults: list[Fault]) -> Codes:
    """Turn texts into positions in `known`; blank means all where the column may be blank."""
    column = str(cells.name)
    values, refused = _judged(column, [clean(text) for text in cells.cat.categories])
    position = {name: k for k, name in enumerate(known or ())}
    if column == "period" and known is not None:
        values = [value and (period_named(value, known) or value) for value in values]
    code_of = np.full(len(values) + 1, _BAD, dtype=np.int64)
    for k, value in enumerate(values):
        if k in refused:
            continue
        if value is None or known is None or value in position:
            code_of[k] = ALL if value is None else position.get(value, 0)
        elif column == "period":
            refused[k] = _no_period(value, known)
        else:
            refused[k] = _Refused(f"there is no {column} {value!r}", guess=nearest(value, known))
    found: Codes = code_of[cells.cat.codes.to_numpy()]
    _report(raw, cells, found == _BAD, refused, faults)
    return found


def _no_period(value: str, known: Sequence[str]) -> _Refused:
    """Say that a name is no period of the horizon, and which are; of a month with cuts, its parts."""
    if parts := [name for name in known if name.startswith(f"{value}-")]:
        return _Refused(
            "is a month that horizon.cuts cuts: each part has rows of its own", f"one of {', '.join(parts)}"
        )
    if any(len(name) > len("2027-01") for name in known):
        return _Refused("is not a period of the horizon", f"one of {', '.join(known)}")
    return _Refused("is not a month of the horizon", f"{known[0]} to {known[-1]}" if known else None)


def _numbers(raw: RawDemand, cells: pd.Series, faults: list[Fault]) -> npt.NDArray[np.float64]:
    """Turn texts into numbers within the limits of the schema."""
    if cells.dtype == "float64":
        return cells.to_numpy()
    values, refused = _judged(str(cells.name), [clean(text) for text in cells.cat.categories])
    number_of = np.array([np.nan if k in refused else value for k, value in enumerate(values)] + [np.nan], dtype=float)
    found: npt.NDArray[np.float64] = number_of[cells.cat.codes.to_numpy()]
    _report(raw, cells, np.isnan(found), refused, faults)
    return found


@cache
def _adapter(column: str) -> TypeAdapter[list[Any]]:
    """Build the validator of many values of one column: the very field of `Demand`, without its row."""
    info = Demand.model_fields[column]
    return TypeAdapter(
        list[Annotated[info.annotation, info]],  # type: ignore[name-defined]
        config=ConfigDict(allow_inf_nan=False, str_strip_whitespace=True),
    )


def _judged(column: str, texts: Sequence[str]) -> tuple[list[Any], dict[int, _Refused]]:
    """Put each text to the schema: its value, and by position what is wrong and what is allowed."""
    facts = columns_of(Demand)[column]
    cells: list[str | None] = list(texts)
    refused: dict[int, _Refused] = {}
    for k, text in enumerate(texts):
        if text in FORMULA_ERRORS:
            refused[k] = _Refused(NO_VALUE)
        elif not text and facts.required:
            refused[k] = _Refused("must be filled in", facts.allowed)
        elif is_grouped(text, facts):
            refused[k] = _Refused(GROUPED, facts.allowed)
        if k in refused or not text:
            cells[k] = _STAND_IN.get(column, "x") if facts.required else None
    try:
        return _adapter(column).validate_python(cells), refused
    except ValidationError as error:
        for item in error.errors(include_url=False):
            k = int(item["loc"][0])
            refused[k] = _Refused(*in_words(item, facts))
            cells[k] = _STAND_IN.get(column, "x")
    return _adapter(column).validate_python(cells), refused


def _report(
    raw: RawDemand,
    cells: pd.Series,
    bad: npt.NDArray[np.bool_],
    refused: Mapping[int, _Refused],
    faults: list[Fault],
) -> None:
    """Name each bad text once, at its first row and with the count of its rows; count the rest."""
    where = np.flatnonzero(bad)
    codes, first, count = np.unique(cells.cat.codes.to_numpy()[where], return_index=True, return_counts=True)
    for n in np.argsort(first)[:SHOWN_PER_COLUMN]:
        code, k = int(codes[n]), int(where[first[n]])
        why = refused.get(code, _Refused("must be filled in"))
        value = str(cells.cat.categories[code]) if code >= 0 and why.guess is None else None  # a guess follows the name
        of_file = _rows_of_file(raw, cells, code, int(count[n]))
        rows = f", in {of_file:,} rows" if of_file > 1 else ""
        message = f"{why.message}{rows}{why.guess or ''}"
        faults.append(raw.source.fault(message, int(cells.index[k]), str(cells.name), value or None, why.allowed))
    if len(codes) > SHOWN_PER_COLUMN:
        rest = int(np.sort(first)[SHOWN_PER_COLUMN:].size)
        faults.append(
            raw.source.fault(f"and {counted(rest, 'more value', ',')} with such faults", column=str(cells.name))
        )


def _rows_of_file(raw: RawDemand, cells: pd.Series, code: int, count: int) -> int:
    """Count the file's rows with a text: a row with a column an hour became one for each hour of each period."""
    if not raw.local or code < 0:
        return count
    text = cells.cat.categories[code]
    return sum(row.named(str(cells.name)) == text for row in raw.local)
