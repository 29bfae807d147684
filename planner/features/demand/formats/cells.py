"""Column expressions that tabular formats share: numbers, texts and moments out of whatever type a cell has."""

import re
from collections.abc import Sequence
from typing import Any

from planner.errors import Fault, InputError
from planner.features.demand.engine import own_function
from planner.features.demand.formats.moments import EXCEL_EPOCH, EXCEL_FROM, EXCEL_TO, in_zone, plain_moment
from planner.features.demand.formats.numbers import BLANKS, plain, trimmed
from planner.units import HOURS_PER_DAY, SECONDS_PER_HOUR

SECONDS_PER_DAY = HOURS_PER_DAY * SECONDS_PER_HOUR

TRY_CAST = frozenset(
    {"duckdb", "pyspark", "databricks", "snowflake", "bigquery", "trino"}
)  # text that may be no number
NO_NUMBER = 1e300  # stands for text in the place of a number, on every engine: a rule keeps its row out
MILLI, MICRO, NANO = 1e11, 1e14, 1e17  # an epoch above these is in milli-, micro-, nanoseconds (dates after 1973)


def column(table: Any, name: str) -> Any:
    """Return a column, or a field of a nested one or of JSON text by its dotted path; None where the table has none."""
    if name in table.columns:
        return table[name]
    head, *rest = name.split(".")
    if head not in table.columns:
        return None
    value = table[head]
    if value.type().is_string() and rest and table.get_backend().name == "duckdb":
        return json_value(value, ".".join(("$", *rest)))
    for part in rest:
        kind = value.type()
        if not kind.is_struct() or part not in kind.names:
            return None
        value = value[part]
    return value


def need(table: Any, names: Sequence[str], place: str) -> None:
    """Refuse a table that lacks a column by which its format is known.

    Raises
    ------
    InputError
        naming every column that is not there.
    """
    lacking = ", ".join(name for name in names if name not in table.columns)
    if lacking:
        shown = ", ".join(table.columns)[:400]
        raise InputError([Fault(place, "lacks columns of this format", column=lacking, allowed=shown)])


def squeezed(name: str) -> str:
    """Return a column's name without what its spellings differ by."""
    return name.replace("_", "").lower()


ZONE_BEHIND = re.compile(r"\s*[\[(]((?:UTC|GMT)(?:\s*[+-][\d:]+)?|Local Time)[\])]$", re.IGNORECASE)


def flat_name(name: str) -> str:
    """Return a column's name in lower case, without spaces, underscores, and the zone behind it: ``Time [UTC]``."""
    return re.sub(r"[\s_\-]", "", ZONE_BEHIND.sub("", name.strip())).lower()


def zone_behind(name: str, otherwise: str, place: str) -> str:
    """Return the zone that a column's name tells, as Azure's portal writes it; ``otherwise`` where it tells none.

    Raises
    ------
    InputError
        Times are local, or off UTC, and the map has no ``time_zone``.
    """
    said = ZONE_BEHIND.search(name.strip())
    if said is None:
        return otherwise
    if re.fullmatch(r"(UTC|GMT)(\s*[+-]0?0(:?00)?)?", said[1], re.IGNORECASE):
        return "UTC"
    if otherwise == "UTC":
        told = "times are in a zone that its name does not settle; say time_zone in the map"
        raise InputError([Fault(place, told, column=name, allowed="time_zone: Europe/Berlin")])
    return otherwise


def as_text(value: Any) -> Any:
    """Return the value as text."""
    return value if value.type().is_string() else value.cast("string")


def as_number(value: Any, engine: Any) -> Any:
    """Return the value as a number; blank text becomes null, and text that is no number ``NO_NUMBER``.

    Whole numbers stay what they are: an engine knows their range from a file's statistics, and skips what it proves.
    """
    if value.type().is_integer():
        return value
    if value.type().is_string() and engine.name in TRY_CAST:
        import ibis

        blank = value.isnull() | trimmed(value).lower().isin(BLANKS)
        other = ibis.cases((blank, ibis.null("float64")), else_=ibis.literal(NO_NUMBER))
        return plain(value).coalesce(other)
    return value.cast("float64")


