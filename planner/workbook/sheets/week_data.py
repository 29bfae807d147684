"""Week data (hidden): the figures behind the sheet Week, three rows for each region, model and month.

Columns C to I follow what is chosen on the sheet; its grids and charts are drawn from them.
"""

from collections.abc import Sequence
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from planner.plan.hours import ServedWeek
from planner.units import HOURS_PER_WEEK, hour_label
from planner.workbook.book import Live, Sheet

NAME = "Week data"
LABEL, RESERVED, ON_DEMAND, DEMAND, CAPACITY, RANK, SORTED, LEVEL = range(1, 9)  # columns that follow the choice
ARRIVED = 9  # only where some work can wait
SCALED = 10  # only where units run by the hour; the keys then stand a column further right
FIRST_HOUR = 8  # row
_PARTS = ("reserved", "on demand", "capacity")  # rows of each region, model and month, and then, if any:
_AROSE, _BY_THE_HOUR = "as it arose", "by the hour"
_LISTS = FIRST_HOUR + HOURS_PER_WEEK + 2
_HEADERS = ("hour", "label", "reserved", "on demand", "demand", "capacity", "hours at this load or more",
            "load, sorted", "capacity at the month's mix")  # fmt: skip


def lists(weeks: Sequence[ServedWeek]) -> tuple[tuple[str, list[str]], ...]:
    """Return the names to choose from, and where each list stands."""
    found = []
    for column, key in enumerate(("region", "model", "period")):
        names = sorted({str(getattr(week, key)) for week in weeks})
        letter = xl_col_to_name(column, True)
        found.append((f"='{NAME}'!{letter}${_LISTS + 1}:{letter}${_LISTS + len(names)}", names))
    return tuple(found)


def write(data: Sheet, weeks: Sequence[ServedWeek], chosen: int, cells: Sequence[str]) -> None:
    """Write the figures; `cells` hold the chosen region, model and month, which are those of `weeks[chosen]`."""
    data.put(0, 0, "Data of the sheet Week; columns C to I follow the choice there.", "note")
    data.raw.set_column(0, LEVEL, 12)
    for column, (_, names) in enumerate(lists(weeks)):
        for k, name in enumerate(names):
            data.put(_LISTS + k, column, name, "name")
    last = FIRST_HOUR + _part_count(weeks[chosen]) * len(weeks) - 1
    keys = _keys(weeks[chosen])
    number, *names_at, level = (_down(keys + k, last) for k in range(5))
    picked = "*".join(f"EXACT({names},{cell})" for names, cell in zip(names_at, cells, strict=True))
    data.put(1, 0, "chosen", "key")
    data.put(1, 1, Live(f"=SUMPRODUCT({picked}*{number})", chosen + 1), "count")
    data.put(1, 2, "capacity", "key")
    data.put(1, 3, Live(f"=IF($B$2=0,0,INDEX({level},{_row(0, weeks[chosen])},1))", weeks[chosen].level_rph), "number")
    for k, label in enumerate(("number", "region", "model", "month", "capacity, requests/hour", "hour by hour")):
        data.put(FIRST_HOUR - 1, keys + k, label, "key")
    for k, week in enumerate(weeks):
        _figures(data, k, week)
    _follow(data, weeks[chosen], last)


def _figures(data: Sheet, k: int, week: ServedWeek) -> None:
    row, keys = FIRST_HOUR + _part_count(week) * k, _keys(week)
    data.put(row, keys, k + 1, "count")
    for j, name in enumerate((week.region, week.model, week.period)):
        data.put(row, keys + 1 + j, name, "name")
    data.put(row, keys + 4, week.level_rph, "number")
    for j, (label, _, values) in enumerate(_parts(week)):
        data.put(row + j, keys + 5, label, "key")
        if any(values):  # else blank, which formulas read as 0
            data.across(row + j, keys + 6, values)


def _follow(data: Sheet, week: ServedWeek, last: int) -> None:
    """Write the columns that follow the choice."""
    parts, figures = _parts(week), _keys(week) + 6
    headers = dict(enumerate(_HEADERS)) | {column: f"demand {label}" for label, column, _ in parts[len(_PARTS) :]}
    for k, header in headers.items():
        data.put(FIRST_HOUR - 1, k, header, "key")
    first, end = FIRST_HOUR + 1, FIRST_HOUR + HOURS_PER_WEEK
    block = f"${xl_col_to_name(figures)}${first}:${xl_col_to_name(figures + HOURS_PER_WEEK - 1)}${last + 1}"
    scaled = "" if week.scaled_rph is None else xl_col_to_name(SCALED)
    ranked = sorted(week.demand_rph, reverse=True)
    for hour in range(HOURS_PER_WEEK):
        row = FIRST_HOUR + hour
        data.put(row, 0, hour, "count")
        data.put(row, LABEL, hour_label(hour), "text")
        for j, (_, column, values) in enumerate(parts):
            data.put(
                row, column, Live(f"=IF($B$2=0,0,INDEX({block},{_row(j, week)},{hour + 1}))", values[hour]), "number"
            )
        more = f"+{scaled}{row + 1}" if scaled else ""
        data.put(row, DEMAND, Live(f"=C{row + 1}+D{row + 1}{more}", week.demand_rph[hour]), "number")
        data.put(row, RANK, hour + 1, "count")
        data.put(row, SORTED, Live(f"=LARGE($E${first}:$E${end},G{row + 1})", ranked[hour]), "number")
        data.put(row, LEVEL, Live("=$D$2", week.level_rph), "number")


def _part_count(week: ServedWeek) -> int:
    """Rows of a region, model and month."""
    return len(_parts(week))


def _parts(week: ServedWeek) -> list[tuple[str, int, list[float]]]:
    """List the rows of a region, model and month: label, the column that follows the choice, 168 values."""
    values = week.reserved_rph, week.on_demand_rph, week.capacity_rph
    parts = list(zip(_PARTS, (RESERVED, ON_DEMAND, CAPACITY), values, strict=True))
    if week.arrived_rph is not None:
        parts.append((_AROSE, ARRIVED, week.arrived_rph))
    if week.scaled_rph is not None:
        parts.append((_BY_THE_HOUR, SCALED, week.scaled_rph))
    return parts


def _keys(week: ServedWeek) -> int:
    """First column of the keys: number, region, model, month, capacity, part; then 168 figures."""
    return SCALED + (week.scaled_rph is not None)


def _row(part: int, week: ServedWeek) -> str:
    """Return the position of a part of the chosen region, model and month among the figures, as a formula."""
    return f"{_part_count(week)}*($B$2-1)+{part + 1}"


def _down(column: int, last: int) -> str:
    name = xl_col_to_name(column, True)
    return f"{name}${FIRST_HOUR + 1}:{name}${last + 1}"


def address(column: int, hour: int) -> str:
    """Address of an hour in a column that follows the choice."""
    return f"'{NAME}'!{xl_col_to_name(column, True)}${FIRST_HOUR + hour + 1}"


def series(column: int, name: str, category: int, **look: Any) -> dict[str, Any]:
    """Return a chart's series of such a column."""
    first, last = FIRST_HOUR, FIRST_HOUR + HOURS_PER_WEEK - 1
    return {"name": name, "categories": [NAME, first, category, last, category],
            "values": [NAME, first, column, last, column], **look}  # fmt: skip
