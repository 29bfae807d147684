"""Never dearer than the last plan: where time ends a search, the last plan's purchases are tried too.

If the input is the one that the last plan was made from, it is a plan of the case as it stands. If not, its purchases
are kept wherever they are for sale in both, and the rest is decided anew: a search without most of its choices, for
which a part of the time is set aside. Whichever is cheaper is the plan. What the search proved stays proved: its bound
is one on every plan, so on this one; of a bound in the last plan's file only what its prices prove again counts.
"""

from dataclasses import replace

from planner.errors import AuditError, StoppedError
from planner.features.resolve.keep import last_purchases
from planner.model.sets import Keep
from planner.plan.finished import Finished
from planner.plan.plan import Plan, Status, proved_by
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.schema.input_digest import is_input_of
from planner.solver.find import Kept, Options, find_if_any
from planner.solver.solve import checked

PART_FOR_LAST = 0.2  # of the time for the search
CENT = 0.005


def no_dearer(reading: Reading, last: Finished, options: Options) -> tuple[Reading, bool]:
    """Return the plan that a search found, or one with the last plan's purchases; and whether these stand.

    They are tried only where the search ended before its gap was reached.

    Parameters
    ----------
    reading : the case and the plan found. options : of the search; what is left until its end may be used.
    """
    case, found = reading.case, reading.plan
    if found.proof.status == Status.OPTIMAL:
        return reading, False
    try:
        kept = _with_last(case, last, options)
        if kept is None or kept.judged_usd > found.judged_usd - CENT:
            return reading, False
        return checked(Reading(case, _best_proof(found, kept, last))), True
    except (StoppedError, AuditError):  # no time, or no plan of this case
        return reading, False


def _with_last(case: Case, last: Finished, options: Options) -> Plan | None:
    if is_input_of(case, last.plan.input_digest) and last.plan.proof.status != Status.GIVEN:
        return last.plan
    units = last_purchases((last.case, last.plan), case).units
    if not units:
        return None
    kept = Kept(Keep(0.0, limited=True), units, dict.fromkeys(units, 0.0))
    return find_if_any(case, replace(options, kept=kept))


def _best_proof(found: Plan, kept: Plan, last: Finished) -> Plan:
    """Return the cheaper plan with the better of two proofs: of the search, or of the last plan's own prices."""
    bound, tree = kept.proof.bound_usd, found.proof.tree_bound_usd
    if kept is last.plan and bound > found.proof.bound_usd:
        proof = replace(found.proof, bound_usd=bound, tree_bound_usd=None if tree is None else max(tree, bound))
        found = replace(
            found, certificate=kept.certificate, rents=kept.rents, stress_rents=kept.stress_rents, proof=proof
        )
    return proved_by(found, kept)
