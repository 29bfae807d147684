"""A verdict for each commitment: keep, drop at expiry, raise, lower or watch, with its dollars (docs/review.md).

For each commitment, other numbers of its units are priced on the actual demand, with every rule in place.
The one that would have saved most is changed first; the next is priced with that change made, and so on. So two
commitments that could replace each other are not both dropped, and the savings add up. What the same change would
have saved on the plan's own forecast is subtracted: whole units ruled it out there (not of an order that was edited).
Budgets hold: no verdict buys more than they allow.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from planner.features.order.order import as_owed
from planner.features.review.actual import Actual
from planner.features.review.held_costs import HeldCosts, HeldLine, best_units
from planner.features.review.hindsight import Hindsight
from planner.features.review.review_rules import Rules
from planner.features.review.review_tables import ACTUAL, DROP, EXPECTED, KEEP, LOWER, RAISE, WATCH, Verdict
from planner.plan.orders import owed_after
from planner.plan.plan import Plan, Status
from planner.schema.case import Case
from planner.units import counted


def lines_of(case: Case, plan: Plan) -> tuple[HeldLine, ...]:
    """Every commitment that is in force in a month of the horizon, by end, region and offer."""
    lines = [HeldLine.of(case, o) for o in owed_after(case, plan)]
    return tuple(line for line in lines if line.periods and line.owed.units > 0)


def verdicts(
    case: Case, plan: Plan, actual: Actual, past: Hindsight, use: pd.DataFrame, rules: Rules, step: Callable[[], None]
) -> tuple[Verdict, ...]:
    """Judge every commitment. use : POOLS, expected and actual."""
    lines = lines_of(case, plan)
    held = [line.owed.units for line in lines]
    nothing = plan.purchases.iloc[:0]
    policy = case.settings.policy
    caps = policy.max_commitment_usd, policy.max_commitment_whole_term_usd
    came = HeldCosts(as_owed(past.came, nothing), lines, list(held), caps_usd=caps)
    planned = HeldCosts(as_owed(past.planned, nothing), lines, list(held), caps_usd=caps)
    chosen = plan.proof.status is not Status.GIVEN  # as the best for the forecast
    worth, alone = [], []
    for k in range(len(lines)):
        worth.append(_worth(came, k))
        alone.append(came.cost(k, held[k]) - came.cost(k, best_units(came, k)))
        step()
    best, saving, found = list(held), [0.0] * len(lines), [KEEP] * len(lines)
    for k in sorted(range(len(lines)), key=lambda n: (-alone[n], n)):
        to = best_units(came, k)
        saved = came.cost(k, held[k]) - came.cost(k, to)
        if chosen:
            saved -= max(0.0, _difference(planned.cost(k, held[k]), planned.cost(k, to)))
        cost = lines[k].price_usd * held[k]
        if to == held[k] or saved < max(rules.watch_usd, rules.watch_share * cost):
            step()
            continue
        best[k], saving[k] = to, saved
        if saved < max(rules.act_usd, rules.act_share * cost) or _seen(actual, lines[k]) < rules.least_seen_share:
            found[k] = WATCH
        else:
            found[k] = RAISE if to > held[k] else DROP if to == 0 else LOWER
            came.units[k] = planned.units[k] = to
        step()
    for k, line in enumerate(lines):
        short = _short(line, past, case, plan)
        if found[k] in (KEEP, WATCH, RAISE) and short > 1e-6:
            saving[k] = saving[k] if found[k] == RAISE else 0.0
            found[k], best[k] = RAISE, max(best[k], line.owed.units + short)
    return tuple(
        _verdict(
            k,
            line,
            verdict=found[k],
            best=best[k],
            saving=saving[k],
            worth=worth[k],
            seen=_seen(actual, line),
            use=use,
            fills=_fills(past.came, line),
        )
        for k, line in enumerate(lines)
    )


def _verdict(
    k: int, line: HeldLine, *, verdict: str, best: float, saving: float, worth: tuple[float | None, float | None],
    seen: float, use: pd.DataFrame, fills: tuple[str, ...],
) -> Verdict:  # fmt: skip
    units = line.owed.units
    plain = Verdict(
        number=k + 1,
        owed=line.owed,
        verdict=verdict,
        units=units,
        step_units=min(line.step, units),
        best_units=best,
        saving_usd=saving,
        usd=line.price_usd * units,
        price_usd=line.price_usd,
        last_unit_usd=worth[0],
        next_unit_usd=worth[1],
        utilisation=_utilisation(use, line, ACTUAL),
        planned_utilisation=_utilisation(use, line, EXPECTED),
        seen_share=seen,
        evidence=(),
    )
    return replace(plain, evidence=sentences(plain, fills))


def _fills(case: Case, line: HeldLine) -> tuple[str, ...]:
    """Name the spend commitments for which what the line costs counts."""
    return tuple(
        c.contract
        for c in case.spend_commitments
        if c.counts_reserved
        and (c.counted_regions is None or line.owed.region in c.counted_regions)
        and any(case.periods[k].name in line.periods for k in case.contract_periods(c))
    )


def _worth(ledger: HeldCosts, number: int) -> tuple[float | None, float | None]:
    """Tell what a unit of the last step, and of one more, is worth, USD: its price and what the change costs."""
    line, here = ledger.lines[number], ledger.units[number]
    step = min(line.step, here)
    base = ledger.cost(number, here)
    fewer, more = ledger.cost(number, round(here - step, 9)), ledger.cost(number, round(here + line.step, 9))
    last = None if math.isinf(fewer) else line.price_usd + (fewer - base) / step
    return last, None if math.isinf(more) else line.price_usd - (more - base) / line.step


def _difference(before: float, after: float) -> float:
    return 0.0 if math.isinf(before) or math.isinf(after) else before - after


def _seen(actual: Actual, line: HeldLine) -> float:
    spans = [s for s in actual.spans if s.period in line.periods]
    return sum(s.hours_seen for s in spans) / sum(s.hours for s in spans)


def _short(line: HeldLine, past: Hindsight, case: Case, plan: Plan) -> float:
    """Units that the pool lacks to keep the rules, in the month of the commitment that lacks most; 0: none."""
    if not past.needed_units:
        return 0.0
    pool, meter = line.owed.offer.pool, line.owed.offer.meter
    lacking = [0.0]
    for p in case.periods:
        if p.name in line.periods:
            same = [o for o in owed_after(case, plan) if (o.offer.pool, o.offer.meter) == (pool, meter)]
            mine = sum(o.units for o in same if o.start <= p.start and o.end >= p.end)
            lacking.append(past.needed_units.get((pool, meter, p.name), 0.0) - mine)
    return max(lacking)


def _utilisation(use: pd.DataFrame, line: HeldLine, side: str) -> float:
    """Utilisation of the commitment's pool over the months in which it is in force and something was seen."""
    own = use[(use["side"] == side) & (use["pool"] == line.pool[0]) & (use["meter"] == line.pool[1])]
    own = own[own["period"].isin(line.periods)]
    capacity = float(own["capacity_unit_hours"].sum())
    return float(own["used_unit_hours"].sum()) / capacity if capacity > 0 else float("nan")


