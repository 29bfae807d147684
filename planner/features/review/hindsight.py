"""The regret: the plan's commitments on the demand that came, against the best commitments for it.

Both on the hours that were, with the same offers, rules and prices. Deployments of the plan's side and all units of the
best are of any size: a continuous programme, solved exactly. What whole units cost, the plan paid on its own forecast
too; the same difference is taken there, and only what is above it is regret. So a history equal to the forecast has a
regret of exactly 0. (Whole units on both sides would cost a search of minutes for each, and a gap in each answer.)

Where the plan's commitments cannot keep the stress cases on the demand that came, both sides are left without them, and
it is told; where they cannot even serve it, what is unserved is left out on both sides, and told too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from planner.errors import InfeasibleError
from planner.features.order.order import Lacking, as_owed, lacking, without_stress
from planner.features.review.actual import Actual
from planner.features.review.cases import SPLIT, any_size, at_the_hours_that_were, planned_at_the_calendar
from planner.features.review.served import always_servable, cut
from planner.features.review.tables import Regret
from planner.plan.derived import Derived
from planner.plan.plan import Plan
from planner.plan.pricing import months_in_force, unit_balance
from planner.schema.case import Case
from planner.solver.find import Options, find_plan


@dataclass(frozen=True)
class Hindsight:
    """The regret, and the cases that verdicts go on from.

    came : the demand that came, hour by hour, with the rules that the plan's commitments can keep there.
    planned : what the forecast had for the same hours, under the same rules. needed_units : where the plan's
    commitments cannot keep the rules, what the best plan that keeps them holds, by pool, meter and period (empty: they
    can, or no plan could).
    """

    regret: Regret
    came: Case
    planned: Case
    needed_units: dict[tuple[str, str, str], float]


def look_back(case: Case, plan: Plan, actual: Actual, options: Options, step: Callable[[], None]) -> Hindsight:
    """Price the plan's commitments on what came, find the best for it, and do the same on the forecast."""
    came = any_size(at_the_hours_that_were(case, actual))
    planned = any_size(planned_at_the_calendar(case, actual))
    broken: tuple[Lacking, ...] = ()
    unserved, needed = 0.0, dict[tuple[str, str, str], float]()
    try:
        found = find_plan(as_owed(came, plan.purchases), options)
    except InfeasibleError as error:
        broken = tuple(dict.fromkeys(_in_the_plan_s_names(what) for what in lacking(error)))
        needed = _needed(came, options)
        came, planned = without_stress(came), without_stress(planned)
        found = find_plan(always_servable(as_owed(came, plan.purchases)), options)
        came, unserved = cut(came, found.dispatch)
        if unserved > 0:
            found = find_plan(always_servable(as_owed(came, plan.purchases)), options)
    spent = found.totals.total_usd
    step()
    best = find_plan(came, options)
    step()
    if came.digest == planned.digest:
        own_spent, own_best = spent, best.totals.total_usd
    else:
        own_spent = find_plan(as_owed(planned, plan.purchases), options).totals.total_usd
        own_best = find_plan(planned, options).totals.total_usd
    step()
    tail = plan.totals.tail_usd
    regret = Regret(
        plan_usd=spent + tail,
        best_usd=best.totals.total_usd,
        forecast_usd=max(0.0, own_spent + tail - own_best),
        standby_usd=found.totals.unreserved_usd,
        rules_kept=not broken,
        broken=broken,
        unserved_requests=unserved,
        months_ahead=tuple(s.period for s in actual.spans if s.hours_seen < s.hours),
    )
    return Hindsight(regret, came, planned, needed)


def _in_the_plan_s_names(what: Lacking) -> Lacking:
    """Return what is lacking without the marks that tell copies of workloads and scenarios apart."""
    short = what.shortfall
    row = tuple((column, name.split(SPLIT)[0]) for column, name in short.row)
    return Lacking(replace(short, row=row, scenario=short.scenario.split(SPLIT)[0]))


def _needed(case: Case, options: Options) -> dict[tuple[str, str, str], float]:
    """Units that the best plan which keeps every rule holds; nothing where no plan can."""
    try:
        plan = find_plan(case, options)
    except InfeasibleError:
        return {}
    held = unit_balance(case, months_in_force(case, plan.purchases), Derived.of(case).earlier, plan.deployments)
    keys = zip(held["pool"], held["meter"], held["period"], strict=True)
    return dict(zip(keys, (held["committed_units"] + held["unreserved_units"]).tolist(), strict=True))
