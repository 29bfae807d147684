"""What OpenTelemetry's metrics and spans share: spellings, attributes, and the dimensions that may name a series.

OTLP's JSON is in camel case. Protobuf's libraries write its snake case too, and the Python SDK has a JSON of its own
(``ConsoleSpanExporter``, ``MetricsData.to_json``; opentelemetry-sdk 1.45): attributes as a mapping, moments as text.
"""

import re
from typing import Any

from planner.features.demand.formats.moments import moment_of

OUTERMOST = ("resourceMetrics", "resourceSpans", "resourceLogs")
SDK_SPAN = {"context", "parent_id", "start_time", "attributes"}

DIMENSIONS = (
    "gen_ai.request.model", "gen_ai.response.model", "gen_ai.provider.name", "gen_ai.operation.name", "server.address",
    "service.name", "cloud.region",
)  # fmt: skip


def is_export(document: Any) -> bool:
    """Tell an export of OpenTelemetry, in any of its spellings."""
    return isinstance(document, dict) and (set(document) >= SDK_SPAN or bool({*map(_camel, document)} & {*OUTERMOST}))


def as_otlp(document: dict[str, Any]) -> dict[str, Any]:
    """Return an export as OTLP's JSON spells it."""
    if set(document) >= SDK_SPAN:
        resource = _spelled(document.get("resource") or {})
        return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [_of_sdk(document)]}]}]}
    spelled: dict[str, Any] = document if set(OUTERMOST) & set(document) else _spelled(document)
    return spelled


def _of_sdk(span: dict[str, Any]) -> dict[str, Any]:
    start = moment_of(span["start_time"])
    return {
        "traceId": span["context"].get("trace_id"),
        "spanId": span["context"].get("span_id"),
        "parentSpanId": span.get("parent_id"),
        "startTimeUnixNano": None if start is None else start.value,
        "status": {"code": f"STATUS_CODE_{(span.get('status') or {}).get('status_code')}"},
        "attributes": _listed(span["attributes"]),
    }


def _spelled(node: Any) -> Any:
    if isinstance(node, list):
        return [_spelled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        _camel(name): _listed(value) if name == "attributes" and isinstance(value, dict) else _spelled(value)
        for name, value in node.items()
    }


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found.group(1).upper(), name)


def _listed(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"": value}} for name, value in attributes.items()]


def attributes(listed: Any) -> dict[str, Any]:
    """Return OTLP's list of key and typed value as a plain mapping."""
    return {str(a.get("key")): next(iter((a.get("value") or {"": None}).values()), None) for a in listed or []}


def named(tags: dict[str, Any]) -> dict[str, Any]:
    """Return the dimensions: the provider by its older name too, the model that was asked for where none answered."""
    return {
        **{name: tags.get(name) for name in DIMENSIONS},
        "gen_ai.provider.name": tags.get("gen_ai.provider.name")
        or tags.get("gen_ai.system")
        or tags.get("llm.provider"),
        "gen_ai.request.model": _model(tags),
        "gen_ai.response.model": tags.get("gen_ai.response.model") or _model(tags),
    }


def _model(tags: dict[str, Any]) -> Any:
    """Return the model that was asked for: by the convention's name, OpenInference's, or an agent's own."""
    return tags.get("gen_ai.request.model") or tags.get("llm.model_name") or tags.get("model")
