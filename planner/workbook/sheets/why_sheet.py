"""Why: for each purchase the hours that pay for it, its shadow price, and where it would stop paying."""

from dataclasses import replace
from typing import Any

from planner.plan.pool_months import OrderValue
from planner.plan.why import LineRent
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, WEEKDAYS, hour_label
from planner.workbook.book import Block, Column, Live, Sheet, print_areas
from planner.workbook.report import Report
from planner.workbook.svg import heat_map, hours_header
from planner.workbook.text_tables import clean, percent, usd
from planner.workbook.theme import HEAT

NAME, HOURS_NAME = "Why", "Why by hour"
TOP = 4
_MAPS = 40  # purchases whose hours are shown, the dearest first

COLUMNS = (
    Column("offer", "Offer", "text:wrap", 30),
    Column("start", "Start", "date", 11),
    Column("price", "Price of a unit\nin the plan, USD", "cents", 14),
    Column("use", "paid by use\nUSD", "cents", 13),
    Column("stress", "paid by headroom\nand failover, USD", "cents", 15),
    Column("spend", "paid by money to\nbe spent anyway, USD", "cents", 15),
    Column("sum", "Rents together\nUSD", "cents", 13),
    Column("rest", "Left over\nUSD", "cents", 12),
    Column("hours", "Hours of the\nweek that pay", "count", 12),
    Column("shadow", "Shadow price\nUSD/unit-hour", "price", 13),
    Column("discount", "Discount against\non demand", "percent", 14),
    Column("least", "Stops paying below\na discount of", "percent", 16),
    Column("utilisation", "Expected\nutilisation", "percent", 11),
    Column("break_even", "Stops paying below\na utilisation of", "percent", 16),
)


def write(sheet: Sheet, report: Report, order: Block | None) -> Block:
    """Write the sheet; `order` is the purchase order, which break-even and expected utilisation are taken from."""
    promised = any(c.counts_reserved for c in report.case.spend_commitments)
    columns = tuple(c for c in COLUMNS if promised or c.key != "spend")
    if promised:
        columns = tuple(replace(c, header="Paid in all\nUSD") if c.key == "sum" else c for c in columns)
    text = (
        "Each hour in which a unit saves money, or keeps a stress case served, pays a rent: what one more unit would "
        f"be worth in it. {_adds_up(promised)} What is left over comes from whole units, size limits or the budget: "
        "then the last unit is worth more or less than its price. By use alone a purchase pays while its discount "
        "against on demand, fully used, is above its idle share."
    )
    sheet.heading("Why", text, len(columns) - 1)
    sheet.raw.set_row(1, 42)
    sheet.widths(columns)
    if len(report.plan.rents) + len(report.plan.stress_rents) == 0:
        sheet.merged(
            2, 0, len(columns) - 1, "The solver gave no duals for this plan, so that no rents can be shown.", "alert"
        )
    lines = zip(report.values, report.rents, strict=True)
    rows = [
        _record(k, value, rent, order, promised=promised) for k, (value, rent) in enumerate(lines) if order is not None
    ]
    block = sheet.table(TOP, columns, rows, empty="Nothing is bought, so there is nothing to explain.")
    sheet.printed(block.last, len(columns) - 1, repeat=TOP, freeze=(TOP + 1, 1))
    return block


def _adds_up(promised: bool) -> str:
    if promised:
        return "With the shortfall that its payments save, the rents of a purchase add up to its price."
    return "The rents of a purchase add up to its price."


