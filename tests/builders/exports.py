"""One truth, written in the form of every export: what they share must come back equal, to the token."""

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)  # a Monday
# (hour, model) -> requests, all input, of it cached, of it written, output
TRUTH = [
    {
        "k": k,
        "m": m,
        "req": 10 + k + 5 * i,
        "inp": 1000 * (k + 1) + 300 * i,
        "cached": 200 + 10 * k,
        "written": 50 * i,
        "out": 77 + k,
    }
    for k in range(6)
    for i, m in enumerate(("gpt-a", "gpt-b"))
]
TOTALS = {
    "requests": sum(r["req"] for r in TRUTH),
    "input_tokens": sum(r["inp"] - r["cached"] - r["written"] for r in TRUTH),
    "cached_tokens": sum(r["cached"] for r in TRUTH),
    "written_tokens": sum(r["written"] for r in TRUTH),
    "output_tokens": sum(r["out"] for r in TRUTH),
}


def at(k: float) -> dt.datetime:
    return START + dt.timedelta(hours=k)


def iso(k: float) -> str:
    return at(k).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(k: float) -> int:
    return int(at(k).timestamp())


def spendlogs() -> list[dict[str, Any]]:
    """One request that holds the whole hour's tokens, and the rest without any: counts and sums are the truth's."""
    rows = []
    for r in TRUTH:
        for n in range(r["req"]):
            full = n == 0
            usage = {
                "prompt_tokens": r["inp"] if full else 0,
                "prompt_tokens_details": {"cached_tokens": r["cached"] if full else 0},
                "cache_creation_input_tokens": r["written"] if full else 0,
            }
            rows.append(
                {
                    "request_id": f"{r['k']}-{r['m']}-{n}",
                    "startTime": (at(r["k"]) + dt.timedelta(seconds=60 * (n % 60))).strftime("%Y-%m-%d %H:%M:%S.000"),
                    "prompt_tokens": r["inp"] if full else 0,
                    "completion_tokens": r["out"] if full else 0,
                    "model": r["m"],
                    "model_group": f"group-{r['m']}",
                    "api_base": "https://eu.example/",
                    "metadata": json.dumps({"usage_object": usage}),
                    "cache_hit": "False",
                    "status": "success",
                }
            )
    return rows


def as_csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def daily() -> list[dict[str, Any]]:
    rows = []
    for m in ("gpt-a", "gpt-b"):
        mine = [r for r in TRUTH if r["m"] == m]
        rows.append(
            {
                "id": m,
                "date": "2026-03-02",
                "model": m,
                "model_group": m,
                "prompt_tokens": sum(r["inp"] for r in mine),
                "completion_tokens": sum(r["out"] for r in mine),
                "cache_read_input_tokens": sum(r["cached"] for r in mine),
                "cache_creation_input_tokens": sum(r["written"] for r in mine),
                "api_requests": sum(r["req"] for r in mine),
                "successful_requests": sum(r["req"] for r in mine),
            }
        )
    return rows


def activity() -> dict[str, Any]:
    models = {row["model"]: {"metrics": row} for row in daily()}
    return {"results": [{"date": "2026-03-02", "metrics": {}, "breakdown": {"models": models}}], "metadata": {}}


def openai() -> dict[str, Any]:
    return {
        "object": "page",
        "data": [
            {
                "object": "bucket",
                "start_time": epoch(r["k"]),
                "end_time": epoch(r["k"] + 1),
                "results": [
                    {
                        "object": "organization.usage.completions.result",
                        "input_tokens": r["inp"],
                        "output_tokens": r["out"],
                        "input_cached_tokens": r["cached"],
                        "input_cache_write_tokens": r["written"],
                        "num_model_requests": r["req"],
                        "model": r["m"],
                        "project_id": "proj",
                    }
                ],
            }
            for r in TRUTH
        ],
        "has_more": False,
    }


