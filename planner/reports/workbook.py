"""plan.xlsx: one file a sheet in `sheets/`, in the reading order of SHEETS."""

from pathlib import Path

from planner.reports.atomic import written_beside
from planner.reports.book import Block, Book, block_at, new_book
from planner.reports.report import Report
from planner.reports.sheets import assumptions, changes, purchase_order, reservations, unit_data, week
from planner.reports.sheets.purchase_order import OrderRow
from planner.reports.sheets.unit_data import UnitData
from planner.reports.theme import BLUE, GREEN, GREY
from planner.results.orders import order_lines
from planner.results.plan import Plan
from planner.results.pool_months import PoolMonth, pool_months
from planner.schema.case import Case

# the reading order, with the colour of the tab: what to sign, why, what it rests on
SHEETS = (
    (purchase_order.NAME, BLUE),
    (reservations.NAME, BLUE),
    (week.NAME, BLUE),
    (changes.NAME, GREEN),
    (assumptions.NAME, GREY),
    (assumptions.DEMAND_NAME, GREY),
)
HIDDEN = (week.DATA_NAME, unit_data.NAME)


def write_workbook(case: Case, plan: Plan, metrics: object, path: str | Path, previous: Plan | None = None) -> None:
    """Write the plan's workbook.

    Parameters
    ----------
    case, plan, metrics : the input, the finished plan and its figures.
    path : file to write (.xlsx); it is written beside and renamed, so that an earlier one stays whole on failure.
    previous : the last signed plan, for the sheet Changes; without it, today's commitments.
    """
    report = Report(case, plan, previous)
    with written_beside(path) as beside:
        subject = f"Reservation plan for {report.horizon}"
        book = new_book(str(beside), plan.name, report.dated, subject, f"input {plan.input_digest[:16]}")
        _fill(book, report)
        book.raw.close()


def _fill(book: Book, report: Report) -> None:
    sheets = {name: book.add_sheet(name, colour) for name, colour in SHEETS}
    for name in HIDDEN:
        sheets[name] = book.add_sheet(name)
        sheets[name].raw.hide()
    months = pool_months(report.case, report.plan)
    lines = order_lines(report.case, report.plan)
    columns = (*purchase_order.COLUMNS, *purchase_order.WORKINGS)
    order = block_at(purchase_order.NAME, purchase_order.TOP, columns, len(lines)) if lines else None
    held = reservations.write(sheets[reservations.NAME], report, months, order)
    units = _units(book, report, months, held)
    purchase_order.write(
        sheets[purchase_order.NAME], report, _order_rows(report, months, units), units.usage_per_unit() if lines else ""
    )
    week.write(sheets[week.NAME], sheets[week.DATA_NAME], report)
    changes.write(sheets[changes.NAME], report)
    assumptions.write(sheets[assumptions.NAME], report)
    assumptions.write_demand(sheets[assumptions.DEMAND_NAME], report)


def _units(book: Book, report: Report, months: tuple[PoolMonth, ...], held: Block) -> UnitData:
    numbers = reservations.number_pools(months)
    bought = {(line.offer.pool, line.offer.meter) for line in order_lines(report.case, report.plan)}
    rows = [
        (numbers[m.pool, m.meter], m, held.cell("force", k))
        for k, m in enumerate(months)
        if (m.pool, m.meter) in bought
    ]
    return unit_data.write(book.sheets[unit_data.NAME], rows)


def _order_rows(report: Report, months: tuple[PoolMonth, ...], units: UnitData) -> list[OrderRow]:
    numbers, rows = reservations.number_pools(months), []
    for line in order_lines(report.case, report.plan):
        number = numbers[line.offer.pool, line.offer.meter]
        covered = [
            m
            for m in months
            if (m.pool, m.meter) == (line.offer.pool, line.offer.meter) and line.start <= m.start < line.end
        ]
        used = sum(m.mean_used_units * m.hours for m in covered)
        rows.append(
            OrderRow(
                line=line,
                pool_number=number,
                last_month_start=covered[-1].start,
                usage_usd=line.units * sum(units.per_unit_usd[number, m.period] for m in covered),
                full_usd=sum(m.served_usd for m in covered) / used if used > 0 else 0.0,
                reason="",
            )
        )
    return rows
