"""Counters that only rise until their process restarts: turned into what happened between two samples."""

from typing import Any, cast

import pandas as pd

from planner.features.demand.findings import Finding
from planner.units import HOURS_PER_DAY, SECONDS_PER_HOUR

LONGEST_GAP_DAYS = 400.0


def increases(samples: pd.DataFrame) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
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
    findings = []
    if reset.any():
        findings.append(Finding("counter_reset", int(reset.sum()), tuple(stamps.head(5))))
    if gap.any():
        stamps = pd.to_datetime(table.loc[table["gap"], "before"], unit="s", utc=True).dt.strftime("%Y-%m-%dT%H:%MZ")
        findings.append(Finding("counter_gap", int(gap.sum()), tuple(stamps.head(5))))
    return points, tuple(findings)


def _pieces(start: float, end: float) -> list[tuple[float, float, float]]:
    """Cut an interval at full hours: (start, length in hours, share of the whole)."""
    pieces, at = [], start
    while at < end:
        stop = min(end, (at // SECONDS_PER_HOUR + 1) * SECONDS_PER_HOUR)
        pieces.append((at, (stop - at) / SECONDS_PER_HOUR, (stop - at) / (end - start)))
        at = stop
    return pieces
