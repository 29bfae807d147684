"""Prometheus, for LiteLLM and vLLM alike: ``query_range`` answers, and text expositions of ``/metrics``.

A ``query_range`` of the bare counters has the hours. One scrape of ``/metrics`` has only totals since the process
started: it can stand for one span of time (``--window START/END``), never for hours.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.format import RULE_CODE, ExportReading, Format, Inputs, Sample
from planner.features.demand.formats.points import increases, readings_of_points, records
from planner.features.demand.source_files import SourceFile, fail, read_text
from planner.units import SECONDS_PER_HOUR

LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+(-?\d+))?\s*$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
HISTOGRAM = ("_bucket", "_sum", "_count", "_created")
Measures = Mapping[str, tuple[str, ...]]  # READING column -> counters that can tell it, the best first


def counters_format(
    name: str, title: str, *, prefix: str, measures: Measures, labels: tuple[str, ...], model: str, **more: Any
) -> Format:
    """Return the format of one program's counters, which are known by the prefix of their names."""

    def recognise(sample: Sample) -> bool:
        if sample.kind == "text":
            return any(line.startswith(prefix) for line in sample.text.splitlines())
        return sample.kind == "json" and any(series.startswith(prefix) for series in _names(sample.document))

    def read(inputs: Inputs) -> ExportReading:
        return read_counters(inputs, measures, labels, more.get("workload"), model)

    return Format(
        name=name,
        title=title,
        finest="one scrape",
        cached_in_input=True,
        recognise=recognise,
        read=read,
        rows=None,
        model=model,
        counters=frozenset(counter for names in measures.values() for counter in names),
        repeats="samples of one series and moment are one; a counter that falls has restarted",
        **more,
    )


def _names(document: Any) -> list[str]:
    data = document.get("data") if isinstance(document, dict) else None
    result = data.get("result") if isinstance(data, dict) else None
    return [str((s.get("metric") or {}).get("__name__", "")) for s in result or [] if isinstance(s, dict)]


def read_counters(
    inputs: Inputs, measures: Measures, labels: tuple[str, ...], workload: str | None, model: str
) -> ExportReading:
    """Return one reading between every two scrapes of a series."""
    unread: dict[str, set[str]] = {}
    samples = pd.DataFrame(_samples(inputs, measures, labels, unread))
    if samples.empty:
        wanted = ", ".join(name for names in measures.values() for name in names[:1])
        raise fail(inputs.files[0].path, "has none of the counters that are needed", allowed=wanted)
    samples = _best_counter(samples, measures)
    samples = _model_of_workload(samples, workload, model)
    left = tuple(sorted(unread))
    told = (ExportFinding("not_read", sum(len(series) for series in unread.values()), left[:5]),) if left else ()
    if samples["epoch"].nunique() < 2:
        reading = _snapshot(inputs, samples, labels)
        return replace(reading, findings=(*reading.findings, *told))
    points, findings = increases(samples.drop(columns=["counter"]))
    frame, more = readings_of_points(points, labels)
    return ExportReading(inputs.lazy(frame), (*findings, *more, *told))


def _samples(
    inputs: Inputs, measures: Measures, labels: tuple[str, ...], unread: dict[str, set[str]]
) -> Iterator[dict[str, Any]]:
    """Yield the samples of known counters; ``unread`` gets the series of others that may count tokens, by name.

    In an answer, each series was asked for; a scrape has all that a program counts, its histograms too.
    """
    wanted = {name: measure for measure, names in measures.items() for name in names}
    for file in inputs.files:
        for name, tags, epoch, value in _series(inputs, file):
            measure = wanted.get(name.removesuffix("_total"))
            if measure is None:
                plain = not name.endswith(HISTOGRAM)
                if file.kind == "json" or ("token" in name and plain):
                    unread.setdefault(name, set()).add(_key(tags))
                continue
            status = str(tags.get("status_code", "200"))
            yield {
                "measure": measure,
                "counter": name.removesuffix("_total"),
                "key": _key(tags),
                "epoch": epoch,
                "value": value,
                "skip": RULE_CODE["failed"] if measure == "requests" and not status.startswith(("2", "None")) else 0,
                **{label: tags.get(label) for label in labels},
            }


def _key(tags: Mapping[str, str]) -> str:
    return "|".join(f"{k}={v}" for k, v in sorted(tags.items()) if k != "__name__")


