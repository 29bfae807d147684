"""The same truth as exports.py in the form of other vendors' exports: logs, gateways, traces, bills, coding agents."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from tests.builders.exports import TRUTH, as_csv, at, epoch, iso

Row = dict[str, Any]
MODELS = ("gpt-a", "gpt-b")
COUNT = "attributes.llm.token_count"
NO_CACHE = ("cached_tokens", "written_tokens")
APART: dict[str, Callable[[Row], int]] = {
    "input": lambda r: r["inp"] - r["cached"] - r["written"],
    "cached": lambda r: r["cached"],
    "written": lambda r: r["written"],
    "output": lambda r: r["out"],
}


def azure_metrics(r: Row) -> Row:
    return {
        "ProcessedPromptTokens": r["inp"],
        "GeneratedTokens": r["out"],
        "ActiveTokens": r["inp"] + r["out"] - r["cached"],
        "AzureOpenAIRequests": r["req"],
    }


def azure_long() -> str:
    """Log Analytics' portal: a row a metric, US times (here of the 22nd, which tells the order), the zone above."""
    return as_csv(
        [
            {
                "TimeGenerated [UTC]": f"3/22/2026, {at(r['k']):%I:%M:%S}.000 {at(r['k']):%p}",
                "MetricName": name,
                "Total": value,
                "Count": 4,
                "Average": value / 4,
                "TimeGrain": "PT1H",
                "ResourceId": "/accounts/one",
                "ModelDeploymentName": r["m"],
            }
            for r in TRUTH
            for name, value in azure_metrics(r).items()
        ]
    )


def azure_wide() -> str:
    rows = [{"TimeGenerated": iso(r["k"]), "ModelDeploymentName": r["m"], **azure_metrics(r)} for r in TRUTH]
    return as_csv(rows)


def google() -> str:
    def series(metric: str, labels: dict[str, str], model: str, value: Callable[[Row], int]) -> Row:
        return {
            "metric": {"type": f"aiplatform.googleapis.com/publisher/online_serving/{metric}", "labels": labels},
            "resource": {"labels": {"location": "us-central1", "model_user_id": model, "project_id": "p"}},
            "metricKind": "DELTA",
            "valueType": "INT64",
            "points": [
                {
                    "interval": {"startTime": iso(r["k"]), "endTime": iso(r["k"] + 1)},
                    "value": {"int64Value": str(value(r))},
                }
                for r in TRUTH
                if r["m"] == model
            ],
        }

    listed = []
    for m in MODELS:
        listed += [
            series("token_count", {"type": "input"}, m, lambda r: r["inp"]),
            series("token_count", {"type": "output"}, m, lambda r: r["out"]),
            series("model_invocation_count", {"response_code": "200"}, m, lambda r: r["req"]),
            series("model_invocation_count", {"response_code": "429"}, m, lambda r: 3),
        ]
    return json.dumps({"timeSeries": listed})


def aws_bill() -> str:
    """Tokens in thousands, and a row of another service."""
    names = {"input": "input", "cached": "cache-read-input", "written": "cache-write-input", "output": "output"}
    rows = [
        {
            "line_item_usage_start_date": iso(r["k"]),
            "line_item_usage_end_date": iso(r["k"] + 1),
            "line_item_product_code": "AmazonBedrock",
            "line_item_usage_type": f"USE1-{r['m']}-{names[kind]}-token-count",
            "line_item_usage_amount": value(r) / 1000,
            "pricing_unit": "1K tokens",
            "product_region_code": "us-east-1",
        }
        for r in TRUTH
        for kind, value in APART.items()
    ]
    other = {"line_item_product_code": "AmazonEC2", "line_item_usage_type": "BoxUsage:m5", "pricing_unit": "Hrs"}
    return as_csv([*rows, {**rows[0], **other}])


def azure_bill() -> str:
    names = {"input": "Inp", "cached": "cchd Inp", "written": "cache write", "output": "Outp"}
    rows = [
        {
            "Date": "03/02/2026",
            "MeterCategory": "Azure OpenAI",
            "MeterName": f"{r['m']} {names[kind]} glbl Tokens",
            "Quantity": value(r) / 1000,
            "UnitOfMeasure": "1K",
            "ResourceLocation": "eastus2",
        }
        for r in TRUTH
        for kind, value in APART.items()
    ]
    # a row of another service, on a day that tells days from months
    other = {"Date": "03/25/2026", "MeterCategory": "Storage", "MeterName": "LRS Data Stored", "UnitOfMeasure": "1 GB"}
    return as_csv([*rows, {**rows[0], **other}])


