"""Month by month: cost and use as planned and actual, of everything, of each pool and of each commitment."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from planner.features.review.review_tables import ACTUAL, EXPECTED, PLANNED, Review
from planner.workbook.book import Block, Column, Live, Sheet, axis, block_at, chart_title, grid, print_areas
from planner.workbook.report import rows_of
from planner.workbook.theme import BLUE, SKY

NAME = "Month by month"
TOP = 21  # below the chart
SIDES = {PLANNED: "planned, days / 7", EXPECTED: "planned, hours seen", ACTUAL: "actual"}
TOTALS = (
    Column("name", "Month", "text", 28),
    Column("planned", "Planned\nUSD", "usd", 20, total=True),
    Column("actual", "Actual\nUSD", "usd", 14, total=True),
    Column("more", "More\nUSD", "usd", 14, total=True),
)
_USE = (
    Column("coverage", "Coverage", "percent", 10),
    Column("utilisation", "Utilisation", "percent", 11),
    Column("vacancy", "Vacancy", "percent", 10),
    Column("rate", "Effective\nsavings rate", "percent", 12),
)
MONTHS = (
    Column("name", "Month", "text", 28),
    Column("side", "", "text", 20),
    Column("hours", "Hours", "count", 14),
    Column("requests", "Requests", "count", 14),
    Column("capacity", "Reserved\nUSD", "usd", 13),
    Column("on_demand", "On demand\nUSD", "usd", 13),
    Column("egress", "Egress\nUSD", "cents", 15),
    Column("total", "Total\nUSD", "usd", 13),
    *_USE,
    Column("unserved", "Unserved\nrequests", "count", 12),
)
POOLS = (
    Column("name", "Pool", "text:wrap", 28),
    Column("side", "", "text", 20),
    Column("period", "Month", "text", 14),
    Column("meter", "Meter", "text", 14),
    Column("units", "Units", "units", 13),
    Column("usd", "Cost\nUSD", "usd", 13),
    Column("covered", "Served, on\ndemand USD", "usd", 15),
    Column("saved", "Saved\nUSD", "usd", 13),
    *_USE,
)


def write(sheet: Sheet, review: Review) -> Block:
    """Write the chart and three tables; returns where the months stand."""
    unspent = "" if review.contracts.empty else " What spend commitments cost unspent is in no month: see their sheet."
    sheet.heading("Month by month", "Planned figures beside actual ones are the plan's at the hours that were seen. "
                  f"Actual demand is served as cheaply as possible by what is held.{unspent}",
                  len(MONTHS) - 1)  # fmt: skip
    sheet.widths(_columns(review))
    seen = [s.period for s in review.spans if s.hours_seen]
    sheet.put(TOP - 1, 0, "Planned against actual", "section")
    columns = _columns(review)
    table = block_at(NAME, TOP + len(seen) + 4, columns, len(review.monthly))
    totals = sheet.table(TOP, TOTALS, [_totals(review, period, table) for period in seen])
    sheet.put(table.first - 2, 0, "All", "section")
    months = sheet.table(table.first - 1, columns, [_month(r, columns) for r in rows_of(review.monthly)])
    top = months.total_row + 2
    sheet.put(top - 1, 0, "Pools", "section")
    pools = sheet.table(top, POOLS, [_pool(r, str(r.pool)) for r in _shown(review.pools)], empty="Nothing is held.")
    top = pools.total_row + 2
    sheet.put(top - 1, 0, "Commitments: each one's part of its pool, by units", "section")
    of_line = (Column("name", "Commitment", "text:wrap", 28), *POOLS[1:])
    rows = [_pool(r, f"{r.commitment}: {r.offer}") for r in _shown(review.commitments)]
    block = sheet.table(top, of_line, rows, empty="The plan holds no commitments.")
    cost_chart(sheet, totals, 3)
    heads = [0, months.first - 2, pools.first - 2, top - 1]
    blocks = list(zip(heads, [totals.total_row, months.total_row, pools.total_row, block.total_row], strict=True))
    areas = print_areas(blocks, sum(c.width for c in columns))
    sheet.printed(block.total_row, len(columns) - 1, freeze=(3, 1), areas=areas)
    return months


def _columns(review: Review) -> tuple[Column, ...]:
    """Columns of the months; with units by the hour where some ran, or were planned to."""
    if not review.monthly["scaled_usd"].any():
        return MONTHS
    at = next(k for k, c in enumerate(MONTHS) if c.key == "on_demand")
    return (*MONTHS[:at], Column("scaled", "By the hour\nUSD", "usd", 13), *MONTHS[at:])


def _shown(table: pd.DataFrame) -> list[Any]:
    return rows_of(table[table["side"] != PLANNED])


def _month(row: Any, columns: Sequence[Column]) -> dict[str, Any]:
    keys = [c.key for c in columns if c.key in ("capacity", "scaled", "on_demand", "egress")]
    parts = {key: float(getattr(row, f"{key}_usd")) for key in keys}
    return {
        "name": str(row.period), "side": SIDES[str(row.side)], "hours": float(row.hours),
        "requests": float(row.requests), **parts,
        "total": Live("=" + "+".join(f"{{{key}}}" for key in keys), sum(parts.values())), **_use(row),
        "unserved": float(row.unserved_requests),
    }  # fmt: skip


def _pool(row: Any, name: str) -> dict[str, Any]:
    usd, covered = float(row.usd), float(row.covered_usd)
    return {
        "name": name, "side": SIDES[str(row.side)], "period": str(row.period), "meter": str(row.meter),
        "units": float(row.units), "usd": usd, "covered": covered, "saved": Live("={covered}-{usd}", covered - usd),
        **_use(row),
    }  # fmt: skip


def _use(row: Any) -> dict[str, float]:
    return {"coverage": float(row.coverage), "utilisation": float(row.utilisation), "vacancy": float(row.vacancy),
            "rate": float(row.effective_savings_rate)}  # fmt: skip


def _totals(review: Review, period: str, table: Block) -> dict[str, Any]:
    """Refer to the totals of a month in the table below."""
    found: dict[str, Any] = {"name": period}
    for key, side in (("planned", EXPECTED), ("actual", ACTUAL)):
        own = (review.monthly["period"] == period) & (review.monthly["side"] == side)
        row = int(own.to_numpy().argmax())
        found[key] = Live(f"={table.cell('total', row)}", float(review.monthly["total_usd"].iloc[row]))
    found["more"] = Live("={actual}-{planned}", found["actual"].value - found["planned"].value)
    return found


def totals_at(review: Review) -> Block:
    """Tell where the months' totals stand on the sheet."""
    return block_at(NAME, TOP, TOTALS, sum(1 for s in review.spans if s.hours_seen))


def cost_chart(sheet: Sheet, block: Block, top: int) -> None:
    """Draw each month's total, planned and actual, on a sheet; block : where the totals stand."""
    chart = sheet.book.chart("column")
    for key, colour, label in (("planned", SKY, "Planned, for the hours seen"), ("actual", BLUE, "Actual")):
        chart.add_series({
            "name": label,
            "categories": [NAME, block.first, block.columns["name"], block.last, block.columns["name"]],
            "values": [NAME, block.first, block.columns[key], block.last, block.columns[key]],
            "fill": {"color": colour},
            "gap": 80,
        })  # fmt: skip
    chart.set_title(chart_title("Cost of each month"))
    chart.set_x_axis(axis(""))
    chart.set_y_axis(grid("USD", num_format="$#,##0", min=0))
    chart.set_size({"width": 900, "height": 300})
    alt = "Columns of the cost of each month, as planned for the hours seen, and actual."
    sheet.raw.insert_chart(top, 0, chart, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1})
