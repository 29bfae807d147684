"""What signing nothing today would cost: what every report sets the plan against."""

from dataclasses import replace

from planner.errors import StoppedError
from planner.model.sets import stress_asks
from planner.plan.reading import Reading
from planner.plan.rules_cost import Nothing, RulesCost
from planner.schema.case import Case
from planner.solver.find import Options, find_if_any
from planner.verify.figures import rules_broken


def signing_nothing(case: Case, options: Options) -> Nothing:
    """Price signing nothing: first by every rule, then without headroom and failover, then without quotas.

    Raises
    ------
    StoppedError : the time limit ran out.
    """
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
        return Nothing(t.total_usd, names, units, t.on_demand_usd, t.egress_usd)
    return Nothing(None)


def only_nothing(case: Case, options: Options) -> RulesCost | None:
    """Price signing nothing for a command that does not try the rules; None where the time limit runs out."""
    try:
        nothing = signing_nothing(case, options)
    except StoppedError:
        return None
    return RulesCost((), nothing, skipped="Not worked out here: planner solve FOLDER says what each rule costs.")