def _record(k: int, value: OrderValue, rent: LineRent, order: Block, *, promised: bool) -> dict[str, Any]:
    line = value.line
    price = line.usd_per_unit_hour
    hours = rent.price_usd / price if price > 0 else line.hours_horizon
    return {
        "offer": line.offer.offer,
        "start": line.start,
        "price": rent.price_usd,
        "use": rent.use_usd,
        "stress": rent.stress_usd,
        **({"spend": rent.spend_usd} if promised else {}),
        "sum": Live("={use}+{stress}+{spend}" if promised else "={use}+{stress}", rent.paid_usd),
        "rest": Live("=ROUND({sum}-{price},2)", round(rent.paid_usd - rent.price_usd, 2) + 0.0),
        "hours": int(((rent.use_by_hour + rent.stress_by_hour) > 0).sum()),
        "shadow": rent.rent_usd / hours,
        "discount": Live('=IF(ISNUMBER({break_even}),1-{break_even},"")', _rest(value.break_even)),
        "least": Live('=IF(ISNUMBER({utilisation}),1-{utilisation},"")', _rest(value.utilisation)),
        "break_even": Live(f"={order.cell('break_even', k)}", _or_blank(value.break_even)),
        "utilisation": Live(f"={order.cell('utilisation', k)}", _or_blank(value.utilisation)),
    }


def _rest(share: float | None) -> float | str:
    return "" if share is None else 1 - share


def _or_blank(share: float | None) -> float | str:
    return "" if share is None else share


def write_hours(sheet: Sheet, report: Report) -> None:
    """Draw the rents of each hour of the week, for the dearest purchases."""
    text = "What one more unit is worth in each hour of the week (UTC), USD over the plan's months."
    sheet.heading("Why by hour", text, HOURS_PER_DAY)
    sheet.raw.set_column(0, 0, 20)
    sheet.raw.set_column(1, HOURS_PER_DAY, 6.2)
    ranked = sorted(zip(report.lines, report.rents, strict=True), key=lambda pair: -pair[0].term_usd)
    shown = [pair for pair in ranked if pair[1].rent_usd > 0][:_MAPS]
    top = 3
    if not shown:
        sheet.put(top, 0, "There are no rents to show.", "note")
    blocks = [(0, top)] if not shown else []
    for line, rent in shown:
        blocks.append((top if blocks else 0, top + DAYS_PER_WEEK + 2))
        week = rent.use_by_hour + rent.stress_by_hour
        sheet.put(top, 0, f"{clean(line.offer.offer, 80)}, from {line.start}", "section")
        top += 1
        hours_header(sheet, top, 1)
        for day in range(DAYS_PER_WEEK):
            sheet.put(top + 1 + day, 0, WEEKDAYS[day], "day")
            for hour in range(HOURS_PER_DAY):
                sheet.put(top + 1 + day, 1 + hour, float(week[day * HOURS_PER_DAY + hour]) or None, "rent")
        heat_map(sheet, top + 1, first=1, last_row=top + DAYS_PER_WEEK, last=HOURS_PER_DAY, colours=HEAT)
        total = Live(f"=SUM(B{top + 2}:Y{top + 1 + DAYS_PER_WEEK})", float(week.sum()))
        sheet.put(top + 1 + DAYS_PER_WEEK, 0, "Sum of the rents, USD", "key")
        sheet.merged(top + 1 + DAYS_PER_WEEK, 1, 2, total, "cents:bold")
        sheet.merged(top + 1 + DAYS_PER_WEEK, 4, HOURS_PER_DAY, _paid_by(rent), "note")
        top += DAYS_PER_WEEK + 3
    width = 20 + 6.2 * HOURS_PER_DAY
    sheet.printed(top, HOURS_PER_DAY, freeze=(3, 1), areas=print_areas(blocks, width))


def _paid_by(rent: LineRent) -> str:
    cases = sorted(rent.stress_by_case.items(), key=lambda item: -item[1])
    parts = [f"{percent(rent.use_usd / rent.rent_usd, 0)} by use"]
    parts += [f"{clean(name, 120)} {usd(value, 2)}" for name, value in cases[:4]]
    if rent.stress_usd > 0:
        parts.append(f"stress worst in {hour_label(int(rent.stress_by_hour.argmax()))}")
    for name, value in rent.spend_by_contract.items():
        parts.append(f"beside these, {usd(value, 2)} by money that must be spent on {clean(name, 120)} anyway")
    return "; ".join(parts)
