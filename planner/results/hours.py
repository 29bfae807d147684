"""The plan hour by hour: what reserved units and on demand serve in each region, of each model, in each month."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.results.derived import Derived
from planner.results.plan import Plan
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK

_DIGITS = 4  # of a request per hour: beyond what any chart shows


@dataclass(frozen=True)
class ServedWeek:
    """One region, model and month; expected over scenarios; 168 values each, requests per hour.

    ``capacity_rph`` is what the deployed units can serve at this month's mix of requests, headroom kept; in a pool
    whose units move by the hour, this model's share of them.
    """

    region: str
    model: str
    period: str
    scenarios: int
    reserved_rph: list[float]
    on_demand_rph: list[float]
    capacity_rph: float

    @property
    def demand_rph(self) -> list[float]:
        """All that is served here."""
        return [a + b for a, b in zip(self.reserved_rph, self.on_demand_rph, strict=True)]


def served_weeks(case: Case, plan: Plan, derived: Derived) -> list[ServedWeek]:
    """Every region, model and month in which something is served or deployed, sorted."""
    reserved = plan.dispatch["supply"].isin([p.pool for p in case.pools])
    parts = {True: _weeks(case, plan.dispatch[reserved]), False: _weeks(case, plan.dispatch[~reserved])}
    capacity = _capacity(case, plan, derived)
    keys = sorted(parts[True].keys() | parts[False].keys() | capacity.keys())
    nothing = np.zeros(HOURS_PER_WEEK)
    return [
        ServedWeek(
            *key,
            scenarios=len(case.scenarios),
            reserved_rph=[round(float(v), _DIGITS) for v in parts[True].get(key, nothing)],
            on_demand_rph=[round(float(v), _DIGITS) for v in parts[False].get(key, nothing)],
            capacity_rph=round(capacity.get(key, 0.0), _DIGITS),
        )
        for key in keys
    ]


def _weeks(case: Case, flows: pd.DataFrame) -> dict[tuple[str, str, str], npt.NDArray[np.float64]]:
    """Sum up expected requests per hour by region, model and month."""
    probability = {s.scenario: s.probability for s in case.scenarios}
    expected = flows["requests_per_hour"] * flows["scenario"].map(probability).astype(float)
    keys = ["region", "model", "period", "hour_of_week"]
    sums = expected.groupby([flows[k] for k in keys], observed=True).sum()
    found: dict[tuple[str, str, str], npt.NDArray[np.float64]] = {}
    rows: list[Any] = sums.reset_index(name="requests_per_hour").to_dict("records")
    for row in rows:
        key = str(row["region"]), str(row["model"]), str(row["period"])
        found.setdefault(key, np.zeros(HOURS_PER_WEEK))[int(row["hour_of_week"])] = row["requests_per_hour"]
    return found


def _capacity(case: Case, plan: Plan, derived: Derived) -> dict[tuple[str, str, str], float]:
    """Units over the mean load of a request, of the scarcest meter: requests per hour that a deployment can serve."""
    loads = derived.loads.assign(kept=derived.loads["units_per_request"] / derived.loads["usable_share"])
    served = plan.dispatch.rename(columns={"supply": "pool"})
    mixes = served.groupby(["workload", "model", "pool", "period"], as_index=False, observed=True)[
        "requests_per_hour"
    ].sum()
    load = mixes.merge(loads, on=["workload", "model", "pool"])
    load["units"] = load["requests_per_hour"] * load["kept"]
    keys = ["pool", "meter", "model", "period"]
    sums = load.groupby(keys, observed=True)[["units", "requests_per_hour"]].sum()
    used = sums.groupby(level=["pool", "meter", "period"])["units"].sum()
    default = loads.groupby(["pool", "meter", "model"])["kept"].mean()
    regions = {p.pool: p.region for p in case.pools}
    scarcest: dict[tuple[str, str, str], float] = {}
    rows: list[Any] = list(plan.deployments.itertuples(index=False))
    for row in rows:
        pool, meter, period = str(row.pool), str(row.meter), str(row.period)
        shared = row.model == SHARED_DEPLOYMENT
        models = [m for p, k, m in default.index if (p, k) == (pool, meter)] if shared else [str(row.model)]
        for model in models:
            key = (pool, meter, model, period)
            if key in sums.index and sums.loc[key, "units"] > 0:
                per_request = sums.loc[key, "units"] / sums.loc[key, "requests_per_hour"]
                units = float(row.units) * (sums.loc[key, "units"] / used[pool, meter, period] if shared else 1.0)
            else:
                per_request, units = default.get((pool, meter, model), 0.0), 0.0 if shared else float(row.units)
            if per_request > 0:
                rph = units / per_request
                scarcest[pool, model, period] = min(scarcest.get((pool, model, period), rph), rph)
    found: dict[tuple[str, str, str], float] = {}
    for (pool, model, period), rph in scarcest.items():
        key3 = regions[pool], model, period
        found[key3] = found.get(key3, 0.0) + rph
    return found
