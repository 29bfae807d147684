"""A case along a line: one number moves costs or bounds of the programme in a straight way, and HiGHS goes on.

The cheapest plan for units of any size costs V(s) = min c(s)·x subject to A x ≥ b(s). Where A does not move and c and b
move in proportion to s, V is piecewise linear: convex if only b moves, concave if only c does. Which of it is so is
not declared for any number of the input: it is read from the assembled programmes at three places.

At an optimum with row prices y, V'(s) = y·b' + c'·x (of a kink: one slope between the two). Rows of the stress cases
are rays (model.reduce.project_stress) and do not move; their right-hand side does, slot by slot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import highspy
import numpy as np

from planner.model.index_tables import sets_of
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.alike import Split
from planner.model.reduce.components import parts_to_solve
from planner.model.reduce.slots import merge_slots
from planner.model.sets import Floats, Sets
from planner.schema.case import Case
from planner.solver.basis_by_name import BASIC
from planner.solver.continuous import LinearSolve, open_program, solve_linear
from planner.solver.highs import DUAL, PRIMAL, Clock, set_options
from planner.solver.session import moved, same_matrix, same_shape, sunk_usd
from planner.solver.starts import part_shape, same_network
from planner.solver.stress_search import Cut

STRAIGHT = 1e-9  # relative: how far a cost or bound may be from the line through two others
NO_UNITS = 1e-9  # of a purchase: rounding
SAME_PLACE = 1e-9  # of the way
Units = Mapping[tuple[str, str], float]  # by offer and period


class Moves(Enum):
    """What of the programme moves along a line."""

    NOTHING = "nothing"
    BOUNDS = "bounds"  # the cost of the best plan is convex
    COSTS = "costs"  # it is concave
    BOTH = "bounds and costs"  # it may be neither


@dataclass(frozen=True)
class LinePoint:
    """The cheapest plan at one place of the line, for units of any size.

    at : the place. usd : its cost (what is minimised), earlier commitments included. slope_usd : of the cost, USD for
    one more of the place's unit. units : of each purchase.
    """

    at: float
    usd: float
    slope_usd: float
    units: Units


@dataclass(frozen=True)
class Standing:
    """A case at one place, stated: its parts and their programmes."""

    case: Case
    split: Split
    programs: tuple[LinearProgram, ...]

    @classmethod
    def of(cls, case: Case, like: "Standing | None" = None) -> "Standing":
        """State a case; ``like``: one that may differ in numbers alone, and is then split as that one was."""
        sets = sets_of(case, None if like is None else like.split.whole)
        split = (None if like is None else like.split.like(sets)) or Split.of(sets)
        return cls(case, split, tuple(program_of(part.reduced) for part in split.parts))


class Line:
    """A case whose programme is open in HiGHS, and moves in a straight way between two places."""

    def __init__(self, parts: "list[_Part]", first: float, last: float, sunk: float) -> None:
        self._parts, self._first, self._last, self._sunk = parts, first, last, sunk

    @classmethod
    def through(
        cls,
        places: tuple[float, float, float],
        cases: tuple[Case, Case, Case],
        clock: Clock,
        like: "Line | None" = None,
        meet: float | None = None,
    ) -> "Line | None":
        """Open a case at the second of three places; None where the programme does not move in a straight way.

        ``like`` : a line that is needed no more: programmes of the same matrix go on from where it stands, and, of
        lines of one range that cross at the place ``meet``, from its optimum there.
        """
        sunk = [sunk_usd(case) for case in cases]
        whole = [sets_of(cases[0])]
        whole += [sets_of(case, whole[0]) for case in cases[1:]]
        stated = [[(part, program_of(merge_slots(part))) for part in parts_to_solve(sets)] for sets in whole]
        share = (places[1] - places[0]) / (places[2] - places[0])
        same = max(sunk) - min(sunk) <= STRAIGHT * max(1.0, *sunk)
        if not same or len({len(parts) for parts in stated}) > 1:
            return None
        found: list[_Part] = []
        for (part, low), (other, middle), (third, high) in zip(*stated, strict=True):
            alike = part_shape(part) == part_shape(other) == part_shape(third)
            if not alike or not _straight(low, middle, high, share):
                return None
            old = like._parts[len(found)] if like is not None and len(like._parts) > len(found) else None
            same = old is not None and same_matrix(old.solve.program, middle)
            found.append(_Part(low, high, moved(old.solve, middle) if old and same else open_program(middle, clock)))
            if old and same and meet is not None:
                found[-1].begin(old.optima_at((meet - places[0]) / (places[2] - places[0])))
            found[-1].hold(None, None)
        return cls(found, places[0], places[2], sunk[0])

    @classmethod
    def standing(cls, stands: "Standing", clock: Clock, like: "Line | None" = None) -> "Line":
        """Open a case that does not move: it costs the same at every place.

        ``like`` : a case that was solved before: programmes that differ in numbers alone begin where it ended.
        """
        found = [_Part(p, p, open_program(p, clock)) for p in stands.programs]
        if like is not None and len(like._parts) == len(found):
            for part, before in zip(found, like._parts, strict=True):
                part.begin_from(before.solve)
        return cls(found, 0.0, 1.0, sunk_usd(stands.case))

    @property
    def moves(self) -> Moves:
        """What moves along the line."""
        bounds = any(part.bounds_move for part in self._parts)
        costs = any(part.costs_move for part in self._parts)
        return Moves.BOTH if bounds and costs else Moves.BOUNDS if bounds else Moves.COSTS if costs else Moves.NOTHING

    def hold(self, units: Units | None, hourly: Mapping[tuple[str, str, str], float] | None = None) -> None:
        """Hold the purchases at some units (none is 0), so that only the rest is decided; None: all is decided.

        ``hourly`` : most units by the hour, by pool, meter and period (none is 0); None: as many as are sold.
        """
        for part in self._parts:
            part.hold(units, hourly)

    def solve(self, at: float) -> LinePoint | None:
        """Solve at a place; None where no plan exists."""
        usd, slope = self._sunk, 0.0
        units: dict[tuple[str, str], float] = {}
        for part in self._parts:
            if not part.solve_at((at - self._first) / (self._last - self._first)):
                return None
            usd += part.solve.session.objective()
            slope += part.slope() / (self._last - self._first)
            units |= part.units()
        return LinePoint(at, usd, slope, units)


class _Part:
    """One component along the line: its programmes at both ends, and the one that is open."""

    def __init__(self, low: LinearProgram, high: LinearProgram, solve: LinearSolve) -> None:
        self.low, self.high, self.solve = low, high, solve
        bounds = zip(low.bounds(), high.bounds(), strict=True)
        self._lower_rate, self._upper_rate = (_rate(a, b) for a, b in bounds)
        self._cost_rate = high.cost - low.cost
        ends = [_asked(program.sets) for program in (low, high)]
        stress = any(not np.array_equal(a, b) for a, b in zip(*ends, strict=True))
        self.bounds_move = bool(self._lower_rate.any() or self._upper_rate.any() or stress)
        self.costs_move = bool(self._cost_rate.any())
        self._done: tuple[float, bool] | None = (
            None  # the share of the way that was solved last, and if there is a plan
        )
        self._at: float | None = None  # the share of the way at which the open programme is stated
        self._held = hash(())  # names what is held
        self._optima: list[_Optimum] = []
        self._need_rates: dict[tuple[int, int], Floats] = {}
        self._quota_rates = [_rate(_counted(low.sets, k), _counted(high.sets, k)) for k in range(len(low.sets.cases))]

    def begin_from(self, old: LinearSolve) -> None:
        """Start from where another programme stands, if it has the same columns, rows and stress networks."""
        solve = self.solve
        if not same_shape(old.program, solve.program) or not all(
            same_network(a.net, b.net) for a, b in zip(old.separator.problems, solve.separator.problems, strict=True)
        ):
            return
        solve.add([solve.separator.renewed(cut, cut.case) for cut in old.cuts])
        solve.session.highs.setBasis(old.session.highs.getBasis())

    def begin(self, optima: "Sequence[_Optimum]") -> None:
        """Take optima of a line of the same matrix as those to start from."""
        self._optima = list(optima)

    def optima_at(self, share: float) -> "list[_Optimum]":
        """Return the optima found at a share of the way."""
        return [one for one in self._optima if abs(one.share - share) < SAME_PLACE]

    def hold(self, units: Units | None, hourly: Mapping[tuple[str, str, str], float] | None) -> None:
        """Hold purchases at some units, and units by the hour below some; None: free."""
        at, sets, session = self.low.columns, self.low.sets, self.solve.session
        upper = at.upper[at.committed]
        lower = np.zeros(len(upper))
        if units is not None:
            bought = zip(sets.purchases["offer"], sets.purchases["period"].to_numpy(int), strict=True)
            lower = upper = np.array([units.get((str(o), sets.periods[p]), 0.0) for o, p in bought], float)
        session.set_column_bounds(at.committed, lower, upper)
        meter, period = np.nonzero(at.unreserved >= 0)
        most = np.full(len(meter), np.inf)
        if hourly is not None:
            pools = [
                (str(pool), str(name)) for pool, name in zip(sets.meters["pool"], sets.meters["meter"], strict=True)
            ]
            most = np.array([hourly.get((*pools[m], sets.periods[p]), 0.0)
                             for m, p in zip(meter, period, strict=True)], float)  # fmt: skip
        session.set_column_bounds(at.unreserved[meter, period], np.zeros(len(most)), most)
        self._done, self._held = None, hash((lower.tobytes(), upper.tobytes(), most.tobytes()))

    def solve_at(self, share: float) -> bool:
        """Solve at a share of the way; whether there is a plan."""
        if self._done is None or (self._done[0] != share and (self.bounds_move or self.costs_move)):
            self._state(share)
            self._start(share)
            self._done = share, solve_linear(self.solve)
            if self._done[1] and not any(one.share == share for one in self._known()):
                self._optima.append(_Optimum(share, self._held, self.solve.session.highs.getBasis()))
        return self._done[1]

    def _state(self, share: float) -> None:
        """Give the open programme the costs and bounds at a share of the way; stress rows keep their rays."""
        solve = self.solve
        if self._at == share or not (self.bounds_move or self.costs_move):
            return
        if self._at is None:
            self.solve = moved(solve, _between(self.low, self.high, share))
        elif self.bounds_move:
            program = solve.program = solve.session.program = _between(self.low, self.high, share)
            solve.separator.renew(program.sets)
            solve.cuts = [solve.separator.again(cut) for cut in solve.cuts]
            first = program.row_count
            needs = np.array([cut.need for cut in solve.cuts])
            solve.session.set_row_bounds(np.arange(first), *program.bounds())
            solve.session.set_row_bounds(np.arange(first, first + len(needs)), needs, np.full(len(needs), np.inf))
            if self.costs_move:
                solve.session.set_costs(program.cost)
        else:
            cost = _mean(self.low.cost, self.high.cost, share)
            solve.program = solve.session.program = replace(solve.program, cost=cost)
            solve.session.set_costs(cost)
        self._at = share

    def _known(self) -> "list[_Optimum]":
        return [one for one in self._optima if one.held == self._held]

    def _start(self, share: float) -> None:
        """Go on from the nearest optimum; where costs alone moved since, it is a plan, and primal steps lead on."""
        near = min(self._known(), key=lambda one: abs(one.share - share), default=None)
        highs, rows = self.solve.session.highs, self.low.row_count + len(self.solve.cuts)
        if near is not None:
            status = near.basis.row_status
            near.basis.row_status = [*status, *([BASIC] * (rows - len(status)))]
            highs.setBasis(near.basis)
        set_options(highs, simplex_strategy=DUAL if near is None or self.bounds_move else PRIMAL)

    def slope(self) -> float:
        """USD that the last optimum costs more for the whole way: prices times what bounds move, and costs."""
        session = self.solve.session
        price = session.row_duals()
        rows = self.low.row_count
        own = price[:rows]
        rate = np.where(own > 0, self._lower_rate, self._upper_rate)
        cuts = np.array([self._need_rate(cut) for cut in self.solve.cuts])
        of_rows = (own * rate).sum() + (np.maximum(price[rows:], 0.0) * cuts).sum()  # dot would start threads
        return float(of_rows + (session.values() * self._cost_rate).sum())

    def units(self) -> dict[tuple[str, str], float]:
        """Units of each purchase of the last optimum."""
        sets = self.low.sets
        values = self.solve.session.values()[self.low.columns.committed]
        bought = zip(sets.purchases["offer"], sets.purchases["period"].to_numpy(int), values, strict=True)
        return {(str(offer), sets.periods[p]): float(n) for offer, p, n in bought if n > NO_UNITS}

    def _need_rate(self, cut: Cut) -> float:
        """Return what the right-hand side of a stress row moves by over the whole way, in the slot that sets it."""
        key = (cut.case, cut.slot)
        if key not in self._need_rates:
            net, low, high = self.solve.separator.problems[cut.case].net, self.low.sets, self.high.sets
            a, b = (sets.cases[cut.case].factor(cut.period) * sets.demand[:, cut.slot] for sets in (low, high))
            self._need_rates[key] = np.bincount(net.class_of, b - a, net.classes).astype(float)
        return float(cut.ray.class_value @ self._need_rates[key] - cut.ray.quota @ self._quota_rates[cut.case])


@dataclass(frozen=True)
class _Optimum:
    """Where on the way an optimum was found, what was held then, and its basis. A row added later is not in it."""

    share: float
    held: int
    basis: highspy.HighsBasis


def _rate(a: Floats, b: Floats) -> Floats:
    """Return what numbers move by; bounds that are none at either end stay none."""
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(np.isfinite(a) & np.isfinite(b), b - a, 0.0)
    return found


def _limits(sets: Sets) -> Floats:
    limit: Floats = sets.quotas["tokens_per_minute"].to_numpy(float)
    return limit


def _counted(sets: Sets, number: int) -> Floats:
    """Tokens per minute of each quota that a stress case counts; 0 of those that are no limit."""
    limit = _limits(sets)
    return np.where(np.isfinite(limit), limit, 0.0) * sets.cases[number].quota_scale


def _asked(sets: Sets) -> list[Floats]:
    """Return what moves the right-hand sides of stress rows: stressed demand, and quotas that count."""
    return [
        *(case.factor(sets.slot_period) * sets.demand for case in sets.cases),
        *(_counted(sets, k) for k in range(len(sets.cases))),
    ]


def _mean(a: Floats, b: Floats, share: float) -> Floats:
    """Go a share of the way from numbers to others; what is no limit at both ends is none between."""
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(a == b, a, a + share * (b - a))
    return found


def _between(low: LinearProgram, high: LinearProgram, share: float) -> LinearProgram:
    """State the programme at a share of the way."""
    a, b = low.sets, high.sets
    sets = replace(
        a,
        demand=np.maximum(_mean(a.demand, b.demand, share), 0.0),
        quotas=a.quotas.assign(tokens_per_minute=_mean(_limits(a), _limits(b), share)),
        cases=tuple(
            replace(
                c,
                demand_scale=_mean(c.demand_scale, d.demand_scale, share),
                quota_scale=c.quota_scale + share * (d.quota_scale - c.quota_scale),
            )
            for c, d in zip(a.cases, b.cases, strict=True)
        ),
    )  # fmt: skip
    families = tuple(
        replace(x, lower=_mean(x.lower, y.lower, share), upper=_mean(x.upper, y.upper, share))
        for x, y in zip(low.families, high.families, strict=True)
    )
    return replace(low, sets=sets, cost=_mean(low.cost, high.cost, share), families=families)


def _straight(low: LinearProgram, middle: LinearProgram, high: LinearProgram, share: float) -> bool:
    """Whether three programmes differ in costs and row bounds alone, and the second lies between the others."""
    if not (same_matrix(low, middle) and same_matrix(middle, high)):
        return False
    between = _between(low, high, share)
    pairs = [(between.cost, middle.cost), *zip(between.bounds(), middle.bounds(), strict=True),
             (between.columns.upper, middle.columns.upper), (low.columns.upper, high.columns.upper),
             *zip(_asked(between.sets), _asked(middle.sets), strict=True)]  # fmt: skip
    return all(_close(a, b) for a, b in pairs)


def _close(a: Floats, b: Floats) -> bool:
    with np.errstate(invalid="ignore"):  # no limit less no limit
        return a.shape == b.shape and bool(
            np.all((a == b) | (np.abs(a - b) <= STRAIGHT * np.maximum(np.abs(a), np.abs(b))))
        )
