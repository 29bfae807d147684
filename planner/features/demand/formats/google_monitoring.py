"""Google Cloud Monitoring ``timeSeries`` of Vertex AI's models (``projects.timeSeries.list``, a page or several).

Names: Google's list of metrics, ``aiplatform.googleapis.com/publisher/online_serving``. ``token_count`` has the label
``type`` (input, output); ``model_invocation_count`` counts requests by ``response_code``. Both are DELTA: a point is
what came in its interval. Input includes cached tokens, which are not counted apart.
"""

from typing import Any, cast

import pandas as pd

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.cells import NO_NUMBER
from planner.features.demand.formats.format import (
    RULE_CODE,
    ExportReading,
    Format,
    Inputs,
    Sample,
    amounts,
    rows_to_frame,
)
from planner.features.demand.formats.moments import moment_of
from planner.features.demand.formats.records import unfinished
from planner.features.demand.history import VALUES
from planner.features.demand.source_files import fail
from planner.units import HOURS_PER_DAY, SECONDS_PER_HOUR

# ruff: noqa: PD010  (unstack keeps blanks among the keys, which pivot_table drops)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def _without_gaps(wide: pd.DataFrame, series: list[str]) -> pd.DataFrame:
    """Return readings in which a metric that has no value is 0: metrics have none where nothing happened.

    Tokens that are absent although there were requests stay blank, where the series has them at other times: a rule
    says so.
    """
    counts = [name for name in (*VALUES, "active_tokens") if name in wide]
    for name in counts:
        usual = wide[name].notna().groupby([wide[key] for key in series], dropna=False).transform("any")
        served = wide["requests"].fillna(0.0) > 0 if "requests" in wide else pd.Series(False, index=wide.index)
        odd = wide[name].isna() & usual & served & (name in ("input_tokens", "output_tokens"))
        wide[name] = wide[name].where(wide[name].notna() | odd, 0.0)
    return wide


def readings_of_points(
    points: list[dict[str, Any]], dimensions: tuple[str, ...]
) -> tuple[pd.DataFrame, tuple[ExportFinding, ...]]:
    """Pivot points to readings.

    Parameters
    ----------
    points : each with ``measure`` (a READING column), ``epoch`` (seconds UTC, start), ``bucket_hours``, ``value``,
        ``key`` (what the source tells series apart by), ``skip``, and the ``dimensions``.
    dimensions : the source's own columns that may name a region, workload or model.

    Returns
    -------
    The readings, and a finding where the same point came twice (it counts once, its largest value).
    """
    if not points:
        return rows_to_frame([], dimensions), ()
    frame = pd.DataFrame(points)
    given = frame["value"]
    frame["value"] = amounts(given)
    frame.loc[frame["value"].isna() & given.notna() & (given != ""), "value"] = NO_NUMBER
    blank = int(frame["value"].isna().sum())
    if "skip" not in frame:
        frame["skip"] = 0
    for name in dimensions:
        if name not in frame:
            frame[name] = None
    identity = ["measure", "epoch", "bucket_hours", "key"]
    once = frame.sort_values("value", ascending=False, kind="stable").drop_duplicates(identity)
    findings = (ExportFinding("duplicate", len(frame) - len(once)),) if len(once) < len(frame) else ()
    if blank:
        findings = (*findings, ExportFinding("null_as_zero", blank))
    broken = once["value"].dropna()
    broken = broken[
        (broken % 1 != 0) & (broken < NO_NUMBER) & ~once.get("shared", pd.Series(False, index=once.index))[broken.index]
    ]
    if len(broken):
        findings = (
            *findings,
            ExportFinding("fractional", len(broken), tuple(f"{value:g}" for value in broken.head(3))),
        )
    wide = (
        once.groupby(["epoch", "bucket_hours", "skip", *dimensions, "measure"], dropna=False)["value"]
        .sum(min_count=1)
        .unstack("measure")
        .reset_index()
    )
    wide.columns.name = None
    wide = _without_gaps(wide, list(dimensions))
    return rows_to_frame(records(wide), dimensions), findings


