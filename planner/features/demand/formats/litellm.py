"""LiteLLM: its request log, its daily spend (tables and API), and its Prometheus counters.

Field names: litellm/proxy/schema.prisma, common_daily_activity.py and types/integrations/prometheus.py (LiteLLM 1.109);
older versions lack some columns. ``prompt_tokens`` includes what was read from and written to the cache. In the request
log those two lie in ``metadata``, at places that changed between versions. Times are UTC. There is no region.
"""

from functools import reduce
from operator import getitem
from typing import Any

import pandas as pd

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats import declared, prometheus
from planner.features.demand.formats.cells import as_number, as_text, is_json, json_value
from planner.features.demand.formats.format import (
    ExportColumns,
    ExportReading,
    Format,
    Inputs,
    Sample,
    Skip,
    has_signs,
    rows_to_frame,
)
from planner.features.demand.formats.records import unfinished
from planner.features.demand.history import VALUES
from planner.features.demand.source_files import fail
from planner.units import HOURS_PER_DAY

# column -> what every key of it begins with, and the places where versions of LiteLLM put it, the likeliest first
IN_METADATA = {
    "cached_in_metadata": (
        "cache",
        (
            ("usage_object", "prompt_tokens_details", "cached_tokens"),
            ("usage_object", "cache_read_input_tokens"),
            ("additional_usage_values", "cache_read_input_tokens"),
            ("additional_usage_values", "prompt_tokens_details", "cached_tokens"),
        ),
    ),
    "written_in_metadata": (
        "cache_creation",
        (
            ("usage_object", "cache_creation_input_tokens"),
            ("usage_object", "prompt_tokens_details", "cache_creation_tokens"),
            ("additional_usage_values", "cache_creation_input_tokens"),
        ),
    ),
}


def with_usage(table: Any, inputs: Inputs) -> Any:
    """Add what lies in ``metadata``: from the first place that has a count, 0 where none has; nothing where empty."""
    import ibis

    name = next((name for name in table.columns if name.lower() == "metadata"), None)
    if name is None:
        return table
    metadata = table[name]
    if inputs.engine.name == "duckdb" and _is_empty(metadata):
        return table
    if not (metadata.type().is_string() or metadata.type().is_json()):
        metadata = metadata.cast("json")
    zero = ibis.literal(0.0)
    columns = {}
    for ours, (sign, places) in IN_METADATA.items():
        if inputs.engine.name == "duckdb":  # which parses the text anew for each place: only where it has such a key
            text = metadata.cast("string")
            found = [json_value(text, ".".join(("$", *place))).try_cast("float64") for place in places]
            whole = ibis.cases((is_json(text), zero), else_=ibis.null("float64"))  # cut off: not known
            columns[ours] = ibis.cases((text.contains(sign), ibis.coalesce(*found, whole)), else_=zero)
        else:
            found = [
                as_number(as_text(reduce(getitem, place, metadata.cast("json"))).nullif("null"), inputs.engine)
                for place in places
            ]
            columns[ours] = ibis.coalesce(*found, zero)
    return table.mutate(**columns)


def _is_empty(metadata: Any) -> bool:
    """Tell a column without any object in it; the search ends at the first."""
    there = as_text(metadata).contains("{").name("there").as_table()
    return not len(there.filter(there["there"]).limit(1).to_pyarrow())


SPENDLOGS = Format(
    name="litellm_spendlogs",
    title="LiteLLM request log (LiteLLM_SpendLogs: Postgres, CSV, JSON lines or Parquet)",
    finest="one request",
    cached_in_input=True,
    signs=(("request_id", "startTime", "prompt_tokens", "completion_tokens", "model_group"),),
    rows=("data",),
    json_text=("metadata",),
    prepare=with_usage,
    bucket_hours=0.0,
    columns=ExportColumns(
        time=("startTime",),
        id=("request_id",),
        input_tokens=("prompt_tokens",),
        cached_tokens=("cached_in_metadata",),
        written_tokens=("written_in_metadata",),
        output_tokens=("completion_tokens",),
        total_tokens=("total_tokens",),
        workload=("model_group",),
        model=("model",),
    ),
    skips=(Skip("failed", "status", ("failure",)), Skip("response_cache", "cache_hit", ("true",))),
    region_hint="api_base",
    lacks=("no region: give --region, or a map file that tells it from api_base",),
    default_table="LiteLLM_SpendLogs",
    utc=True,
)

