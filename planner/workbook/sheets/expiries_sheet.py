"""Expiries: when each commitment ends, by when to decide, what its pool loses; what is owed month by month."""

import datetime as dt
from typing import Any

from planner.plan.expiries import Calendar, Expiry
from planner.units import HOURS_PER_DAY, counted, last_day
from planner.workbook.book import Block, Column, Live, Sheet, axis, block_at, chart_title, grid, print_areas
from planner.workbook.order_columns import days_within
from planner.workbook.report import Report
from planner.workbook.sheets.reservations import number_pools
from planner.workbook.text_tables import clean, lines_of
from planner.workbook.theme import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

NAME = "Expiries"
NOTICE_ROW, TOP = 2, 4
_CHART_ROWS = 21
_SHOWN = 4
_COLOURS = (BLUE, ORANGE, GREEN, SKY, VERMILION, GREY)

COLUMNS = (
    Column("decide", "Decide by", "date", 12),
    Column("end", "Ends (first\nday after)", "date", 13),
    Column("region", "Region", "text:wrap", 18),
    Column("offer", "Offer", "text:wrap", 26),
    Column("bought", "Bought", "text", 11),
    Column("units", "Units", "units", 9),
    Column("usd", "Per month\nUSD", "usd", 11),
    Column("before", "Pool in force\non its last day", "units", 15),
    Column("after", "and on the\nday after", "units", 12),
    Column("covered", "Coverage\nbefore", "percent", 10),
    Column("left", "Coverage\nafter", "percent", 10),
    Column("lapse", "If it lapses, on\ndemand, USD/month", "usd", 19),
    Column("saves", "Renewing saves\nUSD/month", "usd", 16),
)
WORKINGS = (
    Column("gap", "", "plain", 3),
    Column("product", "Product", "text:muted", 24),
    Column("pool", "Pool", "text:muted", 20),
    Column("start", "Start", "date:muted", 12),
    Column("month", "By the hours\nof", "text:muted", 14),
    Column("pool_no", "Pool\nno.", "count:muted", 7),
    Column("group", "Region\nno.", "count:muted", 8),
    Column("price", "Price\nUSD/unit-hour", "price:muted", 14),
    Column("month_hours", "Hours in a\nmean month", "number:muted", 12),
)
TEXT = (
    "Every commitment, earlier and bought here, by its end. Per month: a mean month of its term, as on the purchase "
    "order (730 hours where it does not run for whole months). Coverage and what a lapse sends to on demand "
    "are estimates, at the plan's units, by the hours of the month in which it is over, or of "
    "the plan's last month where it runs on. Headroom and failover may need units that save nothing."
)


def write(sheet: Sheet, report: Report, order: Block | None) -> Block:
    """Write the sheet; `order` is where the purchase order's lines stand. Returns where the table stands."""
    calendar = report.calendar
    sheet.heading("Expiries", TEXT, len(COLUMNS) - 1)
    sheet.widths((*COLUMNS, *WORKINGS))
    sheet.put(NOTICE_ROW, 0, calendar.notice_days, "count:input")
    sheet.put(NOTICE_ROW, 1, "  days before its end, a commitment is to be decided on (may be edited)", "aside")
    if text := inside_the_plan(calendar):
        sheet.merged(TOP - 1, 0, len(COLUMNS) - 1, text, "line")
        sheet.raw.set_row(TOP - 1, 14 * lines_of(text, 170))
    sheet.raw.data_validation(NOTICE_ROW, 0, NOTICE_ROW, 0, {"validate": "integer", "criteria": ">=", "value": 0})
    columns = (*COLUMNS, *WORKINGS)
    block = block_at(NAME, TOP, columns, len(calendar.expiries))
    numbers = number_pools(report.months)
    rows = [
        _record(e, calendar, numbers=numbers, block=block, order=order, notice=sheet.at(NOTICE_ROW, 0))
        for e in calendar.expiries
    ]
    sheet.table(TOP, columns, rows, empty="Nothing is committed.")
    if not rows:
        sheet.printed(block.last, len(COLUMNS) - 1, repeat=TOP, freeze=(TOP + 1, 0))
        return block
    top = block.total_row + 2
    upfront = any(e.owed.new and e.owed.offer.upfront_usd_per_unit for e in calendar.expiries)
    text = "What is owed, month by month, USD"
    text += " (upfront prices spread over their terms; when they are due: Purchase order, Cash)" if upfront else ""
    sheet.put(top, 0, text, "section")
    if calendar.cut:
        sheet.put(
            top,
            3,
            f"Only the first {counted(len(calendar.months), 'month is', many='months are')} shown; commitments run on.",
            "aside",
        )
    last = _by_month(sheet, calendar, block, top + 1 + _CHART_ROWS, top + 1)
    areas = print_areas([(0, block.total_row), (top, last)], sum(c.width for c in COLUMNS))
    sheet.printed(last, len(COLUMNS) - 1, freeze=(TOP + 1, 0), areas=areas)  # no head of one table above the other
    return block


