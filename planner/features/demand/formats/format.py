"""What an export format declares, and the columns that its reader hands to the one aggregation.

A reader returns a lazy table in the export's own grain (requests, or buckets) with the ``READING`` columns, plus the
export's own columns that may name a region, workload or model. Nothing is summed or judged there.

Most formats are a declaration (``columns``, ``signs``, conventions), which declared.py reads. A format of another
shape (a metric a series, a span tree) has a ``read`` of its own over the same parts: points.py, counters.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from planner.features.demand.batch_marks import BatchMark
from planner.features.demand.engine import tables_of, tabular
from planner.features.demand.export_findings import RULES, ExportFinding
from planner.features.demand.formats.cells import NO_NUMBER, flat_name
from planner.features.demand.names import NameMap
from planner.features.demand.source_files import SourceFile, documents

# Only epoch, bucket_hours and what the export has need be there; an absent column is blank.
# moment: the export's own timestamp, where it has one (cells.py) · epoch: seconds UTC, start of the bucket
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
    "total_tokens",
    "id",
    "skip",
)
RULE_CODE: Mapping[str, int] = {name: code for code, name in enumerate(RULES, start=1)}
Names = tuple[str, ...]


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
        return next((there for there in tables_of(self.engine) if there.lower() == name.lower()), name)

    def lazy(self, rows: pd.DataFrame) -> Any:
        """Hand rows that were parsed here to the engine."""
        return self.engine.create_table("parsed", rows, overwrite=True)


@dataclass(frozen=True)
class ExportReading:
    """What a reader returns."""

    table: Any
    findings: tuple[ExportFinding, ...] = ()
    notes: tuple[str, ...] = ()
    ids_to_check: bool = False  # rows have ids, and nothing yet keeps them apart
    may_tell_minutes: bool = True  # some rows are requests, or buckets of a minute
    bucket_hours: float | None = None  # what all rows share (0: each is one request); None: the table has it by row
    cached_in_input: bool | None = None  # what this file has; None: what the format says
    cached_by_data: bool = False  # rows may show that their input leaves cached tokens out: more cached than input
    how: tuple[str, ...] = ()  # how the file was read and why, for --explain
    region: str | None = None  # column of the table that names it, where the format does not say: also below
    workload: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class Sample:
    """What a format is recognised by: the first document's keys, a table's columns, or the text's first lines."""

    kind: str
    columns: frozenset[str] = frozenset()
    document: Any = None
    text: str = ""


@dataclass(frozen=True)
class ExportColumns:
    """Which of an export's columns say what: names in order of trust, the first that is there; ``a + b`` is a sum.

    Names match whatever their case, spaces and underscores; a dot leads into a nested field, or into JSON text.
    """

    time: Names = ()
    end: Names = ()  # of the bucket
    hour_of_day: Names = ()  # beside a date: both together are the time
    id: Names = ()
    bucket_hours: Names = ()
    requests: Names = ()
    input_tokens: Names = ()
    cached_tokens: Names = ()
    written_tokens: Names = ()
    output_tokens: Names = ()
    total_tokens: Names = ()  # a check of the other counts
    region: Names = ()
    workload: Names = ()
    model: Names = ()


@dataclass(frozen=True)
class Skip:
    """Rows that are kept out by a rule: those whose column has one of these values (in lower case)."""

    rule: str
    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Long:
    """A table of one row a token type: the column that names the type, the one that has the count, and what is what."""

    kind: str
    value: str
    kinds: Mapping[str, str]  # in lower case -> our column


@dataclass(frozen=True)
class Format:
    """One export format. ``region``, ``workload`` and ``model`` name the export's own columns (None: it has none)."""

    name: str
    title: str
    finest: str
    cached_in_input: bool
    recognise: Callable[[Sample], bool] | None = None  # None: by ``signs``
    read: Callable[[Inputs], ExportReading] | None = None  # None: as ``columns`` say
    signs: tuple[Names, ...] = ()  # columns that no other export has together: any of these groups
    refuses: tuple[tuple[Names, str], ...] = ()  # signs of a sister export that tells nothing, and what it holds
    columns: ExportColumns | None = None
    prepare: Callable[[Any, Inputs], Any] | None = None  # adds columns of its own to the export's table
    json_text: Names = ()  # objects that stay JSON text when documents are laid flat
    utc: bool = False  # times are in UTC, whatever the map says of others
    rows: tuple[str, ...] | None = ()  # where a JSON document has its rows: ("data", "results"); None: it has none
    bucket_hours: float | None = None  # of a row; 0: a request; None: the columns or the data tell
    skips: tuple[Skip, ...] = ()
    batch: tuple[BatchMark, ...] = ()  # what marks a batch request
    long: Long | None = None
    more: str | None = None  # key of a page that says that more follow
    repeats: str = "the same request id twice is one request"  # which rows are copies, and which are parts
    region: str | None = None
    workload: str | None = None
    model: str | None = None
    region_hint: str | None = None  # a column from which the map's names can tell the region
    lacks: tuple[str, ...] = ()  # sentences: what a planner must know is missing
    default_table: str | None = None
    counters: frozenset[str] = field(default_factory=frozenset)  # of a Prometheus server, without _total


def amounts(values: pd.Series) -> pd.Series:
    """Return cells as numbers, NaN where they are none: ``true`` and ``1_000`` are no counts."""
    plain = values.map(lambda value: None if isinstance(value, bool) or "_" in str(value) else value)
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def rows_to_frame(rows: list[dict[str, Any]], texts: tuple[str, ...]) -> pd.DataFrame:
    """Make the table of parsed rows: the READING columns that no row has are left out, ``texts`` are text columns."""
    frame = pd.DataFrame(rows)
    for name in READING:
        if name not in frame.columns:
            frame[name] = 0 if name == "skip" else None
    for name in READING[:-2]:
        given = frame[name]
        frame[name] = amounts(given)
        frame.loc[frame[name].isna() & given.notna() & (given != ""), name] = NO_NUMBER
    frame["skip"] = frame["skip"].fillna(0).astype("int64")
    for name in ("id", *texts):
        values = frame[name] if name in frame.columns else pd.Series([None] * len(frame))
        frame[name] = values.map(lambda value: None if value is None or value != value else str(value)).astype("string")
    return frame.drop(columns=[name for name in READING[2:-2] if frame[name].isna().all()])


def has_signs(format: Format, columns: frozenset[str]) -> bool:
    """Tell whether one group of a format's signs is among a file's columns."""
    there = {flat_name(name) for name in columns}
    return any({flat_name(name) for name in group} <= there for group in format.signs)
