"""A planning folder: plan.yaml and one CSV file per table."""

from pathlib import Path

from planner.errors import Fault, InputError
from planner.readers import csv_files
from planner.readers.demand_csv import read_demand_csv
from planner.readers.settings import SETTINGS_FILE, read_yaml
from planner.readers.source import Raw, RawDemand, RawSettings, RawTable
from planner.schema.names import nearest
from planner.schema.tables import TABLE, TABLES

RESERVED = frozenset({"events"})  # tables of other commands that may lie in the same folder


def read_folder(folder: Path) -> Raw:
    """Read every table of a folder as text; what cannot be read becomes a fault."""
    faults = _unknown_files(folder)
    settings: RawSettings | None = None
    tables: dict[str, RawTable] = {}
    demand: RawDemand | None = None
    unreadable: set[str] = set()
    try:
        settings, found = read_yaml(_existing(folder, SETTINGS_FILE))
        faults += found
    except InputError as error:
        faults += error.faults
    except OSError as error:
        faults.append(Fault(SETTINGS_FILE, f"cannot be read: {error.strerror}"))
    for table in TABLES:
        path = folder / f"{table.name}.csv"
        try:
            if table.name == "demand":
                demand, found = _read_demand(folder)
            elif path.exists() or path.is_symlink():
                tables[table.name], found = csv_files.read_small(path)
            elif table.required:
                found = [Fault(path.name, "the file is missing; a plan needs it")]
            else:
                found = []
            faults += found
        except InputError as error:
            faults += error.faults
            unreadable.add(table.name)
        except OSError as error:
            faults.append(Fault(path.name, f"cannot be read: {error.strerror}"))
            unreadable.add(table.name)
    return Raw(settings, tables, demand, tuple(faults), frozenset(unreadable))


def _read_demand(folder: Path) -> tuple[RawDemand, list[Fault]]:
    """Read demand.csv or demand.parquet."""
    text, columns = folder / "demand.csv", folder / "demand.parquet"
    if not columns.exists():
        return read_demand_csv(_existing(folder, text.name))
    if text.exists():
        raise InputError([Fault(columns.name, "demand.csv is there too; keep one of them")])
    from planner.readers.demand_parquet import read_demand_parquet

    return read_demand_parquet(columns)


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists():
        raise InputError([Fault(name, "the file is missing; a plan needs it")])
    return path


def _unknown_files(folder: Path) -> list[Fault]:
    """Tables that nobody would read: a misspelt name must not make a table silently empty."""
    faults = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~")):
            continue
        if path.suffix.lower() == ".csv" and (path.stem not in TABLE or path.suffix != ".csv"):
            if path.stem not in RESERVED:
                faults.append(Fault(path.name, f"there is no such table{nearest(path.stem, TABLE)}"))
        elif path.suffix.lower() == ".parquet" and path.name != "demand.parquet":
            faults.append(Fault(path.name, "only demand may be a Parquet file, demand.parquet"))
        elif path.suffix.lower() in (".yaml", ".yml") and path.name != SETTINGS_FILE:
            faults.append(Fault(path.name, f"the settings are read from {SETTINGS_FILE}; rename or move this file"))
    return faults
