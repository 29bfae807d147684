"""Metrics that come one value at a time: put beside each other as one reading a bucket and series.

Counters that only rise until their process restarts are first turned into what happened between two samples.
"""

from typing import Any, cast

import pandas as pd

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.cells import NO_NUMBER
from planner.features.demand.formats.format import (
    amounts,
    rows_to_frame,
)
from planner.features.demand.history import VALUES
from planner.units import HOURS_PER_DAY, SECONDS_PER_HOUR

# ruff: noqa: PD010  (unstack keeps blanks among the keys, which pivot_table drops)


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
) -> tuple[pd.DataFrame, tuple[ExportFinding, ...]]:
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
    frame["value"] = amounts(given)
    frame.loc[frame["value"].isna() & given.notna() & (given != ""), "value"] = NO_NUMBER
    blank = int(frame["value"].isna().sum())
    if "skip" not in frame:
        frame["skip"] = 0
    for name in dimensions:
        if name not in frame:
            frame[name] = None
    identity = ["measure", "epoch", "bucket_hours", "key"]
    once = frame.sort_values("value", ascending=False, kind="stable").drop_duplicates(identity)
    findings = (ExportFinding("duplicate", len(frame) - len(once)),) if len(once) < len(frame) else ()
    if blank:
        findings = (*findings, ExportFinding("null_as_zero", blank))
    broken = once["value"].dropna()
    broken = broken[
        (broken % 1 != 0) & (broken < NO_NUMBER) & ~once.get("shared", pd.Series(False, index=once.index))[broken.index]
    ]
    if len(broken):
        findings = (
            *findings,
            ExportFinding("fractional", len(broken), tuple(f"{value:g}" for value in broken.head(3))),
        )
    wide = (
        once.groupby(["epoch", "bucket_hours", "skip", *dimensions, "measure"], dropna=False)["value"]
        .sum(min_count=1)
        .unstack("measure")
        .reset_index()
    )
    wide.columns.name = None
    wide = _without_gaps(wide, list(dimensions))
    return rows_to_frame(records(wide), dimensions), findings


LONGEST_GAP_DAYS = 400.0


def increases(samples: pd.DataFrame) -> tuple[list[dict[str, Any]], tuple[ExportFinding, ...]]:
    """Turn samples of counters into points, one between each two samples.

    Parameters
    ----------
    samples : columns ``measure``, ``key`` (one counter), ``epoch`` [s], ``value``, and any others, which are kept.

    Returns
    -------
    Points (see points.py) and findings. A counter that falls has restarted: what it shows is its rise since 0. One that
    appears after the first scrape began at 0. A rise over missing scrapes is spread evenly over the hours between.

    Raises
    ------
    ValueError
        two samples of a counter lie over 400 days apart: a moment is wrong.
    """
    samples = samples.dropna(subset=["epoch", "value"]).sort_values(["measure", "key", "epoch"], kind="stable")
    again = samples.duplicated(["measure", "key", "epoch"]) & ~samples.duplicated(["measure", "key", "epoch", "value"])
    samples = samples.drop_duplicates(["measure", "key", "epoch"])
    if samples.empty:
        return [], ()
    first_scrape = float(samples["epoch"].min())
    by_counter = samples.groupby(["measure", "key"], sort=False)
    before, at = by_counter["epoch"].shift(), samples["epoch"]
    step = float((at - before).median()) if before.notna().any() else SECONDS_PER_HOUR
    rise = samples["value"] - by_counter["value"].shift()
    reset = rise < 0
    born = before.isna() & (at > first_scrape) & (samples["value"] > 0)
    rise = rise.mask(reset | born, samples["value"])
    before = before.mask(born, at - step)
    longest = float((at - before).max()) if before.notna().any() else 0.0
    if longest > LONGEST_GAP_DAYS * HOURS_PER_DAY * SECONDS_PER_HOUR:
        raise ValueError(f"two samples of a counter are {longest / HOURS_PER_DAY / SECONDS_PER_HOUR:,.0f} days apart")
    gap = ((at - before) > 1.5 * step) & ((at - before) > SECONDS_PER_HOUR)
    table = samples.assign(rise=rise, before=before, gap=gap)[rise.notna()]
    points: list[dict[str, Any]] = []
    for row in cast("list[dict[str, Any]]", table.to_dict("records")):
        start, end = row.pop("before"), row["epoch"]
        spread, value = row.pop("gap"), row.pop("rise")
        for epoch, hours, share in _pieces(start, end) if spread else [(start, (end - start) / SECONDS_PER_HOUR, 1.0)]:
            points.append(
                {
                    **row,
                    "epoch": epoch,
                    "bucket_hours": min(hours, 1.0) if spread else hours,
                    "value": value * share,
                    "shared": spread,
                }
            )
    stamps = pd.to_datetime(at[reset], unit="s", utc=True).dt.strftime("%Y-%m-%dT%H:%MZ")
    findings = [ExportFinding("duplicate", int(again.sum()))] if again.any() else []
    if reset.any():
        findings.append(ExportFinding("counter_reset", int(reset.sum()), tuple(stamps.head(5))))
    if gap.any():
        stamps = pd.to_datetime(table.loc[table["gap"], "before"], unit="s", utc=True).dt.strftime("%Y-%m-%dT%H:%MZ")
        findings.append(ExportFinding("counter_gap", int(gap.sum()), tuple(stamps.head(5))))
    return points, tuple(findings)


def _pieces(start: float, end: float) -> list[tuple[float, float, float]]:
    """Cut an interval at full hours: (start, length in hours, share of the whole)."""
    pieces, at = [], start
    while at < end:
        stop = min(end, (at // SECONDS_PER_HOUR + 1) * SECONDS_PER_HOUR)
        pieces.append((at, (stop - at) / SECONDS_PER_HOUR, (stop - at) / (end - start)))
        at = stop
    return pieces
