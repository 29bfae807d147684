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

from planner.features.demand.batch_marks import marked
from planner.features.demand.busy import bursts, minute_counts, stamp
from planner.features.demand.copies import each_id_once, id_counts
from planner.features.demand.engine import fetched, fetched_together, settled
from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.cells import NO_NUMBER
from planner.features.demand.formats.format import READING, RULE_CODE, ExportReading, Format
from planner.features.demand.formats.numbers import BLANKS
from planner.features.demand.history import SERIES, UNKNOWN, VALUES
from planner.features.demand.names import NameMap
from planner.units import SECONDS_PER_HOUR

LONG_AGO_EPOCH = 1420070400  # 2015-01-01: no LLM was billed by the token before
TOO_LARGE = 10**15
NO_HOUR = -1  # of rows without a time
MANY_ROWS, MANY_SHARE = 3, 0.05  # with more cached than input, before input is taken to leave cached tokens out
LEAST_PARTS = 2  # named rows, before a nameless one may be their total
TOTAL_WORDS = ("total", "totals", "grand total", "sum", "all", "(all)", "subtotal", "gesamt", "summe")
EXAMPLES = 5  # rows that are shown of each rule
EXAMPLE = ("epoch", "time_text", *SERIES, "input_tokens", "output_tokens", "id")


@dataclass(frozen=True)
class Hours:
    """Sums by hour, series and source file (rows that passed), and what was found wrong."""

    frame: pd.DataFrame
    findings: tuple[ExportFinding, ...]
    rows_read: int


def labelled(reading: ExportReading, format: Format, names: NameMap) -> Any:
    """Add region, workload and model from the export's own columns, renamed by the map; null where it has none."""
    import ibis

    table = reading.table
    given: dict[str, Any] = {}
    for dimension in SERIES:
        said = names.dimensions.get(dimension)  # type: ignore[call-overload]
        own = said or getattr(reading, dimension) or getattr(format, dimension)
        renames = dict(names.names.get(dimension, {}))  # type: ignore[call-overload]
        hint = own is None and dimension == "region" and format.region_hint is not None and bool(renames)
        own = format.region_hint if hint else own
        value = ibis.null("string")
        if own is not None and own in table.columns:
            value = table[own].cast("string")
            if renames:
                value = value.substitute(renames, else_=ibis.null("string") if hint else value)
        given[dimension] = value
    if format.batch:
        default = names.defaults.get("workload")
        unnamed = ibis.coalesce(given["model"], ibis.literal(UNKNOWN)) if default is None else ibis.literal(default)
        given["workload"] = marked(table, format.batch, given["workload"], unnamed)
    if "filename" in table.columns:
        given["source"] = table["filename"]
    return table.select(*[name for name in ("moment", "time_text", *READING) if name in table.columns], **given)


def with_defaults(frame: pd.DataFrame, names: NameMap) -> pd.DataFrame:
    """Fill the names that the export lacks: the map's defaults; a workload is called after its model."""
    filled = {name: _named_only(frame[name]) for name in SERIES}
    for name in ("region", "model"):
        filled[name] = filled[name].fillna(names.defaults.get(name, UNKNOWN))
    default = names.defaults.get("workload")
    filled["workload"] = filled["workload"].fillna(filled["model"] if default is None else default)
    return frame.assign(**filled)


def _named_only(values: pd.Series) -> pd.Series:
    """Return names as text, None where a blank is written as a word."""
    texts = values.astype("str")
    blank = {text for text in texts.dropna().unique() if text.strip().lower() in BLANKS}
    return texts.mask(texts.isin(blank), None)


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
    given = _or_null(table, "input_tokens")
    cached, written = _or_null(table, "cached_tokens"), _or_null(table, "written_tokens")
    counts = [table[name] for name in present]
    held = {"requests", "cached_tokens", "written_tokens"} if cached_in_input else {"requests"}
    tokens = [name for name in present if name not in held] or [name for name in present if name != "requests"]
    nothing = reduce(and_, [table[name].isnull() for name in tokens] or [ibis.literal(True)])
    if "requests" in present:
        one_request = table["bucket_hours"] == 0 if bucket_hours is None else ibis.literal(bucket_hours == 0)
        nothing &= one_request | table["requests"].isnull()
    sound = [(_sound(table, present, now_epoch, since_epoch, cached_in_input), 0)] if counts else []
    verdict = ibis.cases(
        *sound,
        (table["epoch"].isnull(), RULE_CODE["no_time"]),
        (_after(table, now_epoch), RULE_CODE["future"]),
        (_before(table, since_epoch), RULE_CODE["long_ago"]),
        *([(table["skip"] > 0, table["skip"])] if "skip" in table.columns else []),
        (reduce(or_, [value < 0 for value in counts] or [ibis.literal(False)]), RULE_CODE["negative"]),
        (reduce(or_, [value > TOO_LARGE for value in counts] or [ibis.literal(False)]), RULE_CODE["too_large"]),
        (nothing, RULE_CODE["null_tokens"]),
        *(
            [(cached.fill_null(0) + written.fill_null(0) > given, -RULE_CODE["cached_above_input"])]
            if cached_in_input and {"cached_tokens", "written_tokens"} & set(present)
            else []
        ),
        *([(_differs(table, cached_in_input), -RULE_CODE["total_differs"])] if "total_tokens" in table.columns else []),
        *([(_parts_of_a_whole(counts), -RULE_CODE["fractional"])] if _parts_of_a_whole(counts) is not None else []),
        (reduce(or_, [value.isnull() for value in counts] or [ibis.literal(False)]), -RULE_CODE["null_as_zero"]),
        else_=0,
    )
    added = {"verdict": verdict.cast("int16"), "hour": (table["epoch"] / SECONDS_PER_HOUR).floor().cast("int64")}
    if bucket_hours is None:
        added["span"] = ibis.cases((table["bucket_hours"] > 1.0, table["bucket_hours"]), else_=1.0)
    return table.mutate(**added)


