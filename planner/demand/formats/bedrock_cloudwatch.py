"""Amazon Bedrock metrics from CloudWatch ``GetMetricData`` (namespace AWS/Bedrock), or ``get-metric-statistics``.

Names: AWS's runtime metrics page. ``InputTokenCount`` leaves cached tokens out. The cache metrics go by two spellings
in public sources; both are read. An answer knows no region (one query an AWS region): it is taken from the file's name
where that holds one, else from --region or the map.
"""

import re
from itertools import pairwise
from typing import Any

import pandas as pd

from planner.demand.files import fail
from planner.demand.formats.base import Format, Inputs, Reading, Sample
from planner.demand.formats.points import readings_of_points

MEASURE = {
    "invocations": "requests",
    "inputtokencount": "input_tokens",
    "outputtokencount": "output_tokens",
    "cachereadinputtokencount": "cached_tokens",
    "cachereadinputtokens": "cached_tokens",
    "cachewriteinputtokencount": "written_tokens",
    "cachewriteinputtokens": "written_tokens",
}
LONGEST_FIRST = sorted(MEASURE, key=len, reverse=True)
AWS_REGION = re.compile(r"(?<![a-z0-9])([a-z]{2}(?:-gov)?-[a-z]+-\d)(?![a-z0-9])")


def recognise(sample: Sample) -> bool:
    """Tell a GetMetricData answer by its key."""
    document = sample.document
    return isinstance(document, dict) and ("MetricDataResults" in document or {"Datapoints", "Label"} <= set(document))


def read(inputs: Inputs) -> Reading:
    """Return one reading a bucket and model."""
    series = [item for file, document in inputs.documents for item in _series(file.path, document)]
    stamps = sorted({stamp for item in series for stamp, _ in item["data"]})
    steps = [b - a for a, b in pairwise(stamps)]
    hours = min(min(steps) / 3600, 24.0) if steps else 1.0
    points = [
        {**{k: v for k, v in item.items() if k != "data"}, "epoch": stamp, "bucket_hours": hours, "value": value}
        for item in series
        for stamp, value in item["data"]
    ]
    if not points:
        raise fail(
            inputs.files[0].path, "has no Bedrock token metrics", allowed="InputTokenCount, OutputTokenCount, ..."
        )
    frame, findings = readings_of_points(points, ("model", "aws_region"))
    for name in ("cached_tokens", "written_tokens"):  # CloudWatch has no row where nothing was cached
        if frame[name].notna().any():
            frame[name] = frame[name].fillna(0.0)
    notes = () if steps else ("one timestamp only: its bucket is taken as one hour",)
    return Reading(inputs.lazy(frame), findings, notes)


def _series(path: Any, document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        raise fail(path, "is no answer of CloudWatch")
    found = AWS_REGION.search(str(path.name))
    region = found.group(1) if found else None
    results = document.get("MetricDataResults")
    if results is None:
        data = [(item.get("Timestamp"), item.get("Sum")) for item in document.get("Datapoints") or []]
        results = [{"Id": "", "Label": document.get("Label", ""), "pairs": data}]
    series = []
    for item in results:
        label, identity = str(item.get("Label", "")), str(item.get("Id", ""))
        name = _metric(label) or _metric(identity)
        if name is None:
            continue
        if item.get("StatusCode") == "InternalError":
            raise fail(path, f"the series {label!r} ended in an error of CloudWatch; fetch it again")
        model = re.sub(name, "", label, flags=re.IGNORECASE).strip(" |/,-") or None
        pairs = item.get("pairs") or list(zip(item.get("Timestamps") or [], item.get("Values") or [], strict=False))
        stamps = pd.to_datetime([stamp for stamp, _ in pairs], utc=True, errors="coerce", format="ISO8601")
        series.append(
            {
                "measure": MEASURE[name],
                "key": f"{region}|{label}|{identity if model is None else ''}",
                "model": model,
                "aws_region": region,
                "data": [
                    (stamp.timestamp(), value)
                    for stamp, (_, value) in zip(stamps, pairs, strict=True)
                    if not pd.isna(stamp)
                ],
            }
        )
    return series


def _metric(text: str) -> str | None:
    squeezed = text.lower()
    return next((name for name in LONGEST_FIRST if re.search(rf"(?<![a-z]){name}(?![a-z])", squeezed)), None)


FORMAT = Format(
    name="bedrock_cloudwatch",
    title="Amazon Bedrock metrics from CloudWatch (GetMetricData, get-metric-statistics)",
    finest="one minute (Period=60)",
    cached_in_input=False,
    recognise=recognise,
    read=read,
    region="aws_region",
    model="model",
    lacks=("no region inside: name the file after it (us-east-1.json), or give --region",),
)
