"""LiteLLM's Prometheus counters. Names and labels: types/integrations/prometheus.py (LiteLLM 1.109).

Input tokens include what was read from and written to the cache.
"""

from planner.features.demand.formats import prometheus
from planner.features.demand.formats.base import Format, Inputs, Reading, Sample

MEASURES = {
    "input_tokens": ("litellm_input_tokens_metric",),
    "output_tokens": ("litellm_output_tokens_metric",),
    "cached_tokens": ("litellm_input_cached_tokens_metric", "litellm_provider_cache_read_input_tokens_metric"),
    "written_tokens": (
        "litellm_input_cache_creation_tokens_metric",
        "litellm_provider_cache_creation_input_tokens_metric",
    ),
    "requests": ("litellm_proxy_total_requests_metric", "litellm_requests_metric"),
}
LABELS = ("model", "requested_model", "model_id", "api_provider", "team", "team_alias", "instance")


def recognise(sample: Sample) -> bool:
    """Tell LiteLLM by the prefix of its metrics."""
    return prometheus.recognise(sample, "litellm_")


def read(inputs: Inputs) -> Reading:
    """Return one reading between every two scrapes."""
    return prometheus.read_counters(inputs, MEASURES, LABELS, workload="requested_model", model="model")


FORMAT = Format(
    name="litellm_prometheus",
    title="LiteLLM's Prometheus counters (query_range JSON; /metrics text with --window)",
    finest="one scrape",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    workload="requested_model",
    model="model",
    counters=frozenset(name for names in MEASURES.values() for name in names),
    lacks=("no region: give --region or a map file (dimensions: {region: instance})",),
)
