"""Peaks: hours that hit a limit, and overflow that a commitment would have served more cheaply."""

from typing import Any

import pandas as pd

from planner.features.review.review_story import TWO_FIGURES
from planner.features.review.review_tables import LEVEL, Review
from planner.workbook.book import Block, Column, Live, Sheet, print_areas
from planner.workbook.report import rows_of

NAME = "Peaks and overflow"
MOST = 2_000  # rows shown; every hour is in peaks.csv
OVERFLOW = (
    Column("offer", "Offer", "text:wrap", 26),
    Column("region", "Region", "text:wrap", 16),
    Column("first", "From", "text", 12),
    Column("last", "To", "text", 20),
    Column("units", "Units", "units", 12),
    Column("on_demand", "On demand\nUSD", "usd", 14),
    Column("usd", "Committed\nUSD", "usd", 14),
    Column("saving", "Saving\nUSD", "usd", 12, total=True),
    Column("runs_on", "Term runs on\npast what was seen", "text", 24),
)
PEAKS = (
    Column("when", "Hour (UTC)", "text", 26),
    Column("region", "Region", "text:wrap", 16),
    Column("kind", "Kind", "text", 12),
    Column("of", "Model or workload", "text:wrap", 20),
    Column("option", "Option", "text", 12),
    Column("found", "Actual", "count", 14),
    Column("limit", "Limit or\nplanned", "count", 14),
    Column("share", "Actual ÷\nlimit", "percent", 12),
    Column("unit", "Unit", "text", 18),
    Column("unserved", "Unserved\nrequests", "count", 12),
)


def write(sheet: Sheet, review: Review) -> None:
    """Write both tables, the overflow first: it is short."""
    text = f"Overflow: what on demand served and units would have served cheaper. {TWO_FIGURES}"
    sheet.heading("Peaks and overflow", text, len(PEAKS) - 1)
    sheet.widths(PEAKS)
    sheet.put(3, 0, "Overflow that a commitment would have served more cheaply", "section")
    over = sheet.table(4, OVERFLOW, [_over(r) for r in rows_of(review.overflow)], empty="None.")
    top = over.total_row + 2
    crashed = review.peaks[review.peaks["kind"] != LEVEL]
    none = "None."
    crash = _listed(sheet, top, "Hours that hit a limit: a quota was met, or requests were not served", crashed, none)
    areas = print_areas([(0, over.total_row), (top, crash.last)], sum(c.width for c in PEAKS))
    sheet.printed(crash.last, len(PEAKS) - 1, areas=areas)


def _listed(sheet: Sheet, top: int, title: str, peaks: pd.DataFrame, empty: str) -> Block:
    """Write a table of hours under its title, the first MOST of them."""
    more = f" (the first {MOST:,} of {len(peaks):,})" if len(peaks) > MOST else ""
    sheet.put(top, 0, title + more, "section")
    return sheet.table(top + 1, PEAKS, [peak_row(r) for r in rows_of(peaks.head(MOST))], empty=empty)


def _over(r: Any) -> dict[str, Any]:
    return {
        "offer": str(r.offer), "region": str(r.region), "first": str(r.first_period), "last": str(r.last_period),
        "units": float(r.units), "on_demand": float(r.on_demand_usd), "usd": float(r.commitment_usd),
        "saving": Live("={on_demand}-{usd}", float(r.saving_usd)), "runs_on": "yes" if r.runs_on else "no",
    }  # fmt: skip


def peak_row(r: Any) -> dict[str, Any]:
    """Lay out an hour as a row of PEAKS."""
    limit = float(r.limit)
    share = float(r.found) / limit if limit > 0 else ""
    return {
        "when": f"{pd.Timestamp(r.hour):%Y-%m-%d %a %H:00}", "region": str(r.region), "kind": str(r.kind),
        "of": str(r.model or r.workload), "option": str(r.option), "found": float(r.found), "limit": limit,
        "share": Live('=IF({limit}>0,{found}/{limit},"")', share), "unit": str(r.unit),
        "unserved": float(r.unserved_requests),
    }  # fmt: skip
