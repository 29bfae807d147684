"""A finished plan whose money may be told: read from its directory, re-priced, audited, and its bound proved again.

plan.json is sealed, but anyone can seal it anew. So every command that tells or compares what a plan costs reads it
here: each figure that it takes from the files has followed from them a moment before.
"""

from collections.abc import Mapping
from pathlib import Path

from planner.errors import AuditError
from planner.io.directory import read_whole
from planner.plan.audit import Finding, audit
from planner.plan.audit.bound import check_bound
from planner.plan.audit.findings import OF_ORDERS, lacks_witness, one_a_rule
from planner.plan.audit.rules import rules_of
from planner.plan.finished import Finished, load_finished
from planner.plan.manifest import DIRECTORY, read_document
from planner.plan.plan import Status
from planner.plan.reading import Reading
from planner.verify.claims import proof_findings, rent_findings, row_findings


def trusted(directory: str | Path) -> Finished:
    """Read a plan and its input back, and check that they hold.

    Of an order that was priced, which may break rules, what it costs is checked, and every rule if it is said to keep
    them all.

    Raises
    ------
    InputError : a file is missing, damaged or edited, or the input is not the one that the plan was made from.
    AuditError : the plan breaks a rule, or does not add up.
    """
    return read_whole(directory, DIRECTORY, _trusted)


def _trusted(folder: Path) -> Finished:
    finished = load_finished(folder)
    reading = Reading(finished.case, finished.plan)
    findings = [*audited_findings(reading), *proved_findings(reading)]
    summary = read_document(folder)[0].get("summary")
    if finished.plan.proof.status is Status.GIVEN and isinstance(summary, Mapping) and summary.get("broken"):
        may_break = {*OF_ORDERS, *(rule.family for rule in rules_of(finished.case, reading.names))}
        findings = [finding for finding in findings if finding.rule not in may_break]
    if findings:
        told = "\n".join(f"  {rule}" for rule in one_a_rule(findings))
        raise AuditError(f"{folder}: this is not a plan that planner wrote: its figures do not follow from its input "
                         f"and tables, so none of them is used; solve it again:\n{told}")  # fmt: skip
    return finished


def audited_findings(reading: Reading) -> list[Finding]:
    """Check cost and every rule of a plan, with its stress cases where it comes with a witness of them."""
    return audit(reading.case, reading.plan, witness=not lacks_witness(reading.plan), reading=reading)


def proved_findings(reading: Reading) -> list[Finding]:
    """Check what a plan says of how good it is: its bound, its status, and the prices that prove them."""
    case, plan = reading.case, reading.plan
    found = check_bound(case, reading.derived, reading.names, plan)
    return found + proof_findings(case, plan) + row_findings(plan) + rent_findings(plan)
