"""Tables and text on a terminal or in a pipe: names may be folded, figures and dates are never cut.

Where a table is wider than the terminal, headers break at words first, then names fold; where even that does not fit,
each row becomes a short list. A pipe has no width: a table is as wide as its figures and names, and only words fold.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from planner.io.shown import below, printable

LONGEST_CELL = 32_767  # characters Excel takes in a cell
_NAME = 22  # characters: a longer name of a region is wrapped
_SPACES = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")


def clean(text: object, longest: int = LONGEST_CELL) -> str:
    """Return `text` with control characters as escapes, line breaks as spaces, cut with an ellipsis at `longest`.

    What XML forbids and what turns the direction of text is among them: no part of a name is dropped.
    """
    safe = str(text)
    if not (safe.isascii() and safe.isprintable()):
        safe = printable(_SPACES.sub(" ", safe))
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def footer_text(text: object, longest: int = 120) -> str:
    """Return `text` for a page footer, where & starts a command and 255 characters are the limit for everything."""
    return clean(text, longest).replace("&", "&&")


def width_of(text: str) -> int:
    """Columns that `text` takes: wide characters (CJK, most emoji) count twice, combining marks not at all."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def usd(value: float, digits: int = 0) -> str:
    """Dollars for people: ``usd(-1234.5) == '-$1,234'``; cents below 100 dollars, where they matter."""
    if digits == 0 and 0 < abs(value) < 100:
        digits = 2
    sign = "-" if round(value, digits) < 0 else ""
    return f"{sign}${abs(value):,.{digits}f}"


def task_usd(value: float) -> str:
    """Show the cost of a task to four significant digits: it may be cents or thousands."""
    return "–" if value != value else f"{'-' if value < 0 else ''}${four_digits(abs(value))}"


def four_digits(value: float) -> str:
    """Return a number to four significant digits or to the whole, never with an exponent: ``'0.00004011'``."""
    places = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text


def percent(share: float, digits: int = 1) -> str:
    """Return a share (0-1) as percent; a dash where there is nothing to divide by."""
    return "–" if math.isnan(share) else f"{round(share * 100, digits) + 0.0:,.{digits}f} %"  # never -0.0 %


def name_width(names: Iterable[str], least: float, spare: float = 3.0) -> float:
    """Width of a column in which names of up to 22 characters do not break in the middle, at least ``least``."""
    return max(least, min(_NAME, max((len(name) for name in names), default=0)) + spare)


def amount(value: float) -> str:
    """Return a number with the decimals it needs: ``amount(15.0) == '15'``, ``amount(1234.56) == '1,234.6'``."""
    if math.isclose(value, round(value), rel_tol=0, abs_tol=5e-7):
        return f"{round(value):,}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.3g}"


def joined(names: list[str], most: int = 4) -> str:
    """List names for a sentence: the first few, then how many more."""
    shown = [clean(name, 160) for name in names[:most]]
    rest = len(names) - len(shown)
    if rest:
        return ", ".join(shown) + f" and {rest} more"
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else "none"


if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod, RenderableType
    from rich.table import Table

PIPE_WIDTH, WIDEST = 100, 120  # columns that sentences run over: in a pipe, and at most on a terminal
LOST = "red"  # style of what is broken or lost
_GAP = 2
_NARROWEST = 8  # columns of a name that is folded
_LONGEST = 2_000  # characters of a cell
_PROSE = 60  # columns that words run over in a pipe, which has no width
_BREAKS = " -_/,;:"  # a name is folded after one of these
_PIECES = re.compile(rf"[^{re.escape(_BREAKS)}]+[{re.escape(_BREAKS)}]?")


@dataclass(frozen=True)
class Styled:
    """Text of a cell with a style of rich, such as LOST."""

    text: str
    style: str


Cell = str | Styled


