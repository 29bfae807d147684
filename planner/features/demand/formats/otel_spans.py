"""OpenTelemetry's model calls: spans with usage attributes (``resourceSpans``), and coding agents' events as logs.

Names: semantic-conventions-genai, 2026 (status Development), those that instrumentations wrote before them, and
OpenInference's. Input includes what was read from and written to the cache, as the convention says; of instrumentations
that are known to leave it out (``APART``), it is added here. A span that wraps another one which reports usage itself
(an agent's run, a framework around a client) only repeats it, and is kept out.

OTLP's JSON is in camel case. Protobuf's libraries write its snake case too, and the Python SDK has a JSON of its own
(``ConsoleSpanExporter``, ``MetricsData.to_json``; opentelemetry-sdk 1.45): attributes as a mapping, moments as text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.format import RULE_CODE
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


# READING column -> attributes that tell it, today's name first
USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    "cached_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.cached_input_tokens",
        "gen_ai.usage.cached_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_input",
    ),
    "written_tokens": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.input_tokens.cache_write",
        "llm.token_count.prompt_details.cache_write",
    ),
}
ERROR = (2, "STATUS_CODE_ERROR")
# scopes whose input tokens leave cached ones out, with where that is said (November 2026)
APART = (
    ("opentelemetry.instrumentation.bedrock", "github.com/traceloop/openllmetry/issues/4449"),
    ("claude_agent_sdk", "the SDK's usage is Anthropic's"),
    ("claude-agent-sdk", "the SDK's usage is Anthropic's"),
    ("ruby_llm", "usage as Anthropic answers it"),
    ("rubyllm", "usage as Anthropic answers it"),
)
LOGFIRE_INCLUDES_EPOCH = 1774569600  # 2026-03-27: github.com/pydantic/logfire/pull/1812; spans before it leave them out
# event -> attributes, ``a + b`` is a sum. Anthropic's input leaves cached tokens out, others include them; Gemini
# counts thoughts and the prompts of tools apart (docs of usageMetadata), OpenAI's output includes reasoning
EVENTS: Mapping[str, tuple[bool, dict[str, tuple[str, ...]]]] = {
    "claude_code.api_request": (
        False,
        {
            "input_tokens": ("input_tokens",),
            "output_tokens": ("output_tokens",),
            "cached_tokens": ("cache_read_tokens",),
            "written_tokens": ("cache_creation_tokens",),
        },
    ),
    "codex.sse_event": (
        True,
        {
            "input_tokens": ("input_token_count",),
            "output_tokens": ("output_token_count",),
            "cached_tokens": ("cached_token_count",),
        },
    ),
    "gemini_cli.api_response": (
        True,
        {
            "input_tokens": ("input_token_count + tool_token_count",),
            "output_tokens": ("output_token_count + thoughts_token_count",),
            "cached_tokens": ("cached_content_token_count",),
        },
    ),
}


def readings(
    documents: list[dict[str, Any]], normalised: bool = True
) -> tuple[list[dict[str, Any]], tuple[str, ...], tuple[ExportFinding, ...]]:
    """Return one reading a span or event that reports usage, of all documents together: a trace may lie in several.

    Parameters
    ----------
    normalised : add cached tokens to the input where the instrumentation leaves them out; otherwise all stays as it is.

    Returns
    -------
    Readings, notes on how cached tokens were taken, and findings.
    """
    spans = [found for document in documents for found in _spans(document)]
    parents = {_identity(span): _parent(span) for _, span, _ in spans}
    rows: list[dict[str, Any]] = []
    wrapping: set[tuple[str, str]] = set()
    apart: set[str] = set()
    inside: set[str] = set()
    for tags, span, scope in spans:
        usage = {column: _first(tags, names) for column, names in USAGE.items()}
        if usage["input_tokens"] is None and usage["output_tokens"] is None:
            continue
        if usage["cached_tokens"] or usage["written_tokens"]:
            left_out = normalised and _leaves_cached_out(scope, span)
            (apart if left_out else inside).add(str(scope.get("name") or "no scope"))
            usage = _whole(usage) if left_out else usage
        rows.append(_row(tags, span, usage))
        above, steps = _parent(span), 0
        while above in parents and above not in wrapping and steps < len(parents):
            wrapping.add(above)
            above, steps = parents[above], steps + 1
    ids = {"/".join(identity) for identity in wrapping}
    for row in rows:
        if row["id"] in ids and row["skip"] == 0:
            row["skip"] = RULE_CODE["wrapping_span"]
    notes = []
    if apart:
        notes.append(f"input of {', '.join(sorted(apart))} leaves cached tokens out: they are counted beside it")
    if inside and normalised:
        told = "input is taken to include cached tokens, as the convention says"
        notes.append(f"{told} ({', '.join(sorted(inside))}); if it does not, say cached_in_input: false in the map")
    if not rows:
        rows = [row for document in documents for row in _events(document, normalised)]
    return rows, tuple(notes), ()


def _leaves_cached_out(scope: dict[str, Any], span: dict[str, Any]) -> bool:
    name = str(scope.get("name") or "").lower()
    if name.startswith("logfire") and "anthropic" in name:
        return int(span.get("startTimeUnixNano") or 0) / 1e9 < LOGFIRE_INCLUDES_EPOCH
    return any(part in name for part, _ in APART)


def _whole(usage: dict[str, Any]) -> dict[str, Any]:
    """Return usage whose input includes the cached tokens, as the convention has it."""
    parts = [usage[name] for name in ("input_tokens", "cached_tokens", "written_tokens")]
    if parts[0] is None:
        return usage
    try:
        return {**usage, "input_tokens": sum(float(part or 0.0) for part in parts)}
    except (TypeError, ValueError):
        return usage  # no numbers: a rule keeps the row out


def _events(document: dict[str, Any], normalised: bool) -> Iterator[dict[str, Any]]:
    for resource in document.get("resourceLogs") or []:
        of_resource = attributes((resource.get("resource") or {}).get("attributes"))
        for scope in resource.get("scopeLogs") or []:
            for number, log in enumerate(scope.get("logRecords") or []):
                tags = {**of_resource, **attributes(log.get("attributes"))}
                body = (log.get("body") or {}).get("stringValue")
                name = next((str(n) for n in (log.get("eventName"), tags.get("event.name"), body) if n), "")
                known = EVENTS.get(name) or EVENTS.get(f"claude_code.{name}")
                if known is None:
                    continue
                includes, names = known
                usage: dict[str, Any] = {column: _first(tags, names.get(column, ())) for column in USAGE}
                if usage["input_tokens"] is None and usage["output_tokens"] is None:
                    continue
                nanoseconds = int(log.get("timeUnixNano") or log.get("observedTimeUnixNano") or 0)
                stamp = moment_of(tags.get("event.timestamp")) if not nanoseconds else None
                model = tags.get("model") or tags.get("gen_ai.request.model")
                sequence = tags.get("event.sequence", number)
                yield {
                    "epoch": nanoseconds / 1e9 or (None if stamp is None else stamp.timestamp()),
                    "bucket_hours": 0.0,
                    "requests": 1.0,
                    **(usage if includes or not normalised else _whole(usage)),
                    "id": str(tags["request_id"])
                    if tags.get("request_id")
                    else f"{tags.get('session.id')}/{sequence}/{nanoseconds}",
                    "skip": 0,
                    **named({**tags, "gen_ai.request.model": model}),
                }


def _row(tags: dict[str, Any], span: dict[str, Any], usage: dict[str, Any]) -> dict[str, Any]:
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


def _spans(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Yield each span with its attributes and those of its resource, and its scope."""
    for resource in document.get("resourceSpans") or []:
        of_resource = attributes((resource.get("resource") or {}).get("attributes"))
        for scope in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or []:
            about = scope.get("scope") or scope.get("instrumentationLibrary") or {}
            for span in scope.get("spans") or []:
                yield {**of_resource, **attributes(span.get("attributes"))}, span, about


def _identity(span: dict[str, Any]) -> tuple[str, str]:
    return str(span.get("traceId")), str(span.get("spanId"))


def _parent(span: dict[str, Any]) -> tuple[str, str]:
    return str(span.get("traceId")), str(span.get("parentSpanId") or "")


def _first(tags: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first of the attributes that has a value: a number, or text that a rule will keep out."""
    for name in names:
        first, *more = name.split(" + ")
        value = tags.get(first)
        if value in (None, ""):
            continue
        for other in more:
            if isinstance(value, bool) or "_" in f"{value}{tags.get(other)}":
                return f"{value} + {tags.get(other)}"  # no numbers: a rule keeps the row out
            try:
                value = float(value) + float(tags.get(other) or 0.0)
            except (TypeError, ValueError):
                return f"{value} + {tags.get(other)}"
        return value
    return None