def number(table: Any, name: str, engine: Any) -> Any:
    """Return a column as a number; null where the table has no such column."""
    import ibis

    value = column(table, name)
    return ibis.null("float64") if value is None else as_number(value, engine)


def text(table: Any, name: str) -> Any:
    """Return a column as text; null where the table has no such column."""
    import ibis

    value = column(table, name)
    return ibis.null("string") if value is None else as_text(value)


def json_value(text: Any, path: str) -> Any:
    """Return what a JSON text has at a path (``$.usage.input``), as text; null where it has none, or is no JSON."""
    found = own_function("json_extract_string", ("string", "string"), "string")(text, path)
    return own_function("try", ("string",), "string")(found)


def is_json(text: Any) -> Any:
    """Tell a JSON text that is whole."""
    return own_function("json_valid", ("string",), "boolean")(text)


def epoch_seconds(value: Any, engine: Any, time_zone: str) -> Any:
    """Return a moment as seconds since 1970 UTC, null where it cannot be read.

    Text and timestamps with an offset mean what they say; those without are in ``time_zone`` (the session's zone on
    DuckDB, Postgres and Spark). Whole numbers are seconds, or milli-, micro- or nanoseconds by their size.
    """
    kind = value.type()
    # Spark counts the seconds of moments, whatever its zone
    session_zone = "UTC" if engine.name == "pyspark" else time_zone
    days_zone = time_zone if engine.name == "duckdb" or time_zone == "UTC" else None
    if kind.is_string():
        if engine.name not in TRY_CAST:
            return value.cast("timestamp").epoch_seconds().cast("float64")
        value = trimmed(value)
        moment = _in_utc(value.try_cast("timestamp('UTC')"), session_zone).epoch_seconds().cast("float64")
        return moment.coalesce(
            _scaled(value.try_cast("float64"), time_zone if engine.name == "duckdb" or time_zone == "UTC" else None)
        )
    if kind.is_numeric():
        return _scaled(value.cast("float64"), days_zone)
    if kind.is_date():
        value = value.cast("timestamp")
        kind = value.type()
    if kind.is_timestamp():
        if kind.timezone is None and time_zone != "UTC":
            value = value.cast("timestamp('UTC')")
        if value.type().timezone is not None:
            value = _in_utc(value, session_zone)
        return value.epoch_seconds().cast("float64")
    raise TypeError(f"a time cannot be of type {kind}")


def moment_column(value: Any, time_zone: str) -> dict[str, Any]:
    """Return the export's own timestamp as the column ``moment``, where it is one that can be compared as it is.

    Ranges of it are found by Parquet's statistics and a database's index; of seconds computed from it they are not.
    """
    kind = value.type()
    usable = kind.is_timestamp() and time_zone == "UTC" and kind.timezone in (None, "UTC")
    return {"moment": value} if usable else {}


def _in_utc(moment: Any, session_zone: str) -> Any:
    """Return a moment with an offset as UTC without one; plain where the session is in UTC anyway.

    ``timezone(zone, moment)`` is the same function in DuckDB and Postgres. Ibis would drop the offset in the session's
    zone before it counts seconds.
    """
    if session_zone == "UTC":
        return moment
    return own_function("timezone", ("string", "timestamp('UTC')"), "timestamp")("UTC", moment)


def _scaled(value: Any, time_zone: str | None = "UTC") -> Any:
    """Return a number as seconds since 1970: it counts seconds or parts of them, or is a day of Excel's calendar.

    ``time_zone`` is of Excel's days, which know none; where it is None, a database's numbers are never such days, and a
    number that looks like one is not read.
    """
    import ibis

    excel = ((value - EXCEL_EPOCH) * SECONDS_PER_DAY).round()
    if time_zone is None:
        excel = ibis.null("float64")
    elif time_zone != "UTC":  # a workbook knows no zone: its clock is the map's
        excel = in_zone(time_zone, plain_moment(excel)).epoch_seconds().cast("float64")
    return ibis.cases(
        (value > NANO, value / 1e9),
        (value > MICRO, value / 1e6),
        (value > MILLI, value / 1e3),
        (value.between(EXCEL_FROM, EXCEL_TO), excel),
        else_=value,
    )
