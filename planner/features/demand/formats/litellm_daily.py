"""LiteLLM daily spend: the ``LiteLLM_Daily...Spend`` tables, and ``GET /user/daily/activity``.

Field names: schema.prisma and common_daily_activity.py (LiteLLM 1.109); older versions lack some columns, which are
read by name. There is no hour: totals and growth can be learnt from it, the shape of a week cannot.
"""

from typing import Any

from planner.features.demand.formats.base import Format, Inputs, Reading, Sample, once_per_bucket, rows_to_frame
from planner.features.demand.formats.cells import as_spelled, column, epoch_seconds, has_all, need, number, text
from planner.units import HOURS_PER_DAY

DIMENSIONS = ("model", "model_group", "custom_llm_provider", "endpoint")
SIGNS = ("date", "prompt_tokens", "completion_tokens", "api_requests")
COLUMNS = (
    *SIGNS,
    "id",
    "tag",
    "successful_requests",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    *DIMENSIONS,
)

# LiteLLM's DailyTagSpend: github.com/BerriAI/litellm/issues/21894 (2026-02)
BY_TAG = (
    "rows are by tag: a request with several tags counts once for each, one without tags is missing; "
    "LiteLLM_DailyUserSpend has each once"
)


def recognise(sample: Sample) -> bool:
    """Tell the table by its columns, the API's answer by its breakdown."""
    if sample.kind == "json":
        first = _first(sample.document)
        return isinstance(first, dict) and {"date", "metrics", "breakdown"} <= set(first)
    return has_all(sample.columns, SIGNS)


def _first(document: Any) -> Any:
    results = document.get("results") if isinstance(document, dict) else None
    return results[0] if isinstance(results, list) and results else None


def read(inputs: Inputs) -> Reading:
    """Return one reading a day, model and (where the export has it) model group."""
    if inputs.files and inputs.files[0].kind == "json":
        return _read_activity(inputs)
    import ibis

    table, engine = as_spelled(inputs.table("LiteLLM_DailyUserSpend"), COLUMNS), inputs.engine
    need(table, ("date", "prompt_tokens", "completion_tokens"), inputs.place)
    served = "successful_requests" if column(table, "successful_requests") is not None else "api_requests"
    kept = {name: text(table, name) for name in (*DIMENSIONS, *inputs.names.dimensions.values())}
    if "filename" in table.columns:
        kept["filename"] = table["filename"]
    return Reading(
        notes=(BY_TAG,) if column(table, "tag") is not None else (),
        table=table.select(
            epoch=epoch_seconds(table["date"], engine, "UTC"),
            requests=number(table, served, engine),
            input_tokens=number(table, "prompt_tokens", engine),
            cached_tokens=number(table, "cache_read_input_tokens", engine),
            written_tokens=number(table, "cache_creation_input_tokens", engine),
            output_tokens=number(table, "completion_tokens", engine),
            id=text(table, "id"),
            skip=ibis.literal(0),
            **kept,
        ),
        ids_to_check=engine.name != "postgres" and column(table, "id") is not None,
        may_tell_minutes=False,
        bucket_hours=float(HOURS_PER_DAY),
    )


def _read_activity(inputs: Inputs) -> Reading:
    import pandas as pd

    rows = []
    for _, document in inputs.documents:
        for day in document.get("results") or []:
            breakdown = day.get("breakdown") or {}
            for model, entry in (breakdown.get("models") or {}).items() or [(None, {"metrics": day["metrics"]})]:
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
                        "model": model,
                    }
                )
    frame, findings = once_per_bucket(rows_to_frame(rows, ("model",)), ["epoch", "model"])
    return Reading(inputs.lazy(frame), findings)


FORMAT = Format(
    name="litellm_daily",
    title="LiteLLM daily spend (LiteLLM_DailyUserSpend and its kin, /user/daily/activity)",
    finest="one day",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    workload="model_group",
    model="model",
    lacks=(
        "no hour: it gives level and growth, never the shape of a week (the request log has it)",
        "no region: give --region or a map file",
    ),
    default_table="LiteLLM_DailyUserSpend",
)
