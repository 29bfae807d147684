"""Each pool in each month: units held, bought, ending, deployed and used, and what they save on demand."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.results.derived import Derived
from planner.results.orders import OrderLine, order_lines
from planner.results.plan import Plan
from planner.results.unit_use import SLOT, convertible_use, reserved_use
from planner.schema.case import Case

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


def pool_months(case: Case, plan: Plan, derived: Derived) -> tuple[PoolMonth, ...]:
    """Every pool and meter, every month, in the order of region, pool, meter and month."""
    use = reserved_use(case, plan, derived)
    served = _by_slot(use, derived)
    wanted = _by_slot(pd.concat([use, convertible_use(case, plan, derived)], ignore_index=True), derived)
    deployed = plan.deployments.groupby(["pool", "meter", "period"], observed=True)["units"].sum()
    meters = sorted({(p.region, p.pool, t.meter) for p in case.pools for t in case.throughput if t.pool == p.pool})
    prices = {p.pool: p.usd_per_unreserved_unit_hour for p in case.pools}
    lines = order_lines(case, plan)
    earlier = derived.earlier
    earlier_usd = dict(zip(zip(earlier["pool"], earlier["meter"], earlier["period"]), earlier["usd"], strict=True))
    rows = []
    for region, pool, meter in meters:
        for k, period in enumerate(case.periods):
            key = pool, meter, period.name
            used, want = served.get(key), wanted.get(key)
            following = case.periods[k + 1].name if k + 1 < len(case.periods) else None
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
                    new_units=_new(lines, pool, meter, period.start),
                    ending_units=_ending(case, lines, pool, meter, k) if following else 0.0,
                    deployed_units=float(deployed.get(key, 0.0)),
                    unreserved_usd_per_unit_hour=prices[pool],
                    mean_used_units=0.0
                    if used is None
                    else float((used["used_units"] * used["weeks"]).sum() / period.hours),
                    peak_used_units=0.0 if used is None else float(used["units"].max()),
                    served_usd=0.0 if used is None else float(used["usd"].sum()),
                    wanted_units=np.zeros(0) if want is None else want["units"].to_numpy(float),
                    usd_per_unit=np.zeros(0) if want is None else (want["usd"] / want["units"]).to_numpy(float),
                )
            )
    return tuple(rows)


def _by_slot(use: pd.DataFrame, derived: Derived) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Units and on-demand dollars (over all occurrences) of each slot, by pool, meter and month, largest first."""
    use = use[use["units"] > 0].assign(usd=use["on_demand_usd_per_hour"].fillna(0.0))
    keys = ["pool", "meter", *SLOT]
    sums = use.groupby(keys, as_index=False, observed=True)[["units", "used_units", "usd"]].sum()
    sums = sums.merge(derived.slots, on=["scenario", "period"])
    sums["usd"] *= sums["weeks"]
    sums = sums.sort_values(["pool", "meter", "period", "units"], ascending=[True, True, True, False], kind="stable")
    months = sums.groupby(["pool", "meter", "period"], sort=False, observed=True)
    return {(str(a), str(b), str(c)): part for (a, b, c), part in months}


def _new(lines: tuple[OrderLine, ...], pool: str, meter: str, start: dt.date) -> float:
    return sum(
        n.units for n in lines if (n.offer.pool, n.offer.meter) == (pool, meter) and n.start <= start and n.end > start
    )


def _ending(case: Case, lines: tuple[OrderLine, ...], pool: str, meter: str, k: int) -> float:
    """Units in force in month k that are no longer in force in the next."""
    offers = {o.offer for o in case.offers if (o.pool, o.meter) == (pool, meter)}
    now, following = case.periods[k], case.periods[k + 1]
    earlier = sum(
        c.units
        for c in case.commitments
        if c.offer in offers and case.commitment_in_force(c, now) and not case.commitment_in_force(c, following)
    )
    new = sum(
        n.units
        for n in lines
        if (n.offer.pool, n.offer.meter) == (pool, meter) and n.start <= now.start and n.end == following.start
    )
    return earlier + new
