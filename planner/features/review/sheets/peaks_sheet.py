"""Peaks: the hours that crashed; and the overflow that a commitment would have served cheaper."""

from typing import Any

import pandas as pd

from planner.features.review.tables import LEVEL, Review
from planner.workbook.book import Column, Live, Sheet
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
    Column("runs_on", "Term runs on\npast what was seen", "text", 18),
)
PEAKS = (
    Column("when", "Hour (UTC)", "text", 26),
    Column("region", "Region", "text:wrap", 16),
    Column("kind", "What", "text", 12),
    Column("of", "Model or workload", "text:wrap", 20),
    Column("option", "Option", "text", 12),
    Column("found", "Found", "count", 14),
    Column("limit", "Limit or\nplanned", "count", 14),
    Column("share", "Found over\nlimit", "percent", 12),
    Column("unit", "Unit", "text", 18),
    Column("unserved", "Unserved\nrequests", "count", 12),
)


def write(sheet: Sheet, review: Review) -> None:
    """Write both tables, the overflow first: it is short."""
    sheet.heading("Peaks and overflow", "Overflow: what on demand served and units would have served cheaper. Peaks: "
                  "hours in which a quota was met, something could not be served, or demand rose above its "
                  "planned peak.", len(PEAKS) - 1)  # fmt: skip
    sheet.widths(PEAKS)
    sheet.put(3, 0, "Overflow that a commitment would have served cheaper", "section")
    over = sheet.table(4, OVERFLOW, [_over(r) for r in rows_of(review.overflow)], empty="None.")
    top = over.total_row + 2
    count = len(review.peaks)
    more = f", the first {MOST:,} of {count:,}" if count > MOST else ""
    sheet.put(top, 0, f"Hours that crashed{more}", "section")
    peaks = sheet.table(
        top + 1, PEAKS, [_peak(r) for r in rows_of(_worst_first(review.peaks).head(MOST))], filters=True, empty="None."
    )
    sheet.printed(peaks.last, len(PEAKS) - 1)


def _worst_first(peaks: pd.DataFrame) -> pd.DataFrame:
    """Order quotas that were met and what was unserved before demand above its plan; each by time."""
    return pd.concat([peaks[peaks["kind"] != LEVEL], peaks[peaks["kind"] == LEVEL]])


def _over(r: Any) -> dict[str, Any]:
    return {
        "offer": str(r.offer), "region": str(r.region), "first": str(r.first_period), "last": str(r.last_period),
        "units": float(r.units), "on_demand": float(r.on_demand_usd), "usd": float(r.commitment_usd),
        "saving": Live("={on_demand}-{usd}", float(r.saving_usd)), "runs_on": "yes" if r.runs_on else "no",
    }  # fmt: skip


def _peak(r: Any) -> dict[str, Any]:
    limit = float(r.limit)
    share = float(r.found) / limit if limit > 0 else ""
    return {
        "when": f"{pd.Timestamp(r.hour):%Y-%m-%d %a %H:00}", "region": str(r.region), "kind": str(r.kind),
        "of": str(r.model or r.workload), "option": str(r.option), "found": float(r.found), "limit": limit,
        "share": Live('=IF({limit}>0,{found}/{limit},"")', share), "unit": str(r.unit),
        "unserved": float(r.unserved_requests),
    }  # fmt: skip
