"""review.xlsx: one file a sheet in `reports/sheets/`, in the reading order of SHEETS."""

from pathlib import Path

from planner.features.review.review_story import span_of
from planner.features.review.sheets import expiries_sheet as review_expiries
from planner.features.review.sheets import forecast_sheet as review_forecast
from planner.features.review.sheets import months_sheet as review_months
from planner.features.review.sheets import peaks_sheet as review_peaks
from planner.features.review.sheets import rules_sheet as review_rules
from planner.features.review.sheets import summary_sheet as review_summary
from planner.features.review.sheets import tasks_sheet as review_tasks
from planner.features.review.tables import Review
from planner.io.atomic import written_beside
from planner.workbook.book import new_book
from planner.workbook.theme import BLUE, GREEN, GREY, ORANGE

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
