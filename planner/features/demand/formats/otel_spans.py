"""OpenTelemetry GenAI spans: one model call each, with ``gen_ai.usage.*`` attributes, as OTLP JSON (``resourceSpans``).

Names: semantic-conventions-genai, 2026 (status Development), and those that instrumentations wrote before them. Input
includes what was read from and written to the cache, as the convention says. A span that wraps another one which
reports usage itself (an agent's run, a framework around a client) only repeats it, and is kept out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from planner.features.demand.formats.base import RULE_CODE
from planner.features.demand.formats.otel_common import attributes, named

# READING column -> attributes that tell it, today's name first
USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cached_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.cached_input_tokens",
        "gen_ai.usage.cached_tokens",
    ),
    "written_tokens": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.input_tokens.cache_write",
    ),
}
ERROR = (2, "STATUS_CODE_ERROR")


def readings(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one reading a span that reports usage, of all documents together: a trace may lie in several."""
    spans = [pair for document in documents for pair in _spans(document)]
    parents = {_identity(span): _parent(span) for _, span in spans}
    rows: list[dict[str, Any]] = []
    wrapping: set[tuple[str, str]] = set()
    for tags, span in spans:
        usage = {column: _first(tags, names) for column, names in USAGE.items()}
        if usage["input_tokens"] is None and usage["output_tokens"] is None:
            continue
        rows.append(_row(tags, span, usage))
        above, steps = _parent(span), 0
        while above in parents and above not in wrapping and steps < len(parents):
            wrapping.add(above)
            above, steps = parents[above], steps + 1
    ids = {"/".join(identity) for identity in wrapping}
    for row in rows:
        if row["id"] in ids and row["skip"] == 0:
            row["skip"] = RULE_CODE["wrapping_span"]
    return rows


def _row(tags: dict[str, Any], span: dict[str, Any], usage: dict[str, float | None]) -> dict[str, Any]:
    failed = (span.get("status") or {}).get("code") in ERROR and not usage["output_tokens"]
    return {
        "epoch": int(span.get("startTimeUnixNano") or 0) / 1e9 or None,
        "bucket_hours": 0.0,
        "requests": 1.0,
        **usage,
        "id": "/".join(_identity(span)),
        "skip": RULE_CODE["failed"] if failed else 0,
        **named(tags),
    }


def _spans(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each span with its attributes and those of its resource."""
    for resource in document.get("resourceSpans") or []:
        of_resource = attributes((resource.get("resource") or {}).get("attributes"))
        for scope in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or []:
            for span in scope.get("spans") or []:
                yield {**of_resource, **attributes(span.get("attributes"))}, span


def _identity(span: dict[str, Any]) -> tuple[str, str]:
    return str(span.get("traceId")), str(span.get("spanId"))


def _parent(span: dict[str, Any]) -> tuple[str, str]:
    return str(span.get("traceId")), str(span.get("parentSpanId") or "")


def _first(tags: dict[str, Any], names: tuple[str, ...]) -> float | None:
    for name in names:
        try:
            return float(tags[name])
        except (KeyError, TypeError, ValueError):
            continue
    return None
