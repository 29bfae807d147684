# ruff: noqa: PD003  (these are Ibis columns, not pandas)
"""The aggregation, stated once for every export and every engine: readings -> faults found and hours summed.

One grouped pass over the readings gives both the hours and the count of each fault; a second, over the busiest hours
only where the log is long, gives the peak minute (busy.py). Times are whole numbers since 1970 UTC, which every SQL
engine divides alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import Any

import numpy as np
import pandas as pd

from planner.features.demand.busy import bursts, minute_counts, stamp
from planner.features.demand.duplicates import each_id_once, id_counts
from planner.features.demand.engine import fetched, fetched_together, settled
from planner.features.demand.findings import Finding
from planner.features.demand.formats.base import READING, RULE_CODE, Format, Reading
from planner.features.demand.formats.cells import NO_NUMBER
from planner.features.demand.history import SERIES, UNKNOWN, VALUES
from planner.features.demand.names import NameMap
from planner.units import SECONDS_PER_HOUR

LONG_AGO_EPOCH = 1420070400  # 2015-01-01: no LLM was billed by the token before
TOO_LARGE = 10**15
NO_HOUR = -1  # of rows without a time
EXAMPLES = 5  # rows that are shown of each rule
EXAMPLE = ("epoch", "time_text", *SERIES, "input_tokens", "output_tokens", "id")


@dataclass(frozen=True)
class Hours:
    """Sums by hour, series and source file (rows that passed), and what was found wrong."""

    frame: pd.DataFrame
    findings: tuple[Finding, ...]
    rows_read: int


def labelled(table: Any, format: Format, names: NameMap) -> Any:
    """Add region, workload and model from the export's own columns, renamed by the map; null where it has none."""
    import ibis

    given: dict[str, Any] = {}
    for dimension in SERIES:
        own = names.dimensions.get(dimension) or getattr(format, dimension)  # type: ignore[call-overload]
        renames = dict(names.names.get(dimension, {}))  # type: ignore[call-overload]
        hint = own is None and dimension == "region" and format.region_hint is not None and bool(renames)
        own = format.region_hint if hint else own
        value = ibis.null("string")
        if own is not None and own in table.columns:
            value = table[own].cast("string")
            if renames:
                value = value.substitute(renames, else_=ibis.null("string") if hint else value)
        given[dimension] = value
    if "filename" in table.columns:
        given["source"] = table["filename"]
    return table.select(*[name for name in ("moment", "time_text", *READING) if name in table.columns], **given)


def with_defaults(frame: pd.DataFrame, names: NameMap) -> pd.DataFrame:
    """Fill the names that the export lacks: the map's defaults; a workload is called after its model."""
    filled = {name: frame[name].astype("str").replace("", None) for name in SERIES}
    for name in ("region", "model"):
        filled[name] = filled[name].fillna(names.defaults.get(name, UNKNOWN))
    default = names.defaults.get("workload")
    filled["workload"] = filled["workload"].fillna(filled["model"] if default is None else default)
    return frame.assign(**filled)


