"""Rules 1-3: every request is served, by the models its mix asks for, as surely as it must be."""

import numpy as np

from planner.plan.audit.findings import BALANCE_TOLERANCE, TOLERANCE, Finding, worst
from planner.plan.flows import Floats, Flows, Names
from planner.plan.joins import Ints
from planner.schema.case import Case


def balance(names: Names, flows: Flows, demand: Floats) -> list[Finding]:
    """Check rule 1: per origin, workload and slot, what is served is the demand. [requests/hour]."""
    served = flows.sums(flows.ways["need"].to_numpy(int), names.need_count, names.slot_count)
    room = np.where(demand > 0, BALANCE_TOLERANCE * np.maximum(1.0, demand), TOLERANCE)
    difference = (served - demand).ravel()
    broken = ~(np.abs(difference) <= room.ravel())

    def describe(cell: int) -> str:
        need, slot = divmod(cell, names.slot_count)
        return (
            f"{names.need_name(need)}, {names.slot_name(slot)}: served {served[need, slot]:.9g} of "
            f"{demand[need, slot]:.9g} requests/hour"
        )

    return worst("balance", broken, difference, demand.ravel(), describe)


def mix(case: Case, names: Names, flows: Flows, demand: Floats) -> list[Finding]:
    """Check rule 2: each model's share of the demand lies within the mix. [requests/hour]."""
    findings: list[Finding] = []
    need_of = flows.ways["need"].to_numpy(int)
    regions, workloads = len(names.regions), len(names.workloads)
    index = {w: k for k, w in enumerate(names.workloads)}
    for number, (rule, own) in enumerate(zip(case.mix, flows.by_mix(len(case.mix)), strict=True)):
        if rule.min_share <= 0 and rule.max_share >= 1:
            continue
        need = np.arange(regions) * workloads + index[rule.workload]
        wanted = demand[need]
        cell = need_of[flows.way[own]] // workloads * names.slot_count + flows.place[own]
        served = np.bincount(cell, flows.rph[own], wanted.size).astype(float).reshape(wanted.shape)
        room = BALANCE_TOLERANCE * np.maximum(1.0, wanted)
        short = np.maximum(rule.min_share * wanted - served, served - rule.max_share * wanted)

        def describe(
            cell: int, served: Floats = served, wanted: Floats = wanted, need: Ints = need, number: int = number
        ) -> str:
            origin, slot = divmod(cell, names.slot_count)
            m = case.mix[number]
            return (
                f"{names.need_name(int(need[origin]))}, {names.slot_name(slot)}: model {m.model} serves "
                f"{served[origin, slot]:.9g} of {wanted[origin, slot]:.9g} requests/hour; its share must lie in "
                f"{m.min_share:g} to {m.max_share:g}"
            )

        broken = (short > room) & (wanted > 0)
        findings += worst("mix", broken.ravel(), short.ravel(), wanted.ravel(), describe)
    return findings


def guaranteed(case: Case, names: Names, flows: Flows, demand: Floats) -> list[Finding]:
    """Check rule 3: pools and guaranteed options serve the guaranteed share of the demand. [requests/hour]."""
    share = np.tile([w.guaranteed_share for w in case.workloads], len(names.regions))
    sure = np.where(flows.ways["guaranteed"], flows.ways["need"], -1).astype(np.int64)
    served = flows.sums(sure, names.need_count, names.slot_count)
    asked = share[:, None] * demand
    missing = (asked - served).ravel()

    def describe(cell: int) -> str:
        need, slot = divmod(cell, names.slot_count)
        return (
            f"{names.need_name(need)}, {names.slot_name(slot)}: pools and guaranteed options serve "
            f"{served[need, slot]:.9g} requests/hour, {asked[need, slot]:.9g} are guaranteed"
        )

    broken = missing > (BALANCE_TOLERANCE * np.maximum(1.0, demand)).ravel()
    return worst("guaranteed", broken, missing, demand.ravel(), describe)
