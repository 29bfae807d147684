r"""Nearly as good: of all plans within a cost, the one that signs least, has fewest lines, or changes least.

    min f(x)   subject to   every rule of model.md   and   cost(x, v, u, flows) ≤ most

The cost row ties everything together, so parts share a master programme (`solver.whole`: x, v and u on their sizes,
θ[g] for what each group of slots costs at least), in which it is one row over all parts:

    Σ_parts (c·(x, v, u) + Σ_g θ[g])  ≤  most,       x[line] ≤ largest[line] · b[line],   b 0 or 1     (fewest lines)

Every row of the master is valid for every plan, so its optimum is a bound on f. A candidate is priced by the parts'
live linear programmes; if it costs too much, their duals are the next rows. Lines that cannot do, whatever is bought
of them, are excluded together: some other line is needed.

Where f is linear and units are of any size, no search is needed. f against cost is a convex curve; with a toll λ on f
each part is solved by itself, and secants (Dinkelbach 1967) lead to the segment of the curve that holds ``most``.
Both of its ends are optimal for its slope, so is their mixture, and the slope proves it (Lagrange):

    f(x)  ≥  (min (cost + λ f) − most) / λ       for every plan within the cost.

With whole units these tolled optima come first too: their duals are the rows that matter near the cost asked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.errors import PlannerError, StoppedError
from planner.model.columns import kept_purchases, largest_sizes
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve
from planner.model.reduce.slots import Line
from planner.model.sets import Floats, Ints, Sets
from planner.model.structure import prices_on_sizes, rules_on_sizes
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.common_master import SAME, Aim, Asked, MasterPart, solve_common
from planner.solver.component import begin_component
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.find import Kept, Options
from planner.solver.highs import DUAL, PRIMAL, Clock, set_options
from planner.solver.parallel import on_all_cores, put_back
from planner.solver.session import sunk_usd
from planner.solver.whole import Master, rounded

ROUNDS = 200
SECANTS = 60
WITHIN = 1e-7  # relative: how much dearer than asked a plan may be by rounding
WHOLE = 1e-6  # of a count


@dataclass(frozen=True)
class Least:
    """The least value found of an aim, and what is proved.

    value : of the plan found. bound : no plan within the cost has less. plan : None: none but the cheapest was found.
    """

    aim: Aim
    value: float
    bound: float
    plan: Plan | None

    @property
    def proved(self) -> bool:
        """Whether value and bound are the same, but for rounding and the gap of whole units."""
        return same(self.value, self.bound)


PROVED = 1e-4  # relative: the gap at which whole units are said to be optimal


def same(value: float, bound: float) -> bool:
    """Whether a value is proved by a bound, but for rounding and the gap of whole units."""
    return value - bound <= PROVED * max(1.0, abs(value))


Price = Callable[[Mapping[Line, float]], tuple[Plan, float] | None]  # cheapest plan of so many units, and its value


@dataclass(frozen=True)
class _Point:
    """A point of the curve: what some plan for units of any size costs, its value, its purchases by part."""

    usd: float
    value: float
    units: tuple[Floats, ...]


def least_within(
    case: Case, most_usd: float, aim: Aim, price: Price, options: Options, kept: Kept | None = None,
    start: float = np.inf,
) -> Least:  # fmt: skip
    """Find the least value of an aim among all plans that cost no more than ``most_usd``.

    Parameters
    ----------
    most_usd : USD over the horizon of what the plan is judged by, earlier commitments included; some plan costs less.
    price : finds the cheapest plan that buys no more units than asked of each line (``CHANGES`` : that changes no
        more of each line). kept : the last purchases (``CHANGES`` only). start : value of the cheapest plan.

    Out of time, or after many candidates, what is proved by then is returned.

    Raises
    ------
    PlannerError : rules that the search cannot take. StoppedError : no time even for a beginning.
    """
    search = _Search(case, most_usd, aim, price, options, kept)
    return search.run(start)


class _Search:
    """One search: parts, the cost asked, what was found."""

    def __init__(
        self, case: Case, most_usd: float, aim: Aim, price: Price, options: Options, kept: Kept | None
    ) -> None:
        self.aim, self.price, self.workers = aim, price, options.workers
        self.clock = Clock.of(options.time_limit_seconds, options.until)
        self.judged_usd, self.most = most_usd, most_usd - sunk_usd(case)
        sets = sets_of(case)
        if kept is not None:
            sets = kept.of(sets)
        _refuse(sets)
        parts = parts_to_solve(sets)
        self.parts = on_all_cores(lambda part: self._begin(case, part), parts, self.workers)
        self.cheapest = sum(part.usd for part in self.parts)
        self.excluded: list[list[Line]] = []  # of each, some other line is needed
        self.tried: set[frozenset[tuple[Line, float]]] = set()
        self.value, self.bound = np.inf, 0.0
        self.plan: Plan | None = None
        self.sized = any(part.solve.program.sets.has_size_rules for part in self.parts)

    def _begin(self, case: Case, part: Sets) -> MasterPart:
        solve = begin_component(part, self.clock)
        if solve is None:
            raise PlannerError("no plan exists, so none is nearly as good")
        master = Master(solve, self.clock)
        master.add_prices(solve.session.row_duals())
        master.add_stress(solve.cuts)
        bought = solve.program.sets.purchases
        periods = solve.program.sets.periods
        lines = [(str(offer), periods[int(p)]) for offer, p in zip(bought["offer"], bought["period"])]
        return MasterPart(solve, master, _weights(case, solve, lines, self.aim), lines, solve.session.objective())

    def run(self, start: float) -> Least:
        """Search until value and bound meet, the time is over, or nothing new is learnt."""
        self.value = start
        try:
            mixed = self._curve()
            if not self.sized and self.aim is not Aim.LINES:
                self._take(mixed)
            else:
                for part in self.parts:
                    self._tighten(part)
                self._candidates()
        except StoppedError:
            pass
        bound = min(self.bound, self.value)
        return Least(self.aim, self.value, max(bound, 0.0), self.plan)

    # -- the curve of units of any size --------------------------------------------------
    def _tolled(self, cost: float, toll: float) -> _Point:
        """Solve every part with a weight on its cost and one on the aim; the duals become rows of the masters."""

        def one(part: MasterPart) -> tuple[float, float, Floats]:
            session = part.solve.session
            session.set_costs(cost * part.cost + toll * part.aim)
            set_options(session.highs, simplex_strategy=PRIMAL)  # the basis is feasible, the costs are new
            known = len(part.solve.cuts)
            solved = solve_linear(part.solve)
            set_options(session.highs, simplex_strategy=DUAL)
            if not solved:
                raise ArithmeticError("a part that has plans has none at other costs")
            if cost > 0:
                part.master.add_prices(session.row_duals() / cost)
            part.master.add_stress(part.solve.cuts[known:])
            values = session.values()
            return float(part.cost @ values), float(part.aim @ values), part.committed

        found = on_all_cores(one, self.parts, self.workers)
        return _Point(sum(f[0] for f in found), sum(f[1] for f in found), tuple(f[2] for f in found))

    def _curve(self) -> _Point:
        """Follow secants to the cost asked; sets the bound, and returns the mixture that costs just so much."""
        values = [part.solve.session.values() for part in self.parts]
        low = _Point(
            self.cheapest,
            sum(float(part.aim @ v) for part, v in zip(self.parts, values)),
            tuple(part.committed for part in self.parts),
        )

        def true_costs() -> None:
            for part in self.parts:
                part.solve.session.set_costs(part.cost)

        with put_back(true_costs):
            high = self._tolled(0.0, 1.0)
            if high.usd <= self.most:
                self.bound = high.value
                return high
            for _ in range(SECANTS):
                if low.value - high.value <= SAME * abs(low.value) or high.usd - low.usd <= SAME * abs(low.usd):
                    self.bound = max(self.bound, min(low.value, high.value))
                    return low
                toll = (high.usd - low.usd) / (low.value - high.value)
                new = self._tolled(1.0, toll)
                least = new.usd + toll * new.value
                self.bound = max(self.bound, (least - self.most) / toll)
                if least >= low.usd + toll * low.value - SAME * abs(least):
                    share = (self.most - low.usd) / (high.usd - low.usd)
                    units = tuple((1 - share) * a + share * b for a, b in zip(low.units, high.units))
                    return _Point(self.most, (1 - share) * low.value + share * high.value, units)
                low, high = (new, high) if new.usd <= self.most else (low, new)
            return low

    def _take(self, point: _Point) -> None:
        """Price the purchases of a point of the curve, and take the plan."""
        asked: dict[Line, float] = {}
        for part, units in zip(self.parts, point.units):
            asked |= self._asked(part, units)
        self._priced(asked)

    def _priced(self, units: Mapping[Line, float]) -> Plan | None:
        """Find the cheapest plan of some purchases; it is taken where it is within the cost and better."""
        found = self.price(units)
        if found is None:
            return None
        plan, value = found
        if plan.judged_usd <= self.judged_usd * (1 + WITHIN) and value < self.value - SAME * abs(self.value):
            self.value, self.plan = value, plan
        return plan

    # -- the master of all parts ---------------------------------------------------------
    def _tighten(self, part: MasterPart) -> None:
        """Lower the largest sizes to what plans within the cost can have."""
        if part.solve.program.sets.has_size_rules and not rules_on_sizes(part.solve.program.sets):
            part.master.tighten(self.most - self.cheapest + part.usd)

    def _candidates(self) -> None:
        for _ in range(ROUNDS):
            found = solve_common(self.parts, Asked(self.aim, self.most, self.excluded, PROVED / 4), self.clock)
            self.bound = max(self.bound, min(found.bound, self.value))
            if found.values is None:  # none, or no time: no plan within the cost is any better than the bound
                return
            values = found.values
            if self._closed() or not self._try(values) or self._closed():
                return

    def _closed(self) -> bool:
        """Whether value and bound are as near as is asked."""
        return self.value - self.bound <= (WHOLE if self.aim is Aim.LINES else PROVED / 2 * max(abs(self.value), 1.0))

    def _try(self, values: Sequence[Floats]) -> bool:
        """Price a candidate: take it, or learn why it costs too much. False: nothing was learnt."""
        learnt = [len(part.master.rows) for part in self.parts]
        wanted = self._wanted(values)
        within = self._linear(values, wanted)
        before = self.value
        if not within and self.aim is Aim.LINES:
            self.excluded.append(sorted(wanted))
        elif self.sized and not self._at_sizes(values) and frozenset(wanted.items()) in self.tried:
            pass
        else:
            self.tried.add(frozenset(wanted.items()))
            plan = self._priced(wanted)
            if self.value == before and self.aim is Aim.LINES:
                claim = -np.inf if plan is None else max(plan.proof.bound_usd, plan.proof.tree_bound_usd or -np.inf)
                if plan is None or claim > self.judged_usd:
                    self.excluded.append(sorted(wanted))
                    return True
        return self.value < before or any(len(p.master.rows) > n for p, n in zip(self.parts, learnt)) or not within

    def _wanted(self, values: Sequence[Floats]) -> dict[Line, float]:
        """Gather what a candidate asks for."""
        wanted: dict[Line, float] = {}
        for part, own in zip(self.parts, values):
            units = rounded(part.master.program, own)[part.solve.program.columns.committed]
            wanted |= self._asked(part, units)
        return wanted

    def _asked(self, part: MasterPart, units: Floats) -> dict[Line, float]:
        """Most units (of changes: units changed) by line of a plan that buys some units."""
        if self.aim is Aim.LINES:
            least = SAME * max(1.0, float(units.max(initial=0.0)))
            return {line: np.inf for line, n in zip(part.lines, units) if n > least}
        if self.aim is Aim.SIGNED:
            return {line: float(n) for line, n in zip(part.lines, units)}
        sets = part.solve.program.sets
        kept, last = kept_purchases(sets), sets.purchases["kept_units"].to_numpy(float)
        return {part.lines[k]: abs(float(units[k] - last[k])) for k in kept}

    def _linear(self, values: Sequence[Floats], wanted: Mapping[Line, float]) -> bool:
        """Whether a candidate's lines are within the cost for units of any size; its prices become rows."""
        if self.aim is not Aim.LINES:
            return True

        def one(part: MasterPart, own: Floats) -> float:
            at = part.solve.program.columns
            on = np.array([line in wanted for line in part.lines], bool)
            upper = at.upper[at.committed]
            return self._learn(part, own, at.committed, np.zeros(len(on)), np.where(on, upper, 0.0), upper)

        return self._sum(one, values) <= self.most * (1 + SAME)

    def _at_sizes(self, values: Sequence[Floats]) -> bool:
        """Whether a candidate is within the cost at its own sizes; its prices become rows."""

        def one(part: MasterPart, own: Floats) -> float:
            sized = part.master.program.columns.sized
            units = rounded(part.master.program, own)[sized]
            return self._learn(part, own, sized, units, units, part.solve.program.columns.upper[sized])

        return self._sum(one, values) <= self.most * (1 + SAME)

    def _sum(self, one: Callable[[MasterPart, Floats], float], values: Sequence[Floats]) -> float:
        tasks = list(zip(self.parts, values))
        return float(sum(on_all_cores(lambda task: one(*task), tasks, self.workers)))

    def _learn(self, part: MasterPart, own: Floats, column: Ints, lower: Floats, upper: Floats, free: Floats) -> float:
        """Price a part with some columns bounded, USD; inf where it has no plan. Either way the master learns."""
        session, solve, master = part.solve.session, part.solve, part.master
        session.set_column_bounds(column, lower, upper)
        known = len(solve.cuts)
        try:
            if solve_linear(solve):
                master.add_prices(session.row_duals())
                return session.objective()
            if len(solve.cuts) == known and not solve.separator.stranded():
                master.add_ray(session, own)
            return np.inf
        finally:
            master.add_stress(solve.cuts[known:])
            session.set_column_bounds(column, np.zeros(len(column)), free)


def _refuse(sets: Sets) -> None:
    """Refuse rules that count sizes by the hour, and fees: the master has neither."""
    names = (*rules_on_sizes(sets), *prices_on_sizes(sets))
    if names:
        raise PlannerError(f"with the rule {', '.join(names)} plans that are nearly as good cannot be searched")


def _weights(case: Case, solve: LinearSolve, lines: Sequence[Line], aim: Aim) -> Floats:
    """Value of one unit of each column of a linear programme; of lines, their part of the largest sensible size."""
    at, sets = solve.program.columns, solve.program.sets
    found = np.zeros(at.count)
    if aim is Aim.SIGNED:
        offers, start = {o.offer: o for o in case.offers}, {p.name: p.start for p in case.periods}
        found[at.committed] = [
            offers[offer].usd_per_hour(start[period]) * offers[offer].term_hours(start[period])
            for offer, period in lines
        ]
    elif aim is Aim.LINES:
        most = largest_sizes(sets)[: len(lines)]
        found[at.committed] = 1 / np.maximum(most, SAME)
    else:
        found[at.more] = found[at.fewer] = 1.0
    return found