def inside_the_plan(calendar: Calendar) -> str:
    """Name the commitments that end inside the plan, and how much of it is without them; blank: none does."""
    ends: dict[tuple[str, dt.date, int], None] = {}
    for e in calendar.expiries:
        if e.days_without:
            ends.setdefault((e.owed.offer.offer, e.owed.end, e.days_without))
    told = [
        f"{clean(name, 60)} runs through {last_day(end)} (the plan's last "
        f"{'day is' if days == 1 else f'{days} days are'} without it)"
        for name, end, days in ends
    ]
    more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"Inside the plan: {'; '.join(told[:_SHOWN])}{more}." if told else ""


def _record(
    e: Expiry,
    calendar: Calendar,
    *,
    numbers: dict[tuple[str, str], int],
    block: Block,
    order: Block | None,
    notice: str,
) -> dict[str, Any]:
    o, offer = e.owed, e.owed.offer
    units: float | Live = o.units
    price: float | Live = o.usd_per_unit_hour
    if o.line is not None and order is not None:  # edited in the order, it follows here
        units = Live(f"={order.cell('units', o.line)}", o.units)
        price = Live(f"={order.cell('each' if 'each' in order.columns else 'price', o.line)}", o.usd_per_unit_hour)
    own = {key: block.range(key, local=True) for key in ("pool_no", "start", "end", "units")}
    force = f"=SUMPRODUCT(({own['pool_no']}={{pool_no}})*({own['start']}{{}})*({own['end']}{{}})*{own['units']})"
    return {
        "decide": Live("={end}-" + notice, _serial(e.decide)), "end": o.end, "region": o.region, "offer": offer.offer,
        "product": offer.product or "", "pool": offer.pool, "bought": "this plan" if o.new else "earlier",
        "start": o.start, "units": units, "usd": Live("={units}*{price}*{month_hours}", e.usd_per_month),
        "before": Live(_filled(force, "<{end}", ">={end}"), e.before_units),
        "after": Live(_filled(force, "<={end}", ">{end}"), e.after_units),
        "covered": e.coverage_before, "left": e.coverage_after,
        "lapse": e.lapse_usd_per_month if e.priced else None,
        "saves": Live("={lapse}-{usd}", e.lapse_usd_per_month - e.usd_per_month) if e.priced else None,
        "month": e.month, "pool_no": numbers[offer.pool, offer.meter], "group": calendar.group_of[o.region] + 1,
        "price": price, "month_hours": e.mean_month_hours,
    }  # fmt: skip


def _filled(formula: str, start: str, end: str) -> str:
    """Put the two comparisons into the formula of what is in force."""
    return formula.replace("{}", start, 1).replace("{}", end, 1)


def _serial(day: dt.date) -> float:
    """Return a date as a spreadsheet's number: days since 1899-12-30."""
    return float(day.toordinal() - 693_594)


def _by_month(sheet: Sheet, calendar: Calendar, block: Block, top: int, chart_at: int) -> int:
    """Write the dollars of each month and region, and their chart above; returns the last row."""
    keys = [f"g{k}" for k in range(len(calendar.groups))]
    width = {c.key: c.width for c in COLUMNS}
    places = [c.key for c in COLUMNS]
    columns = (
        Column("month", "Month", "month", width[places[0]]),
        *(Column(key, clean(name, 120), "usd", width[places[1 + k]])
          for k, (key, name) in enumerate(zip(keys, calendar.groups, strict=True))),
        Column("total", "All", "usd", width[places[1 + len(keys)]]),
    )  # fmt: skip
    own = {key: block.range(key, local=True) for key in ("group", "start", "end", "units", "price")}
    whole = all(e.owed.start.day == e.owed.end.day == 1 for e in calendar.expiries)
    rows: list[dict[str, Any]] = []
    for first, usd in zip(calendar.months, calendar.usd, strict=True):
        row: dict[str, Any] = {"month": first}
        for k, key in enumerate(keys):
            days = days_within(own["start"], own["end"], "{month}", whole=whole)
            formula = f"=SUMPRODUCT(({own['group']}={k + 1})*{days}*{own['units']}*{own['price']})*{HOURS_PER_DAY}"
            row[key] = Live(formula, usd[k])
        row["total"] = Live("=" + "+".join(f"{{{key}}}" for key in keys), sum(usd))
        rows.append(row)
    months = sheet.table(top, columns, rows)
    _chart(sheet, months, keys, chart_at)
    return months.last


def _chart(sheet: Sheet, block: Block, keys: list[str], top: int) -> None:
    chart = sheet.book.chart("column", "stacked")
    month = block.columns["month"]
    for key, colour in zip(keys, _COLOURS, strict=False):
        column = block.columns[key]
        chart.add_series({
            "name": [sheet.name, block.first - 1, column],
            "categories": [sheet.name, block.first, month, block.last, month],
            "values": [sheet.name, block.first, column, block.last, column],
            "fill": {"color": colour},
            "gap": 30,
        })  # fmt: skip
    chart.set_title(chart_title("Commitments in force, USD a month, until the last one ends"))
    chart.set_x_axis(axis("", num_format="mmm yyyy"))
    chart.set_y_axis(grid("USD", num_format="$#,##0"))
    chart.set_size({"width": 1000, "height": 380})
    alt = "Columns of the dollars of commitments in force each month, by region, until the last commitment ends."
    sheet.raw.insert_chart(top, 0, chart, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1})
