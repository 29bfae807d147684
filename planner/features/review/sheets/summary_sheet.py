"""Review: what happened in sentences, the verdict of each commitment, and its evidence."""

from typing import Any

from planner.features.review import review_story as story
from planner.features.review.tables import Review, Verdict
from planner.workbook.book import Block, Column, Live, Sheet

NAME = "Review"
COLUMNS = (
    Column("number", "No.", "count", 6),
    Column("offer", "Commitment", "text:wrap", 26),
    Column("region", "Region", "text:wrap", 16),
    Column("start", "From", "date", 12),
    Column("end", "Ends (first\nday after)", "date", 13),
    Column("verdict", "Verdict", "text:wrap", 15),
    Column("units", "Units", "units", 9),
    Column("best", "Best\nunits", "units", 9),
    Column("change", "Change", "units", 9),
    Column("usd", "Cost in these\nmonths, USD", "usd", 14, total=True),
    Column("saving", "Saving\nUSD", "usd", 12, total=True),
    Column("share", "of its\ncost", "percent", 9),
    Column("used", "Utilisation", "percent", 11),
    Column("planned", "Utilisation\nplanned", "percent", 11),
    Column("last", "Worth of one of\nits last units, USD", "cents", 17),
    Column("price", "Price of a\nunit, USD", "cents", 12),
)
_SENTENCE_LINES = 2
_LETTERS = 150  # of evidence in a line


def write(sheet: Sheet, review: Review) -> Block:
    """Write the sentences, then a row a commitment."""
    last = len(COLUMNS) - 1
    sheet.heading("Review", f"{review.name}, {story.span_of(review)}: the plan against what happened.", last)
    sheet.widths(COLUMNS)
    row = 3
    for sentence in (*story.headline(review), story.decision(review)):
        sheet.raw.set_row(row, 14 * _SENTENCE_LINES)
        sheet.merged(row, 0, last, sentence, "lead")
        row += 1
    for alert in review.alerts[:8]:
        sheet.raw.set_row(row, 14 * _SENTENCE_LINES)
        sheet.merged(row, 0, last, alert.sentence, "alert")
        row += 1
    row += 1
    sheet.put(row, 0, "Verdicts", "section")
    text = "The units that would have cost least. Savings of drop, lower and raise add up."
    sheet.put(row + 1, 0, text, "aside")
    block = sheet.table(row + 2, COLUMNS, [_record(v) for v in review.verdicts], empty="The plan holds no commitments.")
    row = block.total_row + 2
    sheet.put(row, 0, "Evidence", "section")
    for v in review.verdicts:
        row += 1
        text = " ".join(v.evidence)
        sheet.raw.set_row(row, 14 * max(1, -(-len(text) // _LETTERS)))
        sheet.put(row, 0, v.number, "count")
        sheet.put(row, 1, v.verdict, "text")
        sheet.merged(row, 2, last, text, "line")
    sheet.printed(row, last)
    return block


def _record(v: Verdict) -> dict[str, Any]:
    share = v.saving_usd / v.usd if v.usd > 0 else 0.0
    return {
        "number": v.number, "offer": v.owed.offer.offer, "region": v.owed.region, "start": v.owed.start,
        "end": v.owed.end, "verdict": v.verdict, "units": v.units, "best": v.best_units,
        "change": Live("={best}-{units}", v.best_units - v.units), "usd": v.usd, "saving": v.saving_usd,
        "share": Live("=IF({usd}>0,{saving}/{usd},0)", share), "used": v.utilisation,
        "planned": v.planned_utilisation, "last": v.last_unit_usd, "price": v.price_usd,
    }  # fmt: skip