def _series(inputs: Inputs, file: SourceFile) -> Iterator[tuple[str, dict[str, str], float | None, float]]:
    if file.kind == "text":
        yield from _exposition(file)
        return
    for source, document in inputs.documents:
        if source.path != file.path:
            continue
        if isinstance(document, dict) and document.get("status") == "error":
            raise fail(file.path, f"holds Prometheus' error: {document.get('error')}")
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("result"), list):
            raise fail(file.path, "is no Prometheus answer", allowed="the JSON of /api/v1/query_range")
        for series in data["result"]:
            tags = {str(k): str(v) for k, v in (series.get("metric") or {}).items()}
            name = tags.get("__name__")
            if name is None:
                raise fail(
                    file.path, "a series has no __name__: query the bare counter, not rate() or increase() of it"
                )
            for epoch, value in series.get("values") or [series.get("value") or (None, "nan")]:
                yield name, tags, None if epoch is None else float(epoch), float(value)


def _exposition(file: SourceFile) -> Iterator[tuple[str, dict[str, str], float | None, float]]:
    for number, line in enumerate(read_text(file.path).splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.match(line.strip())
        if match is None:
            raise fail(file.path, "is not a line of Prometheus' text format", row=number, value=line)
        name, tags, value, stamp = match.groups()
        try:
            amount = float(value)
        except ValueError:
            raise fail(file.path, "the value is not a number", row=number, value=value) from None
        yield name, dict(LABEL.findall(tags or "")), float(stamp) / 1000 if stamp else 0.0, amount


def _best_counter(samples: pd.DataFrame, measures: Measures) -> pd.DataFrame:
    """Where several counters tell the same measure, keep the best that is there: adding them would count twice."""
    present = set(samples["counter"])
    best = {next(name for name in names if name in present) for names in measures.values() if present & set(names)}
    return samples[samples["counter"].isin(best)]


def _model_of_workload(samples: pd.DataFrame, workload: str | None, model: str) -> pd.DataFrame:
    """Give counters without a model label (LiteLLM's requests) the model that their model group has, if it has one."""
    if workload is None:
        return samples
    models = samples.dropna(subset=[model]).groupby(workload)[model].agg(_only)
    return samples.assign(**{model: samples[model].where(samples[model].notna(), samples[workload].map(models))})


def _only(values: pd.Series) -> object:
    found = values.unique()
    return found[0] if len(found) == 1 else None


def _snapshot(inputs: Inputs, samples: pd.DataFrame, labels: tuple[str, ...]) -> ExportReading:
    if inputs.window_hours is None:
        totals = samples.groupby("measure")["value"].sum()
        told = ", ".join(f"{name} {value:,.0f}" for name, value in totals.items())
        raise InputError(
            [
                Fault(
                    str(inputs.files[0].path),
                    f"is one scrape: counters' totals since their process started ({told}), which have no hours. Give "
                    "the answer of /api/v1/query_range with step=3600, or --window START/END if the totals stand for "
                    "one known span",
                )
            ]
        )
    start, end = inputs.window_hours
    points = [
        {**row, "epoch": start * SECONDS_PER_HOUR, "bucket_hours": end - start}
        for row in records(samples.drop(columns=["counter"]))
    ]
    frame, findings = readings_of_points(points, labels)
    return ExportReading(
        inputs.lazy(frame), findings, ("one scrape stands for the whole of --window: it has no hours",)
    )


# vLLM: docs/design/metrics.md of vllm-project/vllm. Prompt tokens include those found in the prefix cache, whose hits
# are counted in tokens; nothing is written to a cache that is billed
VLLM = counters_format(
    name="vllm_prometheus",
    title="vLLM's Prometheus counters (query_range JSON; /metrics text with --window)",
    prefix="vllm:",
    measures={
        "input_tokens": ("vllm:prompt_tokens",),
        "output_tokens": ("vllm:generation_tokens",),
        "cached_tokens": ("vllm:prefix_cache_hits", "vllm:gpu_prefix_cache_hits", "vllm:prompt_tokens_cached"),
        "requests": ("vllm:request_success",),
    },
    labels=("model_name", "engine", "instance", "job", "region", "namespace"),
    region="region",
    model="model_name",
    lacks=("no region unless the scrape labels it: give --region or a map file (dimensions: {region: instance})",),
)
