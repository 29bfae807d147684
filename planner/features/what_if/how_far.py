"""How far a plan carries: how much demand or a price may move before it no longer fits, or another plan is cheaper.

Of one number at a time, as a factor of what the folder says. With the plan's purchases held, and everything else
decided anew as well as it can be:

- *fits until*: the largest growth of demand at which the plan's own units (signed and by the hour) and every contract
  still serve all of it, in ordinary hours and in every stress case;
- *regret*: what that costs more than the cheapest plan would, at some factors;
- *best from, to*: the range around 1 in which the regret is no more than it is today. Today it is nothing but the
  rounding to whole units, for the cheapest plan is taken for units of any size: so no plan can be cheaper by more.

Both costs come from one programme that stays open (`solver.line`), whose slopes lead to the ends of the range.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.case_factors import Factor
from planner.model.index_tables import sets_of
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.highs import Clock
from planner.solver.line import Line, LinePoint, Units
from planner.solver.parallel import on_all_cores

FACTORS = (0.5, 0.75, 0.9, 1.1, 1.25, 1.5)
LEAST, MOST = 0.5, 1.5  # the range that is looked at for cheaper plans
MOST_GROWTH = 4.0  # of demand, when it is asked how far the plan's units go
SAME = 1e-6  # of the cost: a regret that is larger by less is the same
CLOSE = 5e-4  # how exactly the end of a range is found, as a factor
DEMAND, PRICE = "demand", "price"


@dataclass(frozen=True)
class Reach:
    """How far a plan carries as one number moves.

    name : of the number. kind : DEMAND or PRICE. key : as `--scale` takes it.
    fits_until : largest growth that the plan's units and contracts serve; inf: MOST_GROWTH and more; None: of a price.
    best_from, best_to : range of factors in which the regret is what it is today; None: at LEAST (MOST) it still is.
    regrets : USD over the horizon by factor; None: with these purchases nothing serves the demand.
    """

    name: str
    kind: str
    key: str
    fits_until: float | None
    best_from: float | None
    best_to: float | None
    regrets: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True)
class HowFar:
    """How far a plan carries. regret_usd : as the folder stands: rounding to whole units. plan_usd : what it costs."""

    plan_usd: float
    regret_usd: float
    reaches: tuple[Reach, ...]


Told = Callable[[int, int], None]


def how_far(case: Case, plan: Plan, options: Options, progress: Told | None = None) -> HowFar:
    """Find how far a plan of a case carries.

    Parameters
    ----------
    plan : of this case; what it buys and deploys is looked at. progress : is given (numbers done, all).

    Raises
    ------
    StoppedError : the time limit ran out.
    """
    clock = Clock(options.until)
    free = case.with_policy(whole_units=False)
    held = _Held(purchased(plan), hourly_units(case, plan))
    asked = numbers_of(case, plan)
    done = [0]

    def step() -> None:
        done[0] += 1
        if progress is not None:
            progress(done[0], len(asked))

    idle: list[_Sweep] = []  # done with: their programmes go on as those of the next number

    def reach(number: Number) -> tuple[Reach, float]:
        before = None
        with suppress(IndexError):  # of two threads, one may be first
            before = idle.pop()
        sweep = _Sweep(free, number.factor, held, clock, before)
        found = _reach(sweep, number)
        idle.append(sweep)
        return found

    found = on_all_cores(reach, asked, options.workers, step)
    return HowFar(plan.totals.total_usd, found[0][1] if found else 0.0, tuple(reach for reach, _ in found))


@dataclass(frozen=True)
class _Held:
    """What a plan has: units by offer and period, units by the hour by pool, meter and period."""

    units: Units
    hourly: Mapping[tuple[str, str, str], float]


def hourly_units(case: Case, plan: Plan) -> dict[tuple[str, str, str], float]:
    """Units that a plan deploys beyond its commitments, by pool, meter and period."""
    sets = sets_of(case)
    have = sets.earlier.copy()
    purchases = sets.purchases
    row = {key: k for k, key in enumerate(zip(purchases["offer"], purchases["period"].to_numpy(int), strict=True))}
    meter, last = purchases["meter_row"].to_numpy(int), purchases["last_period"].to_numpy(int)
    number = {name: k for k, name in enumerate(sets.periods)}
    for (offer, period), units in purchased(plan).items():
        k = row[offer, number[period]]
        have[meter[k], number[period] : last[k] + 1] += units
    meters = {key: k for k, key in enumerate(zip(sets.meters["pool"], sets.meters["meter"], strict=True))}
    deployed: dict[tuple[str, str, str], float] = {}
    table = plan.deployments
    for pool, name, period, units in zip(table["pool"], table["meter"], table["period"], table["units"], strict=True):
        key = (str(pool), str(name), str(period))
        deployed[key] = deployed.get(key, 0.0) + float(units)
    more = {key: units - have[meters[key[:2]], number[key[2]]] for key, units in deployed.items()}
    return {key: float(units) for key, units in more.items() if units > 1e-9}


def purchased(plan: Plan) -> dict[tuple[str, str], float]:
    """Units that a plan buys, by offer and period."""
    table = plan.purchases
    return {(str(o), str(p)): float(n) for o, p, n in zip(table["offer"], table["period"], table["units"], strict=True)}


@dataclass(frozen=True)
class Number:
    """A number of the input that may move: what it is called, and what scales it."""

    name: str
    kind: str
    factor: Factor


def numbers_of(case: Case, plan: Plan) -> list[Number]:
    """List demand (all, by workload, by region) and prices (on demand, by model; offers that the plan buys)."""
    asked = case.demand[case.demand["requests_per_hour"] > 0]
    found = [Number("all demand", DEMAND, Factor("demand", 1.0))]
    for column, names in (
        ("workload", [w.workload for w in case.workloads]),
        ("region", [r.region for r in case.regions]),
    ):
        own = [name for name in names if (asked[column].astype(str) == name).any()]
        if len(own) > 1:
            found += [Number(f"demand of {n}", DEMAND, Factor("demand", 1.0, ((column, n),))) for n in own]
    if case.on_demand:
        found.append(Number("on-demand prices", PRICE, Factor("on_demand_prices", 1.0)))
        models = [m.model for m in case.models if any(q.model == m.model for q in case.on_demand)]
        if len(models) > 1:
            found += [Number(f"on-demand price of {m}", PRICE, Factor("on_demand_prices", 1.0, (("model", m),)))
                      for m in models]  # fmt: skip
    bought = sorted({str(o) for o in plan.purchases["offer"]})
    if case.offers:
        found.append(Number("offer prices", PRICE, Factor("offer_prices", 1.0)))
    if len(case.offers) > 1:
        found += [Number(f"price of {o}", PRICE, Factor("offer_prices", 1.0, (("offer", o),))) for o in bought]
    return found


@dataclass(frozen=True)
class _Regret:
    """What staying costs more at a factor, and by how much that moves with it."""

    usd: float
    slope_usd: float


class _Sweep:
    """A case as one number moves: the cheapest plan, and the plan held, at any factor.

    Each has a programme of its own, which goes on from its last basis; where the programme does not move in a straight
    way, each factor is opened anew.
    """

    def __init__(self, case: Case, factor: Factor, held: _Held, clock: Clock, before: "_Sweep | None" = None) -> None:
        self.case, self.factor, self.held, self.clock = case, factor, held, clock
        middle = LEAST + 0.381966 * (MOST - LEAST)
        places = (LEAST, middle, MOST)
        cases = (self.at(LEAST), self.at(middle), self.at(MOST))
        old: Sequence[Line | None] = (None, None) if before is None else before.lines
        self.lines: list[Line | None] = [Line.through(places, cases, clock, like) for like in old]
        self._cheapest: dict[float, LinePoint | None] = {}
        self._staying: dict[float, LinePoint | None] = {}
        if self.lines[1] is not None:
            self.lines[1].hold(held.units)

    def at(self, factor: float) -> Case:
        """Return the case with the number at a factor."""
        return changed(self.case, CaseChange("", scale=(replace(self.factor, factor=factor),)))

    def _line(self, number: int, factor: float) -> Line:
        line = self.lines[number]
        if line is None:
            line = Line.standing(self.at(factor), self.clock)
            line.hold(self.held.units if number else None)
        return line

    def cheapest(self, factor: float) -> LinePoint | None:
        """Find the cheapest plan at a factor."""
        if factor not in self._cheapest:
            self._cheapest[factor] = self._line(0, factor).solve(factor)
        return self._cheapest[factor]

    def staying(self, factor: float) -> LinePoint | None:
        """Find what the held purchases cost at a factor, with as many units by the hour as are sold."""
        if factor not in self._staying:
            self._staying[factor] = self._line(1, factor).solve(factor)
        return self._staying[factor]

    def regret(self, factor: float) -> _Regret | None:
        """Return what staying costs more than the cheapest plan; None: with these purchases there is no plan."""
        best, own = self.cheapest(factor), self.staying(factor)
        straight = self.lines[0] is not None
        if best is None or own is None:
            return None
        return _Regret(own.usd - best.usd, own.slope_usd - best.slope_usd if straight else 0.0)

    def fits(self, factor: float) -> bool:
        """Whether the plan's own units serve everything."""
        line = self._line(1, factor)
        line.hold(self.held.units, self.held.hourly)
        return line.solve(factor) is not None


