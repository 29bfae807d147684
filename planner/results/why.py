"""Why each purchase pays: the rents of its units, hour by hour (the duals of rules 4 and 8, model.md)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.results.orders import OrderLine
from planner.results.plan import Plan
from planner.schema.case import Case
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LineRent:
    """What pays for one unit of an order line over the months of its term inside the horizon, USD per unit.

    use_by_hour : rent of ordinary use, 168 hours of the week, summed over months and scenarios.
    stress_by_hour : what stress cases pay for, in the hours that set their need.
    stress_by_case : the same by stress case.
    price_usd : what the unit costs: inside the horizon and the counted share past it.
    """

    price_usd: float
    use_by_hour: Floats
    stress_by_hour: Floats
    stress_by_case: dict[str, float]

    @property
    def use_usd(self) -> float:
        """Paid by ordinary use."""
        return float(self.use_by_hour.sum())

    @property
    def stress_usd(self) -> float:
        """Paid by headroom and failover."""
        return float(self.stress_by_hour.sum())

    @property
    def rent_usd(self) -> float:
        """All that pays for the unit."""
        return self.use_usd + self.stress_usd


def line_rents(case: Case, plan: Plan, lines: tuple[OrderLine, ...]) -> tuple[LineRent, ...]:
    """Rents of every order line.

    A pool's unit earns the same in each deployment that holds units, by use in one and by failover in another; a line's
    rents are those of the pool's deployments, weighted by the units that each holds in the month.
    """
    weights = _weights(plan)
    use, stress = _weighted(plan.rents.assign(case="use"), weights), _weighted(plan.stress_rents, weights)
    of_use, of_stress = _by_pool(use), _by_pool(stress)
    found = []
    for line in lines:
        mine_use, mine_stress = _of(use, of_use, case, line), _of(stress, of_stress, case, line)
        by_case = mine_stress.groupby("case")["usd_per_unit"].sum()
        found.append(
            LineRent(
                price_usd=_counted_price(case, line),
                use_by_hour=_by_hour(mine_use),
                stress_by_hour=_by_hour(mine_stress),
                stress_by_case={str(name): float(usd) for name, usd in by_case.items() if usd > 0},
            )
        )
    return tuple(found)


def _weights(plan: Plan) -> pd.DataFrame:
    """Share of a pool's units that each deployment holds: pool, meter, model, period, weight."""
    keys = ["pool", "meter", "model", "period"]
    units = plan.deployments.astype(dict.fromkeys(keys, object)).groupby(keys, as_index=False)[["units"]].sum()
    whole = units.groupby(["pool", "meter", "period"])["units"].transform("sum")
    units["weight"] = units["units"] / whole.where(whole > 0)
    return units[[*keys, "weight"]].dropna()


def _weighted(rents: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    keys = ["pool", "meter", "model", "period"]
    rents = rents.astype(dict.fromkeys([*keys, "case"], object)).merge(weights, on=keys)
    rents["usd_per_unit"] = rents["usd_per_unit"].astype(float) * rents["weight"].astype(float)
    return rents


def _by_pool(rents: pd.DataFrame) -> dict[tuple[str, str], Ints]:
    """Positions of each pool's and meter's rents."""
    number = rents.groupby(["pool", "meter"]).ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    _, first = np.unique(number[order], return_index=True)
    parts = np.split(order, first[1:]) if len(first) else []
    return {(rents["pool"].iloc[at[0]], rents["meter"].iloc[at[0]]): at for at in parts}


def _of(rents: pd.DataFrame, places: dict[tuple[str, str], Ints], case: Case, line: OrderLine) -> pd.DataFrame:
    inside = [p.name for p in case.periods if line.start <= p.start < line.end]
    mine = rents.iloc[places.get((line.offer.pool, line.offer.meter), [])]
    return mine[mine["period"].isin(inside)]


def _by_hour(rents: pd.DataFrame) -> Floats:
    hours = rents["hour_of_week"].to_numpy(dtype=np.int64)
    return np.bincount(hours, rents["usd_per_unit"].to_numpy(dtype=float), minlength=HOURS_PER_WEEK).astype(float)


def _counted_price(case: Case, line: OrderLine) -> float:
    counted = 1 - case.settings.policy.tail_value
    beyond = max(0, (line.end - case.periods[-1].end).days) * HOURS_PER_DAY
    return line.offer.usd_per_unit_hour * (line.hours_horizon + counted * beyond)
