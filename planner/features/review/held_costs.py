"""Commitments whose units may change, and what the actual demand costs with other numbers of them.

The cost is the optimum of a continuous programme whose right-hand sides are the units: it is convex in them, and the
duals of one answer bound every other from below. So most of the numbers that are tried need no solve.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from planner.features.review.cases import SPLIT
from planner.model.index_tables import spend_of
from planner.plan.flows import Floats
from planner.plan.orders import Owed
from planner.schema.capacity import Commitment, Offer
from planner.schema.case import Case, hours_between
from planner.schema.settings import Period
from planner.solver.session import LiveAnswer, LiveCase, sunk_usd

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

    caps_usd : what all lines may cost inside the horizon, and over their whole terms (None: any sum). slopes : of each
    answer, what one more unit of each line would cost (duals). The cost is convex in the units, so it lies nowhere
    below the plane of an answer: what a plane says to be no cheaper is not solved (`less`).
    """

    case: Case
    lines: Sequence[HeldLine]
    units: list[float]
    known: dict[tuple[float, ...], float] = field(default_factory=dict)
    slopes: dict[tuple[float, ...], Floats] = field(default_factory=dict)
    live: LiveCase | None = None
    caps_usd: tuple[float | None, float | None] = (None, None)

    def cost(self, number: int, units: float) -> float:
        """Cost with one line's units changed, USD over the horizon; infinite where a rule cannot be kept."""
        chosen = self._with(number, units)
        if chosen not in self.known:
            self.known[chosen] = self._solved(chosen)
        return self.known[chosen]

    def less(self, number: int, units: float, usd: float) -> bool:
        """Whether so many units of a line cost less than some dollars; solved only where no plane rules it out."""
        return self._least(number, units) < usd and self.cost(number, units) < usd

    def more(self, number: int, units: float, usd: float) -> bool:
        """Whether so many units of a line cost more than some dollars; solved only where no plane proves it."""
        return self._least(number, units) > usd + 1e-9 * abs(usd) or self.cost(number, units) > usd

    def _with(self, number: int, units: float) -> tuple[float, ...]:
        return (*self.units[:number], units, *self.units[number + 1 :])

    def _least(self, number: int, units: float) -> float:
        """Bound what so many units of a line cost from below, USD: the highest plane, or the cost itself."""
        chosen = self._with(number, units)
        if chosen in self.known:
            return self.known[chosen]
        if not self.slopes:
            return -math.inf
        points = np.array(list(self.slopes))
        costs = np.array([self.known[key] for key in self.slopes])
        planes = costs + ((np.array(chosen) - points) * np.array(list(self.slopes.values()))).sum(axis=1)
        return float(planes.max())

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
        chosen = self._with(number, units)
        return all(
            cap is None or sum(n * line.capped_usd[k] for n, line in zip(chosen, self.lines, strict=True)) <= cap + 1e-6
            for k, cap in enumerate(self.caps_usd)
        )

    def _at(self, chosen: Sequence[float]) -> Case:
        held = tuple(
            Commitment(offer=line.offer.offer, units=n, start=line.owed.start, end=line.owed.end)
            for line, n in zip(self.lines, chosen, strict=True)
        )
        return replace(self._stated, commitments=held)

    @cached_property
    def _stated(self) -> Case:
        """The case with the offers at which the lines are owed; what they are asked for stays the same."""
        own = {line.offer.offer: line.offer for line in self.lines}
        return replace(self.case, offers=(*self.case.offers, *own.values()))

    def _solved(self, chosen: tuple[float, ...]) -> float:
        case = self._at(chosen)
        if self.live is None:
            self.live = LiveCase(case)
        else:
            self.live.change(case)
        answer = self.live.attempt()
        if answer is None:
            return math.inf
        self.slopes[chosen] = self._slopes(answer)
        return answer.total_usd + sum(line.past_usd * n for line, n in zip(self.lines, chosen, strict=True))

    def _slopes(self, answer: LiveAnswer) -> Floats:
        """Tell what one more unit of each line would cost: its price, less what it saves where it serves and spends."""
        found = self._each_usd.copy()
        for k, line in enumerate(self.lines):
            found[k] += sum(answer.held_usd.get((*line.pool, period), 0.0) for period in line.periods)
            for contract, usd in zip(self.case.spend_commitments, self._each_spends[k], strict=True):
                found[k] -= answer.left_usd.get(contract.contract, 0.0) * usd
        return found

    @cached_property
    def _each_usd(self) -> Floats:
        """What a unit of each line costs, USD: its months in the horizon and what is counted of those after it."""
        return np.array(
            [sunk_usd(self._at(one)) + line.past_usd for one, line in zip(self._ones, self.lines, strict=True)]
        )

    @cached_property
    def _each_spends(self) -> Floats:
        """What a unit of each line spends on each contract, lines x contracts, USD."""
        left = [spend_of(self._at(one)) for one in (np.zeros(len(self.lines)), *self._ones)]
        usd = np.array([[] if some is None else some.usd for some in left])
        found: Floats = usd[0] - usd[1:]
        return found

    @property
    def _ones(self) -> Floats:
        """One unit of each line alone."""
        return np.eye(len(self.lines))


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

    def less(steps: int, usd: float) -> bool:
        return ledger.allows(number, units(steps)) and ledger.less(number, units(steps), usd)

    def more(steps: int, usd: float) -> bool:
        return not ledger.allows(number, units(steps)) or ledger.more(number, units(steps), usd)

    low, high = 0, 1
    while less(2 * high, cost(high)):
        low, high = high, 2 * high
    high = 2 * high
    while high - low > 1:  # the least cost lies at low or above, below high
        middle = (low + high) // 2
        if less(middle, cost(low)) and more(middle - 1, cost(middle)):
            low = middle
        else:
            high = middle
    best = units(low)
    return 0.0 if sign < 0 and _saves(ledger, number, 0.0, ledger.cost(number, best)) else best


def _saves(ledger: HeldCosts, number: int, to: float, cost: float) -> bool:
    return ledger.allows(number, to) and ledger.less(number, to, cost - 1e-9 * abs(cost))
