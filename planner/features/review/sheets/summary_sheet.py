"""Review: what happened in sentences, the verdict of each commitment, and its evidence."""

from typing import Any

from planner.features.review import review_story as story
from planner.features.review.review_tables import Review, Verdict
from planner.features.review.sheets.months_sheet import cost_chart, totals_at
from planner.workbook.book import Block, Column, Live, Sheet, axis, chart_title, grid, print_areas
from planner.workbook.theme import BLUE

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
    Column("price", "Price per\nunit, USD", "cents", 12),
)
_SENTENCE_LINES, _CHART_ROWS = 2, 14
_LETTERS = 150  # of evidence in a line


def write(sheet: Sheet, review: Review) -> Block:
    """Write the sentences, then a row a commitment."""
    last = len(COLUMNS) - 1
    sheet.heading("Review", f"{review.name}, {story.span_of(review)}: the plan compared with what happened.", last)
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
    text = "Best units: the number that would have cost least. Savings of drop, lower and raise add up."
    sheet.put(row + 1, 0, text, "aside")
    block = sheet.table(row + 2, COLUMNS, [_record(v) for v in review.verdicts], empty="The plan holds no commitments.")
    row = block.total_row + 2
    if any(v.saving_usd > 0 for v in review.verdicts):
        _chart(sheet, block, row)
        row += _CHART_ROWS
    elif any(s.hours_seen for s in review.spans):  # nothing to save: what the months cost
        cost_chart(sheet, totals_at(review), row)
        row += _CHART_ROWS + 2
    evidence, lines = row, 0
    sheet.put(row, 0, "Evidence", "section")
    for v in review.verdicts:
        row += 1
        text = " ".join(v.evidence)
        own = max(1, -(-len(text) // _LETTERS))
        sheet.raw.set_row(row, 14 * own)
        lines += own - 1
        sheet.put(row, 0, v.number, "count")
        sheet.put(row, 1, v.verdict, "text")
        sheet.merged(row, 2, last, text, "line")
    blocks = [(0, evidence - 1), (evidence, row)]
    more = [block.first - 5, lines]  # lines beyond one a row: sentences and alerts have two
    sheet.printed(row, last, areas=print_areas(blocks, sum(c.width for c in COLUMNS), more))
    return block


def _chart(sheet: Sheet, block: Block, top: int) -> None:
    """Draw what each verdict would have saved."""
    chart = sheet.book.chart("bar")
    at = block.columns
    chart.add_series({
        "name": "Saving, USD",
        "categories": [sheet.name, block.first, at["offer"], block.last, at["offer"]],
        "values": [sheet.name, block.first, at["saving"], block.last, at["saving"]],
        "fill": {"color": BLUE},
        "gap": 50,
        "data_labels": {"value": True, "num_format": "$#,##0", "font": {"size": 9}},
    })  # fmt: skip
    chart.set_title(chart_title("What the best number of units of each commitment would have saved"))
    chart.set_x_axis(grid("USD", num_format="$#,##0", min=0))
    chart.set_y_axis(axis("", reverse=True, crossing="max"))
    chart.set_legend({"none": True})
    chart.set_size({"width": 1000, "height": (_CHART_ROWS - 1) * 20})
    alt = "Bars of the saving of each commitment's best number of units."
    sheet.raw.insert_chart(top, 0, chart, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1})


def _record(v: Verdict) -> dict[str, Any]:
    share = v.saving_usd / v.usd if v.usd > 0 else 0.0
    return {
        "number": v.number, "offer": v.owed.offer.offer, "region": v.owed.region, "start": v.owed.start,
        "end": v.owed.end, "verdict": v.verdict, "units": v.units, "best": v.best_units,
        "change": Live("={best}-{units}", v.best_units - v.units), "usd": v.usd, "saving": v.saving_usd,
        "share": Live("=IF({usd}>0,{saving}/{usd},0)", share), "used": v.utilisation,
        "planned": v.planned_utilisation, "last": v.last_unit_usd, "price": v.price_usd,
    }  # fmt: skip
