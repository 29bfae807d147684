"""How far a plan carries: how much demand or a price may move before it no longer fits, or another plan is cheaper.

Of one number at a time, as a factor of what the folder says. With the plan's purchases held, and everything else
decided anew as well as it can be:

- *fits until*: the largest growth of demand at which the plan's own units (signed and by the hour) and every contract
  still serve all of it, in ordinary hours and in every stress case;
- *regret*: what that costs more than the cheapest plan would, at some factors;
- *best from, to*: the range around 1 in which the regret is no more than it is today. Today it is nothing but the
  rounding to whole units, for the cheapest plan is taken for units of any size: so no plan can be cheaper by more;
- *nearly best from, to*: the range in which the regret is no more than today's and 1 % of what the plan costs.

Both costs come from one programme that stays open (`solver.line`). Where bounds move both are convex, where costs do
concave: chords and tangents then bound the regret between two factors, so that no range is passed over unseen. Where a
price multiplies decisions in a rule (of an offer in a budget, any in a spend commitment) nothing bounds it: FACTORS are
looked at, and an end is found between two of them by halving.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.case_factors import DEMAND, Factor, Number, numbers_of
from planner.plan.derived import Derived
from planner.plan.plan import Plan
from planner.plan.pricing import months_in_force, unit_balance
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.highs import Clock
from planner.solver.line import Line, LinePoint, Moves, Standing, Units
from planner.solver.parallel import on_all_cores

FACTORS = (0.5, 0.75, 0.9, 1.1, 1.25, 1.5)
LEAST, MOST = 0.5, 1.5  # the range that is looked at for cheaper plans
MOST_GROWTH = 4.0  # of demand, when it is asked how far the plan's units go
SAME = 1e-6  # of the cost: a regret that is larger by less is the same
PASSED = 1e-4  # of the cost: most that the regret may exceed what is allowed between two factors, unseen
NEARLY = 0.01  # of the cost: a plan that saves less is no reason to change
CLOSE = 5e-4  # how exactly the end of a range is found, as a factor


@dataclass(frozen=True)
class Reach:
    """How far a plan carries as one number moves.

    name : of the number. kind : DEMAND or PRICE. key : as `--scale` takes it.
    fits_until : largest growth that the plan's units and contracts serve; inf: MOST_GROWTH and more; None: of a price.
    best_from, best_to : range of factors in which the regret is what it is today; None: at LEAST (MOST) it still is.
    nearly_from, nearly_to : the same of a regret that is larger by NEARLY of the plan's cost.
    regrets : USD over the horizon by factor; None: with these purchases nothing serves the demand.
    sampled : whether the ranges were looked at in FACTORS alone, and their ends between two of them.
    """

    name: str
    kind: str
    key: str
    fits_until: float | None
    best_from: float | None
    best_to: float | None
    nearly_from: float | None
    nearly_to: float | None
    regrets: tuple[tuple[float, float | None], ...]
    sampled: bool = False


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
    if case.offers:  # what is owed under offers of its own, as it is where their prices move: one matrix for all
        free = changed(free, CaseChange("", scale=(Factor("offer_prices", 1.0),)))
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
        sweep = _Sweep(free, number.of_offers(case).factors, held, clock, before)
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
    held = unit_balance(case, months_in_force(case, plan.purchases), Derived.of(case).earlier, plan.deployments)
    more = held[held["unreserved_units"] > 1e-9]
    keys = zip(more["pool"], more["meter"], more["period"], strict=True)
    return dict(zip(keys, more["unreserved_units"].tolist(), strict=True))


def purchased(plan: Plan) -> dict[tuple[str, str], float]:
    """Units that a plan buys, by offer and period."""
    table = plan.purchases
    return {(str(o), str(p)): float(n) for o, p, n in zip(table["offer"], table["period"], table["units"], strict=True)}


class _Sweep:
    """A case as one number moves: the cheapest plan, and the plan held, at any factor.

    Each has a programme of its own, which goes on from its last basis; where the programme does not move in a straight
    way, each factor is opened anew.
    """

    def __init__(
        self, case: Case, factors: tuple[Factor, ...], held: _Held, clock: Clock, before: "_Sweep | None" = None
    ) -> None:
        self.case, self.factors, self.held, self.clock = case, factors, held, clock
        middle = LEAST + 0.381966 * (MOST - LEAST)
        places = (LEAST, middle, MOST)
        cases = (self.at(LEAST), self.at(middle), self.at(MOST))
        old: Sequence[Line | None] = (None, None) if before is None else before.lines
        self.lines: list[Line | None] = [Line.through(places, cases, clock, like, meet=1.0) for like in old]
        self._stood: list[Line | None] = [None, None]
        self._stated: tuple[float, Standing] | None = None
        self._cheapest: dict[float, LinePoint | None] = {}
        self._staying: dict[float, LinePoint | None] = {}
        if self.lines[1] is not None:
            self.lines[1].hold(held.units)

    def at(self, factor: float) -> Case:
        """Return the case with the number at a factor."""
        return changed(self.case, CaseChange("", scale=tuple(replace(one, factor=factor) for one in self.factors)))

    def _line(self, number: int, factor: float) -> Line:
        line = self.lines[number]
        if line is None:
            if self._stated is None or self._stated[0] != factor:
                self._stated = factor, Standing.of(self.at(factor), None if self._stated is None else self._stated[1])
            line = self._stood[number] = Line.standing(self._stated[1], self.clock, self._stood[number])
            line.hold(self.held.units if number else None)
        return line

    def cheapest(self, factor: float) -> LinePoint | None:
        """Find the cheapest plan at a factor."""
        if factor not in self._cheapest:
            self._cheapest[factor] = self._line(0, factor).solve(factor)
        return self._cheapest[factor]

    def staying(self, factor: float) -> LinePoint | None:
        """Find what the held purchases cost at a factor, with as many units by the hour as are sold."""
        if factor not in self._staying and factor != 1.0 and self.lines[1] is not None and self._only_offers():
            own = self.staying(1.0)  # what is bought stays, so that its price changes nothing else
            self._staying[factor] = None if own is None else replace(
                own, at=factor, usd=own.usd + (factor - 1.0) * own.slope_usd)  # fmt: skip
        if factor not in self._staying:
            self._staying[factor] = self._line(1, factor).solve(factor)
        return self._staying[factor]

    def _only_offers(self) -> bool:
        return all(factor.what == "offer_prices" for factor in self.factors)

    def regret(self, factor: float) -> float | None:
        """Return what staying costs more than the cheapest plan; None: with these purchases there is no plan."""
        best, own = self.cheapest(factor), self.staying(factor)
        return None if best is None or own is None else own.usd - best.usd

    def slope(self, factor: float) -> float:
        """Return by how much the regret moves with the factor; 0: not known."""
        best, own = self.cheapest(factor), self.staying(factor)
        straight = self.lines[0] is not None and self.lines[1] is not None
        return own.slope_usd - best.slope_usd if straight and best is not None and own is not None else 0.0

    @property
    def is_sampled(self) -> bool:
        """Whether nothing is known of the regret between two factors."""
        return any(line is None or line.moves is Moves.BOTH for line in self.lines)

    def most_between(self, one: float, other: float) -> tuple[float, float]:
        """Find a bound on the regret between two factors that have plans, and where it is; -inf: none is known.

        Where bounds move, staying costs no more than its chord, and the cheapest plan no less than its tangents; where
        costs do, staying no more than its tangents, and the cheapest plan no less than its chord. The difference is
        largest where the tangents meet.
        """
        line, nowhere = self.lines[0], (-math.inf, (one + other) / 2)
        if line is None or self.is_sampled:
            return nowhere
        touched, spanned = (
            (self.cheapest, self.staying) if line.moves is Moves.BOUNDS else (self.staying, self.cheapest)
        )
        a, b, c, d = touched(one), touched(other), spanned(one), spanned(other)
        if a is None or b is None or c is None or d is None:
            return nowhere
        turn = a.slope_usd - b.slope_usd
        at = (b.usd - a.usd + a.slope_usd * one - b.slope_usd * other) / turn if turn else nowhere[1]
        if not min(one, other) < at < max(one, other):
            at = nowhere[1]
        either = [point.usd + point.slope_usd * (at - point.at) for point in (a, b)]
        chord = c.usd + (d.usd - c.usd) * (at - one) / (other - one)
        return (chord - max(either) if line.moves is Moves.BOUNDS else min(either) - chord), at

    def fits(self, factor: float) -> bool:
        """Whether the plan's own units serve everything."""
        line = self._line(1, factor)
        line.hold(self.held.units, self.held.hourly)
        return line.solve(factor) is not None


