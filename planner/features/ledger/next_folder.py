"""The next planning folder as it stands: the tables that commitments need, and how rows written for a plan name it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from planner.errors import Fault, InputError
from planner.readers.csv_files import read_small
from planner.readers.rows import read_rows
from planner.readers.settings import SETTINGS_FILE, read_settings, read_yaml
from planner.schema.base import Row
from planner.schema.capacity import Commitment, Offer, Pool, Throughput
from planner.schema.places import Model, Region
from planner.schema.settings import PlanSettings

TABLES: tuple[tuple[str, type[Row]], ...] = (
    ("regions", Region), ("models", Model), ("pools", Pool), ("throughput", Throughput), ("offers", Offer),
    ("commitments", Commitment),
)  # fmt: skip
_WRITTEN = re.compile("planner accept: (plan [0-9a-f]{16})")
AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True)
class Signed:
    """How the rows that are added name the plan they come from."""

    plan_name: str
    plan_sha256: str
    input_sha256: str
    date: str

    @property
    def source(self) -> str:
        """Text of the column `source`."""
        return f"planner accept: {self.mark} of input {self.input_sha256[:16]} ({self.plan_name})"

    @property
    def mark(self) -> str:
        """What tells the rows of this plan from those of others."""
        return f"plan {self.plan_sha256[:16]}"

    def same_input(self, row: Row) -> bool:
        """Whether a row was written for another plan of the same input."""
        told = row.source or ""
        return f"of input {self.input_sha256[:16]} " in told and self.mark not in told


@dataclass(frozen=True)
class NextFolder:
    """The tables of the next folder that commitments need, as they stand."""

    folder: Path
    settings: PlanSettings
    tables: dict[str, list[tuple[int, Row]]]

    def of(self, table: str, kind: type[AnyRow]) -> list[AnyRow]:
        """Rows of a table."""
        return [row for _, row in self.tables[table] if isinstance(row, kind)]


def read_next(folder: Path) -> NextFolder:
    """Read the tables of the next folder that commitments need; other tables may still be missing.

    Raises
    ------
    InputError : it is no planning folder, or these tables have faults.
    """
    if folder.suffix.lower() in (".xlsx", ".xlsm"):
        message = ("is a workbook, and accept adds rows to the CSV tables of a folder only: accept without --into, and "
                   "copy the rows of PLAN_DIR/commitments.csv into the workbook's sheet commitments")  # fmt: skip
        raise InputError([Fault(str(folder), message)])
    if not folder.is_dir():
        raise InputError([Fault(str(folder), "there is no such folder; make the next planning folder first")])
    if not (folder / SETTINGS_FILE).exists():
        message = "is missing: it says which months come next; make the next planning folder first"
        raise InputError([Fault(str(folder / SETTINGS_FILE), message)])
    raw, faults = read_yaml(folder / SETTINGS_FILE)
    settings, found = read_settings(raw)
    faults += found
    tables: dict[str, list[tuple[int, Row]]] = {}
    for name, _ in TABLES:
        path = folder / f"{name}.csv"
        tables[name] = []
        if path.exists():
            try:
                table, found = read_small(path)
                tables[name], more = read_rows(table)
                faults += [*found, *more]
            except InputError as error:
                faults += error.faults
    if faults or settings is None:
        raise InputError([Fault(f"{folder}/{f.place}", f.message, f.row, f.column, f.value, f.allowed) for f in faults])
    return NextFolder(folder, settings, tables)


def mark_of(c: Commitment) -> str:
    """Name the plan that a row was written for; blank: it was typed in."""
    found = _WRITTEN.match(c.source or "")
    return found[1] if found else ""
