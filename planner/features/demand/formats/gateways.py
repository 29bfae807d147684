"""Gateways, traces and coding agents whose exports are plain tables: a declaration each.

Field names: OpenRouter's activity export and API (docs and SDK, 2026); Cursor's usage CSV; Helicone's and Portkey's
exports of requests; Langfuse's observations; OpenInference's spans as Phoenix exports them; DeepSeek's usage CSV.
"""

from planner.features.demand.formats.format import ExportColumns, Format, Long, Skip

NO_REGION = ("no region: give --region or a map file",)

OPENROUTER = Format(
    name="openrouter_generations",
    title="OpenRouter activity (CSV of generations)",
    finest="one request",
    cached_in_input=True,
    signs=(("generation_id", "created_at", "tokens_prompt"),),
    rows=("data",),
    bucket_hours=0.0,
    columns=ExportColumns(
        time=("created_at",),
        id=("generation_id",),
        input_tokens=("tokens_prompt",),
        cached_tokens=("tokens_cached", "native_tokens_cached"),
        output_tokens=("tokens_completion", "completion_tokens"),
        workload=("app_name", "api_key_name"),
        model=("model_permaslug", "model"),
    ),
    lacks=NO_REGION,
)
OPENROUTER_DAYS = Format(
    name="openrouter_activity",
    title="OpenRouter activity API (/api/v1/activity)",
    finest="one day",
    cached_in_input=True,
    signs=(("date", "model_permaslug", "prompt_tokens", "completion_tokens", "requests"),),
    rows=("data",),
    utc=True,
    bucket_hours=24.0,
    columns=ExportColumns(
        time=("date",),
        requests=("requests",),
        input_tokens=("prompt_tokens",),
        output_tokens=("completion_tokens",),
        workload=("endpoint_id",),
        model=("model_permaslug",),
    ),
    repeats="rows of one day are parts (endpoints), which add up; a page again is a copy",
    lacks=("no hour: it gives level and growth, never the shape of a week", *NO_REGION),
)
# "w/ Cache Write" is what was written to the cache, "w/o" what was neither written nor read: the total is all four
CURSOR = Format(
    name="cursor_usage",
    title="Cursor's usage CSV",
    finest="one request",
    cached_in_input=False,
    signs=(("Date", "Model", "Input (w/ Cache Write)", "Input (w/o Cache Write)", "Output Tokens"),),
    bucket_hours=0.0,
    columns=ExportColumns(
        time=("Date",),
        input_tokens=("Input (w/o Cache Write)",),
        cached_tokens=("Cache Read",),
        written_tokens=("Input (w/ Cache Write)",),
        output_tokens=("Output Tokens",),
        total_tokens=("Total Tokens", "Total"),
        workload=("Kind",),
        model=("Model",),
    ),
    skips=(Skip("failed", "Kind", ("errored, no charge", "errored")),),
    repeats="rows without ids: all count, equal ones are noted",
    lacks=NO_REGION,
)
HELICONE = Format(
    name="helicone",
    title="Helicone's export of requests",
    finest="one request",
    cached_in_input=True,
    signs=(
        ("request_created_at", "request_id", "prompt_tokens", "completion_tokens"),
        ("request_created_at", "response_created_at", "prompt_tokens", "completion_tokens"),
    ),
    rows=("data",),
    bucket_hours=0.0,
    columns=ExportColumns(
        time=("request_created_at",),
        id=("request_id", "response_id"),
        input_tokens=("prompt_tokens",),
        cached_tokens=("prompt_cache_read_tokens",),
        written_tokens=("prompt_cache_write_tokens",),
        output_tokens=("completion_tokens",),
        workload=("request_properties.app", "properties.app"),
        model=("response_model", "model_override", "request_model", "model"),
    ),
    skips=(
        Skip("failed", "response_status", ("400", "401", "403", "404", "408", "409", "413", "422", "429", "500", "502",
                                           "503", "504", "529", "-1", "-2", "-3")),
        Skip("response_cache", "cache_enabled_hit", ("true",)),
    ),
    lacks=NO_REGION,
)  # fmt: skip
PORTKEY = Format(
    name="portkey",
    title="Portkey's export of logs",
    finest="one request",
    cached_in_input=True,
    signs=(("created_at", "ai_model", "req_units", "res_units"),),
    rows=("data",),
    bucket_hours=0.0,
    columns=ExportColumns(
        time=("created_at",),
        id=("id",),
        input_tokens=("req_units",),
        cached_tokens=("cache_read_units", "response.usage.prompt_tokens_details.cached_tokens"),
        output_tokens=("res_units",),
        total_tokens=("total_units",),
        workload=("prompt_slug", "config"),
        model=("ai_model",),
    ),
    skips=(
        Skip("failed", "is_success", ("false", "0")),
        Skip("response_cache", "cache_status", ("hit", "simple hit", "semantic hit")),
    ),
    lacks=NO_REGION,
)
# usageDetails hold parts that add up to their total: input leaves cached tokens out
LANGFUSE = Format(
    name="langfuse",
    title="Langfuse observations (CSV, JSON or JSON lines)",
    finest="one request",
    cached_in_input=False,
    signs=(("id", "type", "startTime", "usageDetails"), ("id", "type", "startTime", "usageDetails.input"),
           ("id", "type", "start_time", "usage_details"), ("id", "type", "start_time", "usage_details.input")),
    rows=("data",),
    json_text=("usageDetails", "usage_details"),
    bucket_hours=0.0,
    columns=ExportColumns(
        time=("startTime",),
        id=("id",),
        input_tokens=("usageDetails.input", "usageDetails.input_tokens"),
        cached_tokens=("usageDetails.cache_read_input_tokens", "usageDetails.input_cached_tokens",
                       "usageDetails.input_cache_read"),
        written_tokens=("usageDetails.cache_creation_input_tokens", "usageDetails.input_cache_creation"),
        output_tokens=("usageDetails.output", "usageDetails.output_tokens"),
        total_tokens=("usageDetails.total",),
        workload=("traceName", "name"),
        model=("model", "providedModelName", "modelName"),
    ),
    skips=(Skip("no_call", "type", ("span", "event", "trace", "tool", "chain", "retriever", "evaluator", "guardrail",
                                    "agent")),),
    lacks=NO_REGION,
)  # fmt: skip
COUNT = "attributes.llm.token_count"
PHOENIX = Format(
    name="phoenix_spans",
    title="OpenInference spans as Phoenix exports them (CSV, Parquet, JSON lines)",
    finest="one request",
    cached_in_input=True,
    signs=(("start_time", f"{COUNT}.prompt", f"{COUNT}.completion"),),
    rows=("data",),
    bucket_hours=0.0,
    columns=ExportColumns(
        time=("start_time",),
        id=("context.span_id", "span_id", "id"),
        input_tokens=(f"{COUNT}.prompt",),
        cached_tokens=(f"{COUNT}.prompt_details.cache_read", f"{COUNT}.prompt_details.cache_input"),
        written_tokens=(f"{COUNT}.prompt_details.cache_write",),
        output_tokens=(f"{COUNT}.completion",),
        total_tokens=(f"{COUNT}.total",),
        workload=("attributes.metadata.app", "name"),
        model=("attributes.llm.model_name",),
    ),
    skips=(
        Skip("no_call", "span_kind", ("chain", "agent", "tool", "retriever", "embedding", "reranker", "unknown",
                                      "evaluator", "guardrail")),
        Skip("failed", "status_code", ("error",)),
    ),
    lacks=NO_REGION,
)  # fmt: skip
DEEPSEEK = Format(
    name="deepseek",
    title="DeepSeek's usage CSV (a row a token type)",
    finest="one day",
    cached_in_input=False,
    signs=(("utc_date", "model", "type", "amount"),),
    bucket_hours=24.0,
    long=Long(
        "type",
        "amount",
        {
            "request_count": "requests",
            "input_cache_miss_tokens": "input_tokens",
            "input_cache_hit_tokens": "cached_tokens",
            "output_tokens": "output_tokens",
        },
    ),
    utc=True,
    columns=ExportColumns(time=("utc_date",), workload=("api_key_name",), model=("model",)),
    repeats="a row that comes again as it is is a copy; others are parts, which add up",
    lacks=("no hour: it gives level and growth, never the shape of a week", *NO_REGION),
)
