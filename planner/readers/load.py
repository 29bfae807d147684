"""A planning folder or workbook -> Case, or every fault of it at once."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError, nearest
from planner.io.together import read_settled
from planner.readers import csv_files
from planner.readers.demand import KnownNames, read_demand
from planner.readers.demand_files import read_demand_csv, read_demand_parquet
from planner.readers.local_demand import in_utc, is_local, read_local
from planner.readers.raw_tables import Raw, RawDemand, RawSettings, RawTable, capped, read_rows
from planner.readers.rules import Tables, contract_faults, known_names, reference_faults, rule_faults, unserved
from planner.readers.settings_file import SETTINGS_FILE, SETTINGS_SHEET, read_settings, read_yaml
from planner.schema.base import Row
from planner.schema.case import BASE_SCENARIO, TABLE, TABLES, Case, Table
from planner.schema.settings import PlanSettings
from planner.schema.workloads import Scenario

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
        path = _existing(folder, text.name)
        if is_local(csv_files.header(path)):
            return read_local(path.name, csv_files.read_rows(path))
        return read_demand_csv(path)
    if text.exists():
        raise InputError([Fault(columns.name, "demand.csv is there too; keep one of them")])
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


WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")


def load(path: str | Path) -> Case:
    """Read a planning folder, or a workbook with the same tables as sheets.

    Parameters
    ----------
    path : folder with plan.yaml and CSV tables, or an .xlsx file.

    Returns
    -------
    The case in canonical order: rows of each table sorted by key, demand spread over scenarios and periods, sorted,
    without rows of zero. The same tables give an equal case whatever their order, number format or container.

    Raises
    ------
    InputError
        with all faults: file or sheet, row, column, value, what is allowed.
    """
    raw = _read(Path(path))
    faults = list(raw.faults)
    settings = None
    if raw.settings is not None:
        settings, found = read_settings(raw.settings)
        faults += found
    rows: dict[str, list[tuple[int, Row]]] = {}
    for name, table in raw.tables.items():
        rows[name], found = read_rows(table)
        faults += found
        if TABLE[name].required and not table.rows:
            faults.append(table.source.fault("has no rows; a plan needs at least one"))
    faults += reference_faults(raw)
    sources = {name: table.source for name, table in raw.tables.items()}
    absent = {table.name for table in TABLES if table.required and table.name not in rows}
    cuts = (settings.horizon.cuts or ()) if settings is not None else ()
    faults += rule_faults(Tables(rows, sources, raw.unreadable | absent | set(map(_table_of, faults)), cuts))
    faults += contract_faults(raw, None if settings is None else [p.name for p in settings.horizon.periods])
    faults, demand = capped(faults), None
    if raw.demand is not None:
        told, found = _in_utc(raw, raw.demand, settings)
        faults += found
        if not found:
            demand, found = read_demand(told, _names(raw, settings))
            faults += found
    if faults or settings is None or demand is None:
        raise InputError(_in_order(faults))
    canonical: dict[str, Any] = {table.name: _sorted(table, rows.get(table.name, [])) for table in TABLES}
    canonical["scenarios"] = canonical["scenarios"] or (Scenario(scenario=BASE_SCENARIO, probability=1.0),)
    case = Case(**(canonical | {"settings": settings, "demand": demand}))
    if unserved_faults := unserved(case, sources):
        raise InputError(capped(unserved_faults))
    return case


def _in_utc(raw: Raw, demand: RawDemand, settings: PlanSettings | None) -> tuple[RawDemand, list[Fault]]:
    """Turn demand of local hours into UTC; any other stays as it is."""
    if not demand.local:
        return demand, []
    regions = raw.tables["regions"].rows if "regions" in raw.tables else ()
    zones = {row["region"]: row.get("time_zone") for _, row in regions if "region" in row}
    return in_utc(demand, zones, () if settings is None else settings.horizon.periods)


def _names(raw: Raw, settings: PlanSettings | None) -> KnownNames:
    """Gather the names that demand may use."""
    periods = None
    if settings is not None:
        periods = [period.name for period in settings.horizon.periods]
    return KnownNames(
        region=known_names(raw, "regions", "region"),
        workload=known_names(raw, "workloads", "workload"),
        scenario=known_names(raw, "scenarios", "scenario"),
        period=periods,
    )


def _read(path: Path) -> Raw:
    if path.is_dir():
        return read_settled(path, lambda: read_folder(path))
    if not path.exists():
        raise InputError([Fault(str(path), "there is no such folder or file")])
    if path.suffix.lower() in WORKBOOK_SUFFIXES:
        from planner.readers.workbook_file import read_workbook

        return read_workbook(path)
    raise InputError([Fault(str(path), "is neither a planning folder nor a workbook (.xlsx)")])


def _table_of(fault: Fault) -> str:
    """Name the table of a fault: of "mix.csv", "sheet mix" and "mix!B3" it is mix."""
    return fault.place.removeprefix("sheet ").split("!")[0].split(".")[0]


def _in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Sort faults as a planner goes through them: other files, settings, then table by table and row by row."""
    rank = {name: k for k, name in enumerate([SETTINGS_SHEET, *TABLE])}
    return sorted(faults, key=lambda fault: (rank.get(_table_of(fault), -1), _row_of(fault)))


def _row_of(fault: Fault) -> float:
    """Tell the row of a fault, also from a cell such as mix!B3; one of the whole table comes last."""
    cell = re.search(r"!\D+(\d+)$", fault.place)
    return int(cell[1]) if cell else fault.row or math.inf


def _sorted(table: Table, rows: Sequence[tuple[int, Row]]) -> tuple[Row, ...]:
    """Rows in the order of their key; where rows may repeat, of their whole content."""
    return tuple(
        sorted(
            (row for _, row in rows),
            key=lambda row: [getattr(row, name) for name in table.key] or [row.model_dump_json()],
        )
    )
