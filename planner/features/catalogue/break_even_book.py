"""A workbook with one sheet: the break-even utilisation of each offer, and what was not confirmed."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from planner.io.atomic import written_beside
from planner.workbook.book import Column, new_book

COLUMNS = (
    Column("offer", "Offer", "text:wrap", 34),
    Column("model", "Model", "text", 20),
    Column("meter", "Meter", "text", 14),
    Column("term", "Term", "text", 10),
    Column("mix", "Mix or workload", "text", 18),
    Column("cache_hit_rate", "Cached\ninput", "percent", 9),
    Column("usd_per_unit_hour", "USD per\nunit-hour", "price", 12),
    Column("list_usd_per_unit_hour", "List USD per\nunit-hour", "price", 12),
    Column("break_even_utilisation", "Break-even\nutilisation", "percent", 12),
    Column("after_price_cut", "After the\nprice cut", "percent", 12),
    Column("discount_needed", "Discount\nneeded", "percent", 11),
    Column("verdict", "Verdict", "text", 12),
    Column("status", "Status", "text", 12),
    Column("note", "Note", "text:wrap", 60),
)
_TOP = 3  # row of the header


def write_break_even(rows: Iterable[Any], path: Path, created: dt.date) -> None:
    """Write the sheet; `rows` have the columns above as attributes."""
    records = [{column.key: getattr(row, column.key) for column in COLUMNS} for row in rows]
    with written_beside(path) as beside:
        book = new_book(str(beside), "Break-even utilisation", created, "Where a reserved unit pays", "offers")
        sheet = book.add_sheet("Break-even")
        told = (
            "Busy share at which a reserved unit costs what the same tokens cost on demand; above 100% it never pays."
        )
        sheet.heading("Break-even utilisation", told, len(COLUMNS) - 1)
        sheet.widths(COLUMNS)
        block = sheet.table(_TOP, COLUMNS, records, filters=True, empty="No offer to compare.")
        sheet.printed(block.last, len(COLUMNS) - 1, repeat=_TOP, freeze=(_TOP + 1, 2))
        book.raw.close()
