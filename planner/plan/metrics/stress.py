"""Stress cases: the worst slot of each, what is asked and what stands, and where the load goes.

Capacity of a slot is what the witness serves in it and what is left beside that: spare units of each surviving
deployment over the units that a mean request takes there (of several meters the scarcest), and what is left of each
quota that counts over the tokens that a mean request counts. Only regions and models that some workload may use are
counted, but routes and residency of single origins are not: capacity that one origin may use counts for all. So a
margin says at most how much demand may grow; the worst slot is the one with the least.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.plan.flows import Floats
from planner.plan.joins import encode
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.tables import STRESS_COLUMNS, STRESS_LOAD_COLUMNS
from planner.plan.stress_cases import StressCase, Witness
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.units import HOURS_PER_WEEK

_RENT = 1e-9  # USD: below it a stress case makes nothing dearer
_DIGITS = 9  # of a margin: below it is rounding


@dataclass(frozen=True)
class Worst:
    """The worst slot of one stress case (-1: it asks for nothing) and what its witness does in it."""

    case: StressCase
    slot: int
    need_rph: float
    capacity_rph: float
    load: pd.DataFrame  # region, model, supply, reserved, unlimited, requests_per_hour


def worst_slots(basis: Basis) -> list[Worst]:
    """Find the worst slot of every stress case."""
    reading = basis.reading
    each = _mean_units(basis), _mean_tokens(basis)
    reach = _in_reach(basis)
    return [
        _worst(basis, case, witness, {pair for pair in reach if pair[0] != case.failed}, *each)
        for case, witness in zip(reading.stress_cases, reading.witnesses[0], strict=True)
    ]


def stress(basis: Basis, worst: list[Worst]) -> pd.DataFrame:
    """One row a stress case: columns STRESS_COLUMNS."""
    rents = basis.plan.stress_rents
    binding = {str(name) for name in rents.loc[rents["usd_per_unit"] > _RENT, "case"]}
    rows = []
    for w in worst:
        scenario, period, hour = _slot(basis, w.slot)
        reserved = float(w.load.loc[w.load["reserved"], "requests_per_hour"].sum())
        on_demand = float(w.load.loc[~w.load["reserved"], "requests_per_hour"].sum())
        margin = round(w.capacity_rph / w.need_rph - 1, _DIGITS) if w.need_rph > 0 else float("nan")
        rows.append((w.case.name, w.case.failed, scenario, period, hour, w.need_rph, reserved, on_demand,
                     w.capacity_rph, margin, w.case.name in binding))  # fmt: skip
    return pd.DataFrame(rows, columns=list(STRESS_COLUMNS))


def stress_load(worst: list[Worst]) -> pd.DataFrame:
    """Where the load of each worst slot goes: columns STRESS_LOAD_COLUMNS, the largest first."""
    rows = []
    for w in worst:
        names = (w.load[name] for name in ("region", "model", "supply"))
        rph = w.load["requests_per_hour"].tolist()
        part = sorted(zip([-n for n in rph], *names, rph, strict=True))
        total = w.load["requests_per_hour"].sum()
        rows += [(w.case.name, *where, n, n / total if total > 0 else 0.0) for _, *where, n in part]
    return pd.DataFrame(rows, columns=list(STRESS_LOAD_COLUMNS))


def _slot(basis: Basis, slot: int) -> tuple[str | None, str | None, float]:
    if slot < 0:
        return None, None, float("nan")
    block, hour = divmod(slot, HOURS_PER_WEEK)
    scenario, period = divmod(block, len(basis.names.periods))
    return basis.names.scenarios[scenario], basis.names.periods[period], float(hour)


def _worst(
    basis: Basis,
    case: StressCase,
    witness: Witness,
    standing: set[tuple[str, str]],
    units_each: Floats,
    tokens_each: Floats,
) -> Worst:
    names, flows, slots = basis.names, witness.flows, basis.names.slot_count
    asked = (basis.reading.demand * case.need_factor[:, None]).sum(axis=0)
    served = np.bincount(flows.place, flows.rph, witness.places).astype(float)[None, :]
    load = flows.unit_load(len(names.deployments), witness.places, headroom=False)
    spare = _spare_units(basis, witness.over_slots(load, slots), units_each, standing)
    per_request = flows.ways["quota_per_request"].to_numpy(float)
    tpm = flows.sums(flows.ways["quota"].to_numpy(int), len(names.quotas), witness.places, per_request)
    room = np.maximum(case.quota_tpm[:, None] - witness.over_slots(tpm, slots), 0.0)
    counted = np.array([(r, m) in standing for r, m, _ in names.quotas], bool)
    usable = (counted & (case.quota_tpm > 0) & np.isfinite(tokens_each))[:, None]
    left = np.where(usable, room / np.where(np.isfinite(tokens_each), tokens_each, 1.0)[:, None], 0.0)
    capacity = witness.over_slots(served, slots)[0] + spare + left.sum(axis=0)
    margin = np.where(asked > 0, capacity / np.where(asked > 0, asked, 1.0), np.inf)
    period = np.arange(slots) // HOURS_PER_WEEK % len(names.periods)
    slot = int(np.lexsort((period, -asked, margin))[0])
    if not asked[slot] > 0:
        return Worst(case, -1, 0.0, 0.0, _load(case, witness, np.zeros(len(flows.ways))))
    weight = np.bincount(witness.place[witness.slot == slot], minlength=witness.places)
    rph = np.bincount(flows.way, flows.rph * weight[flows.place], len(flows.ways)).astype(float)
    of_need = flows.ways["need"].to_numpy(int)
    total = np.bincount(of_need, rph, names.need_count)
    wanted = basis.reading.demand[:, slot] * case.need_factor
    rph *= np.divide(wanted, total, out=np.zeros(len(total)), where=total > 0)[of_need]  # the slot's own demand
    return Worst(case, slot, float(asked[slot]), float(capacity[slot]), _load(case, witness, rph))


def _load(case: StressCase, witness: Witness, rph: Floats) -> pd.DataFrame:
    """Sum up requests per hour (by way) by region, model and supply."""
    ways = witness.flows.ways
    used = np.flatnonzero(rph > 0)
    _, first, number = np.unique(ways["served_by"].to_numpy(int)[used], return_index=True, return_inverse=True)
    where = ways.iloc[used[first]]
    quota = where["quota"].to_numpy(int)
    return pd.DataFrame({
        **{name: where[name].to_numpy() for name in ("region", "model", "supply", "reserved")},
        "unlimited": (quota >= 0) & np.isinf(np.append(case.quota_tpm, 0.0)[quota]),
        "requests_per_hour": np.bincount(number, rph[used], len(first)).astype(float),
    })  # fmt: skip


def _in_reach(basis: Basis) -> set[tuple[str, str]]:
    """Regions and models that some workload may use."""
    models: dict[str, set[str]] = {}
    for m in basis.case.mix:
        models.setdefault(m.workload, set()).add(m.model)
    reach = set(zip(basis.derived.travel["workload"], basis.derived.travel["region"], strict=True))
    return {(region, model) for workload, region in reach for model in models.get(workload, ())}


def _mean_units(basis: Basis) -> Floats:
    """Units that a mean request takes on each deployment: weighted by demand of the workloads; inf: no workload."""
    loads = basis.derived.loads
    weight = _asked(basis)[encode(loads["workload"], basis.names.workloads)]
    number = {key: k for k, key in enumerate(basis.names.deployments)}
    at = np.array([number[key] for key in zip(loads["pool"], loads["meter"], loads["deployment"], strict=True)], int)
    units = np.bincount(at, weight * loads["units_per_request"].to_numpy(float), len(number))
    return _mean(units, np.bincount(at, weight, len(number)))


def _mean_tokens(basis: Basis) -> Floats:
    """Tokens per minute that a mean request/hour counts on each quota: weighted by demand; inf: no workload."""
    options = basis.derived.options
    weight = _asked(basis)[encode(options["workload"], basis.names.workloads)]
    number = {key: k for k, key in enumerate(basis.names.quotas)}
    at = np.array(
        [number[key] for key in zip(options["region"], options["model"], options["option"], strict=True)], int
    )
    tokens = np.bincount(at, weight * options["quota_per_request"].to_numpy(float), len(number))
    return _mean(tokens, np.bincount(at, weight, len(number)))


def _asked(basis: Basis) -> Floats:
    """Demand of each workload, summed over origins and slots."""
    asked: Floats = basis.reading.demand.sum(axis=1).reshape(-1, len(basis.names.workloads)).sum(axis=0)
    return asked


def _mean(total: npt.NDArray[Any], weight: npt.NDArray[Any]) -> Floats:
    found: Floats = np.where((weight > 0) & (total > 0), total / np.where(weight > 0, weight, 1.0), np.inf)
    return found


def _spare_units(basis: Basis, load: Floats, units_each: Floats, standing: set[tuple[str, str]]) -> Floats:
    """Count what spare units of surviving deployments could serve, requests per hour by slot."""
    region = {p.pool: p.region for p in basis.case.pools}
    models: dict[str, set[str]] = {}
    for t in basis.case.throughput:
        models.setdefault(t.pool, set()).add(t.model)
    period = np.arange(load.shape[1]) // HOURS_PER_WEEK % len(basis.names.periods)
    room = np.maximum(basis.units[:, period] - load, 0.0) / units_each[:, None]
    scarcest: dict[tuple[str, str], int] = {}
    for d, (pool, _, model) in enumerate(basis.names.deployments):
        usable = models[pool] if model == SHARED_DEPLOYMENT else {model}
        if any((region[pool], m) in standing for m in usable):
            one = scarcest.setdefault((pool, model), d)
            room[one] = np.minimum(room[one], room[d])
    total: Floats = room[list(scarcest.values())].sum(axis=0)
    return total