def requests_of(names: Row, inside: bool, **more: Any) -> list[Row]:
    """Return one row a request: the hour's tokens on its first call.

    ``names`` are the export's columns for time, id, model, input, output, cached, written, total, as far as it has
    them; ``inside``: its input includes cached and written tokens.
    """
    rows = []
    for r in TRUTH:
        for n in range(r["req"]):
            first = int(n == 0)
            values: Row = {
                "time": (at(r["k"]) + dt.timedelta(seconds=n + 1)).strftime("%Y-%m-%dT%H:%M:%S.271Z"),
                "id": f"{r['k']}-{r['m']}-{n}",
                "model": r["m"],
                "input": first * (r["inp"] if inside else APART["input"](r)),
                "output": first * r["out"],
                "cached": first * r["cached"],
                "written": first * r["written"],
                "total": first * (r["inp"] + r["out"]),
            }
            rows.append({theirs: values[ours] for ours, theirs in names.items()} | more)
    return rows


def nested(rows: list[Row]) -> str:
    """Return JSON lines with dotted names as objects."""
    lines = []
    for row in rows:
        made: Row = {}
        for name, value in row.items():
            *path, last = name.split(".")
            inner = made
            for part in path:
                inner = inner.setdefault(part, {})
            inner[last] = value
        lines.append(json.dumps(made))
    return "\n".join(lines) + "\n"


def listed(tags: Row) -> list[Row]:
    return [
        {"key": name, "value": {"intValue" if isinstance(value, int) else "stringValue": value}}
        for name, value in tags.items()
    ]


def claude_code() -> str:
    """A coding agent's counter: a type a value, input without cached tokens."""
    types = {"input": "input", "cached": "cacheRead", "written": "cacheCreation", "output": "output"}
    points = [
        {
            "attributes": listed({"type": types[kind], "model": r["m"]}),
            "startTimeUnixNano": str(epoch(r["k"]) * 10**9),
            "timeUnixNano": str(epoch(r["k"] + 1) * 10**9),
            "asDouble": float(value(r)),
        }
        for r in TRUTH
        for kind, value in APART.items()
    ]
    metric = {"name": "claude_code.token.usage", "sum": {"aggregationTemporality": 1, "dataPoints": points}}
    return json.dumps({"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"metrics": [metric]}]}]})


def agents_logs(event: str, rows: list[Row]) -> str:
    """A coding agent's events as OTLP logs."""
    logs = [
        {
            "timeUnixNano": str(int(dt.datetime.fromisoformat(row.pop("time")).timestamp()) * 10**9),
            "attributes": listed({"event.name": event, **row}),
        }
        for row in rows
    ]
    return json.dumps({"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": logs}]}]})


def codex_events() -> str:
    """Output holds the reasoning; ``tool_token_count`` is the total of input and output, and no part of either."""
    names = {"time": "time", "id": "request_id", "model": "model", "input": "input_token_count",
             "output": "output_token_count", "cached": "cached_token_count", "total": "tool_token_count"}  # fmt: skip
    rows = requests_of(names, inside=True, **{"event.kind": "response.completed", "reasoning_token_count": 1})
    return agents_logs("codex.sse_event", rows)


def gemini_events() -> str:
    """Thoughts are beside the output, prompts of tools beside the input; the total is all four."""
    names = {"time": "time", "id": "prompt_id", "model": "model", "input": "input_token_count",
             "output": "output_token_count", "cached": "cached_content_token_count",
             "total": "total_token_count"}  # fmt: skip
    rows = requests_of(names, inside=True)
    for number, row in enumerate(rows):
        thoughts, tools = row["output_token_count"] // 3, row["input_token_count"] // 4
        row |= {"output_token_count": row["output_token_count"] - thoughts, "thoughts_token_count": thoughts}
        row |= {"input_token_count": row["input_token_count"] - tools, "tool_token_count": tools}
        row |= {"session.id": "s", "event.sequence": number}
    return agents_logs("gemini_cli.api_response", rows)


