"""Names that one table uses and another must define."""

import zoneinfo
from collections.abc import Mapping, Sequence

from planner.errors import Fault
from planner.readers.cells import FORMULA_ERRORS
from planner.readers.source import Raw, RawTable
from planner.schema.case import BASE_SCENARIO
from planner.schema.describe import columns_of
from planner.schema.names import nearest
from planner.schema.tables import TABLE
from planner.schema.workloads import ANY_REGION


def known_names(raw: Raw, table: str, column: str) -> list[str] | None:
    """Names that a table defines, in string order, also of rows with other faults.

    None where the table is there but cannot be read, or is needed and missing: that is a fault already, once.
    """
    if table in raw.unreadable or (table not in raw.tables and TABLE[table].required):
        return None
    rows = raw.tables[table].rows if table in raw.tables else ()
    if table in raw.tables and column not in raw.tables[table].source.header:
        return None
    names = {row[column] for _, row in rows if column in row}
    return sorted(names or ({BASE_SCENARIO} if table == "scenarios" else ()))


def reference_faults(raw: Raw) -> list[Fault]:
    """Every name used that no row defines, with the nearest that one does; demand is checked in columns."""
    faults = []
    for table in raw.tables.values():
        for column, facts in columns_of(TABLE[table.source.table].row).items():
            if facts.refers_to is not None and column in table.source.header:
                known = known_names(raw, *facts.refers_to)
                if known is not None:
                    faults += _unknown(table, column, facts.refers_to[0], known)
    return faults + _time_zones(raw.tables)


def _unknown(table: RawTable, column: str, defined_in: str, known: Sequence[str]) -> list[Fault]:
    faults = []
    names = frozenset(known)
    for number, row in table.rows:
        text = row.get(column, "")
        used = [part.strip() for part in text.split(";")] if column == "serving_regions" else [text]
        for name in used:
            if (
                not name
                or name in names
                or name in FORMULA_ERRORS
                or (column == "serving_regions" and name.casefold() == ANY_REGION)
            ):
                continue
            what = defined_in.removesuffix("s")
            message = f"there is no {what} {name!r}{nearest(name, names)}"
            if not names:
                message += f"; the table {defined_in} is empty"
            faults.append(table.source.fault(message, number, column))
    return faults


def _time_zones(tables: Mapping[str, RawTable]) -> list[Fault]:
    faults = []
    for number, row in tables["regions"].rows if "regions" in tables else ():
        if (zone := row.get("time_zone")) is None:
            continue
        try:
            zoneinfo.ZoneInfo(zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            hint = nearest(zone, zoneinfo.available_timezones())
            message = f"there is no time zone {zone!r}{hint}"
            faults.append(tables["regions"].source.fault(message, number, "time_zone", allowed="an IANA name"))
    return faults
