"""What the rows of a table stand for where nothing says so: days that look like hours, and rows that come twice."""

from typing import Any

import numpy as np

from planner.features.demand.findings import Finding
from planner.features.demand.formats.base import Inputs

LEAST_DAYS = 3  # midnights, before a file without any other hour is taken to count days
PROBED_ROWS = 1000
DATE_ALONE = r"^\s*\d{4}-\d{2}-\d{2}\s*$"
MIDNIGHT = r"^\s*\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?\s*(Z|[+-]00:?00)?)?\s*$"


def is_day(table: Any, moment: Any, inputs: Inputs, counted: bool) -> Any:
    """Return a column that tells the rows that count a whole day; None where there are none.

    A date without an hour is a day. So are buckets at midnight, in a file of at least three that has no other hour.
    """
    import ibis

    if not inputs.files:
        return ibis.literal(True) if moment.type().is_date() else None
    kind = moment.type()
    if kind.is_date():
        return ibis.literal(True)
    if not (kind.is_string() or (counted and kind.is_timestamp())):
        return None
    text = moment if kind.is_string() else moment.strftime("%Y-%m-%d %H:%M:%S")
    alone = text.re_search(DATE_ALONE) if kind.is_string() else ibis.literal(False)
    source = table["filename"] if "filename" in table.columns else ibis.literal("")
    rows = table.select(source=source, text=text, alone=alone, midnight=text.re_search(MIDNIGHT))
    rows = rows if counted else rows.limit(PROBED_ROWS)  # a request log may be long
    files = rows.group_by("source").aggregate(
        alone=rows["alone"].any(), midnight=rows["midnight"].all(), days=rows["text"].nunique()
    )
    found = files.to_pandas()
    daily = found[found["midnight"].astype(bool) & (found["days"] >= LEAST_DAYS)]["source"].tolist() if counted else []
    if not daily and not found["alone"].astype(bool).any():
        return None
    return alone | source.isin(daily) if daily else alone


def minutes_apart(table: Any, epoch: Any) -> int:
    """Return the minutes between buckets whose times are whole minutes of the hour; 60 where nothing is finer.

    Parameters
    ----------
    epoch : the column of times, in seconds since 1970. Times with seconds are no buckets: 60.
    """
    times = table.select(at=epoch.round().cast("int64"))
    seconds = times["at"]
    rows = times.select(second=seconds % 60, minute=(seconds // 60) % 60).distinct().to_pandas().dropna()
    if rows.empty or (rows["second"] != 0).any():
        return 60
    return int(np.gcd.reduce([60, *rows["minute"].astype(int)]))


def each_row_once(table: Any, values: set[str]) -> tuple[Any, tuple[Finding, ...]]:
    """Drop buckets that come again, equal in every column, where at least half of the buckets that come again are so.

    Otherwise equal rows are parts of one whole (servers that the export does not name), and are added.

    Parameters
    ----------
    values : the columns that hold counts; all others say which bucket a row is.
    """
    kinds = table.group_by(list(table.columns)).aggregate(times_=table.count())
    key = [name for name in table.columns if name not in values]
    buckets = kinds.group_by(key).aggregate(rows_=kinds["times_"].sum(), least_=kinds["times_"].min())
    again = buckets.filter(buckets["rows_"] > 1)
    counts = again.aggregate(buckets=again.count(), same=(again["least_"] > 1).sum()).to_pandas().iloc[0]
    if not counts["buckets"] or counts["same"] < counts["buckets"] / 2:
        return table, ()
    lost = int((kinds["times_"] - 1).sum().to_pyarrow().as_py())
    return table.distinct(), (Finding("duplicate", lost),)
