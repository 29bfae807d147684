"""The calendar of expiries: when each commitment ends, by when to decide, what its pool loses, what is owed by month.

What a commitment's end would send to on demand is an estimate by the hours of one planned month: each hour takes what
it wants, up to the units in force, and pays the on-demand price for what is above them (as in the workbook's purchase
order). With w[h] the units wanted in hour h and v[h] what one of them serves would cost on demand in the month,

    value(L) = sum over h of min(w[h], L) v[h]           USD of the month, with L units in force
    coverage(L) = value(L) / value(infinity)             share of the pool's demand, by what it would cost on demand

Commitments longer than the history that the demand was forecast from: bets, with what a fall of demand would cost.

A line's units are the last ones of their pool. If every slot wanted (1 − f) of its units, they would serve

    served = Σ over slots  min(max((1 − f)·wanted − (level − units), 0), units) · on-demand price of a unit      [USD]

and lose what they cost in those months less that; the same loss is taken for the rest of the term.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.plan.orders import OrderLine, Owed, mean_month_hours, owed_after
from planner.plan.plan import Plan
from planner.plan.pool_months import PoolMonth, pool_months
from planner.plan.reading import Reading
from planner.schema.case import Case, hours_between
from planner.schema.settings import add_months
from planner.units import HOURS_PER_WEEK, counted, last_day

NOTICE_DAYS = 30  # before its end, a commitment is renewed, changed or let go
MOST_MONTHS = 120  # shown of what is owed month by month
MOST_GROUPS = 6  # regions listed one by one there; the last group is all others
OTHERS = "other regions"


@dataclass(frozen=True)
class Expiry:
    """One commitment and its end.

    before_units, after_units : in force of its pool and meter on its last day, and on the day after.
    days_without : days of the plan's months in which it is no longer in force; 0: it runs on past the plan.
    month : planned month whose hours the next figures are of: the one in which it is no longer in force, else the last.
    coverage_before, coverage_after : covered share of the pool's demand with those units; None where nothing is wanted.
    lapse_usd : what these units would serve of that month, over what is in force after, at on-demand prices, USD.
    month_hours : hours of that month. priced : whether what they serve has an on-demand price; if not, it is 0.
    """

    owed: Owed
    decide: dt.date
    before_units: float
    after_units: float
    days_without: int
    month: str
    month_hours: float
    coverage_before: float | None
    coverage_after: float | None
    lapse_usd: float
    priced: bool = True

    @property
    def usd_per_month(self) -> float:
        """What the units cost in a mean month of theirs, USD: as on the purchase order."""
        return self.owed.units * self.owed.usd_per_unit_hour * self.mean_month_hours

    @property
    def lapse_usd_per_month(self) -> float:
        """`lapse_usd`, in a mean month of theirs."""
        return self.lapse_usd * self.mean_month_hours / self.month_hours

    @property
    def mean_month_hours(self) -> float:
        """Hours of a mean month of the commitment (`orders.mean_month_hours`)."""
        return mean_month_hours(self.owed.offer, self.owed.start, self.owed.end)


@dataclass(frozen=True)
class Calendar:
    """Every commitment by its end, and what they cost month by month until the last one ends.

    months : first days, from the plan's first. groups : regions, the dearest first. usd : by month and group, of the
    hours of the month in which each commitment is in force. cut : whether months were left out at the end.
    """

    notice_days: int
    expiries: tuple[Expiry, ...]
    months: tuple[dt.date, ...]
    groups: tuple[str, ...]
    usd: tuple[tuple[float, ...], ...]
    cut: bool = False
    group_of: dict[str, int] = field(default_factory=dict)  # region: position in groups


def calendar_of(
    case: Case, plan: Plan, notice_days: int = NOTICE_DAYS, months: Sequence[PoolMonth] | None = None
) -> Calendar:
    """Lay out the ends of every commitment, earlier and bought, by end.

    Parameters
    ----------
    notice_days : days before an end by which to decide. months : `pool_months` of the plan, if the caller has them.
    """
    owed = owed_after(case, plan)
    if months is None:
        months = pool_months(Reading(case, plan))
    by_pool = {(m.pool, m.meter, m.period): m for m in months}
    expiries = tuple(_expiry(case, o, owed, by_pool, notice_days) for o in owed)
    firsts, cut = _months(case, owed)
    group_of, groups = _groups(owed)
    usd = tuple(tuple(_usd(owed, group_of, g, first) for g in range(len(groups))) for first in firsts)
    return Calendar(notice_days, expiries, firsts, groups, usd, cut, group_of)


def in_force(owed: Sequence[Owed], pool: str, meter: str, day: dt.date) -> float:
    """Units of a pool and meter in force on a day."""
    same = [o for o in owed if (o.offer.pool, o.offer.meter) == (pool, meter)]
    return sum(o.units for o in same if o.start <= day < o.end)


def _expiry(
    case: Case, o: Owed, owed: Sequence[Owed], months: dict[tuple[str, str, str], PoolMonth], notice_days: int
) -> Expiry:
    pool, meter = o.offer.pool, o.offer.meter
    before = in_force(owed, pool, meter, last_day(o.end))
    after = in_force(owed, pool, meter, o.end)
    period = next((p for p in case.periods if p.start <= o.end < p.end), case.periods[-1])
    month = months[pool, meter, period.name]
    most = _value(month, np.inf)
    return Expiry(
        owed=o,
        decide=o.end - dt.timedelta(days=notice_days),
        before_units=before,
        after_units=after,
        days_without=max(0, (case.periods[-1].end - max(o.end, case.periods[0].start)).days),
        month=period.name,
        month_hours=period.hours,
        coverage_before=_value(month, before) / most if most > 0 else None,
        coverage_after=_value(month, after) / most if most > 0 else None,
        lapse_usd=_value(month, after + o.units) - _value(month, after),
        priced=month.priced,
    )


def _value(month: PoolMonth, units: float) -> float:
    """On-demand price of what so many units serve in a month, USD."""
    return float((np.minimum(month.wanted_units, units) * month.usd_per_unit).sum())


def _months(case: Case, owed: Sequence[Owed]) -> tuple[tuple[dt.date, ...], bool]:
    """First days from the plan's first month to the month in which the last commitment is in force."""
    first = case.periods[0].start
    last = max((o.end for o in owed), default=case.periods[-1].end)
    count = (last.year - first.year) * 12 + last.month - first.month + (last.day > 1)
    count = max(count, case.settings.horizon.months)
    shown = min(count, MOST_MONTHS)
    return tuple(add_months(first, k) for k in range(shown)), count > shown


