"""Anthropic ``GET /v1/organizations/analytics/usage_report``: the messages report with requests, product and speed."""

from planner.features.demand.formats.anthropic_messages import read
from planner.features.demand.formats.base import Format, Sample
from planner.features.demand.formats.pages import first_result


def recognise(sample: Sample) -> bool:
    """Tell the report by its split of the input and its count of requests."""
    found = first_result(sample.document) if sample.kind == "json" else {}
    return {"uncached_input_tokens", "requests"} <= set(found)


FORMAT = Format(
    name="anthropic_analytics",
    title="Anthropic analytics usage report (analytics/usage_report)",
    finest="one minute (bucket_width=1m)",
    cached_in_input=False,
    recognise=recognise,
    read=read,
    region="inference_geo",
    workload="product",
    model="model",
)
