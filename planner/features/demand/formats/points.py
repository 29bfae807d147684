# ruff: noqa: PD010  (unstack keeps blanks among the keys, which pivot_table drops)
"""Metrics that come one value at a time: put beside each other as one reading a bucket and series."""

from typing import Any, cast

import pandas as pd

from planner.features.demand.findings import Finding
from planner.features.demand.formats.base import rows_to_frame
from planner.features.demand.formats.cells import NO_NUMBER
from planner.features.demand.history import VALUES


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def _without_gaps(wide: pd.DataFrame, series: list[str]) -> pd.DataFrame:
    """Return readings in which a metric that has no value is 0: metrics have none where nothing happened.

    Tokens that are absent although there were requests stay blank, where the series has them at other times: a rule
    says so.
    """
    counts = [name for name in (*VALUES, "active_tokens") if name in wide]
    for name in counts:
        usual = wide[name].notna().groupby([wide[key] for key in series], dropna=False).transform("any")
        served = wide["requests"].fillna(0.0) > 0 if "requests" in wide else pd.Series(False, index=wide.index)
        odd = wide[name].isna() & usual & served & (name in ("input_tokens", "output_tokens"))
        wide[name] = wide[name].where(wide[name].notna() | odd, 0.0)
    return wide


def readings_of_points(
    points: list[dict[str, Any]], dimensions: tuple[str, ...]
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Pivot points to readings.

    Parameters
    ----------
    points : each with ``measure`` (a READING column), ``epoch`` (seconds UTC, start), ``bucket_hours``, ``value``,
        ``key`` (what the source tells series apart by), ``skip``, and the ``dimensions``.
    dimensions : the source's own columns that may name a region, workload or model.

    Returns
    -------
    The readings, and a finding where the same point came twice (it counts once, its largest value).
    """
    if not points:
        return rows_to_frame([], dimensions), ()
    frame = pd.DataFrame(points)
    given = frame["value"]
    frame["value"] = pd.to_numeric(given, errors="coerce").astype("float64")
    frame.loc[frame["value"].isna() & given.notna() & (given != ""), "value"] = NO_NUMBER
    blank = int(frame["value"].isna().sum())
    if "skip" not in frame:
        frame["skip"] = 0
    for name in dimensions:
        if name not in frame:
            frame[name] = None
    identity = ["measure", "epoch", "bucket_hours", "key"]
    once = frame.sort_values("value", ascending=False, kind="stable").drop_duplicates(identity)
    findings = (Finding("duplicate", len(frame) - len(once)),) if len(once) < len(frame) else ()
    if blank:
        findings = (*findings, Finding("null_as_zero", blank))
    broken = once["value"].dropna()
    broken = broken[
        (broken % 1 != 0) & (broken < NO_NUMBER) & ~once.get("shared", pd.Series(False, index=once.index))[broken.index]
    ]
    if len(broken):
        findings = (*findings, Finding("fractional", len(broken), tuple(f"{value:g}" for value in broken.head(3))))
    wide = (
        once.groupby(["epoch", "bucket_hours", "skip", *dimensions, "measure"], dropna=False)["value"]
        .sum(min_count=1)
        .unstack("measure")
        .reset_index()
    )
    wide.columns.name = None
    wide = _without_gaps(wide, list(dimensions))
    return rows_to_frame(records(wide), dimensions), findings
