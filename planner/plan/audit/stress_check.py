"""Rule 8: every stress case of every slot can be served. The plan's witness, or its ray, is checked, not believed.

The witness names, for each stress case, groups of slots and one routing for each group. The groups that cover a slot
(one for each independent part of the plan) are added up; the sum must

- serve at least the stressed demand of every origin and workload in the slot,
- keep every model's share of what it serves itself within the mix,
- use allowed ways only, none in the failed region,
- load each deployment at most with its units of the period, in full, and each quota at most with what counts of it.

Why that is enough: scale the routing down, origin by origin and workload by workload, until it serves exactly the
stressed demand. Shares of a mix are ratios of one origin and workload and keep their value; every load is a sum of
terms that are not negative and does not grow; no way is added. So the scaled routing serves the slot by rules 1 and 2
within capacity, which is what rule 8 asks. A sum of routings that keep their mixes keeps them too.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.plan.audit.capacity_check import deployment_name
from planner.plan.audit.findings import TOLERANCE, Finding, over, worst
from planner.plan.audit.totals import flow_names
from planner.plan.audit.way_arrays import WayArrays
from planner.plan.flows import Floats, Flows, Names
from planner.plan.frames import Ints, encode
from planner.plan.reading import Reading
from planner.plan.stress_cases import StressCase, Witness, stress_cases
from planner.schema.case import Case
from planner.schema.workloads import Mix
from planner.units import HOURS_PER_WEEK, REQUESTS_PER_THOUSAND, counted


def stress(reading: Reading, units: Floats) -> list[Finding]:
    """Check rule 8 from the witness; ``units``: deployments x periods."""
    case, names, plan = reading.case, reading.names, reading.plan
    case_names = [c.name for c in reading.stress_cases]
    lost = int((encode(plan.stress_slots["case"], case_names) < 0).sum() + (names.slots(plan.stress_slots) < 0).sum())
    lost += int((encode(plan.stress_dispatch["case"], case_names) < 0).sum())
    findings = []
    if lost:
        words = (
            f"{counted(lost, 'row of the witness names', many='rows of the witness name')} no stress case "
            "or slot of the input"
        )
        findings.append(Finding("stress", words, np.inf))
    witnesses, unknown = reading.witnesses
    for k, (stressed, witness) in enumerate(zip(reading.stress_cases, witnesses, strict=True)):
        nameless = unknown if k == 0 else unknown[:0]
        findings += flow_names(plan.stress_dispatch, nameless, witness.flows, f"witness of {stressed.name}")
        findings += _fallen(witness.flows, stressed)
        findings += _mix(case, names, stressed, witness)
        findings += _served_within(names, stressed, witness, units, reading.demand * stressed.need_factor[:, None])
    return findings


def _fallen(flows: Flows, stressed: StressCase) -> list[Finding]:
    """Find flows in the failed region, and flows on demand where none is trusted."""
    ways = flows.ways
    total = np.bincount(flows.way, np.abs(flows.rph), len(ways)).astype(float)
    gone = (ways["region"] == stressed.failed).to_numpy(bool)
    if not stressed.quota_tpm.any():
        gone = gone | (ways["quota"] >= 0).to_numpy(bool)
    return worst(
        "stress", gone & (total > TOLERANCE), total, 1.0,
        lambda k: f"{stressed.name}: the witness serves workload {ways['workload'][k]} from {ways['origin'][k]} in "
        f"{ways['region'][k]} on {ways['supply'][k]}, which does not stand",
    )  # fmt: skip


def _mix(case: Case, names: Names, stressed: StressCase, witness: Witness) -> list[Finding]:
    """Check each model's share of what a group serves of a need."""
    findings: list[Finding] = []
    flows, places, workloads = witness.flows, witness.places, len(names.workloads)
    need = flows.ways["need"].to_numpy(int)
    served = flows.sums(need, names.need_count, places)
    workload = {w: k for k, w in enumerate(names.workloads)}
    for rule, own in zip(case.mix, flows.by_mix(len(case.mix)), strict=True):
        if rule.min_share <= 0 and rule.max_share >= 1:
            continue
        needs = np.arange(len(names.regions)) * workloads + workload[rule.workload]
        whole = served[needs]
        cell = need[flows.way[own]] // workloads * places + flows.place[own]
        part = np.bincount(cell, flows.rph[own], whole.size).astype(float).reshape(whole.shape)
        short = np.maximum(rule.min_share * whole - part, part - rule.max_share * whole)

        def describe(
            cell: int, part: Floats = part, whole: Floats = whole, rule: Mix = rule, needs: Ints = needs
        ) -> str:
            return (
                f"{stressed.name}: {names.need_name(int(needs[cell // places]))}: model {rule.model} takes "
                f"{part.ravel()[cell]:.9g} of the witness's {whole.ravel()[cell]:.9g} requests/hour; its share must "
                f"lie in {rule.min_share:g} to {rule.max_share:g}"
            )

        broken = short > TOLERANCE + TOLERANCE * whole
        findings += worst("stress", broken.ravel(), short.ravel(), whole.ravel(), describe)
    return findings


