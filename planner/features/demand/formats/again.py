"""Rows of a table without ids that come again: which are copies, which are parts of one whole, which are requests.

Exports that were put into one file repeat the hours that they share, and the first one's last hour is often cut off. In
a log of requests that shows as hours in a row in which every row comes twice (or three times): by chance some rows are
alike, not all. In a table of buckets it shows as buckets that come again, equal in every column.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.features.demand.export_findings import ExportFinding
from planner.units import SECONDS_PER_HOUR

SHORT_LOG_BYTES = 300_000_000  # up to here, rows of a log without ids are compared
TIMES = (4, 3, 2)  # that a log may be in a file
HOURS_IN_A_ROW, LEAST_ROWS = 3, 20  # of which every row comes again: half of all counts are even by chance


def each_row_once(
    table: Any, values: set[str], *, counted: bool, size: int, spare: Sequence[tuple[int, int]] = ()
) -> tuple[Any, tuple[ExportFinding, ...]]:
    """Drop buckets that come again, equal in every column, where at least half of the buckets that come again are so.

    Otherwise equal rows are parts of one whole (servers that the export does not name), and are added. Rows of a log
    that has no ids are requests: equal ones are noted, and stay, except in hours of which every row comes again.

    Parameters
    ----------
    table : with ``epoch_``, and where rows are buckets ``requests_``, their count of requests.
    values : the columns that hold counts; all others say which bucket a row is.
    counted : rows have a count of requests, so that they are buckets.
    size : of the files [bytes]; rows of a long log are not compared.
    spare : seconds since 1970, from and to: in the hour that a clock repeats in autumn, equal rows are two hours.
    """
    if not counted and size > SHORT_LOG_BYTES:
        return table, ()
    kinds = table.group_by(list(table.columns)).aggregate(times_=table.count())
    for first, last in spare:
        kinds = kinds.mutate(times_=(kinds["epoch_"].between(first, last - 1)).ifelse(1, kinds["times_"]))
    if not counted:
        return _requests_once(table, kinds)
    key = [name for name in table.columns if name not in values]
    buckets = kinds.group_by(key).aggregate(
        rows_=kinds["times_"].sum(), least_=kinds["times_"].min(), kinds_=kinds.count()
    )
    again = buckets.filter(buckets["rows_"] > 1)
    moments = again.group_by("epoch_").aggregate(
        buckets=again.count(),
        same=(again["least_"] > 1).sum(),
        parts=(again["kinds_"] > 1).sum(),
        pairs=((again["kinds_"] == 2) & (again["rows_"] == 2)).sum(),
    )
    told = moments.to_pandas().sort_values("epoch_", ignore_index=True)
    parts = (ExportFinding("parts", int(told["parts"].sum())),) if told["parts"].sum() else ()
    if not told["buckets"].sum() or told["same"].sum() < told["buckets"].sum() / 2:
        return table, parts
    lost = int((kinds["times_"] - 1).sum().to_pyarrow().as_py())
    if not lost:
        return table, parts
    once, cut = _distinct(table, spare), _cut_moments(told)
    if not cut:
        return once, (ExportFinding("duplicate", lost), *parts)
    most = once["requests_"].fill_null(-1).max().over(ibis_window(key))
    once = once.filter(~once["epoch_"].isin(cut) | (once["requests_"].fill_null(-1) == most))
    halves = int(told.loc[told["epoch_"].isin(cut), "parts"].sum())
    others = int(told["parts"].sum()) - halves
    parts = (ExportFinding("parts", others),) if others else ()
    return once, (ExportFinding("duplicate", lost + halves), *parts)


def ibis_window(key: Sequence[str]) -> Any:
    """Return the window of all rows with the same key."""
    import ibis

    return ibis.window(group_by=list(key))


def _cut_moments(told: pd.DataFrame) -> list[float]:
    """Return the moments at the edge of a run of copies at which two rows differ: one export was cut off there.

    Parameters
    ----------
    told : moments at which buckets come again, in order: how many, how many are copies, and how many are two that
        differ.
    """
    at, step = told["epoch_"].to_numpy(dtype=float), np.inf
    if len(at) > 1:
        step = float(np.diff(at).min())
    copies = (told["same"] == told["buckets"]).to_numpy()
    differ = (told["pairs"] == told["buckets"]).to_numpy()
    found = []
    for k in np.flatnonzero(differ):
        before = bool(k > 0 and at[k] - at[k - 1] <= step)
        after = bool(k + 1 < len(at) and at[k + 1] - at[k] <= step)
        if before != after and copies[k - 1 if before else k + 1]:
            found.append(float(at[k]))
    return found


def _requests_once(table: Any, kinds: Any) -> tuple[Any, tuple[ExportFinding, ...]]:
    """Drop the copies of a log that a file holds several times; note the requests that are alike elsewhere."""
    alike = kinds.filter(kinds["times_"] > 1)
    more = alike.aggregate(n=(alike["times_"] - 1).sum()).to_pandas()["n"].iloc[0]
    if not (more == more and more):
        return table, ()
    hour = (kinds["epoch_"] / SECONDS_PER_HOUR).floor().cast("int64")
    every = {f"by_{n}": (kinds["times_"] % n == 0).all() for n in TIMES}
    hours = kinds.group_by(hour=hour).aggregate(rows=kinds.count(), **every).to_pandas()
    spans = _repeated_spans(hours.dropna().sort_values("hour", ignore_index=True))
    if not spans:
        return table, (ExportFinding("alike", int(more)),)
    return _thinned(table, spans, int(more))


def _repeated_spans(hours: pd.DataFrame) -> list[tuple[int, int, int]]:
    """Return first hour, last hour, and how often each row comes, of hours in a row of which every row comes again."""
    found: list[tuple[int, int, int]] = []
    free = 0
    while free < len(hours):
        best = (0, 0)
        for times in TIMES:
            end = free
            while end < len(hours) and hours[f"by_{times}"].iloc[end]:
                end += 1
            enough = end - free >= HOURS_IN_A_ROW and hours["rows"].iloc[free:end].sum() >= LEAST_ROWS
            best = max(best, (end - free, times)) if enough else best
        if best[0]:
            found.append((int(hours["hour"].iloc[free]), int(hours["hour"].iloc[free + best[0] - 1]), best[1]))
        free += max(1, best[0])
    return found


def _thinned(table: Any, spans: Sequence[tuple[int, int, int]], alike: int) -> tuple[Any, tuple[ExportFinding, ...]]:
    """Keep each row of these hours once for every ``times`` that it comes; also next to them, where exports are cut."""
    import ibis

    columns, window = list(table.columns), ibis_window(table.columns)
    hour = (table["epoch_"] / SECONDS_PER_HOUR).floor().cast("int64")
    times = ibis.cases(*[(hour.between(first - 1, last + 1), n) for first, last, n in spans], else_=1)
    counted = table.mutate(
        place_=ibis.row_number().over(window), come_=ibis._.count().over(window), times_=times.cast("int64")
    )
    copies = (counted["come_"] % counted["times_"] == 0).ifelse(counted["times_"], 1)
    kept = counted.filter(counted["place_"] * copies < counted["come_"])
    gone = int(counted.count().to_pyarrow().as_py()) - int(kept.count().to_pyarrow().as_py())
    findings = (ExportFinding("duplicate", gone),)
    rest = alike - gone
    return kept.select(*columns), (*findings, ExportFinding("alike", rest)) if rest > 0 else findings


def _distinct(table: Any, spare: Sequence[tuple[int, int]]) -> Any:
    """Return each row once; those in a repeated hour as often as they come."""
    if not spare:
        return table.distinct()
    inside = table["epoch_"].between(spare[0][0], spare[0][1] - 1)
    for first, last in spare[1:]:
        inside |= table["epoch_"].between(first, last - 1)
    return table.filter(~inside.fill_null(False)).distinct().union(table.filter(inside))
