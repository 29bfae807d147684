"""Expiries with their verdicts: when each commitment ends, by when to decide, and what the review says of it."""

from typing import Any

from planner.features.review.review_tables import Review
from planner.plan.orders import Owed
from planner.units import counted
from planner.workbook.book import Column, Sheet

NAME = "Expiries"
COLUMNS = (
    Column("decide", "Decide by", "date", 12),
    Column("end", "Ends (first\nday after)", "date", 13),
    Column("number", "No.", "count", 6),
    Column("offer", "Offer", "text:wrap", 26),
    Column("region", "Region", "text:wrap", 16),
    Column("start", "From", "date", 12),
    Column("units", "Units", "units", 9),
    Column("usd", "Per month\nUSD", "usd", 12),
    Column("verdict", "Verdict", "text:wrap", 16),
    Column("best", "Best\nunits", "units", 9),
    Column("saving", "Saving in these\nmonths, USD", "usd", 14),
    Column("before", "Pool in force\non its last day", "units", 15),
    Column("after", "and on the\nday after", "units", 12),
    Column("state", "", "text:wrap", 22),
)


def write(sheet: Sheet, review: Review) -> None:
    """Write one row a commitment, by the day to decide."""
    text = (
        f"Every commitment by its end; decide {counted(review.calendar.notice_days, 'day')} before. Per month: "
        "a mean month "
        "of its term, as on the purchase order."
    )
    sheet.heading("Expiries", text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    until = review.until.date()
    verdicts: dict[Owed, list[Any]] = {}
    for verdict in review.verdicts:
        verdicts.setdefault(verdict.owed, []).append(verdict)
    rows = []
    for e in sorted(review.calendar.expiries, key=lambda e: e.decide):
        o = e.owed
        v = verdicts[o].pop(0) if verdicts.get(o) else None
        state = "ended" if o.end <= until else "the date to decide by has passed" if e.decide <= until else ""
        rows.append({
            "decide": e.decide, "end": o.end, "number": v.number if v else None, "offer": o.offer.offer,
            "region": o.region, "start": o.start, "units": o.units, "usd": e.usd_per_month,
            "verdict": v.verdict if v else "not in force in a whole month", "best": v.best_units if v else None,
            "saving": v.saving_usd if v else None, "before": e.before_units, "after": e.after_units, "state": state,
        })  # fmt: skip
    block = sheet.table(4, COLUMNS, rows, empty="The plan holds no commitments.")
    sheet.printed(block.last, len(COLUMNS) - 1)
