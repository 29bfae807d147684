# ruff: noqa: PD003, PD004  (these are Ibis columns, not pandas)
"""The aggregation, stated once for every export and every engine: readings -> faults found and hours summed.

One grouped pass over the readings gives both the hours and the count of each fault; a second, over the busiest hours
only, gives the peak minute. Times are whole numbers since 1970 UTC, which every SQL engine divides alike.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.demand.findings import Finding
from planner.demand.formats.base import RULE_CODE, Format
from planner.demand.history import SERIES, UNKNOWN, VALUES
from planner.demand.names import NameMap
from planner.units import MINUTES_PER_HOUR

SECONDS_PER_HOUR = 3600
LONG_AGO_EPOCH = 1420070400  # 2015-01-01: no LLM was billed by the token before
TOO_LARGE = 1e15
EXACT_ID_ROWS, ID_SAMPLE = 2_000_000, 16  # above this, ids are first tried on one in 16
BURST_ROWS = 1_000_000  # the peak minute is measured in the busiest hours that hold this many rows
MINUTE_HOURS = 1 / MINUTES_PER_HOUR
EXAMPLES = 5


@dataclass(frozen=True)
class Hours:
    """Sums by hour, series and source file (rows that passed), and what was found wrong."""

    frame: pd.DataFrame
    findings: tuple[Finding, ...]
    rows_read: int


def labelled(table: Any, format: Format, names: NameMap) -> Any:
    """Add region, workload and model: the export's own column, renamed by the map, else the map's default."""
    import ibis

    given: dict[str, Any] = {}
    for dimension in SERIES:
        own = names.dimensions.get(dimension) or getattr(format, dimension)  # type: ignore[call-overload]
        renames = dict(names.names.get(dimension, {}))  # type: ignore[call-overload]
        hint = own is None and dimension == "region" and format.region_hint is not None and bool(renames)
        own = format.region_hint if hint else own
        value = ibis.null("string")
        if own is not None and own in table.columns:
            value = table[own].cast("string").nullif("")
            if renames:
                value = value.substitute(renames, else_=ibis.null("string") if hint else value)
        given[dimension] = value
    for dimension in SERIES:
        fallback = names.defaults.get(dimension)  # type: ignore[call-overload]
        if fallback is None and dimension == "workload":
            given[dimension] = ibis.coalesce(given["workload"], given["model"], ibis.literal("all"))
        else:
            given[dimension] = ibis.coalesce(given[dimension], ibis.literal(fallback or UNKNOWN))
    source = table["filename"] if "filename" in table.columns else ibis.literal("")
    return table.mutate(**given, source=source)


def judged(table: Any, cached_in_input: bool, now_epoch: float) -> Any:
    """Add ``fault`` (code of the first rule that keeps the row out, else 0), fresh input, and marks of repairs."""
    import ibis

    counts = [table[name] for name in VALUES]
    cached, written = table["cached_tokens"].fill_null(0.0), table["written_tokens"].fill_null(0.0)
    given_input, given_output = table["input_tokens"].fill_null(0.0), table["output_tokens"].fill_null(0.0)
    fresh = given_input - cached - written if cached_in_input else given_input
    nothing = table["input_tokens"].isnull() & table["output_tokens"].isnull()
    if not cached_in_input:
        nothing &= table["cached_tokens"].isnull() & table["written_tokens"].isnull()
    fault = ibis.cases(
        (table["epoch"].isnull(), RULE_CODE["no_time"]),
        (table["epoch"] > now_epoch, RULE_CODE["future"]),
        (table["epoch"] < LONG_AGO_EPOCH, RULE_CODE["long_ago"]),
        (table["skip"] > 0, table["skip"]),
        (_any([value < 0 for value in counts]), RULE_CODE["negative"]),
        (_any([value > TOO_LARGE for value in counts]), RULE_CODE["too_large"]),
        (nothing & (table["bucket_hours"] == 0), RULE_CODE["null_tokens"]),
        else_=0,
    )
    return table.mutate(
        fault=fault.cast("int16"),
        hour=(table["epoch"] / SECONDS_PER_HOUR).floor().cast("int64"),
        span=ibis.cases((table["bucket_hours"] > 1.0, table["bucket_hours"]), else_=1.0),
        input_tokens=ibis.cases((fresh < 0, 0.0), else_=fresh),
        output_tokens=given_output,
        above=(fresh < 0).ifelse(1, 0),
        blank=(
            (table["bucket_hours"] == 0) & (table["input_tokens"].isnull() | table["output_tokens"].isnull())
        ).ifelse(1, 0),
    )


def _any(tests: list[Any]) -> Any:
    result = tests[0]
    for test in tests[1:]:
        result |= test
    return result


def sum_hours(readings: Any) -> pd.DataFrame:
    """Sum judged readings by hour, series, span, source and fault: the one pass over everything."""
    keys = ["hour", "span", *SERIES, "source", "fault"]
    sums = {name: readings[name].sum() for name in VALUES}
    frame: pd.DataFrame = (
        readings.group_by(keys)
        .aggregate(
            rows=readings.count(),
            with_id=readings["id"].count(),
            above=readings["above"].sum(),
            blank=readings["blank"].sum(),
            **sums,
        )
        .to_pandas()
    )
    for name in (*VALUES, "span"):
        frame[name] = frame[name].astype("float64")
    return frame


def aggregate(readings: Any, engine: Any, unique_ids: bool) -> Hours:
    """Sum judged readings into hours, each request id once, and name every fault.

    ``unique_ids`` says that the database itself keeps ids apart (a primary key), so that they need no check.
    """
    frame = sum_hours(readings)
    found: list[Finding] = []
    rows_read = int(frame["rows"].sum())
    with_id = int(frame["with_id"].sum())
    if with_id and not unique_ids and engine.name == "duckdb" and _has_duplicates(readings, with_id):
        readings = _each_id_once(readings)
        frame = sum_hours(readings)
        found.append(Finding("duplicate", rows_read - int(frame["rows"].sum())))
    names = {code: name for name, code in RULE_CODE.items()}
    for code, count in frame[frame["fault"] > 0].groupby("fault")["rows"].sum().items():
        found.append(Finding(names[int(str(code))], int(count), _examples(readings, int(str(code)))))
    good = frame[frame["fault"] == 0]
    for rule, mark in (("cached_above_input", "above"), ("null_as_zero", "blank")):
        if count := int(good[mark].sum()):
            found.append(Finding(rule, count))
    good = good.drop(columns=["fault", "above", "blank"]).merge(
        _burst(readings, good), how="left", on=["hour", *SERIES]
    )
    return Hours(good.reset_index(drop=True), tuple(found), rows_read)


def _has_duplicates(readings: Any, with_id: int) -> bool:
    """Tell whether an id comes twice: exactly for few rows; for many, by one id in 16 chosen by its hash."""
    ids = readings.filter(readings["id"].notnull())["id"].hash()
    if with_id > EXACT_ID_ROWS:
        ids = ids.name("h").as_table()
        ids = ids.filter(ids["h"] % ID_SAMPLE == 0)["h"]
    table = ids.name("h").as_table()
    counts = table.aggregate(rows=table.count(), ids=table["h"].nunique()).to_pandas()
    return bool(counts["rows"][0] > counts["ids"][0])


def _each_id_once(readings: Any) -> Any:
    """Keep one row of each id, with the largest of each value: a streamed log may hold a part and then the whole."""
    named = readings.filter(readings["id"].notnull())
    rest = [name for name in readings.columns if name != "id"]
    once = named.group_by("id").aggregate(**{name: named[name].max() for name in rest})
    return once.select(*readings.columns).union(readings.filter(readings["id"].isnull()))


def _examples(readings: Any, code: int) -> tuple[str, ...]:
    shown = readings.filter(readings["fault"] == code).limit(EXAMPLES)
    rows = shown.select("epoch", *SERIES, "requests", "input_tokens", "output_tokens", "id").to_pandas()
    texts = []
    for row in rows.itertuples():
        moment = "no time"
        if row.epoch == row.epoch and abs(row.epoch) < 8e9:
            moment = f"{pd.Timestamp(row.epoch, unit='s'):%Y-%m-%dT%H:%M:%SZ}"
        label = f" id {row.id}" if isinstance(row.id, str) else ""
        texts.append(
            f"{moment} {row.workload}/{row.model} input {row.input_tokens:g} output {row.output_tokens:g}{label}"
        )
    return tuple(sorted(texts))


def _burst(readings: Any, good: pd.DataFrame) -> pd.DataFrame:
    """Measure the peak minute over the hour's mean, by requests, in each workload's busiest hours.

    Only readings of a minute or finer can tell. Counting every minute of a long log would cost several times the
    aggregation itself, and capacity is short in busy hours only.
    """
    import ibis

    empty = pd.DataFrame(
        {"hour": pd.Series(dtype="int64"), **{n: pd.Series(dtype=object) for n in SERIES}, "burst": 0.0}
    )
    rows = int(good["rows"].sum())
    fine = readings["bucket_hours"] <= MINUTE_HOURS * 1.001
    probe = readings.filter((readings["fault"] == 0) & fine & readings["requests"].notnull())
    if not rows or good["requests"].isna().all() or probe.limit(1).to_pandas().empty:
        return empty
    if rows > BURST_ROWS:
        total = good.groupby(["workload", "hour"])["rows"].sum().sort_values(ascending=False, kind="stable")
        share = BURST_ROWS / rows
        count = total.groupby("workload").transform(lambda s: np.arange(len(s)) < max(1, round(share * len(s) / 2)))
        busy = sorted({int(hour) for _, hour in total[count.astype(bool)].index})
        probe = probe.semi_join(ibis.memtable(pd.DataFrame({"busy": busy})), probe["hour"] == ibis._["busy"])
    minute = probe.mutate(minute=(probe["epoch"] / MINUTES_PER_HOUR).floor().cast("int64"))
    counts = minute.group_by(["hour", "minute", *SERIES]).aggregate(n=minute["requests"].sum())
    peak = counts.group_by(["hour", *SERIES]).aggregate(top=counts["n"].max(), all=counts["n"].sum()).to_pandas()
    peak = peak[peak["all"] > 0]
    return peak.assign(burst=MINUTES_PER_HOUR * peak["top"] / peak["all"])[["hour", *SERIES, "burst"]]
