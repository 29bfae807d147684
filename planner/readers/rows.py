"""Text rows -> pydantic rows, with a fault in plain words for every cell that will not do."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from planner.errors import Fault, nearest
from planner.readers.raw_tables import FORMULA_ERRORS, NO_VALUE, RawTable, Source
from planner.schema.base import Row
from planner.schema.describe import SLIP, ColumnFacts, columns_of
from planner.schema.tables import TABLE

SHOWN_PER_COLUMN = 20


def read_rows(raw: RawTable) -> tuple[list[tuple[int, Row]], list[Fault]]:
    """Validate each row; rows with faults are left out of the first part of the answer."""
    row_type = TABLE[raw.source.table].row
    facts = columns_of(row_type)
    found: list[tuple[int, Row]] = []
    faults: list[Fault] = []
    for number, cells in raw.rows:
        faults += [
            raw.source.fault(NO_VALUE, number, column, text) for column, text in cells.items() if text in FORMULA_ERRORS
        ]
        try:
            found.append((number, row_type.model_validate(cells)))
        except ValidationError as error:
            faults += row_faults(raw.source, number, cells, error, facts)
    return found, faults


def row_faults(
    source: Source, number: int, cells: Mapping[str, Any], error: ValidationError, facts: Mapping[str, ColumnFacts]
) -> list[Fault]:
    """Put each of pydantic's complaints about one row in our words and place."""
    faults = []
    for item in error.errors(include_url=False):
        column = str(item["loc"][0]) if item["loc"] else None
        if column is not None and item["type"] == "missing" and column not in source.header:
            continue  # said once, of the header
        if column is not None and cells.get(column) in FORMULA_ERRORS:
            continue  # said already
        message, allowed = in_words(item, facts.get(column) if column else None)
        faults.append(source.fault(message, number, column, cells.get(column) if column else None, allowed))
    return faults


def in_words(item: Any, facts: ColumnFacts | None) -> tuple[str, str | None]:
    """Say what is wrong with a value, and what is allowed."""
    kind = str(item["type"])
    text = str(item.get("input", ""))
    allowed = facts.allowed if facts else None
    if kind in ("missing", "string_too_short"):
        return "must be filled in", allowed
    if kind == "value_error":
        return str(item["msg"]).removeprefix("Value error, "), None
    if kind == "literal_error" and facts:
        return f"is none of the words allowed{nearest(text, facts.choices)}", allowed
    if kind.startswith(("float", "int")) and kind != "int_from_float":
        return _not_a_number(text), allowed
    plain = {
        "finite_number": "is not a finite number",
        "int_from_float": "is not a whole number",
        "bool_parsing": "is neither yes nor no",
        "bool_type": "is neither yes nor no",
        "day": "is not a date",
        "greater_than": "is too small",
        "greater_than_equal": "is too small",
        "less_than": "is too large",
        "less_than_equal": "is too large",
    }
    message = plain.get(kind, str(item["msg"]))
    if kind == "greater_than_equal" and item["ctx"]["ge"] == 0:
        message = "must not be negative"
    if kind == "less_than_equal" and item["ctx"]["le"] >= SLIP:
        hint = "; leave the cell blank where there is no limit" if facts and not facts.required else ""
        return f"is above {item['ctx']['le']:,.0f}: a slip of units?{hint}", allowed
    return message, allowed


def _not_a_number(text: str) -> str:
    if text.endswith("%"):
        return "is not a number: write a share such as 0.3, not a percentage"
    if "," in text:
        return "is not a number: write 1234.5, with a point and without separators of thousands"
    try:
        float(text)
    except ValueError:
        return "is not a number"
    return "is not a whole number"


def capped(faults: Iterable[Fault], per_column: int = SHOWN_PER_COLUMN) -> list[Fault]:
    """Keep the first faults of each column of each place, and count the rest in one line."""
    seen: Counter[tuple[str, str | None]] = Counter()
    kept: list[Fault] = []
    for fault in faults:
        place = fault.place.split("!")[0].removeprefix("sheet ")
        seen[place, fault.column] += 1
        if seen[place, fault.column] <= per_column:
            kept.append(fault)
    for (place, column), count in seen.items():
        if count > per_column:
            kept.append(Fault(place, f"and {count - per_column:,} more faults like these", column=column))
    return kept
