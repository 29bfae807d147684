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

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

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
from planner.plan.orders import Owed
from planner.plan.plan import Plan, Status
from planner.plan.pricing import months_in_force, spent_of, unit_balance
from planner.plan.reading import Reading
from planner.schema.capacity import Commitment, Offer
from planner.schema.case import Case, hours_between
from planner.schema.settings import Period
from planner.solver.find import Options, find_if_any, find_plan
from planner.solver.session import LiveCase


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


_PARTS = 20  # steps a commitment is divided into where its offer sells any amount


@dataclass(frozen=True)
class HeldLine:
    """A commitment whose units may change: all that its price and sizes say.

    price_usd : of a unit over the horizon, counted tail included. offer : as which it is owed: at a price for which the
    periods that it covers whole cost what is paid inside the horizon, all of which counts for spend commitments.
    past_usd : the rest of the price, past the horizon.
    least_deployed, deployed_step : sizes of the smallest deployment of its pool and meter, units. capped_usd : of a
    unit, what counts against max_commitment_usd and max_commitment_whole_term_usd: 0 where it was bought earlier.
    """

    owed: Owed
    periods: tuple[str, ...]
    price_usd: float
    offer: Offer
    past_usd: float
    whole: bool
    least_deployed: float
    deployed_step: float
    capped_usd: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(cls, case: Case, owed: Owed) -> "HeldLine":
        """Look up a commitment's months and price."""
        inside = [p for p in case.periods if owed.start <= p.start and owed.end >= p.end]
        rate, last = owed.offer.usd_per_unit_hour, case.periods[-1].end
        price = paid = rate * sum(p.hours for p in inside)
        capped = (0.0, 0.0)
        if owed.new:
            ends = (min(owed.end, last), owed.end)
            inside_usd, whole_usd = (owed.usd_per_unit_hour * hours_between(owed.start, end) for end in ends)
            capped = (inside_usd, whole_usd)
            tail = (1 - case.settings.policy.tail_value) * hours_between(last, owed.end)
            price, paid = inside_usd + owed.usd_per_unit_hour * tail, inside_usd
        whole = case.settings.policy.whole_units
        shared = {p.pool for p in case.pools if p.shared_hourly}
        sizes = [t for t in case.throughput if (t.pool, t.meter) == (owed.offer.pool, owed.offer.meter)]
        sized = whole and owed.offer.pool not in shared and bool(sizes)
        return cls(
            owed, tuple(p.name for p in inside), price, _paid_evenly(owed, paid, inside), price - paid, whole,
            least_deployed=min(t.min_units for t in sizes) if sized else 0.0,
            deployed_step=min(t.unit_step for t in sizes) if sized else 0.0,
            capped_usd=capped,
        )  # fmt: skip

    @property
    def step(self) -> float:
        """Smallest change looked at, units: the larger step of its offer and of its pool's deployments."""
        step = max(self.owed.offer.unit_step, self.deployed_step) if self.whole else 0.0
        return step if step > 0 else self.owed.units / _PARTS

    @property
    def pool(self) -> tuple[str, str]:
        """Pool and meter."""
        return self.owed.offer.pool, self.owed.offer.meter

    def sold(self, units: float) -> bool:
        """Whether the offer sells so many."""
        offer = self.owed.offer
        most = math.inf if offer.max_units is None else offer.max_units
        return units == 0 or (units <= most + 1e-9 and (not self.whole or units >= offer.min_units - 1e-9))


def _paid_evenly(owed: Owed, paid_usd: float, inside: Sequence[Period]) -> Offer:
    """Return a commitment's offer at the price for which a unit costs so much in the periods that it covers whole."""
    hours = sum(p.hours for p in inside)
    return owed.offer.model_copy(
        update={
            "offer": SPLIT.join([owed.offer.offer, f"{owed.start}", f"{owed.new}"]),
            "usd_per_unit_hour": paid_usd / hours if hours else 0.0,
            "upfront_usd_per_unit": 0.0,
            "max_units": 0.0,
        }
    )