def gemini_metric() -> str:
    """A counter with a type a value, cumulative from the first hour on; cached tokens are inside the input."""
    types: dict[str, Callable[[Row], int]] = {
        "input": lambda r: r["inp"] - r["inp"] // 4,
        "tool": lambda r: r["inp"] // 4,
        "cache": lambda r: r["cached"],
        "output": lambda r: r["out"] - r["out"] // 3,
        "thought": lambda r: r["out"] // 3,
    }
    points = []
    for kind, value in types.items():
        for m in MODELS:
            total = 0
            for r in [row for row in TRUTH if row["m"] == m]:
                total += value(r)
                stamps = {"startTimeUnixNano": str(epoch(0) * 10**9), "timeUnixNano": str(epoch(r["k"] + 1) * 10**9)}
                points.append({"attributes": listed({"type": kind, "model": m}), **stamps, "asInt": str(total)})
    metric = {"name": "gemini_cli.token.usage", "sum": {"aggregationTemporality": 2, "dataPoints": points}}
    return json.dumps({"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"metrics": [metric]}]}]})


def openrouter_days() -> str:
    """A row a day and endpoint; reasoning is inside the completion tokens."""
    rows = [
        {
            "date": "2026-03-02",
            "model": m,
            "model_permaslug": m,
            "endpoint_id": f"{m}-{k}",
            "provider_name": "p",
            "usage": 0.01,
            "byok_usage_inference": 0,
            "requests": r["req"],
            "prompt_tokens": r["inp"],
            "completion_tokens": r["out"],
            "reasoning_tokens": 1,
        }
        for m in MODELS
        for k, r in enumerate(row for row in TRUTH if row["m"] == m)
    ]
    return json.dumps({"data": rows})


def agent_events() -> str:
    names = {"time": "time", "id": "request_id", "model": "model", "input": "input_tokens", "output": "output_tokens",
             "cached": "cache_read_tokens", "written": "cache_creation_tokens"}  # fmt: skip
    logs = [
        {
            "timeUnixNano": str(int(dt.datetime.fromisoformat(row.pop("time")).timestamp()) * 10**9),
            "body": {"stringValue": "claude_code.api_request"},
            "attributes": listed(row),
        }
        for row in requests_of(names, inside=False)
    ]
    return json.dumps({"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": logs}]}]})


def openai_legacy() -> str:
    rows = [
        {
            "aggregation_timestamp": epoch(r["k"]),
            "n_requests": r["req"],
            "operation": "completion",
            "snapshot_id": r["m"],
            "n_context_tokens_total": r["inp"],
            "n_generated_tokens_total": r["out"],
        }
        for r in TRUTH
    ]
    return json.dumps({"object": "list", "data": rows, "ft_data": [], "current_usage_usd": 0.0})


def deepseek() -> str:
    kinds: dict[str, Callable[[Row], int]] = {
        "request_count": lambda r: r["req"],
        "input_cache_miss_tokens": lambda r: r["inp"] - r["cached"],
        "input_cache_hit_tokens": lambda r: r["cached"],
        "output_tokens": lambda r: r["out"],
    }
    return as_csv(
        [
            {
                "user_id": "u",
                "utc_date": "2026-03-02",
                "model": m,
                "api_key_name": "k",
                "type": kind,
                "price": price,
                "amount": sum(value(r) for r in TRUTH if r["m"] == m),
            }
            for m in MODELS
            for price, (kind, value) in enumerate(kinds.items())
        ]
    )


def console() -> str:
    return as_csv(
        [
            {
                "usage_date_utc": iso(r["k"]),
                "model_version": r["m"],
                "workspace": "Default",
                "usage_input_tokens_no_cache": APART["input"](r),
                "usage_input_tokens_cache_write_5m": r["written"] - r["written"] // 3,
                "usage_input_tokens_cache_write_1h": r["written"] // 3,
                "usage_input_tokens_cache_read": r["cached"],
                "usage_output_tokens": r["out"],
            }
            for r in TRUTH
        ]
    )


def langfuse() -> list[Row]:
    names = {"time": "startTime", "id": "id", "model": "model", "input": "input", "output": "output",
             "cached": "cache_read_input_tokens", "written": "cache_creation_input_tokens",
             "total": "total"}  # fmt: skip
    made = []
    for row in requests_of(names, inside=False, type="GENERATION"):
        details = {name: row.pop(name) for name in ("input", "output", "total", names["cached"], names["written"])}
        made.append({**row, "usageDetails": details})
    return [{**made[0], "id": "agent", "type": "SPAN"}, *made]


