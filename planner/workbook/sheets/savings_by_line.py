"""Savings by line: what each line of the purchase order saves against on demand, and why it is bought."""

from typing import Any

from planner.plan.pool_months import OrderValue
from planner.workbook.book import Block, Column, Live, Sheet
from planner.workbook.sheets.purchase_order import OrderRow

NAME = "Savings by line"
TOP = 3

COLUMNS = (
    Column("offer", "Offer", "text:wrap", 26),
    Column("start", "Start", "date", 12),
    Column("units", "Units", "units", 9),
    Column("horizon_usd", "In the plan's\nmonths, USD", "usd", 13, total=True),
    Column("usage_usd", "Same usage on\ndemand, USD", "usd", 14, total=True),
    Column("saving_usd", "Saving\nUSD", "usd", 12, total=True),
    Column("break_even", "Break-even\nutilisation", "percent", 11),
    Column("utilisation", "Expected\nutilisation", "percent", 11),
    Column("payback", "Pays for its term\nafter months", "number", 15),
    Column("reason", "Reason", "text:wrap", 52),
)
TEXT = (
    "Against the same usage on demand, at its prices. Break-even: the share of its hours that a unit must be used to"
    " cost as much. A line that saves nothing is bought for headroom, failover or a full quota: its reason says so."
    " Blank: there is no on-demand price to compare with."
)


def write(sheet: Sheet, rows: list[OrderRow], order: Block | None) -> None:
    """Write the sheet; its figures are those of the purchase order (`order`), and follow edited units."""
    sheet.heading("Savings by line", TEXT, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    records = [] if order is None else [_record(k, row, order) for k, row in enumerate(rows)]
    block = sheet.table(TOP, COLUMNS, records, empty="Nothing is bought.")
    sheet.printed(block.total_row, len(COLUMNS) - 1, repeat=TOP, freeze=(TOP + 1, 1))


def _record(k: int, row: OrderRow, order: Block) -> dict[str, Any]:
    value: OrderValue = row.value
    line = value.line
    months = line.months_horizon
    now: dict[str, Any] = {
        "units": line.units,
        "horizon_usd": line.horizon_usd,
        "usage_usd": value.usage_usd,
        "saving_usd": value.usage_usd - line.horizon_usd,
        "break_even": "" if value.break_even is None else value.break_even,
        "utilisation": "" if value.utilisation is None else value.utilisation,
        "payback": line.term_usd / (value.usage_usd / months) if value.usage_usd > 0 else "",
    }
    linked: dict[str, Live | None] = {key: Live(f"={order.cell(key, k)}", number) for key, number in now.items()}
    if not value.priced:
        linked |= {"usage_usd": None, "saving_usd": None}
    return {"offer": line.offer.offer, "start": line.start, **linked, "reason": row.reason}
