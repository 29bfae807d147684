"""What the purchase order's columns are called: the writer and the reader of edited orders agree on it here.

And how other sheets put its terms, days and sizes.
"""

from typing import Any

from planner.schema.capacity import Offer
from planner.workbook.text_tables import amount

ORDER_SHEET = "Purchase order"
OFFER, START, UNITS, PRICE = "Offer", "Start", "Units", "Price"
PRICE_UNIT = "USD/unit-hour"
BEYOND = "Beyond commitments"  # how the title of units by the hour begins: lines of the order end above it
UPFRONT, UPFRONT_UNIT = "Upfront", "USD/unit"  # only where some line has an upfront price


def heading(header: object) -> str:
    """Return the name in a header cell: its first line, without the unit below it."""
    return str(header).strip().split("\n")[0].strip().casefold() if header is not None else ""


def term_cell(offer: Offer) -> int | str:
    """Return the term as it stands in a column of months: a number of months, or text such as 7 days."""
    return offer.term_months if offer.term_days is None else offer.term_text


def days_within(start: str, end: str, first: str, *, whole: bool) -> str:
    """Return the formula of the days of a calendar month that lie from start to end, one number a row.

    ``whole`` : every start and end is the first of a month.
    """
    if whole:
        return f"({start}<={first})*({end}>{first})*(EDATE({first},1)-{first})"
    after = f"EDATE({first},1)"
    last = f"({after}-({after}-{end})*({end}<{after}))"
    begin = f"({first}+({start}-{first})*({start}>{first}))"
    return f"({end}>{first})*({start}<{after})*({last}-{begin})"


def size_rule(low: float, step: float, high: float | None, cell: str) -> dict[str, Any]:
    """Return the validation of a units cell: 0, or the minimum plus whole steps, up to the maximum."""
    said = f"0, or from {amount(low)} up" + (f" in steps of {amount(step)}" if step else "")
    said += f", at most {amount(high)}." if high is not None else "."
    return {
        "validate": "custom",
        "value": f"={fits_formula(cell, low, step, high)}",
        "error_title": "Units",
        "error_message": said,
        "input_title": "Units",
        "input_message": said,
    }


def fits_formula(cell: str, low: float, step: float, high: float | None) -> str:
    """Return the formula of whether the offer sells such a number of units, with a tolerance for rounding."""
    tests = [f"{cell}>={low!r}-0.000001"]
    if step > 0:
        tests.append(f"ABS(({cell}-{low!r})/{step!r}-ROUND(({cell}-{low!r})/{step!r},0))<0.00001")
    if high is not None:
        tests.append(f"{cell}<={high!r}+0.000001")
    return f"OR({cell}=0,AND({','.join(tests)}))"
