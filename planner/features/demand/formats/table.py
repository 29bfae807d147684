"""Any table: CSV, JSON lines, JSON or Parquet, or a table of a database, with a column map where names are not plain.

A row is a request, unless ``bucket_hours`` (map or column) or a column of requests says that it is a bucket.
Nested fields are named with dots (``usage.input``). Input is taken to include cached tokens unless the map says not.
"""

import re
from typing import Any

from planner.errors import Fault, InputError
from planner.features.demand.busy import MINUTE_HOURS
from planner.features.demand.files import fail
from planner.features.demand.findings import Finding
from planner.features.demand.formats.base import Format, Inputs, Reading, Sample
from planner.features.demand.formats.cells import as_number, column, epoch_seconds, moment_column, number, text
from planner.features.demand.formats.grain import DATE_ALONE, each_row_once, is_day, minutes_apart
from planner.features.demand.history import TOKENS, VALUES
from planner.units import HOURS_PER_DAY

# our column -> names that are understood without a map, the first that is there
PLAIN: dict[str, tuple[str, ...]] = {
    "time": (
        "time", "timestamp", "hour", "ts", "datetime", "date_time", "created_at", "start_time", "starttime",
        "hour_utc", "hour_timestamp", "event_time", "request_time", "created", "date",
    ),
    "hour_of_day": ("hour_of_day", "hr", "hour"),  # beside a date: both together are the time
    "id": ("id", "request_id", "requestid", "uuid"),
    "region": ("region", "location", "aws_region"),
    "workload": ("workload", "application", "app", "use_case", "team", "project", "service"),
    "model": ("model", "model_name", "model_id", "deployment"),
    "requests": ("requests", "request_count", "num_requests", "num_model_requests", "count", "calls"),
    "input_tokens": (
        "input_tokens", "prompt_tokens", "tokens_in", "inputtokens", "contexttokens", "request_tokens", "input_length",
    ),
    "cached_tokens": ("cached_tokens", "cached_input_tokens", "cache_read_input_tokens", "cache_read_tokens"),
    "written_tokens": ("written_tokens", "cache_write_tokens", "cache_creation_input_tokens"),
    "output_tokens": (
        "output_tokens", "completion_tokens", "generated_tokens", "tokens_out", "generatedtokens", "response_tokens",
        "output_length",
    ),
    "bucket_hours": ("bucket_hours",),
}  # fmt: skip


HOUR_OF_DAY = r"^([01]?[0-9]|2[0-3])(:00){0,2}$"
UNITS_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def squeeze(name: str) -> str:
    """Return a column name in lower case with single underscores, as names are compared."""
    return re.sub(r"[^a-z0-9.]+", "_", name.strip().lower()).strip("_")


def recognise(sample: Sample) -> bool:
    """Take any table with a time and something to count: the last format that is tried."""
    found = resolve(sample.columns, {})
    return "time" in found and bool({"requests", "input_tokens", "output_tokens"} & set(found))


def resolve(columns: frozenset[str], chosen: dict[str, str]) -> dict[str, str]:
    """Return our column -> theirs: what the map says, else a plain name."""
    plain = {squeeze(name): name for name in sorted(columns, reverse=True)}
    found = {ours: plain[name] for ours, names in PLAIN.items() for name in reversed(names) if name in plain}
    hour = found.get("hour_of_day")
    if hour is not None and found.get("time") == hour:
        date = plain.get("date", plain.get("day"))
        found |= {"time": date} if date else {}
    found |= chosen
    if hour is not None and (found.get("time") == hour or {"time", "hour_of_day"} & set(chosen) == {"time"}):
        del found["hour_of_day"]
    return found