def judged(
    table: Any,
    now_epoch: float,
    cached_in_input: bool,
    since_epoch: float = LONG_AGO_EPOCH,
    bucket_hours: float | None = None,
) -> Any:
    """Add the hour, the span of the bucket, and ``verdict``: the code of the first rule that strikes, 0 for none.

    A positive verdict keeps the row out. A negative one repairs it: ``-cached_above_input``, ``-null_as_zero``. Rows of
    one verdict are summed apart, so that the repair can be made on the sums: every row of it has fresh input 0.
    ``bucket_hours`` is what all rows share; None: the table has it by row, and gets a ``span``.
    """
    import ibis

    present = [name for name in VALUES if name in table.columns]
    given, output = _or_null(table, "input_tokens"), _or_null(table, "output_tokens")
    cached, written = _or_null(table, "cached_tokens"), _or_null(table, "written_tokens")
    one_request = table["bucket_hours"] == 0 if bucket_hours is None else ibis.literal(bucket_hours == 0)
    nothing = given.isnull() & output.isnull()
    if not cached_in_input:
        nothing &= cached.isnull() & written.isnull()
    if "requests" in present:
        nothing &= one_request | table["requests"].isnull()
    told = {"input_tokens", "output_tokens"} <= set(present)
    verdict = ibis.cases(
        *([(_sound(table, present, now_epoch, since_epoch), 0)] if told else []),
        (table["epoch"].isnull(), RULE_CODE["no_time"]),
        (_after(table, now_epoch), RULE_CODE["future"]),
        (_before(table, since_epoch), RULE_CODE["long_ago"]),
        *([(table["skip"] > 0, table["skip"])] if "skip" in table.columns else []),
        (reduce(or_, [table[name] < 0 for name in present]), RULE_CODE["negative"]),
        (reduce(or_, [table[name] > TOO_LARGE for name in present]), RULE_CODE["too_large"]),
        (nothing, RULE_CODE["null_tokens"]),
        *(
            [(cached.fill_null(0) + written.fill_null(0) > given, -RULE_CODE["cached_above_input"])]
            if cached_in_input and {"cached_tokens", "written_tokens"} & set(present)
            else []
        ),
        ((given.isnull() | output.isnull()) & one_request, -RULE_CODE["null_as_zero"]),
        else_=0,
    )
    added = {"verdict": verdict.cast("int16"), "hour": (table["epoch"] / SECONDS_PER_HOUR).floor().cast("int64")}
    if bucket_hours is None:
        added["span"] = ibis.cases((table["bucket_hours"] > 1.0, table["bucket_hours"]), else_=1.0)
    return table.mutate(**added)


def _sound(table: Any, present: list[str], now_epoch: float, since_epoch: float) -> Any:
    """Tell in one test that no rule can strike, for nearly all rows: a blank anywhere, and the rules are asked in turn.

    It is stricter than they are, never laxer: input that holds the cached tokens is at least as many.
    """
    time, first = _clock(table, since_epoch)
    _, last = _clock(table, now_epoch)
    tests = [time.between(first, last), *[table[name].between(0, TOO_LARGE) for name in present]]
    tests += [table["skip"] == 0] if "skip" in table.columns else []
    cached = [table[name] for name in ("cached_tokens", "written_tokens") if name in present]
    tests += [sum(cached[1:], start=cached[0]) <= table["input_tokens"]] if cached else []
    return reduce(and_, tests)


def _after(table: Any, epoch: float) -> Any:
    time, limit = _clock(table, epoch)
    return time > limit


def _before(table: Any, epoch: float) -> Any:
    time, limit = _clock(table, epoch)
    return time < limit


def _clock(table: Any, epoch: float) -> tuple[Any, Any]:
    """Return the column that tells the time, and a moment as it compares with it: the export's own where it has one."""
    return (table["moment"], stamp(table["moment"], epoch)) if "moment" in table.columns else (table["epoch"], epoch)


def _or_null(table: Any, name: str) -> Any:
    import ibis

    return table[name] if name in table.columns else ibis.null("float64")


def sum_hours(readings: Any, cached_in_input: bool, bucket_hours: float | None = None) -> pd.DataFrame:
    """Sum judged readings by hour [hours since 1970], series, span, source and verdict, and make the repairs."""
    keys = [name for name in ("hour", "span", *SERIES, "source", "verdict") if name in readings.columns]
    sums = {name: readings[name].sum().cast("float64") for name in VALUES if name in readings.columns}
    frame = fetched(readings.group_by(keys).aggregate(rows=readings.count(), **sums))
    frame["hour"] = frame["hour"].fillna(NO_HOUR).astype("int64")
    if "source" not in frame:
        frame["source"] = ""
    if bucket_hours is not None:
        frame["span"] = max(1.0, bucket_hours)
        if bucket_hours == 0 and "requests" not in frame:
            frame["requests"] = frame["rows"]
    for name in (*VALUES, "span"):
        if name not in frame:
            frame[name] = np.nan
        frame[name] = frame[name].astype("float64")
    if cached_in_input:
        given = frame["input_tokens"] - frame["cached_tokens"].fillna(0.0) - frame["written_tokens"].fillna(0.0)
        frame["input_tokens"] = given.mask(frame["verdict"] == -RULE_CODE["cached_above_input"], 0.0)
    blank = frame["verdict"] == -RULE_CODE["null_as_zero"]
    for name in ("input_tokens", "output_tokens"):
        frame[name] = frame[name].mask(blank & frame[name].isna(), 0.0)
    return frame


