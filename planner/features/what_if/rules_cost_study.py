"""What each rule costs: the case solved again without it, and what signing nothing today would cost.

A rule that is left out only allows more plans. Found in one of two ways:

- for units of any size (what `planner solve` does by itself): linear programmes, each exact, beside the cheapest plan
  for units of any size. A rule whose rows have no price in that plan's certificate costs nothing: the same prices prove
  the same bound without it. What whole units cost is the rest of the plan itself.
- in whole units (``whole=True``): each a search of its own, beside the plan. Where it finds nothing better than the gap
  that was asked, the rule costs nothing.

Components that do not change keep their answer.

What waiting saves, and what longer deadlines would: the case with other deadlines, solved again beside each rule.

Served when it arises, work that can wait still steps aside in every stress case and keeps its reserved headroom: what
differs is the waiting alone, and that options which take hours to answer are too slow for it.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.console.signing_nothing import CENT, signing_nothing
from planner.errors import StoppedError
from planner.model.family import SETTINGS, Cell
from planner.model.index_tables import sets_of
from planner.model.program import FAMILIES
from planner.plan.orders import order_lines
from planner.plan.plan import CERTIFICATE_COLUMNS, Plan
from planner.plan.reading import Reading
from planner.plan.rules_cost import Deadlines, Nothing, RuleCost, RulesCost, WaitingCost
from planner.schema.capacity import Offer, Throughput
from planner.schema.case import Case
from planner.schema.settings import Policy
from planner.schema.workloads import Workload
from planner.solver.find import Options, find_if_any, find_plan
from planner.solver.input_change import with_setting
from planner.solver.parallel import on_all_cores
from planner.units import HOURS_PER_WEEK

LONGEST = HOURS_PER_WEEK - 1


def other_deadlines(case: Case) -> list[tuple[Deadlines, Case]]:
    """Cases with other deadlines; none where nothing can wait, nor where they are the longest already."""
    if not case.work_can_wait:
        return []
    found = [(Deadlines.NONE, _changed(case, 0))]
    if any(w.can_wait and w.deadline_hours < LONGEST for w in case.workloads):
        found.append((Deadlines.TWICE, _changed(case, 2)))
        if any(w.can_wait and 2 * w.deadline_hours < LONGEST for w in case.workloads):
            found.append((Deadlines.WEEK, _changed(case, HOURS_PER_WEEK)))
    return found


def _changed(case: Case, times: int) -> Case:
    """Multiply the deadlines of work that can wait; 0: it is served when it arises."""

    def with_deadline(w: Workload) -> Workload:
        if not w.can_wait:
            return w
        if times:
            return w.model_copy(update={"deadline_hours": min(LONGEST, times * w.deadline_hours)})
        aside = {"headroom": 0.0, "reserved_headroom": case.reserved_headroom(w), "failover_share": 0.0}
        return w.model_copy(update={"deadline_hours": 0, **aside})

    return replace(case, workloads=tuple(with_deadline(w) for w in case.workloads))


MOST_QUOTAS, MOST_OF_A_KIND = 6, 4
GAP = 1e-3  # relative gap of whole units at least: finer takes minutes for little
EXACT = 1e-7  # relative: differences of linear programmes that count as none
BUDGET_SECONDS = 40.0  # of a processor: more is not spent unless it is asked for
NOTHING_SECONDS = 180.0  # for signing nothing, where the command has no time limit
SECONDS_PER_AMOUNT = 1.5e-5  # of a linear programme: measured on 62,000 to 150,000 amounts (ways x slots), rounded up
WHOLE_UNITS = "units of any size"


@dataclass(frozen=True)
class _Variant:
    """A case without a rule. priced : whether a row of it has a price in the certificate (None: it cannot tell)."""

    rule: str
    case: Case
    unmeasured: str = ""
    priced: bool | None = None


def rules_cost(
    reading: Reading, options: Options, progress: Callable[[int, int], None] | None = None, *, whole: bool = True,
    budget_seconds: float | None = None, nothing: Nothing | None = None,
) -> RulesCost:  # fmt: skip
    """Solve the case of a plan again without each of its rules.

    Parameters
    ----------
    reading : the case and its plan. progress : is given (variants solved, all variants). whole : in whole units.
    budget_seconds : of a processor; where the estimate is above it no rule is tried. None: no limit.
    nothing : what signing nothing costs, where that is known already.

    Raises
    ------
    StoppedError : the time limit ran out.
    """
    case = reading.case
    sized = _has_sizes(case)
    if budget_seconds is not None:
        solves = len(_variants(case, reading.plan)) + len(other_deadlines(case)) + 2
        seconds = solves * _seconds(case)
        if seconds > budget_seconds:
            return RulesCost((), nothing or nothing_if_quick(case, options), skipped=_too_long(solves, seconds))
    with tempfile.TemporaryDirectory(prefix="planner-rules-") as own:
        alone = replace(options, gap=max(options.gap, GAP), workers=1, kept=None, store=options.store or Path(own))
        asked = case if whole or not sized else case.with_policy(whole_units=False)
        base = reading.plan if asked is case else find_plan(asked, alone)
        every = _variants(asked, base)
        variants = [v for v in every if v.priced is not False]
        waits = other_deadlines(asked)
        starts = None if alone.starts is None else alone.starts.fixed()
        done = [0]

        def step() -> None:
            done[0] += 1
            if progress is not None:
                progress(done[0], len(variants) + len(waits) + 1)

        found = on_all_cores(
            lambda v: find_plan(v.case, replace(alone, starts=starts)), variants, options.workers, step
        )
        deadlines = on_all_cores(lambda w: find_if_any(w[1], alone), waits, options.workers, step)
        nothing = nothing or _nothing(case, replace(alone, gap=options.gap))
        step()
    total, signed = base.judged_usd, _signed(asked, base)
    least = max(CENT, (alone.gap if whole and sized else EXACT) * abs(total))
    rules = [_cost(v, total, signed, other, least) for v, other in zip(variants, found, strict=True)]
    rules += [RuleCost(v.rule, total, signed, 0.0, 0.0, v.unmeasured) for v in every if v.priced is False]
    if asked is not case:
        plan, to_sign = reading.plan.judged_usd, _signed(case, reading.plan)
        rules.append(RuleCost(WHOLE_UNITS, total, signed, max(0.0, plan - total), to_sign - signed))
    rules.sort(key=lambda r: (-r.saves_usd, -abs(r.less_to_sign_usd)))
    waiting = tuple(
        WaitingCost(d, None) if plan is None else WaitingCost(d, plan.judged_usd, _signed(changed, plan))
        for (d, changed), plan in zip(waits, deadlines, strict=True)
    )
    return RulesCost(tuple(rules), nothing, total, signed, any_size=asked is not case, waiting=waiting)


def nothing_if_quick(case: Case, options: Options) -> Nothing:
    """Price signing nothing where that takes no longer than may be spent unasked."""
    return _nothing(case, options) if _seconds(case) <= BUDGET_SECONDS else Nothing(None, tried=False)


def _nothing(case: Case, options: Options) -> Nothing:
    """Price signing nothing; without a time limit, for some time only: in whole units a first plan may take hours.

    Raises
    ------
    StoppedError : the time limit ran out.
    """
    if np.isfinite(options.until):
        return signing_nothing(case, options)
    try:
        return signing_nothing(case, replace(options, until=time.monotonic() + NOTHING_SECONDS))
    except StoppedError:
        return Nothing(None, tried=False)


def _cost(variant: _Variant, total: float, signed: float, other: Plan, least: float) -> RuleCost:
    saves, less = total - other.judged_usd, signed - _signed(variant.case, other)
    if saves <= least:
        saves, less = 0.0, 0.0
    less = 0.0 if abs(less) < CENT else less
    return RuleCost(variant.rule, total - saves, signed - less, saves, less, variant.unmeasured)


def _variants(case: Case, plan: Plan) -> list[_Variant]:
    prices = plan.certificate.reindex(columns=list(CERTIFICATE_COLUMNS))
    prices = prices[prices["price"] != 0]
    exact = not case.settings.policy.whole_units or not _has_sizes(case)  # the certificate proves the plan's own cost
    rules = [*_policy(case, prices, exact), *_quotas(case, prices), *_caps(case), *_residency(case)]
    return [*rules, *_guarantees(case, prices)]


def _has_sizes(case: Case) -> bool:
    """Whether units come in whole steps, so that a plan of whole units may differ from one of any size."""
    rows: tuple[Offer | Throughput, ...] = (*case.offers, *case.throughput)
    sized = any(row.min_units > 0 or row.unit_step > 0 for row in rows)
    return case.settings.policy.whole_units and sized


def _seconds(case: Case) -> float:
    """Estimate the processor time of one linear programme of a case."""
    sets = sets_of(case)
    return SECONDS_PER_AMOUNT * len(sets.arcs) * len(sets.slots)


def _too_long(solves: int, seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return (
        f"Not worked out: {solves} more plans of this size take about {minutes} minute{'s' * (minutes > 1)} of a "
        "processor, in whole units more. planner solve FOLDER --rules-cost takes the time."
    )


def _signed(case: Case, plan: Plan) -> float:
    return sum(line.term_usd for line in order_lines(case, plan))


def _policy(case: Case, prices: pd.DataFrame, exact: bool) -> list[_Variant]:
    """Rules of plan.yaml, each left out; `exact`: without a price in the certificate a rule costs nothing."""
    policy = case.settings.policy
    lost = prices["case"].fillna("").astype(str).str.startswith("failover ")

    def priced(rows: "pd.Series[bool]") -> bool | None:
        return bool(rows.any()) if exact else None

    failover, found = policy.failover, []
    if failover.enabled and any(r.fails for r in case.regions):
        off = failover.model_copy(update={"enabled": False})
        found.append(_Variant("without failover", case.with_policy(failover=off), priced=priced(lost)))
        if failover.on_demand_trust < 1:
            trusted = failover.model_copy(update={"on_demand_trust": 1.0})
            unmeasured = "failover.on_demand_trust" if failover.has_default_trust else ""
            rule = f"on demand trusted in full while a region is lost (now {failover.on_demand_trust:g})"
            counted = priced(lost & (prices["kind"] == "stress_quota"))
            found.append(_Variant(rule, case.with_policy(failover=trusted), unmeasured, counted))
        if failover.headroom > 0:
            full = failover.model_copy(update={"headroom": 0.0})
            rule = f"without headroom while a region is lost (now {failover.headroom:.0%})"
            found.append(_Variant(rule, case.with_policy(failover=full), priced=priced(lost)))
    if any(case.headroom(w) > 0 or case.reserved_headroom(w) > 0 for w in case.workloads):
        tight = tuple(w.model_copy(update={"headroom": 0.0, "reserved_headroom": 0.0}) for w in case.workloads)
        unmeasured = "" if "headroom" in policy.model_fields_set else "headroom"
        spare = any(case.reserved_headroom(w) > 0 for w in case.workloads)  # a part of every load: no row of its own
        found.append(_Variant("without headroom", replace(case, workloads=tight), unmeasured,
                              None if spare else priced(prices["case"] == "headroom")))  # fmt: skip
    if _has_sizes(case):
        found.append(_Variant(WHOLE_UNITS, case.with_policy(whole_units=False)))
    for path, kinds in _settings_of_rules().items():
        told = attrgetter(path.removeprefix("policy."))
        if told(policy) is not None and told(Policy()) is None:  # blank: no such rule
            free = replace(case, settings=with_setting(case.settings, path, None))
            found.append(
                _Variant(f"without {path.rpartition('.')[2]}", free, priced=priced(prices["kind"].isin(kinds)))
            )
    return found


def _settings_of_rules() -> dict[str, set[str]]:
    """List the settings that are the bound of rules, each with the names of their prices in the certificate."""
    found: dict[str, set[str]] = {}
    for family in FAMILIES:
        if isinstance(family.relaxed_by, Cell) and family.relaxed_by.table == SETTINGS:
            found.setdefault(family.relaxed_by.column, set()).update(family.price_kinds)
    return found


def _quotas(case: Case, prices: pd.DataFrame) -> list[_Variant]:
    """Quotas that have a price in the plan's certificate, each doubled; without one a quota decides nothing."""
    prices = prices[prices["kind"].isin(("quota", "stress_quota"))]
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
    for some, rule in _few(bound, lambda w: f"with {w.workload} served in any region", "every residency rule"):
        free = tuple(w.model_copy(update={"serving_regions": "any"}) if w in some else w for w in case.workloads)
        found.append(_Variant(rule, replace(case, workloads=free)))
    return found


def _guarantees(case: Case, prices: pd.DataFrame) -> list[_Variant]:
    """Workloads whose guaranteed share has a price, each without it."""
    paid = set(prices.loc[prices["kind"] == "guaranteed", "workload"].astype(str))
    bound = [w for w in case.workloads if w.guaranteed_share > 0 and w.workload in paid]
    found = []
    for some, rule in _few(bound, lambda w: f"without the guaranteed share of {w.workload}", "any guaranteed share"):
        free = tuple(w.model_copy(update={"guaranteed_share": 0.0}) if w in some else w for w in case.workloads)
        found.append(_Variant(rule, replace(case, workloads=free)))
    return found


def _few(rows: list[Any], name: Callable[[Any], str], together: str) -> list[tuple[list[Any], str]]:
    """Each row by itself, or all of them where they are many."""
    if len(rows) > MOST_OF_A_KIND:
        return [(rows, f"without {together}")]
    return [([row], name(row)) for row in rows]
