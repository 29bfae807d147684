"""Purchase order: what is signed, on a page that prints; its units and prices are edited, and every total follows.

Head (plan.yaml, key purchase; blank is left to be filled in), a line a commitment, what is signed now and later, the
cash of each calendar month, signatures. What each line saves stands on the sheet Savings by line; formulas take it from
the columns beyond the printed page.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from planner.plan.orders import SHOWN_DIGITS, OrderLine, billed, order_digest_of
from planner.plan.pool_months import OrderValue
from planner.schema.settings import PurchaseHead
from planner.units import HOURS_PER_DAY, HOURS_PER_MONTH, counted, last_day
from planner.workbook import story
from planner.workbook.book import Block, Column, Live, Sheet
from planner.workbook.order_columns import (
    OFFER,
    ORDER_SHEET,
    PRICE,
    PRICE_UNIT,
    START,
    UNITS,
    UPFRONT,
    UPFRONT_UNIT,
    days_within,
    fits_formula,
    size_rule,
    term_cell,
)
from planner.workbook.report import Report
from planner.workbook.sheets.beyond_commitments import by_the_hour, nothing_to_buy
from planner.workbook.text_tables import lines_of, name_width

NAME = ORDER_SHEET
TOP = 10  # row of the header (0-based)
NOW, LATER = "now", "later"

COLUMNS = (
    Column("offer", OFFER, "text:wrap", 21),
    Column("product", "Product", "text:wrap", 22),
    Column("region", "Region", "text:wrap", 14),
    Column("models", "Models it\nmay serve", "text:wrap", 20),
    Column("sign", "Sign", "text", 7),
    Column("units", UNITS, "units:input", 9),
    Column("list", "List price\nUSD/unit-hour", "price", 12),
    Column("discount", "Discount", "percent", 9),
    Column("price", f"{PRICE}\n{PRICE_UNIT}", "price:input", 12),
    Column("start", START, "date", 11),
    Column("end", "End (first\nday after)", "date", 11),
    Column("order_by", "Order by", "date", 11),
    Column("term", "Term\nmonths", "count", 8),
    Column("monthly", "A mean month\nUSD", "cents", 13),
    Column("term_usd", "Whole term\nUSD", "cents", 14, total=True),
)
WORKINGS = (
    Column("gap", "", "plain", 3),
    Column("planned", "Planned\nunits", "units:muted", 9),
    Column("pool_no", "Pool\nno.", "count:muted", 7),
    Column("hours_term", "Hours of\nthe term", "count:muted", 9),
    Column("hours_horizon", "Hours in the\nplan's months", "count:muted", 14),
    Column("hours_tail", "Counted hours\npast them", "number:muted", 14),
    Column("horizon_usd", "In the plan's\nmonths, USD", "usd:muted", 14, total=True),
    Column("tail_usd", "Counted past\nthem, USD", "usd:muted", 13, total=True),
    Column("usage_usd", "Same usage on\ndemand, USD", "usd:muted", 15, total=True),
    Column("saving_usd", "Saving\nUSD", "usd:muted", 12, total=True),
    Column("full_usd", "A fully used unit-hour\non demand, USD", "price:muted", 24),
    Column("break_even", "Break-even\nutilisation", "percent:muted", 10),
    Column("utilisation", "Expected\nutilisation", "percent:muted", 10),
    Column("payback", "Pays for its term\nafter months", "number:muted", 18),
    Column("last_month", "Last month\nin the plan", "date:muted", 11),
    Column("fits", "Fits the\nsizes", "count:muted", 8, total=True),
)
UPFRONT_COLUMN = Column("upfront", f"{UPFRONT}\n{UPFRONT_UNIT}", "price:input", 11)
EACH_COLUMN = Column("each", "Price, upfront\nspread over the term", "price:muted", 17)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NARROW = ("sign", "units", "term", "discount", "upfront")
_YEARS = 10  # columns of the table of cash; later years are added up in the last
_ONE_PAGE, _MOST_LINES = 52, 70  # rows that one page holds at a size that can be read; lines, if it has to


AS_PLANNED = "Units are those of the plan."
EDITED = (
    "Units differ from the plan. The change of on-demand cost is estimated hour by hour at average prices; "
    "planner price FOLDER plan.xlsx gives the exact cost."
)
_PRICE_RULE = {
    "validate": "decimal",
    "criteria": ">=",
    "value": 0,
    "error_title": "Price",
    "error_message": "USD per unit-hour, 0 or more.",
}
_UNIT_SLACK, _STEP_SLACK = 1e-6, 1e-5  # what a solver's tolerance may leave


@dataclass(frozen=True)
class OrderRow:
    """What stands in a line of the order besides the line itself."""

    value: OrderValue
    pool_number: int
    last_month_start: dt.date
    hours_tail: float  # hours of the term past the horizon, times the share of them that is counted as cost
    reason: str
    sign: str  # NOW or LATER
    sizes: tuple[float, float, float | None]  # minimum, step and maximum that the plan keeps to

    @property
    def fits(self) -> bool:
        """Whether the units are 0, or a size that is sold; as the formula of `fits_formula` says."""
        units, (low, step, high) = self.value.line.units, self.sizes
        steps = (units - low) / step if step > 0 else 0.0
        whole = abs(steps - round(steps)) < _STEP_SLACK
        return units == 0 or (units >= low - _UNIT_SLACK and whole and (high is None or units <= high + _UNIT_SLACK))


def columns_of(lines: Sequence[OrderLine]) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Return the printed columns and the workings; with those of upfront prices, where some line has one."""
    wide = name_width((n.region for n in lines), 14, 1)  # narrow: the page is full
    columns = tuple(replace(c, width=wide) if c.key == "region" else c for c in COLUMNS)
    if not any(n.offer.upfront_usd_per_unit for n in lines):
        return columns, WORKINGS
    at = next(k for k, c in enumerate(columns) if c.key == "price") + 1
    return (*columns[:at], UPFRONT_COLUMN, *columns[at:]), (*WORKINGS, EACH_COLUMN)


