"""Everything that is checked of a finished plan, from its files alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.plan.audit import Finding, audit
from planner.plan.audit.bound import check_bound
from planner.plan.audit.broken import lacks_witness
from planner.plan.audit.capacity import deployed_units
from planner.plan.audit.totals import sound_tables
from planner.plan.files import read_plan, read_summary, rounded
from planner.plan.metrics import summary_of
from planner.plan.plan import Plan
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.verify.figures import figures_of
from planner.verify.stress import prove_stress

FIGURE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Verdict:
    """What a check found, and how much it looked at. ``relaxed_usd``: optimum without size rules, where asked for."""

    plan: Plan
    findings: list[Finding]
    stress_cases: int
    stress_slots: int
    programmes: int
    relaxed_usd: float | None = None


def verify(case: Case, directory: str | Path, deep: bool = False) -> Verdict:
    """Check a plan: cost, every rule, every stress case by proofs of this room, the bound, the figures told.

    An order without a witness (one that breaks a stress case has none) is judged by those proofs alone.

    Parameters
    ----------
    directory : holds plan.json and its tables.
    deep : also solve the literal programme without size rules, as a second opinion on the bound; for small cases.

    Raises
    ------
    InputError : a file is missing or cannot be read.
    PlannerError : too large for `deep`.
    """
    plan = read_plan(directory)
    reading = Reading(case, plan)
    findings = audit(case, plan, witness=not lacks_witness(plan), reading=reading)
    derived, names = reading.derived, reading.names
    _, deployments, _ = sound_tables(case, plan, names)
    proved = prove_stress(case, derived, names, deployed_units(names, deployments), reading.demand)
    known = {f.message for f in findings}
    findings += [f for f in proved.findings if f.message not in known]
    findings += check_bound(case, derived, names, plan)
    relaxed = None
    if deep:
        from planner.verify.deep import relaxed_optimum_usd, second_opinion

        relaxed = relaxed_optimum_usd(case, derived, names)
        findings += second_opinion(case, plan, relaxed)
    told = read_summary(directory)
    if told and not findings:
        findings += _figures(told, rounded(summary_of(figures_of(reading, audited=True))), "summary")
    return Verdict(plan, findings, proved.cases, proved.slots, proved.programmes, relaxed)


def _figures(told: Any, found: Any, place: str) -> list[Finding]:
    """Compare the figures that plan.json tells with those that its tables give; words are not compared."""
    if isinstance(found, Mapping):
        if not isinstance(told, Mapping):
            return [Finding("summary", f"{place} is missing", 1.0)]
        return [f for key in found for f in _figures(told.get(key), found[key], f"{place}, {key}")]
    if isinstance(found, list) and all(isinstance(entry, str) for entry in found):
        return []
    if isinstance(found, list):
        if not isinstance(told, list) or len(told) != len(found):
            return [Finding("summary", f"{place} has not {len(found)} entries", 1.0)]
        pairs = enumerate(zip(told, found, strict=True), start=1)
        return [f for k, (a, b) in pairs for f in _figures(a, b, f"{place} {k}")]
    if isinstance(found, (int, float)):
        same = isinstance(told, (int, float)) and abs(told - found) <= FIGURE_TOLERANCE * max(1.0, abs(found))
        return [] if same else [Finding("summary", f"{place} says {told}, the plan's tables give {found}", 1.0)]
    return []