INVOCATION = {"time": "timestamp", "id": "requestId", "model": "modelId", "input": "input.inputTokenCount",
              "output": "output.outputTokenCount", "cached": "input.cacheReadInputTokenCount",
              "written": "input.cacheWriteInputTokenCount"}  # fmt: skip
OPENROUTER = {"time": "created_at", "id": "generation_id", "model": "model_permaslug", "input": "tokens_prompt",
              "output": "tokens_completion", "cached": "tokens_cached"}  # fmt: skip
PHOENIX = {"time": "start_time", "id": "context.span_id", "model": "attributes.llm.model_name",
           "input": f"{COUNT}.prompt", "output": f"{COUNT}.completion", "total": f"{COUNT}.total",
           "cached": f"{COUNT}.prompt_details.cache_read",
           "written": f"{COUNT}.prompt_details.cache_write"}  # fmt: skip
CURSOR = {"time": "Date", "model": "Model", "written": "Input (w/ Cache Write)", "input": "Input (w/o Cache Write)",
          "cached": "Cache Read", "output": "Output Tokens", "total": "Total Tokens"}  # fmt: skip
HELICONE = {"time": "request_created_at", "id": "request_id", "model": "response_model", "input": "prompt_tokens",
            "output": "completion_tokens", "cached": "prompt_cache_read_tokens",
            "written": "prompt_cache_write_tokens"}  # fmt: skip
PORTKEY = {"time": "created_at", "id": "id", "model": "ai_model", "input": "req_units", "output": "res_units",
           "cached": "cache_read_units", "total": "total_units"}  # fmt: skip

LOG = {"schemaType": "ModelInvocationLog", "region": "us-east-1"}
# name -> (file name, text, format, what it cannot tell)
VENDOR_EXPORTS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "azure_long": ("a.csv", azure_long(), "azure_log_analytics", ("written_tokens",)),
    "azure_wide": ("a.csv", azure_wide(), "azure_log_analytics", ("written_tokens",)),
    "google": ("a.json", google(), "google_monitoring", NO_CACHE),
    "aws_bill": ("a.csv", aws_bill(), "aws_cur", ("requests",)),
    "azure_bill": ("a.csv", azure_bill(), "azure_cost", ("requests",)),
    "invocations": ("a.jsonl", nested(requests_of(INVOCATION, inside=False, **LOG)), "bedrock_invocations", ()),
    "openrouter": (
        "a.csv",
        as_csv(requests_of(OPENROUTER, inside=True)),
        "openrouter_generations",
        ("written_tokens",),
    ),
    "console": ("a.csv", console(), "anthropic_console", ("requests",)),
    "phoenix": ("a.csv", as_csv(requests_of(PHOENIX, inside=True, span_kind="LLM")), "phoenix_spans", ()),
    "langfuse": (
        "a.csv",
        as_csv([{**row, "usageDetails": json.dumps(row["usageDetails"])} for row in langfuse()]),
        "langfuse",
        (),
    ),
    "langfuse_json": ("a.json", json.dumps(langfuse(), indent=1), "langfuse", ()),
    "claude_code": ("a.json", claude_code(), "otel_genai", ("requests",)),
    "agent_events": ("a.json", agent_events(), "otel_genai", ()),
    "codex_events": ("a.json", codex_events(), "otel_genai", ("written_tokens",)),
    "gemini_events": ("a.json", gemini_events(), "otel_genai", ("written_tokens",)),
    "gemini_metric": ("a.json", gemini_metric(), "otel_genai", ("requests", "written_tokens")),
    "openrouter_days": ("a.json", openrouter_days(), "openrouter_activity", NO_CACHE),
    "cursor": ("a.csv", as_csv(requests_of(CURSOR, inside=False)), "cursor_usage", ()),
    "openai_legacy": ("a.json", openai_legacy(), "openai_legacy_usage", NO_CACHE),
    "helicone": ("a.csv", as_csv(requests_of(HELICONE, inside=True, response_status=200)), "helicone", ()),
    "portkey": ("a.jsonl", nested(requests_of(PORTKEY, inside=True, is_success=True)), "portkey", ("written_tokens",)),
    "deepseek": ("a.csv", deepseek(), "deepseek", ("written_tokens",)),
}
