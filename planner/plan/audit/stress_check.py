"""Rule 8: every stress case of every slot can be served. The plan's witness is checked, not believed.

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

import numpy as np

from planner.plan.audit.capacity_check import deployment_name
from planner.plan.audit.findings import TOLERANCE, Finding, over, worst
from planner.plan.audit.totals import flow_names
from planner.plan.flows import Floats, Flows, Names
from planner.plan.joins import Ints, encode
from planner.plan.reading import Reading
from planner.plan.stress_cases import StressCase, Witness
from planner.schema.case import Case
from planner.schema.workloads import Mix
from planner.units import HOURS_PER_WEEK


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
