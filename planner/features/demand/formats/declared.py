"""Reads every format that is a declaration: which columns, which conventions; one way for all of them.

Numbers and times that are text are settled by the file (numbers.py, moments.py). What a row stands for, a request, an
hour, a day, is told by the declaration, the map or the data (grain.py), and refused where none of them tells.
"""

from dataclasses import dataclass
from functools import reduce
from operator import add, and_, or_
from typing import Any

from planner.features.demand.busy import MINUTE_HOURS
from planner.features.demand.engine import settled as as_view
from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats import moments, numbers
from planner.features.demand.formats.again import each_row_once
from planner.features.demand.formats.cells import (
    as_number,
    as_text,
    column,
    epoch_seconds,
    flat_name,
    moment_column,
    zone_behind,
)
from planner.features.demand.formats.format import RULE_CODE, ExportReading, Format, Inputs, has_signs
from planner.features.demand.formats.found import (
    ODD_CELLS,
    Found,
    check,
    check_twins,
    decimal_of,
    incomplete,
    long_of,
    number_in,
    resolve,
    shortened,
    spelled,
)
from planner.features.demand.formats.grain import DATE_ALONE, Grain, grain_of
from planner.features.demand.formats.records import DOCUMENT, each_page_once, frame_of, unfinished
from planner.features.demand.history import TOKENS, VALUES, repeated_local
from planner.features.demand.source_files import columns_of_head, fail

COUNTS = (*VALUES, "total_tokens", "bucket_hours")
NAMED = ("region", "workload", "model")
UNITS_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
HOUR_OF_DAY = r"^\s*([01]?\d|2[0-3])(:00(:00)?)?\s*$"
COMPACT = r"^(19|20)\d{6}$"  # a date that looks like a number of seconds


@dataclass(frozen=True)
class ExportTable:
    """The export as one lazy table, and what was found while it was put together."""

    table: Any
    findings: tuple[ExportFinding, ...] = ()
    notes: tuple[str, ...] = ()
    once: bool = False  # repeated rows are left out already


def read(format: Format, inputs: Inputs) -> ExportReading:
    """Return one reading a row of a declared format."""
    assert format.columns is not None
    source = _source(format, inputs)
    columns = frozenset(name for name in source.table.columns if name not in ("filename", DOCUMENT))
    chosen = {str(ours): theirs for ours, theirs in inputs.names.columns.items()}
    found, how = resolve(format.columns, source.table, chosen)
    table, found, copies = shortened(source.table, found, format.long or long_of(inputs), inputs)
    check(format, found, columns, inputs, chosen)
    findings = (*source.findings, *copies)
    return reading_of(format, inputs, ExportTable(table, findings, source.notes, source.once), found, how)


def _source(format: Format, inputs: Inputs) -> ExportTable:
    """Return the table: of the engine, or of JSON documents laid flat, each page once."""
    kind = inputs.files[0].kind if inputs.files else ""
    lines = kind == "jsonl" and (not format.rows or has_signs(format, frozenset(columns_of_head(inputs.files[0]))))
    if kind not in ("json", "jsonl") or format.rows is None or lines:  # a row a line: read out of core
        table = inputs.table(format.default_table)
        return ExportTable(_prepared(format, table, inputs))
    notes = unfinished(inputs, format.more) if format.more else ()
    frame = frame_of(inputs, format.rows, format.json_text)
    if frame.empty:
        raise fail(inputs.place, "holds no rows of usage")
    assert format.columns is not None
    own = {flat_name(name): name for name in frame.columns}
    has_id = any(flat_name(name) in own for name in format.columns.id)
    findings: tuple[ExportFinding, ...] = ()
    if not has_id:
        times = {flat_name(n) for n in (*format.columns.time, *format.columns.end)}
        numeric = [str(name) for name in frame.select_dtypes("number").columns]
        counts = [n for n in numeric if n != DOCUMENT and flat_name(n) not in times]
        key = [str(n) for n in frame.columns if n not in (*counts, DOCUMENT, "filename")]
        frame, findings = each_page_once(frame, counts, key)
    table = inputs.lazy(frame.drop(columns=[DOCUMENT]))
    return ExportTable(_prepared(format, table, inputs), findings, notes, once=not has_id)


