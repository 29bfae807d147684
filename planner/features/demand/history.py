"""The history: what was asked, hour by hour, whatever the clock did. The one table that every export becomes.

A history folder holds ``history.parquet`` (the rows) and ``history.json`` (where they came from, what was missing,
what was repaired). One row is one series (region, workload, model) in one bucket of time:

=============== ================================================================================
column          meaning
=============== ================================================================================
hour            start of the bucket, UTC
region          where it was served, or ``unknown`` where the export does not say
workload        kind of request; the export's nearest idea of it (a model group, a project)
model           model that served it
bucket_hours    length of the bucket in hours: 1, or 24 where the export has days only
requests        requests; blank where the export has no count
input_tokens    fresh input tokens: neither read from nor written to the provider's cache
cached_tokens   input tokens read from the cache; blank where the export cannot tell
written_tokens  input tokens written to the cache; blank where the export cannot tell
output_tokens   output tokens
burst_factor    peak minute over the hour's mean, by requests; blank where the export is coarser than a minute
=============== ================================================================================

All input of a bucket is ``input_tokens + cached_tokens + written_tokens``, blanks counted as 0.
"""

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand.export_findings import ExportFinding
from planner.io.digest import sha256_of
from planner.io.directory import Kind, read_whole, recover, replaced
from planner.units import counted

HOUR = dt.timedelta(hours=1)
_ALLOWED = {"hour": "a time in each row", "bucket_hours": "a number of hours above 0"}


def repeated_hours(zone_name: str, first_hour: int, last_hour: int) -> list[tuple[int, int]]:
    """List (first, second) UTC hours, counted since 1970, that share one local hour between the two given hours."""
    zone = ZoneInfo(zone_name)
    found = []
    start = dt.datetime.fromtimestamp((first_hour - 24) * 3600, dt.UTC)
    for k in range(last_hour - first_hour + 48):
        at = start + k * HOUR
        offset, later = at.astimezone(zone).utcoffset(), (at + HOUR).astimezone(zone).utcoffset()
        if offset is not None and later is not None and later == offset - HOUR:
            hour = int(at.timestamp()) // 3600
            found.append((hour, hour + 1))
    return found


def split_repeated(frame: pd.DataFrame, zone_name: str) -> tuple[pd.DataFrame, tuple[ExportFinding, ...]]:
    """Split each repeated local hour over its two UTC hours, where all of it was read as one and the other is empty."""
    if zone_name == "UTC" or frame.empty:
        return frame, ()
    halves, split = [frame], 0
    for first, second in repeated_hours(zone_name, int(frame["hour"].min()), int(frame["hour"].max())):
        there = frame["hour"].isin((first, second)) & (frame["span"] <= 1)
        pair = frame[there]
        single = pair.groupby(list(SERIES), dropna=False)["hour"].transform("nunique") == 1
        for index in pair.index[single]:
            moved = frame.loc[[index]].copy()
            frame.loc[index, list(VALUES)] = moved[list(VALUES)].to_numpy()[0] / 2
            moved[list(VALUES)] = moved[list(VALUES)] / 2
            moved["hour"] = first + second - int(moved["hour"].iloc[0])
            halves.append(moved)
            split += 1
    if not split:
        return frame, ()
    return pd.concat(halves, ignore_index=True), (ExportFinding("repeated_hour", split),)


def repeated_local(zone_name: str) -> tuple[tuple[int, int], ...]:
    """Return the spans [seconds since 1970, from and to] that one local hour stands for, in 2015 to 2034."""
    if zone_name == "UTC":
        return ()
    first, last = (int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) // 3600 for year in (2015, 2035))
    return tuple((one * 3600, (two + 1) * 3600) for one, two in repeated_hours(zone_name, first, last))


SERIES = ("region", "workload", "model")
TOKENS = ("input_tokens", "cached_tokens", "written_tokens", "output_tokens")
VALUES = ("requests", *TOKENS)
COLUMNS = ("hour", *SERIES, "bucket_hours", *VALUES, "burst_factor")
UNKNOWN = "unknown"
TABLE_FILE, REPORT_FILE = "history.parquet", "history.json"
ROWS_DIGEST = "history_parquet_sha256"  # in the report, of the rows' file as it was written
_CHANGED = (
    "has changed since planner wrote it: run `planner ingest` again. If you changed it yourself, take the line "
    f"{ROWS_DIGEST} out of {REPORT_FILE}"
)
DIRECTORY = Kind(
    key=TABLE_FILE, ours=frozenset({TABLE_FILE, REPORT_FILE}), foreign=frozenset(), signed=frozenset(), what="a history"
)


