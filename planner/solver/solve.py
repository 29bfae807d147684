"""Solve: the audited plan of a case."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from planner.errors import AuditError
from planner.plan.audit import audit
from planner.plan.audit.bound import check_bound, proved_bound_usd
from planner.plan.audit.rules import rules_of
from planner.plan.plan import Plan, proved_by
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.solver.find import DEFAULT_GAP, Options, find_plan

SHOWN = 20
NEAR = 1e-6  # of the bound: what larger sizes may take from it; more than that is a fault, which the audit finds


def solve(
    case: Case,
    *,
    solver: str = "highs",
    gap: float = DEFAULT_GAP,
    time_limit_seconds: float | None = None,
    workers: int | None = None,
    store: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Find the cheapest plan of a case, and re-check every rule and dollar of it in plain arithmetic.

    Parameters
    ----------
    case : what `planner.load` returns.
    solver : highs, or a solver that PuLP knows (cbc, glpk, ...).
    gap : relative gap asked where units are whole; a continuous plan is optimal.
    time_limit_seconds : None: a search of whole units ends some time after it has a plan (`Options.patience_seconds`).
    workers : threads; None: all cores. The plan does not depend on it, unless time ended the search.
    store : folder that keeps answers, so that only components that changed are solved again; None: none is kept.
    progress : told (parts solved, all parts).

    Raises
    ------
    InfeasibleError : no plan meets every rule; the text says which, where, when and by how much.
    StoppedError : the time limit ran out before there was a plan.
    AuditError : the solver's plan breaks a rule or does not add up; it must not be used.
    """
    return audited(case, Options(gap, time_limit_seconds, workers, solver, store), progress).plan


def audited(case: Case, options: Options, progress: Callable[[int, int], None] | None = None) -> Reading:
    """Do what `solve` does, and hand on the plan as the audit has read it: figures and reports need not read it again.

    Raises
    ------
    What `solve` raises.
    """
    try:
        return checked(Reading(case, find_plan(case, options, progress)))
    except AuditError:
        if options.store is None:
            raise
    # a kept answer may have been edited, and is then worth nothing: solve anew, and let the audit speak of that
    return checked(Reading(case, find_plan(case, replace(options, store=None), progress)))


def checked(reading: Reading) -> Reading:
    """Return a plan that passes its audit, and whose bound its prices prove again: answers may come from a file.

    Raises
    ------
    AuditError : it breaks a rule or does not add up; it must not be used.
    """
    reading = _as_proved(reading)
    findings = audit(reading.case, reading.plan, reading=reading)
    findings += check_bound(reading.case, reading.derived, reading.names, reading.plan)
    if findings:
        shown = [f"  {finding}" for finding in findings[:SHOWN]]
        if len(findings) > SHOWN:
            shown.append(f"  ... and {len(findings) - SHOWN} more")
        raise AuditError("\n".join(["The plan fails its audit and was not written:", *shown]))
    return reading


def _as_proved(reading: Reading) -> Reading:
    """State the bound that the audit finds in the prices, where its sizes are larger than the certificate's.

    Where rules may want more units than are of any use, the audit looks at all that a plan can pay for, the certificate
    at what is sensible. Prices that are right but for the solver's tolerance then prove a hair less.
    """
    case, plan = reading.case, reading.plan
    if not any(rule.any_size for rule in rules_of(case, reading.names)):
        return reading
    stated = plan.proof.bound_usd
    proved = proved_bound_usd(case, reading.derived, reading.names, plan.certificate, stated)
    if not 0 < stated - proved <= NEAR * abs(stated):
        return reading
    return Reading(case, proved_by(replace(plan, proof=replace(plan.proof, bound_usd=proved)), plan))
