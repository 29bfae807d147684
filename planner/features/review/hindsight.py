"""The regret: the plan's commitments on the actual demand, against the best commitments for it.

Both on the hours that were, with the same offers, rules and prices. Deployments of the plan's side and all units of the
best are of any size: a continuous programme, solved exactly. What whole units cost, the plan paid on its own forecast
too; the same difference is taken there, and only what is above it is regret. So a history equal to the forecast has a
regret of exactly 0. Of an order that was edited nothing is taken away: nobody chose it as the best for the forecast.
(Whole units on both sides would cost a search of minutes for each, and a gap in each answer.)

Where the plan's commitments cannot meet the stress cases on the actual demand, both sides are solved without them, and
this is reported; where they cannot even serve it, what is unserved is left out on both sides, and reported too.

What spend commitments ask for is part of both sides: what was spent in the hours seen, and what is to come in those
that were not, in each scenario of the plan (`cases`). Only where some demand cannot be served, and what is left of it
keeps no mix without counting what is lost, are they left out on both sides.

Spend commitments in a review: what was spent on each in the hours seen, what is to come, what is lost.

Spent is what the hours cost with the plan's commitments, dispatched as cheaply as possible while the contracts ask for
money; hours to come are as planned, each scenario of the plan a future of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.errors import InfeasibleError
from planner.features.order.order import Lacking, as_owed, lacking, without_stress
from planner.features.review.actual import Actual
from planner.features.review.cases import (
    SPLIT,
    any_size,
    at_the_hours_that_were,
    planned_at_the_calendar,
    with_room_at_the_calendar,
)
from planner.features.review.review_tables import CONTRACTS, Regret, SeenSpan
from planner.features.review.served import always_servable, cut
from planner.plan.derived import Derived
from planner.plan.flows import Floats
from planner.plan.plan import Plan, Status
from planner.plan.pricing import months_in_force, spent_of, unit_balance
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.solver.find import Options, find_if_any, find_plan


def drawdown(case: Case, plan: Plan, past: tuple[Case, Plan], best: tuple[Case, Plan], spans: Sequence[SeenSpan]
) -> pd.DataFrame:  # fmt: skip
    """List the contracts: columns CONTRACTS.

    case, plan : as planned. past : the actual demand with the plan's commitments, and its cheapest plan. best : the
    same with the best commitments.
    """
    if not past[0].spend_commitments:
        return CONTRACTS.empty()
    planned = spent_of(Reading(case, plan)).expected_usd.sum(axis=1)
    seen, ahead = _parts(*past, spans)
    asked, chance = [c.usd for c in case.spend_commitments], np.array([p for _, p in past[0].chances])
    best_seen, best_ahead = _parts(*best, spans)
    return CONTRACTS.of(
        [
            (c.contract, usd, planned[k], seen[k], float(ahead[k] @ chance), _short(usd, seen[k], ahead[k], chance),
             _short(usd, best_seen[k], best_ahead[k], chance))
            for k, (c, usd) in enumerate(zip(case.spend_commitments, asked, strict=True))
        ]
    )  # fmt: skip


def _short(asked: float, seen: float, ahead: Floats, chance: Floats) -> float:
    """Expect a shortfall over the futures, USD."""
    return float(np.maximum(asked - seen - ahead, 0.0) @ chance)


def _parts(case: Case, plan: Plan, spans: Sequence[SeenSpan]) -> tuple[Floats, Floats]:
    """Return what was spent in the hours seen, by contract, and what is to come, contracts x futures, USD."""
    futures, names = case.futures, [name for name, _ in case.chances]
    found = spent_of(Reading(case, plan))
    share = np.array([s.share for s in spans])
    expected = found.on_demand_usd.sum(axis=2) * found.probability
    seen, ahead = found.reserved_usd @ share, np.tile((found.reserved_usd @ (1 - share))[:, None], len(names))
    for s, usd in zip(case.scenarios, expected.T, strict=True):
        of = None if futures is None else futures.of_scenario.get(s.scenario)
        if of is None:
            seen = seen + usd
        else:
            ahead[:, names.index(of)] += usd / case.chances[names.index(of)][1]
    return seen, ahead


@dataclass(frozen=True)
class Hindsight:
    """The regret, and the cases that verdicts go on from.

    came : the actual demand, hour by hour, with the rules that the plan's commitments can keep there.
    planned : what the forecast had for the same hours, under the same rules. needed_units : where the plan's
    commitments cannot keep the rules, what the best plan that keeps them holds, by pool, meter and period (empty: they
    can, or no plan could). contracts : what is spent on each spend commitment; empty: there are none, or they are left
    out.
    """

    regret: Regret
    came: Case
    planned: Case
    needed_units: dict[tuple[str, str, str], float]
    contracts: pd.DataFrame


def look_back(case: Case, plan: Plan, actual: Actual, options: Options, step: Callable[[], None]) -> Hindsight:
    """Price the plan's commitments on the actual demand, find the best for it, and do the same on the forecast."""
    roomy = with_room_at_the_calendar(case, plan, actual.months, alone=False)
    came = any_size(at_the_hours_that_were(roomy, actual))
    planned = any_size(planned_at_the_calendar(roomy, actual))
    broken: tuple[Lacking, ...] = ()
    unserved, needed = 0.0, dict[tuple[str, str, str], float]()
    try:
        found = find_plan(as_owed(came, plan.purchases), options)
    except InfeasibleError as error:
        broken = tuple(dict.fromkeys(_in_the_plan_s_names(what) for what in lacking(error)))
        needed = _needed(came, options)
        came, planned = without_stress(came), without_stress(planned)
        found = find_plan(_lossy(came, plan), options)
        came, unserved = cut(came, found.dispatch)
        served = find_if_any(as_owed(came, plan.purchases), options) if came.spend_commitments else None
        if served is None:
            came, planned = (replace(c, spend_commitments=()) for c in (came, planned))
            served = find_plan(_lossy(came, plan), options) if unserved > 0 else found
        found = served
    spent = found.judged_usd
    step()
    best = find_plan(came, options)
    step()
    if plan.proof.status is Status.GIVEN:  # an order as edited: what it cost on the forecast was chosen, not rounding
        own_spent, own_best = 0.0, plan.totals.tail_usd
    elif came.digest == planned.digest:
        own_spent, own_best = spent, best.judged_usd
    else:
        own_spent = find_plan(as_owed(planned, plan.purchases), options).judged_usd
        own_best = find_plan(planned, options).judged_usd
    step()
    tail = plan.totals.tail_usd
    regret = Regret(
        plan_usd=spent + tail,
        best_usd=best.judged_usd,
        forecast_usd=max(0.0, own_spent + tail - own_best),
        standby_usd=found.totals.unreserved_usd,
        rules_kept=not broken,
        broken=broken,
        unserved_requests=unserved,
        months_ahead=tuple(s.period for s in actual.spans if s.hours_seen < s.hours),
        tail_usd=tail,
        short_usd=found.totals.shortfall_usd,
        best_short_usd=best.totals.shortfall_usd,
    )
    spans = actual.spans
    contracts = drawdown(case, plan, (as_owed(came, plan.purchases), found), (came, best), spans)
    return Hindsight(regret, came, planned, needed, contracts)


def _lossy(came: Case, plan: Plan) -> Case:
    """Return the case with the plan's commitments in which demand may be left unserved: no money is spent on that."""
    return always_servable(as_owed(replace(came, spend_commitments=()), plan.purchases))


def _in_the_plan_s_names(what: Lacking) -> Lacking:
    """Return what is lacking without the marks that distinguish copies of workloads and scenarios."""
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
