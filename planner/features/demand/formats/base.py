"""What an export format declares, and the columns that its reader hands to the one aggregation.

A reader returns a lazy table in the export's own grain (requests, or buckets) with the ``READING`` columns, plus the
export's own columns that may name a region, workload or model. Nothing is summed or judged there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from planner.features.demand.engine import tabular
from planner.features.demand.files import SourceFile, documents
from planner.features.demand.findings import RULES, Finding
from planner.features.demand.formats.cells import NO_NUMBER
from planner.features.demand.names import NameMap

# Only epoch, bucket_hours and what the export has need be there; an absent column is blank.
# moment: the export's own timestamp, where it has one (columns.py) · epoch: seconds UTC, start of the bucket
# bucket_hours: 0 for one request; not there where the Reading says what all rows share; then a row without
# requests is one request · input_tokens: as the export counts it
# skip: code of a rule that keeps the row out whatever it holds (failed, response_cache), else 0
READING = (
    "epoch",
    "bucket_hours",
    "requests",
    "input_tokens",
    "cached_tokens",
    "written_tokens",
    "output_tokens",
    "id",
    "skip",
)
RULE_CODE: Mapping[str, int] = {name: code for code, name in enumerate(RULES, start=1)}


@dataclass(frozen=True)
class Inputs:
    """What a reader is given: an engine, the files (or none, where the engine is a database), the map, the options."""

    engine: Any
    files: tuple[SourceFile, ...]
    names: NameMap
    table_name: str | None = None
    window_hours: tuple[float, float] | None = None  # epoch hours that a single counter snapshot stands for

    @property
    def place(self) -> str:
        """What a message about all of it names."""
        if not self.files:
            return "the table"
        more = len(self.files) - 1
        return f"{self.files[0].path.name} and {more} more" if more else self.files[0].path.name

    @cached_property
    def documents(self) -> list[tuple[SourceFile, Any]]:
        """Every JSON document of every file."""
        return [(file, document) for file in self.files for document in documents(file.path)]

    def table(self, default_name: str | None = None) -> Any:
        """Return the files, or the named table of the database, as one lazy table."""
        if self.files:
            return tabular(self.engine, list(self.files))
        name = self.table_name or self._as_spelled(str(default_name))
        if self.engine.name == "pyspark" and "/" in name:
            return self.engine.read_parquet(name)  # a folder, where Spark can read it
        *place, name = name.split(".")
        return self.engine.table(name, database=place[0] if len(place) == 1 else tuple(place) or None)

    def _as_spelled(self, name: str) -> str:
        """Return a table's name as this database spells it: many know one case only."""
        return next((there for there in self.engine.list_tables() if there.lower() == name.lower()), name)

    def lazy(self, rows: pd.DataFrame) -> Any:
        """Hand rows that were parsed here to the engine."""
        return self.engine.create_table("parsed", rows, overwrite=True)


@dataclass(frozen=True)
class Reading:
    """What a reader returns."""

    table: Any
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    ids_to_check: bool = False  # rows have ids, and nothing yet keeps them apart
    may_tell_minutes: bool = True  # some rows are requests, or buckets of a minute
    bucket_hours: float | None = None  # what all rows share (0: each is one request); None: the table has it by row


@dataclass(frozen=True)
class Sample:
    """What a format is recognised by: the first document's keys, a table's columns, or the text's first lines."""

    kind: str
    columns: frozenset[str] = frozenset()
    document: Any = None
    text: str = ""


@dataclass(frozen=True)
class Format:
    """One export format. ``region``, ``workload`` and ``model`` name the export's own columns (None: it has none)."""

    name: str
    title: str
    finest: str
    cached_in_input: bool
    recognise: Callable[[Sample], bool]
    read: Callable[[Inputs], Reading]
    region: str | None = None
    workload: str | None = None
    model: str | None = None
    region_hint: str | None = None  # a column from which the map's names can tell the region
    lacks: tuple[str, ...] = ()  # sentences: what a planner must know is missing
    default_table: str | None = None
    counters: frozenset[str] = frozenset()  # of a Prometheus server, without _total


def rows_to_frame(rows: list[dict[str, Any]], texts: tuple[str, ...]) -> pd.DataFrame:
    """Make the table of parsed rows: the READING columns that are absent are blank, ``texts`` are text columns."""
    frame = pd.DataFrame(rows)
    for name in READING:
        if name not in frame.columns:
            frame[name] = 0 if name == "skip" else None
    for name in READING[:-2]:
        given = frame[name]
        frame[name] = pd.to_numeric(given, errors="coerce").astype("float64")
        frame.loc[frame[name].isna() & given.notna() & (given != ""), name] = NO_NUMBER
    frame["skip"] = frame["skip"].fillna(0).astype("int64")
    for name in ("id", *texts):
        values = frame[name] if name in frame.columns else pd.Series([None] * len(frame))
        frame[name] = values.map(lambda value: None if value is None or value != value else str(value)).astype("string")
    return frame


def once_per_bucket(frame: pd.DataFrame, key: list[str]) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Keep one row of each bucket of each series, the fullest: pages and exports that overlap count once."""
    size = frame[["requests", "input_tokens", "cached_tokens", "output_tokens"]].fillna(0).sum(axis=1)
    order = frame.assign(_size=size).sort_values("_size", ascending=False, kind="stable")
    kept = order.drop_duplicates(key).drop(columns="_size").sort_index()
    lost = len(frame) - len(kept)
    if not lost:
        return frame, ()
    gone = frame.loc[frame.index.difference(kept.index)].head(3)
    examples = tuple(
        f"{pd.Timestamp(float(epoch), unit='s', tz='UTC'):%Y-%m-%dT%H:%MZ}" for epoch in gone["epoch"].dropna()
    )
    return kept, (Finding("duplicate", lost, examples),)
