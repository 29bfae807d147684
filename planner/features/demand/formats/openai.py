"""OpenAI: the usage API and the dashboard's CSV, and the older ``/v1/usage``.

Fields: the ``openai`` 3.54 SDK's types. ``input_tokens`` includes cached and cache-write tokens. Costs
(``/v1/organization/costs``) are money by the day: they tell nothing that a history holds.
"""

from planner.features.demand.batch_marks import BatchMark
from planner.features.demand.formats.format import ExportColumns, Format

USAGE = Format(
    name="openai_usage",
    title="OpenAI usage API (usage/completions pages) or the dashboard's CSV",
    finest="one minute (bucket_width=1m)",
    cached_in_input=True,
    signs=(("start_time", "num_model_requests", "input_tokens"),),
    refuses=(
        (
            ("amount.value", "amount.currency"),
            "costs: money by the day, no tokens or requests; export usage/completions",
        ),
    ),
    rows=("data", "results"),
    more="has_more",
    columns=ExportColumns(
        time=("start_time",),
        end=("end_time",),
        requests=("num_model_requests",),
        input_tokens=("input_tokens",),
        cached_tokens=("input_cached_tokens",),
        written_tokens=("input_cache_write_tokens",),
        output_tokens=("output_tokens",),
        workload=("project_id",),
        model=("model",),
    ),
    batch=(BatchMark("batch", ("true",)), BatchMark("service_tier", ("batch",))),
    repeats="results of one bucket are parts, which add up; a bucket on several pages is one, its fullest",
    lacks=("no region: give --region or a map file",),
)

# before usage/completions (2024): buckets of five minutes, by snapshot and operation
LEGACY = Format(
    name="openai_legacy_usage",
    title="OpenAI's older usage API (/v1/usage?date=)",
    finest="five minutes",
    cached_in_input=True,
    signs=(("aggregation_timestamp", "n_requests", "n_context_tokens_total", "n_generated_tokens_total"),),
    rows=("data",),
    bucket_hours=5 / 60,
    columns=ExportColumns(
        time=("aggregation_timestamp",),
        requests=("n_requests",),
        input_tokens=("n_context_tokens_total",),
        cached_tokens=("n_cached_context_tokens_total",),
        output_tokens=("n_generated_tokens_total",),
        workload=("project_id",),
        model=("snapshot_id",),
    ),
    repeats="rows of one moment are parts (operations, keys), which add up; a day fetched twice is one",
    lacks=("no region: give --region or a map file",),
)
