"""A yearly season that the planner knows: month (1-12) and factor, from a CSV."""

from pathlib import Path

import pandas as pd

from planner.errors import Fault, InputError


def load_season(path: Path) -> dict[int, float]:
    """Read month -> factor; months that are not listed have factor 1."""
    try:
        table = pd.read_csv(path)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError([Fault(str(path), f"cannot be read: {error}")]) from error
    if not {"month", "factor"} <= set(table.columns):
        raise InputError([Fault(str(path), "lacks columns", value=", ".join(table.columns), allowed="month, factor")])
    faults = []
    season = {}
    for row, (month, factor) in enumerate(zip(table["month"], table["factor"], strict=True), start=2):
        number = pd.to_numeric(pd.Series([month, factor]), errors="coerce")
        if not (1 <= number[0] <= 12 and number[0] == int(number[0]) and 0 < number[1] < 1000):
            faults.append(
                Fault(str(path), "is no month and factor", row, value=f"{month}, {factor}", allowed="1-12, above 0")
            )
        else:
            season[int(number[0])] = float(number[1])
    if faults:
        raise InputError(faults)
    return season
