"""Purchase-order lines: each purchase with its contract terms, dates and hours, in plain arithmetic."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from planner.plan.plan import Plan
from planner.schema.calendar import add_months
from planner.schema.capacity import Offer
from planner.schema.case import Case
from planner.units import HOURS_PER_DAY


@dataclass(frozen=True)
class OrderLine:
    """Units bought under an offer at the start of a period."""

    offer: Offer
    region: str
    provider: str | None
    models: tuple[str, ...]  # that the pool can serve
    period: str
    start: dt.date
    end: dt.date  # first day no longer in force
    units: float
    hours_term: float
    hours_horizon: float  # of the term, inside the horizon

    @property
    def term_usd(self) -> float:
        """What is signed for: the whole term, also past the horizon."""
        return self.units * self.offer.usd_per_unit_hour * self.hours_term

    @property
    def horizon_usd(self) -> float:
        """What falls inside the horizon."""
        return self.units * self.offer.usd_per_unit_hour * self.hours_horizon


def order_lines(case: Case, plan: Plan) -> tuple[OrderLine, ...]:
    """Purchases of the plan as order lines, in the order of start, region and offer."""
    offers = {o.offer: o for o in case.offers}
    pools = {p.pool: p for p in case.pools}
    regions = {r.region: r for r in case.regions}
    periods = {p.name: p for p in case.periods}
    horizon_end = case.periods[-1].end
    lines = []
    rows: list[Any] = list(plan.purchases.itertuples(index=False))
    for row in rows:
        offer = offers[str(row.offer)]
        region = pools[offer.pool].region
        start = periods[str(row.period)].start
        end = add_months(start, offer.term_months)
        lines.append(
            OrderLine(
                offer=offer,
                region=region,
                provider=regions[region].provider,
                models=tuple(
                    sorted({t.model for t in case.throughput if t.pool == offer.pool and t.meter == offer.meter})
                ),
                period=str(row.period),
                start=start,
                end=end,
                units=float(row.units),
                hours_term=_hours(start, end),
                hours_horizon=_hours(start, min(end, horizon_end)),
            )
        )
    return tuple(sorted(lines, key=lambda line: (line.start, line.region, line.offer.offer)))


def _hours(start: dt.date, end: dt.date) -> float:
    return float((end - start).days * HOURS_PER_DAY)
