"""Week: demand, reserved and on demand by hour of the week, for a region, model and month chosen from drop-downs.

The figures stand on a hidden sheet, two columns for each region, model and month; formulas pick the chosen ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from planner.reports.book import Live, Sheet, axis, chart_title, grid
from planner.reports.heat import heat_map, hours_header
from planner.reports.report import Report
from planner.reports.theme import BLUE, HEAT, HEAT_OVERFLOW, INK, ORANGE, SKY, VERMILION
from planner.results.hours import ServedWeek, served_weeks
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK, WEEKDAYS, hour_label

NAME, DATA_NAME = "Week", "Week data"
_REGION, _MODEL, _MONTH = 3, 4, 5  # rows of the choices on the sheet
_KEYS, _HOURS = 2, 8  # first rows of the keys and of the hours on the data sheet
_FIRST = 10  # first data column on the data sheet
_LISTS = _HOURS + HOURS_PER_WEEK + 2
_RESERVED, _ON_DEMAND, _DEMAND, _RANK, _SORTED, _CAPACITY = 2, 3, 4, 6, 7, 8


@dataclass(frozen=True)
class _Chosen:
    """What the sheet shows first: the busiest region, model and month."""

    number: int
    week: ServedWeek


def write(sheet: Sheet, data: Sheet, report: Report) -> None:
    """Write the sheet and its data sheet."""
    weeks = served_weeks(report.case, report.plan, report.derived)
    if not weeks:
        sheet.heading("Week", "No requests are served.", 24)
        data.put(0, 0, "No requests are served.", "note")
        return
    busiest = max(range(len(weeks)), key=lambda k: sum(weeks[k].demand_rph))
    chosen = _Chosen(busiest + 1, weeks[busiest])
    lists = _lists(data, weeks)
    _data(data, weeks, chosen)
    sheet.heading(
        "Week",
        "What each hour of the week looks like (UTC). Choose a region, a model and a month in the yellow cells.",
        24,
    )
    sheet.raw.set_column(0, 0, 11)
    sheet.raw.set_column(1, 24, 5.3)
    _choices(sheet, chosen, lists)
    top = 8
    for title, column, colours in (
        ("Demand served here, requests per hour", _DEMAND, HEAT),
        ("of which by reserved units", _RESERVED, HEAT),
        ("of which on demand (overflow)", _ON_DEMAND, HEAT_OVERFLOW),
    ):
        _grid(sheet, top, title, column, colours, chosen.week)
        top += DAYS_PER_WEEK + 3
    _charts(sheet, top)
    sheet.printed(top + 37, 24, portrait=True, one_page=True)


def _choices(sheet: Sheet, chosen: _Chosen, lists: dict[str, str]) -> None:
    week = chosen.week
    for row, label, value, source in (
        (_REGION, "Region", week.region, lists["region"]),
        (_MODEL, "Model", week.model, lists["model"]),
        (_MONTH, "Month", week.period, lists["period"]),
    ):
        sheet.put(row, 0, label, "day")
        sheet.merged(row, 1, 8, value, "choice")
        message = {"input_title": label, "input_message": "Choose from the list."}
        sheet.raw.data_validation(row, 1, row, 1, {"validate": "list", "source": source, **message})
    found = Live(f'=IF(\'{DATA_NAME}\'!$B$2=0,"No requests of this model are served in this region and month.","")', "")
    sheet.merged(_REGION, 10, 24, found, "alert")
    sheet.merged(
        _MODEL, 10, 24, "Colours: white is no request, the darkest cell is the busiest hour of the week.", "note"
    )
    if week.scenarios > 1:
        sheet.merged(_MONTH, 10, 24, "Figures are expected values over all scenarios.", "note")


def _grid(sheet: Sheet, top: int, title: str, column: int, colours: tuple[str, str, str], week: ServedWeek) -> None:
    sheet.put(top, 0, title, "section")
    hours_header(sheet, top + 1, 1)
    values = {_DEMAND: week.demand_rph, _RESERVED: week.reserved_rph, _ON_DEMAND: week.on_demand_rph}[column]
    name = xl_col_to_name(column, True)
    for day in range(DAYS_PER_WEEK):
        sheet.put(top + 2 + day, 0, WEEKDAYS[day], "day")
        for hour in range(HOURS_PER_DAY):
            k = day * HOURS_PER_DAY + hour
            sheet.put(top + 2 + day, 1 + hour, Live(f"='{DATA_NAME}'!{name}${_HOURS + k + 1}", values[k]), "heat")
    heat_map(sheet, top + 2, 1, top + 1 + DAYS_PER_WEEK, HOURS_PER_DAY, colours)


def _lists(data: Sheet, weeks: Sequence[ServedWeek]) -> dict[str, str]:
    """Write the names to choose from; returns their addresses."""
    found = {}
    for column, key in enumerate(("region", "model", "period")):
        names = sorted({str(getattr(week, key)) for week in weeks})
        for k, name in enumerate(names):
            data.put(_LISTS + k, column, name, "name")
        letter = xl_col_to_name(column, True)
        found[key] = f"='{DATA_NAME}'!{letter}${_LISTS + 1}:{letter}${_LISTS + len(names)}"
    return found


def _data(data: Sheet, weeks: Sequence[ServedWeek], chosen: _Chosen) -> None:
    data.put(
        0,
        0,
        "Data of the sheet Week: two columns for each region, model and month; columns C to I follow the choice there.",
        "note",
    )
    data.raw.set_column(0, 8, 12)
    last = _FIRST + 2 * len(weeks) - 1
    span = f"${xl_col_to_name(_FIRST)}${{0}}:${xl_col_to_name(last)}${{0}}"
    keys = [span.format(_KEYS + 1 + k) for k in range(5)]  # number, region, model, month, capacity
    picked = "*".join(f"EXACT({keys[k + 1]},'{NAME}'!$B${row + 1})" for k, row in enumerate((_REGION, _MODEL, _MONTH)))
    data.put(1, 0, "chosen", "key")
    data.put(1, 1, Live(f"=SUMPRODUCT({picked}*{keys[0]})", chosen.number), "count")
    data.put(1, 2, "capacity", "key")
    data.put(1, 3, Live(f"=IF($B$2=0,0,INDEX({keys[4]},1,2*$B$2-1))", chosen.week.capacity_rph), "number")
    for k, label in enumerate(("number", "region", "model", "month", "capacity, requests/hour")):
        data.put(_KEYS + k, _FIRST - 1, label, "key")
    for k, week in enumerate(weeks):
        column = _FIRST + 2 * k
        data.put(_KEYS, column, k + 1, "count")
        for j, name in enumerate((week.region, week.model, week.period)):
            data.put(_KEYS + 1 + j, column, name, "name")
        data.put(_KEYS + 4, column, week.capacity_rph, "number")
        for j, (label, values) in enumerate((("reserved", week.reserved_rph), ("on demand", week.on_demand_rph))):
            data.put(_HOURS - 1, column + j, label, "key")
            for hour, value in enumerate(values):
                if value:
                    data.raw.write_number(_HOURS + hour, column + j, value)
    _follow(data, chosen.week, last)


def _follow(data: Sheet, week: ServedWeek, last: int) -> None:
    """Columns that follow the choice, from which grids and charts are drawn."""
    headers = (
        "hour",
        "label",
        "reserved",
        "on demand",
        "demand",
        "",
        "hours at this load or more",
        "load, sorted",
        "reserved capacity",
    )
    for k, header in enumerate(headers):
        data.put(_HOURS - 1, k, header, "key")
    block = f"${xl_col_to_name(_FIRST)}${_HOURS + 1}:${xl_col_to_name(last)}${_HOURS + HOURS_PER_WEEK}"
    demand = f"$E${_HOURS + 1}:$E${_HOURS + HOURS_PER_WEEK}"
    ranked = sorted(week.demand_rph, reverse=True)
    for hour in range(HOURS_PER_WEEK):
        row = _HOURS + hour
        data.put(row, 0, hour, "count")
        data.put(row, 1, hour_label(hour), "text")
        data.put(
            row, _RESERVED, Live(f"=IF($B$2=0,0,INDEX({block},{hour + 1},2*$B$2-1))", week.reserved_rph[hour]), "number"
        )
        data.put(
            row, _ON_DEMAND, Live(f"=IF($B$2=0,0,INDEX({block},{hour + 1},2*$B$2))", week.on_demand_rph[hour]), "number"
        )
        data.put(row, _DEMAND, Live(f"=C{row + 1}+D{row + 1}", week.demand_rph[hour]), "number")
        data.put(row, _RANK, hour + 1, "count")
        data.put(row, _SORTED, Live(f"=LARGE({demand},G{row + 1})", ranked[hour]), "number")
        data.put(row, _CAPACITY, Live("=$D$2", week.capacity_rph), "number")


def _series(column: int, name: str, category: int, **look: Any) -> dict[str, Any]:
    first, last = _HOURS, _HOURS + HOURS_PER_WEEK - 1
    return {"name": name, "categories": [DATA_NAME, first, category, last, category],
            "values": [DATA_NAME, first, column, last, column], **look}  # fmt: skip


def _charts(sheet: Sheet, top: int) -> None:
    book, size = sheet.book, {"width": 1010, "height": 340}
    week, level = book.chart("area", "stacked"), book.chart("line")
    week.add_series(_series(_RESERVED, "Reserved", 1, fill={"color": SKY}))
    week.add_series(_series(_ON_DEMAND, "On demand", 1, fill={"color": ORANGE}))
    level.add_series(_series(_CAPACITY, "Reserved capacity", 1, line={"color": INK, "width": 1.5, "dash_type": "dash"}))
    week.combine(level)
    week.set_title(chart_title("Demand by hour of the week, and what serves it"))
    week.set_x_axis(axis("Hour of the week (UTC)", interval_unit=24, interval_tick=24))
    week.set_y_axis(grid("Requests per hour", num_format="#,##0", min=0))
    week.set_size(size)
    week.show_hidden_data()
    alt = "Requests per hour over 168 hours, by reserved units and on demand, with the reserved capacity as a line."
    sheet.raw.insert_chart(top, 0, week, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1})
    duration = book.chart("line")
    duration.add_series(_series(_SORTED, "Load", _RANK, line={"color": BLUE, "width": 2}))
    duration.add_series(
        _series(_CAPACITY, "Reserved capacity", _RANK, line={"color": VERMILION, "width": 1.5, "dash_type": "dash"})
    )
    duration.set_title(chart_title("Load-duration curve: for how many hours of the week is the load this high?"))
    duration.set_x_axis(axis("Hours of the week at this load or more", interval_unit=24, interval_tick=24))
    duration.set_y_axis(grid("Requests per hour", num_format="#,##0", min=0))
    duration.set_size(size)
    duration.show_hidden_data()
    alt = "Hours of the week sorted from the busiest to the quietest, with the reserved capacity as a level line."
    sheet.raw.insert_chart(
        top + 18, 0, duration, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1}
    )
