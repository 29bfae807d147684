"""What a buyer owes when a plan has been signed: earlier commitments that still run, and the plan's purchases."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from planner.plan.orders import order_lines
from planner.plan.plan import Plan
from planner.schema.capacity import Commitment, Offer
from planner.schema.case import Case
from planner.units import HOURS_PER_DAY


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
    def term_usd(self) -> float:
        """What the whole term costs: units x price x hours from start to end, USD."""
        return self.units * self.offer.usd_per_unit_hour * (self.end - self.start).days * HOURS_PER_DAY


def owed_after(case: Case, plan: Plan) -> tuple[Owed, ...]:
    """Everything owed once the plan is signed, by end, region, offer and start: nothing that ended before its months.

    A purchase runs from the start of its month for its term; an earlier commitment as its dates say.
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