def write(sheet: Sheet, report: Report, rows: list[OrderRow], usage_per_unit: str) -> Block:
    """Write the order.

    `usage_per_unit` is a formula, with placeholders {pool_no}, {start} and {last_month}, of the on-demand price of what
    one unit of the pool serves from the line's start to the end of the plan.
    """
    shown, workings = columns_of([row.value.line for row in rows])
    last = len(shown) - 1
    upfront = len(shown) > len(COLUMNS)
    sheet.heading("Purchase order", None, 0)
    sheet.widths((*shown, *workings))
    _head(sheet, report)
    lead_days = report.case.settings.purchase.lead_days
    records = [_record(row, usage_per_unit, lead_days, upfront=upfront) for row in rows]
    block = sheet.table(
        TOP,
        (*shown, *workings),
        records,
        empty=nothing_to_buy(report),
    )
    sheet.put(TOP - 1, len(shown) + 1, "Workings", "note")
    for k, row in enumerate(rows):
        at = block.first + k
        units, price = block.columns["units"], block.columns["price"]
        rule = size_rule(*row.sizes, xl_rowcol_to_cell(at, units))
        sheet.raw.data_validation(at, units, at, units, rule)
        sheet.raw.data_validation(at, price, at, price, _PRICE_RULE)
        if upfront:
            sheet.raw.data_validation(at, price + 1, at, price + 1, _PRICE_RULE)
    bottom = block.total_row
    if rows:
        _edited(sheet, block)
        bottom = _now_and_later(sheet, block, rows)
        bottom = _cash(sheet, block, rows, bottom + 2)
    bottom = by_the_hour(sheet, report, bottom + 2)
    if broken := story.banner(report):
        sheet.merged(1, 0, last, broken[0], "alert")
        sheet.merged(bottom + 2, 0, last, " ".join(broken), "alert")
        sheet.raw.set_row(bottom + 2, 14 * lines_of(" ".join(broken), 150))
        bottom += 2
    elif rows:
        bottom = _signatures(sheet, bottom + 2)
    _pages(sheet, bottom, last, block)
    return block


def _pages(sheet: Sheet, bottom: int, last: int, block: Block) -> None:
    """Print on one page; where that is too small, lines on the first and cash and signatures on the second."""
    frozen = (TOP + 1, 1)
    if bottom <= _ONE_PAGE:
        sheet.printed(bottom, last, freeze=frozen, pages=1)
        return
    lines_end = block.total_row + 2  # with what is signed now and later
    parts = [(0, lines_end), (lines_end + 1, bottom)]
    short = block.total_row - block.first <= _MOST_LINES
    sheet.printed(bottom, last, repeat=None if short else TOP, freeze=frozen, pages=2 if short else 0, areas=parts)


