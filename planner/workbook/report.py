"""Report: what every sheet and page is written from."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from planner.plan.expiries import NOTICE_DAYS, Bet, Calendar, bets_of, calendar_of
from planner.plan.metrics.cautions import Advice
from planner.plan.metrics.metric_tables import Metrics
from planner.plan.orders import OrderLine, order_lines
from planner.plan.plan import Plan
from planner.plan.pool_months import OrderValue, PoolMonth, order_values, pool_months
from planner.plan.reading import Reading
from planner.plan.rules_cost import RulesCost
from planner.plan.waited import Waited, waited
from planner.plan.why import LineRent, guarantees_on, line_rents
from planner.readers.forecast_accuracy import ForecastAccuracy
from planner.schema.case import TABLES, Case
from planner.units import hour_label

# parts of the cost of a plan (the fields of Totals) in words
TOTAL_NAMES = {
    "reserved_usd": "New commitments, in the plan's months",
    "tail_usd": "Counted share of payments past the plan's months",
    "unreserved_usd": "Units deployed beyond commitments",
    "on_demand_usd": "On demand",
    "egress_usd": "Egress",
    "sunk_usd": "Earlier commitments",
    "scaled_usd": "Units that run by the hour",
    "shortfall_usd": "Shortfall of spend commitments",
}


@dataclass(frozen=True)
class Report:
    """A finished plan as every writer takes it: its figures, which hold the case and the plan that they are of.

    previous : the plan it is compared with; None: today's commitments. forecast : how good the forecast of the demand
    was; None: it was not measured. notice_days : days before its end by which a commitment is to be decided on.
    rules : what each rule costs, and what signing nothing would; None: it was not asked. least_break : of an order,
    whether no other way to deploy its units breaks less of the stress cases, in the worst hour; None: nobody looked.
    retiring : what is to be said of models that retire inside a commitment's term. given : columns of each input table
    that some row filled in; None: as the case was read.
    """

    metrics: Metrics
    previous: Plan | None = None
    forecast: ForecastAccuracy | None = None
    notice_days: int = NOTICE_DAYS
    rules: RulesCost | None = None
    least_break: bool | None = None
    retiring: tuple[Advice, ...] = ()
    given: Mapping[str, tuple[str, ...]] | None = None

    def __repr__(self) -> str:
        """Name the plan and its months."""
        return f"<Report of {self.plan.name}, {self.horizon}>"

    @property
    def reading(self) -> Reading:
        """The tables of case and plan as numbers."""
        return self.metrics.reading

    @property
    def case(self) -> Case:
        """What was asked."""
        return self.metrics.reading.case

    @property
    def plan(self) -> Plan:
        """What was decided."""
        return self.metrics.reading.plan

    @cached_property
    def lines(self) -> tuple[OrderLine, ...]:
        """Lines of the purchase order."""
        return order_lines(self.case, self.plan)

    @cached_property
    def months(self) -> tuple[PoolMonth, ...]:
        """Each pool in each month."""
        return pool_months(self.reading)

    @cached_property
    def bets(self) -> tuple[Bet, ...]:
        """Commitments longer than the history; none where the demand is no forecast."""
        rows = self.forecast.series if self.forecast is not None else ()
        weeks = [row.weeks_of_history for row in rows if row.weeks_of_history is not None]
        return bets_of(self.lines, self.months, max(weeks)) if weeks else ()

    @cached_property
    def values(self) -> tuple[OrderValue, ...]:
        """What each line saves."""
        return order_values(self.lines, self.months)

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Columns of each input table that some row filled in: the copy of the input fills in every default."""
        if self.given is not None:
            return self.given
        tables = ((table.name, self.case.rows(table.name)) for table in TABLES if table.name != "demand")
        return {
            name: tuple(
                column
                for column in type(rows[0]).model_fields
                if any(column in row.model_fields_set and getattr(row, column) is not None for row in rows)
            )
            for name, rows in tables
            if rows
        }

    @property
    def sells_by_the_hour(self) -> bool:
        """Whether a pool sells units that run by the hour."""
        return any(p.usd_per_scaled_unit_hour is not None for p in self.case.pools)

    @cached_property
    def waited(self) -> Waited | None:
        """How much work waits, and for how long; None where nothing can."""
        return waited(self.reading)

    @cached_property
    def rents(self) -> tuple[LineRent, ...]:
        """What pays for each line."""
        return line_rents(self.reading, self.lines)

    @cached_property
    def guarantees(self) -> dict[str, tuple[str, ...]]:
        """Workloads whose guaranteed share pays for units, by pool."""
        return guarantees_on(self.reading)

    @cached_property
    def calendar(self) -> Calendar:
        """When each commitment ends, and by when to decide."""
        return calendar_of(self.case, self.plan, self.notice_days, self.months)

    @property
    def without_margins(self) -> str:
        """What to say where there is no margin at all."""
        if self.reading.stress_cases:
            return (
                "Margins were not worked out: the time limit ran out. Every stress case is served, as the audit found."
            )
        return "No stress cases."

    @property
    def horizon(self) -> str:
        """First and last month of the horizon."""
        first, last = self.case.months
        return first if first == last else f"{first} to {last}"

    @property
    def dated(self) -> dt.date:
        """The latest day on which an input was read (``as_of``), else the first of the horizon: no clock is asked."""
        days = [_day(row.as_of) for table in TABLES if table.name != "demand" for row in self.case.rows(table.name)]
        return max((day for day in days if day is not None), default=self.case.settings.horizon.start)


def hour_text(hour_of_week: float | None) -> str:
    """Hour of the week for people; a stress case that asks for nothing has none."""
    return "" if hour_of_week is None or math.isnan(hour_of_week) else hour_label(int(hour_of_week))


def text_of(name: object) -> str:
    """Return a name as text, blank where there is none."""
    return "" if name is None or (isinstance(name, float) and math.isnan(name)) else str(name)


def rows_of(frame: pd.DataFrame) -> list[Any]:
    """Rows as named tuples, one attribute a column."""
    return list(frame.itertuples(index=False))


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None