@dataclass
class TextTable:
    """A table in the making: `left` first columns are names, and those at the positions `words` stand left as well.

    All other columns are figures: to the right, and never cut.
    """

    heads: tuple[str, ...]
    left: int = 1
    words: tuple[int, ...] = ()
    caption: str = ""
    rows: list[tuple[tuple[Cell, ...], str]] = field(default_factory=list)

    def add(self, *cells: Cell, style: str = "") -> None:
        """Add a row, one cell a column."""
        if len(cells) != len(self.heads):
            raise ValueError(f"{len(cells)} cells for {len(self.heads)} columns")
        self.rows.append((cells, style))

    def print(self, console: Console) -> None:
        """Print it as the stream allows."""
        widths = self._widths(console.width if console.is_terminal else None)
        if widths is None:
            self._print_as_lists(console)
        else:
            usual = console.width
            console.width = max(usual, sum(widths) + _GAP * len(widths))
            console.print(self._table(widths))
            console.width = usual

    def _is_left(self, column: int) -> bool:
        return column < self.left or column in self.words

    def _may_fold(self, column: int) -> bool:
        """Whether cells may run over several lines: names, and words of more than one; never a date."""
        return column < self.left or (column in self.words and any(" " in _text(row[column]) for row, _ in self.rows))

    def _widths(self, most: int | None) -> list[int] | None:
        """Width of each column in `most` columns of a terminal (None: as wide as needed); None where nothing fits."""
        cells = [[width_of(_text(row[k])) for row, _ in self.rows] for k in range(len(self.heads))]
        lines = [head.split("\n") for head in self.heads]
        widths = [max([*own, *(width_of(line) for line in head)]) for own, head in zip(cells, lines, strict=True)]
        if most is None:
            return [min(w, _PROSE) if k in self.words and self._may_fold(k) else w for k, w in enumerate(widths)]
        room = _room(widths, most)
        if room >= 0:
            return widths
        least = [max([*own, _longest_word(head)]) for own, head in zip(cells, self.heads, strict=True)]
        while room < 0:
            wide = [k for k in range(len(widths)) if widths[k] > least[k]]
            if not wide:
                break
            widths[max(wide, key=lambda k: widths[k] - least[k])] -= 1
            room += 1
        for floor in (self._longest_words(), [max(_NARROWEST, _longest_word(head)) for head in self.heads]):
            while room < 0:
                names = [k for k in range(len(widths)) if self._may_fold(k) and widths[k] > floor[k]]
                if not names:
                    break
                widths[max(names, key=lambda k: widths[k])] -= 1
                room += 1
        return widths if room >= 0 else None

    def _longest_words(self) -> list[int]:
        """Width of the longest piece of each column that is not to be broken, if that can be."""
        columns = [[head, *(_text(row[k]) for row, _ in self.rows)] for k, head in enumerate(self.heads)]
        return [max(map(_longest_word, texts)) for texts in columns]

    def _table(self, widths: Sequence[int]) -> Table:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, padding=(0, _GAP - 1, 0, 0), pad_edge=False, show_edge=False,
                      header_style="bold", caption=self.caption or None, caption_justify="left")  # fmt: skip
        for k, (head, width) in enumerate(zip(self.heads, widths, strict=True)):
            justify: JustifyMethod = "left" if self._is_left(k) else "right"
            table.add_column(_folded_lines(head, width), justify=justify, overflow="fold", width=width)
        for cells, style in self.rows:
            shown = (Text(_folded(_text(c), w), style=_style(c)) for c, w in zip(cells, widths, strict=True))
            table.add_row(*shown, style=style or None)
        return table

    def _print_as_lists(self, console: Console) -> None:
        """Print each row as a list: its first cell, then a line a column."""
        from rich.text import Text

        heads = [head.replace("\n", " ") for head in self.heads]
        named = max(1, self.left)
        wide = max(map(width_of, heads[named:]), default=0)
        for cells, style in self.rows:
            console.print(Text(" · ".join(_text(cell) for cell in cells[:named]), style=style or "bold"))
            for head, cell in zip(heads[named:], cells[named:], strict=True):
                if _text(cell):
                    console.print(Text(f"  {head}{' ' * (wide - width_of(head))}  {_text(cell)}", style=_style(cell)))
        if self.caption:
            console.print(self.caption, style="dim")


def _folded(text: str, width: int) -> str:
    """Break a name that is too long into lines: after a space, a dash or the like where there is one."""
    lines = []
    while width_of(text) > width:
        space = text.rfind(" ", width // 2, width + 1) + 1  # between words first, then within a name
        at = space or next((k for k in range(width, 0, -1) if text[k - 1] in _BREAKS), width)
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return "\n".join([*lines, text])


def lines_of(text: str, width: float) -> int:
    """Count the lines that a text takes in a column: it breaks where a word ends, and within one that is too long."""
    lines, used = 1, 0.0
    for piece in _PIECES.findall(text):
        wide = width_of(piece)
        if used and used + width_of(piece.rstrip()) > width:
            lines, used = lines + 1, 0.0
        if wide > width:
            lines += math.ceil(wide / width) - 1
            wide = round(wide % width)
        used += wide
    return lines


def _longest_word(text: str) -> int:
    """Width of the longest piece of a text that is not to be broken."""
    return max((width_of(piece.rstrip()) for piece in _PIECES.findall(text)), default=0)


def _folded_lines(text: str, width: int) -> str:
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _room(widths: Sequence[int], most: int | None) -> int:
    """Columns that are left over."""
    return 0 if most is None else most - sum(widths) - _GAP * (len(widths) - 1)


def _text(cell: Cell) -> str:
    return clean(cell.text if isinstance(cell, Styled) else cell, _LONGEST)


def _style(cell: Cell) -> str:
    return cell.style if isinstance(cell, Styled) else ""


def console_for(stream: IO[str]) -> Console:
    """Open a console on a stream: as wide as the terminal, up to a limit; plain text in a pipe."""
    from rich.console import Console  # rich is slow to import

    console = Console(
        file=below(stream) if stream.isatty() else stream, highlight=False, markup=False, emoji=False, soft_wrap=False
    )
    console.width = min(console.width, WIDEST) if console.is_terminal else PIPE_WIDTH
    return console


def show(console: Console, part: TextTable | RenderableType) -> None:
    """Print a table or text."""
    if isinstance(part, TextTable):
        part.print(console)
    else:
        console.print(part)


def bold(text: str) -> RenderableType:
    """Text in bold, as it is: a name may look like markup."""
    from rich.text import Text

    return Text(text, style="bold")