def _head(sheet: Sheet, report: Report) -> None:
    """Write who buys from whom, and which plan this is."""
    p: PurchaseHead = report.case.settings.purchase
    sellers = sorted({line.provider for line in report.lines if line.provider})
    vendors = ", ".join(sellers) + (" (an order each)" if len(sellers) > 1 else "")
    left: tuple[tuple[str, Any], ...] = (
        ("Buyer", p.buyer), ("Vendor", p.vendor or vendors or None), ("Account", p.vendor_account),
        ("PO number", p.po_number),
    )  # fmt: skip
    right: tuple[tuple[str, Any], ...] = (
        ("Date", p.date), ("Currency", "US dollars (USD), without taxes"), ("Payment terms", p.payment_terms),
        ("Ledger head", None),
    )  # fmt: skip
    for k, ((label, value), (other, told)) in enumerate(zip(left, right, strict=True)):
        row = 2 + k
        sheet.put(row, 0, label, "key")
        sheet.merged(row, 1, 3, None if value is None else str(value), "field")
        sheet.merged(row, 5, 6, other, "key")
        sheet.merged(row, 7, 10, None if told is None else str(told), "field")
    sheet.merged(5, 11, 14, "printed by planner accept when the plan is signed", "aside")
    plan = report.plan
    digest = order_digest_of(report.case, plan)[:SHOWN_DIGITS]
    what = f"Plan {plan.name}, {report.horizon} · order {digest}, as planner accept and ledger print it"
    sheet.put(6, 0, f"{what} · input {plan.input_digest[:SHOWN_DIGITS]} · figures as of {report.dated}", "aside")
    text = "Yellow cells may be edited, and every total follows; 0 units drop a line. `planner price FOLDER plan.xlsx` "
    sheet.put(7, 0, text + "prices the edited order exactly.", "aside")


def _edited(sheet: Sheet, block: Block) -> None:
    """Say above the table whether the units are still those of the plan."""
    units, planned = block.range("units", local=True), block.range("planned", local=True)
    formula = f'=IF(SUMPRODUCT(ABS({units}-{planned}))>0.000001,"{EDITED}","{AS_PLANNED}")'
    sheet.put(8, 0, Live(formula, AS_PLANNED), "aside")


def _now_and_later(sheet: Sheet, block: Block, rows: list[OrderRow]) -> int:
    """Write, under the total, what is signed now and what later; returns the last row."""
    sign, usd = block.range("sign", local=True), block.range("term_usd", local=True)
    at, bottom = block.columns["term_usd"], block.total_row
    for k, (word, text) in enumerate((
        (NOW, "of which to be signed now: what starts in the first month"),
        (LATER, "of which to be signed later: what starts in a later month, by the day in column Order by"),
    )):  # fmt: skip
        worth = sum(row.value.line.term_usd for row in rows if row.sign == word)
        here = bottom + 1 + k
        sheet.put(here, 0, text, "plain")
        sheet.put(here, at, Live(f'=SUMIF({sign},"{word}",{usd})', worth), "cents")
    return bottom + 2


def _cash(sheet: Sheet, block: Block, rows: list[OrderRow], top: int) -> int:
    """Write what is billed in each calendar month, a column a year; returns the last row."""
    lines = [row.value.line for row in rows]
    printed, _ = columns_of(lines)
    upfront = len(printed) > len(COLUMNS)
    first, last = min(n.start for n in lines), max(n.end for n in lines)
    years = list(range(first.year, last_day(last).year + 1))
    shown = years[:_YEARS]
    text = "Cash: what is billed in each calendar month, USD (every hour of the month at the price above"
    text += ", and what is due upfront in the month in which it starts)" if upfront else ")"
    sheet.put(top, 0, text, "section")
    sheet.put(top + 1, 0, "Month", "header")
    places = [k for k, c in enumerate(printed) if c.key not in _NARROW][1:]
    columns = places[: len(shown)]
    for column, year in zip(columns, shown, strict=True):
        sheet.put(top + 1, column, year, "header_year")
    whole = all(n.start.day == n.end.day == 1 for n in lines)
    start, end, units, price = (block.range(key, local=True) for key in ("start", "end", "units", "price"))
    for month, name in enumerate(_MONTHS, start=1):
        row = top + 1 + month
        sheet.put(row, 0, name, "text")
        for column, year in zip(columns, shown, strict=True):
            day = f"DATE({xl_col_to_name(column)}${top + 2},{month},1)"
            formula = f"=SUMPRODUCT({days_within(start, end, day, whole=whole)}*{units}*{price})*{HOURS_PER_DAY}"
            if upfront:
                due = block.range("upfront", local=True)
                formula += f"+SUMPRODUCT(({start}>={day})*({start}<EDATE({day},1))*{units}*{due})"
            sheet.put(row, column, Live(formula, _billed(lines, year, month)), "cents")
    total = top + 2 + len(_MONTHS)
    sheet.put(total, 0, "Total", "text:bold")
    for column, year in zip(columns, shown, strict=True):
        letter = xl_col_to_name(column)
        billed = sum(_billed(lines, year, month) for month in range(1, 13))
        sheet.put(total, column, Live(f"=SUM({letter}{top + 3}:{letter}{total})", billed), "cents:bold")
    if len(years) == len(shown):
        row_of = f"{xl_col_to_name(columns[0])}{total + 1}:{xl_col_to_name(columns[-1])}{total + 1}"
        same = f"ABS(SUM({row_of})-{block.total('term_usd')})<0.01"
        words = "Adds up to the whole terms above."
        formula = f'=IF({same},"{words}","DOES NOT ADD UP to the whole terms above.")'
        sheet.put(total + 1, 0, Live(formula, words), "aside")
    else:
        sheet.put(
            total + 1, 0, f"{counted(years[-1] - shown[-1], 'more year is', many='more years are')} not shown.", "aside"
        )
    return total + 1


