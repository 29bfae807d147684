"""Purchases of the last plan that are signed by now, as earlier commitments of the next case."""

import datetime as dt
from dataclasses import dataclass, replace

import pandas as pd

from planner.features.resolve.change_lines import SAME_UNITS, as_signed
from planner.plan.finished import Finished
from planner.schema.calendar import add_months
from planner.schema.capacity import Commitment, Offer
from planner.schema.case import Case

_TERMS = ("pool", "meter", "usd_per_unit_hour")


@dataclass(frozen=True)
class Signed:
    """Units bought by the last plan that the case does not list among its commitments."""

    offer: Offer
    start: dt.date
    end: dt.date  # first day no longer in force
    units: float


def unlisted(last: Finished, case: Case, before: dt.date) -> tuple[Signed, ...]:
    """List purchases of the last plan that start before a day, are in force in the case's months, and are not listed.

    Of a purchase that the case lists in part (same offer, or its name as signed, same start and end), the rest.
    """
    offers = {o.offer: o for o in last.case.offers}
    starts = {p.name: p.start for p in last.case.periods}
    found = []
    for name, period, units in last.plan.purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
        offer, start = offers[str(name)], starts[str(period)]
        end = add_months(start, offer.term_months)
        if start >= before or not any(start <= p.start and end >= p.end for p in case.periods):
            continue
        listed = sum(
            c.units
            for c in case.commitments
            if c.offer in (offer.offer, as_signed(offer)) and (c.start, c.end) == (start, end)
        )
        if units - listed > SAME_UNITS:
            found.append(Signed(offer, start, end, float(units) - listed))
    return tuple(sorted(found, key=lambda s: (s.start, s.offer.offer)))


def with_owed(case: Case, last: Finished, signed: tuple[Signed, ...]) -> Case:
    """Return the case with signed purchases among its commitments.

    An offer that the case sells at other terms, or no longer, stands once more as it was signed, with nothing for
    sale; so does a pool that the case no longer has, which then sells no unit by the hour.
    """
    offers, pools = {o.offer: o for o in case.offers}, {p.pool: p for p in case.pools}
    models = {m.model: m for m in case.models}
    regions = {r.region: r for r in case.regions}
    rates = list(case.throughput)
    owed = list(case.commitments)
    for s in signed:
        name, now = s.offer.offer, offers.get(s.offer.offer)
        if now is None or any(getattr(now, t) != getattr(s.offer, t) for t in _TERMS):
            name = as_signed(s.offer)
            closed = {"offer": name, "min_units": 0.0, "unit_step": 0.0, "max_units": 0.0}
            offers[name] = s.offer.model_copy(update=closed)
        if s.offer.pool not in pools:
            pool = next(p for p in last.case.pools if p.pool == s.offer.pool)
            pools[pool.pool] = pool.model_copy(update={"usd_per_unreserved_unit_hour": None})
            mine = [t for t in last.case.throughput if t.pool == pool.pool]
            rates += mine
            models |= {m.model: m for m in last.case.models if m.model in {t.model for t in mine} - models.keys()}
            if pool.region not in regions:
                there = next(r for r in last.case.regions if r.region == pool.region)
                regions[pool.region] = there.model_copy(update={"fails": False})
        owed.append(Commitment(offer=name, units=s.units, start=s.start, end=s.end))
    names = sorted(regions)
    return replace(
        case,
        demand=case.demand.assign(region=pd.Categorical(case.demand["region"], categories=names)),
        offers=tuple(sorted(offers.values(), key=lambda o: o.offer)),
        pools=tuple(sorted(pools.values(), key=lambda p: p.pool)),
        models=tuple(sorted(models.values(), key=lambda m: m.model)),
        regions=tuple(regions[name] for name in names),
        throughput=tuple(sorted(rates, key=lambda t: (t.pool, t.model, t.meter))),
        commitments=tuple(sorted(owed, key=lambda c: [c.model_dump_json()])),
    )
