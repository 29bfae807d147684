"""The ledger of signed plans as a table on a terminal or in a pipe."""

import sys
from collections.abc import Sequence

HEADERS = ("No.", "Date", "By", "Plan", "Months", "Lines", "Whole terms", "Plan costs", "Hash", "Files")
_RIGHT = {"No.", "Lines", "Whole terms", "Plan costs"}
_NARROWEST = 160  # in a pipe


def print_ledger(rows: Sequence[Sequence[str]]) -> None:
    """Print a row for each entry: values in the order of HEADERS; no rows, no table."""
    if not rows:
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from planner.workbook.text import clean

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for header in HEADERS:
        table.add_column(header, justify="right" if header in _RIGHT else "left", overflow="fold",
                         max_width=24 if header in ("By", "Plan") else None)  # fmt: skip
    for row in rows:
        table.add_row(*(Text(clean(value, 200)) for value in row))  # never markup: a name may look like it
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _NARROWEST
    console.print(table)
