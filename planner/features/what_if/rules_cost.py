"""What each rule costs: the case solved again without it, exactly, and what signing nothing today would cost.

A rule that is left out only allows more plans, so the plan itself stays possible: where the new search finds nothing
better than the gap that was asked, the rule costs nothing. Components that do not change keep their answer.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from planner.errors import InfeasibleError
from planner.model.family import SETTINGS, Cell
from planner.model.program import FAMILIES
from planner.plan.orders import order_lines
from planner.plan.plan import CERTIFICATE_COLUMNS, Plan
from planner.plan.reading import Reading
from planner.plan.rules_cost import Nothing, RuleCost, RulesCost
from planner.schema.case import Case
from planner.schema.settings import Policy
from planner.solver.find import Options, find_plan
from planner.solver.parallel import on_all_cores
from planner.solver.shortfall import with_setting
from planner.verify.figures import figures_of

MOST_QUOTAS, MOST_OF_A_KIND = 6, 4
GAP, CENT = 1e-3, 0.005  # relative gap of whole units at least (finer takes minutes for little); USD


@dataclass(frozen=True)
class _Variant:
    rule: str
    case: Case
    unmeasured: str = ""


def rules_cost(reading: Reading, options: Options, progress: Callable[[int, int], None] | None = None) -> RulesCost:
    """Solve the case of a plan again without each of its rules.

    Parameters
    ----------
    reading : the case and its plan. progress : is given (variants solved, all variants).

    Raises
    ------
    StoppedError : the time limit ran out.
    """
    case, plan = reading.case, reading.plan
    variants = [*_policy(case), *_quotas(case, plan), *_caps(case), *_residency(case)]
    done = [0]

    def step() -> None:
        done[0] += 1
        if progress is not None:
            progress(done[0], len(variants) + 1)

    with tempfile.TemporaryDirectory(prefix="planner-rules-") as own:
        gap = max(options.gap, GAP)
        alone = replace(options, gap=gap, workers=1, kept=None, store=options.store or Path(own))
        found = on_all_cores(lambda v: find_plan(v.case, alone), variants, options.workers, step)
        nothing = _nothing(case, alone)
        step()
    total, signed = plan.totals.total_usd, _signed(case, plan)
    rules = []
    for variant, other in zip(variants, found, strict=True):
        saves, less = total - other.totals.total_usd, signed - _signed(variant.case, other)
        if saves <= max(CENT, gap * abs(total)):
            saves, less = 0.0, 0.0
        rules.append(RuleCost(variant.rule, total - saves, signed - less, saves, less, variant.unmeasured))
    return RulesCost(tuple(sorted(rules, key=lambda r: (-r.saves_usd, -abs(r.less_to_sign_usd)))), nothing)


def _signed(case: Case, plan: Plan) -> float:
    return sum(line.term_usd for line in order_lines(case, plan))


def _policy(case: Case) -> list[_Variant]:
    """Rules of plan.yaml, each left out."""
    policy = case.settings.policy
    failover, found = policy.failover, []
    if failover.enabled and any(r.fails for r in case.regions):
        off = failover.model_copy(update={"enabled": False})
        found.append(_Variant("without failover", case.with_policy(failover=off)))
        if failover.on_demand_trust < 1:
            trusted = failover.model_copy(update={"on_demand_trust": 1.0})
            unmeasured = "" if "on_demand_trust" in failover.model_fields_set else "failover.on_demand_trust"
            rule = f"on demand trusted in full while a region is lost (now {failover.on_demand_trust:g})"
            found.append(_Variant(rule, case.with_policy(failover=trusted), unmeasured))
        if failover.headroom > 0:
            full = failover.model_copy(update={"headroom": 0.0})
            rule = f"without headroom while a region is lost (now {failover.headroom:.0%})"
            found.append(_Variant(rule, case.with_policy(failover=full)))
    if any(case.headroom(w) > 0 or case.reserved_headroom(w) > 0 for w in case.workloads):
        tight = tuple(w.model_copy(update={"headroom": 0.0, "reserved_headroom": 0.0}) for w in case.workloads)
        unmeasured = "" if "headroom" in policy.model_fields_set else "headroom"
        found.append(_Variant("without headroom", replace(case, workloads=tight), unmeasured))
    if policy.whole_units:
        found.append(_Variant("units of any size", case.with_policy(whole_units=False)))
    cells = [family.relaxed_by for family in FAMILIES if isinstance(family.relaxed_by, Cell)]
    for path in dict.fromkeys(cell.column for cell in cells if cell.table == SETTINGS):
        told = attrgetter(path.removeprefix("policy."))
        if told(policy) is not None and told(Policy()) is None:  # blank: no such rule
            free = replace(case, settings=with_setting(case.settings, path, None))
            found.append(_Variant(f"without {path.rpartition('.')[2]}", free))
    return found


def _quotas(case: Case, plan: Plan) -> list[_Variant]:
    """Quotas that have a price in the plan's certificate, each doubled; without one a quota decides nothing."""
    prices = plan.certificate.reindex(columns=list(CERTIFICATE_COLUMNS))
    prices = prices[prices["kind"].isin(("quota", "stress_quota")) & (prices["price"] > 0)]
    priced = set(prices[["region", "model", "supply"]].astype(str).itertuples(index=False, name=None))
    quotas = [q for q in case.on_demand if q.tokens_per_minute_quota and (q.region, q.model, q.option) in priced]
    found = []
    if len(quotas) > 1:
        every = _doubled(case, {(q.region, q.model, q.option) for q in quotas})
        found.append(_Variant("every quota that binds doubled", every))
        quotas = quotas if len(quotas) <= MOST_QUOTAS else []
    for q in quotas:
        option = "" if q.option == "standard" else f", {q.option}"
        rule = f"quota of {q.model} in {q.region}{option} doubled"
        found.append(_Variant(rule, _doubled(case, {(q.region, q.model, q.option)})))
    return found