def sentences(v: Verdict, fills: Sequence[str] = ()) -> tuple[str, ...]:
    """Say what speaks for the verdict, the weightiest first."""
    told = [_decision(v)]
    if not math.isnan(v.utilisation):
        planned = "" if math.isnan(v.planned_utilisation) else f"; planned {v.planned_utilisation:.1%}"
        told.append(f"Its pool's utilisation was {v.utilisation:.1%} in its months{planned}.")
    told.append(_margin(v))
    if fills:
        told.append(f"What it costs counts for {', '.join(fills)}, and its worth includes what would be lost there.")
    if v.seen_share < 1:
        told.append(f"{v.seen_share:.0%} of its hours were seen; the rest is as planned.")
    return tuple(told)


def _decision(v: Verdict) -> str:
    change = f"{counted(told_units(v.best_units), 'unit')} in place of {told_units(v.units)}"
    saved = f"would have saved ${v.saving_usd:,.0f} of the ${v.usd:,.0f} that it costs in these months"
    if v.verdict == RAISE and v.saving_usd <= 0:
        return f"{change}: with fewer, the rules cannot be kept on the actual demand."
    if v.verdict in (DROP, LOWER):
        return f"{change} {saved}."
    if v.verdict == RAISE:
        return f"{change} would have saved ${v.saving_usd:,.0f}."
    if v.verdict == WATCH:
        return f"{change} would have saved ${v.saving_usd:,.0f}: too little, or based on too few hours, to act on."
    return "No other number of units would have saved enough to justify a change."


def _margin(v: Verdict) -> str:
    some = "its last unit" if v.step_units == 1 else f"each of its last {told_units(v.step_units)} units"
    price = f"A unit costs ${v.price_usd:,.2f} in these months"
    if v.last_unit_usd is None:
        return f"{price}; without {some.replace('each of ', '')} the rules cannot be kept."
    told = f"{price}; {some} was worth ${max(0.0, v.last_unit_usd):,.2f}"
    if v.next_unit_usd is not None:
        told += f", and each of as many more would have been worth ${max(0.0, v.next_unit_usd):,.2f}"
    if v.verdict == KEEP and v.last_unit_usd < v.price_usd - 0.005:
        told += (
            "; holding fewer would not have saved enough, or the sizes that are sold rule it out on the forecast too"
        )
    return told + "."


def told_units(n: float) -> str:
    """Write a number of units: whole ones without decimals."""
    return f"{round(n):,d}" if abs(n - round(n)) < 1e-6 else f"{n:,.2f}"  # an integer has no -0