def aggregate(reading: Reading, readings: Any, format: Format, names: NameMap) -> Hours:
    """Sum judged readings into hours, each request id once, and name every rule that struck.

    Parameters
    ----------
    reading : what the format returned: whether there are ids, and whether they need a check.
    readings : its table, labelled and judged.
    format, names : whether the format's input includes cached tokens, and the defaults of names it lacks.
    """
    return _aggregate(reading, settled(readings), format, names)


def _aggregate(reading: Reading, readings: Any, format: Format, names: NameMap) -> Hours:
    frame = sum_hours(readings, format.cached_in_input, reading.bucket_hours)
    rows_read = int(frame["rows"].sum())
    struck = frame[frame["verdict"] != 0].groupby("verdict")["rows"].sum()
    good = frame[frame["verdict"] <= 0].drop(columns=["verdict"])
    told = fetched_together(_questions(reading, readings, frame, good))
    if "ids" in told and told["ids"]["rows"][0] > told["ids"]["ids"][0]:
        once = _aggregate(replace(reading, ids_to_check=False), each_id_once(readings), format, names)
        repeats = Finding("duplicate", rows_read - once.rows_read)
        return Hours(once.frame, (repeats, *once.findings), rows_read)
    found = []
    rules = {code: name for name, code in RULE_CODE.items()}
    for code, count in struck.items():
        shown = told["examples" if "examples" in told else f"examples {code}"]
        examples = shown[shown["verdict"] == code].reindex(columns=list(EXAMPLE)).itertuples()
        found.append(Finding(rules[abs(int(str(code)))], int(count), tuple(sorted(map(_told, examples)))))
    good = good.assign(burst=np.nan)
    if "minutes" in told:
        measured, keys = bursts(told["minutes"]), ["hour", *SERIES]
        there = good["hour"].isin(measured["hour"])  # of a long log, few
        good.loc[there, "burst"] = good.loc[there, keys].merge(measured, how="left", on=keys)["burst"].to_numpy()
    return Hours(with_defaults(good, names), tuple(found), rows_read)


def _questions(reading: Reading, readings: Any, frame: pd.DataFrame, good: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """Yield what is still to be asked once the hours are known: ``minutes``, ``ids``, ``examples``; the longest first.

    The examples of each verdict are a question of their own to DuckDB, which stops at the fifth row: ``examples 7``.
    Any other engine is asked once for all, as each question may scan the whole log.
    """
    import ibis

    if (good["span"] == 1.0).any() and reading.may_tell_minutes:
        yield "minutes", minute_counts(readings, good, reading.bucket_hours, all_passed=len(good) == len(frame))
    if reading.ids_to_check:
        yield "ids", id_counts(readings, frame[frame["hour"] != NO_HOUR])
    codes = [int(code) for code in frame["verdict"].unique() if code]
    wanted = [name for name in ("verdict", *EXAMPLE) if name in readings.columns]
    if readings.get_backend().name == "duckdb":
        for code in codes:
            yield f"examples {code}", readings.filter(readings["verdict"] == code).limit(EXAMPLES).select(*wanted)
    elif codes:
        struck = readings.filter(readings["verdict"].isin(codes))
        numbered = struck.mutate(nth=ibis.row_number().over(group_by="verdict", order_by="epoch"))
        yield "examples", numbered.filter(numbered["nth"] < EXAMPLES).select(*wanted)


def _told(row: Any) -> str:
    moment = f"time {row.time_text!r}" if isinstance(row.time_text, str) and row.time_text else "no time"
    if row.epoch == row.epoch and abs(row.epoch) < 8e9:
        moment = f"{pd.Timestamp(row.epoch, unit='s'):%Y-%m-%dT%H:%M:%SZ}"
    label = f" id {row.id}" if isinstance(row.id, str) else ""
    named = _named(row.workload, row.model)
    return f"{moment} {named} input {_shown(row.input_tokens)} output {_shown(row.output_tokens)}{label}"


def _named(*names: object) -> str:
    return "/".join(name for name in names if isinstance(name, str) and name) or "no name"


def _shown(value: float | None) -> str:
    if value is None or value != value:
        return "blank"
    return "no number" if value >= NO_NUMBER else f"{value:g}"
