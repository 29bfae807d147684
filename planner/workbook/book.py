"""Book and Sheet: a thin layer over XlsxWriter that keeps text text, formulas with their values, and one look.

A feature hands in a sheet of its own as an `ExtraSheet`.

A sheet of the workbook is written as data: columns, and rows that hold numbers, text or `Live` formulas.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_range_abs, xl_rowcol_to_cell

from planner.workbook.full_disk import told_as_os_error
from planner.workbook.report import Report
from planner.workbook.text_tables import clean, footer_text, lines_of
from planner.workbook.theme import FONT, INK, MUTED, PRICE_DECIMALS, RULE, properties

LONGEST_TITLE = 120
LINE_POINTS, _MOST_LINES = 13, 12  # height of a line of a row
_WIDTH_OF_BOLD = 1.0
_WIDTH_OF_LETTER = 0.97  # of a column's unit of width: of the wider fonts that stand in for one that is missing
_INDENT = 1.5  # of a column's width


@dataclass(frozen=True)
class Live:
    """A formula and the value it has now. ``{key}`` stands for the cell of that column in the same row."""

    formula: str
    value: float | str


Value = float | int | str | bool | dt.date | Live | None


@dataclass(frozen=True)
class Column:
    """A column of a table: its key in the rows, what the header says, how its cells look, how wide it is."""

    key: str
    header: str
    style: str = "text"
    width: float = 12.0
    total: bool = False  # a sum under the last row


@dataclass(frozen=True)
class Block:
    """Where a table was written: its first and last data row (0-based) and the column of each key."""

    sheet: str
    first: int
    last: int
    columns: Mapping[str, int]
    total_row: int

    def range(self, key: str, *, local: bool = False) -> str:
        """Absolute address of a column's data, with the sheet's name unless `local`."""
        column = xl_col_to_name(self.columns[key], True)
        address = f"{column}${self.first + 1}:{column}${self.last + 1}"
        return address if local else f"'{self.sheet}'!{address}"

    def cell(self, key: str, row: int) -> str:
        """Absolute address of a cell of the `row`-th data row, with the sheet's name."""
        return f"'{self.sheet}'!{xl_rowcol_to_cell(self.first + row, self.columns[key], True, True)}"

    def total(self, key: str) -> str:
        """Absolute address of a column's total, with the sheet's name."""
        return f"'{self.sheet}'!{xl_rowcol_to_cell(self.total_row, self.columns[key], True, True)}"


def block_at(sheet: str, top: int, columns: Sequence[Column], count: int, at: int = 0) -> Block:
    """Tell where a table with its header in row `top` and `count` rows stands (an empty one keeps a row to say so)."""
    place = {column.key: at + k for k, column in enumerate(columns)}
    last = top + max(count, 1)
    return Block(sheet, top + 1, last, place, last + 1)


