"""Periods: the calendar months of the horizon."""

import calendar
import datetime as dt
import itertools
from dataclasses import dataclass

from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY


@dataclass(frozen=True)
class Period:
    """One calendar month of the horizon; ``end`` is the first day after it."""

    name: str
    start: dt.date
    end: dt.date

    @property
    def hours(self) -> float:
        """Hours of the month."""
        return float((self.end - self.start).days * HOURS_PER_DAY)

    @property
    def weeks(self) -> float:
        """Weeks of the month: how often each hour of the week occurs (days / 7)."""
        return (self.end - self.start).days / DAYS_PER_WEEK


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of the month ``months`` later, or that month's last day."""
    index = day.month - 1 + months
    year, month = day.year + index // 12, index % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def periods_of(start: dt.date, months: int) -> tuple[Period, ...]:
    """List the ``months`` periods from ``start``, named like ``2027-01``."""
    firsts = [add_months(start, k) for k in range(months + 1)]
    return tuple(Period(f"{a:%Y-%m}", a, b) for a, b in itertools.pairwise(firsts))