def _reach(sweep: _Sweep, number: Number) -> tuple[Reach, float]:
    """Return how far the plan carries as a number moves, and what staying costs more as the folder stands."""
    own, today = sweep.staying(1.0), max(sweep.regret(1.0) or 0.0, 0.0)
    usd = 1.0 if own is None else abs(own.usd)
    down, up = [f for f in reversed(FACTORS) if f < 1], [f for f in FACTORS if f > 1]
    regrets = {factor: sweep.regret(factor) for factor in (*down, *up)}  # outwards: each goes on from the one before
    (best_from, nearly_from), (best_to, nearly_to) = (
        [_end(sweep, today + more * usd, PASSED * usd, way) for more in (SAME, NEARLY)] for way in (down, up)
    )
    reach = Reach(
        name=number.name,
        kind=number.kind,
        key=number.key,
        best_from=best_from,
        best_to=best_to,
        nearly_from=nearly_from,
        nearly_to=nearly_to,
        regrets=tuple((f, None if (more := regrets[f]) is None else max(more, 0.0)) for f in FACTORS),
        fits_until=_fits_until(sweep) if number.kind == DEMAND else None,
        sampled=sweep.is_sampled,
    )
    return reach, today


def _end(sweep: _Sweep, allowed: float, passed: float, factors: list[float]) -> float | None:
    """Find where the regret first exceeds what is allowed, on the way from 1 through some factors; None: nowhere.

    ``passed`` : most that it may do so unseen.
    """
    if _exceeds(sweep, 1.0 + math.copysign(CLOSE, factors[0] - 1.0), allowed):
        return 1.0
    inside = 1.0
    for outside in factors:
        end = _first(sweep, inside, outside, allowed, passed)
        if end is not None:
            return end
        inside = outside
    return None


