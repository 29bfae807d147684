"""OpenTelemetry GenAI as OTLP JSON (one export or one a line): spans, or the histogram ``gen_ai.client.token.usage``.

Names: semantic conventions, 2026. Spans are model calls, and know cached tokens (otel_spans.py). The histogram counts
input and output only, billable where both exist; its requests are the count of input values. Where an export has both,
the spans are read: both count the same calls.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from planner.features.demand.files import fail
from planner.features.demand.findings import Finding
from planner.features.demand.formats import otel_spans
from planner.features.demand.formats.base import Format, Inputs, Reading, Sample, rows_to_frame
from planner.features.demand.formats.counters import increases
from planner.features.demand.formats.otel_common import DIMENSIONS, as_otlp, attributes, is_export, named
from planner.features.demand.formats.points import readings_of_points

TOKEN_METRIC = "gen_ai.client.token.usage"
CUMULATIVE = (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")


def recognise(sample: Sample) -> bool:
    """Tell an OTLP export by its outermost key."""
    return is_export(sample.document)


def read(inputs: Inputs) -> Reading:
    """Return one reading a span, or one an export interval and set of attributes of the histogram."""
    exports = []
    for file, document in inputs.documents:
        if not is_export(document):
            raise fail(file.path, "is no OTLP export", allowed='{"resourceSpans": [...]} or {"resourceMetrics": [...]}')
        exports.append(as_otlp(document))
    rows = otel_spans.readings(exports)
    if not rows:
        return _read_histogram(inputs, exports)
    has_both = any(True for document in exports for _ in _points(document))
    notes = (f"{TOKEN_METRIC} is left out: it counts the calls of the spans again",) if has_both else ()
    return Reading(inputs.lazy(rows_to_frame(rows, DIMENSIONS)), (), notes, ids_to_check=True)


def _read_histogram(inputs: Inputs, exports: list[dict[str, Any]]) -> Reading:
    deltas: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    for document in exports:
        for cumulative, point in _points(document):
            (totals if cumulative else deltas).append(point)
    findings: tuple[Finding, ...] = ()
    if totals:
        risen, findings = increases(pd.DataFrame(_from_zero(totals)))
        deltas += risen
    if not deltas:
        wanted = f"spans with {otel_spans.USAGE['input_tokens'][0]}, or the metric {TOKEN_METRIC}"
        raise fail(inputs.files[0].path, "has neither usage of spans nor the token histogram", allowed=wanted)
    frame, more = readings_of_points(deltas, DIMENSIONS)
    return Reading(inputs.lazy(frame), (*findings, *more))


def _from_zero(totals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put a zero at each cumulative series' own start: unlike Prometheus, OTLP says when it began to count."""
    starts = {(p["measure"], p["key"], p["start"]): {**p, "epoch": p["start"], "value": 0.0} for p in totals}
    return [{k: v for k, v in point.items() if k != "start"} for point in [*starts.values(), *totals]]


def _points(document: dict[str, Any]) -> Iterator[tuple[bool, dict[str, Any]]]:
    for resource in document.get("resourceMetrics") or []:
        of_resource = attributes((resource.get("resource") or {}).get("attributes"))
        for scope in resource.get("scopeMetrics") or []:
            for metric in scope.get("metrics") or []:
                if metric.get("name") != TOKEN_METRIC:
                    continue
                histogram = metric.get("histogram") or metric.get("exponentialHistogram") or metric.get("data") or {}
                cumulative = histogram.get("aggregationTemporality") in CUMULATIVE
                for item in histogram.get("dataPoints") or []:
                    for point in _of_data_point(item, of_resource, cumulative):
                        yield cumulative, point


def _of_data_point(item: dict[str, Any], resource: dict[str, Any], cumulative: bool) -> Iterator[dict[str, Any]]:
    tags = {**resource, **attributes(item.get("attributes"))}
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
        **named(tags),
        **({"start": start} if cumulative else {}),
    }
    yield {**common, "measure": measure, "value": float(item.get("sum") or 0.0)}
    if measure == "input_tokens":
        yield {**common, "measure": "requests", "value": float(item.get("count") or 0)}


FORMAT = Format(
    name="otel_genai",
    title="OpenTelemetry GenAI spans, or token histogram (OTLP JSON)",
    finest="one call (spans); one export interval (histogram)",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    region="cloud.region",
    workload="gen_ai.request.model",
    model="gen_ai.response.model",
    lacks=("no cached tokens in the histogram, which counts input and output only (spans have them)",),
)
