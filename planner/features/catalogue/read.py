"""Read the catalogue's tables: every fault of them at once."""

import csv
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planner.errors import Fault, InputError
from planner.features.catalogue.published import ROWS, Catalogue, Published


def read_catalogue(folder: Path) -> Catalogue:
    """Read a folder of catalogue tables.

    Raises
    ------
    InputError
        with every fault: a missing table, an unknown column, a value that is not allowed.
    """
    faults: list[Fault] = []
    tables: dict[str, Any] = {name: _rows(folder, name, faults) for name in ROWS}
    if faults:
        raise InputError(faults)
    return Catalogue(**tables)


def _rows(folder: Path, name: str, faults: list[Fault]) -> tuple[Published, ...]:
    path, row_type, found = folder / f"{name}.csv", ROWS[name], []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for line, cells in enumerate(csv.DictReader(file), start=2):
                if None in cells or None in cells.values():
                    faults.append(Fault(path.name, "has more or fewer cells than the header", row=line))
                    continue
                try:
                    found.append(row_type(**cells))
                except ValidationError as error:
                    faults += [
                        Fault(path.name, e["msg"], row=line, column=".".join(map(str, e["loc"])), value=e["input"])
                        for e in error.errors()
                    ]
    except FileNotFoundError:
        faults.append(Fault(str(path), "is missing; a catalogue has the tables " + ", ".join(ROWS)))
    except (UnicodeDecodeError, csv.Error) as error:
        faults.append(Fault(path.name, f"is not a CSV table: {error}"))
    return tuple(found)