@dataclass(frozen=True)
class Sheet:
    """One worksheet; rows and columns are counted from 0."""

    book: "Book"
    name: str
    raw: Any  # XlsxWriter's worksheet

    def put(self, row: int, column: int, value: Value, style: str = "plain") -> None:
        """Write a value as what it is; text is never read as a formula, a link or a number."""
        look = self.book.format(style)
        number = value.value if isinstance(value, Live) else value
        if number is None or (isinstance(number, float) and not math.isfinite(number)):  # a stored nan is no workbook
            self._kept(self.raw.write_blank(row, column, None, look))
        elif isinstance(value, str):
            self._kept(self.raw.write_string(row, column, clean(value), look))
        elif isinstance(value, Live):
            stored = "" if isinstance(value.value, float) and not math.isfinite(value.value) else value.value
            self._kept(self.raw.write_formula(row, column, value.formula, look, stored))
        elif isinstance(value, bool):
            self._kept(self.raw.write_string(row, column, "yes" if value else "no", look))
        elif isinstance(value, dt.date):
            self._kept(self.raw.write_datetime(row, column, value, look))
        else:
            self._kept(self.raw.write_number(row, column, value, look))

    def across(self, row: int, column: int, values: Iterable[float], style: str | None = None) -> None:
        """Write finite numbers side by side."""
        self._kept(self.raw.write_row(row, column, values, None if style is None else self.book.format(style)))

    def down(self, row: int, column: int, values: Iterable[float]) -> None:
        """Write finite numbers one under the other; zeros stay blank, which formulas read as 0."""
        self._kept(self.raw.write_column(row, column, [value or None for value in values]))

    def _kept(self, answer: int) -> None:
        if answer < 0:  # XlsxWriter's way to say that it left the cell out
            raise ValueError(f"the sheet {self.name} has more rows, columns or text than a sheet can hold")

    def at(self, row: int, column: int) -> str:
        """Absolute address of a cell with the sheet's name."""
        return f"'{self.name}'!{xl_rowcol_to_cell(row, column, True, True)}"

    def heading(self, title: str, subtitle: str | None, last_column: int) -> None:
        """Write the title and what the sheet tells, across the printed width (0: one line, as far as it runs)."""
        self.raw.set_row(0, 28)
        self.put(0, 0, title, "title")
        self.raw.set_row(1, 28)
        self.merged(1, 0, last_column, subtitle, "subtitle" if last_column else "aside")

    def merged(self, row: int, first: int, last: int, value: str | Live | None, style: str, rows: int = 1) -> None:
        """Write text across columns `first` to `last` (and down `rows`)."""
        if last > first or rows > 1:
            self.raw.merge_range(row, first, row + rows - 1, last, "", self.book.format(style))
        self.put(row, first, value, style)

    def widths(self, columns: Sequence[Column], at: int = 0) -> None:
        """Set the width of each column."""
        for k, column in enumerate(columns):
            self.raw.set_column(at + k, at + k, column.width)

    def table(
        self,
        top: int,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Value]],
        *,
        at: int = 0,
        filters: bool = False,
        empty: str = "None.",
    ) -> Block:
        """Write header, rows and totals; a table without rows says `empty`. Returns where everything stands."""
        columns = [_aligned(column, rows) for column in columns]
        self.raw.set_row(top, LINE_POINTS * _header_lines(columns) + 6)
        block = block_at(self.name, top, columns, len(rows), at)
        place = block.columns
        for column in columns:
            right = column.style.split(":")[0] not in ("text", "tick")
            self.raw.write_string(top, place[column.key], column.header, self.book.format(f"header{'_right' * right}"))
        names = {key: xl_col_to_name(c) for key, c in place.items()}
        for k, record in enumerate(rows):
            row = top + 1 + k
            lines = _lines_needed(columns, record)
            if lines > 1:
                self.raw.set_row(row, LINE_POINTS * lines + 2)
            address = {key: f"{letters}{row + 1}" for key, letters in names.items()}
            for column in columns:
                value = record.get(column.key)
                if isinstance(value, Live):
                    value = Live(value.formula.format(**address), value.value)
                self.put(row, place[column.key], value, column.style)
        if not rows:
            self.put(top + 1, at, empty, "empty")
        if filters and len(rows) > 1:
            self.raw.autofilter(top, at, top + len(rows), at + len(columns) - 1)
        if any(column.total for column in columns) and rows:
            self._totals(block, columns, rows)
        return block

    def _totals(self, block: Block, columns: Sequence[Column], rows: Sequence[Mapping[str, Value]]) -> None:
        for k, column in enumerate(columns):
            style = column.style.split(":")[0] + ":bold"
            if column.total:
                value = math.fsum(plain_number(record.get(column.key)) for record in rows)
                formula = f"=SUM({block.range(column.key, local=True)})"
                self.put(block.total_row, block.columns[column.key], Live(formula, value), style)
            else:
                self.put(block.total_row, block.columns[column.key], "Total" if k == 0 else None, "text:bold")

    def printed(
        self,
        last_row: int,
        last_column: int,
        *,
        repeat: int | None = None,
        freeze: tuple[int, int] | None = None,
        portrait: bool = False,
        pages: int = 0,
        scale: int | None = None,
        areas: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Set the print area, page, repeated header row, footer and frozen panes.

        pages : that it is scaled down to; 0: as many as it takes.
        areas : first and last rows of several print areas, each of which begins a page; none: one area.
        """
        raw = self.raw
        raw.set_paper(9)  # A4
        raw.set_portrait() if portrait else raw.set_landscape()
        raw.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        if scale is None:
            raw.fit_to_pages(1, pages)
        else:
            raw.set_print_scale(scale)
        if len(areas) > 1:
            ranges = (xl_range_abs(first, 0, last, last_column) for first, last in areas)
            told = ",".join(f"'{self.name}'!{cells}" for cells in ranges)
            self.book.raw.define_name(f"'{self.name}'!_xlnm.Print_Area", f"={told}")
        else:
            raw.print_area(0, 0, last_row, last_column)
        raw.set_footer(f'&L&8&"{FONT}"{footer_text(self.book.plan_name, 80)}&C&8&A&R&8Page &P of &N')
        raw.hide_gridlines(2)
        if repeat is not None:
            raw.repeat_rows(repeat)
        if freeze is not None:
            raw.freeze_panes(*freeze)


def _aligned(column: Column, rows: Sequence[Mapping[str, Value]]) -> Column:
    """Give every price of a column as many decimals as the one that needs most."""
    name, *extras = column.style.split(":")
    if name != "price":
        return column
    most = PRICE_DECIMALS[-1]
    shown = (f"{plain_number(row.get(column.key)):.{most}f}".rstrip("0") for row in rows)
    needed = max((len(text) - text.index(".") - 1 for text in shown), default=0)
    return replace(column, style=":".join([f"{name}{max(needed, PRICE_DECIMALS[0])}", *extras]))


_PAGE_ROWS, _PAGE_WIDTH = 31, 140  # rows of a landscape page of so many characters across; wider ones are scaled


def print_areas(
    blocks: Sequence[tuple[int, int]], width: float, more: Sequence[int] | None = None
) -> list[tuple[int, int]]:
    """Join blocks (first and last row, from top to bottom) into print areas, so that no page cuts one that fits on it.

    ``width`` : of the sheet, in characters. ``more`` : lines of each block beyond one a row.
    """
    most = int(_PAGE_ROWS * max(1.0, width / _PAGE_WIDTH))
    areas: list[tuple[int, int]] = []
    lines = 0
    for k, (first, last) in enumerate(blocks):
        own = last - first + 2 + (more[k] if more else 0)  # with a blank row
        lines = lines + own if areas and lines + own <= most else own
        if lines > own:
            areas[-1] = (areas[-1][0], last)
        else:
            areas.append((first, last))
    return areas


@dataclass(frozen=True)
class Book:
    """A workbook in writing; `formats` remembers each style made so far."""

    raw: Any  # xlsxwriter's workbook
    plan_name: str
    sheets: dict[str, Sheet] = field(default_factory=dict)
    formats: dict[str, Any] = field(default_factory=dict)

    def format(self, style: str) -> Any:
        """XlsxWriter's format of a style of the theme."""
        if style not in self.formats:
            self.formats[style] = self.raw.add_format(properties(style))
        return self.formats[style]

    def add_sheet(self, name: str, colour: str | None = None) -> Sheet:
        """Append a sheet; the order of calls is the reading order."""
        sheet = Sheet(self, name, self.raw.add_worksheet(name))
        sheet.raw.set_default_row(15)
        if colour is not None:
            sheet.raw.set_tab_color(colour)
        self.sheets[name] = sheet
        return sheet

    def close(self) -> None:
        """Write the file; raises OSError where the disk is full."""
        with told_as_os_error():
            self.raw.close()

    def chart(self, kind: str, subtype: str | None = None) -> Any:
        """Return a chart in the theme's look (add series and titles, then insert it)."""
        chart = self.raw.add_chart({"type": kind, **({"subtype": subtype} if subtype else {})})
        chart.set_chartarea({"border": {"none": True}, "fill": {"color": "#FFFFFF"}})
        chart.set_plotarea({"border": {"none": True}})
        chart.set_legend({"position": "bottom", "font": chart_font()})
        return chart


def chart_font(**more: Any) -> dict[str, Any]:
    """Font of a chart's texts."""
    return {"name": FONT, "size": 9, "color": MUTED, **more}


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Chart axis in the theme's look."""
    return {
        "name": title,
        "name_font": chart_font(bold=False),
        "num_font": chart_font(),
        "line": {"color": RULE},
        "major_gridlines": {"visible": False},
        **more,
    }


def grid(title: str, **more: Any) -> dict[str, Any]:
    """Return a chart axis with light grid lines."""
    return axis(title, **{"major_gridlines": {"visible": True, "line": {"color": RULE, "width": 0.5}}, **more})


def chart_title(text: str) -> dict[str, Any]:
    """Title of a chart. Only fixed texts: Excel would read a title that starts with = as a formula."""
    return {"name": text, "name_font": {"name": FONT, "size": 11, "bold": True, "color": INK}, "overlay": False}


def _header_lines(columns: Sequence[Column]) -> int:
    """Lines of the highest header of a table."""
    return max(sum(lines_of(line, c.width / _WIDTH_OF_BOLD) for line in c.header.split("\n")) for c in columns)


def _lines_needed(columns: Sequence[Column], record: Mapping[str, Value]) -> int:
    """Lines that the longest wrapped text of a row takes, at most as many as a row may be high."""
    wrapped = [
        column for column in columns if column.style.endswith(":wrap") and isinstance(record.get(column.key), str)
    ]
    needed = [lines_of(str(record[c.key]), (c.width - _INDENT) / _WIDTH_OF_LETTER) for c in wrapped]
    return min(max(needed, default=1), _MOST_LINES)


def plain_number(value: Value) -> float:
    """Return the number a cell holds, 0 for blanks and text: what SUM counts."""
    found = value.value if isinstance(value, Live) else value
    return (
        float(found)
        if isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found)
        else 0.0
    )


