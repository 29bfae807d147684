"""plan.xlsx: one file a sheet in `sheets/`, in the reading order of SHEETS; features hand in sheets of their own."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from planner.io.atomic import written_beside
from planner.workbook import story
from planner.workbook.book import Block, Book, ExtraSheet, Recomputed, block_at, new_book
from planner.workbook.report import Report
from planner.workbook.sheets import (
    assumptions,
    audit_sheet,
    changes_sheet,
    egress_sheet,
    expiries_sheet,
    forecast_sheet,
    headroom,
    on_demand,
    purchase_order,
    reservations,
    rules_sheet,
    savings_by_line,
    scaled_sheet,
    spend_sheet,
    summary,
    unit_data,
    waiting_sheet,
    warnings,
    week,
    week_data,
    why_sheet,
)
from planner.workbook.sheets.audit_sheet import Blocks
from planner.workbook.sheets.purchase_order import OrderRow
from planner.workbook.sheets.unit_data import UnitData
from planner.workbook.theme import BLUE, GREEN, GREY, ORANGE

# the reading order, with the colour of the tab: what to sign, what it does, why, and what it rests on
SHEETS = (
    (summary.NAME, BLUE),
    (purchase_order.NAME, BLUE),
    (savings_by_line.NAME, BLUE),
    (reservations.NAME, BLUE),
    (reservations.DEPLOYMENTS_NAME, BLUE),
    (scaled_sheet.NAME, BLUE),  # only where units run by the hour
    (spend_sheet.NAME, BLUE),  # only where there are spend commitments
    (week.NAME, GREEN),
    (waiting_sheet.NAME, GREEN),  # only where some work can wait
    (on_demand.NAME, GREEN),
    (headroom.NAME, GREEN),
    (headroom.WORKLOADS_NAME, GREEN),
    (headroom.LOAD_NAME, GREEN),
    (egress_sheet.NAME, GREEN),
    (why_sheet.NAME, ORANGE),
    (why_sheet.HOURS_NAME, ORANGE),
    (rules_sheet.NAME, ORANGE),  # only where it was worked out
    (changes_sheet.NAME, ORANGE),
    (expiries_sheet.NAME, ORANGE),
    (warnings.NAME, GREY),
    (forecast_sheet.NAME, GREY),  # only where the demand is a forecast whose errors were measured
    (assumptions.NAME, GREY),
    (assumptions.DEMAND_NAME, GREY),
    (audit_sheet.NAME, GREY),
)
HIDDEN = (week_data.NAME, unit_data.NAME)


def write_workbook(report: Report, path: str | Path, extra: Sequence[ExtraSheet] = ()) -> None:
    """Write the plan's workbook.

    Parameters
    ----------
    path : file to write (.xlsx); it is written beside and renamed, so that an earlier one stays whole on failure.
    extra : sheets that features add, or put in the place of the sheet of the same name.
    """
    plan = report.plan
    with written_beside(path) as beside:
        subject = f"Reservation plan for {report.horizon}"
        book = new_book(str(beside), plan.name, report.dated, subject, f"input {plan.input_digest[:16]}")
        _fill(book, report, {sheet.name: sheet for sheet in extra})
        book.close()


def reading_order(extra: Sequence[ExtraSheet]) -> list[tuple[str, str]]:
    """Return the names of the sheets and the colours of their tabs, each extra one behind the sheet that it names."""
    order = list(SHEETS)
    for sheet in reversed(extra):  # those behind the same sheet stay in the order in which they were handed in
        names = [name for name, _ in order]
        if sheet.name not in names:
            order.insert(names.index(sheet.behind) + 1, (sheet.name, sheet.colour))
    return order


def _fill(book: Book, report: Report, extra: dict[str, ExtraSheet]) -> None:
    """Add the sheets in reading order, then fill them so that each knows where the figures it refers to stand."""
    order_of_sheets = reading_order(tuple(extra.values()))
    long_tables = assumptions.input_sheets(report)
    place = [name for name, _ in order_of_sheets].index(assumptions.NAME) + 1
    order_of_sheets[place:place] = [(name, GREY) for name in long_tables.values()]
    at = {
        name: book.add_sheet(name, colour)
        for name, colour in order_of_sheets
        if (name != forecast_sheet.NAME or report.forecast is not None)
        and (name != waiting_sheet.NAME or report.waited is not None)
        and (name != spend_sheet.NAME or report.case.spend_commitments)
        and (name != scaled_sheet.NAME or report.sells_by_the_hour)
        and (name != rules_sheet.NAME or (report.rules is not None and report.rules.rules))
    }
    for name in HIDDEN:
        at[name] = book.add_sheet(name)
        at[name].raw.hide()
    lines = report.lines
    order = None
    if lines:
        printed, workings = purchase_order.columns_of(lines)
        columns = (*printed, *workings)
        order = block_at(purchase_order.NAME, purchase_order.TOP, columns, len(lines))
    held = reservations.write(at[reservations.NAME], report, report.months, order)
    reservations.write_deployments(at[reservations.DEPLOYMENTS_NAME], report)
    units = _units(book, report, held)
    rows = _order_rows(report)
    purchase_order.write(at[purchase_order.NAME], report, rows, units.usage_per_unit() if lines else "")
    savings_by_line.write(at[savings_by_line.NAME], rows, order)
    hourly = scaled_sheet.write(at[scaled_sheet.NAME], report) if report.sells_by_the_hour else None
    contracts = spend_sheet.write(at[spend_sheet.NAME], report) if report.case.spend_commitments else None
    week.write(at[week.NAME], at[week_data.NAME], report)
    if report.waited is not None:
        waiting_sheet.write(at[waiting_sheet.NAME], report, report.waited)
    od = on_demand.write(at[on_demand.NAME], report)
    stress = headroom.write(at[headroom.NAME], report)
    headroom.write_workloads(at[headroom.WORKLOADS_NAME], report)
    headroom.write_load(at[headroom.LOAD_NAME], report)
    crossing = egress_sheet.write(at[egress_sheet.NAME], report)
    why_sheet.write(at[why_sheet.NAME], report, order)
    why_sheet.write_hours(at[why_sheet.HOURS_NAME], report)
    if report.rules is not None and report.rules.rules:
        rules_sheet.write(at[rules_sheet.NAME], report.rules)
    if changes_sheet.NAME not in extra:
        changes_sheet.write(at[changes_sheet.NAME], report)
    expiries_sheet.write(at[expiries_sheet.NAME], report, order)
    warnings.write(at[warnings.NAME], report)
    if report.forecast is not None:
        forecast_sheet.write(at[forecast_sheet.NAME], report)
    assumptions.write(at[assumptions.NAME], {table: at[name] for table, name in long_tables.items()}, report)
    assumptions.write_demand(at[assumptions.DEMAND_NAME], report)
    recomputed: list[Recomputed] = []
    for name, sheet in extra.items():
        recomputed += sheet.fill(at[name], report)
    blocks = Blocks(order, held, od, crossing, stress, contracts, hourly)
    audit_sheet.write(at[audit_sheet.NAME], report, blocks, [row.fits for row in rows], recomputed)
    short = "" if contracts is None else contracts.total("lost")
    run = hourly.total("usd") if hourly is not None and len(report.metrics.scaled) else ""
    sources = summary.Sources(order, held, od, crossing, units, [row.reason for row in rows], short, run)
    summary.write(at[summary.NAME], report, sources)


def _units(book: Book, report: Report, held: Block) -> UnitData:
    numbers = reservations.number_pools(report.months)
    bought = {(line.offer.pool, line.offer.meter) for line in report.lines}
    rows = [
        (numbers[m.pool, m.meter], m, held.cell("force", k))
        for k, m in enumerate(report.months)
        if (m.pool, m.meter) in bought
    ]
    return unit_data.write(book.sheets[unit_data.NAME], rows)


def _order_rows(report: Report) -> list[OrderRow]:
    """Order lines with what the plan makes of them."""
    numbers, policy = reservations.number_pools(report.months), report.case.settings.policy
    periods = report.case.periods
    rows = []
    for value, rent in zip(report.values, report.rents, strict=True):
        line, offer = value.line, value.line.offer
        rows.append(
            OrderRow(
                value=value,
                pool_number=numbers[offer.pool, offer.meter],
                last_month_start=max(
                    (p.start for p in periods if line.covers(p.start, p.end)), default=line.start - dt.timedelta(days=1)
                ),
                hours_tail=(1 - policy.tail_value) * (line.hours_term - line.hours_horizon),
                reason=story.reason(value, rent, report.guarantees.get(value.line.offer.pool, ())),
                sign=purchase_order.NOW if line.start <= periods[0].start else purchase_order.LATER,
                sizes=(offer.min_units, offer.unit_step, offer.max_units)
                if policy.whole_units
                else (0.0, 0.0, offer.max_units),
            )
        )
    return rows
