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
from typing import Any

import numpy as np
import pandas as pd

from planner.plan.audit.capacity_check import deployment_name
from planner.plan.audit.findings import TOLERANCE, Finding, over, worst
from planner.plan.audit.linear_rule import Way
from planner.plan.audit.totals import flow_names
from planner.plan.flows import Floats, Flows, Names
from planner.plan.frames import Ints, encode
from planner.plan.reading import Reading
from planner.plan.stress_cases import StressCase, Witness, stress_cases
from planner.schema.case import Case
from planner.schema.workloads import Mix
from planner.units import HOURS_PER_WEEK, REQUESTS_PER_THOUSAND


def stress(reading: Reading, units: Floats) -> list[Finding]:
    """Check rule 8 from the witness; ``units``: deployments x periods."""
    case, names, plan = reading.case, reading.names, reading.plan
    case_names = [c.name for c in reading.stress_cases]
    lost = int((encode(plan.stress_slots["case"], case_names) < 0).sum() + (names.slots(plan.stress_slots) < 0).sum())
    lost += int((encode(plan.stress_dispatch["case"], case_names) < 0).sum())
    findings = []
    if lost:
        words = f"{lost} rows of the witness name no stress case or slot of the input"
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


def rays_of(
    case: Case, names: Names, table: pd.DataFrame, ways: dict[int, list[Way]], demand: Floats
) -> list[PricedRay]:
    """Work out each ray's row: what it needs of the units, with μ set here to the most that the ways allow."""
    found: list[PricedRay] = []
    cases = {c.name: c for c in stress_cases(case, names)}
    of_mix = {(m.workload, m.model): (m.min_share, m.max_share) for m in case.mix}
    deployments = {key: k for k, key in enumerate(names.deployments)}
    quotas = {key: k for k, key in enumerate(names.quotas)}
    of_rays = table[table["ray"] >= 0]
    for rows in _by_ray(of_rays.assign(slot=names.slots(of_rays))):
        head = rows.get("stress", [])
        stressed = cases.get(str(head[0].case)) if len(head) == 1 else None
        slot = int(head[0].slot) if len(head) == 1 else -1
        if stressed is None or slot < 0:
            continue  # no price without a row to belong to: it proves nothing and takes nothing
        unit = {deployments[s, m, i]: p for s, m, i, p in _listed(rows, "stress_unit", ["supply", "meter", "model"])}
        quota = {quotas[r, i, s]: p for r, i, s, p in _listed(rows, "stress_quota", ["region", "model", "supply"])}
        low = {(o, w, i): p for o, w, i, p in _listed(rows, "stress_mix_low", ["origin", "workload", "model"])}
        high = {(o, w, i): p for o, w, i, p in _listed(rows, "stress_mix_high", ["origin", "workload", "model"])}
        failed = -1 if stressed.failed is None else names.regions.index(stressed.failed)
        usable_quota = stressed.quota_tpm
        need_of_row = 0.0
        for need in np.flatnonzero(demand[:, slot]):
            o, w = names.regions[need // len(names.workloads)], names.workloads[need % len(names.workloads)]
            base = sum(
                of_mix[w, i][1] * p for (a, b, i), p in high.items() if (a, b) == (o, w)
            ) - sum(of_mix[w, i][0] * p for (a, b, i), p in low.items() if (a, b) == (o, w))  # fmt: skip
            least = math.inf
            for way in ways.get(int(need), ()):
                if way.region == failed or (way.quota >= 0 and usable_quota[way.quota] <= 0):
                    continue
                pay = sum(units * unit.get(d, 0.0) for d, units, _ in way.loads)
                if way.quota >= 0:
                    pay += way.tokens_per_minute * quota.get(way.quota, 0.0)
                model = names.models[way.model]
                bonus = base + low.get((o, w, model), 0.0) - high.get((o, w, model), 0.0)
                least = min(least, REQUESTS_PER_THOUSAND * pay - bonus)
            if math.isfinite(least):
                need_of_row += least * float(demand[need, slot]) * float(stressed.need_factor[need])
        for k, price in quota.items():
            need_of_row -= price * float(usable_quota[k])
        found.append((slot // HOURS_PER_WEEK % len(names.periods), float(head[0].price), need_of_row, unit))
    return found


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
