"""Azure Monitor metrics as a table: Log Analytics' AzureMetrics (a row a metric), or a query that put them in columns.

Column names: the AzureMetrics table's reference. The portal writes ``TimeGenerated [UTC]`` and times with AM and PM.
Platform metrics that are routed to Log Analytics have no dimensions: a row is the whole account's, unless the query (or
AzureMetricsV2, which has ``Dimensions`` as JSON) keeps them. A value is ``Total``; ``Count`` counts samples.
"""

import json
from typing import Any

import pandas as pd

from planner.features.demand.engine import in_order
from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats import moments, numbers
from planner.features.demand.formats.azure_monitor import FOUNDRY, MATCH_RATE, MEASURE, of_points
from planner.features.demand.formats.cells import flat_name, zone_behind
from planner.features.demand.formats.format import RULE_CODE, ExportReading, Format, Inputs, Sample, has_signs
from planner.features.demand.source_files import SourceFile, fail
from planner.units import SECONDS_PER_HOUR

LONG_SIGNS = ("TimeGenerated", "MetricName", "Total")
KNOWN = {**FOUNDRY, **MEASURE}
PLACES = {"region": "region", "location": "region", "modeldeploymentname": "modeldeploymentname",
          "deployment": "modeldeploymentname", "modelname": "modelname", "model": "modelname"}  # fmt: skip
RESOURCE = ("resourceid", "resource")


def recognise(sample: Sample) -> bool:
    """Tell the long table by its columns, a wide one by a time and columns that are named after token metrics."""
    names = {flat_name(name) for name in sample.columns}
    if sample.kind == "json":
        return False
    wide = "timegenerated" in names and bool(names & {"processedprompttokens", "generatedtokens", "inputtokens"})
    return has_signs(FORMAT, sample.columns) or wide


def read(inputs: Inputs) -> ExportReading:
    """Return one reading a bucket and deployment."""
    points: list[dict[str, Any]] = []
    seen: set[str] = set()
    notes: tuple[str, ...] = ()
    for file in inputs.files:
        table = in_order(inputs.engine, file)
        table.columns = pd.Index([str(name) for name in table.columns])
        mine = {flat_name(name): name for name in reversed(table.columns)}
        if "timegenerated" not in mine:
            raise fail(file.path, "has no column TimeGenerated", allowed=", ".join(table.columns))
        stamps = _stamps(table, mine, file, inputs)
        long = {"metricname", "total"} <= set(mine)
        found, named = (_long if long else _wide)(table, mine, file, inputs)
        seen |= named
        hours, more = _hours(table, mine, stamps, inputs)
        notes = tuple(dict.fromkeys((*notes, *more)))
        tags = _tags(table, mine)
        for index, name, measure, value in found:
            row = tags[index]
            stamp = stamps.iloc[index]
            status = str(row.get("statuscode", "200"))
            points.append(
                {
                    "measure": measure,
                    "name": name,
                    "epoch": None if pd.isna(stamp) else stamp.timestamp(),
                    "bucket_hours": hours[index],
                    "value": value,
                    "key": f"{row.get('resourceid')}|{sorted(row.items())}",
                    "skip": 0 if status.startswith("2") else RULE_CODE["failed"],
                    **{place: row.get(place) for place in ("modeldeploymentname", "modelname", "region")},
                }
            )
    reading = of_points(points, seen, inputs, notes)
    untimed = int(sum(1 for p in points if p["epoch"] is None))
    return ExportReading(
        **{**vars(reading), "findings": (*reading.findings, *([ExportFinding("no_time", untimed)] if untimed else []))}
    )


def _stamps(table: pd.DataFrame, mine: dict[str, str], file: SourceFile, inputs: Inputs) -> pd.Series:
    name = mine["timegenerated"]
    said = inputs.names.time_format
    formats = moments.TimeFormats((said,)) if said else None
    zone = zone_behind(name, inputs.names.time_zone, str(file.path))
    texts = table[name].where(~table[name].map(numbers.is_blank), None)
    return moments.parsed(texts.rename(name), str(file.path), formats, zone)


def _long(
    table: pd.DataFrame, mine: dict[str, str], file: SourceFile, inputs: Inputs
) -> tuple[list[tuple[int, str, str, float]], set[str]]:
    """Return (row, metric, measure, value) of a row a metric."""
    names = table[mine["metricname"]].fillna("").astype(str)
    column = table[mine["total"]]
    rates = table[mine["average"]] if "average" in mine else column
    sign = _sign([(mine["total"], column), (mine.get("average", mine["total"]), rates)], file, inputs)
    found = []
    for index, name in enumerate(names):
        measure = KNOWN.get(flat_name(name))
        if measure is None:
            continue
        text = (rates if measure == MATCH_RATE else column).iloc[index]
        value = _value(text, sign, file, index, mine["total"])
        if value == value:  # Azure leaves out what it has no data for
            found.append((index, name, measure, value))
    return found, set(names)


