"""Amazon Bedrock: CloudWatch metrics (``GetMetricData``, ``get-metric-statistics``), and its invocation log.

Names: AWS's runtime metrics page. ``InputTokenCount`` leaves cached tokens out. The cache metrics go by two spellings
in public sources; both are read. An answer knows no region (one query an AWS region): it is taken from the file's name
where that holds one, else from --region or the map.
"""

import re
from itertools import pairwise
from typing import Any

import pandas as pd

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.format import ExportColumns, ExportReading, Format, Inputs, Sample, Skip
from planner.features.demand.formats.points import readings_of_points
from planner.features.demand.formats.records import unfinished
from planner.features.demand.source_files import fail

MEASURE = {
    "invocations": "requests",
    "inputtokencount": "input_tokens",
    "outputtokencount": "output_tokens",
    "cachereadinputtokencount": "cached_tokens",
    "cachereadinputtokens": "cached_tokens",
    "cachewriteinputtokencount": "written_tokens",
    "cachewriteinputtokens": "written_tokens",
}
# an answer of get_metric_data, one of get_metric_statistics, one of the former's results alone
SIGNS = ({"MetricDataResults"}, {"Datapoints", "Label"}, {"Id", "Label", "Timestamps", "Values"})
LONGEST_FIRST = sorted(MEASURE, key=len, reverse=True)
AWS_REGION = re.compile(r"(?<![a-z0-9])([a-z]{2}(?:-gov)?-[a-z]+-\d)(?![a-z0-9])")


def recognise(sample: Sample) -> bool:
    """Tell a GetMetricData answer by its key."""
    document = sample.document
    return isinstance(document, dict) and any(signs <= set(document) for signs in SIGNS)


def read(inputs: Inputs) -> ExportReading:
    """Return one reading a bucket and model."""
    series = [item for file, document in inputs.documents for item in _series(file.path, document)]
    several = _told_apart(series)
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
    unread = [label for _, document in inputs.documents for label in _unread(document)]
    if unread:
        findings = (*findings, ExportFinding("not_read", len(unread), tuple(unread[:5])))
    notes = unfinished(inputs, "NextToken")
    if not steps:
        notes = (*notes, "one timestamp only: its bucket is taken as one hour")
    if several:
        notes = (*notes, "series of one metric whose label names no model are added up: label each with its model")
    return ExportReading(inputs.lazy(frame), findings, notes)


def _series(path: Any, document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        raise fail(path, "is no answer of CloudWatch")
    found = AWS_REGION.search(str(path.name))
    region = found.group(1) if found else None
    results = document.get("MetricDataResults")
    if results is None and "Timestamps" in document:
        results = [document]
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


def _unread(document: dict[str, Any]) -> list[str]:
    """Return the labels of series that are no metric of tokens or requests, and of values without a moment."""
    found = []
    for item in document.get("MetricDataResults") or []:
        label = str(item.get("Label", ""))
        if _metric(label) is None and _metric(str(item.get("Id", ""))) is None:
            found.append(label)
        if len(item.get("Timestamps") or []) != len(item.get("Values") or []):
            found.append(f"{label}: as many moments as values")
    return found


def _told_apart(series: list[dict[str, Any]]) -> bool:
    """Tell apart series of one label that hold different values (one a model, each exported alone): number their keys.

    Those that agree in half of the moments that they share are the same, exported twice. Return whether any differ.
    """
    known: dict[str, list[dict[float, Any]]] = {}
    for item in (item for item in series if item["model"] is None):
        data, there = dict(item["data"]), known.setdefault(item["key"], [])
        number = next((n for n, other in enumerate(there) if _agree(data, other)), len(there))
        if number == len(there):
            there.append({})
        there[number].update(data)
        item["key"] += f"|{number}"
    return any(len(there) > 1 for there in known.values())


def _agree(data: dict[float, Any], other: dict[float, Any]) -> bool:
    shared = data.keys() & other.keys()
    return sum(1 for stamp in shared if data[stamp] == other[stamp]) >= len(shared) / 2


def _metric(text: str) -> str | None:
    squeezed = text.lower()
    return next((name for name in LONGEST_FIRST if re.search(rf"(?<![a-z]){name}(?![a-z])", squeezed)), None)


CLOUDWATCH = Format(
    name="bedrock_cloudwatch",
    title="Amazon Bedrock metrics from CloudWatch (GetMetricData, get-metric-statistics)",
    finest="one minute (Period=60)",
    cached_in_input=False,
    recognise=recognise,
    read=read,
    rows=None,
    repeats="values of one metric, model, region and moment are one, the largest; series without a model add up",
    region="aws_region",
    model="model",
    lacks=("no region inside: name the file after it (us-east-1.json), or give --region",),
)
# a line a request, as it lies in S3 or CloudWatch Logs; field names: AWS's model invocation logging page
INVOCATIONS = Format(
    name="bedrock_invocations",
    title="Amazon Bedrock's model invocation log (JSON lines)",
    finest="one request",
    cached_in_input=False,
    signs=(("modelId", "requestId", "input.inputTokenCount"), ("schemaType", "modelId", "output.outputTokenCount")),
    bucket_hours=0.0,
    columns=ExportColumns(
        time=("timestamp",),
        id=("requestId",),
        input_tokens=("input.inputTokenCount",),
        cached_tokens=("input.cacheReadInputTokenCount",),
        written_tokens=("input.cacheWriteInputTokenCount",),
        output_tokens=("output.outputTokenCount",),
        region=("region",),
        workload=("identity.arn",),
        model=("modelId",),
    ),
    skips=(
        Skip(
            "failed",
            "errorCode",
            (
                "throttlingexception",
                "validationexception",
                "internalserverexception",
                "modelerrorexception",
                "modeltimeoutexception",
            ),
        ),
    ),
)
