"""OpenTelemetry GenAI: the histogram ``gen_ai.client.token.usage`` as OTLP JSON (one export or one a line).

Names: semantic conventions, April 2026. Requests are the histogram's count of input values. The convention counts
input and output only, billable where both exist: cached tokens cannot be told from it.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from planner.demand.files import fail
from planner.demand.findings import Finding
from planner.demand.formats.base import Format, Inputs, Reading, Sample
from planner.demand.formats.counters import increases
from planner.demand.formats.points import readings_of_points

TOKEN_METRIC = "gen_ai.client.token.usage"
DIMENSIONS = (
    "gen_ai.request.model", "gen_ai.response.model", "gen_ai.provider.name", "gen_ai.operation.name", "server.address",
    "service.name", "cloud.region",
)  # fmt: skip
CUMULATIVE = (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")


def recognise(sample: Sample) -> bool:
    """Tell an OTLP export by its outermost key."""
    return (isinstance(sample.document, dict) and "resourceMetrics" in sample.document) or (
        "resourceMetrics" in sample.columns
    )


def read(inputs: Inputs) -> Reading:
    """Return one reading an export interval and set of attributes."""
    deltas: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    for file, document in inputs.documents:
        if not isinstance(document, dict) or "resourceMetrics" not in document:
            raise fail(file.path, "is no OTLP export of metrics", allowed='{"resourceMetrics": [...]}')
        for cumulative, point in _points(document):
            (totals if cumulative else deltas).append(point)
    findings: tuple[Finding, ...] = ()
    if totals:
        risen, findings = increases(pd.DataFrame(_from_zero(totals)))
        deltas += risen
    if not deltas:
        raise fail(inputs.files[0].path, f"has no metric {TOKEN_METRIC}")
    frame, more = readings_of_points(deltas, DIMENSIONS)
    return Reading(inputs.lazy(frame), (*findings, *more))


def _from_zero(totals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put a zero at each cumulative series' own start: unlike Prometheus, OTLP says when it began to count."""
    starts = {(p["measure"], p["key"], p["start"]): {**p, "epoch": p["start"], "value": 0.0} for p in totals}
    return [{k: v for k, v in point.items() if k != "start"} for point in [*starts.values(), *totals]]


def _points(document: dict[str, Any]) -> Iterator[tuple[bool, dict[str, Any]]]:
    for resource in document["resourceMetrics"]:
        of_resource = _attributes((resource.get("resource") or {}).get("attributes"))
        for scope in resource.get("scopeMetrics") or []:
            for metric in scope.get("metrics") or []:
                if metric.get("name") != TOKEN_METRIC:
                    continue
                histogram = metric.get("histogram") or metric.get("exponentialHistogram") or {}
                cumulative = histogram.get("aggregationTemporality") in CUMULATIVE
                for item in histogram.get("dataPoints") or []:
                    for point in _of_data_point(item, of_resource, cumulative):
                        yield cumulative, point


def _of_data_point(item: dict[str, Any], resource: dict[str, Any], cumulative: bool) -> Iterator[dict[str, Any]]:
    tags = {**resource, **_attributes(item.get("attributes"))}
    kind = str(tags.get("gen_ai.token.type", ""))
    measure = {"input": "input_tokens", "output": "output_tokens", "completion": "output_tokens"}.get(kind)
    if measure is None:
        return
    start, end = int(item.get("startTimeUnixNano") or 0) / 1e9, int(item.get("timeUnixNano") or 0) / 1e9
    start = start or end
    common = {
        "epoch": end if cumulative else start,
        "bucket_hours": (end - start) / 3600,
        "key": "|".join(f"{k}={v}" for k, v in sorted(tags.items())),
        "gen_ai.provider.name": tags.get("gen_ai.provider.name") or tags.get("gen_ai.system"),
        **{name: tags.get(name) for name in DIMENSIONS if name != "gen_ai.provider.name"},
        **({"start": start} if cumulative else {}),
    }
    yield {**common, "measure": measure, "value": float(item.get("sum") or 0.0)}
    if measure == "input_tokens":
        yield {**common, "measure": "requests", "value": float(item.get("count") or 0)}


def _attributes(listed: Any) -> dict[str, Any]:
    return {str(a.get("key")): next(iter((a.get("value") or {"": None}).values())) for a in listed or []}


FORMAT = Format(
    name="otel_genai",
    title="OpenTelemetry GenAI token histogram (OTLP JSON)",
    finest="one export interval",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    region="cloud.region",
    workload="gen_ai.request.model",
    model="gen_ai.response.model",
    lacks=("no cached tokens: the convention counts input and output only",),
)