def _doubled(case: Case, which: set[tuple[str, str, str]]) -> Case:
    return replace(case, on_demand=tuple(
        q.model_copy(update={"tokens_per_minute_quota": 2 * q.tokens_per_minute_quota})
        if q.tokens_per_minute_quota and (q.region, q.model, q.option) in which else q
        for q in case.on_demand
    ))  # fmt: skip


def _caps(case: Case) -> list[_Variant]:
    """Egress caps and the most units that an offer sells, each left out; many of a kind together."""
    found = []
    capped = [r for r in case.routes if r.max_gb_per_month is not None]
    named = _few(capped, lambda r: f"without the egress cap {r.origin} to {r.destination}", "every egress cap")
    for some, rule in named:
        routes = tuple(r.model_copy(update={"max_gb_per_month": None}) if r in some else r for r in case.routes)
        found.append(_Variant(rule, replace(case, routes=routes)))
    limited = [o for o in case.offers if o.max_units]
    for some, rule in _few(limited, lambda o: f"without max_units of {o.offer}", "max_units of any offer"):
        offers = tuple(o.model_copy(update={"max_units": None}) if o in some else o for o in case.offers)
        found.append(_Variant(rule, replace(case, offers=offers)))
    return found


def _residency(case: Case) -> list[_Variant]:
    """Workloads that only some regions may serve, each allowed in any."""
    bound = [w for w in case.workloads if w.serving_regions not in (None, "any")]
    found = []
    for some, rule in _few(bound, lambda w: f"{w.workload} served in any region", "every residency rule"):
        free = tuple(w.model_copy(update={"serving_regions": "any"}) if w in some else w for w in case.workloads)
        found.append(_Variant(rule, replace(case, workloads=free)))
    return found


def _few(rows: list[Any], name: Callable[[Any], str], together: str) -> list[tuple[list[Any], str]]:
    """Each row by itself, or all of them where they are many."""
    if len(rows) > MOST_OF_A_KIND:
        return [(rows, f"without {together}")]
    return [([row], name(row)) for row in rows]


def _nothing(case: Case, options: Options) -> Nothing:
    """Price signing nothing: first by every rule, then without headroom and failover, then without quotas."""
    shut = tuple(o.model_copy(update={"min_units": 0.0, "unit_step": 0.0, "max_units": 0.0}) for o in case.offers)
    bare = replace(case, offers=shut)
    calm: dict[str | None, float] = dict.fromkeys((None, *(r.region for r in case.regions)), 0.0)
    open_quotas = tuple(q.model_copy(update={"tokens_per_minute_quota": None}) for q in case.on_demand)
    for tried, asked in (
        (bare, options), (bare, replace(options, stress=calm)),
        (replace(bare, on_demand=open_quotas), replace(options, stress=calm)),
    ):  # fmt: skip
        try:
            found = find_plan(tried, asked)
        except InfeasibleError:
            continue
        broken = () if asked is options else figures_of(Reading(case, replace(found, input_digest=case.digest))).broken
        return Nothing(found.totals.total_usd, tuple(dict.fromkeys(rule.what for rule in broken)))
    return Nothing(None)
