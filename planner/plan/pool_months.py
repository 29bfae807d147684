"""Each pool in each month: units held, bought, ending, deployed and used, and what they save on demand."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.plan.orders import OrderLine, order_lines
from planner.plan.reading import Reading
from planner.plan.unit_use import convertible_use, reserved_use
from planner.schema.capacity import Commitment
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PoolMonth:
    """A pool's meter in one month.

    ``wanted_units`` holds, for each slot of the month, what reserved service and the on-demand flows that the pool
    could have served would take; ``usd_per_unit`` what one of these units serves would cost on demand over all
    occurrences of the slot. Slots in which nothing is wanted are left out.
    """

    pool: str
    region: str
    meter: str
    period: str
    start: dt.date
    end: dt.date
    hours: float
    earlier_units: float
    earlier_usd: float  # what they cost in the month
    new_units: float
    ending_units: float  # in force this month, not in the next
    deployed_units: float
    unreserved_usd_per_unit_hour: float | None
    mean_used_units: float  # with bursts, without headroom
    peak_used_units: float  # of the busiest slot, with headroom
    served_usd: float  # on-demand price of what reserved units serve
    wanted_units: Floats
    usd_per_unit: Floats

    @property
    def in_force_units(self) -> float:
        """Earlier and new commitments."""
        return self.earlier_units + self.new_units

    @property
    def unreserved_units(self) -> float:
        """Deployed beyond the commitments, where the pool sells that."""
        if self.unreserved_usd_per_unit_hour is None:
            return 0.0
        return max(0.0, self.deployed_units - self.in_force_units)

    @property
    def unreserved_usd(self) -> float:
        """What those cost in the month."""
        return self.unreserved_units * (self.unreserved_usd_per_unit_hour or 0.0) * self.hours

    @property
    def level_units(self) -> float:
        """All units at hand: in force, and deployed beyond that."""
        return self.in_force_units + self.unreserved_units

    @property
    def served_usd_per_unit(self) -> float:
        """On-demand price of what one unit serves in the month."""
        return self.served_usd / self.level_units if self.level_units > 0 else 0.0


def pool_months(reading: Reading) -> tuple[PoolMonth, ...]:
    """Every pool and meter, every month, in the order of region, pool, meter and month."""
    case, plan, derived, names = reading.case, reading.plan, reading.derived, reading.names
    used, more = reserved_use(reading), convertible_use(reading)
    weeks = np.repeat(derived.slots["weeks"].to_numpy(float), HOURS_PER_WEEK)
    deployed: dict[tuple[str, str, str], float] = {}
    columns = ("pool", "meter", "period", "units")
    for *at, units in zip(*(plan.deployments[column] for column in columns), strict=True):
        deployed[at[0], at[1], at[2]] = deployed.get((at[0], at[1], at[2]), 0.0) + units
    pools = {p.pool: p for p in case.pools}
    earlier = derived.earlier
    earlier_usd = dict(zip(zip(earlier["pool"], earlier["meter"], earlier["period"]), earlier["usd"], strict=True))
    lines: dict[tuple[str, str], list[OrderLine]] = {}
    for line in order_lines(case, plan):
        lines.setdefault((line.offer.pool, line.offer.meter), []).append(line)
    commitments: dict[tuple[str, str], list[Commitment]] = {}
    offers = {o.offer: (o.pool, o.meter) for o in case.offers}
    for c in case.commitments:
        commitments.setdefault(offers[c.offer], []).append(c)
    slots = np.arange(names.slot_count).reshape(len(names.scenarios), len(names.periods), HOURS_PER_WEEK)
    rows = []
    for region, pool, meter, m in sorted((pools[p].region, p, meter, m) for m, (p, meter) in enumerate(reading.meters)):
        own, owed = lines.get((pool, meter), []), commitments.get((pool, meter), [])
        for k, period in enumerate(case.periods):
            key, now = (pool, meter, period.name), slots[:, k].ravel()
            units = used.units[m, now] + more.units[m, now]
            order = np.argsort(-units, kind="stable")[: int((units > 0).sum())]
            usd = ((used.usd_per_hour[m, now] + more.usd_per_hour[m, now]) * weeks[now])[order]
            rows.append(
                PoolMonth(
                    pool=pool,
                    region=region,
                    meter=meter,
                    period=period.name,
                    start=period.start,
                    end=period.end,
                    hours=period.hours,
                    earlier_units=derived.earlier_units.get(key, 0.0),
                    earlier_usd=earlier_usd.get(key, 0.0),
                    new_units=sum(n.units for n in own if n.start <= period.start < n.end),
                    ending_units=_ending(case, own, owed, k) if k + 1 < len(case.periods) else 0.0,
                    deployed_units=deployed.get(key, 0.0),
                    unreserved_usd_per_unit_hour=pools[pool].usd_per_unreserved_unit_hour,
                    mean_used_units=float(used.used_units[m, now] @ weeks[now]) / period.hours,
                    peak_used_units=float(used.units[m, now].max(initial=0.0)),
                    served_usd=float(used.usd_per_hour[m, now] @ weeks[now]),
                    wanted_units=units[order],
                    usd_per_unit=usd / units[order],
                )
            )
    return tuple(rows)


def _ending(case: Case, lines: list[OrderLine], commitments: list[Commitment], k: int) -> float:
    """Units of a pool's meter in force in month k that are no longer in force in the next."""
    now, following = case.periods[k], case.periods[k + 1]
    earlier = sum(
        c.units for c in commitments if case.commitment_in_force(c, now) and not case.commitment_in_force(c, following)
    )
    return earlier + sum(n.units for n in lines if n.start <= now.start and n.end == following.start)