def anthropic(requests: bool) -> dict[str, Any]:
    return {
        "data": [
            {
                "starting_at": iso(r["k"]),
                "ending_at": iso(r["k"] + 1),
                "results": [
                    {
                        "uncached_input_tokens": r["inp"] - r["cached"] - r["written"],
                        "cache_read_input_tokens": r["cached"],
                        "cache_creation": {"ephemeral_5m_input_tokens": r["written"], "ephemeral_1h_input_tokens": 0},
                        "output_tokens": r["out"],
                        "model": r["m"],
                        "inference_geo": "us",
                        **({"requests": r["req"]} if requests else {}),
                    }
                ],
            }
            for r in TRUTH
        ],
        "has_more": False,
        "next_page": None,
    }


def azure() -> dict[str, Any]:
    def metric(name: str, value: Any) -> dict[str, Any]:
        series = [
            {
                "metadatavalues": [
                    {"name": {"value": "modeldeploymentname"}, "value": m},
                    {"name": {"value": "region"}, "value": "eastus2"},
                ],
                "data": [{"timeStamp": iso(r["k"]), "total": value(r)} for r in TRUTH if r["m"] == m],
            }
            for m in ("gpt-a", "gpt-b")
        ]
        return {"id": name, "name": {"value": name}, "unit": "Count", "timeseries": series}

    return {
        "interval": "PT1H",
        "value": [
            metric("ProcessedPromptTokens", lambda r: r["inp"]),
            metric("GeneratedTokens", lambda r: r["out"]),
            metric("ActiveTokens", lambda r: r["inp"] + r["out"] - r["cached"]),
            metric("AzureOpenAIRequests", lambda r: r["req"]),
        ],
    }


def bedrock(suffix: str = "Count") -> dict[str, Any]:
    values = {
        "Invocations": lambda r: r["req"],
        "InputTokenCount": lambda r: r["inp"] - r["cached"] - r["written"],
        "OutputTokenCount": lambda r: r["out"],
        f"CacheReadInputToken{suffix}": lambda r: r["cached"],
        f"CacheWriteInputToken{suffix}": lambda r: r["written"],
    }
    return {
        "MetricDataResults": [
            {
                "Id": f"q{n}{i}",
                "Label": f"{m} {name}",
                "Timestamps": [iso(r["k"]) for r in TRUTH if r["m"] == m],
                "Values": [float(value(r)) for r in TRUTH if r["m"] == m],
                "StatusCode": "Complete",
            }
            for n, (name, value) in enumerate(values.items())
            for i, m in enumerate(("gpt-a", "gpt-b"))
        ]
    }


def prometheus(names: dict[str, str], label: str) -> dict[str, Any]:
    result = []
    for column, name in names.items():
        for m in ("gpt-a", "gpt-b"):
            total, values = 0, [[epoch(0), "0"]]
            for r in TRUTH:
                if r["m"] == m:
                    total += r[column]
                    values.append([epoch(r["k"] + 1), str(total)])
            result.append({"metric": {"__name__": name, label: m}, "values": values})
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


LITELLM_NAMES = {
    "inp": "litellm_input_tokens_metric_total",
    "out": "litellm_output_tokens_metric_total",
    "cached": "litellm_input_cached_tokens_metric_total",
    "written": "litellm_input_cache_creation_tokens_metric_total",
    "req": "litellm_proxy_total_requests_metric_total",
}
VLLM_NAMES = {
    "inp": "vllm:prompt_tokens_total",
    "out": "vllm:generation_tokens_total",
    "cached": "vllm:prefix_cache_hits_total",
    "req": "vllm:request_success_total",
}


def otel(cumulative: bool = False) -> dict[str, Any]:
    points = []
    for kind, column in (("input", "inp"), ("output", "out")):
        for m in ("gpt-a", "gpt-b"):
            count = total = 0
            for r in (r for r in TRUTH if r["m"] == m):
                count, total = (count + r["req"], total + r[column]) if cumulative else (r["req"], r[column])
                tags = {"gen_ai.token.type": kind, "gen_ai.request.model": m, "gen_ai.response.model": m}
                points.append(
                    {
                        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in tags.items()],
                        "startTimeUnixNano": str(epoch(0 if cumulative else r["k"]) * 10**9),
                        "timeUnixNano": str(epoch(r["k"] + 1) * 10**9),
                        "count": str(count),
                        "sum": total,
                    }
                )
    histogram = {"aggregationTemporality": 2 if cumulative else 1, "dataPoints": points}
    metric = {"name": "gen_ai.client.token.usage", "histogram": histogram}
    return {"resourceMetrics": [{"resource": {"attributes": []}, "scopeMetrics": [{"metrics": [metric]}]}]}


