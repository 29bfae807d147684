"""Purchase order: a line a commitment, its units and price to be edited; every total follows by formula."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from planner.plan.pool_months import OrderValue
from planner.workbook.book import Block, Column, Live, Sheet
from planner.workbook.order_columns import OFFER, ORDER_SHEET, PRICE, PRICE_UNIT, START, UNITS
from planner.workbook.report import Report
from planner.workbook.text import amount

NAME = ORDER_SHEET
TOP = 5  # row of the header (0-based)

COLUMNS = (
    Column("offer", OFFER, "text:wrap", 28),
    Column("provider", "Provider", "text:wrap", 13),
    Column("region", "Region", "text:wrap", 13),
    Column("models", "Models it\nmay serve", "text:wrap", 18),
    Column("units", UNITS, "units:input", 9),
    Column("sizes", "Minimum\n/ step", "text", 10),
    Column("term", "Term\nmonths", "count", 7),
    Column("start", START, "date", 11),
    Column("end", "End\n(first day after)", "date", 11),
    Column("price", f"{PRICE}\n{PRICE_UNIT}", "price:input", 11),
    Column("monthly", "Per month\nUSD", "usd", 11, total=True),
    Column("term_usd", "Whole term\nUSD", "usd", 12, total=True),
    Column("horizon_usd", "In the plan's\nmonths, USD", "usd", 12, total=True),
    Column("usage_usd", "Same usage on\ndemand, USD", "usd", 12, total=True),
    Column("saving_usd", "Saving\nUSD", "usd", 12, total=True),
    Column("break_even", "Break-even\nutilisation", "percent", 10),
    Column("utilisation", "Expected\nutilisation", "percent", 10),
    Column("payback", "Pays for its\nterm after\nmonths", "number", 10),
    Column("reason", "Reason", "text:wrap", 56),
)
WORKINGS = (
    Column("gap", "", "plain", 3),
    Column("planned", "Planned\nunits", "units:muted", 9),
    Column("pool_no", "Pool\nno.", "count:muted", 7),
    Column("hours_term", "Hours of\nthe term", "count:muted", 9),
    Column("hours_horizon", "Hours in the\nplan's months", "count:muted", 11),
    Column("hours_tail", "Counted hours\npast them", "number:muted", 11),
    Column("tail_usd", "Counted past\nthem, USD", "usd:muted", 11, total=True),
    Column("fits", "Fits the\nsizes", "count:muted", 8, total=True),
    Column("full_usd", "A fully used unit-hour\non demand, USD", "price:muted", 16),
    Column("last_month", "Last month\nin the plan", "date:muted", 11),
)


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
_SECOND_PAGE = 12  # what is signed on the first printed page, what it saves and why on the second


@dataclass(frozen=True)
class OrderRow:
    """What stands in a line of the order besides the line itself."""

    value: OrderValue
    pool_number: int
    last_month_start: dt.date
    hours_tail: float  # hours of the term past the horizon, times the share of them that is counted as cost
    reason: str
    sizes: tuple[float, float, float | None]  # minimum, step and maximum that the plan keeps to

    @property
    def fits(self) -> bool:
        """Whether the units are 0, or a size that is sold; as the formula of `_fits` says."""
        units, (low, step, high) = self.value.line.units, self.sizes
        steps = (units - low) / step if step > 0 else 0.0
        whole = abs(steps - round(steps)) < _STEP_SLACK
        return units == 0 or (units >= low - _UNIT_SLACK and whole and (high is None or units <= high + _UNIT_SLACK))


def write(sheet: Sheet, report: Report, rows: list[OrderRow], usage_per_unit: str) -> Block:
    """Write the order.

    `usage_per_unit` is a formula, with placeholders {pool_no}, {start} and {last_month}, of the on-demand price of what
    one unit of the pool serves from the line's start to the end of the plan.
    """
    sheet.heading("Purchase order", "What to sign", 0)
    text = (
        "Yellow cells may be edited and every total follows; strike a line through, or give it 0 units, to drop it. "
        "`planner price FOLDER plan.xlsx` prices the edited order."
    )
    sheet.put(1, 1, text, "aside")  # not in column A, which every printed page repeats
    sheet.widths((*COLUMNS, *WORKINGS))
    records = [_record(row, usage_per_unit) for row in rows]
    block = sheet.table(
        TOP,
        (*COLUMNS, *WORKINGS),
        records,
        empty="Nothing to buy: on demand and today's commitments serve the plan.",
    )
    sheet.put(TOP - 1, len(COLUMNS) + 1, "Workings", "note")
    for k, row in enumerate(rows):
        at = block.first + k
        units, price = block.columns["units"], block.columns["price"]
        rule = _size_rule(*row.sizes, xl_rowcol_to_cell(at, units))
        sheet.raw.data_validation(at, units, at, units, rule)
        sheet.raw.data_validation(at, price, at, price, _PRICE_RULE)
    _edited(sheet, block, rows)
    sheet.printed(block.total_row + 1, len(COLUMNS) - 1, repeat=TOP, freeze=(TOP + 1, 1), scale=74)
    sheet.raw.repeat_columns(0)
    sheet.raw.set_v_pagebreaks([_SECOND_PAGE])
    return block


def _edited(sheet: Sheet, block: Block, rows: list[OrderRow]) -> None:
    """Say above the table whether the units are still those of the plan."""
    if rows:
        units, planned = block.range("units", local=True), block.range("planned", local=True)
        formula = f'=IF(SUMPRODUCT(ABS({units}-{planned}))>0.000001,"{EDITED}","{AS_PLANNED}")'
        sheet.put(2, 0, Live(formula, AS_PLANNED), "aside")


def _record(row: OrderRow, usage_per_unit: str) -> dict[str, Any]:
    line, value = row.value.line, row.value
    offer, units, price, usage = line.offer, line.units, line.offer.usd_per_unit_hour, value.usage_usd
    horizon_usd = line.horizon_usd
    months = line.hours_horizon / line.hours_term * offer.term_months
    payback = line.term_usd / (usage / months) if usage > 0 else ""
    return {
        "provider": line.provider or "",
        "offer": offer.offer,
        "region": line.region,
        "models": ", ".join(line.models),
        "units": units,
        "sizes": f"{amount(offer.min_units)} / {amount(offer.unit_step)}"
        if offer.unit_step
        else f"{amount(offer.min_units)} / any",
        "term": offer.term_months,
        "start": line.start,
        "end": line.end,
        "price": price,
        "monthly": Live("={units}*{price}*{hours_term}/{term}", line.term_usd / offer.term_months),
        "term_usd": Live("={units}*{price}*{hours_term}", line.term_usd),
        "horizon_usd": Live("={units}*{price}*{hours_horizon}", horizon_usd),
        "usage_usd": Live("={units}*" + usage_per_unit, usage),
        "saving_usd": Live("={usage_usd}-{horizon_usd}", usage - horizon_usd),
        "break_even": Live('=IF({full_usd}>0,{price}/{full_usd},"")', _or_blank(value.break_even)),
        "utilisation": Live(
            '=IF({units}*{full_usd}>0,{usage_usd}/({units}*{hours_horizon}*{full_usd}),"")',
            _or_blank(value.utilisation),
        ),
        "payback": Live(
            '=IF({usage_usd}>0,{term_usd}/({usage_usd}/({hours_horizon}/{hours_term}*{term})),"")', payback
        ),
        "reason": row.reason,
        "planned": units,
        "pool_no": row.pool_number,
        "hours_term": line.hours_term,
        "hours_horizon": line.hours_horizon,
        "hours_tail": row.hours_tail,
        "tail_usd": Live("={units}*{price}*{hours_tail}", units * price * row.hours_tail),
        "fits": Live(f"=IF({_fits('{units}', *row.sizes)},1,0)", int(row.fits)),
        "full_usd": value.full_usd_per_unit_hour,
        "last_month": row.last_month_start,
    }


def _or_blank(share: float | None) -> float | str:
    return "" if share is None else share


def _size_rule(low: float, step: float, high: float | None, cell: str) -> dict[str, Any]:
    """Return the validation of a units cell: 0, or the minimum plus whole steps, up to the maximum."""
    said = f"0, or from {amount(low)} up" + (f" in steps of {amount(step)}" if step else "")
    said += f", at most {amount(high)}." if high is not None else "."
    return {
        "validate": "custom",
        "value": f"={_fits(cell, low, step, high)}",
        "error_title": "Units",
        "error_message": said,
        "input_title": "Units",
        "input_message": said,
    }


def _fits(cell: str, low: float, step: float, high: float | None) -> str:
    """Return the formula of whether the offer sells such a number of units, with a tolerance for rounding."""
    tests = [f"{cell}>={low!r}-0.000001"]
    if step > 0:
        tests.append(f"ABS(({cell}-{low!r})/{step!r}-ROUND(({cell}-{low!r})/{step!r},0))<0.00001")
    if high is not None:
        tests.append(f"{cell}<={high!r}+0.000001")
    return f"OR({cell}=0,AND({','.join(tests)}))"
