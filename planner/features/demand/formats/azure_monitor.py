"""Azure Monitor metrics of ``Microsoft.CognitiveServices/accounts``.

From REST (one resource, or a batch), ``az monitor metrics list``, or Azure's Python libraries: azure-mgmt-monitor 6
says ``time_stamp``; azure-monitor-querymetrics 1 has ``metrics`` with plain names and ``metadata_values``.

Names: Azure's list of supported metrics, July 2026. Prompt tokens include cached ones. Azure OpenAI has no count of
cached tokens: for provisioned deployments it is ProcessedPromptTokens + GeneratedTokens - ActiveTokens, or follows from
the cache match rate; for others it cannot be told. Foundry models (InputTokens, cacheReadInputTokens, ...) count them.
"""

from typing import Any

import pandas as pd

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.format import RULE_CODE, ExportReading, Format, Inputs, Sample
from planner.features.demand.formats.moments import moment_of
from planner.features.demand.formats.points import readings_of_points, records
from planner.features.demand.source_files import SourceFile, fail
from planner.units import SECONDS_PER_HOUR

PROMPT, GENERATED, ACTIVE, MATCH_RATE = "ProcessedPromptTokens", "GeneratedTokens", "ActiveTokens", "match_rate"
MEASURE = {
    PROMPT.lower(): "input_tokens",
    GENERATED.lower(): "output_tokens",
    ACTIVE.lower(): "active_tokens",
    "azureopenaicontexttokenscachematchrate": MATCH_RATE,
    "azureopenairequests": "requests",
}
FOUNDRY = {
    "inputtokens": "input_tokens",
    "outputtokens": "output_tokens",
    "cachereadinputtokens": "cached_tokens",
    "ephemeral1hinputtokens": "written_tokens",
    "ephemeral5minputtokens": "written_tokens",
    "modelrequests": "requests",
}
DIMENSIONS = ("modeldeploymentname", "modelname", "region")


def recognise(sample: Sample) -> bool:
    """Tell a metrics answer by its shape: metrics, each with a name and timeseries."""
    document = sample.document
    found = _answers(document) if isinstance(document, dict) else []
    return any(isinstance(item, dict) and "timeseries" in item for answer in found for item in answer["value"])


