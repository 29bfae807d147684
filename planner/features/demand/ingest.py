"""From sources to a history: recognise, read, judge, sum, count once, and report."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand import engine as engines
from planner.features.demand.aggregate import LONG_AGO_EPOCH, aggregate, judged, labelled
from planner.features.demand.batch_marks import note_of
from planner.features.demand.copies import counted_once
from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats import FORMAT, FORMATS
from planner.features.demand.formats.format import ExportReading, Format, Inputs
from planner.features.demand.history import SERIES, TOKENS, UNKNOWN, VALUES, History, split_repeated, tidy
from planner.features.demand.names import NameMap
from planner.features.demand.prometheus_server import DEFAULT_DAYS, fetch, is_server
from planner.features.demand.recognise import named, read_whole, recognised
from planner.features.demand.source_files import SourceFile, fail, list_sources
from planner.units import counted

FUTURE_SLACK_SECONDS = 300.0


@dataclass(frozen=True)
class IngestOptions:
    """What the user may say about an ingest."""

    names: NameMap = field(default_factory=NameMap)
    table_name: str | None = None  # of a database
    window: tuple[dt.datetime, dt.datetime] | None = None  # that one scrape of counters stands for
    since: dt.datetime | None = None  # rows before it are kept out; of a Prometheus server: 90 days ago
    until: dt.datetime | None = None  # rows after it are kept out; None: now


def ingest(sources: list[str], format_name: str | None = None, options: IngestOptions | None = None) -> History:
    """Read usage exports, or a database, into a history.

    Parameters
    ----------
    sources : files, folders of files, or one database URL.
    format_name : one of ``FORMAT``; None: recognised from the first lines, columns or keys.
    options : names, database table, window of a counter snapshot, end.

    Raises
    ------
    InputError
        Nothing usable: missing, empty, corrupt or truncated files, an unknown format, or no row left.
    """
    options = options or IngestOptions()
    if any(is_server(source) for source in sources):
        return _from_server(sources, format_name, options)
    with _opened(sources, options) as (engine, files):
        place = engines.redact(sources[0]) if not files else _place(files)
        with engines.explained(place):
            if format_name:
                format = named(engine, files, format_name)
            else:
                format = recognised(engine, files, options.names, options.table_name)
            _check_options(format, files, options)
            if format.utc and options.names.time_zone != "UTC":  # the map's zone is for others
                options = replace(options, names=options.names.model_copy(update={"time_zone": "UTC"}))
                if engine.name in ("duckdb", "postgres", "pyspark"):
                    engine.raw_sql("SET TIME ZONE 'UTC'" if engine.name != "duckdb" else "SET TimeZone = 'UTC'")
            return _history(engine, files, format, options, sources)


def _from_server(sources: list[str], format_name: str | None, options: IngestOptions) -> History:
    """Ingest from a Prometheus server."""
    if len(sources) > 1:
        raise InputError([Fault(sources[0], "a Prometheus server is ingested alone, not with other sources")])
    until = options.until or dt.datetime.now(dt.UTC)
    since = options.since or until - dt.timedelta(days=DEFAULT_DAYS)
    readable = {f.name: f.counters for f in FORMATS if f.counters and format_name in (None, f.name)}
    if not readable:
        raise InputError([Fault(sources[0], "a server has no such format", value=format_name, allowed="*_prometheus")])
    with tempfile.TemporaryDirectory(prefix="planner-") as scratch, engines.embedded() as engine:
        name, files = fetch(sources[0], readable, since.timestamp(), until.timestamp(), Path(scratch))
        history = _history(engine, tuple(files), FORMAT[name], options, sources)
        return History(history.rows, {**history.report, "sources": [engines.redact(sources[0])]})


@contextmanager
def _opened(sources: list[str], options: IngestOptions) -> Iterator[tuple[Any, tuple[SourceFile, ...]]]:
    urls = [source for source in sources if engines.is_url(source)]
    zone = options.names.time_zone
    if urls and len(sources) > 1:
        raise InputError([Fault(engines.redact(urls[0]), "a database is ingested alone, not with other sources")])
    if urls:
        with engines.remote(urls[0]) as engine:
            if zone != "UTC" and engine.name in ("postgres", "pyspark"):
                engine.raw_sql(f"SET TIME ZONE '{zone}'")
            yield engine, ()
        return
    files = tuple(list_sources(sources))
    with engines.embedded(zone) as engine:
        yield engine, files


def _place(files: tuple[SourceFile, ...]) -> str:
    return files[0].path.name if len(files) == 1 else f"{files[0].path.name} and {len(files) - 1} more"


def _check_options(format: Format, files: tuple[SourceFile, ...], options: IngestOptions) -> None:
    """Refuse options, and keys of the map, that this source would leave without effect."""
    faults = []
    names = options.names
    if format.columns is None:
        given: dict[str, Any] = {"columns": names.columns, "long": names.long, "one_column_per": names.one_column_per}
        given |= {"time_origin": names.time_origin}
        given |= {} if format.name == "azure_log_analytics" else {"time_format": names.time_format}
        given |= {} if format.name == "azure_log_analytics" else {"bucket_hours": names.bucket_hours}
        faults += [
            Fault("map", f"{key} is for tables; {format.name} has its own fields", column=key)
            for key, value in given.items()
            if value
        ]
    elif format.name != "table" and (names.one_column_per or names.long):
        faults.append(Fault("map", f"one_column_per and long are for the format table, not for {format.name}"))
    if options.window is not None and not format.counters:
        faults.append(Fault("--window", f"is for one scrape of counters; {format.name} has its own times"))
    if options.table_name is not None and files:
        faults.append(Fault("--table", "is for databases, not for files", value=options.table_name))
    if options.since and options.until and options.since >= options.until:
        faults.append(Fault("--since", "is not before --until", value=f"{options.since:%Y-%m-%dT%H:%MZ}"))
    if faults:
        raise InputError(faults)


def _history(
    engine: Any, files: tuple[SourceFile, ...], format: Format, options: IngestOptions, sources: list[str]
) -> History:
    window = options.window
    hours = (window[0].timestamp() / 3600, window[1].timestamp() / 3600) if window else None
    reading = read_whole(format, Inputs(engine, files, options.names, options.table_name, hours))
    until = options.until or dt.datetime.now(dt.UTC)
    slack = FUTURE_SLACK_SECONDS if options.until is None else 0.0
    since = LONG_AGO_EPOCH if options.since is None else options.since.timestamp()
    inside = _cached_in_input(reading, format, options.names)
    readings = judged(
        labelled(reading, format, options.names), until.timestamp() + slack, inside, since, reading.bucket_hours
    )
    result = aggregate(reading, readings, inside, options.names)
    findings = [*reading.findings, *result.findings]
    if files and files[0].kind == "csv":
        count, lines = engines.rejected_lines(engine)
        findings += [ExportFinding("unreadable_line", count, lines)] if count else []
    notes = (*reading.notes, *_check_cut(files, findings))
    place = engines.redact(sources[0]) if not files else _place(files)
    if result.frame.empty:
        told = "; ".join(_told(finding) for finding in findings) or "it has no rows"
        raise InputError([Fault(place, f"nothing usable is left of {counted(result.rows_read, 'row')} ({told})")])
    frame, once = counted_once(result.frame, reading.ids_to_check)
    frame, clock = split_repeated(frame, options.names.time_zone)
    rows = frame.assign(
        hour=pd.to_datetime(frame["hour"] * 3600, unit="s", utc=True),
        bucket_hours=frame["span"],
        burst_factor=frame["burst"].where(frame["span"] == 1),
    )
    rows = tidy(rows)
    findings += [*once, *clock, *_missing_hours(rows)]
    read = result.rows_read + sum(f.count for f in reading.findings if f.rule == "duplicate")
    notes = (*notes, *note_of(list(rows["workload"].unique())))
    report = _report(rows, format, findings=findings, notes=notes, rows_read=read, files=files, sources=sources)
    return History(rows, {**report, **_how(reading, format, options.names, inside)})


def _cached_in_input(reading: ExportReading, format: Format, names: NameMap) -> bool:
    """Tell whether input includes cached tokens: the map says, else the file, else the format."""
    if names.cached_in_input is not None:
        return names.cached_in_input
    return format.cached_in_input if reading.cached_in_input is None else reading.cached_in_input


def _how(reading: ExportReading, format: Format, names: NameMap, inside: bool) -> dict[str, Any]:
    """Return how the export was read and why: sentences for --explain."""
    who = "the map says" if names.cached_in_input is not None else f"so do exports of {format.name}"
    shown = "includes" if inside else "leaves out"
    zone = "UTC" if format.utc else names.time_zone
    return {
        "cached_inside_input": inside,
        "reading": [
            *reading.how,
            f"input {shown} cached tokens ({who})",
            f"rows that come again: {format.repeats}",
            f"times without an offset are in {zone}",
        ],
    }


def _told(finding: ExportFinding) -> str:
    shown = f", such as {finding.examples[0]}" if finding.examples else ""
    return f"{counted(finding.count, 'row')}: {finding.meaning}{shown}"


def _check_cut(files: tuple[SourceFile, ...], findings: list[ExportFinding]) -> tuple[str, ...]:
    """Refuse a CSV whose last line is cut off: an export that stopped half way; note one that only may be.

    A last line that has all its cells may be whole, as many programs leave out the last line end, or end in half a
    number.
    """
    open_ended = []
    for file in files:
        if file.kind != "csv":
            continue
        with file.path.open("rb") as raw:
            size = file.path.stat().st_size
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(max(0, size - 4096))
            tail = raw.read()
        if zipped or tail.endswith((b"\n", b"\r")):
            continue
        last = tail.decode("utf-8", errors="replace").splitlines()[-1]
        if any(last[:40] and last[:40] in line for f in findings if f.rule == "unreadable_line" for line in f.examples):
            raise fail(file.path, "is truncated: its last line is cut off; export it again", value=last)
        open_ended.append(file.path.name)
    shown = ", ".join(open_ended[:3])
    return (
        (f"{shown}: the last line has no line end: it may be cut, in the midst of its last number",)
        if open_ended
        else ()
    )


def _missing_hours(rows: pd.DataFrame) -> tuple[ExportFinding, ...]:
    """Count the hours within each series' own span in which nothing was seen at all, of any series."""
    hourly = rows[rows["bucket_hours"] == 1]
    if hourly.empty:
        return ()
    seen = pd.DatetimeIndex(hourly["hour"].unique())
    every = pd.date_range(seen.min(), seen.max(), freq="h")
    missing = every.difference(seen)
    if missing.empty:
        return ()
    return (ExportFinding("missing_hours", len(missing), tuple(f"{hour:%Y-%m-%dT%H:%MZ}" for hour in missing[:5])),)


