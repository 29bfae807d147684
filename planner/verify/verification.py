"""Everything that is checked of a finished plan, from its files alone."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from planner.io.directory import read_whole
from planner.plan.audit import Finding, audit
from planner.plan.audit.findings import lacks_witness
from planner.plan.audit.totals import sound_tables
from planner.plan.files import read_plan
from planner.plan.flows import deployed_units
from planner.plan.manifest import DIRECTORY
from planner.plan.plan import Plan, Status
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.verify.claims import Reports, figure_findings, file_findings
from planner.verify.stress_proof import prove_stress
from planner.verify.trusted import proved_findings


@dataclass(frozen=True)
class Searched:
    """What a second search found: the cost of the best plan it knows, and a cost that no plan is below, by its word."""

    best_usd: float
    least_usd: float


@dataclass(frozen=True)
class Verification:
    """What a check found, and how much it looked at.

    bound_usd : the plan's lower bound on the cost of every plan, proved here from its prices; -inf: it is not
        proved. searched : where asked for.
    """

    plan: Plan
    findings: list[Finding]
    bound_usd: float
    stress_cases: int
    stress_slots: int
    programmes: int
    searched: Searched | None = None

    @property
    def above_best_usd(self) -> float:
        """How much dearer than the cheapest possible plan this one can be at most, as proved here."""
        return max(0.0, self.plan.judged_usd - self.bound_usd)


def verify(case: Case, directory: str | Path, deep: bool = False, reports: Reports | None = None) -> Verification:
    """Check a plan: files, cost, every rule, every stress case by proofs of this room, the bound, every figure.

    An order that breaks a stress case, or comes without a witness, is judged by those proofs alone.

    Parameters
    ----------
    directory : holds plan.json and its tables.
    deep : also search for a cheaper plan with the literal programme, sizes and all; for small cases.
    reports : what checks workbook and page against the figures (`workbook.as_written`).

    Raises
    ------
    InputError : a file is missing or cannot be read.
    PlannerError : too large for `deep`.
    """
    return read_whole(directory, DIRECTORY, partial(_verified, case, deep=deep, reports=reports))


def _verified(case: Case, directory: Path, *, deep: bool, reports: Reports | None) -> Verification:
    plan = read_plan(directory)
    reading = Reading(case, plan)
    findings = file_findings(directory)
    derived, names = reading.derived, reading.names
    _, deployments, _ = sound_tables(case, plan, names)
    proved = prove_stress(case, derived, names, deployed_units(names, deployments), reading.demand)
    by_proof = lacks_witness(plan) or (plan.proof.status is Status.GIVEN and bool(proved.findings))
    findings += audit(case, plan, witness=not by_proof, reading=reading)
    known = {f.message for f in findings}
    findings += [f for f in proved.findings if f.message not in known]
    unproved = proved_findings(reading)
    findings += unproved
    searched = None
    if deep:
        from planner.verify.deep import search, second_opinion

        searched = Searched(*search(case, derived, names))
        findings += second_opinion(plan, searched.best_usd, searched.least_usd)
    if all(finding.rule in ("files", "status", "rents") for finding in findings):  # else figures mean nothing
        findings += figure_findings(directory, reading, reports)
    bound = -math.inf if any(finding.rule == "bound" for finding in unproved) else plan.proof.bound_usd
    return Verification(plan, findings, bound, proved.cases, proved.slots, proved.programmes, searched)
