"""Demand between two cases: the mean rates of one, spread as in the other (`studies.hybrid` has the rule)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.flows import Floats
from planner.schema.case import DEMAND_COLUMNS, Case
from planner.units import HOURS_PER_WEEK

SAME_RATE = 1e-9  # relative: rounding, not a change
SAME_SHAPE = 1e-6  # of the peak: decimals that a file rounds off are no change

Need = tuple[str, str]  # origin, workload


@dataclass(frozen=True)
class Spread:
    """Demand of a case as arrays.

    rate : mean requests per hour of each origin and workload, expected over scenarios and the case's own months.
    demand : requests per hour, scenarios x months x hours of the week. weight : probability of each scenario.
    """

    rate: dict[Need, float]
    demand: dict[Need, Floats]
    scenarios: tuple[str, ...]
    weight: Floats

    @classmethod
    def of(cls, case: Case) -> "Spread":
        """Lay out the demand of a case."""
        names = tuple(s.scenario for s in case.scenarios)
        weight = np.array([s.probability for s in case.scenarios])
        months = np.array([p.weeks for p in case.periods])
        each = weight[:, None, None] * months[None, :, None] * np.ones(HOURS_PER_WEEK)
        frame = case.demand
        scenario = pd.Categorical(frame["scenario"], names).codes
        period = pd.Categorical(frame["period"], [p.name for p in case.periods]).codes
        hour, value = frame["hour_of_week"].to_numpy(), frame["requests_per_hour"].to_numpy(float)
        demand: dict[Need, Floats] = {}
        keys = pd.MultiIndex.from_arrays([frame["region"].astype(str), frame["workload"].astype(str)])
        code, found = pd.factorize(keys, sort=True)
        for k, need in enumerate(found):
            mine = code == k
            demand[need] = np.zeros(each.shape)
            demand[need][scenario[mine], period[mine], hour[mine]] = value[mine]
        rate = {need: float((each * d).sum() / each.sum()) for need, d in demand.items()}
        return cls(rate, demand, names, weight)


def same_rates(old: Spread, new: Spread) -> bool:
    """Whether two cases have the same mean rates."""
    needs = old.rate.keys() | new.rate.keys()
    return all(np.isclose(old.rate.get(n, 0.0), new.rate.get(n, 0.0), rtol=SAME_RATE, atol=0.0) for n in needs)


def same_shape(old: Spread, new: Spread) -> bool:
    """Whether two cases spread the rates that both have in the same way, months taken by position."""
    if old.scenarios != new.scenarios or not np.array_equal(old.weight, new.weight):
        return False
    for need in old.rate.keys() & new.rate.keys():
        if old.rate[need] <= 0 or new.rate[need] <= 0:
            continue
        a, b = old.demand[need] / old.rate[need], new.demand[need] / new.rate[need]
        months = np.arange(max(a.shape[1], b.shape[1]))
        a, b = (x[:, np.minimum(months, x.shape[1] - 1)] for x in (a, b))
        if np.abs(a - b).max() > SAME_SHAPE * a.max():
            return False
    return True


def shaped(case: Case, volume: Spread, shape: Spread) -> dict[Need, Floats]:
    """Demand of a hybrid: the rates of ``volume``, spread as in ``shape`` over the scenarios and months of ``case``."""
    names, months = [s.scenario for s in case.scenarios], len(case.periods)
    found = {}
    for need, rate in volume.rate.items():
        if rate <= 0:
            continue
        own = shape if shape.rate.get(need, 0.0) > 0 else volume
        spread = _in_scenarios(own, own.demand[need], names)
        month = np.minimum(np.arange(months), spread.shape[1] - 1)
        found[need] = spread[:, month] * (1.0 if own is volume else rate / own.rate[need])
    return found


def _in_scenarios(own: Spread, demand: Floats, names: list[str]) -> Floats:
    """Demand by the scenarios of a hybrid; one that the demand's case does not know has its mean over scenarios."""
    if tuple(names) == own.scenarios:
        return demand
    mean = np.tensordot(own.weight / own.weight.sum(), demand, axes=1)
    at = {name: k for k, name in enumerate(own.scenarios)}
    return np.array([demand[at[name]] if name in at else mean for name in names])


def demand_frame(case: Case, demand: dict[Need, Floats]) -> pd.DataFrame:
    """Lay demand out as the table of a case: sorted, without zeros, names as categories."""
    regions = {r.region: k for k, r in enumerate(case.regions)}
    workloads = {w.workload: k for k, w in enumerate(case.workloads)}
    parts = []
    for (origin, workload), values in demand.items():
        s, p, h = np.nonzero(values > 0)
        parts.append((np.full(len(s), regions[origin]), np.full(len(s), workloads[workload]), s, p, h, values[s, p, h]))
    columns = [np.concatenate([part[k] for part in parts]) if parts else np.empty(0) for k in range(6)]
    order = np.lexsort([c.astype(np.int64) for c in columns[4::-1]])
    names = (list(regions), list(workloads), [s.scenario for s in case.scenarios], [p.name for p in case.periods])
    made: list[object] = [
        pd.Categorical.from_codes(columns[k][order].astype(np.int64), pd.Index(known, dtype=object))
        for k, known in enumerate(names)
    ]
    made += [columns[4][order].astype(np.int64), columns[5][order].astype(np.float64)]
    return pd.DataFrame(dict(zip(DEMAND_COLUMNS, made)))
