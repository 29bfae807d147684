"""Request ids that come twice: found, and each counted once.

Short logs are compared id by id. In long ones, comparing all ids would take longer than everything else, so three signs
are looked for first, and only where one shows are all ids compared: files that share hours; hours whose every count and
sum has a common divisor (exports that overlap repeat whole hours, and twice a number is even); and an id that comes
twice in the busiest hour, or in the hour that stands out most from the same hour of other days, as one does of which a
part was written twice.
"""

from typing import Any

import numpy as np
import pandas as pd

from planner.features.demand.busy import in_hours
from planner.features.demand.history import VALUES
from planner.units import HOURS_PER_DAY

SHORT_LOG_ROWS = 2_000_000
HOURS_IN_A_ROW = 3  # whose numbers must share a divisor: in one hour that happens by chance
SUSPECT_HOURS = 2


def id_counts(readings: Any, sums: pd.DataFrame) -> Any:
    """Return the expression that counts rows and ids, where a repeat would show: a table of one row, rows and ids."""
    several = "source" in readings.columns
    if int(sums["rows"].sum()) > SHORT_LOG_ROWS and not (several and shares_hours(sums)) and not repeats_hours(sums):
        readings = in_hours(readings, suspect_hours(sums))
    ids = readings.filter(readings["id"].notnull())["id"]  # noqa: PD004
    duck = readings.get_backend().name == "duckdb"  # whose hash is quicker and of 64 bits; others' may be of 32
    ids = (ids.hash() if duck else ids).name("h").as_table()
    return ids.aggregate(rows=ids.count(), ids=ids["h"].nunique())


def suspect_hours(sums: pd.DataFrame) -> list[int]:
    """Return the busiest hour, and the one with most rows over the usual of its hour of the day, in its own scatter.

    The usual is the median; a count of independent requests scatters by its square root.
    """
    rows = sums.groupby("hour")["rows"].sum()
    usual = rows.groupby(rows.index.to_numpy() % HOURS_PER_DAY).transform("median")
    excess = ((rows - usual) / np.sqrt(usual)).sort_values(ascending=False, kind="stable")
    found = dict.fromkeys([rows.idxmax(), *excess.index])
    return [int(str(hour)) for hour in list(found)[:SUSPECT_HOURS]]


def shares_hours(sums: pd.DataFrame) -> bool:
    """Tell whether two files have rows in the same hour."""
    return bool(sums[["hour", "source"]].drop_duplicates().duplicated("hour").any())


def repeats_hours(sums: pd.DataFrame) -> bool:
    """Tell whether the numbers of some hours in a row are all multiples of the same number."""
    order = np.argsort(sums["hour"].to_numpy(), kind="stable")
    hours = sums["hour"].to_numpy()[order]
    starts = np.flatnonzero(np.append(True, hours[1:] != hours[:-1]))
    by_hour = np.zeros(len(starts), dtype=np.int64)
    for name in ("rows", *VALUES):
        if (by_hour == 1).all():  # the rows alone clear most logs
            return False
        numbers = np.rint(np.nan_to_num(sums[name].to_numpy(dtype=float)))[order].astype(np.int64)
        by_hour = np.gcd(by_hour, np.gcd.reduceat(numbers, starts))
    windows = len(by_hour) - HOURS_IN_A_ROW + 1
    if windows < 1:
        return bool((by_hour > 1).any())
    runs = np.gcd.reduce([by_hour[k : k + windows] for k in range(HOURS_IN_A_ROW)])
    return bool((runs > 1).any())


def each_id_once(readings: Any) -> Any:
    """Keep one row of each id, with the largest of each value: a streamed log may hold a part and then the whole."""
    named = readings.filter(readings["id"].notnull())  # noqa: PD004
    rest = [name for name in readings.columns if name != "id"]
    once = named.group_by("id").aggregate(**{name: named[name].max() for name in rest})
    return once.select(*readings.columns).union(readings.filter(readings["id"].isnull()))  # noqa: PD003
