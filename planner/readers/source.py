"""What a file or sheet holds before anything is believed: text cells with their place."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from planner.errors import Fault

FIRST_ROW = 2  # of a table, as an editor counts: row 1 is the header


@dataclass(frozen=True)
class Source:
    """Where a table was read: its name, the file or sheet, and the header as found (stripped; blank cells kept)."""

    table: str
    place: str  # "mix.csv", or the sheet "mix"
    header: tuple[str, ...]
    sheet: bool = False

    def fault(
        self,
        message: str,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        allowed: str | None = None,
    ) -> Fault:
        """Say what is wrong, and where: ``mix.csv, row 3, column model``; in a workbook ``mix!B3, column model``."""
        if not self.sheet:
            return Fault(self.place, message, row, column, value, allowed)
        if row is not None and column in self.header:
            cell = f"{self.place}!{letters(self.header.index(column))}{row}"
            return Fault(cell, message, None, column, value, allowed)
        return Fault(f"sheet {self.place}", message, row, column, value, allowed)


@dataclass(frozen=True)
class RawTable:
    """A table as text: for each row that is not blank, its number and its filled cells by column."""

    source: Source
    rows: tuple[tuple[int, dict[str, str]], ...]


@dataclass(frozen=True)
class RawDemand:
    """Demand as found: a column of categories of text for each column present, the index being the row number.

    ``requests_per_hour`` may be float64 already, where every cell of it is a finite number.
    """

    source: Source
    frame: pd.DataFrame


@dataclass(frozen=True)
class RawSettings:
    """plan.yaml or the sheet `plan`: dotted key to text (blank ones left out), and the row of each."""

    source: Source
    values: dict[str, str]
    rows: dict[str, int]

    def fault(self, message: str, key: str, value: object = None, allowed: str | None = None) -> Fault:
        """Say what is wrong with a key."""
        place = f"sheet {self.source.place}" if self.source.sheet else self.source.place
        return Fault(place, message, self.rows.get(key), key, value, allowed)


@dataclass(frozen=True)
class Raw:
    """Everything that was found; what could not be read at all is in `faults`."""

    settings: RawSettings | None
    tables: Mapping[str, RawTable]
    demand: RawDemand | None
    faults: tuple[Fault, ...] = ()
    unreadable: frozenset[str] = field(default_factory=frozenset)  # tables that are there but could not be read


def letters(index: int) -> str:
    """Name a spreadsheet column: 0 is A, 26 is AA."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
