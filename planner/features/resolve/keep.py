"""Keep: what a change must be worth before the plan moves.

Among the purchases (offer, month) that the last plan could have too, let x_last be its units. The plan minimises

    cost  +  keep · Σ |x − x_last|

so a unit moves only where that saves more than ``keep`` dollars (`model.constraints.keep`, exact for whole units too).
With keep = ∞ the fewest units change: first min Σ |x − x_last| at any cost, which is 0 if the last plan's purchases
still hold; then the cheapest plan with no more changes. The charge is no cost: totals leave it out, and the bound is
that of the plan that is free to move, which no kept plan can beat.

Never dearer than the last plan: where time ends a search, the last plan's purchases are tried too.

If the input is the one that the last plan was made from, it is a plan of the case as it stands. If not, its purchases
are kept wherever they are for sale in both, and the rest is decided anew: a search without most of its choices, for
which a part of the time is set aside. Whichever is cheaper is the plan. What the search proved stays proved: its bound
is one on every plan, so on this one; of a bound in the last plan's file only what its prices prove again counts.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from planner.errors import AuditError, InfeasibleError, StoppedError
from planner.features.order.order import Broken, lacking, price_order
from planner.features.resolve.changes import GoneLine, Keeping, NotTried, own_name
from planner.model.reduce.slots import Line
from planner.model.sets import Keep
from planner.plan.finished import Finished
from planner.plan.plan import Plan, Status, proved_by
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.schema.input_digest import is_input_of
from planner.solver.find import Kept, Options, find_if_any, find_plan
from planner.solver.solve import checked

SAME_UNITS = 1e-6
EXACT = 1e-9  # relative gap of the fewest changes


@dataclass(frozen=True)
class LastPurchases:
    """Units of the last plan by offer and month that both plans could have, and what this plan cannot have.

    Units that are signed by now (an earlier commitment of the same offer and first day) are not to be bought again.
    """

    units: Mapping[Line, float]
    gone: tuple[GoneLine, ...]


def last_purchases(old: tuple[Case, Plan], case: Case) -> LastPurchases:
    """Gather what the last plan bought, line by line; 0 where it could have bought and did not."""
    months = {p.name for p in old[0].periods}
    mine = {p.name: p.start for p in case.periods}
    offers = {o.offer for o in case.offers}
    both = {(o.offer, m): 0.0 for o in old[0].offers if o.offer in offers for m in mine if m in months}
    gone = []
    for offer, month, bought in old[1].purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
        line = (str(offer), str(month))
        if line in both:
            both[line] += float(bought)
        elif line[1] in mine:
            gone.append(GoneLine(str(offer), str(month), float(bought)))
    own = {o.offer: own_name(o) for o in case.offers}
    for c in case.commitments:
        line = next(((own[c.offer], m) for m, start in mine.items() if start == c.start), ("", ""))
        if line in both:
            both[line] = max(0.0, both[line] - c.units)
    return LastPurchases(both, tuple(gone))


def keep_purchases(
    case: Case,
    last: LastPurchases,
    *,
    usd_per_unit: float,
    free: Plan,
    options: Options,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Plan, Keeping]:
    """Find the plan that moves away from the last purchases only where it pays.

    Parameters
    ----------
    last : purchases to keep. usd_per_unit : what a unit changed must save; inf: change only what must.
    free : the plan that is free to move, for the bound.
    """
    if math.isinf(usd_per_unit):
        fewest = replace(options, gap=EXACT, kept=Kept(Keep(1.0, cost_counts=False), last.units))
        least = find_plan(case, fewest.share(3), progress)
        limit = _changes(last.units, least)
        kept = Kept(Keep(0.0, limited=True), last.units, limit)
    else:
        kept = Kept(Keep(usd_per_unit), last.units)
    found = find_plan(case, replace(options, kept=kept).share(2 if math.isinf(usd_per_unit) else 1), progress)
    plan = checked(Reading(case, proved_by(free, found))).plan
    changed = sum(_changes(last.units, plan).values())
    broken: tuple[Broken | NotTried, ...] = ()
    if math.isinf(usd_per_unit) and changed > SAME_UNITS:
        broken = _broken(case, last, options)
    summary = Keeping(
        usd_per_unit,
        len(last.units),
        changed,
        sum(_changes(last.units, free).values()),
        max(0.0, plan.totals.total_usd - free.totals.total_usd),
        (*last.gone, *broken),
    )
    return plan, summary


def _changes(units: Mapping[Line, float], plan: Plan) -> dict[Line, float]:
    """Units more or fewer, by line."""
    now: dict[Line, float] = {}
    for offer, month, bought in plan.purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
        now[str(offer), str(month)] = now.get((str(offer), str(month)), 0.0) + float(bought)
    return {line: abs(now.get(line, 0.0) - n) for line, n in units.items()}


def _broken(case: Case, last: LastPurchases, options: Options) -> tuple[Broken | NotTried, ...]:
    """Say what the last purchases break or cannot meet, where, and by how much."""
    price = {o.offer: o.usd_per_unit_hour for o in case.offers}
    order = pd.DataFrame(
        [(offer, month, n, price[offer]) for (offer, month), n in last.units.items() if n > 0],
        columns=["offer", "period", "units", "usd_per_unit_hour"],
    )
    try:
        return price_order(case, order, replace(options, kept=None)).broken
    except InfeasibleError as error:
        return tuple(lacking(error))
    except StoppedError:
        return (NotTried(),)


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
