"""Reservations: each pool in each month (earlier, new, ending, deployed), and each model's deployment and vacancy."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.pool_months import PoolMonth
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.units import HOURS_PER_DAY
from planner.workbook.book import Block, Column, Live, Sheet
from planner.workbook.report import Report, rows_of
from planner.workbook.text_tables import name_width

NAME, DEPLOYMENTS_NAME = "Reservations", "Deployments"
TOP = 3

POOLS = (
    Column("region", "Region", "text:wrap", 16),
    Column("pool", "Pool", "text:wrap", 26),
    Column("meter", "Meter", "text", 10),
    Column("start", "Month", "month", 11),
    Column("earlier", "Earlier\nunits", "units", 10),
    Column("new", "New\nunits", "units", 10),
    Column("force", "In force\nunits", "units", 10),
    Column("ending", "of which end\nafter the month", "units", 15),
    Column("deployed", "Deployed\nunits", "units", 10),
    Column("beyond", "of which beyond\ncommitments", "units", 16),
    Column("earlier_usd", "Earlier units\nUSD", "usd", 12, total=True),
    Column("mean", "Used in the\nmean hour", "number", 12),
    Column("peak", "Used in the\npeak hour", "number", 12),
    Column("vacant", "Idle\nshare", "percent", 9),
)
DEPLOYMENTS = (
    *POOLS[:3],
    Column("model", "Model", "text:wrap", 22),
    Column("start", "Month", "month", 11),
    Column("units", "Deployed\nunits", "units", 11),
    Column("peak", "Used in the\npeak hour", "number", 12),
    Column("used", "Utilisation", "percent", 12),
    Column("vacant", "Vacancy", "percent", 10),
    Column("usd", "Cost\nUSD", "usd", 12, total=True),
)
WORKINGS = (
    Column("gap", "", "plain", 3),
    Column("pool_no", "Pool\nno.", "count:muted", 7),
    Column("hours", "Hours of\nthe month", "count:muted", 10),
    Column("beyond_price", "Price beyond\nUSD/unit-hour", "price:muted", 13),
    Column("beyond_usd", "Beyond\nUSD", "usd:muted", 11, total=True),
)


def number_pools(months: Sequence[PoolMonth]) -> dict[tuple[str, str], int]:
    """Give each pool's meter a number, from 1: formulas match numbers, never names."""
    numbers: dict[tuple[str, str], int] = {}
    for month in months:
        numbers.setdefault((month.pool, month.meter), len(numbers) + 1)
    return numbers


def write(sheet: Sheet, report: Report, months: Sequence[PoolMonth], order: Block | None) -> Block:
    """Write the pools; `order` is where the purchase order's lines will stand."""
    sheet.heading(
        "Reservations",
        "What is held, bought and deployed. The mean hour counts used units alone, the peak hour with their headroom. "
        "Idle share: deployed and not used in the mean hour.",
        len(POOLS) - 1,
    )
    numbers = number_pools(months)
    columns = _dated((*POOLS, *WORKINGS), report)
    sheet.widths(columns)
    block = sheet.table(
        TOP,
        columns,
        [_record(m, numbers[m.pool, m.meter], order) for m in months],
        empty="No pools.",
    )
    sheet.printed(block.total_row, len(POOLS) - 1, repeat=TOP, freeze=(TOP + 1, 2))
    return block


def _record(month: PoolMonth, number: int, order: Block | None) -> dict[str, Any]:
    deployed = month.deployed_units
    vacant = 1 - month.mean_used_units / deployed if deployed > 0 else ""
    new: float | Live = 0.0
    if order is not None:
        o = {key: order.range(key) for key in ("pool_no", "start", "end", "units")}
        formula = (
            f"=SUMPRODUCT(({o['pool_no']}={{pool_no}})*({o['start']}<={{start}})"
            f"*({o['end']}>={{start}}+{{hours}}/{HOURS_PER_DAY})*{o['units']})"
        )
        new = Live(formula, month.new_units)
    return {
        "pool_no": number, "hours": month.hours, "region": month.region, "pool": month.pool, "meter": month.meter,
        "start": month.start,
        "earlier": month.earlier_units, "new": new, "force": Live("={earlier}+{new}", month.in_force_units),
        "ending": month.ending_units, "deployed": deployed, "beyond": month.unreserved_units,
        "earlier_usd": month.earlier_usd, "beyond_price": month.unreserved_usd_per_unit_hour,
        "beyond_usd": Live("=IF(ISNUMBER({beyond_price}),{beyond}*{beyond_price}*{hours},0)", month.unreserved_usd),
        "mean": month.mean_used_units, "peak": month.peak_used_units,
        "vacant": Live('=IF({deployed}>0,1-{mean}/{deployed},"")', vacant),
    }  # fmt: skip


def _dated(columns: Sequence[Column], report: Report) -> list[Column]:
    """Return the columns, as wide as names of regions ask for; where months are cut, periods by their first day."""
    wide = name_width((r.region for r in report.case.regions), 16)
    columns = [replace(c, width=wide) if c.key == "region" else c for c in columns]
    if not report.case.settings.horizon.cuts:
        return columns
    return [replace(c, header="Period\nfrom", style="date") if c.key == "start" else c for c in columns]


def write_deployments(sheet: Sheet, report: Report) -> None:
    """Write each model's deployment in each month: units, use and vacancy."""
    text = (
        "Units set aside for each model. Utilisation: share used, over the hours. Vacancy: not even taken in the peak "
        "hour, so kept for failover."
    )
    sheet.heading(DEPLOYMENTS_NAME, text, len(DEPLOYMENTS) - 1)
    columns = _dated(DEPLOYMENTS, report)
    sheet.widths(columns)
    starts = {p.name: p.start for p in report.case.periods}
    frame = report.metrics.deployments
    frame = frame[frame["period"] != HORIZON].sort_values(["region", "pool", "meter", "model", "period"])
    rows: list[dict[str, Any]] = [
        {"region": str(r.region), "pool": str(r.pool), "meter": str(r.meter), "start": starts[str(r.period)],
         "model": "all models" if r.model == SHARED_DEPLOYMENT else str(r.model), "units": float(r.units),
         "peak": float(r.peak_units), "used": float(r.utilisation), "vacant": float(r.vacancy), "usd": float(r.usd)}
        for r in rows_of(frame)
    ]  # fmt: skip
    block = sheet.table(TOP, columns, rows, filters=True, empty="Nothing is deployed.")
    sheet.printed(block.total_row, len(DEPLOYMENTS) - 1, repeat=TOP, freeze=(TOP + 1, 2))
