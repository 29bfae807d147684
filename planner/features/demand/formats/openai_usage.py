"""OpenAI ``GET /v1/organization/usage/completions``, and the dashboard's CSV with the same columns.

Fields: the ``openai`` 3.54 SDK's types. ``input_tokens`` includes cached and cache-write tokens. Buckets are 1m, 1h
or 1d. Costs (``/v1/organization/costs``) are money by the day: they tell nothing that a history holds.
"""

from typing import Any

from planner.features.demand.clock import moment_of
from planner.features.demand.files import fail
from planner.features.demand.formats.base import Format, Inputs, Reading, Sample, once_per_bucket, rows_to_frame
from planner.features.demand.formats.pages import first_result, group_of, results, unfinished
from planner.units import SECONDS_PER_HOUR

DIMENSIONS = ("model", "project_id", "user_id", "api_key_id", "batch", "service_tier", "api_source")


def recognise(sample: Sample) -> bool:
    """Tell a usage page (or costs, to say why they do not help) by its results, the CSV by its columns."""
    if sample.kind == "json":
        found = first_result(sample.document)
        kind = str(found.get("object", ""))
        return kind.startswith("organization.") or {"num_model_requests", "input_tokens"} <= set(found)
    return {"start_time", "end_time", "input_tokens", "num_model_requests"} <= sample.columns


def read(inputs: Inputs) -> Reading:
    """Return one reading a bucket and group."""
    if inputs.files and inputs.files[0].kind in ("json", "jsonl"):
        notes = unfinished(inputs)
        rows = [
            {**_row(file.path.name, bucket, result), "group": group_of(result)}
            for file, bucket, result in results(_without_costs(inputs))
        ]
    else:
        notes = ()
        table = inputs.table().to_pandas().astype(object)
        table = table.where(table.notna(), None)
        names = table["filename"] if "filename" in table else [""] * len(table)
        rows = [_row(str(name), record, record) for name, record in zip(names, table.to_dict("records"), strict=True)]
    frame = rows_to_frame(rows, (*DIMENSIONS, "group", "filename"))
    frame, findings = once_per_bucket(frame, ["epoch", "bucket_hours", *DIMENSIONS, "group"])
    return Reading(inputs.lazy(frame), findings, notes)


def _without_costs(inputs: Inputs) -> Inputs:
    for file, document in inputs.documents:
        if first_result(document).get("object") == "organization.costs.result":
            raise fail(
                file.path, "holds costs: money by the day, no tokens or requests; export usage/completions instead"
            )
    return inputs


def _row(name: str, bucket: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    start, end = _epoch(bucket.get("start_time")), _epoch(bucket.get("end_time"))
    return {
        "epoch": start,
        "bucket_hours": (end - start) / SECONDS_PER_HOUR if start is not None and end is not None else 1.0,
        "requests": result.get("num_model_requests"),
        "input_tokens": result.get("input_tokens"),
        "cached_tokens": result.get("input_cached_tokens"),
        "written_tokens": result.get("input_cache_write_tokens"),
        "output_tokens": result.get("output_tokens"),
        "filename": name,
        **{dimension: result.get(dimension) for dimension in DIMENSIONS},
    }


def _epoch(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value)
    except ValueError:
        stamp = moment_of(value)
        return None if stamp is None else float(stamp.timestamp())


FORMAT = Format(
    name="openai_usage",
    title="OpenAI usage API (usage/completions pages) or the dashboard's CSV",
    finest="one minute (bucket_width=1m)",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    workload="project_id",
    model="model",
    lacks=("no region: give --region or a map file",),
)