def _served_within(
    names: Names, stressed: StressCase, witness: Witness, units: Floats, demand: Floats
) -> list[Finding]:
    """Check in every slot what the groups that cover it serve and load together."""
    flows, slots = witness.flows, names.slot_count
    served = flows.sums(flows.ways["need"].to_numpy(int), names.need_count, witness.places)
    findings = _short(names, stressed, witness.over_slots(served, slots), demand)
    busy = demand.sum(axis=0) > 0
    load = flows.unit_load(len(names.deployments), witness.places, headroom=False)
    deployments = [deployment_name(names, d) for d in range(len(load))]
    period = np.arange(slots) // HOURS_PER_WEEK % len(names.periods)
    on_units = witness.over_slots(load, slots) * busy
    findings += _overload(names, stressed, "units", deployments, load=on_units, limit=units[:, period])
    per_request = flows.ways["quota_per_request"].to_numpy(float)
    tpm = flows.sums(flows.ways["quota"].to_numpy(int), len(names.quotas), witness.places, per_request)
    quotas = [f"{r}, model {m}, option {o}" for r, m, o in names.quotas]
    on_quota = witness.over_slots(tpm, slots) * busy
    limit = np.repeat(stressed.quota_tpm, slots).reshape(on_quota.shape)
    return findings + _overload(names, stressed, "tokens/minute", quotas, load=on_quota, limit=limit)


def _short(names: Names, stressed: StressCase, served: Floats, wanted: Floats) -> list[Finding]:
    """Find slots in which the witness serves less than the stressed demand."""

    def describe(cell: int) -> str:
        need, slot = divmod(cell, names.slot_count)
        return (
            f"{stressed.name}: {names.need_name(need)}, {names.slot_name(slot)}: the witness serves "
            f"{served[need, slot]:.9g} of {wanted[need, slot]:.9g} requests/hour"
        )

    return worst("stress", over(wanted, served).ravel(), (wanted - served).ravel(), wanted.ravel(), describe)


def _overload(
    names: Names, stressed: StressCase, unit: str, things: list[str], *, load: Floats, limit: Floats
) -> list[Finding]:
    """Find loads above what stands (both things x slots)."""

    def describe(cell: int) -> str:
        thing, slot = divmod(cell, names.slot_count)
        return (
            f"{stressed.name}: {things[thing]}, {names.slot_name(slot)}: the witness loads "
            f"{load[thing, slot]:.9g} {unit}, {limit[thing, slot]:.9g} stand"
        )

    finite = np.where(np.isinf(limit), 0.0, limit)
    size = np.where(np.isinf(limit), 1.0, limit)
    return worst("stress", over(load, limit).ravel(), (load - finite).ravel(), size.ravel(), describe)


PricedRay = tuple[int, float, float, dict[int, float]]  # period, price, need of the row, units by deployment