def _exceeds(sweep: _Sweep, factor: float, allowed: float) -> bool:
    found = sweep.regret(factor)
    return found is None or found > allowed


def _first(sweep: _Sweep, inside: float, outside: float, allowed: float, passed: float) -> float | None:
    """Find where the regret first exceeds what is allowed, between a factor where it does not and another."""
    todo, tries = [outside], 0  # the last is the nearest
    while todo:
        outside = todo[-1]
        beyond, tries = _exceeds(sweep, outside, allowed), tries + 1
        if abs(outside - inside) <= CLOSE * (1 + 1e-6):
            if beyond:
                return inside
            inside = todo.pop()
            continue
        guess = (inside + outside) / 2
        if beyond:
            guess = _nearer(sweep, inside, outside, allowed) if tries % 3 else guess
        else:
            most, at = sweep.most_between(inside, outside)
            if most <= allowed + passed:
                inside = todo.pop()
                continue
            guess = at if 0.1 < (at - inside) / (outside - inside) < 0.9 else guess
        todo.append(guess)
    return None


def _nearer(sweep: _Sweep, inside: float, outside: float, allowed: float) -> float:
    """Guess a factor near the end: to either side of where the straight piece at ``outside`` ends; else halfway."""
    usd, slope = sweep.regret(outside), sweep.slope(outside)
    if usd is not None and slope != 0:
        along = outside - (usd - allowed) / slope
        short = math.copysign(CLOSE / 2, inside - outside)
        for guess in (along + short, along - short):
            clear = min(abs(guess - inside), abs(guess - outside)) > CLOSE / 10
            if clear and min(inside, outside) < guess < max(inside, outside):
                return guess
    return (inside + outside) / 2


def _fits_until(sweep: _Sweep) -> float:
    """Find the largest growth that the plan's own units and contracts serve."""
    low, high = 1.0, MOST_GROWTH
    if sweep.fits(high):
        return float("inf")
    while high - low > CLOSE:
        middle = (low + high) / 2 if high > 1.05 else low + (high - low) / 4
        low, high = (middle, high) if sweep.fits(middle) else (low, middle)
    return low
