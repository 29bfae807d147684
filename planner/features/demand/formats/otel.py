"""OpenTelemetry GenAI as OTLP JSON (one export or one a line): spans, coding agents' events, or counts of tokens.

Names: semantic conventions, 2026; Claude Code's and Gemini CLI's monitoring pages. Spans are model calls, and know
cached tokens (otel_spans.py). The histogram ``gen_ai.client.token.usage`` counts input and output only, billable where
both exist; its requests are the count of input values. Agents' counters have a type a value. Where an export has
several, the finest is read: all count the same calls.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats import otel_spans
from planner.features.demand.formats.format import ExportReading, Format, Inputs, Sample, rows_to_frame
from planner.features.demand.formats.otel_spans import DIMENSIONS, as_otlp, attributes, is_export, named
from planner.features.demand.formats.points import increases, readings_of_points
from planner.features.demand.source_files import fail

TOKEN_METRIC = "gen_ai.client.token.usage"
CUMULATIVE = (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")


@dataclass(frozen=True)
class TokenMetric:
    """A metric of tokens: the attribute that tells their kind, what the kinds are, whether values count calls."""

    kind: str
    kinds: Mapping[str, str]
    counts_calls: bool = False
    cached_in_input: bool = True


METRICS = {
    TOKEN_METRIC: TokenMetric(
        "gen_ai.token.type",
        {"input": "input_tokens", "output": "output_tokens", "completion": "output_tokens"},
        counts_calls=True,
    ),
    "claude_code.token.usage": TokenMetric(
        "type",
        {
            "input": "input_tokens",
            "output": "output_tokens",
            "cacheRead": "cached_tokens",
            "cacheCreation": "written_tokens",
        },
        cached_in_input=False,
    ),
    "gemini_cli.token.usage": TokenMetric(
        "type",
        {
            "input": "input_tokens",
            "tool": "input_tokens",
            "output": "output_tokens",
            "thought": "output_tokens",
            "cache": "cached_tokens",
        },
    ),
}


def recognise(sample: Sample) -> bool:
    """Tell an OTLP export by its outermost key."""
    return is_export(sample.document)


def read(inputs: Inputs) -> ExportReading:
    """Return one reading a span or event, or one an export interval and set of attributes of a metric."""
    exports = []
    for file, document in inputs.documents:
        if not is_export(document):
            raise fail(file.path, "is no OTLP export", allowed='{"resourceSpans": [...]} or {"resourceMetrics": [...]}')
        exports.append(as_otlp(document))
    said = inputs.names.cached_in_input
    rows, notes, findings = otel_spans.readings(exports, normalised=said is None)
    if not rows:
        return _read_metrics(inputs, exports)
    if any(True for document in exports for _ in _points(document)):
        notes = (*notes, "metrics of tokens are left out: they count the calls of the spans or events again")
    frame = rows_to_frame(rows, DIMENSIONS)
    return ExportReading(inputs.lazy(frame), findings, notes, ids_to_check=True, bucket_hours=None, cached_by_data=True)


def _read_metrics(inputs: Inputs, exports: list[dict[str, Any]]) -> ExportReading:
    deltas: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    names: set[str] = set()
    left = 0
    for document in exports:
        left += sum(_unread(document))
        for name, cumulative, point in _points(document):
            names.add(name)
            (totals if cumulative else deltas).append(point)
    findings: tuple[ExportFinding, ...] = ()
    if totals:
        risen, findings = increases(pd.DataFrame(_from_zero(totals)))
        deltas += risen
    if not deltas:
        wanted = f"spans with {otel_spans.USAGE['input_tokens'][0]}, or the metric {', '.join(METRICS)}"
        raise fail(inputs.files[0].path, "has neither usage of spans nor a metric of tokens", allowed=wanted)
    inside = {METRICS[name].cached_in_input for name in names}
    if len(inside) > 1:
        raise fail(inputs.place, "has metrics that count cached tokens differently; export them apart", value=names)
    frame, more = readings_of_points(deltas, DIMENSIONS)
    unread = (ExportFinding("not_read", left),) if left else ()
    return ExportReading(inputs.lazy(frame), (*findings, *more, *unread), cached_in_input=inside.pop())


def _unread(document: dict[str, Any]) -> Iterator[int]:
    """Yield 1 for each value of a metric of tokens whose type is absent or not known."""
    for resource in document.get("resourceMetrics") or []:
        for scope in resource.get("scopeMetrics") or []:
            for metric in scope.get("metrics") or []:
                known = METRICS.get(str(metric.get("name")))
                for item in _data_of(metric).get("dataPoints") or [] if known else []:
                    tags = attributes(item.get("attributes"))
                    yield int(known is not None and str(tags.get(known.kind, "")) not in known.kinds)


def _data_of(metric: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        (metric[kind] for kind in ("histogram", "exponentialHistogram", "sum", "data") if metric.get(kind)), {}
    )
    return found


def _from_zero(totals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put a zero at each cumulative series' own start: unlike Prometheus, OTLP says when it began to count."""
    starts = {(p["measure"], p["key"], p["start"]): {**p, "epoch": p["start"], "value": 0.0} for p in totals}
    return [{k: v for k, v in point.items() if k != "start"} for point in [*starts.values(), *totals]]