# LiteLLM's DailyTagSpend: github.com/BerriAI/litellm/issues/21894 (2026-02)
BY_TAG = (
    "rows are by tag: a request with several tags counts once for each, one without tags is missing; "
    "LiteLLM_DailyUserSpend has each once"
)
DAILY_SIGNS = ("date", "prompt_tokens", "completion_tokens", "api_requests")


def recognise_daily(sample: Sample) -> bool:
    """Tell the table by its columns, the API's answer by its breakdown."""
    if sample.kind == "json":
        results = sample.document.get("results") if isinstance(sample.document, dict) else None
        first = results[0] if isinstance(results, list) and results else None
        if isinstance(first, dict) and {"date", "metrics", "breakdown"} <= set(first):
            return True
    return has_signs(DAILY, sample.columns)


def read_daily(inputs: Inputs) -> ExportReading:
    """Return one reading a day, model and (where the export has it) model group."""
    if inputs.files and inputs.files[0].kind == "json" and any("results" in d for _, d in inputs.documents):
        return _read_activity(inputs)
    reading = declared.read(DAILY, inputs)
    by_tag = "tag" in {name.lower() for name in inputs.table("LiteLLM_DailyUserSpend").columns}
    if by_tag:
        return ExportReading(**{**vars(reading), "notes": (*reading.notes, BY_TAG)})
    return reading


def _read_activity(inputs: Inputs) -> ExportReading:
    """Read /user/daily/activity: it cuts its rows into pages and sums each page, so that pages' parts of a day add."""
    rows, wrong, again = [], [], 0
    for listing, file, document in _listings(inputs):
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            raise fail(file.path, "is no answer of /user/daily/activity", allowed="{results: [...]}")
        days: list[Any] = []
        for day in document["results"]:
            if day in days:  # a page has each day once
                again += len((day.get("breakdown") or {}).get("models") or {}) or 1
                continue
            days.append(day)
            models = (day.get("breakdown") or {}).get("models") or {}
            for model, entry in models.items() or [(None, {"metrics": day["metrics"]})]:
                metrics = entry["metrics"]
                rows.append(
                    {
                        "epoch": pd.Timestamp(day["date"], tz="UTC").timestamp(),
                        "bucket_hours": float(HOURS_PER_DAY),
                        "requests": metrics.get("successful_requests", metrics.get("api_requests")),
                        "input_tokens": metrics.get("prompt_tokens"),
                        "cached_tokens": metrics.get("cache_read_input_tokens"),
                        "written_tokens": metrics.get("cache_creation_input_tokens"),
                        "output_tokens": metrics.get("completion_tokens"),
                        "total_tokens": metrics.get("total_tokens"),
                        "model": model,
                        "listing": listing,
                    }
                )
            whole = (day.get("metrics") or {}).get("prompt_tokens")
            parts = [(entry.get("metrics") or {}).get("prompt_tokens") or 0 for entry in models.values()]
            if models and whole is not None and sum(parts) != whole:
                wrong.append(f"{day['date']}: models {sum(parts):,}, day {whole:,} prompt tokens")
    frame = rows_to_frame(rows, ("model", "listing"))
    counts = [name for name in VALUES if name in frame]
    key = ["epoch", "model"]
    summed = frame.groupby([*key, "listing"], dropna=False)[counts].sum().sum(axis=1)
    best = summed.reset_index(name="size").sort_values("size", ascending=False, kind="stable").drop_duplicates(key)
    kept = frame.merge(best[[*key, "listing"]], on=[*key, "listing"])
    again += len(frame) - len(kept)
    findings = [ExportFinding("duplicate", again)] if again else []
    findings += [ExportFinding("total_differs", len(wrong), tuple(wrong[:5]))] if wrong else []
    pages = len(frame["listing"].index) > 0 and len(inputs.documents) > 1
    notes = unfinished(inputs, "metadata.has_more") if not _is_whole(inputs) else ()
    how = ("a day on several pages comes in parts, which add up",) if pages else ()
    return ExportReading(inputs.lazy(kept.drop(columns="listing")), tuple(findings), notes, how=how)


