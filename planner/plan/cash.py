"""The cash that new commitments mean: what is billed in each calendar month, by the hour and upfront."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from planner.plan.frames import NUMBER, TEXT, Field, Frame
from planner.plan.orders import OrderLine
from planner.schema.case import hours_between
from planner.schema.settings import add_months

CASH = Frame("cash", "one row for each calendar month until the last new commitment ends", (
    Field("month", TEXT, "calendar month, such as 2027-01"),
    Field("hourly_usd", NUMBER, "hours of the month in which commitments are in force", "USD"),
    Field("upfront_usd", NUMBER, "upfront prices of commitments that begin in the month", "USD"),
    Field("total_usd", NUMBER, "both", "USD"),
))  # fmt: skip


def billed(lines: Sequence[OrderLine], first: dt.date) -> tuple[float, float]:
    """Return what is billed for a calendar month, by its first day: by the hour, and upfront, USD."""
    after = add_months(first, 1)
    hourly = sum(
        n.units * n.offer.usd_per_unit_hour * hours_between(max(n.start, first), min(n.end, after)) for n in lines
    )
    return float(hourly), float(sum(n.upfront_usd for n in lines if first <= n.start < after))


def cash_table(lines: Sequence[OrderLine]) -> pd.DataFrame:
    """Lay out the cash of an order: columns CASH; it adds up to what is signed for."""
    if not lines:
        return CASH.empty()
    month, last = min(n.start for n in lines).replace(day=1), max(n.end for n in lines)
    rows = []
    while month < last:
        hourly, upfront = billed(lines, month)
        rows.append((f"{month:%Y-%m}", hourly, upfront, hourly + upfront))
        month = add_months(month, 1)
    return CASH.of(rows)