def _points(document: dict[str, Any]) -> Iterator[tuple[str, bool, dict[str, Any]]]:
    for resource in document.get("resourceMetrics") or []:
        of_resource = attributes((resource.get("resource") or {}).get("attributes"))
        for scope in resource.get("scopeMetrics") or []:
            for metric in scope.get("metrics") or []:
                name = str(metric.get("name"))
                if name not in METRICS:
                    continue
                data = _data_of(metric)
                cumulative = data.get("aggregationTemporality") in CUMULATIVE
                for item in data.get("dataPoints") or []:
                    for point in _of_data_point(item, of_resource, METRICS[name], cumulative):
                        yield name, cumulative, point


def _of_data_point(
    item: dict[str, Any], resource: dict[str, Any], metric: TokenMetric, cumulative: bool
) -> Iterator[dict[str, Any]]:
    tags = {**resource, **attributes(item.get("attributes"))}
    measure = metric.kinds.get(str(tags.get(metric.kind, "")))
    if measure is None:
        return
    start, end = int(item.get("startTimeUnixNano") or 0) / 1e9, int(item.get("timeUnixNano") or 0) / 1e9
    start = start or max(0.0, end - 1.0)  # a value without a start is of what ended then: an hour that is over
    common = {
        "epoch": end if cumulative else start,
        "bucket_hours": (end - start) / 3600,
        "key": "|".join(f"{k}={v}" for k, v in sorted(tags.items())),
        **named(tags),
        **({"start": start} if cumulative else {}),
    }
    value = item.get("sum", item.get("asInt", item.get("asDouble", item.get("value"))))
    yield {**common, "measure": measure, "value": _amount(value)}
    if metric.counts_calls and measure == "input_tokens":
        yield {**common, "measure": "requests", "value": _amount(item.get("count"))}


def _amount(value: Any) -> float:
    """Return a value as a number; NaN where there is none."""
    if isinstance(value, bool) or "_" in str(value):
        raise TypeError(f"{value} is no count")
    return float("nan") if value is None else float(value)


FORMAT = Format(
    name="otel_genai",
    title="OpenTelemetry GenAI spans, coding agents' events, or metrics of tokens (OTLP JSON)",
    finest="one call (spans, events); one export interval (metrics)",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    rows=None,
    repeats="a span id again is one call; a span that wraps others is their sum; points of one interval are one",
    region="cloud.region",
    workload="gen_ai.request.model",
    model="gen_ai.response.model",
    lacks=("no cached tokens in the histogram, which counts input and output only (spans have them)",),
)
