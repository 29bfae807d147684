"""What signing nothing today would cost: what every report sets the plan against."""

from dataclasses import replace

from planner.errors import AuditError, StoppedError
from planner.model.sets import stress_asks
from planner.plan.plan import Plan, Status, proved_by
from planner.plan.reading import Reading
from planner.plan.rules_cost import Nothing, RulesCost
from planner.schema.case import Case
from planner.solver.find import Options, find_if_any
from planner.solver.solve import checked
from planner.verify.figures import rules_broken

CENT = 0.005  # USD: costs that differ by less are the same to the cent


def signing_nothing(case: Case, options: Options) -> Nothing:
    """Price signing nothing: first by every rule, then without headroom and failover, then without quotas.

    Raises
    ------
    StoppedError : the time limit ran out.
    """
    return _priced(case, options)[0]


def no_dearer_than_nothing(reading: Reading, options: Options) -> tuple[Reading, Nothing | None]:
    """Return the plan that a search found, or that of signing nothing, and what signing nothing costs.

    It is tried only where the search ended before its gap was reached; None: it was not, or time ran out. What the
    search proved stays proved: its bound is one on every plan.

    Parameters
    ----------
    reading : the case and the plan found. options : of the search; what is left until its end may be used.
    """
    case, found = reading.case, reading.plan
    if found.proof.status is not Status.GAP:
        return reading, None
    try:
        nothing, bare = _priced(case, options)
        if bare is None or bare.judged_usd > found.judged_usd - CENT:
            return reading, nothing
        return checked(Reading(case, proved_by(found, replace(bare, input_digest=case.digest)))), nothing
    except (StoppedError, AuditError):  # no time, or an answer that was kept and is no plan of this case
        return reading, None


def _priced(case: Case, options: Options) -> tuple[Nothing, Plan | None]:
    """Price signing nothing; with its plan, where it keeps every rule."""
    options = replace(options, kept=None)
    bare = case.nothing_for_sale()
    calm = dict.fromkeys(stress_asks(case), 0.0)
    open_quotas = tuple(q.model_copy(update={"tokens_per_minute_quota": None}) for q in case.on_demand)
    for tried, asked in (
        (bare, options), (bare, replace(options, stress=calm)),
        (replace(bare, on_demand=open_quotas), replace(options, stress=calm)),
    ):  # fmt: skip
        found = find_if_any(tried, asked)
        if found is None:
            continue
        broken = () if asked is options else rules_broken(Reading(case, replace(found, input_digest=case.digest)))
        t = found.totals
        units = t.total_usd - t.on_demand_usd - t.egress_usd
        names = tuple(dict.fromkeys(rule.what for rule in broken))
        nothing = Nothing(t.total_usd, names, units, t.on_demand_usd, t.egress_usd)
        return nothing, found if asked is options else None
    return Nothing(None), None


def only_nothing(case: Case, options: Options) -> RulesCost | None:
    """Price signing nothing for a command that does not try the rules; None where the time limit runs out."""
    try:
        nothing = signing_nothing(case, options)
    except StoppedError:
        return None
    return RulesCost((), nothing, skipped="Not worked out here: planner solve FOLDER says what each rule costs.")
