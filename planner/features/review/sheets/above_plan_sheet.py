"""Hours above the highest planned that were served all the same: many, so on a sheet of their own."""

from planner.features.review.review_tables import LEVEL, Review
from planner.features.review.sheets.peaks_sheet import PEAKS, peak_row
from planner.workbook.book import Sheet
from planner.workbook.report import rows_of

NAME = "Hours above plan"
TOP = 3
MOST = 100  # rows shown, on some pages: every hour is in peaks.csv


def write(sheet: Sheet, review: Review) -> None:
    """Write the hours, the MOST that are furthest above in the order in which they came."""
    above = review.peaks[review.peaks["kind"] == LEVEL]
    more = f" The {MOST:,} furthest above of {len(above):,}; all are in peaks.csv." if len(above) > MOST else ""
    text = f"Hours in which more was asked for than in the highest planned hour, and all of it was served.{more}"
    sheet.heading(NAME, text, len(PEAKS) - 1)
    sheet.widths(PEAKS)
    shown = above.sort_values("share", ascending=False, kind="stable").head(MOST).sort_index()
    block = sheet.table(TOP, PEAKS, [peak_row(r) for r in rows_of(shown)], empty="None.")
    sheet.printed(block.last, len(PEAKS) - 1, repeat=TOP, freeze=(TOP + 1, 1))