@dataclass(frozen=True)
class History:
    """Rows (``COLUMNS``, sorted) and the report of how they were made."""

    rows: pd.DataFrame
    report: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Say how many rows."""
        return f"<History of {counted(len(self.rows), 'row', ',')}>"

    def hourly(self) -> pd.DataFrame:
        """Rows of one hour; refuses a history that has only days, because it has no hour of the week."""
        rows = self.rows[self.rows["bucket_hours"] <= 1]
        if rows.empty:
            raise InputError(
                [
                    Fault(
                        TABLE_FILE,
                        "has no hourly rows: its export counts by the day, so it knows no hour of the week; "
                        "ingest an hourly export, or give the shape with `planner demand new`",
                    )
                ]
            )
        return rows


def tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Order rows and columns, fix the types: the same history is the same file."""
    rows = rows.reindex(columns=list(COLUMNS))
    rows = rows.assign(
        hour=pd.to_datetime(rows["hour"], utc=True).dt.as_unit("us"),
        **{name: rows[name].astype("str").fillna(UNKNOWN) for name in SERIES},
        **{name: rows[name].astype(float) for name in ("bucket_hours", *VALUES, "burst_factor")},
    )
    return rows.sort_values(["hour", *SERIES, "bucket_hours"], ignore_index=True)


def save_history(history: History, folder: Path) -> None:
    """Write both files into ``folder``, put in place together; what others put there stays."""
    texts = list(SERIES)  # few values often: worth a dictionary, which for numbers costs more than it saves
    with replaced(folder, DIRECTORY) as new:
        history.rows.to_parquet(new / TABLE_FILE, index=False, use_dictionary=texts)
        report = {**history.report, ROWS_DIGEST: sha256_of(new / TABLE_FILE)}
        text = json.dumps(report, indent=2, default=str) + "\n"
        (new / REPORT_FILE).write_text(text, encoding="utf-8", newline="\n")


def load_history(source: Path) -> History:
    """Read a history folder, or the parquet file alone."""
    return read_whole(source, DIRECTORY, _read) if source.is_dir() else _read(source)


def _read(source: Path) -> History:
    path = source / TABLE_FILE if source.is_dir() else source
    if not path.exists() and source.is_dir():
        recover(source.resolve(), DIRECTORY)
    if not path.exists():
        raise InputError([Fault(str(path), "there is no history here; make one with `planner ingest`")])
    try:
        rows = pd.read_parquet(path)
    except Exception as error:
        raise InputError([Fault(str(path), f"is not a readable Parquet file: {error}")]) from error
    lacking = [name for name in COLUMNS if name not in rows.columns]
    if lacking:
        raise InputError([Fault(str(path), f"lacks the columns {', '.join(lacking)}", allowed=", ".join(COLUMNS))])
    try:
        rows = tidy(rows)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError([Fault(str(path), f"is not a history: {str(error)[:200]}")]) from None
    _refuse_unsound(rows, path)
    report = _report(path.with_name(REPORT_FILE))
    written = report.pop(ROWS_DIGEST, None)  # none: by an earlier planner
    if written is not None and written != sha256_of(path):
        raise InputError([Fault(str(path), _CHANGED)])
    return History(rows, report)


def _report(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        report = None
    if not isinstance(report, dict):
        raise InputError([Fault(str(path), "cannot be read: run `planner ingest` again, or take the file away")])
    return report


def _refuse_unsound(rows: pd.DataFrame, path: Path) -> None:
    """Refuse what no ingest writes, and what no total may rest on: no hour, a length or an amount that is none."""
    faults = []
    for name in ("hour", "bucket_hours", *VALUES, "burst_factor"):
        cells = rows[name]
        if name == "hour":
            wrong = cells.isna()
        elif name == "bucket_hours":
            wrong = ~(cells > 0) | (cells == math.inf)
        else:
            wrong = (cells < 0) | (cells == math.inf)  # blank: not known
        if wrong.any():
            said, allowed = (
                f"{int(wrong.sum()):,} of {counted(len(rows), 'row', ',')} cannot be",
                _ALLOWED.get(name, "0 or more"),
            )
            faults.append(Fault(str(path), said, column=name, value=cells[wrong].iloc[0], allowed=allowed))
    if faults:
        raise InputError(faults)
