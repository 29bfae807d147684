"""Any table: CSV, JSON lines, JSON or Parquet, or a table of a database, with a column map where names are not plain.

A row is a request, unless ``bucket_hours`` (map or column), a column of requests or its times say that it is a bucket.
Nested fields are named with dots (``usage.input``). Input is taken to include cached tokens unless the map says not.
"""

from dataclasses import replace
from typing import Any

from planner.features.demand.formats import declared
from planner.features.demand.formats.cells import as_number, flat_name
from planner.features.demand.formats.format import ExportColumns, ExportReading, Format, Inputs, Sample
from planner.features.demand.formats.found import SHOWN_COLUMNS, check, long_of, resolve, shortened
from planner.features.demand.source_files import fail

# names that are understood without a map, the first that is there
PLAIN = ExportColumns(
    time=(
        "time", "timestamp", "hour", "ts", "date time", "time generated", "created at", "start time", "hour utc",
        "hour timestamp", "event time", "request time", "usage date", "utc date", "created", "date", "day",
    ),
    hour_of_day=("hour_of_day", "hr", "hour"),
    id=("id", "request_id", "generation_id", "uuid"),
    bucket_hours=("bucket_hours",),
    requests=("requests", "request_count", "num_requests", "n_requests", "num_model_requests", "count", "calls"),
    input_tokens=(
        "input_tokens", "prompt_tokens", "tokens_in", "tokens_prompt", "context_tokens", "request_tokens",
        "input_length", "input_token_count", "prompt_token_count", "tokens_input", "in_tokens",
    ),
    cached_tokens=(
        "cached_tokens", "cached_input_tokens", "cache_read_input_tokens", "cache_read_tokens", "tokens_cached",
        "input_cached_tokens", "cached_token_count",
    ),
    written_tokens=(
        "written_tokens", "cache_write_tokens", "cache_creation_input_tokens", "cache_creation_tokens",
        "cache_write_input_tokens",
    ),
    output_tokens=(
        "output_tokens", "completion_tokens", "generated_tokens", "tokens_out", "tokens_completion", "response_tokens",
        "output_length", "output_token_count", "completion_token_count", "tokens_output", "out_tokens",
    ),
    region=("region", "location", "aws_region"),
    workload=("workload", "application", "app", "use_case", "team", "project", "service"),
    model=("model", "model_name", "model_id", "deployment"),
)  # fmt: skip


def recognise(sample: Sample) -> bool:
    """Take any table with a time and something to count: the last format that is tried."""
    there = {flat_name(name) for name in sample.columns}

    def has(names: tuple[str, ...]) -> bool:
        return any(flat_name(name) in there for name in names)

    return has(PLAIN.time) and (has(PLAIN.requests) or has(PLAIN.input_tokens) or has(PLAIN.output_tokens))


def read(inputs: Inputs) -> ExportReading:
    """Return one reading a row."""
    table = _lengthened(inputs)
    chosen = {str(ours): theirs for ours, theirs in inputs.names.columns.items()}
    found, how = resolve(_with_hour(table, chosen), table, chosen)
    if inputs.names.one_column_per:
        found["requests"] = ("requests",)
        found |= {dimension: (dimension,) for dimension in inputs.names.one_column_per}
    table, found, copies = shortened(table, found, long_of(inputs), inputs)
    columns = frozenset(name for name in table.columns if name != "filename")
    check(FORMAT, found, columns, inputs, chosen)
    return declared.reading_of(FORMAT, inputs, declared.ExportTable(table, copies), found, how)


def _with_hour(table: Any, chosen: dict[str, Any]) -> ExportColumns:
    """Return the plain names; ``hour`` beside a date is an hour of the day, alone it is the time."""
    there = {flat_name(name) for name in table.columns}
    date = next((name for name in ("date", "day", "utc date", "usage date") if flat_name(name) in there), None)
    first = next((name for name in PLAIN.time if flat_name(name) in there), None)
    if "time" in chosen and "hour_of_day" not in chosen:
        return replace(PLAIN, hour_of_day=())
    if date is None or first not in (None, "hour", date) or "time" in chosen:
        return replace(PLAIN, hour_of_day=() if "hour_of_day" not in chosen else PLAIN.hour_of_day)
    return replace(PLAIN, time=(date,))


def _lengthened(inputs: Inputs) -> Any:
    """Return the table; one with a column of requests for each region (or workload, model) as rows."""
    table = inputs.table()
    for dimension, columns in inputs.names.one_column_per.items():
        lacking = [name for name in columns if name not in table.columns]
        if lacking:
            shown = ", ".join(table.columns)[:SHOWN_COLUMNS]
            raise fail(inputs.place, "has no such column", column=", ".join(lacking), allowed=shown)
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
    columns=PLAIN,
    repeats="by id; buckets equal in every column are copies where most that come again are; others add up",
)