def _groups(owed: Sequence[Owed]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Regions with commitments, the dearest first; those beyond MOST_GROUPS share the last group."""
    total: dict[str, float] = {}
    for o in owed:
        total[o.region] = total.get(o.region, 0.0) + o.term_usd
    names = sorted(total, key=lambda name: (-total[name], name))
    if len(names) <= MOST_GROUPS:
        return {name: k for k, name in enumerate(names)}, tuple(names)
    return {name: min(k, MOST_GROUPS - 1) for k, name in enumerate(names)}, (*names[: MOST_GROUPS - 1], OTHERS)


def _usd(owed: Sequence[Owed], group_of: dict[str, int], group: int, first: dt.date) -> float:
    after = add_months(first, 1)
    return sum(
        o.units * o.usd_per_unit_hour * hours_between(max(o.start, first), min(o.end, after))
        for o in owed
        if group_of[o.region] == group
    )


FALL = 0.3


@dataclass(frozen=True)
class Bet:
    """An order line whose term is longer than the history.

    at_stake_usd : what it would lose over its term, against buying the same on demand, if demand fell by ``FALL``;
        None where there is no on-demand price to compare with.
    """

    line: OrderLine
    term_weeks: float
    history_weeks: float
    at_stake_usd: float | None

    def __str__(self) -> str:
        weeks, known = (
            counted(self.term_weeks, "week", ",.0f"),
            f"{counted(self.history_weeks, 'week', ',.0f')} of history",
        )
        name = f"{self.line.offer.offer} from {self.line.start}"
        if self.at_stake_usd is None:
            return (
                f"{name} is a bet: {weeks} on {known}. What it would lose if demand fell is not known: there is no "
                f"on-demand price to compare with. It costs ${self.line.term_usd:,.0f} over its term."
            )
        lost = f"would lose ${self.at_stake_usd:,.0f}" if self.at_stake_usd > 0 else "would still lose nothing"
        return f"{name} is a bet: {weeks} on {known}. It {lost} if demand falls {FALL:.0%}."


def bets_of(lines: Sequence[OrderLine], months: Sequence[PoolMonth], history_weeks: float) -> tuple[Bet, ...]:
    """List the order lines whose term is longer than the history, the one with most at stake first."""
    found = []
    for line in lines:
        weeks = line.hours_term / HOURS_PER_WEEK
        if weeks <= history_weeks:
            continue
        own = [
            m
            for m in months
            if (m.pool, m.meter) == (line.offer.pool, line.offer.meter) and line.covers(m.start, m.end)
        ]
        lost = sum(line.units * line.usd_per_unit_hour * m.hours - _served_usd(m, line.units) for m in own)
        hours = sum(m.hours for m in own)
        stake = max(0.0, lost) * line.hours_term / hours if hours > 0 else 0.0
        found.append(Bet(line, weeks, history_weeks, stake if all(m.priced for m in own) else None))
    return tuple(sorted(found, key=lambda bet: -bet.line.term_usd if bet.at_stake_usd is None else -bet.at_stake_usd))


def _served_usd(month: PoolMonth, units: float) -> float:
    """Return the on-demand price of what a pool's last units would serve after the fall."""
    wanted = (1.0 - FALL) * month.wanted_units - (month.level_units - units)
    return float(np.clip(wanted, 0.0, units) @ month.usd_per_unit)
