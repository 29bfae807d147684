"""From sources to a history: recognise, read, judge, sum, count once, and report."""

import datetime as dt
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand import engine as engines
from planner.features.demand.aggregate import LONG_AGO_EPOCH, aggregate, judged, labelled
from planner.features.demand.clock import split_repeated
from planner.features.demand.files import SourceFile, fail, list_sources, read_text
from planner.features.demand.findings import Finding
from planner.features.demand.formats import FORMAT, FORMATS
from planner.features.demand.formats.base import Format, Inputs, Sample
from planner.features.demand.formats.pages import is_empty_page
from planner.features.demand.history import SERIES, TOKENS, UNKNOWN, VALUES, History, tidy
from planner.features.demand.misshapen import is_of, read_whole
from planner.features.demand.names import NameMap
from planner.features.demand.overlap import counted_once
from planner.features.demand.prometheus_server import DEFAULT_DAYS, fetch, is_server

FUTURE_SLACK_SECONDS = 300.0


@dataclass(frozen=True)
class Options:
    """What the user may say about an ingest."""

    names: NameMap = field(default_factory=NameMap)
    table_name: str | None = None  # of a database
    window: tuple[dt.datetime, dt.datetime] | None = None  # that one scrape of counters stands for
    since: dt.datetime | None = None  # rows before it are kept out; of a Prometheus server: 90 days ago
    until: dt.datetime | None = None  # rows after it are kept out; None: now


def ingest(sources: list[str], format_name: str | None = None, options: Options | None = None) -> History:
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
    options = options or Options()
    if any(is_server(source) for source in sources):
        return _from_server(sources, format_name, options)
    with _opened(sources, options) as (engine, files):
        place = engines.redact(sources[0]) if not files else _place(files)
        with engines.explained(place):
            format = _named(engine, files, format_name) if format_name else _recognised(engine, files, options)
            _check_options(format, files, options)
            return _history(engine, files, format, options, sources)


def _from_server(sources: list[str], format_name: str | None, options: Options) -> History:
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
def _opened(sources: list[str], options: Options) -> Iterator[tuple[Any, tuple[SourceFile, ...]]]:
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


def sample_of(engine: Any, file: SourceFile) -> Sample:
    """Return what a file can be recognised by."""
    if file.kind == "text":
        return Sample("text", text=file.head)
    if file.kind in ("json", "jsonl"):
        text = read_text(file.path) if file.kind == "json" else next(x for x in file.head.splitlines() if x.strip())
        try:
            document, _ = json.JSONDecoder().raw_decode(text.lstrip())
        except (ValueError, RecursionError) as error:
            row = text.count("\n", 0, getattr(error, "pos", 0)) + 1
            raise fail(file.path, f"is not whole JSON (truncated or corrupt): {error}", row=row) from error
        first = document[0] if isinstance(document, list) and document else document
        return Sample(file.kind if file.kind == "json" else "json", _keys(first), first)
    return Sample(file.kind, frozenset(engines.columns_of(engine, file)))


def _keys(document: Any) -> frozenset[str]:
    return frozenset(document) if isinstance(document, dict) else frozenset()


def _named(engine: Any, files: tuple[SourceFile, ...], name: str) -> Format:
    """Return the format that the user names; refuse files that are plainly of another."""
    format, faults = FORMAT[name], []
    for file in files if name != "table" else ():
        sample = sample_of(engine, file)
        if not is_of(format, sample):
            other = next((f.name for f in FORMATS if f.name != "table" and is_of(f, sample)), None)
            if other is not None or file.kind in ("csv", "parquet", "jsonl"):
                seen = other or ", ".join(sorted(sample.columns))
                faults.append(Fault(str(file.path), f"is no export of {format.title}", value=seen))
    if faults:
        raise InputError(faults)
    return format


def _check_options(format: Format, files: tuple[SourceFile, ...], options: Options) -> None:
    """Refuse options that this source would leave without effect."""
    faults = []
    if options.window is not None and not format.counters:
        faults.append(Fault("--window", f"is for one scrape of counters; {format.name} has its own times"))
    if options.table_name is not None and files:
        faults.append(Fault("--table", "is for databases, not for files", value=options.table_name))
    if options.since and options.until and options.since >= options.until:
        faults.append(Fault("--since", "is not before --until", value=f"{options.since:%Y-%m-%dT%H:%MZ}"))
    if faults:
        raise InputError(faults)