def _listings(inputs: Inputs) -> list[tuple[str, Any, Any]]:
    """Tell the pages of one listing from those of another: a page that is there already begins or fills another one."""
    seen: list[dict[Any, Any]] = []
    found = []
    for file, document in inputs.documents:
        about = (document.get("metadata") or {}) if isinstance(document, dict) else {}
        page, of = about.get("page", 1), about.get("total_pages", 1)
        number = next((n for n, there in enumerate(seen) if there.get("of") == of and page not in there), len(seen))
        copy = next((n for n, there in enumerate(seen) if there.get("of") == of and there.get(page) == document), None)
        if copy is not None:
            continue
        if number == len(seen):
            seen.append({"of": of})
        seen[number][page] = document
        found.append((f"{number}", file, document))
    return found


def _is_whole(inputs: Inputs) -> bool:
    """Tell whether every page that the answers announce is there."""
    pages: dict[Any, set[Any]] = {}
    for _, document in inputs.documents:
        about = (document.get("metadata") or {}) if isinstance(document, dict) else {}
        pages.setdefault(about.get("total_pages", 1), set()).add(about.get("page", 1))
    return all(len(there) >= int(of or 1) for of, there in pages.items())


DAILY = Format(
    name="litellm_daily",
    title="LiteLLM daily spend (LiteLLM_DailyUserSpend and its kin, /user/daily/activity)",
    finest="one day",
    cached_in_input=True,
    recognise=recognise_daily,
    read=read_daily,
    signs=(DAILY_SIGNS,),
    bucket_hours=float(HOURS_PER_DAY),
    columns=ExportColumns(
        time=("date",),
        id=("id",),
        requests=("successful_requests", "api_requests"),
        input_tokens=("prompt_tokens",),
        cached_tokens=("cache_read_input_tokens",),
        written_tokens=("cache_creation_input_tokens",),
        output_tokens=("completion_tokens",),
        workload=("model_group",),
        model=("model",),
    ),
    repeats="rows by id; a day on several pages of one listing comes in parts, which add up; a page again is a copy",
    workload="model_group",
    model="model",
    lacks=(
        "no hour: it gives level and growth, never the shape of a week (the request log has it)",
        "no region: give --region or a map file",
    ),
    default_table="LiteLLM_DailyUserSpend",
    utc=True,
)

COUNTERS: prometheus.Measures = {
    "input_tokens": ("litellm_input_tokens_metric",),
    "output_tokens": ("litellm_output_tokens_metric",),
    "cached_tokens": ("litellm_input_cached_tokens_metric", "litellm_provider_cache_read_input_tokens_metric"),
    "written_tokens": (
        "litellm_input_cache_creation_tokens_metric",
        "litellm_provider_cache_creation_input_tokens_metric",
    ),
    "requests": ("litellm_proxy_total_requests_metric", "litellm_requests_metric"),
}
COUNTER_LABELS = ("model", "requested_model", "model_id", "api_provider", "team", "team_alias", "instance")
PROMETHEUS = prometheus.counters_format(
    name="litellm_prometheus",
    title="LiteLLM's Prometheus counters (query_range JSON; /metrics text with --window)",
    prefix="litellm_",
    measures=COUNTERS,
    labels=COUNTER_LABELS,
    workload="requested_model",
    model="model",
    lacks=("no region: give --region or a map file (dimensions: {region: instance})",),
)
