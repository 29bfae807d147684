"""The sheet of plans that are nearly as good as the best, in study.xlsx."""

from collections.abc import Mapping

from planner.features.what_if.near_report import above, longest_term
from planner.features.what_if.study import Study
from planner.workbook.book import Book, Column, Value

NAME = "Nearly as good"
TOP = 3
COLUMNS = (
    Column("name", "Plan", "text:wrap", 30),
    Column("total", "Total\nUSD", "usd", 13),
    Column("above", "Above\nthe best", "percent", 11),
    Column("sign", "To sign\nUSD", "usd", 13),
    Column("lines", "Order\nlines", "count", 9),
    Column("term", "Longest\nterm", "text", 12),
    Column("finding", "What is found", "text:wrap", 60),
)


def add(book: Book, study: Study) -> None:
    """Add the sheet where such plans were asked for."""
    near = [answer for answer in study.cases if answer.near is not None]
    if not near:
        return
    sheet = book.add_sheet(NAME)
    text = "Plans that cost little more than the best and are better in another way, beside the best (first row)."
    sheet.heading(NAME, text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    rows: list[Mapping[str, Value]] = []
    for answer in (study.base, *near):
        row: dict[str, Value] = {"name": "The best plan" if answer is study.base else answer.change.name}
        if answer.possible:
            row |= {"total": answer.total_usd, "above": above(study, answer), "sign": answer.to_sign_usd,
                    "lines": len(answer.purchases), "term": longest_term(answer)}  # fmt: skip
        rows.append({**row, "finding": "" if answer.near is None else str(answer.near)})
    block = sheet.table(TOP, COLUMNS, rows)
    sheet.printed(block.last, len(COLUMNS) - 1, freeze=(TOP + 1, 1))