def _prepared(format: Format, table: Any, inputs: Inputs) -> Any:
    return table if format.prepare is None else format.prepare(table, inputs)


def reading_of(
    format: Format, inputs: Inputs, source: ExportTable, found: Found, how: tuple[str, ...] = ()
) -> ExportReading:
    """Return the reading of a table whose columns are known."""
    import ibis

    table, names, engine = source.table, inputs.names, inputs.engine
    check_twins(table, format, found, inputs)
    findings, notes = list(source.findings), list(source.notes)
    count_names = tuple(theirs for ours in COUNTS if ours in found for theirs in found[ours])
    decimal = decimal_of(table, count_names, inputs)
    if decimal != ".":
        notes.append("numbers are written with a decimal comma")
    moment = _moment(table, found)
    if not (moment.type().is_string() or moment.type().is_numeric() or moment.type().is_temporal()):
        raise fail(inputs.place, f"the time is of type {moment.type()}", column=found["time"][0],
                   allowed="timestamps, numbers, text")  # fmt: skip
    epoch, formats = _epoch(table, moment, found, inputs)
    if formats:
        notes.append(f"times are read as {', '.join((*formats.with_zone, *formats.local))}")
    counted = "requests" in found
    if inputs.files and "id" not in found and not source.once:
        asked = {"requests_": number_in(table, found["requests"][0], inputs, decimal)} if counted else {}
        view = as_view(table.mutate(epoch_=epoch, **asked), "timed")
        local = repeated_local(names.time_zone)
        values = {*(name for name in count_names if "." not in name), *asked}
        table, more = each_row_once(view, values, counted=counted, size=_size(inputs), spare=local)
        findings += more
        epoch, moment = table["epoch_"], _moment(table, found)

    def value(ours: str) -> Any:
        parts = [number_in(table, name, inputs, decimal) for name in found[ours]]
        if len(parts) == 1:
            return parts[0]
        total = reduce(add, [part.fill_null(0) for part in parts])
        blank = reduce(lambda a, b: a & b, [part.isnull() for part in parts])
        return ibis.cases((blank, ibis.null("float64")), else_=total.cast("float64"))

    findings += _skipped_hours(table, moment, epoch, inputs)
    findings += _parts_not_there(table, found)
    notes += incomplete(format, found, table)
    end = _end(table, found, inputs, formats)
    if end is not None:
        spans = {"bucket_hours": ((end - epoch) / 3600.0).cast("float64")}
        grain = Grain(None, "from the start and the end of each row")
        spans = {"bucket_hours": ibis.cases((spans["bucket_hours"] > 0, spans["bucket_hours"]), else_=1.0)}
        if not counted and format.bucket_hours == 0:
            spans, grain = {}, Grain(0.0, "a row is a request")
    else:
        spans = {"bucket_hours": value("bucket_hours")} if "bucket_hours" in found else {}
        grain = grain_of(
            format, inputs, table, moment, epoch, counted=counted, has_id="id" in found, by_row=bool(spans)
        )
        if grain.days is not None:
            spans = {"bucket_hours": ibis.cases((grain.days, 24.0), else_=grain.hours)}
        elif spans:
            spans = {"bucket_hours": spans["bucket_hours"].coalesce(ibis.literal(grain.hours or 1.0))}
    if grain.note:
        notes.append(grain.note)
    requests: dict[str, Any] = {"requests": value("requests")} if counted else {}
    if not counted and spans and grain.hours == 0.0:
        alone = spans["bucket_hours"] == 0
        requests = {"requests": ibis.cases((alone, ibis.literal(1.0)), else_=ibis.null("float64"))}
        requests = {"requests": ibis.literal(1.0)} if grain.requests else requests
    elif not counted and (grain.hours is None or grain.hours > 0):
        requests = {}
    kept = _kept(table, found, names.dimensions.values(), format)
    if moment.type().is_string():
        kept["time_text"] = moment
    skip = _skips(table, format)
    reading = table.select(
        epoch=epoch,
        **(
            {}
            if names.time_format or formats or names.origin_epoch is not None
            else moment_column(moment, names.time_zone)
        ),
        **spans,
        **requests,
        **{name: value(name) for name in (*TOKENS, *_checked_total(inputs)) if name in found},
        **({"id": _identity(table, found, inputs)} if "id" in found else {}),
        **({"skip": skip} if skip is not None else {}),
        **kept,
    )
    if format.cached_in_input and "cached_tokens" in found and names.cached_in_input is None and format.name == "table":
        notes.append("input is taken to include cached tokens; if it does not, say cached_in_input: false in the map")
    missing = [name for name in NAMED if name not in found]
    if missing and format.name == "table":
        notes.append(f"no column for {', '.join(missing)}")
    unused = _unused(table, found, format)
    if unused:
        notes.append(f"columns that are not read: {', '.join(unused)}")
    default = None if spans else grain.hours
    return ExportReading(
        reading,
        tuple(findings),
        tuple(notes),
        ids_to_check="id" in found and engine.name != "postgres",
        bucket_hours=default,
        may_tell_minutes=bool(spans) or (default or 0.0) <= MINUTE_HOURS,
        cached_by_data=True,
        how=(*how, f"a row is {grain.words}: {grain.why}" if grain.why else f"a row is {grain.words}"),
        region="region" if "region" in found else None,
        workload="workload" if "workload" in found else None,
        model="model" if "model" in found else None,
    )


