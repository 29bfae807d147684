"""The break-even of each offer on paper: a workbook with one sheet, and a chart as SVG."""

import datetime as dt
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from planner.features.catalogue.break_even import Row
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


WIDTH, LEFT, RIGHT, STEP, TOP, BOTTOM = 900, 420, 60, 24, 44, 40
PAYS_COLOUR, NEVER_COLOUR, INK = "#0072B2", "#D55E00", "#1F2A37"
MOST_ROWS, LONGEST = 60, 84
TITLE = "Busy share at which a reserved unit costs what on demand would"
SMALL = 'font-family="Arial, Helvetica, sans-serif" font-size="10" fill="#1F2A37"'
TEXT = 'font-family="Arial, Helvetica, sans-serif" font-size="12" fill="#1F2A37"'


def break_even_chart(rows: Sequence[Row]) -> str:
    """SVG text, the same for the same rows; offers without a known price are left out, the cheapest come first."""
    known = [(r, r.break_even_utilisation) for r in rows if r.break_even_utilisation is not None]
    shown = sorted(known, key=lambda pair: (pair[1], pair[0].offer, pair[0].model, pair[0].term, pair[0].mix))[
        :MOST_ROWS
    ]
    height = TOP + STEP * max(len(shown), 1) + BOTTOM
    most = max([1.25, *(u for _, u in shown)])
    per_share = (WIDTH - LEFT - RIGHT) / most
    parts = [f'<text x="12" y="22" {TEXT} font-weight="bold">{TITLE}</text>']
    for k, (row, u) in enumerate(shown):
        y = TOP + k * STEP
        colour = NEVER_COLOUR if u > 1 + 1e-9 else PAYS_COLOUR
        hit = "" if row.cache_hit_rate is None else f", {row.cache_hit_rate:.0%} cached"
        told = f"{row.model}, {row.offer}, {row.meter}, {row.term}, {row.mix}{hit}".replace(", tokens", "")
        label = escape("".join(letter for letter in told[:LONGEST] if letter.isprintable()))
        parts.append(f'<text x="{LEFT - 8}" y="{y + 14}" {SMALL} text-anchor="end">{label}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y + 3}" width="{u * per_share:.1f}" height="{STEP - 8}" fill="{colour}"/>')
    x = LEFT + per_share
    parts.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - BOTTOM + 4}" stroke="{INK}"/>')
    for k, (_, u) in enumerate(shown):  # over the line, on white
        left, y = LEFT + u * per_share + 2, TOP + k * STEP
        parts.append(
            f'<rect x="{left:.1f}" y="{y + 4}" width="{9 * len(f"{u:.0%}")}" height="{STEP - 10}" fill="#FFFFFF"/>'
        )
        parts.append(f'<text x="{left + 2:.1f}" y="{y + 15}" {TEXT}>{u:.0%}</text>')
    parts.append(
        f'<text x="{x:.1f}" y="{height - 14}" {TEXT} text-anchor="middle">100%: beyond this line it never pays</text>'
    )
    if not shown:
        parts.append(f'<text x="{LEFT}" y="{TOP + 14}" {TEXT}>no offer with a known price</text>')
    if len(known) > MOST_ROWS:
        parts.append(f'<text x="12" y="{height - 14}" {TEXT}>first {MOST_ROWS} of {len(known)}</text>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="Break-even utilisation">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#FFFFFF"/>\n{body}\n</svg>\n'
    )
