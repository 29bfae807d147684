"""vLLM's Prometheus counters. Names: docs/design/metrics.md of vllm-project/vllm.

Prompt tokens include those found in the prefix cache; its hits are counted in tokens. Nothing is written to a cache
that is billed.
"""

from planner.features.demand.formats import prometheus
from planner.features.demand.formats.base import Format, Inputs, Reading, Sample

MEASURES = {
    "input_tokens": ("vllm:prompt_tokens",),
    "output_tokens": ("vllm:generation_tokens",),
    "cached_tokens": ("vllm:prefix_cache_hits", "vllm:gpu_prefix_cache_hits", "vllm:prompt_tokens_cached"),
    "requests": ("vllm:request_success",),
}
LABELS = ("model_name", "engine", "instance", "job", "region", "namespace")


def recognise(sample: Sample) -> bool:
    """Tell vLLM by the prefix of its metrics."""
    return prometheus.recognise(sample, "vllm:")


def read(inputs: Inputs) -> Reading:
    """Return one reading between every two scrapes."""
    return prometheus.read_counters(inputs, MEASURES, LABELS, workload=None, model="model_name")


FORMAT = Format(
    name="vllm_prometheus",
    title="vLLM's Prometheus counters (query_range JSON; /metrics text with --window)",
    finest="one scrape",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    region="region",
    counters=frozenset(name for names in MEASURES.values() for name in names),
    model="model_name",
    lacks=("no region unless the scrape labels it: give --region or a map file (dimensions: {region: instance})",),
)
