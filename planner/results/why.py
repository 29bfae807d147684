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

    A pool's units are worth the same to each model that uses them, unless its deployment is held by a size rule; the
    deployment with the largest rent of the month counts.
    """
    use, stress = _with_case(plan.rents), plan.stress_rents
    best = _best_deployment(use, stress)
    found = []
    for line in lines:
        mine_use, mine_stress = (_of(frame, best, case, line) for frame in (use, stress))
        by_case = mine_stress.groupby("case", observed=True)["usd_per_unit"].sum()
        found.append(
            LineRent(
                price_usd=_counted_price(case, line),
                use_by_hour=_by_hour(mine_use),
                stress_by_hour=_by_hour(mine_stress),
                stress_by_case={str(name): float(usd) for name, usd in by_case.items() if usd > 0},
            )
        )
    return tuple(found)


def _with_case(rents: pd.DataFrame) -> pd.DataFrame:
    return rents.assign(case="use")


def _best_deployment(use: pd.DataFrame, stress: pd.DataFrame) -> set[tuple[str, str, str, str]]:
    """(pool, meter, period, model) of the deployment with the largest rent of each pool, meter and month."""
    keys = ["pool", "meter", "period", "model"]
    both = pd.concat([frame[[*keys, "usd_per_unit"]].astype(dict.fromkeys(keys, object)) for frame in (use, stress)])
    sums = (
        both.groupby(keys, as_index=False)["usd_per_unit"]
        .sum()
        .sort_values("usd_per_unit", ascending=False, kind="stable")
    )
    best = sums.drop_duplicates(["pool", "meter", "period"])
    return set(best[keys].itertuples(index=False, name=None))


def _of(rents: pd.DataFrame, best: set[tuple[str, str, str, str]], case: Case, line: OrderLine) -> pd.DataFrame:
    inside = [p.name for p in case.periods if line.start <= p.start < line.end]
    mine = rents[
        (rents["pool"] == line.offer.pool) & (rents["meter"] == line.offer.meter) & rents["period"].isin(inside)
    ]
    chosen = [key in best for key in zip(mine["pool"], mine["meter"], mine["period"], mine["model"], strict=True)]
    return mine[np.array(chosen, dtype=bool)]


def _by_hour(rents: pd.DataFrame) -> Floats:
    hours = rents["hour_of_week"].to_numpy(dtype=np.int64)
    return np.bincount(hours, rents["usd_per_unit"].to_numpy(dtype=float), minlength=HOURS_PER_WEEK).astype(float)


def _counted_price(case: Case, line: OrderLine) -> float:
    counted = 1 - case.settings.policy.tail_value
    beyond = max(0, (line.end - case.periods[-1].end).days) * HOURS_PER_DAY
    return line.offer.usd_per_unit_hour * (line.hours_horizon + counted * beyond)
