"""review.xlsx: one file a sheet in `reports/sheets/`, in the reading order of SHEETS."""

from pathlib import Path

from planner.reports.atomic import written_beside
from planner.reports.book import new_book
from planner.reports.review.story import span_of
from planner.reports.sheets import (
    review_expiries,
    review_forecast,
    review_months,
    review_peaks,
    review_rules,
    review_summary,
    review_tasks,
)
from planner.reports.theme import BLUE, GREEN, GREY, ORANGE
from planner.results.review.tables import Review

SHEETS = (
    (review_summary, BLUE),
    (review_expiries, BLUE),
    (review_months, GREEN),
    (review_peaks, GREEN),
    (review_tasks, GREEN),
    (review_forecast, ORANGE),
    (review_rules, GREY),
)


def write_review_workbook(review: Review, path: str | Path) -> None:
    """Write the workbook beside its name, then rename it."""
    with written_beside(path) as beside:
        book = new_book(str(beside), review.name, review.until.date(), f"Review of {span_of(review)}", "review")
        for module, colour in SHEETS:
            module.write(book.add_sheet(module.NAME, colour), review)
        book.raw.close()
