"""Exports that cover the same hours: counted once.

Rows with a request id, and buckets with the same key, are told apart before this (aggregate.py, formats/base.py). What
is left are files without ids. Two files hold the *same* traffic when, in at least half of the hours they share, their
series agree to the request and the token; then each shared hour is taken from the file that has most in it (an export's
last hour is often cut). Otherwise they are parts of one whole, and are added up.
"""

import pandas as pd

from planner.features.demand.findings import Finding
from planner.features.demand.history import SERIES, UNKNOWN, VALUES

KEY = ["hour", "span", *SERIES]


def counted_once(frame: pd.DataFrame, have_ids: bool) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Drop what overlapping files repeat, and coarse buckets that finer ones cover; then sum over the files.

    ``have_ids`` says that rows were told apart by their ids already.
    """
    findings: list[Finding] = []
    frame, dropped = (frame, 0) if have_ids else _same_files(frame)
    frame, covered = _covered_by_finer(frame)
    if dropped + covered:
        findings.append(Finding("overlap", dropped + covered))
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