def spans(written_by: str = "today") -> dict[str, Any]:
    """One span a request, each inside an agent's span that repeats its usage; the hour's tokens on its first call."""
    names = {
        "today": ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_creation.input_tokens"),
        "before": ("prompt_tokens", "completion_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    }[written_by]
    found = []
    for index, r in enumerate(TRUTH):
        for n in range(r["req"]):
            values = [r[column] if n == 0 else 0 for column in ("inp", "out", "cached", "written")]
            usage = [
                {"key": f"gen_ai.usage.{k}", "value": {"intValue": str(v)}} for k, v in zip(names, values, strict=True)
            ]
            model = [{"key": "gen_ai.request.model", "value": {"stringValue": r["m"]}}]
            start = str((epoch(r["k"]) + n) * 10**9)
            trace = {"traceId": f"{index:032x}", "startTimeUnixNano": start}
            agent, step, call = f"a{n:015x}", f"b{n:015x}", f"c{n:015x}"
            found += [
                {**trace, "spanId": agent, "attributes": usage},
                {**trace, "spanId": step, "parentSpanId": agent, "attributes": []},
                {**trace, "spanId": call, "parentSpanId": step, "attributes": usage + model},
            ]
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": found}]}]}


def plain() -> list[dict[str, Any]]:
    return [
        {
            "timestamp": iso(r["k"]),
            "region": "eu",
            "model": r["m"],
            "requests": r["req"],
            "input_tokens": r["inp"],
            "cached_tokens": r["cached"],
            "written_tokens": r["written"],
            "output_tokens": r["out"],
        }
        for r in TRUTH
    ]


# name -> (file name, text, format, what it cannot tell)
EXPORTS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "spendlogs": ("a.csv", as_csv(spendlogs()), "litellm_spendlogs", ()),
    "spendlogs_jsonl": ("a.jsonl", "\n".join(json.dumps(r) for r in spendlogs()) + "\n", "litellm_spendlogs", ()),
    "daily": ("a.csv", as_csv(daily()), "litellm_daily", ()),
    "activity": ("a.json", json.dumps(activity()), "litellm_daily", ()),
    "litellm_prom": ("a.json", json.dumps(prometheus(LITELLM_NAMES, "model")), "litellm_prometheus", ()),
    "openai": ("a.json", json.dumps(openai()), "openai_usage", ()),
    "anthropic_messages": ("a.json", json.dumps(anthropic(False)), "anthropic_messages", ("requests",)),
    "anthropic_analytics": ("a.json", json.dumps(anthropic(True)), "anthropic_analytics", ()),
    "azure": ("a.json", json.dumps(azure(), indent=1), "azure_monitor", ("written_tokens",)),
    "bedrock": ("us-east-1.json", json.dumps(bedrock()), "bedrock_cloudwatch", ()),
    "bedrock_other_spelling": ("b.json", json.dumps(bedrock("s")), "bedrock_cloudwatch", ()),
    "vllm": ("a.json", json.dumps(prometheus(VLLM_NAMES, "model_name")), "vllm_prometheus", ("written_tokens",)),
    "otel": ("a.json", json.dumps(otel()), "otel_genai", ("cached_tokens", "written_tokens")),
    "otel_cumulative": ("a.json", json.dumps(otel(True)), "otel_genai", ("cached_tokens", "written_tokens")),
    "otel_spans": ("a.json", json.dumps(spans()), "otel_genai", ()),
    "otel_spans_older": (
        "a.jsonl",
        json.dumps(spans("before")) + "\n" + json.dumps({"resourceSpans": []}) + "\n",
        "otel_genai",
        (),
    ),
    "table": ("a.csv", as_csv(plain()), "table", ()),
    "table_json": ("a.json", json.dumps(plain(), indent=1), "table", ()),
}


def write(folder: Path, name: str) -> Path:
    file_name, text, _, _ = EXPORTS[name]
    path = folder / file_name
    path.write_text(text, encoding="utf-8")
    return path
