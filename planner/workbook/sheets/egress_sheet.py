"""Egress: data that crosses regions, by pair and month, with its price and caps."""

from typing import Any

import pandas as pd

from planner.plan.metrics.metric_tables import HORIZON
from planner.workbook.book import Block, Column, Live, Sheet
from planner.workbook.report import Report, rows_of
from planner.workbook.text_tables import percent

NAME = "Egress"
TOP = 3

COLUMNS = (
    Column("origin", "From", "text:wrap", 22),
    Column("destination", "To", "text:wrap", 22),
    Column("period", "Month", "text", 12),
    Column("requests", "Requests sent\nthis way", "count", 15, total=True),
    Column("gb", "Data\nGB", "number", 13, total=True),
    Column("usd", "Cost\nUSD", "cents", 13, total=True),
    Column("per_gb", "Mean price\nUSD/GB", "price", 12),
    Column("cap", "Cap\nGB/month", "number", 13),
    Column("used", "Share of\nthe cap", "percent", 11),
)


def write(sheet: Sheet, report: Report) -> Block:
    """Write the sheet; returns where its table stands."""
    metrics, limit = report.metrics, report.case.settings.policy.egress.max_cross_region_share
    away = percent(metrics.away_share) + (f", of {percent(limit)} allowed" if limit is not None else "")
    text = (
        f"Requests go one way, answers the other; both are data. Served away from their origin: {away}. "
        f"Egress is {percent(metrics.egress_share, 2)} of the cost."
    )
    sheet.heading("Egress", text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    frame = metrics.egress
    frame = frame[frame["period"] != HORIZON].sort_values(["origin", "destination", "period"])
    rows = [_record(row) for row in rows_of(frame)]
    block = sheet.table(TOP, COLUMNS, rows, filters=True, empty="All requests are served where they arise.")
    sheet.printed(block.total_row, len(COLUMNS) - 1, repeat=TOP, freeze=(TOP + 1, 2))
    return block


def _record(row: Any) -> dict[str, Any]:
    gb, usd = float(row.gb), float(row.usd)
    cap = None if pd.isna(row.max_gb_per_month) else float(row.max_gb_per_month)
    return {
        "origin": str(row.origin),
        "destination": str(row.destination),
        "period": str(row.period),
        "requests": float(row.requests),
        "gb": gb,
        "usd": usd,
        "per_gb": Live("=IF({gb}>0,{usd}/{gb},0)", usd / gb if gb > 0 else 0.0),
        "cap": cap,
        "used": Live('=IF(ISNUMBER({cap}),IF({cap}>0,{gb}/{cap},""),"")', gb / cap if cap else ""),
    }
