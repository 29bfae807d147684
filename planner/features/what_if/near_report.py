"""Plans nearly as good, on the terminal and as a sheet: side by side with the best, then what is proved of each."""

from collections.abc import Mapping

from rich.console import Console

from planner.features.what_if.findings import Within
from planner.features.what_if.study import Answer, Study
from planner.workbook.book import Book, Column, Value
from planner.workbook.text_tables import LOST, Styled, TextTable, amount, clean, percent, usd


def print_near(console: Console, study: Study) -> None:
    """Print the table of the plans and a sentence for each; nothing where none was asked for."""
    near = [answer for answer in study.cases if answer.near is not None]
    if not near:
        return
    console.print()
    table = TextTable(("Nearly as good", "total", "above\nthe best", "to sign", "lines", "longest\nterm", ""))
    for answer in (study.base, *near):
        name = "the best" if answer is study.base else answer.change.name
        if answer.possible:
            dear = answer.near is not None and answer.near.within is not Within.YES
            table.add(name, usd(answer.total_usd or 0.0), _above(study, answer), usd(answer.to_sign_usd or 0.0),
                    amount(len(answer.purchases)), longest_term(answer),
                    Styled("too dear", LOST) if dear else "")  # fmt: skip
        else:
            table.add(name, Styled("no plan", LOST), *[""] * 5)
    table.print(console)
    console.print()
    for answer in near:
        console.print(f"- {clean(answer.change.name, 80)}: {answer.near}", soft_wrap=True)


def above(study: Study, answer: Answer) -> float | None:
    """Return the share by which a case costs more than the plan as it stands; None where either has no cost."""
    best = study.base.total_usd
    return None if not best or answer.total_usd is None else answer.total_usd / best - 1


def _above(study: Study, answer: Answer) -> str:
    share = above(study, answer)
    return "" if share is None or answer is study.base else f"{'+' if share > 0 else ''}{percent(share, 2)}"


def longest_term(answer: Answer) -> str:
    """Name the longest term that is signed; a dash where nothing is."""
    if not answer.purchases:
        return "–"
    days = [(p.term_days if p.term_days is not None else p.term_months * 30.4, p) for p in answer.purchases]
    longest = max(days, key=lambda pair: pair[0])[1]
    if longest.term_days is not None:
        return f"{longest.term_days} days"
    return f"{longest.term_months} month{'' if longest.term_months == 1 else 's'}"


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
