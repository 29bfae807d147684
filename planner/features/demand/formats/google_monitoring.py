"""Google Cloud Monitoring ``timeSeries`` of Vertex AI's models (``projects.timeSeries.list``, a page or several).

Names: Google's list of metrics, ``aiplatform.googleapis.com/publisher/online_serving``. ``token_count`` has the label
``type`` (input, output); ``model_invocation_count`` counts requests by ``response_code``. Both are DELTA: a point is
what came in its interval. Input includes cached tokens, which are not counted apart.
"""

from typing import Any

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.format import (
    RULE_CODE,
    ExportReading,
    Format,
    Inputs,
    Sample,
)
from planner.features.demand.formats.moments import moment_of
from planner.features.demand.formats.points import readings_of_points
from planner.features.demand.formats.records import unfinished
from planner.features.demand.source_files import fail
from planner.units import SECONDS_PER_HOUR

PREFIX = "aiplatform.googleapis.com/publisher/online_serving/"
TOKEN_COUNT, INVOCATIONS = PREFIX + "token_count", PREFIX + "model_invocation_count"
TYPES = {"input": "input_tokens", "output": "output_tokens", "prompt": "input_tokens", "candidates": "output_tokens",
         "cached": "cached_tokens", "cached_input": "cached_tokens"}  # fmt: skip
DIMENSIONS = ("model", "location", "resource_container", "request_type")


def recognise(sample: Sample) -> bool:
    """Tell the answer by its list of series, of whatever metric."""
    return any(PREFIX in str((series.get("metric") or {}).get("type")) for series in _series(sample.document))


def _series(document: Any) -> list[dict[str, Any]]:
    listed = document.get("timeSeries") if isinstance(document, dict) else None
    if listed is None and isinstance(document, dict) and "metric" in document and "points" in document:
        listed = [document]  # one series a document, as gcloud lists them
    return [item for item in listed or [] if isinstance(item, dict)]


def read(inputs: Inputs) -> ExportReading:
    """Return one reading an interval, model and location."""
    points: list[dict[str, Any]] = []
    seen: set[str] = set()
    left: list[str] = []
    for file, document in inputs.documents:
        for series in _series(document):
            metric = series.get("metric") or {}
            seen.add(str(metric.get("type")))
            measure = _measure(metric)
            if measure is None:
                labels = metric.get("labels") or {}
                left.append(f"{str(metric.get('type')).rpartition('/')[2]} {labels.get('type', '')}".strip())
                continue
            kind = str(series.get("metricKind") or "DELTA")
            if kind != "DELTA":
                said = "is not the count of each interval; list the series without an aligner, or with ALIGN_DELTA"
                raise fail(file.path, f"{metric.get('type')} {said}", value=kind, allowed="DELTA")
            points += _points(series, metric, measure)
    if not any(p["measure"] in ("input_tokens", "output_tokens") for p in points):
        raise fail(inputs.place, f"has no tokens, only {', '.join(sorted(seen)) or 'nothing'}", allowed=TOKEN_COUNT)
    frame, findings = readings_of_points(points, DIMENSIONS)
    if left:
        findings = (*findings, ExportFinding("not_read", len(left), tuple(sorted(set(left))[:5])))
    return ExportReading(inputs.lazy(frame), findings, unfinished(inputs, "nextPageToken"))


def _measure(metric: dict[str, Any]) -> str | None:
    if metric.get("type") == INVOCATIONS:
        return "requests"
    if metric.get("type") != TOKEN_COUNT:
        return None
    return TYPES.get(str((metric.get("labels") or {}).get("type")).lower())


def _points(series: dict[str, Any], metric: dict[str, Any], measure: str) -> list[dict[str, Any]]:
    labels = metric.get("labels") or {}
    place = (series.get("resource") or {}).get("labels") or {}
    code = str(labels.get("response_code", "200"))
    shown = {
        "model": place.get("model_user_id") or place.get("model_version_id"),
        "location": place.get("location"),
        "resource_container": place.get("resource_container") or place.get("project_id"),
        "request_type": labels.get("request_type"),
    }
    found = []
    for point in series.get("points") or []:
        interval, value = point.get("interval") or {}, point.get("value") or {}
        end = moment_of(interval.get("endTime"))
        start = moment_of(interval.get("startTime") or interval.get("endTime"))
        number = value.get("int64Value", value.get("doubleValue"))
        hours = (end - start).total_seconds() / SECONDS_PER_HOUR if start is not None and end is not None else 0.0
        found.append(
            {
                "measure": measure,
                "epoch": None if start is None else start.timestamp(),
                "bucket_hours": hours if hours > 0 else 1 / 60,
                "value": number,
                "key": f"{sorted(labels.items())}|{sorted(place.items())}",
                "skip": 0 if code.startswith("2") else RULE_CODE["failed"],
                **shown,
            }
        )
    return found


FORMAT = Format(
    name="google_monitoring",
    title="Google Cloud Monitoring timeSeries of Vertex AI (token_count, model_invocation_count)",
    finest="one minute",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    rows=None,
    more="nextPageToken",
    repeats="points of one series and interval are one, the largest",
    region="location",
    workload="resource_container",
    model="model",
    lacks=("no cached tokens: they are inside input_tokens",),
)
