"""Tables of many columns on the terminal: names are cut, figures never."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from planner.workbook.text import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH = 120
_LONGEST = 200  # characters of a cell


def wide_console(stream: IO[str]) -> Console:
    """Open a console on a stream that is wide enough, whatever the terminal says; plain text in a pipe."""
    from rich.console import Console

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    console.width = max(console.width, _WIDTH) if console.is_terminal else _WIDTH
    return console


def wide_table(*headers: str, left: int, widest: int) -> Table:
    """Plain table whose first `left` columns are names of at most `widest` characters, and the rest numbers."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for k, header in enumerate(headers):
        table.add_column(header, justify="left" if k < left else "right", overflow="ellipsis", no_wrap=True,
                         max_width=widest if k < left else None)  # fmt: skip
    return table


def add_row(table: Table, *values: str) -> None:
    """Add a row of cells, as they are."""
    from rich.text import Text

    table.add_row(*(Text(clean(value, _LONGEST)) for value in values))