LONGEST_GAP_DAYS = 400.0


def increases(samples: pd.DataFrame) -> tuple[list[dict[str, Any]], tuple[ExportFinding, ...]]:
    """Turn samples of counters into points, one between each two samples.

    Parameters
    ----------
    samples : columns ``measure``, ``key`` (one counter), ``epoch`` [s], ``value``, and any others, which are kept.

    Returns
    -------
    Points (see points.py) and findings. A counter that falls has restarted: what it shows is its rise since 0. One that
    appears after the first scrape began at 0. A rise over missing scrapes is spread evenly over the hours between.

    Raises
    ------
    ValueError
        two samples of a counter lie over 400 days apart: a moment is wrong.
    """
    samples = samples.dropna(subset=["epoch", "value"]).sort_values(["measure", "key", "epoch"], kind="stable")
    again = samples.duplicated(["measure", "key", "epoch"]) & ~samples.duplicated(["measure", "key", "epoch", "value"])
    samples = samples.drop_duplicates(["measure", "key", "epoch"])
    if samples.empty:
        return [], ()
    first_scrape = float(samples["epoch"].min())
    by_counter = samples.groupby(["measure", "key"], sort=False)
    before, at = by_counter["epoch"].shift(), samples["epoch"]
    step = float((at - before).median()) if before.notna().any() else SECONDS_PER_HOUR
    rise = samples["value"] - by_counter["value"].shift()
    reset = rise < 0
    born = before.isna() & (at > first_scrape) & (samples["value"] > 0)
    rise = rise.mask(reset | born, samples["value"])
    before = before.mask(born, at - step)
    longest = float((at - before).max()) if before.notna().any() else 0.0
    if longest > LONGEST_GAP_DAYS * HOURS_PER_DAY * SECONDS_PER_HOUR:
        raise ValueError(f"two samples of a counter are {longest / HOURS_PER_DAY / SECONDS_PER_HOUR:,.0f} days apart")
    gap = ((at - before) > 1.5 * step) & ((at - before) > SECONDS_PER_HOUR)
    table = samples.assign(rise=rise, before=before, gap=gap)[rise.notna()]
    points: list[dict[str, Any]] = []
    for row in cast("list[dict[str, Any]]", table.to_dict("records")):
        start, end = row.pop("before"), row["epoch"]
        spread, value = row.pop("gap"), row.pop("rise")
        for epoch, hours, share in _pieces(start, end) if spread else [(start, (end - start) / SECONDS_PER_HOUR, 1.0)]:
            points.append(
                {
                    **row,
                    "epoch": epoch,
                    "bucket_hours": min(hours, 1.0) if spread else hours,
                    "value": value * share,
                    "shared": spread,
                }
            )
    stamps = pd.to_datetime(at[reset], unit="s", utc=True).dt.strftime("%Y-%m-%dT%H:%MZ")
    findings = [ExportFinding("duplicate", int(again.sum()))] if again.any() else []
    if reset.any():
        findings.append(ExportFinding("counter_reset", int(reset.sum()), tuple(stamps.head(5))))
    if gap.any():
        stamps = pd.to_datetime(table.loc[table["gap"], "before"], unit="s", utc=True).dt.strftime("%Y-%m-%dT%H:%MZ")
        findings.append(ExportFinding("counter_gap", int(gap.sum()), tuple(stamps.head(5))))
    return points, tuple(findings)


def _pieces(start: float, end: float) -> list[tuple[float, float, float]]:
    """Cut an interval at full hours: (start, length in hours, share of the whole)."""
    pieces, at = [], start
    while at < end:
        stop = min(end, (at // SECONDS_PER_HOUR + 1) * SECONDS_PER_HOUR)
        pieces.append((at, (stop - at) / SECONDS_PER_HOUR, (stop - at) / (end - start)))
        at = stop
    return pieces


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