def new_book(path: str, plan_name: str, created: dt.date, subject: str, keywords: str) -> Book:
    """Start a workbook whose bytes depend on its content only: the date of creation is given, not read from a clock."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
        "in_memory": True,
        # widths of columns are counted in digits of this font: one that has the same widths on every machine
        "default_format_properties": {"font_name": FONT, "font_size": 10},
    }
    raw = xlsxwriter.Workbook(path, options)
    raw.set_properties({
        "title": clean(plan_name, LONGEST_TITLE),
        "subject": clean(subject, 250),
        "author": "planner",
        "keywords": clean(keywords, 250),
        "created": dt.datetime(created.year, created.month, created.day),
    })  # fmt: skip
    raw.set_size(24_000, 14_000)
    return Book(raw, plan_name)


@dataclass(frozen=True)
class Recomputed:
    """A total of the plan as a sheet shows it: what it is, where it stands, its formula, its value, what the plan says.

    `formula` has no equals sign; `value` and `plan` are US dollars.
    """

    what: str
    where: str
    formula: str
    value: float
    plan: float


@dataclass(frozen=True)
class ExtraSheet:
    """A sheet that a feature adds to the plan's workbook, or puts in the place of the core's sheet of the same name.

    behind : the sheet that it follows in reading order. fill : writes it, and returns what the audit recomputes.
    """

    name: str
    colour: str
    behind: str
    fill: Callable[[Sheet, Report], Sequence[Recomputed]]
