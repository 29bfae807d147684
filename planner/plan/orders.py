"""Purchase-order lines with their terms and dates, what a buyer owes when the plan is signed, and the cash by month."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planner.io.digest import sha256_of_text
from planner.plan.frames import NUMBER, TEXT, Field, Frame
from planner.plan.plan import Plan
from planner.schema.capacity import Commitment, Offer
from planner.schema.case import Case, hours_between
from planner.schema.settings import add_months
from planner.units import HOURS_PER_MONTH

SHOWN_DIGITS = 16  # of the digest of an order
Line = tuple[str, float, dt.date, dt.date, float]  # offer, units, start, end, USD over the whole term


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
    def usd_per_unit_hour(self) -> float:
        """Price of a unit for an hour of its term, an upfront price spread evenly over it."""
        return self.offer.usd_per_hour(self.start)

    @property
    def upfront_usd(self) -> float:
        """What is due on the first day, besides the hours."""
        return self.units * self.offer.upfront_usd_per_unit

    def covers(self, start: dt.date, end: dt.date) -> bool:
        """Whether the units are in force from a day to another: throughout."""
        return self.start <= start and end <= self.end

    @property
    def months_horizon(self) -> float:
        """Months of the term inside the horizon; a term in days has months of 730 hours."""
        if self.offer.term_days is not None:
            return self.hours_horizon / HOURS_PER_MONTH
        return self.hours_horizon / self.hours_term * self.offer.term_months

    @property
    def term_usd(self) -> float:
        """What is signed for: the whole term, also past the horizon."""
        return self.units * self.usd_per_unit_hour * self.hours_term

    @property
    def horizon_usd(self) -> float:
        """What falls inside the horizon."""
        return self.units * self.usd_per_unit_hour * self.hours_horizon


def mean_month_hours(offer: Offer, start: dt.date, end: dt.date) -> float:
    """Return the hours of a mean month of a commitment: those of its time over its months, as on the purchase order.

    730, as sellers count, where that is no number of whole months: a term in days, an earlier one cut short.
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    if offer.term_days is not None or months < 1 or add_months(start, months) != end:
        return HOURS_PER_MONTH
    return hours_between(start, end) / months


def order_lines(case: Case, plan: Plan) -> tuple[OrderLine, ...]:
    """Purchases of the plan as order lines, in the order of start, region and offer."""
    return purchase_lines(case, plan.purchases)


def order_digest(input_digest: str, total_usd: float, lines: Iterable[Line]) -> str:
    """SHA-256 of what is signed: the input, the plan's cost and the order's lines, as the purchase order has them."""
    rows = sorted(f"{offer}|{units:.6g}|{start}|{end}|{usd:.2f}" for offer, units, start, end, usd in lines)
    return sha256_of_text("\n".join([input_digest, f"{total_usd:.2f}", *rows]))


def order_digest_of(case: Case, plan: Plan) -> str:
    """Digest of a plan's order."""
    lines = [(n.offer.offer, n.units, n.start, n.end, n.term_usd) for n in order_lines(case, plan)]
    return order_digest(plan.input_digest, plan.totals.total_usd, lines)


def purchase_lines(case: Case, purchases: pd.DataFrame) -> tuple[OrderLine, ...]:
    """Purchases (PURCHASE_COLUMNS) as order lines, in the order of start, region and offer."""
    offers = {o.offer: o for o in case.offers}
    pools = {p.pool: p for p in case.pools}
    regions = {r.region: r for r in case.regions}
    periods = {p.name: p for p in case.periods}
    horizon_end = case.periods[-1].end
    lines = []
    rows: list[Any] = list(purchases.itertuples(index=False))
    for row in rows:
        offer = offers[str(row.offer)]
        region = pools[offer.pool].region
        start = periods[str(row.period)].start
        end = offer.term_end(start)
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
                hours_term=hours_between(start, end),
                hours_horizon=hours_between(start, min(end, horizon_end)),
            )
        )
    return tuple(sorted(lines, key=lambda line: (line.start, line.region, line.offer.offer)))


@dataclass(frozen=True)
class Owed:
    """Units owed under an offer from ``start`` to ``end`` (the first day no longer in force).

    ``earlier`` is the commitment as it stood in the plan's input; None: the plan buys it, in ``line`` (from 0) of the
    purchase order.
    """

    offer: Offer
    region: str
    units: float
    start: dt.date
    end: dt.date
    earlier: Commitment | None = None
    line: int | None = None

    @property
    def new(self) -> bool:
        """Whether the plan buys it."""
        return self.earlier is None

    @property
    def usd_per_unit_hour(self) -> float:
        """Price of a unit for an hour; of what was bought earlier, the upfront price is paid and no longer owed."""
        return self.offer.usd_per_hour(self.start) if self.new else self.offer.usd_per_unit_hour

    @property
    def term_usd(self) -> float:
        """What the whole term costs: units x price x hours from start to end, USD."""
        return self.units * self.usd_per_unit_hour * hours_between(self.start, self.end)


def owed_after(case: Case, plan: Plan) -> tuple[Owed, ...]:
    """Everything owed once the plan is signed, by end, region, offer and start: nothing that ended before its periods.

    A purchase runs from the start of its period for its term; an earlier commitment as its dates say.
    """
    regions = {p.pool: p.region for p in case.pools}
    offers = {o.offer: o for o in case.offers}
    first = case.periods[0].start
    earlier = [
        Owed(offers[c.offer], regions[offers[c.offer].pool], c.units, c.start, c.end, c)
        for c in case.commitments
        if c.end > first and c.units > 0
    ]
    bought = [Owed(n.offer, n.region, n.units, n.start, n.end, line=k) for k, n in enumerate(order_lines(case, plan))]
    return in_order((*earlier, *bought))


def in_order(owed: Iterable[Owed]) -> tuple[Owed, ...]:
    """Sort by end, then by what and since when."""
    return tuple(sorted(owed, key=lambda o: (o.end, o.region, o.offer.pool, o.offer.offer, o.start, o.new, o.units)))


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