def _reach(sweep: _Sweep, number: Number) -> tuple[Reach, float]:
    """Return how far the plan carries as a number moves, and what staying costs more as the folder stands."""
    today, own = sweep.regret(1.0), sweep.staying(1.0)
    allowed = (0.0 if today is None else max(today.usd, 0.0)) + SAME * (1.0 if own is None else abs(own.usd))
    regrets = [(factor, sweep.regret(factor)) for factor in FACTORS]
    reach = Reach(
        name=number.name,
        kind=number.kind,
        key=str(replace(number.factor, factor=1.0)).rpartition("=")[0],
        best_from=_end(sweep, allowed, [f for f in reversed(FACTORS) if f < 1]),
        best_to=_end(sweep, allowed, [f for f in FACTORS if f > 1]),
        regrets=tuple((factor, None if r is None else max(r.usd, 0.0)) for factor, r in regrets),
        fits_until=_fits_until(sweep) if number.kind == DEMAND else None,
    )
    return reach, 0.0 if today is None else max(today.usd, 0.0)


def _end(sweep: _Sweep, allowed: float, factors: list[float]) -> float | None:
    """Find where the regret first exceeds what is allowed, on the way from 1 through some factors; None: nowhere."""

    def excess(factor: float) -> _Regret | None:
        found = sweep.regret(factor)
        return None if found is None else replace(found, usd=found.usd - allowed)

    inside = 1.0
    for outside in factors:
        beyond = excess(outside)
        if beyond is not None and beyond.usd <= 0:
            inside = outside
            continue
        tries = 0
        while abs(outside - inside) > CLOSE * (1 + 1e-6):
            tries += 1
            guess = (inside + outside) / 2
            if beyond is not None and beyond.slope_usd != 0 and tries % 3:
                along = outside - beyond.usd / beyond.slope_usd  # where its straight piece ends: either side of it
                short = math.copysign(CLOSE / 2, inside - outside)
                either = [
                    g for g in (along + short, along - short) if min(abs(g - inside), abs(g - outside)) > CLOSE / 10
                ]
                guess = next((g for g in either if min(inside, outside) < g < max(inside, outside)), guess)
            here = excess(guess)
            if here is not None and here.usd <= 0:
                inside = guess
            else:
                outside, beyond = guess, here
        return inside
    return None


def _fits_until(sweep: _Sweep) -> float:
    """Find the largest growth that the plan's own units and contracts serve."""
    low, high = 1.0, MOST_GROWTH
    if sweep.fits(high):
        return float("inf")
    while high - low > CLOSE:
        middle = (low + high) / 2 if high > 1.05 else low + (high - low) / 4
        low, high = (middle, high) if sweep.fits(middle) else (low, middle)
    return low
