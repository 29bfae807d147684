"""Anthropic ``GET /v1/organizations/usage_report/messages``.

Fields: the API's documentation and cookbook. Cached tokens are apart from ``uncached_input_tokens``. There is no count
of requests: the newer analytics report has one.
"""

from typing import Any

from planner.features.demand.clock import moment_of
from planner.features.demand.formats.base import Format, Inputs, Reading, Sample, once_per_bucket, rows_to_frame
from planner.features.demand.formats.pages import first_result, group_of, results, unfinished
from planner.units import SECONDS_PER_HOUR

DIMENSIONS = (
    "model", "inference_geo", "workspace_id", "service_tier", "context_window", "account_id", "api_key_id",
    "service_account_id", "product", "speed", "rbac_group_id",
)  # fmt: skip


def recognise(sample: Sample) -> bool:
    """Tell the report by its split of the input, without a count of requests."""
    found = first_result(sample.document) if sample.kind == "json" else {}
    return "uncached_input_tokens" in found and "requests" not in found


def read(inputs: Inputs) -> Reading:
    """Return one reading a bucket and group; both of Anthropic's reports are read by this."""
    rows = [_row(file.path.name, bucket, result) for file, bucket, result in results(inputs)]
    frame = rows_to_frame(rows, (*DIMENSIONS, "group", "filename"))
    frame, findings = once_per_bucket(frame, ["epoch", "bucket_hours", "group"])
    return Reading(inputs.lazy(frame), findings, unfinished(inputs))


def _row(name: str, bucket: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    start, end = moment_of(bucket.get("starting_at")), moment_of(bucket.get("ending_at"))
    return {
        "epoch": None if start is None else start.timestamp(),
        "bucket_hours": (end - start).total_seconds() / SECONDS_PER_HOUR if start and end else 1.0,
        "requests": result.get("requests"),
        "input_tokens": result.get("uncached_input_tokens"),
        "cached_tokens": result.get("cache_read_input_tokens"),
        "written_tokens": sum(value or 0 for value in (result.get("cache_creation") or {}).values()),
        "output_tokens": result.get("output_tokens"),
        "filename": name,
        "group": group_of(result),
        **{dimension: result.get(dimension) for dimension in DIMENSIONS},
    }


FORMAT = Format(
    name="anthropic_messages",
    title="Anthropic usage report (usage_report/messages)",
    finest="one minute (bucket_width=1m)",
    cached_in_input=False,
    recognise=recognise,
    read=read,
    region="inference_geo",
    workload="workspace_id",
    model="model",
    lacks=("no count of requests: tokens only; the analytics usage report has requests",),
)
