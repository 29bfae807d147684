"""The input workbook: the tables of a planning folder as sheets to fill in, with help on every header.

The sheets keep the names and columns of the CSV tables, so that `planner solve inputs.xlsx` reads them as they stand.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.io.atomic import written_beside
from planner.schema.base import LISTS
from planner.schema.case import TABLE, Table
from planner.schema.describe import ColumnFacts, columns_of, settings_of
from planner.schema.settings import PlanSettings
from planner.workbook.book import Book, Column, Live, Sheet, new_book
from planner.workbook.text_tables import clean
from planner.workbook.theme import BLUE, GREY

LAST_ROW = {"demand": 200_000}
LAST_ROW_DEFAULT = 2_000  # rows of a table that get drop-downs and validation
_LONGEST_TITLE = 32


def comment(column: ColumnFacts) -> str:
    """Meaning, unit, default and limits, a line each."""
    lines = [column.meaning[:1].upper() + column.meaning[1:] + "."]
    if column.unit:
        lines.append(f"Unit: {column.unit}")
    lines.append("Must be filled in" if column.required else f"Blank: {column.blank}")
    if column.limits or column.choices or column.refers_to:
        lines.append(f"Allowed: {column.allowed}")
    return "\n".join(lines)


def validation(column: ColumnFacts) -> dict[str, Any] | None:
    """XlsxWriter's data validation of the column's cells; None where any text will do."""
    if column.refers_to and column.name not in LISTS:  # that one holds a list of names, or any
        table, _ = column.refers_to
        return {
            "validate": "list",
            "source": f"={table}!$A$2:$A${LAST_ROW_DEFAULT}",
            "error_type": "warning",
            "error_title": "Unknown name",
            "error_message": f"Not a name of sheet {table}. Add it there, or choose from the list.",
        }
    if column.kind is bool or column.choices:
        allowed = ["TRUE", "FALSE"] if column.kind is bool else list(column.choices)
        return {"validate": "list", "source": allowed, "error_message": "Choose from the list."}
    if column.kind is dt.date:
        first = dt.date(2000, 1, 1)
        return {"validate": "date", "criteria": ">=", "value": first, "error_message": "A date, such as 2027-01-01."}
    return _number(column) if column.kind in (int, float) else None


def _number(column: ColumnFacts) -> dict[str, Any]:
    """Limit a number to a range, or from one side."""
    limits = dict(column.limits)
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    rule: dict[str, Any] = {"validate": "integer" if column.kind is int else "decimal"}
    if low is None:
        rule |= {"criteria": "<=", "value": high}
    elif "gt" in limits or high is None:
        rule |= {"criteria": ">" if "gt" in limits else ">=", "value": low}
    else:
        rule |= {"criteria": "between", "minimum": low, "maximum": high}
    title = column.name.rsplit(".", 1)[-1][:_LONGEST_TITLE]
    said = column.allowed + (f" ({column.unit})" if column.unit else "")
    return rule | {"error_title": title, "error_message": said[:1].upper() + said[1:] + "."}


START_SHEET, PLAN_SHEET = "Start", "plan"
_PAGE_WIDTH = 230.0  # of columns that still read well on one page

# the order in which a planner fills them in, with what to think of
STEPS: tuple[tuple[str, str], ...] = (
    ("regions", "Where requests arise and capacity is bought. Set fails to FALSE where a loss is not planned for."),
    ("models", "The models you may use."),
    ("workloads", "One row a kind of request. Measure its tokens and cache hit rate: they drive every cost."),
    ("mix", "Which models may serve which workload. Equal min_share and max_share fix a share; else the plan chooses."),
    (
        "demand",
        "Requests per hour, for each hour of the week (0 = Monday 00:00 UTC); or a column an hour, local time.",
    ),
    ("on_demand", "Pay-as-you-go prices and your quota. A blank quota is no limit, also while a region is lost."),
    ("pools", "Reserved capacity on sale: one row for each thing that is bought as one, in one region."),
    ("throughput", "What one unit of a pool serves of a model, and the sizes in which it is deployed."),
    ("offers", "Prices at which units can be committed for a term."),
    ("routes", "Pairs of regions between which requests may travel, and the price of data. Failover needs routes."),
    ("commitments", "What you have already bought; it is counted before anything new."),
    (
        "price_factors",
        "On-demand prices that are lower or higher in some hours or periods: off-peak, promotions, announced cuts.",
    ),
    (
        "spend_commitments",
        "What you have promised a seller to spend (MACC, EDP, commits). What is not spent is paid all the same.",
    ),
    ("scenarios", "Possible futures and their probabilities. Leave empty for one."),
)


def write_input_workbook(
    tables: Mapping[str, Sequence[Mapping[str, Any]]], settings: PlanSettings, path: str | Path
) -> None:
    """Write a workbook to fill in, with `tables` (rows as in the CSV files) and `settings` already entered.

    Parameters
    ----------
    tables : rows of each input table by its name; a table that is left out gets an empty sheet.
    settings : what the `plan` sheet holds.
    path : file to write; it is written beside and renamed.
    """
    with written_beside(path) as beside:
        subject = "Input tables of planner; `planner solve FILE.xlsx` reads them"
        book = new_book(str(beside), settings.name, settings.horizon.start, subject, "planner input")
        start = book.add_sheet(START_SHEET, BLUE)
        _plan_sheet(book, settings)
        for name, _ in STEPS:
            _table_sheet(book, TABLE[name], tables.get(name, ()))
        _start_sheet(start, settings, {name: len(tables.get(name, ())) for name, _ in STEPS})
        start.raw.activate()
        book.close()


def _start_sheet(sheet: Sheet, settings: PlanSettings, count: Mapping[str, int]) -> None:
    lead = "Fill in the sheets in this order. Blue headers need a value in every row; each header has a comment."
    sheet.heading("Planning inputs", lead, 4)
    columns = [
        Column("step", "Step", "count", 6),
        Column("sheet", "Sheet", "text", 16),
        Column("need", "Needed", "text", 12),
        Column("rows", "Rows\nfilled in", "count", 10),
        Column("what", "What it holds, and what to think of", "text:wrap", 95),
    ]
    rows: list[dict[str, Any]] = [
        {"step": 1, "sheet": PLAN_SHEET, "need": "yes", "rows": None,
         "what": "Name of the plan, the months it covers, and the policy: headroom, failover, budget."}
    ]  # fmt: skip
    for k, (name, what) in enumerate(STEPS):
        filled = Live(f"=COUNTA({name}!$A$2:$A${LAST_ROW.get(name, LAST_ROW_DEFAULT)})", count[name])
        need = "yes" if TABLE[name].required else "optional"
        rows.append({"step": k + 2, "sheet": name, "need": need, "rows": filled, "what": what})
    sheet.widths(columns)
    block = sheet.table(3, columns, rows)
    link = sheet.book.format("link")
    for k, row in enumerate(rows):
        sheet.raw.write_url(block.first + k, 1, f"internal:'{row['sheet']}'!A1", link, str(row["sheet"]))
    then = block.last + 2
    sheet.put(then, 0, "Then", "section")
    for k, line in enumerate((
        "Save the workbook and run:   planner check FILE.xlsx   (lists faults with their cell, and the usual mistakes)",
        "Then:   planner solve FILE.xlsx   (finds the plan and writes plan.xlsx)",
        "Every table has columns source, as_of and note: say there where a figure comes from; the plan shows it.",
    )):  # fmt: skip
        sheet.put(then + 1 + k, 0, line, "plain")
    sheet.printed(then + 4, 4)


def _plan_sheet(book: Book, settings: PlanSettings) -> None:
    sheet = book.add_sheet(PLAN_SHEET, BLUE)
    for k, (header, width) in enumerate((("key", 38.0), ("value", 22.0), ("note", 105.0))):
        sheet.put(0, k, header, "header")
        sheet.raw.set_column(k, k, width)
    for k, setting in enumerate(settings_of(PlanSettings).values(), start=1):
        value: Any = settings
        for part in setting.name.split("."):
            value = getattr(value, part)
        sheet.put(k, 0, setting.name, "text")
        _enter(sheet, k, 1, "; ".join(map(str, value)) if isinstance(value, tuple) else value, setting)
        sheet.put(k, 2, comment(setting).replace(".\n", "\n").replace("\n", ". "), "text:muted")
        _validate(sheet, setting, k, k, 1)
    sheet.printed(k, 2, repeat=0, freeze=(1, 0))


def _table_sheet(book: Book, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    sheet = book.add_sheet(table.name, BLUE if table.required else GREY)
    columns = list(columns_of(table.row).values())
    last = max(LAST_ROW.get(table.name, LAST_ROW_DEFAULT), len(rows) + 100) - 1
    total_width = 0.0
    for k, column in enumerate(columns):
        sheet.put(0, k, column.name, "header_needed" if column.required else "header")
        help_text = comment(column)
        box = {"author": "planner", "x_scale": 2.2, "y_scale": 1.0 + 0.12 * help_text.count("\n"), "font_size": 9}
        sheet.raw.write_comment(0, k, help_text, box)
        widest = max([len(column.name), *(len(clean(row.get(column.name) or "")) for row in rows[:200])])
        width = min(max(9.0, widest * 1.05 + 2), 40)
        sheet.raw.set_column(k, k, width)
        total_width += width
        _validate(sheet, column, 1, last, k)
    for r, row in enumerate(rows, start=1):
        for k, column in enumerate(columns):
            _enter(sheet, r, k, row.get(column.name), column)
    scale = 65 if total_width > _PAGE_WIDTH else None  # wide tables run over several pages, none is made too small
    sheet.printed(max(len(rows), 1), len(columns) - 1, repeat=0, freeze=(1, len(table.key[:1])), scale=scale)
    sheet.raw.repeat_columns(0)


def _validate(sheet: Sheet, column: ColumnFacts, first: int, last: int, at: int) -> None:
    rule = validation(column)
    if rule is not None:
        sheet.raw.data_validation(first, at, last, at, rule)


def _enter(sheet: Sheet, row: int, at: int, value: Any, column: ColumnFacts) -> None:
    """Write a cell as its column's type: CSV rows bring everything as text."""
    if value is None or value == "":
        return
    if column.kind is bool:
        sheet.raw.write_boolean(row, at, str(value).strip().lower() in ("true", "1", "yes"), sheet.book.format("text"))
    elif column.kind in (int, float):
        sheet.put(row, at, float(value), "input_number")
    elif column.kind is dt.date:
        sheet.put(row, at, value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)), "date")
    else:
        sheet.put(row, at, str(value), "text")
