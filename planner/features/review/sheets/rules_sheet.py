"""Rules and notes: the thresholds of the review, what was assumed or left out, and the rules that break."""

from typing import Any

from planner.features.review.review_rules import Rules
from planner.features.review.review_tables import Review
from planner.workbook.book import Column, Sheet

NAME = "Rules and notes"
COLUMNS = (
    Column("name", "Threshold", "text", 24),
    Column("value", "Value", "fine", 12),
    Column("default", "Default", "fine", 12),
    Column("meaning", "Meaning", "text:wrap", 90),
)


def write(sheet: Sheet, review: Review) -> None:
    """Write the thresholds, then the notes."""
    sheet.heading("Rules and notes", "The thresholds can be changed with --rules (docs/review.md).", len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    values = review.rules.model_dump()
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "value": float(values[name]),
            "default": float(field.default),
            "meaning": field.description or "",
        }
        for name, field in Rules.model_fields.items()
    ]
    block = sheet.table(3, COLUMNS, rows)
    row = block.last + 3
    for title, lines in (
        ("Assumed or left out", review.notes),
        ("Rules that these commitments break on the actual demand", [str(what) for what in review.regret.broken]),
    ):
        sheet.put(row, 0, title, "section")
        for line in lines or ("Nothing.",):
            row += 1
            sheet.raw.set_row(row, 30 if len(line) > 120 else 15)
            sheet.merged(row, 0, len(COLUMNS) - 1, line, "line")
        row += 2
    sheet.printed(row, len(COLUMNS) - 1)
