"""What would make a folder fit: on the terminal, and as the sheet of study.xlsx."""

from collections.abc import Mapping, Sequence
from typing import IO

from rich.console import Console

from planner.features.what_if.fit import Fit, NotEnough
from planner.features.what_if.fit_study import cheapest, smallest
from planner.features.what_if.study import Answer, Study
from planner.workbook.book import Book, Column, Value
from planner.workbook.text_tables import LOST, Styled, TextTable, clean, console_for, percent, usd

NAME = "Make it fit"
TOP = 3
COLUMNS = (
    Column("change", "Change that is enough", "text:wrap", 60),
    Column("share", "Size of\nthe change", "percent", 12),
    Column("total", "Cost of the\nplan after it, USD", "usd", 17),
    Column("sign", "To sign\nUSD", "usd", 14),
    Column("note", "", "text", 22),
)
NONE_FOUND = "No change of one or two cells of the input was found that is enough."
NOT_SETTLED = (
    "Whole units: not settled in the time. "
    "For units of any size, to the rounding of the figures, each of these is enough"
)
UNPLANNED = "Each of these is enough; there was no time for the cheapest plan after it"
AT_LEAST = " and no less is: whole units need at least as much"


def print_fits(console: Console, study: Study) -> None:
    """Print the changes, the smallest first, and which is the smallest and which the cheapest."""
    fits = _fits(study)
    if not fits:
        return
    console.print()
    table = TextTable((_head(fits), "size", "the plan\nthen costs", "to sign", ""))
    for answer in fits:
        assert answer.fit is not None
        share = answer.fit.share
        size = "" if share is None else percent(share)
        if answer.possible:
            money = (usd(answer.total_usd or 0.0), usd(answer.to_sign_usd or 0.0))
            table.add(clean(str(answer.fit), 110), size, *money, _note(fits, answer))
        else:
            table.add(clean(str(answer.fit), 110), size, Styled("no plan", LOST), "", "")
    table.print(console)
    console.print()
    for what, best in (("smallest", smallest(fits)), ("cheapest", cheapest(fits))):
        if best is not None:
            console.print(f"The {what} of these: {clean(str(best.fit), 300)}; the plan then costs "
                          f"{usd(best.total_usd or 0.0)}.", soft_wrap=True)  # fmt: skip


def print_outcome(study: Study, stream: IO[str]) -> None:
    """Say so where nothing had to change, or nothing was found."""
    if study.base.possible:
        print("\nThe folder has a plan as it stands: nothing has to change.", file=stream)
        return
    console, never = console_for(stream), study.not_enough or NotEnough()
    none = not _fits(study) and not never.unplanned
    if none:
        console.print(f"\n{NONE_FOUND}")
    one, two = _by_count(never.any_size)
    for head, fits in ((UNPLANNED, never.unplanned), (NOT_SETTLED + AT_LEAST, one), (NOT_SETTLED, two)):
        if fits:
            console.print(f"\n{head}:", style="bold", soft_wrap=True)
        for fit in fits:
            console.print(f"- {clean(str(fit), 300)}", soft_wrap=True)
    if none and never.single:
        names = "; ".join(clean(name, 110) for name in never.single)
        pairs = f", nor are {never.pairs:,} pairs" if never.pairs else ""
        console.print(f"\nProved not to be enough by itself, however large{pairs}: {names}.", soft_wrap=True)


def _by_count(fits: Sequence[Fit]) -> tuple[list[Fit], list[Fit]]:
    """Part single changes from pairs."""
    return [fit for fit in fits if len(fit.changes) == 1], [fit for fit in fits if len(fit.changes) > 1]


def _fits(study: Study) -> list[Answer]:
    return [answer for answer in study.cases if answer.fit is not None]


def _head(fits: list[Answer]) -> str:
    kinds = {len(a.fit.changes) for a in fits if a.fit is not None and not a.fit.asks_less}
    if 1 in kinds or not kinds:
        return "Each of these alone makes it fit"
    less = any(a.fit is not None and a.fit.asks_less for a in fits)
    return f"No single change{' but less demand' if less else ''} does; each of these does"


def _note(fits: list[Answer], answer: Answer) -> str:
    told = [what for what, best in (("smallest", smallest(fits)), ("cheapest", cheapest(fits))) if best is answer]
    return ", ".join(told)


def add_sheet(book: Book, study: Study) -> None:
    """Add the sheet where such changes were asked for."""
    fits = _fits(study)
    if not fits:
        return
    sheet = book.add_sheet(NAME)
    text = f"{_head(fits)}. Each was put into the folder exactly as it stands here, and planned."
    sheet.heading(NAME, text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    rows: list[Mapping[str, Value]] = [
        {"change": str(a.fit), "share": a.fit.share if a.fit is not None else None, "total": a.total_usd,
         "sign": a.to_sign_usd, "note": _note(fits, a) if a.possible else "no plan"}
        for a in fits
    ]  # fmt: skip
    block = sheet.table(TOP, COLUMNS, rows)
    sheet.printed(block.last, len(COLUMNS) - 1, freeze=(TOP + 1, 1))
