"""Anthropic: both usage reports of its Admin API, and the Console's CSV.

Fields: the API's documentation and cookbook, and the Console's export. Cached tokens are apart from uncached input. The
messages report and the Console's CSV have no count of requests: the analytics report has one.
"""

from dataclasses import replace

from planner.features.demand.batch_marks import BatchMark
from planner.features.demand.formats.format import ExportColumns, Format

WRITTEN = "cache_creation.ephemeral_5m_input_tokens + cache_creation.ephemeral_1h_input_tokens"
MESSAGES = Format(
    name="anthropic_messages",
    title="Anthropic usage report (usage_report/messages)",
    finest="one minute (bucket_width=1m)",
    cached_in_input=False,
    signs=(("uncached_input_tokens", "output_tokens"),),
    refuses=(
        (("amount", "currency", "starting_at"), "costs: money by the day, no tokens; export usage_report/messages"),
    ),
    rows=("data", "results"),
    more="has_more",
    columns=ExportColumns(
        time=("starting_at",),
        end=("ending_at",),
        input_tokens=("uncached_input_tokens",),
        cached_tokens=("cache_read_input_tokens",),
        written_tokens=(WRITTEN, "cache_creation.ephemeral_1h_input_tokens", "cache_creation_input_tokens"),
        output_tokens=("output_tokens",),
        region=("inference_geo",),
        workload=("workspace_id",),
        model=("model",),
    ),
    batch=(BatchMark("service_tier", ("batch",)),),
    repeats="results of one bucket are parts, which add up; a bucket on several pages is one, its fullest",
    lacks=("no count of requests: tokens only; the analytics usage report has requests",),
)
assert MESSAGES.columns is not None
ANALYTICS = replace(
    MESSAGES,
    name="anthropic_analytics",
    title="Anthropic analytics usage report (analytics/usage_report)",
    signs=(("uncached_input_tokens", "requests"),),
    refuses=(),
    columns=replace(MESSAGES.columns, requests=("requests",), workload=("product", "workspace_id")),
    lacks=(),
)
CONSOLE = Format(
    name="anthropic_console",
    title="Claude Console's usage CSV",
    finest="one day (or one hour, as it was exported)",
    cached_in_input=False,
    signs=(("usage_date_utc", "usage_input_tokens_no_cache", "usage_output_tokens"),),
    utc=True,
    columns=ExportColumns(
        time=("usage_date_utc",),
        input_tokens=("usage_input_tokens_no_cache",),
        cached_tokens=("usage_input_tokens_cache_read",),
        written_tokens=("usage_input_tokens_cache_write_5m + usage_input_tokens_cache_write_1h",),
        output_tokens=("usage_output_tokens",),
        region=("inference_geo",),
        workload=("workspace",),
        model=("model_version",),
    ),
    repeats="rows of one day are parts (keys, windows), which add up; a row that comes again as it is is a copy",
    lacks=("no count of requests: tokens only; the analytics usage report has requests",),
)