def read(inputs: Inputs) -> Reading:
    """Return one reading a row."""
    import ibis

    table, engine = _lengthened(inputs), inputs.engine
    place = inputs.place
    found = resolve(frozenset(table.columns), {str(ours): theirs for ours, theirs in inputs.names.columns.items()})
    faults = [
        Fault(place, f"has no column for {ours}", column=theirs, allowed=", ".join(table.columns)[:400])
        for ours, theirs in found.items()
        if column(table, theirs) is None
    ]
    if "time" not in found:
        faults.append(
            Fault(place, "has no column for time; name it in the map file", allowed=", ".join(table.columns)[:400])
        )
    if not {"requests", "input_tokens", "output_tokens"} & set(found):
        faults.append(Fault(place, "has neither requests nor tokens; name the columns in the map file"))
    if faults:
        raise InputError(faults)
    moment = _moment(table, found)
    if not (moment.type().is_string() or moment.type().is_numeric() or moment.type().is_temporal()):
        raise fail(
            place, f"the time is of type {moment.type()}", column=found["time"], allowed="timestamps, numbers, text"
        )

    counted = "requests" in found
    findings: tuple[Finding, ...] = ()
    if inputs.files and counted and "id" not in found:
        table, findings = each_row_once(table, {found[name] for name in VALUES if name in found})
        moment = _moment(table, found)

    def value(ours: str) -> Any:
        return number(table, found[ours], engine) if ours in found else ibis.null("float64")

    hours = inputs.names.bucket_hours
    default_bucket = hours if hours is not None else (1.0 if counted else 0.0)
    spans: dict[str, Any] = {}
    if "bucket_hours" in found:
        spans["bucket_hours"] = value("bucket_hours").coalesce(ibis.literal(default_bucket))
    days = is_day(table, moment, inputs, counted) if hours is None and not spans else None
    if days is not None:
        spans["bucket_hours"] = ibis.cases((days, float(HOURS_PER_DAY)), else_=default_bucket)
    minutes = 60
    if counted and hours is None and not spans and "id" not in found:
        minutes = minutes_apart(table, _times(moment, inputs)["epoch"])
        default_bucket = minutes / 60
    requests = {"requests": value("requests")} if counted else {}
    if not counted and (spans or default_bucket > 0):
        requests = {"requests": ibis.literal(1.0 if default_bucket == 0 else None).cast("float64")}
    kept: dict[str, Any] = {name: text(table, found[name]) for name in ("region", "workload", "model") if name in found}
    kept |= {name: text(table, name) for name in inputs.names.dimensions.values() if name not in kept}
    if "filename" in table.columns and "filename" not in kept:
        kept["filename"] = table["filename"]
    if moment.type().is_string():
        kept["time_text"] = moment
    reading = table.select(
        **_times(moment, inputs),
        **spans,
        **requests,
        **{name: value(name) for name in TOKENS if name in found},
        **({"id": text(table, found["id"])} if "id" in found else {}),
        **kept,
    )
    inside = inputs.names.cached_in_input is not False
    told = "cached_tokens" in found and inputs.names.cached_in_input is None
    notes = (
        ("input is taken to include cached tokens; if it does not, say cached_in_input: false in the map",)
        if told
        else ()
    )
    if days is not None:
        notes = (*notes, "rows that have a date and no hour count whole days; say bucket_hours in the map if not")
    if minutes < 60:
        notes = (*notes, f"each row counts {minutes} min, as the times say; give bucket_hours in the map if not")
    missing = [name for name in ("region", "workload", "model") if name not in found]
    if missing:
        notes = (*notes, f"no column for {', '.join(missing)}")
    if not inside:  # the format declares cached tokens inside; hand over what it declares
        inside_now = [reading[name].fill_null(0.0) for name in ("cached_tokens", "written_tokens") if name in found]
        if inside_now and "input_tokens" in found:
            reading = reading.mutate(input_tokens=sum(inside_now, start=reading["input_tokens"]))
    return Reading(
        reading,
        findings,
        notes,
        ids_to_check="id" in found,
        bucket_hours=None if spans else default_bucket,
        may_tell_minutes=bool(spans) or default_bucket <= MINUTE_HOURS,
    )


def _moment(table: Any, found: dict[str, str]) -> Any:
    """Return the time; of a date and an hour of the day (``7``, ``07``, ``07:00``) in two columns, both together."""
    import ibis

    moment = column(table, found["time"])
    if "hour_of_day" not in found or not (moment.type().is_date() or moment.type().is_string()):
        return moment
    date, hour = text(table, found["time"]).strip(), text(table, found["hour_of_day"]).strip()
    whole = date + " " + hour.re_extract(HOUR_OF_DAY, 1).lpad(2, "0") + ":00:00"
    return ibis.cases(
        (~date.re_search(DATE_ALONE) | hour.isnull() | (hour == ""), date),
        (hour.re_search(HOUR_OF_DAY), whole),
        (hour.length() > len("00:00:00"), hour),  # it has the date, too
        else_=date + " " + hour,  # no hour of a day: shown as it is
    )


def _times(moment: Any, inputs: Inputs) -> dict[str, Any]:
    """Return the columns of time: moments, or counts from an origin."""
    names, engine = inputs.names, inputs.engine
    if names.origin_epoch is not None:
        count = as_number(moment, engine).cast("float64")
        return {"epoch": count / UNITS_PER_SECOND[names.time_unit] + names.origin_epoch}
    return {
        "epoch": epoch_seconds(moment, engine, names.time_zone),
        **moment_column(moment, names.time_zone),
    }


def _lengthened(inputs: Inputs) -> Any:
    """Return the table; one with a column of requests for each region (or workload, model) as rows."""
    table = inputs.table()
    for dimension, columns in inputs.names.one_column_per.items():
        lacking = [name for name in columns if name not in table.columns]
        if lacking:
            place = inputs.place
            raise fail(place, "has no such column", column=", ".join(lacking), allowed=", ".join(table.columns)[:400])
        table = table.mutate(**{name: as_number(table[name], inputs.engine) for name in columns})
        table = table.pivot_longer(list(columns), names_to=dimension, values_to="requests")
    return table


FORMAT = Format(
    name="table",
    title="any table: CSV, JSON lines, JSON, Parquet or a database's, with a column map",
    finest="one request, or whatever a row is",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    region="region",
    workload="workload",
    model="model",
)
