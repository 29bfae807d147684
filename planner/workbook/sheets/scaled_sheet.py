"""Units by the hour: what runs of each deployment in each month, what that costs, and what on demand would."""

from typing import Any

from planner.plan.metrics.metric_tables import HORIZON
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.workbook import scaled_story
from planner.workbook.book import Block, Column, Live, Sheet
from planner.workbook.report import Report, rows_of

NAME = "Units by the hour"
TOP = 3

COLUMNS = (
    Column("region", "Region", "text:wrap", 16),
    Column("pool", "Pool", "text:wrap", 24),
    Column("meter", "Meter", "text", 10),
    Column("model", "Model", "text:wrap", 20),
    Column("period", "Month", "text", 11),
    Column("peak", "Most units\nat once", "number", 11),
    Column("hours", "Unit-hours\nrun", "count", 11),
    Column("used", "of which\nused", "percent", 10),
    Column("cold", "Unit-hours paid\nfor cold starts", "count", 15),
    Column("price", "USD per\nunit-hour", "price", 11),
    Column("usd", "Cost\nUSD", "usd", 12, total=True),
    Column("requests", "Requests\nserved", "count", 13, total=True),
    Column("instead", "The same on\ndemand, USD", "usd", 13, total=True),
)


def write(sheet: Sheet, report: Report) -> Block:
    """Write the sheet; returns where its table stands."""
    text = (
        "Units that are started when they are needed, beside the units of a commitment. They serve what is above the "
        "deployed units, and count neither as reserved nor on demand; a cold machine is no spare in a stress case."
    )
    sheet.heading(NAME, text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    frame = report.metrics.scaled
    rows = rows_of(frame[frame["period"] != HORIZON])
    price = {p.pool: p.usd_per_scaled_unit_hour or 0.0 for p in report.case.pools}
    block = sheet.table(TOP, COLUMNS, [_row(row, price[str(row.pool)]) for row in rows], empty="None runs.")
    top = block.total_row + 2
    for line in scaled_story.scaled_lines(report) if rows else ():
        sheet.merged(top, 0, len(COLUMNS) - 1, line, "line")
        sheet.raw.set_row(top, 14 * (1 + len(line) // 150))
        top += 1
    sheet.printed(top, len(COLUMNS) - 1, repeat=TOP, freeze=(TOP + 1, 2))
    return block


def _row(row: Any, usd_per_unit_hour: float) -> dict[str, Any]:
    hours, instead = float(row.unit_hours), float(row.on_demand_equivalent_usd)
    return {
        "region": str(row.region), "pool": str(row.pool), "meter": str(row.meter),
        "model": "all models" if row.model == SHARED_DEPLOYMENT else str(row.model), "period": str(row.period),
        "peak": float(row.peak_units), "hours": hours,
        "used": float(row.used_unit_hours) / hours if hours > 0 else None,
        "cold": float(row.start_unit_hours), "price": usd_per_unit_hour,
        "usd": Live("=({hours}+{cold})*{price}", float(row.scaled_usd)), "requests": float(row.requests),
        "instead": instead if instead == instead else None,
    }  # fmt: skip
