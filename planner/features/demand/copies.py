"""Request ids that come twice: found, and each counted once.

Short logs are compared id by id. In long ones, comparing all ids would take longer than everything else, so three signs
are looked for first, and only where one shows are all ids compared: files that share hours; hours whose every count and
sum has a common divisor (exports that overlap repeat whole hours, and twice a number is even); and an id that comes
twice in the busiest hour, or in the hour that stands out most from the same hour of other days, as one does of which a
part was written twice.

Exports that cover the same hours count once, too. Rows with a request id, and buckets with the same key, are told
apart before this (aggregate.py, formats/base.py). What is left are files without ids. Two files hold the *same*
traffic when, in at least half of the hours they share, their series agree to the request and the token; then each
shared hour is taken from the file that has most in it (an export's last hour is often cut). Otherwise they are parts
of one whole, and are added up.
"""

from typing import Any

import numpy as np
import pandas as pd

from planner.features.demand.busy import in_hours
from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.history import SERIES, UNKNOWN, VALUES
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


KEY = ["hour", "span", *SERIES]


def counted_once(frame: pd.DataFrame, have_ids: bool) -> tuple[pd.DataFrame, tuple[ExportFinding, ...]]:
    """Drop what overlapping files repeat, and coarse buckets that finer ones cover; then sum over the files.

    ``have_ids`` says that rows were told apart by their ids already.
    """
    findings: list[ExportFinding] = []
    frame, dropped = (frame, 0) if have_ids else _same_files(frame)
    frame, covered = _covered_by_finer(frame)
    if dropped + covered:
        findings.append(ExportFinding("overlap", dropped + covered))
    if not frame.duplicated(KEY).any():
        return frame[[*KEY, *VALUES, "burst"]], tuple(findings)
    summed = frame.groupby(KEY, as_index=False, dropna=False)[list(VALUES)].sum(min_count=1)
    bursts = frame.groupby(KEY, as_index=False, dropna=False)["burst"].max()
    return summed.merge(bursts, on=KEY), tuple(findings)


def _same_files(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    if frame["source"].nunique() < 2:
        return frame, 0
    blind = (frame["model"] == UNKNOWN).groupby(frame["source"]).all()
    by_series = _repeats(frame, list(SERIES))
    by_total = _repeats(frame, [])
    # a file that was exported without grouping by model can only be compared by its hours' totals
    one_blind = by_total["source"].map(blind) != by_total["source_other"].map(blind)
    repeats = pd.concat([by_series[["source", "source_other"]], by_total.loc[one_blind, ["source", "source_other"]]])
    pairs = set(repeats.itertuples(index=False, name=None))
    if not pairs:
        return frame, 0
    every = _pairs(frame, [])
    shared = every[[pair in pairs for pair in zip(every["source"], every["source_other"], strict=True)]]
    # the lesser file of each shared hour goes; of equal ones the blind, else the one that sorts later
    first = (shared["size"] > shared["size_other"]) | (
        (shared["size"] == shared["size_other"]) & ~shared["source"].map(blind).astype(bool)
    )
    lesser = shared["source_other"].where(first, shared["source"])
    gone = set(zip(lesser, shared["hour"], strict=True))
    keep = [(source, hour) not in gone for source, hour in zip(frame["source"], frame["hour"], strict=True)]
    return frame[keep], len(gone)


def _pairs(frame: pd.DataFrame, series: list[str]) -> pd.DataFrame:
    """Return every pair of files that share an hour (of a series), with both files' values."""
    keys = ["hour", *series]
    totals = frame[list(VALUES)].fillna(0.0).groupby([frame[name] for name in ("source", *keys)]).sum()
    totals["size"] = totals[list(VALUES)].sum(axis=1)
    table = totals.reset_index()
    pairs = table.merge(table, on=keys, suffixes=("", "_other"))
    return pairs[pairs["source"] < pairs["source_other"]]


def _repeats(frame: pd.DataFrame, series: list[str]) -> pd.DataFrame:
    """Return the pairs of files that agree in at least half of what they share."""
    pairs = _pairs(frame, series)
    agree = pairs["size"] > 0
    for name in VALUES:
        agree &= (pairs[name] - pairs[f"{name}_other"]).abs() < 0.5
    share = agree.groupby([pairs["source"], pairs["source_other"]]).mean()
    return share[share >= 0.5].index.to_frame(index=False)


def _covered_by_finer(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    coarse = frame[frame["span"] > 1]
    if coarse.empty or len(coarse) == len(frame):
        return frame, 0
    hours = {key: set(group["hour"]) for key, group in frame[frame["span"] <= 1].groupby(list(SERIES), dropna=False)}
    covered = [
        index
        for index, row in coarse.iterrows()
        if any(int(row["hour"]) + k in hours.get(tuple(row[n] for n in SERIES), ()) for k in range(int(row["span"])))
    ]
    return frame.drop(index=covered), len(covered)
