"""Assumptions: every input table as it was read, with the sources and dates of its prices."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from pydantic import BaseModel

from planner.schema.base import Row
from planner.schema.case import TABLES
from planner.schema.describe import ColumnFacts, columns_of, settings_of
from planner.schema.settings import PlanSettings
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, WEEKDAYS
from planner.workbook.book import Column, Live, Sheet, Value, print_areas
from planner.workbook.report import Report
from planner.workbook.svg import heat_map
from planner.workbook.text_tables import width_of
from planner.workbook.theme import HEAT

NAME, DEMAND_NAME = "Assumptions", "Demand"
_WIDTH, _MOST_OVERHANG = 15, 5
_MOST_HEAT_MAPS = 60  # series that get a colour scale of their own


def write(sheet: Sheet, report: Report) -> None:
    """Write settings and every table but demand, one under the other."""
    case = report.case
    sheet.heading(
        "Assumptions", "Every input as it was read. Columns that no row fills in are left out; their defaults apply.", 9
    )
    sheet.raw.set_column(0, 0, 30)
    sheet.raw.set_column(1, 30, _WIDTH)
    top = _settings(sheet, case.settings, 3)
    widest = 3
    blocks, more = [(0, top - 2)], [0]
    for table in TABLES:
        if table.name == "demand" or not case.rows(table.name):
            continue
        sheet.put(top, 0, f"{table.name}: {table.meaning}", "section")
        columns = _given(list(columns_of(table.row).values()), case.rows(table.name))
        rows = [{c.name: _shown(getattr(row, c.name)) for c in columns} for row in case.rows(table.name)]
        shown = [Column(c.name, "\n".join(filter(None, [_broken(c.name), c.unit])), _style(c), _WIDTH) for c in columns]
        block = sheet.table(top + 1, shown, rows)
        widest = max(widest, len(columns) - 1 + _overhang(rows))
        blocks.append((top, block.last))
        more.append(sum(_lines(row) - 1 for row in rows))
        top = block.last + 2
    areas = print_areas(blocks, 30 + widest * _WIDTH, more)
    sheet.printed(top - 2, widest, freeze=(3, 1), areas=areas)


def _settings(sheet: Sheet, settings: PlanSettings, top: int) -> int:
    sheet.put(top, 0, "plan: name, horizon and policy", "section")
    for k, (header, style) in enumerate((("key", "header"), ("value", "header"), ("meaning", "header"))):
        sheet.put(top + 1, k, header, style)
    row = top + 2
    for setting in settings_of(PlanSettings).values():
        value: Any = settings
        for part in setting.name.split("."):
            value = getattr(value, part)
        sheet.put(row, 0, setting.name, "text")
        value = "; ".join(map(str, value)) if isinstance(value, tuple) else value
        shown = "TRUE" if value is True else "FALSE" if value is False else str(value)
        sheet.put(row, 1, setting.blank if value is None else shown, "text")
        sheet.put(row, 2, setting.meaning + (f" [{setting.unit}]" if setting.unit else ""), "plain")
        row += 1
    return row + 1


def _overhang(rows: Sequence[Mapping[str, Value]]) -> int:
    """Columns to the right that the longest note runs over."""
    longest = max((width_of(str(row.get("note") or "")) for row in rows), default=0)
    return min(max(0, math.ceil(longest / _WIDTH) - 1), _MOST_OVERHANG)


def _lines(row: Mapping[str, Value]) -> int:
    """Lines of a row whose texts are wrapped; a note runs on."""
    texts = (text for name, text in row.items() if isinstance(text, str) and name != "note")
    return max((math.ceil(width_of(text) / (_WIDTH - 1)) for text in texts), default=1) or 1


def _given(columns: Sequence[ColumnFacts], rows: Sequence[Row]) -> list[ColumnFacts]:
    """Columns that some row fills in."""
    return [
        c for c in columns if any(c.name in row.model_fields_set and getattr(row, c.name) is not None for row in rows)
    ]


def _shown(value: Any) -> Value:
    return str(value) if isinstance(value, BaseModel) else value


def _broken(name: str) -> str:
    """Break a long name after an underscore, never within a word."""
    lines = [""]
    for part in re.findall(r"[^_]+_?", name):
        if len(lines[-1]) + len(part) > _WIDTH - 2 and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _style(column: ColumnFacts) -> str:
    if column.kind in (int, float):
        return "input_number"
    if column.name == "note":
        return "text"  # the last column: it runs on
    return "date" if column.unit == "date" else "text:wrap"


def write_demand(sheet: Sheet, report: Report) -> None:
    """Write demand as one 24 x 7 matrix for each origin, workload, scenario and month."""
    sheet.heading(
        "Demand", "Requests per hour that arise in each region, by day (rows) and hour of day in UTC (columns).", 29
    )
    headers = ["Origin", "Workload", "Scenario", "Month", "Day"]
    for k, header in enumerate(headers):
        sheet.put(3, k, header, "header")
        sheet.raw.set_column(k, k, 14 if k < 2 else 9)
    for hour in range(HOURS_PER_DAY):
        sheet.put(3, 5 + hour, f"{hour:02d}", "header_right")
    sheet.put(3, 5 + HOURS_PER_DAY, "Day's sum", "header_right")
    sheet.raw.set_column(5, 4 + HOURS_PER_DAY, 6.2)
    names, row = report.reading.names, 4
    keys = product(names.regions, names.workloads, names.scenarios, names.periods)
    weeks = report.reading.demand.reshape(-1, DAYS_PER_WEEK, HOURS_PER_DAY)
    series = [(key, week) for key, week in zip(keys, weeks, strict=True) if week.any()]
    for key, week in series:
        _week(sheet, row, key, week.tolist(), scaled=len(series) <= _MOST_HEAT_MAPS)
        row += DAYS_PER_WEEK
    sheet.printed(max(row - 1, 4), 5 + HOURS_PER_DAY, repeat=3, freeze=(4, 5))


def _week(sheet: Sheet, top: int, key: Sequence[str], week: Sequence[Sequence[float]], *, scaled: bool) -> None:
    for day, hours in enumerate(week):
        for k, name in enumerate(key):
            sheet.put(top + day, k, name, "text" if day == 0 else "text:muted")
        sheet.put(top + day, 4, WEEKDAYS[day], "text")
        sheet.across(top + day, 5, hours, "heat")
        row = top + day + 1
        sheet.put(top + day, 5 + HOURS_PER_DAY, Live(f"=SUM(F{row}:AC{row})", sum(hours)), "count")
    if scaled:
        heat_map(sheet, top, first=5, last_row=top + DAYS_PER_WEEK - 1, last=4 + HOURS_PER_DAY, colours=HEAT)
