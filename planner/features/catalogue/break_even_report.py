"""The break-even of each offer on paper: a workbook with one sheet, and a chart as SVG."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from planner.features.catalogue.break_even import BreakEven
from planner.io.atomic import written_beside
from planner.workbook.book import Column, new_book
from planner.workbook.svg import BarLook, bars
from planner.workbook.theme import BLUE, VERMILION

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
        book = new_book(str(beside), "Break-even utilisation", created, "Where a reserved unit pays off", "offers")
        sheet = book.add_sheet("Break-even")
        told = (
            "Utilisation at which a reserved unit costs what the same tokens cost on demand; above 100% it never pays."
        )
        sheet.heading("Break-even utilisation", told, len(COLUMNS) - 1)
        sheet.widths(COLUMNS)
        block = sheet.table(_TOP, COLUMNS, records, filters=True, empty="No offer to compare.")
        sheet.printed(block.last, len(COLUMNS) - 1, repeat=_TOP, freeze=(_TOP + 1, 2))
        book.raw.close()


_MOST_ROWS = 60
_TITLE = "Utilisation at which a reserved unit costs what on demand would"
_MARK = "100%: beyond this line it never pays"


def break_even_chart(rows: Sequence[BreakEven]) -> str:
    """SVG text, the same for the same rows; offers without a known price are left out, the cheapest come first."""
    known = [(r, r.break_even_utilisation) for r in rows if r.break_even_utilisation is not None]
    ranked = sorted(known, key=lambda pair: (pair[1], pair[0].offer, pair[0].model, pair[0].term, pair[0].mix))
    shown = [(_label(row), u, VERMILION if u > 1 + 1e-9 else BLUE) for row, u in ranked[:_MOST_ROWS]]
    note = "" if known else "no offer with a known price"
    if len(known) > _MOST_ROWS:
        note = f"first {_MOST_ROWS} of {len(known)}"
    look = BarLook(left=430, text="{:.0%}".format, mark=(1.0, _MARK), title=_TITLE, note=note)
    return bars(shown, alt="Break-even utilisation", width=900, look=look) + "\n"


def _label(row: BreakEven) -> str:
    hit = "" if row.cache_hit_rate is None else f", {row.cache_hit_rate:.0%} cached"
    return f"{row.model}, {row.offer}, {row.meter}, {row.term}, {row.mix}{hit}".replace(", tokens", "")