def _billed(lines: list[Any], year: int, month: int) -> float:
    """USD of a calendar month, of every line."""
    hourly, upfront = billed(lines, dt.date(year, month, 1))
    return hourly + upfront


def _signatures(sheet: Sheet, top: int) -> int:
    """Write where to sign; returns the last row."""
    sheet.put(top, 0, "Signatures", "section")
    for column, last, label in ((0, 1, "For the buyer"), (3, 6, "Approved by"), (8, 11, "For the vendor")):
        sheet.merged(top + 1, column, last, label, "key")
        for k, part in enumerate(("Name", "Date", "Signature")):
            sheet.merged(top + 2 + k, column, last, part, "field_blank")
            sheet.raw.set_row(top + 2 + k, 24)
    return top + 4


def _record(row: OrderRow, usage_per_unit: str, lead_days: int, *, upfront: bool) -> dict[str, Any]:
    line, value = row.value.line, row.value
    offer, units, price, usage = line.offer, line.units, line.offer.usd_per_unit_hour, value.usage_usd
    horizon_usd = line.horizon_usd
    months = line.months_horizon
    in_days = offer.term_days is not None
    payback = line.term_usd / (usage / months) if usage > 0 else ""
    listed = offer.list_usd_per_unit_hour
    each, hourly = ("{each}" if upfront else "{price}"), line.usd_per_unit_hour
    more: dict[str, Any] = {}
    if upfront:
        more = {"upfront": offer.upfront_usd_per_unit, "each": Live("={price}+{upfront}/{hours_term}", hourly)}
    return more | {
        "offer": offer.offer,
        "product": offer.product or offer.pool,
        "region": line.region,
        "models": ", ".join(line.models),
        "sign": row.sign,
        "units": units,
        "list": listed,
        "discount": Live(f"=IF(ISNUMBER({{list}}),IF({{list}}>0,1-{each}/{{list}},0),0)", 1 - hourly / listed)
        if listed
        else None,
        "price": price,
        "start": line.start,
        "end": line.end,
        "order_by": line.start - dt.timedelta(days=lead_days),
        "term": term_cell(offer),
        "monthly": None
        if in_days
        else Live(f"={{units}}*{each}*{{hours_term}}/{{term}}", line.term_usd / offer.term_months),
        "term_usd": Live(f"={{units}}*{each}*{{hours_term}}", line.term_usd),
        "horizon_usd": Live(f"={{units}}*{each}*{{hours_horizon}}", horizon_usd),
        "usage_usd": Live("={units}*" + usage_per_unit, usage) if row.value.priced else None,
        "saving_usd": Live("={usage_usd}-{horizon_usd}", usage - horizon_usd) if row.value.priced else None,
        "break_even": Live(f'=IF({{full_usd}}>0,{each}/{{full_usd}},"")', _or_blank(value.break_even)),
        "utilisation": Live(
            '=IF({units}*{full_usd}>0,{usage_usd}/({units}*{hours_horizon}*{full_usd}),"")',
            _or_blank(value.utilisation),
        ),
        "payback": Live(
            "=IF({usage_usd}>0,{term_usd}/({usage_usd}/"
            + (f"({{hours_horizon}}/{HOURS_PER_MONTH})" if in_days else "({hours_horizon}/{hours_term}*{term})")
            + '),"")',
            payback,
        ),
        "planned": units,
        "pool_no": row.pool_number,
        "hours_term": line.hours_term,
        "hours_horizon": line.hours_horizon,
        "hours_tail": row.hours_tail,
        "tail_usd": Live(f"={{units}}*{each}*{{hours_tail}}", units * hourly * row.hours_tail),
        "fits": Live(f"=IF({fits_formula('{units}', *row.sizes)},1,0)", int(row.fits)),
        "full_usd": value.full_usd_per_unit_hour,
        "last_month": row.last_month_start,
    }


def _or_blank(share: float | None) -> float | str:
    return "" if share is None else share