def _differs(table: Any, cached_in_input: bool) -> Any:
    """Tell a row whose own total is not the sum of its counts; one without a total, or with a blank, tells nothing."""
    total, given, output = (_or_null(table, name) for name in ("total_tokens", "input_tokens", "output_tokens"))
    cached, written = (_or_null(table, name).fill_null(0) for name in ("cached_tokens", "written_tokens"))
    mine = given + output if cached_in_input else given + output + cached + written
    return (total - mine).abs() > 0.5


def _parts_of_a_whole(counts: list[Any]) -> Any:
    """Tell a count that is no whole number; None where the types are whole."""
    broken = [(value != value.floor()) & (value < TOO_LARGE) for value in counts if not value.type().is_integer()]
    return reduce(or_, broken) if broken else None


def _sound(table: Any, present: list[str], now_epoch: float, since_epoch: float, cached_in_input: bool) -> Any:
    """Tell in one test that no rule can strike, for nearly all rows: a blank anywhere, and the rules are asked in turn.

    It is stricter than they are, never laxer: input that holds the cached tokens is at least as many.
    """
    time, first = _clock(table, since_epoch)
    _, last = _clock(table, now_epoch)
    tests = [time.between(first, last), *[table[name].between(0, TOO_LARGE) for name in present]]
    tests += [table["skip"] == 0] if "skip" in table.columns else []
    cached = [table[name] for name in ("cached_tokens", "written_tokens") if name in present]
    tests += [sum(cached[1:], start=cached[0]) <= table["input_tokens"]] if cached and "input_tokens" in present else []
    broken = _parts_of_a_whole([table[name] for name in present])
    tests += [~broken] if broken is not None else []
    if "total_tokens" in table.columns:
        tests.append(table["total_tokens"].notnull() & ~_differs(table, cached_in_input))  # noqa: PD004
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


def sum_hours(
    readings: Any, cached_in_input: bool, bucket_hours: float | None = None, by_data: bool = False
) -> pd.DataFrame:
    """Sum judged readings by hour [hours since 1970], series, span, source and verdict, and make the repairs.

    ``by_data``: rows with more cached tokens than input may show that input leaves them out (column ``apart``).
    """
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
    frame["apart"] = False
    if cached_in_input:
        if by_data:
            frame["apart"] = _leave_cached_out(frame)
        whole = frame["input_tokens"] - frame["cached_tokens"].fillna(0.0) - frame["written_tokens"].fillna(0.0)
        whole = whole.mask(frame["verdict"] == -RULE_CODE["cached_above_input"], 0.0)
        frame["input_tokens"] = whole.mask(frame["apart"], frame["input_tokens"])
    seen = [name for name in VALUES if frame[name].notna().any()]
    blank = frame["verdict"] < 0  # of any repair: what is blank beside it counts as 0
    for name in seen:
        frame[name] = frame[name].mask(blank & frame[name].isna(), 0.0)
    return frame


def _leave_cached_out(frame: pd.DataFrame) -> pd.Series:
    """Tell the rows of those writers (a file's model and workload) whose input leaves cached tokens out.

    Where input includes them, none can have more cached than input. One such row is a fault of that row; from three of
    them, and a twentieth of the rows that have cached tokens, or over half of them, it is how they all are counted.
    """
    writer = [name for name in ("source", "model", "workload") if name in frame.columns]
    cached = frame["cached_tokens"].fillna(0.0) + frame["written_tokens"].fillna(0.0)
    there = frame.assign(
        above=frame["rows"].where(frame["verdict"] == -RULE_CODE["cached_above_input"], 0),
        cached_rows=frame["rows"].where((cached > 0) & (frame["verdict"] <= 0), 0),
    )
    sums = there.groupby(writer, dropna=False)[["above", "cached_rows"]].transform("sum")
    many = (sums["above"] >= MANY_ROWS) & (sums["above"] >= MANY_SHARE * sums["cached_rows"])
    return (sums["above"] > 0) & (many | (sums["above"] > sums["cached_rows"] / 2))


