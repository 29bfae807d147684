"""Spend commitments: what was spent on each in the hours seen, what is to come, and what is lost."""

from typing import Any

from planner.features.review.review_story import of_contracts
from planner.features.review.review_tables import Review
from planner.workbook.book import Column, Live, Sheet
from planner.workbook.report import rows_of
from planner.workbook.text_tables import lines_of

NAME = "Spend commitments"
TOP = 3
COLUMNS = (
    Column("contract", "Contract", "text:wrap", 26),
    Column("asked", "To be spent\nUSD", "usd", 14),
    Column("planned", "Planned\nUSD", "usd", 14),
    Column("spent", "Spent so far\nUSD", "usd", 14),
    Column("to_come", "To come as\nplanned, USD", "usd", 14),
    Column("lost", "Will be lost\nexpected, USD", "usd", 16, total=True),
    Column("best", "Lost with the best\ncommitments, USD", "usd", 18, total=True),
    Column("more", "Difference\nUSD", "usd", 14, total=True),
)
_LETTERS = 130  # in a line


def write(sheet: Sheet, review: Review) -> None:
    """Write the contracts, and what they mean for the verdicts."""
    text = (
        "What is not spent is paid all the same. Spent so far: the hours seen, served as cheaply as possible with the "
        "plan's commitments while the contracts ask for money."
    )
    sheet.heading(NAME, text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    block = sheet.table(TOP, COLUMNS, [_row(row) for row in rows_of(review.contracts)])
    row = block.total_row + 1
    for line in of_contracts(review):
        row += 1
        sheet.merged(row, 0, len(COLUMNS) - 1, line, "line")
        sheet.raw.set_row(row, 14 * lines_of(line, _LETTERS))
    sheet.printed(row, len(COLUMNS) - 1)


def _row(row: Any) -> dict[str, Any]:
    lost, best = float(row.short_usd), float(row.best_short_usd)
    return {
        "contract": str(row.contract), "asked": float(row.usd), "planned": float(row.planned_usd),
        "spent": float(row.spent_usd), "to_come": float(row.to_come_usd), "lost": lost, "best": best,
        "more": Live("={lost}-{best}", lost - best),
    }  # fmt: skip
