"""Requests as assumed: tokens, cache rates and model mix of a request, against what was seen."""

from typing import Any

from planner.features.review.review_tables import Review
from planner.workbook.book import Column, Sheet
from planner.workbook.report import rows_of

NAME = "Requests as assumed"
COLUMNS = (
    Column("workload", "Workload", "text:wrap", 20),
    Column("period", "Month", "text", 24),
    Column("figure", "Figure", "text:wrap", 24),
    Column("assumed", "Assumed", "fine", 12),
    Column("seen", "Seen", "fine", 15),
    Column("change", "Change (shares:\nin points)", "percent", 15),
    Column("remark", "", "text", 50),
)
TOP = 3


def write(sheet: Sheet, review: Review) -> None:
    """Write the table."""
    sheet.heading(NAME, "Tokens per request and model mix: what the plan assumed, and what was seen.", len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    rows = [_assumed(r) for r in rows_of(review.assumptions)]
    block = sheet.table(TOP, COLUMNS, rows, filters=True)
    sheet.printed(block.last, len(COLUMNS) - 1, repeat=TOP, freeze=(TOP + 1, 2))


def _assumed(r: Any) -> dict[str, Any]:
    return {
        "workload": str(r.workload), "period": str(r.period), "figure": str(r.figure).replace("_", " "),
        "assumed": float(r.assumed), "seen": float(r.seen), "change": float(r.change_share), "remark": str(r.remark),
    }  # fmt: skip