def rays_of(case: Case, names: Names, table: pd.DataFrame, ways: WayArrays, demand: Floats) -> list[PricedRay]:
    """Work out each ray's row: what it needs of the units, with μ set here to the most that the ways allow.

    A price without a row of the case to belong to proves nothing: its ray is left out.
    """
    found: list[PricedRay] = []
    cases = {c.name: c for c in stress_cases(case, names)}
    known = _Known.of(case, names)
    of_rays = table[table["ray"] >= 0]
    for rows in _by_ray(of_rays.assign(slot=names.slots(of_rays))):
        head = rows.get("stress", [])
        stressed = cases.get(str(head[0].case)) if len(head) == 1 else None
        slot = int(head[0].slot) if len(head) == 1 else -1
        priced = known.prices(rows)
        if stressed is None or slot < 0 or priced is None:
            continue
        unit, quota, base, bonus = priced
        usable_quota = stressed.quota_tpm
        on_units, on_quota = np.zeros(len(names.deployments)), np.zeros(len(names.quotas) + 1)  # the last: none
        on_units[list(unit)], on_quota[list(quota)] = list(unit.values()), list(quota.values())
        pay = ways.tokens_per_minute * on_quota[ways.quota]
        for load in ways.loads:
            pay[load.way] += load.units * on_units[load.deployment]
        able = np.append(usable_quota > 0, True)[ways.quota]
        if stressed.failed is not None:
            able &= ways.region != names.regions.index(stressed.failed)
        usd = REQUESTS_PER_THOUSAND * pay - (base[:, None] + bonus)[ways.need, ways.model]
        least = ways.least_by_need(usd, able)
        served = np.isfinite(least)
        need_of_row = math.fsum(least[served] * demand[served, slot] * stressed.need_factor[served])
        for k, price in quota.items():
            need_of_row -= price * float(usable_quota[k])
        found.append((slot // HOURS_PER_WEEK % len(names.periods), float(head[0].price), need_of_row, unit))
    return found


@dataclass(frozen=True)
class _Known:
    """Numbers of what the rows of a ray name, and the shares of the mix by workload and model."""

    deployments: dict[tuple[str, str, str], int]
    quotas: dict[tuple[str, str, str], int]
    needs: dict[tuple[str, str], int]
    models: dict[str, int]
    mix: dict[tuple[str, str], tuple[float, float]]

    @classmethod
    def of(cls, case: Case, names: Names) -> "_Known":
        needs = {
            (o, w): k * len(names.workloads) + j
            for k, o in enumerate(names.regions)
            for j, w in enumerate(names.workloads)
        }
        return cls(
            {key: k for k, key in enumerate(names.deployments)},
            {key: k for k, key in enumerate(names.quotas)},
            needs,
            {name: k for k, name in enumerate(names.models)},
            {(m.workload, m.model): (m.min_share, m.max_share) for m in case.mix},
        )

    def prices(self, rows: dict[str, list[Any]]) -> tuple[dict[int, float], dict[int, float], Floats, Floats] | None:
        """Prices of units and quotas by number; of the mix by need, and by need and model; None: of nothing known."""
        base, bonus = np.zeros(len(self.needs)), np.zeros((len(self.needs), len(self.models)))
        try:
            unit = {
                self.deployments[s, m, i]: p
                for s, m, i, p in _listed(rows, "stress_unit", ["supply", "meter", "model"])
            }
            quota = {
                self.quotas[r, i, s]: p for r, i, s, p in _listed(rows, "stress_quota", ["region", "model", "supply"])
            }
            for kind, sign, which in (("stress_mix_low", 1.0, 0), ("stress_mix_high", -1.0, 1)):
                for o, w, i, p in _listed(rows, kind, ["origin", "workload", "model"]):
                    bonus[self.needs[o, w], self.models[i]] += sign * p
                    base[self.needs[o, w]] -= sign * self.mix[w, i][which] * p
        except KeyError:
            return None
        return unit, quota, base, bonus


def _by_ray(table: pd.DataFrame) -> list[dict[str, list[Any]]]:
    """Return the rows of each ray, by kind."""
    plain = table.astype({name: object for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)})
    found: dict[int, dict[str, list[Any]]] = {}
    row: Any
    for row in plain.sort_values("ray", kind="stable").itertuples(index=False):
        found.setdefault(int(row.ray), {}).setdefault(str(row.kind), []).append(row)
    return list(found.values())


def _listed(rows: dict[str, list[Any]], kind: str, columns: list[str]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(row, name) for name in (*columns, "price")) for row in rows.get(kind, ())]
