"""Warnings: what a buyer must read about this plan, and the usual mistakes seen in its input."""

from planner.plan.warnings import warnings_of
from planner.workbook.book import Column, Sheet
from planner.workbook.report import Report

NAME = "Warnings"
TOP = 3

COLUMNS = (
    Column("kind", "Kind", "text", 10),
    Column("where", "Where", "text:wrap", 24),
    Column("message", "What was seen", "text:wrap", 64),
    Column("remedy", "What to do", "text:wrap", 56),
)


def write(sheet: Sheet, report: Report) -> int:
    """Write the sheet; returns how many warnings there are."""
    sheet.heading(
        "Warnings", "Nothing here stops the plan. Each line is something that is probably not meant, or will cost.", 3
    )
    sheet.widths(COLUMNS)
    rows = [
        {"kind": "plan", "where": "this plan", "message": text, "remedy": text.remedy}
        for text in (*report.retiring, *report.metrics.cautions)
    ]
    rows += [
        {"kind": c.severity, "where": c.where, "message": c.message, "remedy": c.remedy}
        for c in warnings_of(report.case)
    ]
    block = sheet.table(TOP, COLUMNS, rows, empty="No warnings.")
    sheet.printed(block.last, 3, repeat=TOP, freeze=(TOP + 1, 0))
    return len(rows)
