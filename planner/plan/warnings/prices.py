"""Prices that are old, undated or not confirmed: what a careful buyer reads again before signing."""

import datetime as dt
import re
from collections import defaultdict
from dataclasses import dataclass

from planner.schema.base import Row
from planner.schema.case import Case
from planner.units import counted

OLD_DAYS = 90
OLD, UNDATED, UNCONFIRMED = "old-price", "no-date", "unconfirmed"
PRICED = ("pools", "throughput", "offers", "on_demand", "routes")
_DOUBT = re.compile(r"\b(third-party|derived|not confirmed)\b")


@dataclass(frozen=True)
class PriceDoubt:
    """Rows of one table, source and date to look at again; `code` says why."""

    code: str
    table: str
    rows: int
    message: str
    remedy: str


def price_doubts(case: Case, today: dt.date) -> list[PriceDoubt]:
    """List prices that are more than OLD_DAYS old on a day, that have no date, and that nobody has confirmed."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for table in PRICED:
        for row in case.rows(table):
            if not (table == "routes" and not getattr(row, "usd_per_gb", 0)):
                groups[table, row.source or "", row.as_of or ""].append(row)
    return [*_aged(groups, today), *_unconfirmed(groups)]


def _aged(groups: dict[tuple[str, str, str], list[Row]], today: dt.date) -> list[PriceDoubt]:
    found = []
    for (table, source, as_of), rows in groups.items():
        try:
            age = (today - dt.date.fromisoformat(as_of)).days
        except ValueError:
            message = f"{_count(rows)} without a date" + (f" ({source})" if source else " and source")
            found.append(PriceDoubt(UNDATED, table, len(rows), message, "Fill in as_of as 2027-01-31, and source"))
            continue
        if age > OLD_DAYS:
            message = f"{_count(rows)} of {as_of} ({counted(age, 'day')} old): {source}"
            found.append(PriceDoubt(OLD, table, len(rows), message, "Read the price again before you sign"))
    return found


def _unconfirmed(groups: dict[tuple[str, str, str], list[Row]]) -> list[PriceDoubt]:
    found = []
    for (table, source, _), rows in groups.items():
        doubtful = [row for row in rows if row.note and _DOUBT.search(row.note)]
        if doubtful:
            words = sorted({word for row in doubtful for word in _DOUBT.findall(row.note or "")})
            message = f"{_count(doubtful)} {' and '.join(words)}: {source}"
            remedy = "Ask the seller for these figures in writing"
            found.append(PriceDoubt(UNCONFIRMED, table, len(doubtful), message, remedy))
    return found


def _count(rows: list[Row]) -> str:
    return f"{len(rows)} row{'s' if len(rows) != 1 else ''}"
