"""Cells: a worksheet of XlsxWriter that takes and writes its cells several times as fast, for workbooks of 100,000.

XlsxWriter checks each cell more than once and builds it from a list of attributes. Here cells go into its table as they
are, and a row is written in one go. All else, from merged cells to charts, stays XlsxWriter's. Formulas are written as
they stand: none of ours is of the kind that needs a prefix in the file.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import CellBlankTuple, CellFormulaTuple, CellNumberTuple, CellStringTuple, Worksheet


class Cells(Worksheet):  # type: ignore[misc]
    """A worksheet; a `look` is a format of XlsxWriter."""

    def keep_blank(self, row: int, column: int, look: Any) -> None:
        """Keep a cell that only has a look."""
        self.table[row][column] = CellBlankTuple(look)

    def keep_number(self, row: int, column: int, value: float, look: Any) -> None:
        """Keep a finite number."""
        self.table[row][column] = CellNumberTuple(value, look)

    def keep_numbers(self, row: int, column: int, values: Iterable[float], look: Any) -> None:
        """Keep finite numbers side by side."""
        self.table[row].update({k: CellNumberTuple(value, look) for k, value in enumerate(values, column)})

    def keep_down(self, row: int, column: int, values: Iterable[float]) -> None:
        """Keep finite numbers one under the other; zeros stay blank, which formulas read as 0."""
        for k, value in enumerate(values, row):
            if value:
                self.table[k][column] = CellNumberTuple(value, None)

    def keep_text(self, row: int, column: int, text: str, look: Any) -> None:
        """Keep text that XML can hold."""
        self.table[row][column] = CellStringTuple(self.str_table._get_shared_string_index(text), look)

    def keep_day(self, row: int, column: int, day: dt.date, look: Any) -> None:
        """Keep a day."""
        self.keep_number(row, column, self._convert_date_time(dt.datetime(day.year, day.month, day.day)), look)

    def keep_formula(self, row: int, column: int, formula: str, value: float | str, look: Any) -> None:
        """Keep a formula and the value that it has."""
        self.table[row][column] = CellFormulaTuple(formula.removeprefix("="), look, value)

    def _assemble_xml_file(self) -> None:
        """Measure the table, which XlsxWriter does as it takes each cell, and write the sheet."""
        for row, cells in self.table.items():
            if cells and any(self._check_dimensions(row, column) for column in (min(cells), max(cells))):
                raise ValueError(f"the sheet {self.name} has more rows or columns than a sheet can hold")
        super()._assemble_xml_file()

    def _write_rows(self) -> None:
        """Write every row."""
        names = [xl_col_to_name(column) for column in range(self.dim_colmax + 1)]
        looks = {None: ""}
        for row in sorted({*self.table, *self.row_info, *self.comments}):
            cells, info = self.table.get(row), self.row_info.get(row)
            if cells:
                self._write_row(row, None, info)
                self._write_cells(row, sorted(cells.items()), names, looks)
                self._xml_end_tag("row")
            elif info is not None or row in self.comments:
                self._write_empty_row(row, None, info)

    def _write_cells(self, row: int, cells: list[tuple[int, Any]], names: list[str], looks: dict[Any, str]) -> None:
        """Write the cells of a row; `looks` remembers the attribute of each look."""
        number, line = row + 1, list[str]()
        for column, cell in cells:
            kind = cell.__class__
            if kind not in (CellNumberTuple, CellStringTuple, CellFormulaTuple, CellBlankTuple):
                self.fh.write("".join(line))
                line.clear()
                self._write_cell(row, column, cell)
                continue
            look = looks.get(cell.format)
            if look is None:
                look = looks[cell.format] = f' s="{cell.format._get_xf_index()}"'
            if kind is CellNumberTuple:
                line.append(f'<c r="{names[column]}{number}"{look}><v>{cell.number:.16G}</v></c>')
            elif kind is CellStringTuple:
                line.append(f'<c r="{names[column]}{number}"{look} t="s"><v>{cell.string}</v></c>')
            elif kind is CellFormulaTuple:
                text = ' t="str"' if cell.value.__class__ is str and cell.value else ""
                formula, value = _escaped(cell.formula), _escaped(str(cell.value))
                line.append(f'<c r="{names[column]}{number}"{look}{text}><f>{formula}</f><v>{value}</v></c>')
            else:
                line.append(f'<c r="{names[column]}{number}"{look}/>')
        self.fh.write("".join(line))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
