"""What serves a plan beside what is signed for: units deployed beyond commitments, billed by the hour."""

from xlsxwriter.utility import xl_rowcol_to_cell

from planner.schema.capacity import TOKENS_METER
from planner.workbook.book import Live, Sheet
from planner.workbook.order_columns import BEYOND, PRICE_UNIT
from planner.workbook.report import Report
from planner.workbook.text_tables import joined, lines_of

_FEW = 1e-6  # units that count as none


def nothing_to_buy(report: Report) -> str:
    """Say what serves a plan that signs nothing new."""
    hourly = any(m.unreserved_units > _FEW for m in report.months) or report.plan.totals.scaled_usd > 0
    ways = {"on demand": bool(report.case.on_demand), "units by the hour": hourly, "today's commitments": True}
    return f"Nothing to buy: {joined([name for name, serves in ways.items() if serves])} serve the plan."


def by_the_hour(sheet: Sheet, report: Report, top: int) -> int:
    """List the units that the plan deploys beyond commitments, which nobody signs for; returns the last row."""
    months = [m for m in report.months if m.unreserved_units > _FEW]
    if not months:
        return top - 2
    sheet.put(top, 0, f"{BEYOND}: units billed by the hour, nothing to sign; not in the totals above", "section")
    heads = {"pool": 0, "region": 1, "month": 3, "units": 5, "price": 8, "usd": 14}
    labels = {"pool": "Pool", "region": "Region", "month": "Month", "units": "Units", "price": PRICE_UNIT, "usd": "USD"}
    names = {"pool": (0, 0), "region": (1, 2), "month": (3, 4)}  # columns that a name may run over
    sheet.raw.set_row(top + 1, 28)  # a wider font breaks the unit of the price
    for column in range(heads["usd"] + 1):
        sheet.put(top + 1, column, None, "header")
    for key, column in heads.items():
        sheet.put(top + 1, column, labels[key], "header" if key in names else "header_right")
    row = top + 1
    for m in sorted(months, key=lambda m: (m.period, m.region, m.pool, m.meter)):
        row += 1
        pool = m.pool if m.meter == TOKENS_METER else f"{m.pool}, {m.meter}"
        for column in range(heads["usd"]):
            sheet.put(row, column, None, "text")
        sheet.put(row, heads["pool"], pool, "text:wrap")
        for key, name in (("region", m.region), ("month", m.period)):
            sheet.merged(row, *names[key], name, "text:wrap")
        sheet.raw.set_row(row, 14 * max(lines_of(pool, 18), lines_of(m.region, 34)))
        sheet.put(row, heads["units"], m.unreserved_units, "units")
        sheet.put(row, heads["price"], m.unreserved_usd_per_unit_hour, "price")
        sheet.put(row, heads["usd"], m.unreserved_usd, "cents")
    first, column = top + 2, heads["usd"]
    cells = f"{xl_rowcol_to_cell(first, column)}:{xl_rowcol_to_cell(row, column)}"
    row += 1
    sheet.put(row, heads["pool"], "Total", "text:bold")
    for blank in range(1, column):
        sheet.put(row, blank, None, "text:bold")
    sheet.put(row, column, Live(f"=SUM({cells})", sum(m.unreserved_usd for m in months)), "cents:bold")
    return row