def _answers(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a document's answers, each as REST spells it; none where it is no answer."""
    if isinstance(document.get("values"), list):  # a batch: one answer a resource
        return [answer for item in document["values"] for answer in _answers(item)]
    if isinstance(document.get("metrics"), list):
        told = {"interval": document.get("granularity"), "resourceregion": document.get("resource_region")}
        return [{**told, "value": document["metrics"]}]
    return [document] if isinstance(document.get("value"), list) else []


def read(inputs: Inputs) -> ExportReading:
    """Return one reading a bucket and deployment."""
    points: list[dict[str, Any]] = []
    seen: set[str] = set()
    for file, document in inputs.documents:
        answers = _answers(document) if isinstance(document, dict) else []
        if not answers:
            raise fail(file.path, "is no answer of Azure Monitor's metrics API", allowed="{value: [...]}")
        for answer in answers:
            hours = _bucket_hours(file, answer.get("interval") or "PT1H")
            for metric in answer["value"]:
                name = _value(metric.get("name"))
                seen.add(name)
                measure = MEASURE.get(name.lower()) or FOUNDRY.get(name.lower())
                for series in (metric.get("timeseries") or []) if measure else []:
                    points += _series_points(
                        series, str(measure), name=name, metric=metric, document=answer, hours=hours
                    )
    return of_points(points, seen, inputs)


def of_points(
    points: list[dict[str, Any]], seen: set[str], inputs: Inputs, notes: tuple[str, ...] = ()
) -> ExportReading:
    """Return the reading of metric values, whichever export they come from.

    Parameters
    ----------
    points : as points.py has them, each with the metric's ``name``.
    seen : names of all metrics that the export has.
    """
    family = {p["name"].lower() for p in points}
    if PROMPT.lower() in family:  # the Azure OpenAI metrics are there: Foundry's would count the same tokens again
        points = [p for p in points if p["name"].lower() in MEASURE]
    elif ACTIVE.lower() in family and "inputtokens" not in family:
        told = "ActiveTokens leave cached tokens out; export ProcessedPromptTokens and GeneratedTokens too"
        raise fail(inputs.place, f"has no prompt tokens: {told}", value=", ".join(sorted(seen)))
    points, more = _with_cached(points, inputs)
    if not any(p["measure"] in ("input_tokens", "output_tokens") for p in points):
        wanted = "ProcessedPromptTokens and GeneratedTokens, or InputTokens and OutputTokens"
        raise fail(inputs.place, f"has no token metrics, only {', '.join(sorted(seen)) or 'nothing'}", allowed=wanted)
    frame, findings = readings_of_points(points, DIMENSIONS)
    unread = sorted(name for name in seen if name.lower() not in {*MEASURE, *FOUNDRY})
    if unread:
        findings = (*findings, ExportFinding("not_read", len(unread), tuple(unread[:5])))
    foundry = PROMPT.lower() not in family  # which counts cached and written tokens apart
    if foundry:
        more = (*more, "Foundry metrics: InputTokens is taken without the cached and written tokens")
    return ExportReading(inputs.lazy(frame), findings, (*notes, *more), cached_in_input=False if foundry else None)


def _value(name: Any) -> str:
    """Return a name that is text, or has a localised twin."""
    return str(name.get("value", "") if isinstance(name, dict) else name or "")


def _bucket_hours(file: SourceFile, interval: Any) -> float:
    """Return the length of a bucket: ISO 8601, ``1:00:00`` as Python writes it, or seconds."""
    if str(interval).upper() == "FULL":
        raise fail(file.path, "has one value for its whole span, no hours: ask for --interval PT1H", value=interval)
    length = pd.Timedelta(interval, unit="s") if isinstance(interval, (int, float)) else pd.Timedelta(interval)
    return float(length.total_seconds()) / SECONDS_PER_HOUR


def _series_points(
    series: dict[str, Any], measure: str, *, name: str, metric: dict[str, Any], document: dict[str, Any], hours: float
) -> list[dict[str, Any]]:
    given = series.get("metadata_values") or {
        _value(m["name"]): m.get("value") for m in series.get("metadatavalues") or []
    }
    tags = {str(name).lower(): value for name, value in given.items()}
    status = str(tags.get("statuscode", "200"))
    shown = {dimension: tags.get(dimension) for dimension in DIMENSIONS}
    shown["region"] = shown["region"] or document.get("resourceregion")
    points = []
    for item in series.get("data") or []:
        value = item.get("average") if measure == MATCH_RATE else item.get("total")
        if value is None:
            continue  # Azure leaves out what it has no data for
        stamp = moment_of(item.get("timeStamp") or item.get("time_stamp") or item.get("timestamp"))
        points.append(
            {
                "measure": measure,
                "name": name,
                "epoch": None if stamp is None else stamp.timestamp(),
                "bucket_hours": hours,
                "value": value,
                "key": f"{metric.get('id')}|{sorted(tags.items())}",
                "skip": 0 if status.startswith("2") else RULE_CODE["failed"],
                **shown,
            }
        )
    return points


def _with_cached(points: list[dict[str, Any]], inputs: Inputs) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Derive cached tokens where Azure OpenAI lets it be done, and say how."""
    frame = pd.DataFrame(points)
    plain = [p for p in points if p["measure"] not in ("active_tokens", MATCH_RATE)]
    if frame.empty or not {"active_tokens", MATCH_RATE} & set(frame["measure"]):
        known = not frame.empty and (frame["measure"] == "cached_tokens").any()
        return plain, () if known else ("cached tokens are not known: ActiveTokens (provisioned only) is not there",)
    if inputs.names.cached_in_input is False:
        said = "cached tokens are derived from metrics that include them; cached_in_input: false would count them twice"
        raise fail(inputs.place, said)
    keys = ["epoch", "bucket_hours", "skip", *DIMENSIONS]
    frame["value"] = pd.to_numeric(frame["value"], errors="coerce")  # what is none, a rule finds in the points
    frame = frame.sort_values("value", ascending=False, kind="stable")
    frame = frame.drop_duplicates(["measure", "name", "epoch", "bucket_hours", "key"])
    wide = frame.pivot_table(index=keys, columns="measure", values="value", aggfunc="sum", dropna=False).dropna(
        how="all"
    )
    prompt = wide["input_tokens"]
    if "active_tokens" in wide:
        told = prompt + wide.get("output_tokens", 0.0) - wide["active_tokens"]
        cached = told.clip(lower=0)
        note = "cached tokens = ProcessedPromptTokens + GeneratedTokens - ActiveTokens (provisioned deployments)"
    else:
        told = cached = (prompt * wide[MATCH_RATE] / 100).round()
        note = "cached tokens = ProcessedPromptTokens x the cache match rate, rounded to whole tokens"
    table = cached.dropna().rename("value").reset_index()
    extra = [{**row, "measure": "cached_tokens", "name": "derived", "key": "derived"} for row in records(table)]
    for row in extra:
        row["key"] = "|".join(str(row[name]) for name in DIMENSIONS)
    odd = [
        (
            int((told.isna() & (prompt > 0)).sum()),
            "have prompt tokens and no value that tells the cached ones: taken as 0",
        ),
        (int((told < 0).sum()), "have more ActiveTokens than prompt and generated tokens: cached tokens taken as 0"),
    ]
    return plain + extra, (note, *(f"{count} buckets {said}" for count, said in odd if count))


FORMAT = Format(
    name="azure_monitor",
    title="Azure Monitor metrics of Azure OpenAI and Foundry deployments",
    finest="one minute (interval=PT1M)",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    rows=None,
    repeats="values of one metric, moment and set of dimensions are one, the largest",
    region="region",
    workload="modeldeploymentname",
    model="modelname",
    lacks=("no model where the metrics are split by deployment only: map deployments to models",),
)
