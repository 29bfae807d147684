"""What other numbers of units would have cost: the plan's commitments, one of them changed, priced on a case.

The cost as a function of one commitment's units is convex (it is the value of a linear programme), so that the best
number is found by steps that double while they save and halve when they do not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from planner.plan.orders import Owed
from planner.schema.capacity import Commitment
from planner.schema.case import Case
from planner.solver.session import LiveCase
from planner.units import HOURS_PER_DAY

_PARTS = 20  # steps a commitment is divided into where its offer sells any amount


@dataclass(frozen=True)
class Line:
    """A commitment whose units may change: all that its price and sizes say.

    price_usd : of a unit over the months of the horizon in which it is in force, counted tail included. tail_usd : that
    tail. least_deployed, deployed_step : sizes of the smallest deployment of its pool and meter, units.
    """

    owed: Owed
    periods: tuple[str, ...]
    price_usd: float
    tail_usd: float
    whole: bool
    least_deployed: float
    deployed_step: float

    @classmethod
    def of(cls, case: Case, owed: Owed) -> "Line":
        """Look up a commitment's months and price."""
        inside = [p for p in case.periods if owed.start <= p.start and owed.end >= p.end]
        rate = owed.offer.usd_per_unit_hour
        tail = 0.0
        if owed.new:
            beyond = max(0, (owed.end - case.periods[-1].end).days) * HOURS_PER_DAY
            tail = (1 - case.settings.policy.tail_value) * rate * beyond
        price = rate * sum(p.hours for p in inside) + tail
        whole = case.settings.policy.whole_units
        shared = {p.pool for p in case.pools if p.shared_hourly}
        sizes = [t for t in case.throughput if (t.pool, t.meter) == (owed.offer.pool, owed.offer.meter)]
        sized = whole and owed.offer.pool not in shared and bool(sizes)
        return cls(
            owed, tuple(p.name for p in inside), price, tail, whole,
            least_deployed=min(t.min_units for t in sizes) if sized else 0.0,
            deployed_step=min(t.unit_step for t in sizes) if sized else 0.0,
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


@dataclass
class Ledger:
    """A case held open, the units of each line, and what they cost; remembers every answer."""

    case: Case
    lines: Sequence[Line]
    units: list[float]
    known: dict[tuple[float, ...], float] = field(default_factory=dict)
    live: LiveCase | None = None

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
        if units < 0 or not line.sold(units):
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

    def _solved(self, chosen: Sequence[float]) -> float:
        held = tuple(
            Commitment(offer=line.owed.offer.offer, units=n, start=line.owed.start, end=line.owed.end)
            for line, n in zip(self.lines, chosen, strict=True)
        )
        case = replace(self.case, commitments=held)
        if self.live is None:
            self.live = LiveCase(case)
        else:
            self.live.change(case)
        answer = self.live.attempt()
        tail = sum(line.tail_usd * n for line, n in zip(self.lines, chosen, strict=True))
        return math.inf if answer is None else answer.total_usd + tail


def best_units(ledger: Ledger, number: int) -> float:
    """Find the units of a line that cost least, the other lines as they are in the ledger."""
    line, here = ledger.lines[number], ledger.units[number]
    base = ledger.cost(number, here)
    least = max(0.01, 1e-9 * abs(base))
    for to in (here - line.step, here + line.step):
        if _saves(ledger, number, to, base - least):
            return _searched(ledger, number, here, math.copysign(1.0, to - here))
    return 0.0 if _saves(ledger, number, 0.0, base - least) else here  # all or nothing, at the smallest size


def _searched(ledger: Ledger, number: int, here: float, sign: float) -> float:
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


def _saves(ledger: Ledger, number: int, to: float, cost: float) -> bool:
    return ledger.allows(number, to) and ledger.cost(number, to) < cost - 1e-9 * abs(cost)
