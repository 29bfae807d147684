"""On demand: by region and model, the requests, tokens and cost, and the peak against the quota."""

from typing import Any

import pandas as pd

from planner.units import hour_label
from planner.workbook.book import Block, Column, Live, Sheet
from planner.workbook.report import Report, rows_of

NAME = "On demand"
TOP = 3

COLUMNS = (
    Column("region", "Region", "text:wrap", 18),
    Column("model", "Model", "text:wrap", 24),
    Column("option", "Option", "text", 12),
    Column("requests", "Requests", "count", 13, total=True),
    Column("tokens", "Tokens\nmillion", "number", 12, total=True),
    Column("usd", "Cost\nUSD", "usd", 12, total=True),
    Column("per_thousand", "Per thousand\nrequests, USD", "cents", 13),
    Column("peak", "Peak, tokens\nper minute", "count", 13),
    Column("quota", "Quota, tokens\nper minute", "count", 13),
    Column("share", "Peak share\nof quota", "percent", 11),
    Column("hour", "Peak hour\n(UTC)", "text", 12),
    Column("period", "Month", "text", 10),
)


def write(sheet: Sheet, report: Report) -> Block:
    """Write the sheet; returns where its table stands."""
    text = (
        "What is left to pay-as-you-go, expected over scenarios. A blank quota is no limit, also if a region is lost."
    )
    sheet.heading("On demand", text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    rows = [_record(row) for row in rows_of(report.metrics.on_demand)]
    block = sheet.table(TOP, COLUMNS, rows, filters=True, empty="Nothing is served on demand.")
    if rows:
        scale = {"type": "data_bar", "bar_color": "#9CCBEA", "min_type": "num", "min_value": 0,
                 "max_type": "num", "max_value": 1}  # fmt: skip
        column = block.columns["share"]
        sheet.raw.conditional_format(block.first, column, block.last, column, scale)
    sheet.printed(block.total_row, len(COLUMNS) - 1, repeat=TOP, freeze=(TOP + 1, 3))
    return block


def _record(row: Any) -> dict[str, Any]:
    quota = None if pd.isna(row.tokens_per_minute_quota) else float(row.tokens_per_minute_quota)
    peak = float(row.peak_tokens_per_minute)
    return {
        "region": str(row.region),
        "model": str(row.model),
        "option": str(row.option),
        "requests": float(row.requests),
        "tokens": float(row.tokens) / 1e6,
        "usd": float(row.usd),
        "per_thousand": Live(
            "=IF({requests}>0,1000*{usd}/{requests},0)", 1000 * row.usd / row.requests if row.requests > 0 else 0.0
        ),
        "peak": peak,
        "quota": quota,
        "share": Live('=IF(ISNUMBER({quota}),IF({quota}>0,{peak}/{quota},""),"")', peak / quota if quota else ""),
        "hour": hour_label(row.peak_hour_of_week) if peak > 0 else "",
        "period": str(row.peak_period) if peak > 0 else "",
    }