def _wide(
    table: pd.DataFrame, mine: dict[str, str], file: SourceFile, inputs: Inputs
) -> tuple[list[tuple[int, str, str, float]], set[str]]:
    """Return (row, metric, measure, value) of a column a metric."""
    there = {flat: name for flat, name in mine.items() if flat in KNOWN}
    also = {"requests": "requests", "modelrequests": "requests"}
    there |= {flat: name for flat, name in mine.items() if flat in also and flat not in there}
    sign = _sign([(name, table[name]) for name in there.values()], file, inputs)
    found = []
    for flat, name in there.items():
        measure = KNOWN.get(flat) or also[flat]
        for index, text in enumerate(table[name]):
            value = _value(text, sign, file, index, name)
            if value == value:
                found.append((index, name, measure, value))
    return found, set(there.values())


def _sign(columns: list[tuple[str, pd.Series]], file: SourceFile, inputs: Inputs) -> numbers.Decimal:
    cells = [
        numbers.TextCell(str(file.path), name, str(text))
        for name, column in columns
        for text in column.dropna().unique()
        if isinstance(text, str) and not text.strip().isdigit() and not numbers.is_blank(text)
    ]
    return numbers.settled(cells, inputs.names.decimal, semicolons=";" in file.head.partition("\n")[0])


def _value(text: Any, sign: numbers.Decimal, file: SourceFile, index: int, name: str) -> float:
    value = numbers.parsed(text, sign) if isinstance(text, str) or text is None else float(text)
    if value is None:
        raise fail(file.path, "is not a number", row=index + 2, column=name, value=text)
    return value


def _hours(
    table: pd.DataFrame, mine: dict[str, str], stamps: pd.Series, inputs: Inputs
) -> tuple[list[float], tuple[str, ...]]:
    """Return each row's length: TimeGrain where the table has it, else the step between its times."""
    if inputs.names.bucket_hours:
        return [inputs.names.bucket_hours] * len(table), ()
    if "timegrain" in mine:
        grains = {text: pd.Timedelta(str(text)).total_seconds() / SECONDS_PER_HOUR
                  for text in table[mine["timegrain"]].dropna().unique()}  # fmt: skip
        return [grains.get(text, 1 / 60) for text in table[mine["timegrain"]]], ()
    steps = pd.Series(sorted(stamps.dropna().unique())).diff().dropna().dt.total_seconds()
    step = float(steps.min()) if len(steps) else SECONDS_PER_HOUR
    hours = min(step, 86400.0) / SECONDS_PER_HOUR
    return [hours] * len(table), (
        f"no TimeGrain: rows are {hours * 60:g} minutes long, as the least step of their times",
    )


def _tags(table: pd.DataFrame, mine: dict[str, str]) -> list[dict[str, Any]]:
    """Return each row's dimensions: columns that are named after them, and AzureMetricsV2's JSON."""
    found: list[dict[str, Any]] = [{} for _ in range(len(table))]
    for flat, name in mine.items():
        place = PLACES.get(flat.removesuffix("s") if flat.endswith("ids") else flat, flat)
        if place in PLACES.values() or flat.lstrip("_") in RESOURCE or flat in ("statuscode", "apiname", "streamtype"):
            for index, value in enumerate(table[name]):
                if not numbers.is_blank(value):
                    found[index].setdefault(place if place in PLACES.values() else flat.lstrip("_"), str(value))
    if "dimensions" in mine:
        for index, text in enumerate(table[mine["dimensions"]]):
            try:
                given = json.loads(text) if isinstance(text, str) and text.strip() else {}
            except ValueError:
                continue
            for key, value in (given or {}).items():
                found[index][PLACES.get(flat_name(key), flat_name(key))] = str(value)
    return found


FORMAT = Format(
    name="azure_log_analytics",
    title="Azure Log Analytics (AzureMetrics, or a query with a column a metric) as CSV",
    finest="one minute (TimeGrain PT1M)",
    cached_in_input=True,
    recognise=recognise,
    read=read,
    signs=(LONG_SIGNS,),
    rows=None,
    repeats="values of one metric, moment, resource and set of dimensions are one, the largest",
    region="region",
    workload="modeldeploymentname",
    model="modelname",
    lacks=("no deployment or model in AzureMetrics, which has no dimensions: say --workload and the model in the map",),
)