def _report(
    rows: pd.DataFrame,
    format: Format,
    *,
    findings: list[ExportFinding],
    notes: tuple[str, ...],
    rows_read: int,
    files: tuple[SourceFile, ...],
    sources: list[str],
) -> dict[str, Any]:
    lacking = [name for name in VALUES if rows[name].isna().all()]
    totals = {name: None if name in lacking else float(rows[name].sum()) for name in VALUES}
    absent = {
        "requests": "no count of requests: tokens only",
        "input_tokens": "no input tokens: if there is a column, name it in the map (columns: {input_tokens: ...})",
        "output_tokens": "no output tokens: if there is a column, name it in the map (columns: {output_tokens: ...})",
        "cached_tokens": "no cached tokens: they are inside input_tokens",
        "written_tokens": "no tokens written to the cache",
    }
    told = " ".join(format.lacks)
    said = {name: text for name, text in absent.items() if text.split(":")[0] not in told and name in lacking}
    missing = [*format.lacks, *said.values()]
    if (rows["region"] != UNKNOWN).all():
        missing = [text for text in missing if not text.startswith("no region")]
    if "cached_tokens" not in lacking:
        missing = [text for text in missing if not text.startswith("no cached tokens")]
    return {
        "format": format.name,
        "title": format.title,
        "finest_bucket": format.finest,
        "sources": [file.path.name for file in files] or [engines.redact(source) for source in sources],
        "rows_read": rows_read,
        "history_rows": len(rows),
        "first_hour": f"{rows['hour'].min():%Y-%m-%dT%H:%MZ}",
        "last_hour": f"{rows['hour'].max():%Y-%m-%dT%H:%MZ}",
        "series": {name: sorted(rows[name].unique())[:200] for name in SERIES},
        "totals": totals,
        "all_input_tokens": float(rows[list(TOKENS[:3])].fillna(0).to_numpy().sum()),
        "missing": list(dict.fromkeys(missing)),
        "notes": list(notes),
        "findings": [finding.as_dict() for finding in findings],
    }
