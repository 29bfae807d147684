"""What a review writes into a directory: review.json, each table as CSV, charts, and the workbook."""

import json
from pathlib import Path

from planner.features.review.review_charts import charts
from planner.features.review.review_document import document, tables
from planner.features.review.review_workbook import write_review_workbook
from planner.features.review.tables import Review
from planner.io.atomic import written_beside

REVIEW, WORKBOOK = "review.json", "review.xlsx"


def text_of(review: Review) -> str:
    """Lay out review.json as text."""
    return json.dumps(document(review), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_review(review: Review, directory: Path) -> None:
    """Write every file beside its name, then rename it; review.json last."""
    for name, table in tables(review).items():
        with written_beside(directory / f"{name}.csv") as beside:
            table.to_csv(beside, index=False, lineterminator="\n")
    for name, chart in charts(review).items():
        with written_beside(directory / f"{name}.svg") as beside:
            beside.write_text(chart, encoding="utf-8")
    write_review_workbook(review, directory / WORKBOOK)
    with written_beside(directory / REVIEW) as beside:
        beside.write_text(text_of(review), encoding="utf-8")
