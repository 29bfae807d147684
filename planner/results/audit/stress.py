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

from planner.results.audit.capacity import deployment_name
from planner.results.audit.findings import TOLERANCE, Finding, over, worst
from planner.results.audit.names import flow_names
from planner.results.derived import Derived
from planner.results.flows import Floats, Flows, Ints, Names, encode
from planner.results.plan import Plan
from planner.results.stress_cases import StressCase, stress_cases
from planner.results.witness import Witness
from planner.schema.case import Case
from planner.schema.workloads import Mix


def stress(case: Case, derived: Derived, names: Names, plan: Plan, units: Floats, demand: Floats) -> list[Finding]:
    """Check rule 8 from the witness; ``units``: deployments x periods, ``demand``: needs x slots."""
    cases = stress_cases(case, names)
    case_names = [c.name for c in cases]
    lost = int((encode(plan.stress_slots["case"], case_names) < 0).sum() + (names.slots(plan.stress_slots) < 0).sum())
    lost += int((encode(plan.stress_dispatch["case"], case_names) < 0).sum())
    findings = []
    if lost:
        words = f"{lost} rows of the witness name no stress case or slot of the input"
        findings.append(Finding("stress", words, np.inf))
    witnesses, unknown = Witness.each(case, derived, names, plan, case_names)
    for k, (stressed, witness) in enumerate(zip(cases, witnesses, strict=True)):
        nameless = unknown if k == 0 else unknown[:0]
        findings += flow_names(plan.stress_dispatch, nameless, witness.flows, f"witness of {stressed.name}")
        findings += _fallen(witness.flows, stressed)
        findings += _mix(case, names, stressed, witness)
        findings += _served_within(names, stressed, witness, units, demand * stressed.need_factor[:, None])
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
    flows, shape = witness.flows, (names.need_count, witness.places)
    row, need = flows.ways["mix"].to_numpy(int), flows.ways["need"].to_numpy(int)
    served = flows.sums(need, *shape)
    workload = {w: k for k, w in enumerate(names.workloads)}
    for number, rule in enumerate(case.mix):
        if rule.min_share <= 0 and rule.max_share >= 1:
            continue
        whole = served.copy()
        whole[np.arange(len(whole)) % len(names.workloads) != workload[rule.workload]] = 0.0
        part = flows.sums(np.where(row == number, need, -1), *shape)
        short = np.maximum(rule.min_share * whole - part, part - rule.max_share * whole)

        def describe(cell: int, part: Floats = part, whole: Floats = whole, rule: Mix = rule) -> str:
            return (
                f"{stressed.name}: {names.need_name(cell // shape[1])}: model {rule.model} takes "
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
    flows = witness.flows
    served = flows.sums(flows.ways["need"].to_numpy(int), names.need_count, witness.places)
    load = flows.unit_load(len(names.deployments), witness.places, headroom=False)
    tpm = flows.sums(
        flows.ways["quota"].to_numpy(int), len(names.quotas), witness.places,
        flows.ways["quota_per_request"].to_numpy(float),
    )  # fmt: skip
    deployments = [deployment_name(names, d) for d in range(len(load))]
    quotas = [f"{r}, model {m}, option {o}" for r, m, o in names.quotas]
    findings = []
    for p, slots, places, cover in witness.by_period(names):
        wanted = demand[:, slots]
        busy = wanted.sum(axis=0) > 0
        findings += _short(names, stressed, slots, served[:, places] @ cover, wanted)
        on_units, on_quota = (load[:, places] @ cover) * busy, (tpm[:, places] @ cover) * busy
        findings += _overload("units", deployments, names, stressed, slots, on_units, units[:, p])
        findings += _overload("tokens/minute", quotas, names, stressed, slots, on_quota, stressed.quota_tpm)
    return findings


def _short(names: Names, stressed: StressCase, slots: Ints, served: Floats, wanted: Floats) -> list[Finding]:
    """Find slots in which the witness serves less than the stressed demand."""
    missing = wanted - served

    def describe(cell: int) -> str:
        need, k = divmod(cell, len(slots))
        return (
            f"{stressed.name}: {names.need_name(need)}, {names.slot_name(int(slots[k]))}: the witness serves "
            f"{served[need, k]:.9g} of {wanted[need, k]:.9g} requests/hour"
        )

    return worst("stress", over(wanted, served).ravel(), missing.ravel(), wanted.ravel(), describe)


def _overload(
    unit: str, things: list[str], names: Names, stressed: StressCase, slots: Ints, load: Floats, limit: Floats
) -> list[Finding]:
    """Find loads above what stands."""
    top = np.repeat(limit, len(slots)).reshape(load.shape)

    def describe(cell: int) -> str:
        thing, k = divmod(cell, len(slots))
        return (
            f"{stressed.name}: {things[thing]}, {names.slot_name(int(slots[k]))}: the witness loads "
            f"{load[thing, k]:.9g} {unit}, {limit[thing]:.9g} stand"
        )

    size = np.where(np.isinf(top), 1.0, top).ravel()
    return worst("stress", over(load, top).ravel(), (load - np.where(np.isinf(top), 0.0, top)).ravel(), size, describe)
