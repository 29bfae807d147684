"""Whether a table is, type by type, what its frame declares."""

import pandas as pd

from planner.plan.frames import FLAG, MOMENT, NUMBER, TEXT, WHOLE, Frame

_KINDS = {WHOLE: "i", NUMBER: "f", FLAG: "b", MOMENT: "M"}


def undeclared(frame: Frame, table: pd.DataFrame) -> list[str]:
    """Columns that are not where, or of another type than, the frame says."""
    said = tuple(name for name in table.columns if name not in frame.optional)
    wrong = [] if said == frame.columns else [f"{frame.name}: {list(table.columns)}"]
    for column in frame.declared:
        if column.name not in table and column.name in frame.optional:
            continue
        values = table[column.name]
        text = values.dtype == object or str(values.dtype) in ("str", "category")
        if len(table) and not (text if column.kind == TEXT else values.dtype.kind == _KINDS[column.kind]):
            wrong.append(f"{frame.name}.{column.name}: {values.dtype}, not {column.kind}")
    return wrong
