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
import pandas as pd

from planner.results.audit.capacity import deployment_name
from planner.results.audit.findings import TOLERANCE, Finding, over, worst
from planner.results.audit.names import flow_names
from planner.results.derived import Derived
from planner.results.flows import Floats, Flows, Ints, Names, encode
from planner.results.plan import Plan
from planner.results.stress_cases import StressCase, stress_cases
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK


def stress(case: Case, derived: Derived, names: Names, plan: Plan, units: Floats, demand: Floats) -> list[Finding]:
    """Check rule 8 from the witness; ``units``: deployments x periods, ``demand``: needs x slots."""
    cases = stress_cases(case, names)
    case_names = [c.name for c in cases]
    which = encode(plan.stress_dispatch["case"], case_names)
    findings = []
    covered = encode(plan.stress_slots["case"], case_names)
    slot = names.slots(plan.stress_slots)
    lost = int(((covered < 0) | (slot < 0)).sum() + (which < 0).sum())
    if lost:
        findings.append(
            Finding("stress", f"{lost} rows of the witness name no stress case or slot of the input", np.inf)
        )
    period = encode(plan.stress_dispatch["period"], names.periods)
    for k, stressed in enumerate(cases):
        of_slots = np.flatnonzero((covered == k) & (slot >= 0))
        rows = np.flatnonzero(which == k)
        witness = _Witness.of(
            case, derived, names,
            plan.stress_slots["group"].to_numpy()[of_slots], slot[of_slots],
            plan.stress_dispatch.iloc[rows], period[rows],
        )  # fmt: skip
        findings += witness.check(case, names, stressed, units, demand * stressed.need_factor[:, None])
    return findings


class _Witness:
    """The routings of one stress case: flows at (group, period) places, and which slots each group covers."""

    def __init__(self, flows: Flows, covers: list[tuple[Ints, Ints]], group_period: Ints, faults: list[Finding]):
        self.flows, self.covers, self.group_period, self.faults = flows, covers, group_period, faults

    @classmethod
    def of(
        cls, case: Case, derived: Derived, names: Names, slot_group: np.ndarray, slot: Ints, rows: pd.DataFrame,
        period: Ints,
    ) -> "_Witness":  # fmt: skip
        """Read one case; what a group serves in a period is one place."""
        periods = len(names.periods)
        slot_period = slot // HOURS_PER_WEEK % periods
        both = pd.factorize(np.concatenate([slot_group, rows["group"].to_numpy()]))[0]
        at_slot, at_row = both[: len(slot)] * periods + slot_period, both[len(slot) :] * periods + period
        at_row = np.where(period >= 0, at_row, -1)
        places, number = np.unique(np.concatenate([at_slot, at_row[at_row >= 0]]), return_inverse=True)
        place = np.full(len(rows), -1, np.int64)
        place[at_row >= 0] = number[len(slot) :]
        flows, unknown = Flows.of(case, derived, names, rows, place)
        faults = flow_names(rows, unknown, flows, "witness of the stress cases")
        covers = []
        for p in range(periods):
            inside = slot_period == p
            covers.append((slot[inside], number[: len(slot)][inside]))
        return cls(flows, covers, places % periods, faults)

    def check(self, case: Case, names: Names, stressed: StressCase, units: Floats, demand: Floats) -> list[Finding]:
        """Check coverage, mix, places and loads of one stress case."""
        places = len(self.group_period)
        served = self.flows.sums(self.flows.ways["need"].to_numpy(int), names.need_count, places)
        load = self.flows.unit_load(len(names.deployments), places, headroom=False)
        tpm = self.flows.sums(
            self.flows.ways["quota"].to_numpy(int), len(names.quotas), places,
            self.flows.ways["quota_per_request"].to_numpy(float),
        )  # fmt: skip
        findings = list(self.faults) + self._failed(names, stressed) + self._mix(case, names, stressed, served)
        blocks = len(names.scenarios) * len(names.periods) * HOURS_PER_WEEK
        for p, (slot, place) in enumerate(self.covers):
            slots = np.flatnonzero(np.arange(blocks) // HOURS_PER_WEEK % len(names.periods) == p)
            own, number = np.unique(place, return_inverse=True)
            cover = np.zeros((len(own), len(slots)))
            np.add.at(cover, (number, np.searchsorted(slots, slot)), 1.0)
            wanted = demand[:, slots]
            findings += _short(names, stressed, slots, served[:, own] @ cover, wanted)
            busy = wanted.sum(axis=0) > 0
            findings += _overload(
                "units", [deployment_name(names, d) for d in range(len(load))], names, stressed, slots,
                (load[:, own] @ cover) * busy, units[:, p],
            )  # fmt: skip
            quotas = [f"{r}, model {m}, option {o}" for r, m, o in names.quotas]
            findings += _overload(
                "tokens/minute on demand", quotas, names, stressed, slots, (tpm[:, own] @ cover) * busy,
                stressed.quota_tpm,
            )  # fmt: skip
        return findings

    def _failed(self, names: Names, stressed: StressCase) -> list[Finding]:
        """Find flows in the failed region, and flows on demand where none is trusted."""
        ways = self.flows.ways
        total = np.bincount(self.flows.way, np.abs(self.flows.rph), len(ways))
        gone = (ways["region"] == stressed.failed).to_numpy(bool)
        none = ways["quota"].to_numpy(int)
        if len(stressed.quota_tpm) and not stressed.quota_tpm.any():
            gone |= none >= 0
        return worst(
            "stress", gone & (total > TOLERANCE), total.astype(float), 1.0,
            lambda k: f"{stressed.name}: the witness serves workload {ways['workload'][k]} from {ways['origin'][k]} in "
            f"{ways['region'][k]} on {ways['supply'][k]}, which does not stand",
        )  # fmt: skip

    def _mix(self, case: Case, names: Names, stressed: StressCase, served: Floats) -> list[Finding]:
        """Check each model's share of what a group serves of a need."""
        findings: list[Finding] = []
        row, need = self.flows.ways["mix"].to_numpy(int), self.flows.ways["need"].to_numpy(int)
        workload = {w: k for k, w in enumerate(names.workloads)}
        for number, rule in enumerate(case.mix):
            if rule.min_share <= 0 and rule.max_share >= 1:
                continue
            whole = served.copy()
            whole[np.arange(len(whole)) % len(names.workloads) != workload[rule.workload]] = 0.0
            part = self.flows.sums(np.where(row == number, need, -1), *served.shape)
            short = np.maximum(rule.min_share * whole - part, part - rule.max_share * whole)
            broken = short > TOLERANCE + TOLERANCE * whole
            findings += worst(
                "stress", broken.ravel(), short.ravel(), whole.ravel(),
                lambda k, part=part, whole=whole, rule=rule: f"{stressed.name}: "  # type: ignore[misc]
                f"{names.need_name(k // whole.shape[1])}: model {rule.model} takes {part.ravel()[k]:.9g} of "
                f"{whole.ravel()[k]:.9g} requests/hour; its share must lie in {rule.min_share:g} to {rule.max_share:g}",
            )  # fmt: skip
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
