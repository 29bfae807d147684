"""Week: demand and what serves it by hour of the week, for a region, model and month chosen from drop-downs."""

from typing import Any

from planner.plan.hours import ServedWeek, served_weeks
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, WEEKDAYS
from planner.workbook.book import Live, Sheet, axis, chart_title, grid
from planner.workbook.report import Report
from planner.workbook.sheets import week_data
from planner.workbook.sheets.week_data import (
    ARRIVED,
    CAPACITY,
    DEMAND,
    LABEL,
    LEVEL,
    ON_DEMAND,
    RANK,
    RESERVED,
    SCALED,
    SORTED,
    series,
)
from planner.workbook.svg import heat_map, hours_header
from planner.workbook.theme import BLUE, GREEN, HEAT, HEAT_OVERFLOW, INK, ORANGE, SKY, VERMILION

NAME = "Week"
_LAST = 24  # last printed column
_CHOICE = 3  # row of the first choice: region, then model, then month
_CHART = {"width": 1010, "height": 340}


def write(sheet: Sheet, data: Sheet, report: Report) -> None:
    """Write the sheet and its data sheet; it opens with the busiest region, model and month.

    Where work waits, with the busiest of those in which some does.
    """
    weeks = served_weeks(report.reading)
    if not weeks:
        sheet.heading("Week", "No requests are served.", _LAST)
        data.put(0, 0, "No requests are served.", "note")
        return
    chosen = max(range(len(weeks)), key=lambda k: (weeks[k].waits, sum(weeks[k].demand_rph)))
    week_data.write(data, weeks, chosen, [sheet.at(_CHOICE + k, 1) for k in range(3)])
    text = "What each hour of the week looks like (UTC). Choose a region, a model and a month in the yellow cells."
    sheet.heading("Week", text, _LAST)
    sheet.raw.set_column(0, 0, 11)
    sheet.raw.set_column(1, _LAST, 5.3)
    _choices(sheet, weeks, chosen)
    top = 8
    if weeks[chosen].arrived_rph is not None:
        title = "The same demand in the hour in which it arose: what differs from the grid below has waited"
        _grid(sheet, top, title=title, column=ARRIVED, colours=HEAT, week=weeks[chosen])
        top += DAYS_PER_WEEK + 3
    hourly = weeks[chosen].scaled_rph is not None
    for title, column, colours in (
        ("Demand served here, requests per hour", DEMAND, HEAT),
        ("of which by reserved units", RESERVED, HEAT),
        *([("of which by units that run by the hour", SCALED, HEAT_OVERFLOW)] if hourly else []),
        ("of which on demand (overflow)", ON_DEMAND, HEAT_OVERFLOW),
    ):
        _grid(sheet, top, title=title, column=column, colours=colours, week=weeks[chosen])
        top += DAYS_PER_WEEK + 3
    _charts(sheet, top, waits=weeks[chosen].arrived_rph is not None, hourly=hourly)
    sheet.printed(top + 37, _LAST, portrait=True, pages=1)


def _choices(sheet: Sheet, weeks: list[ServedWeek], chosen: int) -> None:
    week = weeks[chosen]
    values = (("Region", week.region), ("Model", week.model), ("Month", week.period))
    for k, ((label, value), (source, _)) in enumerate(zip(values, week_data.lists(weeks), strict=True)):
        row = _CHOICE + k
        sheet.put(row, 0, label, "day")
        sheet.merged(row, 1, 8, value, "choice")
        message = {"input_title": label, "input_message": "Choose from the list."}
        sheet.raw.data_validation(row, 1, row, 1, {"validate": "list", "source": source, **message})
    nothing = "No requests of this model are served in this region and month."
    found = Live(f'=IF(\'{week_data.NAME}\'!$B$2=0,"{nothing}","")', "")
    sheet.merged(_CHOICE, 10, _LAST, found, "alert")
    legend = "Colours: white is no request, the darkest cell is the busiest hour of the week."
    sheet.merged(_CHOICE + 1, 10, _LAST, legend, "note")
    if week.scenarios > 1:
        sheet.merged(_CHOICE + 2, 10, _LAST, "Figures are expected values over all scenarios.", "note")


def _grid(sheet: Sheet, top: int, *, title: str, column: int, colours: tuple[str, str, str], week: ServedWeek) -> None:
    sheet.put(top, 0, title, "section")
    hours_header(sheet, top + 1, 1)
    came, run = week.arrived_rph or [], week.scaled_rph or []
    shown = {DEMAND: week.demand_rph, RESERVED: week.reserved_rph, ON_DEMAND: week.on_demand_rph, ARRIVED: came,
             SCALED: run}  # fmt: skip
    values = shown[column]
    for day in range(DAYS_PER_WEEK):
        sheet.put(top + 2 + day, 0, WEEKDAYS[day], "day")
        for hour in range(HOURS_PER_DAY):
            k = day * HOURS_PER_DAY + hour
            sheet.put(top + 2 + day, 1 + hour, Live(f"={week_data.address(column, k)}", values[k]), "heat")
    heat_map(sheet, top + 2, first=1, last_row=top + 1 + DAYS_PER_WEEK, last=HOURS_PER_DAY, colours=colours)


def _charts(sheet: Sheet, top: int, *, waits: bool, hourly: bool) -> None:
    book, dashed = sheet.book, {"width": 1.5, "dash_type": "dash"}
    week, level = book.chart("area", "stacked"), book.chart("line")
    week.add_series(series(RESERVED, "Reserved", LABEL, fill={"color": SKY}))
    if hourly:
        week.add_series(series(SCALED, "By the hour", LABEL, fill={"color": GREEN}))
    week.add_series(series(ON_DEMAND, "On demand", LABEL, fill={"color": ORANGE}))
    level.add_series(series(CAPACITY, "Reserved capacity at the hour's mix", LABEL, line={"color": INK, **dashed}))
    if waits:
        level.add_series(series(ARRIVED, "Demand as it arose", LABEL, line={"color": BLUE, "width": 1.5}))
    week.combine(level)
    kinds = "by reserved units, by the hour and on demand" if hourly else "by reserved units and on demand"
    alt = f"Requests per hour over 168 hours, {kinds}, with the reserved capacity as a line."
    _insert(
        sheet,
        top,
        chart=week,
        title="Demand by hour of the week, and what serves it",
        hours="Hour of the week (UTC)",
        alt=alt,
    )
    duration = book.chart("line")
    duration.add_series(series(SORTED, "Load", RANK, line={"color": BLUE, "width": 2}))
    mix = "Reserved capacity at the month's mix"
    duration.add_series(series(LEVEL, mix, RANK, line={"color": VERMILION, **dashed}))
    title = "Load-duration curve: for how many hours of the week is the load this high?"
    alt = "Hours of the week sorted from the busiest to the quietest, with the reserved capacity as a level line."
    _insert(sheet, top + 18, chart=duration, title=title, hours="Hours of the week at this load or more", alt=alt)


def _insert(sheet: Sheet, row: int, *, chart: Any, title: str, hours: str, alt: str) -> None:
    chart.set_title(chart_title(title))
    chart.set_x_axis(axis(hours, interval_unit=24, interval_tick=24))
    chart.set_y_axis(grid("Requests per hour", num_format="#,##0", min=0))
    chart.set_size(_CHART)
    chart.show_hidden_data()
    where = {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1}
    sheet.raw.insert_chart(row, 0, chart, where)
