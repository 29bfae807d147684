"""What the schema says of an input column, put as a header's comment and as validation of the cells below it."""

import datetime as dt
from typing import Any

from planner.schema.describe import ColumnFacts

LAST_ROW = {"demand": 200_000}
LAST_ROW_DEFAULT = 2_000  # rows of a table that get drop-downs and validation
_LONGEST_TITLE = 32


def comment(column: ColumnFacts) -> str:
    """Meaning, unit, default and limits, a line each."""
    lines = [column.meaning[:1].upper() + column.meaning[1:] + "."]
    if column.unit:
        lines.append(f"Unit: {column.unit}")
    lines.append("Must be filled in" if column.required else f"Blank: {column.blank}")
    if column.limits or column.choices or column.refers_to:
        lines.append(f"Allowed: {column.allowed}")
    return "\n".join(lines)


def validation(column: ColumnFacts) -> dict[str, Any] | None:
    """XlsxWriter's data validation of the column's cells; None where any text will do."""
    if column.refers_to and column.name != "serving_regions":  # that one holds a list of names, or any
        table, _ = column.refers_to
        return {
            "validate": "list",
            "source": f"={table}!$A$2:$A${LAST_ROW_DEFAULT}",
            "error_type": "warning",
            "error_title": "Unknown name",
            "error_message": f"Not a name of sheet {table}. Add it there, or choose from the list.",
        }
    if column.kind is bool or column.choices:
        allowed = ["TRUE", "FALSE"] if column.kind is bool else list(column.choices)
        return {"validate": "list", "source": allowed, "error_message": "Choose from the list."}
    if column.kind is dt.date:
        first = dt.date(2000, 1, 1)
        return {"validate": "date", "criteria": ">=", "value": first, "error_message": "A date, such as 2027-01-01."}
    return _number(column) if column.kind in (int, float) else None


def _number(column: ColumnFacts) -> dict[str, Any]:
    """Limit a number to a range, or from one side."""
    limits = dict(column.limits)
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    rule: dict[str, Any] = {"validate": "integer" if column.kind is int else "decimal"}
    if low is None:
        rule |= {"criteria": "<=", "value": high}
    elif "gt" in limits or high is None:
        rule |= {"criteria": ">" if "gt" in limits else ">=", "value": low}
    else:
        rule |= {"criteria": "between", "minimum": low, "maximum": high}
    title = column.name.rsplit(".", 1)[-1][:_LONGEST_TITLE]
    said = column.allowed + (f" ({column.unit})" if column.unit else "")
    return rule | {"error_title": title, "error_message": said[:1].upper() + said[1:] + "."}
