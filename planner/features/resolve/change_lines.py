"""Lines of two plans side by side: what is held and bought, matched by offer and first day.

A line of this plan stands beside the last plan's line of the same offer, start and end. One that has none there, and
begins with this plan's months, renews what of its offer runs out on that day. What of the last plan is left over then
is `ending` (it runs out before this plan's months) or `dropped` (it was planned, and is not bought).
"""

import datetime as dt
from dataclasses import dataclass

from planner.features.resolve.changes import DROPPED, ENDING, FEWER, MORE, NEW, UNCHANGED, Line
from planner.plan.plan import Plan
from planner.schema.calendar import add_months
from planner.schema.capacity import Offer
from planner.schema.case import Case

SAME_UNITS = 1e-6

Key = tuple[str, dt.date, dt.date]  # offer, start, end


@dataclass(frozen=True)
class _Held:
    """Units of one contract under an offer; owed: bought before the plan. usd: inside the plan's months."""

    offer: Offer
    units: float = 0.0
    usd: float = 0.0
    owed: bool = False


def as_signed(offer: Offer) -> str:
    """Name of an offer that stands once more, closed, at the price of a commitment (as `planner accept` names it)."""
    return f"{offer.offer} at {offer.usd_per_unit_hour!r}"


def own_name(offer: Offer) -> str:
    """Name of the offer that a closed one at a signed price stands for."""
    return offer.offer.removesuffix(f" at {offer.usd_per_unit_hour!r}")


def change_lines(old: tuple[Case, Plan], new: tuple[Case, Plan]) -> tuple[Line, ...]:
    """Compare what two plans hold; before_usd and after_usd add up to each plan's reserved_usd and sunk_usd."""
    before, after = _contracts(*old), _contracts(*new)
    begins, ends = new[0].periods[0].start, new[0].periods[-1].end
    rest = {key: held for key, held in before.items() if key not in after}
    lines = []
    for key, held in after.items():
        offer, start, end = key
        was, renews = before.get(key), False
        if was is None and start == begins:
            spent = [k for k in rest if k[0] == offer and k[2] == start]
            parts = [rest.pop(k) for k in spent]
            renews = bool(parts)
            was = _Held(held.offer, sum(p.units for p in parts), sum(p.usd for p in parts)) if parts else None
        what = _what(None if was is None else was.units, held, end <= ends)
        lines.append(_line(new[0], key, was or _Held(held.offer), held, renews, what))
    for key, held in rest.items():
        gone = ENDING if key[2] <= begins else DROPPED
        lines.append(_line(old[0], key, held, _Held(held.offer, owed=held.owed), False, gone))
    return tuple(sorted(lines, key=lambda line: (line.start, line.region, line.offer, line.end)))


def _what(before: float | None, held: _Held, ends: bool) -> str:
    if before is None:
        return NEW
    if abs(held.units - before) <= SAME_UNITS:
        return ENDING if held.owed and ends else UNCHANGED
    return MORE if held.units > before else FEWER


def _contracts(case: Case, plan: Plan) -> dict[Key, _Held]:
    """Earlier commitments that are in force in some month of the plan, and its purchases."""
    offers = {o.offer: o for o in case.offers}
    start_of = {p.name: p.start for p in case.periods}
    found: dict[Key, _Held] = {}

    def add(offer: Offer, start: dt.date, end: dt.date, units: float, owed: bool) -> None:
        key = (own_name(offer), start, end)
        hours = sum(p.hours for p in case.periods if key[1] <= p.start and key[2] >= p.end)
        if not owed:  # a month of its term that the plan cuts is paid for its hours inside
            hours = sum(p.hours for p in case.periods if key[1] <= p.start < key[2])
        if hours > 0 and units > 0:
            was = found.get(key, _Held(offer))
            usd = units * offer.usd_per_unit_hour * hours
            found[key] = _Held(offer, was.units + units, was.usd + usd, was.owed or owed)

    for c in case.commitments:
        add(offers[c.offer], c.start, c.end, c.units, True)
    for name, period, units in plan.purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
        offer, start = offers[str(name)], start_of[str(period)]
        add(offer, start, add_months(start, offer.term_months), float(units), False)
    return found


def _line(case: Case, key: Key, was: _Held, held: _Held, renews: bool, what: str) -> Line:
    offer, start, end = key
    pool = held.offer.pool
    region = next(p.region for p in case.pools if p.pool == pool)
    return Line(offer, pool, region, start, end, held.owed, renews, was.units, held.units, was.usd, held.usd, what)
