"""LiteLLM ``LiteLLM_SpendLogs``: one row a request, from its Postgres database or a dump of the table.

Field names: litellm/proxy/schema.prisma (LiteLLM 1.109). ``prompt_tokens`` includes what was read from and written to
the cache; those two have no column of their own and lie in ``metadata``, at places that changed between versions.
Times are UTC. There is no region: a map file can tell it from ``api_base``.
"""

import json
from functools import reduce
from operator import getitem
from typing import Any

import pandas as pd

from planner.features.demand.formats.base import RULE_CODE, Format, Inputs, Reading, Sample
from planner.features.demand.formats.cells import (
    as_number,
    as_spelled,
    as_text,
    epoch_seconds,
    has_all,
    json_value,
    moment_column,
    need,
    number,
    text,
)

# column -> what every key of it begins with, and the places where versions of LiteLLM put it, the likeliest first
USAGE = {
    "cached_tokens": (
        "cache",
        (
            ("usage_object", "prompt_tokens_details", "cached_tokens"),
            ("usage_object", "cache_read_input_tokens"),
            ("additional_usage_values", "cache_read_input_tokens"),
            ("additional_usage_values", "prompt_tokens_details", "cached_tokens"),
        ),
    ),
    "written_tokens": (
        "cache_creation",
        (
            ("usage_object", "cache_creation_input_tokens"),
            ("usage_object", "prompt_tokens_details", "cache_creation_tokens"),
            ("additional_usage_values", "cache_creation_input_tokens"),
        ),
    ),
}
DIMENSIONS = ("model", "model_id", "model_group", "custom_llm_provider", "api_base", "user", "team_id", "end_user")


SIGNS = ("request_id", "startTime", "prompt_tokens", "completion_tokens", "model_group")
COLUMNS = (*SIGNS, "status", "cache_hit", "metadata", *DIMENSIONS)


def recognise(sample: Sample) -> bool:
    """Tell SpendLogs by columns no other export has together; the API wraps them in pages."""
    return has_all(sample.columns, SIGNS) or any(has_all(row, SIGNS) for row in _rows(sample.document)[:1])


def _rows(document: Any) -> list[dict[str, Any]]:
    """Return the log rows of an answer of /spend/logs (a row) or /spend/logs/v2 (a page with ``data``)."""
    data = document.get("data") if isinstance(document, dict) else None
    found = data if isinstance(data, list) else [document]
    return [row for row in found if isinstance(row, dict)]


def _table(inputs: Inputs) -> Any:
    """Return the log as a table; the API's JSON has its rows in pages."""
    if not inputs.files or inputs.files[0].kind != "json":
        return as_spelled(inputs.table("LiteLLM_SpendLogs"), COLUMNS)
    rows = [row for _, document in inputs.documents for row in _rows(document)]
    names = dict.fromkeys(name for row in rows for name in row)
    return inputs.lazy(pd.DataFrame({name: [_cell(row.get(name)) for row in rows] for name in names}, dtype="string"))


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def read(inputs: Inputs) -> Reading:
    """Return one reading a request."""
    import ibis

    table, engine = _table(inputs), inputs.engine
    need(table, ("startTime", "prompt_tokens", "completion_tokens"), inputs.place)
    status, cache_hit = text(table, "status").lower(), text(table, "cache_hit").lower()
    skip = ibis.cases(
        (status == "failure", RULE_CODE["failed"]),
        (cache_hit == "true", RULE_CODE["response_cache"]),
        else_=0,
    )
    kept = {name: text(table, name) for name in (*DIMENSIONS, *inputs.names.dimensions.values())}
    if "filename" in table.columns:
        kept["filename"] = table["filename"]
    return Reading(
        table.select(
            epoch=epoch_seconds(table["startTime"], engine, "UTC"),
            **moment_column(table["startTime"], "UTC"),
            input_tokens=number(table, "prompt_tokens", engine),
            **_usage(table, engine),
            output_tokens=number(table, "completion_tokens", engine),
            id=text(table, "request_id"),
            skip=skip,
            **kept,
        ),
        ids_to_check=engine.name != "postgres",  # in LiteLLM's own database they are the primary key
        bucket_hours=0.0,
    )


def _usage(table: Any, engine: Any) -> dict[str, Any]:
    """Return the columns that lie in ``metadata``: from the first place that has a count, 0 where none has."""
    import ibis

    if "metadata" not in table.columns:
        return {}
    metadata = table["metadata"]
    if not (metadata.type().is_string() or metadata.type().is_json()):
        metadata = metadata.cast("json")
    zero = ibis.literal(0.0)
    columns = {}
    for name, (sign, places) in USAGE.items():
        if engine.name == "duckdb":  # which parses the text anew for each place: only where it has such a key
            text = metadata.cast("string")
            found = [json_value(text, ".".join(("$", *place))).try_cast("float64") for place in places]
            columns[name] = ibis.cases((text.contains(sign), ibis.coalesce(*found, zero)), else_=zero)
        else:
            found = [
                as_number(as_text(reduce(getitem, place, metadata.cast("json"))).nullif("null"), engine)
                for place in places
            ]
            columns[name] = ibis.coalesce(*found, zero)
    return columns


FORMAT = Format(
    name="litellm_spendlogs",
    title="LiteLLM request log (LiteLLM_SpendLogs: Postgres, CSV, JSON lines or Parquet)",
    finest="one request",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    workload="model_group",
    model="model",
    region_hint="api_base",
    lacks=("no region: give --region, or a map file that tells it from api_base",),
    default_table="LiteLLM_SpendLogs",
)
