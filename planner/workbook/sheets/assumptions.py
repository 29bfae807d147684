"""Assumptions: every input table as it was read, with the sources and dates of its prices."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from pydantic import BaseModel

from planner.schema.case import TABLES, Case
from planner.schema.describe import ColumnFacts, columns_of, settings_of
from planner.schema.settings import PlanSettings
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, WEEKDAYS, counted
from planner.workbook.book import Column, Live, Sheet, Value, print_areas
from planner.workbook.report import Report
from planner.workbook.svg import heat_map
from planner.workbook.text_tables import width_of
from planner.workbook.theme import HEAT

NAME, DEMAND_NAME = "Assumptions", "Demand"
_FIRST, _WIDTH, _MOST_OVERHANG = 36, 15, 5
_LONGEST_NOTE = (1 + _MOST_OVERHANG) * _WIDTH  # a longer one would be cut off at the edge of the page
_LINE_POINTS = 14
_LEAST, _MOST = 9, 34  # width of a column of a table on a sheet of its own
_LONG, _WIDE = 30, 9  # rows and columns; more are a sheet of their own, whose header is repeated on every page
_MOST_HEAT_MAPS = 60  # series that get a colour scale of their own


def input_sheets(report: Report) -> dict[str, str]:
    """Name a sheet for each table that is too long or too wide to stand among others, by name of the table.

    Among others a note runs on to the right of its table, on its own sheet it is wrapped.
    """
    tables = [t for t in TABLES if t.name != "demand"]
    return {t.name: f"Input {t.name}" for t in tables
            if len(report.case.rows(t.name)) > _LONG or len(report.columns.get(t.name, ())) > _WIDE
            or any(width_of(row.note or "") > _LONGEST_NOTE for row in report.case.rows(t.name))}  # fmt: skip


def write(sheet: Sheet, own: Mapping[str, Sheet], report: Report) -> None:
    """Write settings and every table but demand, one under the other; own : the sheets of `input_sheets`, by table."""
    case = report.case
    sheet.heading(
        "Assumptions", "Every input as it was read. Columns that no row fills in are left out; their defaults apply.", 9
    )
    sheet.raw.set_column(0, 0, _FIRST)
    sheet.raw.set_column(1, 30, _WIDTH)
    top, wrapped = _settings(sheet, case.settings, 3)
    sources = _sources(case)
    widest = 7  # what the meaning of a setting runs over
    blocks, more = [(0, top - 2)], [wrapped]
    for table in TABLES:
        records = case.rows(table.name) if table.name != "demand" else ()
        if not records:
            continue
        title = f"{table.name}: {table.meaning}"
        sheet.put(top, 0, title, "section")
        columns = [c for c in columns_of(table.row).values() if c.name in report.columns.get(table.name, ())]
        rows = [{c.name: _shown(c.name, getattr(row, c.name), sources) for c in columns} for row in records]
        if table.name in own:
            _long_table(own[table.name], title, columns, rows)
            sheet.put(top + 1, 0, f"{counted(len(rows), 'row', ',')}, on the sheet {own[table.name].name}", "aside")
            blocks.append((top, top + 1))
            more.append(0)
            top += 3
            continue
        shown = [Column(c.name, _header(c), _style(c), _WIDTH) for c in columns]
        block = sheet.table(top + 1, shown, rows)
        widest = max(widest, len(columns) - 1 + _overhang(rows))
        blocks.append((top, block.last))
        more.append(sum(_lines(row) - 1 for row in rows))
        top = block.last + 2
    if sources:
        sheet.put(top, 0, "Sources: where the figures come from", "section")
        for k, source in enumerate(sources, start=1):
            sheet.put(top + k, 0, f"[{k}]", "text")
            sheet.put(top + k, 1, source, "plain")
        blocks.append((top, top + len(sources)))
        more.append(0)
        top += len(sources) + 2
    areas = print_areas(blocks, _FIRST + widest * _WIDTH, more)
    sheet.printed(top - 2, widest, freeze=(3, 1), areas=areas)


def _long_table(sheet: Sheet, title: str, columns: Sequence[ColumnFacts], rows: Sequence[Mapping[str, Value]]) -> None:
    """Write a table on a sheet of its own: columns as wide as they need, the header on every page."""
    name, _, meaning = title.partition(": ")
    shown = []
    for c in columns:
        longest = max((width_of(str(row.get(c.name) or "")) for row in rows), default=0)
        head = max(map(width_of, _header(c).split("\n")))
        width = float(min(max(longest + 3, head + 2, _LEAST), _MOST))
        shown.append(Column(c.name, _header(c), "text:wrap" if c.name == "note" else _style(c), width))
    told = f"{meaning[:1].upper()}{meaning[1:]}. Numbers in brackets are sources, listed on the sheet {NAME}."
    sheet.heading(name, told, len(columns) - 1)
    sheet.widths(shown)
    block = sheet.table(3, shown, rows)
    sheet.printed(block.last, len(columns) - 1, repeat=3, freeze=(4, 1))


def _sources(case: Case) -> dict[str, str]:
    """Give a number to the distinct sources of all rows, as they come: a long text is said once."""
    found: dict[str, str] = {}
    for table in TABLES:
        for row in case.rows(table.name) if table.name != "demand" else ():
            if row.source:
                found.setdefault(row.source, f"[{len(found) + 1}]")
    return found


def _header(column: ColumnFacts) -> str:
    return "\n".join(filter(None, [_broken(column.name), column.unit]))


def _settings(sheet: Sheet, settings: PlanSettings, top: int) -> tuple[int, int]:
    """Write every setting; returns the row below them, and the lines that wrapped values take beyond one a row."""
    sheet.put(top, 0, "plan: name, horizon and policy", "section")
    sheet.put(top + 1, 0, "key", "header")
    sheet.merged(top + 1, 1, 2, "value", "header")
    sheet.put(top + 1, 3, "meaning", "header")
    row, more = top + 2, 0
    for setting in settings_of(PlanSettings).values():
        value: Any = settings
        for part in setting.name.split("."):
            value = getattr(value, part)
        sheet.put(row, 0, setting.name, "text")
        value = "; ".join(map(str, value)) if isinstance(value, tuple) else value
        shown = setting.blank if value is None else _setting(value)
        lines = math.ceil(width_of(shown) / (2 * _WIDTH - 3)) or 1
        if lines > 1:
            sheet.raw.set_row(row, _LINE_POINTS * lines)
            more += lines - 1
        sheet.merged(row, 1, 2, shown, "text:wrap")
        sheet.put(row, 3, setting.meaning + (f" [{setting.unit}]" if setting.unit else ""), "plain")
        row += 1
    return row + 1, more


def _setting(value: object) -> str:
    """Show the value of a setting as it would be typed in: 140000, and not 140000.0."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _overhang(rows: Sequence[Mapping[str, Value]]) -> int:
    """Columns to the right that the longest note runs over."""
    longest = max((width_of(str(row.get("note") or "")) for row in rows), default=0)
    return min(max(0, math.ceil(longest / _WIDTH) - 1), _MOST_OVERHANG)


def _lines(row: Mapping[str, Value]) -> int:
    """Lines of a row whose texts are wrapped; a note runs on."""
    texts = (text for name, text in row.items() if isinstance(text, str) and name != "note")
    return max((math.ceil(width_of(text) / (_WIDTH - 1)) for text in texts), default=1) or 1


def _shown(name: str, value: Any, sources: Mapping[str, str]) -> Value:
    if name == "source":
        return sources.get(str(value), "") if value else None
    shown: Value = str(value) if isinstance(value, BaseModel) else value
    return shown


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
    names = report.reading.names
    written: tuple[Sequence[str], ...] = (names.regions, names.workloads, names.scenarios, names.periods, WEEKDAYS)
    for k, header in enumerate(headers):
        sheet.put(3, k, header, "header")
        sheet.raw.set_column(k, k, min(max(_LEAST, 3 + max(map(width_of, written[k]))), _MOST))
    for hour in range(HOURS_PER_DAY):
        sheet.put(3, 5 + hour, f"{hour:02d}", "header_right")
    sheet.put(3, 5 + HOURS_PER_DAY, "Day's sum", "header_right")
    sheet.raw.set_column(5, 4 + HOURS_PER_DAY, 6.2)
    row = 4
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
