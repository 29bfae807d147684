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

from planner.results.flows import Floats
from planner.results.metrics.basis import Basis
from planner.results.metrics.tables import STRESS_COLUMNS, STRESS_LOAD_COLUMNS
from planner.results.stress_cases import StressCase, stress_cases
from planner.results.witness import Witness
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
    demand = basis.names.demand(basis.case)
    cases = stress_cases(basis.case, basis.names)
    names = [case.name for case in cases]
    witnesses, _ = Witness.each(basis.case, basis.derived, basis.names, basis.plan, names)
    each = _mean_units(basis), _mean_tokens(basis)
    return [_worst(basis, case, witness, demand, *each) for case, witness in zip(cases, witnesses, strict=True)]


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
    parts = []
    for w in worst:
        part = w.load.sort_values(
            ["requests_per_hour", "region", "model", "supply"], ascending=[False, True, True, True]
        )
        total = part["requests_per_hour"].sum()
        parts.append(part.assign(case=w.case.name, share=part["requests_per_hour"] / total if total > 0 else 0.0))
    table = pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)
    return table[list(STRESS_LOAD_COLUMNS)]


def _slot(basis: Basis, slot: int) -> tuple[str | None, str | None, float]:
    if slot < 0:
        return None, None, float("nan")
    block, hour = divmod(slot, HOURS_PER_WEEK)
    scenario, period = divmod(block, len(basis.names.periods))
    return basis.names.scenarios[scenario], basis.names.periods[period], float(hour)


def _worst(
    basis: Basis, case: StressCase, witness: Witness, demand: Floats, units_each: Floats, tokens_each: Floats
) -> Worst:
    names, flows = basis.names, witness.flows
    need = (demand * case.need_factor[:, None]).sum(axis=0)
    served = np.bincount(flows.place, flows.rph, witness.places)[None, :]
    load = flows.unit_load(len(names.deployments), witness.places, headroom=False)
    per_request = flows.ways["quota_per_request"].to_numpy(float)
    tpm = flows.sums(flows.ways["quota"].to_numpy(int), len(names.quotas), witness.places, per_request)
    standing = _standing(basis, case)
    best, found = np.inf, (-1, 0.0, 0.0)
    places_of: dict[int, Floats] = {}
    for p, slots, places, cover in witness.by_period(names):
        spare = _spare_units(basis, basis.units[:, p], load[:, places] @ cover, units_each, standing)
        room = np.maximum(case.quota_tpm[:, None] - tpm[:, places] @ cover, 0.0)
        counted = np.array([(r, m) in standing for r, m, _ in names.quotas], bool)
        usable = (counted & (case.quota_tpm > 0) & np.isfinite(tokens_each))[:, None]
        left = np.where(usable, room / np.where(np.isfinite(tokens_each), tokens_each, 1.0)[:, None], 0.0)
        capacity = (served[:, places] @ cover)[0] + spare + left.sum(axis=0)
        asked = need[slots]
        margin = np.where(asked > 0, capacity / np.where(asked > 0, asked, 1.0), np.inf)
        k = int(np.lexsort((-asked, margin))[0])
        if asked[k] > 0 and (margin[k] < best or (margin[k] == best and asked[k] > found[1])):
            best, found = float(margin[k]), (int(slots[k]), float(asked[k]), float(capacity[k]))
            weight = np.zeros(witness.places)
            weight[places] = cover[:, k]
            places_of = {found[0]: weight}
    slot, asked_rph, capacity_rph = found
    weight = places_of.get(slot, np.zeros(witness.places))
    of_need = flows.ways["need"].to_numpy(int)
    rph = np.bincount(flows.way, flows.rph * weight[flows.place], len(flows.ways)).astype(float)
    total = np.bincount(of_need, rph, names.need_count)
    wanted = demand[:, slot] * case.need_factor if slot >= 0 else np.zeros(names.need_count)
    rph *= np.divide(wanted, total, out=np.zeros(len(total)), where=total > 0)[of_need]  # the slot's own demand
    used = flows.ways[rph > 0]
    quota = used["quota"].to_numpy(int)
    unlimited = (quota >= 0) & np.isinf(np.append(case.quota_tpm, 0.0)[quota])
    keys = ["region", "model", "supply", "reserved", "unlimited"]
    where = used.assign(requests_per_hour=rph[rph > 0], unlimited=unlimited).groupby(keys, as_index=False)
    table = where[["requests_per_hour"]].sum().astype({"reserved": bool, "unlimited": bool})
    return Worst(case, slot, asked_rph, capacity_rph, table)


def _standing(basis: Basis, case: StressCase) -> set[tuple[str, str]]:
    """Regions and models that stand in a case and that some workload may use."""
    mix = pd.DataFrame([(m.workload, m.model) for m in basis.case.mix], columns=["workload", "model"])
    reach = basis.derived.travel[["workload", "region"]].drop_duplicates().merge(mix, on="workload")
    return {(r, m) for r, m in zip(reach["region"], reach["model"], strict=True) if r != case.failed}


def _mean_units(basis: Basis) -> Floats:
    """Units that a mean request takes on each deployment: weighted by demand of the workloads; inf: no workload."""
    total = basis.case.demand.astype({"workload": object}).groupby("workload")["requests_per_hour"].sum()
    loads = basis.derived.loads
    weight = loads["workload"].map(total).fillna(0.0).to_numpy(float)
    number = {key: k for k, key in enumerate(basis.names.deployments)}
    at = np.array([number[key] for key in zip(loads["pool"], loads["meter"], loads["deployment"], strict=True)], int)
    units = np.bincount(at, weight * loads["units_per_request"].to_numpy(float), len(number))
    return _mean(units, np.bincount(at, weight, len(number)))


def _mean_tokens(basis: Basis) -> Floats:
    """Tokens per minute that a mean request/hour counts on each quota: weighted by demand; inf: no workload."""
    total = basis.case.demand.astype({"workload": object}).groupby("workload")["requests_per_hour"].sum()
    options = basis.derived.options
    weight = options["workload"].map(total).fillna(0.0).to_numpy(float)
    number = {key: k for k, key in enumerate(basis.names.quotas)}
    at = np.array(
        [number[key] for key in zip(options["region"], options["model"], options["option"], strict=True)], int
    )
    tokens = np.bincount(at, weight * options["quota_per_request"].to_numpy(float), len(number))
    return _mean(tokens, np.bincount(at, weight, len(number)))


def _mean(total: npt.NDArray[Any], weight: npt.NDArray[Any]) -> Floats:
    found: Floats = np.where((weight > 0) & (total > 0), total / np.where(weight > 0, weight, 1.0), np.inf)
    return found


def _spare_units(
    basis: Basis, units: Floats, load: Floats, units_each: Floats, standing: set[tuple[str, str]]
) -> Floats:
    """Count what spare units of surviving deployments could serve, requests per hour by slot."""
    region = {p.pool: p.region for p in basis.case.pools}
    models: dict[str, set[str]] = {}
    for t in basis.case.throughput:
        models.setdefault(t.pool, set()).add(t.model)
    scarcest: dict[tuple[str, str], Floats] = {}
    for d, (pool, _, model) in enumerate(basis.names.deployments):
        usable = models[pool] if model == "*" else {model}
        if not any((region[pool], m) in standing for m in usable):
            continue
        room = np.maximum(units[d] - load[d], 0.0) / units_each[d]
        key = pool, model
        scarcest[key] = np.minimum(scarcest[key], room) if key in scarcest else room
    total = np.zeros(load.shape[1])
    for room in scarcest.values():
        total = total + room
    return total
