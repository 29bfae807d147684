"""Rows left over from the starter example: their figures are invented."""

import re

from planner.plan.warnings.caution import Caution
from planner.schema.case import TABLES, Case

_EXAMPLE = re.compile(r"\bexample\b", re.IGNORECASE)
_SHOWN = 4


def left_over_examples(case: Case) -> list[Caution]:
    """Rows whose note, source or provider says that they are an example, a line a table."""
    found = []
    for table in TABLES:
        names = [
            ", ".join(str(getattr(row, key)) for key in table.key) or f"row {k}"
            for k, row in enumerate(case.rows(table.name) if table.name != "demand" else (), start=1)
            if any(_EXAMPLE.search(str(getattr(row, name, None) or "")) for name in ("note", "source", "provider"))
        ]
        if names:
            shown = "; ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
            count = f"{len(names)} row{'s' if len(names) > 1 else ''}"
            message = f"{count} left over from an example ({shown}): their figures are invented"
            remedy = "Put your own figures there, or remove the word example from note, source and provider"
            found.append(Caution("example-rows", "risk", f"table {table.name}", message, remedy))
    return found