def _parts_not_there(table: Any, found: Found) -> list[ExportFinding]:
    """Count rows that have one part of a sum and not the other: it counts as 0."""
    blank = []
    for ours in COUNTS:
        if len(found.get(ours, ())) > 1:
            cells = [numbers.trimmed(as_text(column(table, name))) for name in found[ours]]
            empty = [cell.isnull() | cell.lower().isin(numbers.BLANKS) for cell in cells]
            blank.append(reduce(or_, empty) & ~reduce(and_, empty))
    if not blank:
        return []
    count = int(table.filter(reduce(or_, blank)).count().to_pyarrow().as_py())
    return [ExportFinding("null_as_zero", count)] if count else []


def _checked_total(inputs: Inputs) -> tuple[str, ...]:
    """Return the column of totals where it is checked: in files of text, which may have been edited."""
    return ("total_tokens",) if inputs.files and inputs.files[0].kind != "parquet" else ()


def _kept(table: Any, found: Found, dimensions: Any, format: Format) -> dict[str, Any]:
    kept = {name: as_text(column(table, found[name][0])) for name in NAMED if name in found}
    marks = (mark.column for mark in format.batch)
    for name in (*dimensions, *marks, *([format.region_hint] if format.region_hint else [])):
        if name not in kept and column(table, name) is not None:
            kept[name] = as_text(column(table, name))
    if "filename" in table.columns and "filename" not in kept:
        kept["filename"] = table["filename"]
    return kept


def _identity(table: Any, found: Found, inputs: Inputs) -> Any:
    import ibis

    value = as_text(column(table, found["id"][0]))
    if inputs.files and inputs.files[0].kind != "parquet":  # where a blank may be written as a word
        return ibis.cases((numbers.trimmed(value).lower().isin(numbers.BLANKS), ibis.null("string")), else_=value)
    return value


def _skips(table: Any, format: Format) -> Any:
    import ibis

    there = {flat_name(name): name for name in table.columns}
    cases = []
    for skip in format.skips:
        name = spelled(skip.column, table, there)
        if name is not None:
            cases.append(
                (numbers.trimmed(as_text(column(table, name))).lower().isin(skip.values), RULE_CODE[skip.rule])
            )
    return ibis.cases(*cases, else_=0) if cases else None


def _unused(table: Any, found: Found, format: Format) -> list[str]:
    """Return columns that look like token counts and are not read, in a table whose names are not declared."""
    used = {name for named in found.values() for name in named}
    if format.name != "table":
        return []
    return [name for name in table.columns if name not in used and "token" in name.lower()]


def _size(inputs: Inputs) -> int:
    return sum(file.path.stat().st_size for file in inputs.files)