@dataclass
class HeldCosts:
    """A case held open, the units of each line, and what they cost; remembers every answer.

    caps_usd : what all lines may cost inside the horizon, and over their whole terms (None: any sum).
    """

    case: Case
    lines: Sequence[HeldLine]
    units: list[float]
    known: dict[tuple[float, ...], float] = field(default_factory=dict)
    live: LiveCase | None = None
    caps_usd: tuple[float | None, float | None] = (None, None)

    def cost(self, number: int, units: float) -> float:
        """Cost with one line's units changed, USD over the horizon; infinite where a rule cannot be kept."""
        chosen = [*self.units[:number], units, *self.units[number + 1 :]]
        key = tuple(chosen)
        if key not in self.known:
            self.known[key] = self._solved(chosen)
        return self.known[key]

    def allows(self, number: int, units: float) -> bool:
        """Whether a line may have so many units: its offer sells them, and its pool can be deployed in its months."""
        line = self.lines[number]
        if units < 0 or not line.sold(units) or not self._paid_for(number, units):
            return False
        for period in line.periods:
            total = sum(
                units if k == number else n
                for k, (other, n) in enumerate(zip(self.lines, self.units, strict=True))
                if other.pool == line.pool and period in other.periods
            )
            if 1e-9 < total < line.least_deployed - 1e-9:
                return False
        return True

    def _paid_for(self, number: int, units: float) -> bool:
        """Whether the budgets allow so many units of a line; fewer than it has are always allowed."""
        if units <= self.units[number]:
            return True
        chosen = [*self.units[:number], units, *self.units[number + 1 :]]
        return all(
            cap is None or sum(n * line.capped_usd[k] for n, line in zip(chosen, self.lines, strict=True)) <= cap + 1e-6
            for k, cap in enumerate(self.caps_usd)
        )

    def _solved(self, chosen: Sequence[float]) -> float:
        held = tuple(
            Commitment(offer=line.offer.offer, units=n, start=line.owed.start, end=line.owed.end)
            for line, n in zip(self.lines, chosen, strict=True)
        )
        own = {line.offer.offer: line.offer for line in self.lines}
        case = replace(self.case, commitments=held, offers=(*self.case.offers, *own.values()))
        if self.live is None:
            self.live = LiveCase(case)
        else:
            self.live.change(case)
        answer = self.live.attempt()
        more = sum(line.past_usd * n for line, n in zip(self.lines, chosen, strict=True))
        return math.inf if answer is None else answer.total_usd + more


def best_units(ledger: HeldCosts, number: int) -> float:
    """Find the units of a line that cost least, the other lines as they are in the ledger."""
    line, here = ledger.lines[number], ledger.units[number]
    base = ledger.cost(number, here)
    least = max(0.01, 1e-9 * abs(base))
    for to in (here - line.step, here + line.step):
        if _saves(ledger, number, to, base - least):
            return _searched(ledger, number, here, math.copysign(1.0, to - here))
    return 0.0 if _saves(ledger, number, 0.0, base - least) else here  # all or nothing, at the smallest size


def _searched(ledger: HeldCosts, number: int, here: float, sign: float) -> float:
    """Find the best number of steps in one direction: doubled while it saves, then halved down on the slope."""
    line = ledger.lines[number]

    def units(steps: int) -> float:
        return round(here + sign * steps * line.step, 9)

    def cost(steps: int) -> float:
        return ledger.cost(number, units(steps)) if ledger.allows(number, units(steps)) else math.inf

    low, high = 0, 1
    while cost(2 * high) < cost(high):
        low, high = high, 2 * high
    high = 2 * high
    while high - low > 1:  # the least cost lies at low or above, below high
        middle = (low + high) // 2
        if cost(middle) < cost(middle - 1):
            low = middle
        else:
            high = middle
    best = units(low)
    return 0.0 if sign < 0 and _saves(ledger, number, 0.0, ledger.cost(number, best)) else best


def _saves(ledger: HeldCosts, number: int, to: float, cost: float) -> bool:
    return ledger.allows(number, to) and ledger.cost(number, to) < cost - 1e-9 * abs(cost)