def total_rows(frame: pd.DataFrame, cached_in_input: bool) -> pd.Series:
    """Tell the rows that are sums of all others, or of the others of their hour, as reports and pivots have them.

    Such a row has no name, or a word such as ``Total``, where the others have names; its input and its output are the
    sums to the token, and so are its other counts, where it has them.
    """
    nameless = pd.Series(False, index=frame.index)
    for name in SERIES:
        if name in frame and frame[name].notna().any():
            names = frame[name].astype("str").str.strip().str.lower()
            nameless |= frame[name].isna() | names.isin({*BLANKS, *TOTAL_WORDS})
    if not nameless.any() or nameless.all():
        return pd.Series(False, index=frame.index)
    counts = frame[list(VALUES)].fillna(0.0)
    if cached_in_input:
        counts["input_tokens"] += counts["cached_tokens"] + counts["written_tokens"]
    found = pd.Series(False, index=frame.index)
    for one_row, keys in ((True, ["source"]), (False, ["source", "hour"])):
        by = [frame[key] for key in keys]
        others = counts.where(~nameless, 0.0).groupby(by).transform("sum")
        same = ((counts - others).abs() < 0.5) | (counts == 0)
        sums = same.drop(columns="requests").all(axis=1) & (counts[["input_tokens", "output_tokens"]] > 0).all(axis=1)
        several = (~nameless).groupby(by).transform("sum") >= LEAST_PARTS
        alone = nameless.groupby(by).transform("sum") == 1
        found |= nameless & sums & several & alone & ((frame["rows"] == 1) | (not one_row))
    return found


def aggregate(reading: ExportReading, readings: Any, cached_in_input: bool, names: NameMap) -> Hours:
    """Sum judged readings into hours, each request id once, and name every rule that struck.

    Parameters
    ----------
    reading : what the format returned: whether there are ids, and whether they need a check.
    readings : its table, labelled and judged.
    cached_in_input : whether input includes cached tokens.
    names : the map, which may say so, and the defaults of names that the export lacks.
    """
    return _aggregate(reading, settled(readings), cached_in_input, names)


def _aggregate(reading: ExportReading, readings: Any, cached_in_input: bool, names: NameMap) -> Hours:
    by_data = reading.cached_by_data and names.cached_in_input is None
    frame = sum_hours(readings, cached_in_input, reading.bucket_hours, by_data)
    rows_read = int(frame["rows"].sum())
    struck = frame[frame["verdict"] != 0].groupby("verdict")["rows"].sum()
    above = frame["verdict"] == -RULE_CODE["cached_above_input"]
    apart = int(frame.loc[frame["apart"] & above, "rows"].sum())
    good = frame[frame["verdict"] <= 0].drop(columns=["verdict", "apart"])
    totals = total_rows(good, cached_in_input)
    good = good[~totals]
    told = fetched_together(_questions(reading, readings, frame, good))
    if "ids" in told and told["ids"]["rows"][0] > told["ids"]["ids"][0]:
        once = _aggregate(replace(reading, ids_to_check=False), each_id_once(readings), cached_in_input, names)
        repeats = ExportFinding("duplicate", rows_read - once.rows_read)
        return Hours(once.frame, (repeats, *once.findings), rows_read)
    found = []
    rules = {code: name for name, code in RULE_CODE.items()}
    for code, count in struck.items():
        shown = told["examples" if "examples" in told else f"examples {code}"]
        examples = shown[shown["verdict"] == code].reindex(columns=list(EXAMPLE)).itertuples()
        shown_rows = tuple(sorted(map(_told, examples)))
        rule, number = rules[abs(int(str(code)))], int(count)
        if rule == "cached_above_input" and apart:
            found.append(ExportFinding("cached_apart", apart, shown_rows))
            number -= apart
        if number:
            found.append(ExportFinding(rule, number, shown_rows))
    if totals.any():
        found.append(ExportFinding("total_row", int(frame.loc[totals.index[totals], "rows"].sum())))
    good = good.assign(burst=np.nan)
    if "minutes" in told:
        measured, keys = bursts(told["minutes"]), ["hour", *SERIES]
        there = good["hour"].isin(measured["hour"])  # of a long log, few
        good.loc[there, "burst"] = good.loc[there, keys].merge(measured, how="left", on=keys)["burst"].to_numpy()
    return Hours(with_defaults(good, names), tuple(found), rows_read)


def _questions(
    reading: ExportReading, readings: Any, frame: pd.DataFrame, good: pd.DataFrame
) -> Iterator[tuple[str, Any]]:
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