def _moment(table: Any, found: Found) -> Any:
    """Return the time; of a date and an hour of the day (``7``, ``07``, ``07:00``) in two columns, both together."""
    import ibis

    moment = column(table, found["time"][0])
    if "hour_of_day" not in found or not (moment.type().is_date() or moment.type().is_string()):
        return moment
    date, hour = numbers.trimmed(as_text(moment)), numbers.trimmed(as_text(column(table, found["hour_of_day"][0])))
    whole = date + " " + hour.re_extract(HOUR_OF_DAY, 1).lpad(2, "0") + ":00:00"
    return ibis.cases(
        (~date.re_search(DATE_ALONE) | hour.isnull() | (hour == ""), date),
        (hour.re_search(HOUR_OF_DAY), whole),
        (hour.length() > len("00:00:00"), hour),  # it has the date, too
        else_=date + " " + hour,  # no hour of a day: shown as it is
    )


def _epoch(table: Any, moment: Any, found: Found, inputs: Inputs) -> tuple[Any, moments.TimeFormats]:
    """Return the time as seconds since 1970, and the formats that its text needed."""
    import ibis

    names, engine = inputs.names, inputs.engine
    nothing = moments.TimeFormats()
    zone = zone_behind(found["time"][0], names.time_zone, inputs.place)
    if names.origin_epoch is not None:
        count = as_number(moment, engine).cast("float64")
        return count / UNITS_PER_SECOND[names.time_unit] + names.origin_epoch, nothing
    if names.time_format is not None:
        if engine.name != "duckdb" or not moment.type().is_string():
            raise fail(inputs.place, "time_format is for times that are text in a file", column=found["time"][0])
        said = (names.time_format,)
        formats = moments.TimeFormats(with_zone=said) if "%z" in names.time_format else moments.TimeFormats(said)
        return moments.expression(moment, formats, zone), formats
    plain = epoch_seconds(moment, engine, names.time_zone)
    if engine.name != "duckdb" or not moment.type().is_string() or not inputs.files:
        return plain, nothing
    if zone != names.time_zone:  # the column's name says UTC, the engine is in the map's zone
        plain = numbers.trimmed(moment).try_cast("timestamp").epoch_seconds().cast("float64")
    shape = table.select(odd_=numbers.trimmed(moment), plain_=plain)
    unread = shape.filter((shape["plain_"].isnull() & (shape["odd_"] != "")) | shape["odd_"].re_search(COMPACT))
    texts = [str(value) for value in unread.select("odd_").distinct().limit(ODD_CELLS).to_pandas()["odd_"]]
    formats = moments.settled([t for t in texts if not numbers.is_blank(t)], inputs.place, found["time"][0])
    if not formats:
        return plain, nothing
    return ibis.coalesce(moments.expression(moment, formats, zone), plain), formats


def _skipped_hours(table: Any, moment: Any, epoch: Any, inputs: Inputs) -> list[ExportFinding]:
    """Count local times that do not exist: those that the engine moved on by an hour."""
    zone = inputs.names.time_zone
    if zone == "UTC" or inputs.engine.name != "duckdb" or not inputs.files or not moment.type().is_string():
        return []
    written = numbers.trimmed(moment)
    local = moments.local_time(zone, epoch)
    moved = local.epoch_seconds() != written.try_cast("timestamp").epoch_seconds()
    plain = ~written.re_search(r"(Z|[+-]\d{2}:?(\d{2})?|[A-Za-z]{3,})$") & written.re_search(r"\d:\d{2}")
    count = int(table.filter(moved & plain).count().to_pyarrow().as_py())
    return [ExportFinding("skipped_hour", count)] if count else []


def _end(table: Any, found: Found, inputs: Inputs, formats: moments.TimeFormats) -> Any:
    """Return the end of each row's bucket as seconds since 1970; None where the export has none."""
    import ibis

    if "end" not in found or inputs.names.bucket_hours is not None:
        return None
    value = column(table, found["end"][0])
    plain = epoch_seconds(value, inputs.engine, inputs.names.time_zone)
    if formats and value.type().is_string():
        return ibis.coalesce(
            moments.expression(value, formats, zone_behind(found["end"][0], inputs.names.time_zone, inputs.place)),
            plain,
        )
    return plain