def _recognised(engine: Any, files: tuple[SourceFile, ...], options: Options) -> Format:
    if not files:
        tables = {name.lower(): name for name in engine.list_tables()}
        if options.table_name is None:
            for format in FORMATS:
                if format.default_table is not None and format.default_table.lower() in tables:
                    return format
            shown = ", ".join(sorted(tables.values())[:12])
            raise InputError([Fault("database", "has no LiteLLM table; name one with --table", allowed=shown)])
        columns = frozenset(Inputs(engine, (), options.names, options.table_name).table().columns)
        return next((f for f in FORMATS if is_of(f, Sample("table", columns))), FORMAT["table"])
    found: dict[str, list[str]] = {}
    faults, empty = [], []
    for file in files:
        sample = sample_of(engine, file)
        if is_empty_page(sample.document):
            empty.append(file)
            continue
        match = next((f for f in FORMATS if is_of(f, sample)), None)
        if match is None and options.names.columns and sample.columns:
            match = FORMAT["table"]
        if match is None:
            seen = ", ".join(sorted(sample.columns)[:12]) or sample.text[:60].strip()
            faults.append(
                Fault(
                    str(file.path),
                    "is of no known format",
                    value=seen,
                    allowed=", ".join(FORMAT) + " (or a map of columns)",
                )
            )
        else:
            found.setdefault(match.name, []).append(file.path.name)
    if len(found) > 1:
        listed = "; ".join(f"{name}: {', '.join(files)}" for name, files in found.items())
        faults.append(Fault("sources", f"are of several formats, which may count the same traffic twice ({listed})"))
    if not found and not faults:
        faults = [Fault(str(file.path), "is a page without any usage in it") for file in empty]
    if faults:
        raise InputError(faults)
    return FORMAT[next(iter(found))]


def _history(
    engine: Any, files: tuple[SourceFile, ...], format: Format, options: Options, sources: list[str]
) -> History:
    window = options.window
    hours = (window[0].timestamp() / 3600, window[1].timestamp() / 3600) if window else None
    reading = read_whole(format, Inputs(engine, files, options.names, options.table_name, hours))
    until = options.until or dt.datetime.now(dt.UTC)
    slack = FUTURE_SLACK_SECONDS if options.until is None else 0.0
    since = LONG_AGO_EPOCH if options.since is None else options.since.timestamp()
    readings = judged(
        labelled(reading.table, format, options.names),
        until.timestamp() + slack,
        format.cached_in_input,
        since,
        reading.bucket_hours,
    )
    result = aggregate(reading, readings, format, options.names)
    findings = [*reading.findings, *result.findings]
    if files and files[0].kind == "csv":
        count, lines = engines.rejected_lines(engine)
        findings += [Finding("unreadable_line", count, lines)] if count else []
    _check_cut(files, findings)
    place = engines.redact(sources[0]) if not files else _place(files)
    if result.frame.empty:
        told = "; ".join(_told(finding) for finding in findings) or "it has no rows"
        raise InputError([Fault(place, f"nothing usable is left of {result.rows_read} rows ({told})")])
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
    return History(rows, _report(rows, format, findings, reading.notes, read, files, sources))


def _told(finding: Finding) -> str:
    shown = f", such as {finding.examples[0]}" if finding.examples else ""
    return f"{finding.count} rows: {finding.meaning}{shown}"


def _check_cut(files: tuple[SourceFile, ...], findings: list[Finding]) -> None:
    """Refuse a CSV whose last line is cut off: an export that stopped half way."""
    for file in files:
        if file.kind != "csv" or not any(f.rule == "unreadable_line" for f in findings):
            continue
        with file.path.open("rb") as raw:
            raw.seek(max(0, file.path.stat().st_size - 4096))
            tail = raw.read()
        if tail[:2] == b"\x1f\x8b" or tail.endswith((b"\n", b"\r")):
            continue
        last = tail.decode("utf-8", errors="replace").splitlines()[-1]
        if any(last[:40] and last[:40] in line for f in findings if f.rule == "unreadable_line" for line in f.examples):
            raise fail(file.path, "is truncated: its last line is cut off; export it again", value=last)


def _missing_hours(rows: pd.DataFrame) -> tuple[Finding, ...]:
    """Count the hours within each series' own span in which nothing was seen at all, of any series."""
    hourly = rows[rows["bucket_hours"] == 1]
    if hourly.empty:
        return ()
    seen = pd.DatetimeIndex(hourly["hour"].unique())
    every = pd.date_range(seen.min(), seen.max(), freq="h")
    missing = every.difference(seen)
    if missing.empty:
        return ()
    return (Finding("missing_hours", len(missing), tuple(f"{hour:%Y-%m-%dT%H:%MZ}" for hour in missing[:5])),)


def _report(
    rows: pd.DataFrame,
    format: Format,
    findings: list[Finding],
    notes: tuple[str, ...],
    rows_read: int,
    files: tuple[SourceFile, ...],
    sources: list[str],
) -> dict[str, Any]:
    lacking = [name for name in VALUES if rows[name].isna().all()]
    totals = {name: None if name in lacking else float(rows[name].sum()) for name in VALUES}
    absent = {
        "requests": "no count of requests: tokens only",
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
        "cached_inside_input": format.cached_in_input,
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
