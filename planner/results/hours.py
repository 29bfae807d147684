"""The plan hour by hour: what reserved units and on demand serve in each region, of each model, in each month."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.results.derived import Derived
from planner.results.plan import Plan
from planner.results.unit_use import reserved_use
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK

_DIGITS = 4  # of a request per hour: beyond what any chart shows

Week = npt.NDArray[np.float64]  # 168 values
Key = tuple[str, str, str]  # region or pool, model, period


@dataclass(frozen=True)
class ServedWeek:
    """One region, model and month; expected over scenarios; 168 values each, requests per hour.

    capacity_rph : what the deployed units can serve at each hour's mix of requests, headroom kept; in a pool whose
        units move between models by the hour, this model's share of them.
    level_rph : the same at the month's mix of requests.
    """

    region: str
    model: str
    period: str
    scenarios: int
    reserved_rph: list[float]
    on_demand_rph: list[float]
    capacity_rph: list[float]
    level_rph: float

    @property
    def demand_rph(self) -> list[float]:
        """All that is served here."""
        return [a + b for a, b in zip(self.reserved_rph, self.on_demand_rph, strict=True)]


def served_weeks(case: Case, plan: Plan, derived: Derived) -> list[ServedWeek]:
    """Every region, model and month in which something is served or deployed, sorted."""
    is_reserved = plan.dispatch["supply"].isin([p.pool for p in case.pools])
    reserved = _weeks(case, plan.dispatch[is_reserved])
    on_demand = _weeks(case, plan.dispatch[~is_reserved])
    capacity = _capacity(case, plan, derived)
    nothing = np.zeros(HOURS_PER_WEEK)
    return [
        ServedWeek(
            *key,
            scenarios=len(case.scenarios),
            reserved_rph=_rounded(reserved.get(key, nothing)),
            on_demand_rph=_rounded(on_demand.get(key, nothing)),
            capacity_rph=_rounded(capacity[key][0] if key in capacity else nothing),
            level_rph=round(capacity[key][1], _DIGITS) if key in capacity else 0.0,
        )
        for key in sorted(reserved.keys() | on_demand.keys() | capacity.keys())
    ]


def _rounded(week: Week) -> list[float]:
    return [round(float(value), _DIGITS) for value in week]


def _weeks(case: Case, flows: pd.DataFrame) -> dict[Key, Week]:
    """Sum up expected requests per hour by region, model and month."""
    probability = {s.scenario: s.probability for s in case.scenarios}
    expected = flows["requests_per_hour"] * flows["scenario"].map(probability).astype(float)
    keys = ["region", "model", "period", "hour_of_week"]
    sums = expected.groupby([flows[k] for k in keys], observed=True).sum()
    rows: list[Any] = sums.reset_index(name="requests_per_hour").to_dict("records")
    found: dict[Key, Week] = {}
    for row in rows:
        key = str(row["region"]), str(row["model"]), str(row["period"])
        found.setdefault(key, np.zeros(HOURS_PER_WEEK))[int(row["hour_of_week"])] = row["requests_per_hour"]
    return found


def _capacity(case: Case, plan: Plan, derived: Derived) -> dict[Key, tuple[Week, float]]:
    """Find what the deployments of a region and model can serve, requests per hour: by hour, and at the month's mix.

    A deployment serves its units over the mean load of a request; of several meters, the scarcest counts.
    """
    use = _loads_by_hour(case, plan, derived)
    idle = derived.loads.assign(kept=derived.loads["units_per_request"] / derived.loads["usable_share"])
    unused: dict[Any, float] = idle.groupby(["pool", "meter", "model"])["kept"].mean().to_dict()
    regions = {p.pool: p.region for p in case.pools}
    scarcest: dict[Key, tuple[Week, float]] = {}
    rows: list[Any] = list(plan.deployments.itertuples(index=False))
    for row in rows:
        pool, meter, period, units = str(row.pool), str(row.meter), str(row.period), float(row.units)
        shared = row.model == SHARED_DEPLOYMENT
        models = [m for p, k, m in unused if (p, k) == (pool, meter)] if shared else [str(row.model)]
        whole = sum((use[k][1] for k in use if k[:2] == (pool, meter) and k[3] == period and k[2] in models), _NONE)
        for model in models:
            served, load = use.get((pool, meter, model, period), (_NONE, _NONE))
            if load.sum() > 0:
                level = units * served.sum() / whole.sum()
                hours = np.where(whole > 0, units * served / np.where(whole > 0, whole, 1.0), level)
            else:
                per_request = unused.get((pool, meter, model), 0.0)
                level = units / per_request if per_request > 0 and not shared else 0.0
                hours = np.full(HOURS_PER_WEEK, level)
            before = scarcest.get((pool, model, period))
            least = (hours, level) if before is None else (np.minimum(before[0], hours), min(before[1], level))
            scarcest[pool, model, period] = least
    found: dict[Key, tuple[Week, float]] = {}
    for (pool, model, period), (hours, level) in scarcest.items():
        key = regions[pool], model, period
        so_far = found.get(key, (_NONE, 0.0))
        found[key] = so_far[0] + hours, so_far[1] + level
    return found


_NONE = np.zeros(HOURS_PER_WEEK)


def _loads_by_hour(case: Case, plan: Plan, derived: Derived) -> dict[tuple[str, str, str, str], tuple[Week, Week]]:
    """Sum up expected requests and their units (with headroom) by pool, meter, model and period: 168 values each."""
    probability = {s.scenario: s.probability for s in case.scenarios}
    use = reserved_use(case, plan, derived)
    weight = use["scenario"].map(probability).astype(float)
    use = use.assign(rph=use["requests_per_hour"] * weight, load=use["units"] * weight)
    keys = ["pool", "meter", "model", "period", "hour_of_week"]
    rows: list[Any] = list(
        use.groupby(keys, as_index=False, observed=True)[["rph", "load"]].sum().itertuples(index=False)
    )
    found: dict[tuple[str, str, str, str], tuple[Week, Week]] = {}
    for row in rows:
        key = str(row.pool), str(row.meter), str(row.model), str(row.period)
        served, load = found.setdefault(key, (np.zeros(HOURS_PER_WEEK), np.zeros(HOURS_PER_WEEK)))
        served[int(row.hour_of_week)], load[int(row.hour_of_week)] = row.rph, row.load
    return found
