"""Parts that one row ties, for units of any size: the price of the row at which all of them together just keep it.

With a price λ ≥ 0 on what it uses, a part k costs g[k](λ) = min over X[k] of c[k]·x + λ·use[k]·x: a concave function,
linear in pieces, of which each optimum met is a line. The row's price is where Σ g[k](λ) − λ·bound is highest. Each
round looks where the lines known are highest and solves the parts there; a part whose lines and concavity leave nothing
open there is not solved again, so that after a few rounds hardly any is. Where no part says better than its lines do,
the optimum is a mixture of the plans before and after the price, in which the row is used to its bound.

Stress rows are looked for in that mixture alone; where it breaks some, they are added, and it is found again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import highspy
import numpy as np

from planner.model.sets import Floats, Ints
from planner.solver.basis_by_name import BASIC
from planner.solver.boxed import is_inside
from planner.solver.continuous import LinearSolve, cut_rows
from planner.solver.highs import set_options
from planner.solver.parallel import on_all_cores
from planner.solver.stress_search import Cut

ROUNDS = 100
EXACT = 1e-11  # of the whole cost: what the parts' lines may leave open
NEAR = 0.02  # of a price that is likely: the first step from it, to the side where the row's price is
FASTER = 8.0  # from one step to the next, at most
BEYOND = 1.2  # times as far as the last two prices point
FIRST = 0.05  # of the whole cost over the bound: the first price, where none is known
HIGHEST = 2.0**40  # times that
CLOSE = 0.01  # of a price: so near to each other, the lines of two prices tell where the row's price is
NEARER = 0.5  # times as near: starting afresh from another basis costs some steps
MOST_LINES, FEW_LINES, MOST_VALUES = 48, 4, 500_000  # of a part that are remembered, and of values in them
SIDE = 0.05  # of the way between two prices: so far from either


@dataclass(frozen=True)
class _Line:
    """A plan of a part: its cost, what it uses of the row, the values of its columns, and their basis."""

    usd: float
    use: float
    values: Floats
    basis: highspy.HighsBasis

    def at(self, price: float) -> float:
        return self.usd + price * self.use


@dataclass
class TiedPart:
    """A part that is open in HiGHS, with the row's entries in its columns.

    known : its optimum by price. last : the price of the last solve (None: none yet).
    """

    solve: LinearSolve
    column: Ints
    value: Floats
    known: dict[float, _Line] = field(default_factory=dict)
    last: float | None = None

    def take(self, price: float) -> bool:
        """Solve it at a price, with the stress rows known; False where it has no optimum there."""
        session, cost = self.solve.session, self.solve.program.cost
        session.set_some_costs(self.column, cost[self.column] + price * self.value)
        self._begin_near(price)
        set_options(session.highs, dual_simplex_cost_perturbation_multiplier=0.0)  # a twelfth faster (measured)
        found = session.solve()
        set_options(session.highs, dual_simplex_cost_perturbation_multiplier=1.0)
        if not found:
            return False
        values = session.values()
        if not is_inside(self.solve, values):
            return False
        self.note(price, values)
        return True

    def _begin_near(self, price: float) -> None:
        """Begin at the optimum of the nearest price known, where that is much nearer than the last one solved."""
        near = min(self.known, key=lambda one: abs(one - price), default=None)
        if near is not None and (self.last is None or abs(near - price) < NEARER * abs(self.last - price)):
            highs, basis = self.solve.session.highs, self.known[near].basis
            rows = list(basis.row_status)
            basis.row_status = [*rows, *([BASIC] * (highs.getNumRow() - len(rows)))]
            highs.clearSolver()  # edge weights of another basis
            highs.setBasis(basis)
        self.last = price

    def serves(self, values: Floats) -> bool:
        """Whether some values serve every stress case; else the rows that they break are added."""
        units = np.maximum(values[self.solve.program.columns.deployed], 0.0)
        cuts = self.solve.separator.violated(units)
        if not cuts:
            return True
        self.solve.add(cuts)
        self.known = _kept(self.known, self.solve, cuts)
        return False

    def note(self, price: float, values: Floats) -> None:
        """Take some values as the optimum at a price."""
        used = np.flatnonzero(values)
        usd = float((self.solve.program.cost[used] * values[used]).sum())
        use = float((self.value * values[self.column]).sum())
        self.known[price] = _Line(usd, use, values, self.solve.session.highs.getBasis())

    def usd(self, price: float) -> float:
        """Cost at a price, by the lines known: never less than it is."""
        return min(line.at(price) for line in self.known.values())

    def use(self, price: float) -> float:
        """Return what the line uses that is the cheapest at a price."""
        return min(self.known.values(), key=lambda line: (line.at(price), line.use)).use

    def is_open(self, price: float, most_usd: float) -> bool:
        """Whether it may cost less at a price than its lines say, by more than some USD."""
        if price in self.known:
            return False
        below = max((p for p in self.known if p < price), default=None)
        above = min((p for p in self.known if p > price), default=None)
        if below is None or above is None:
            return True
        first, last = self.usd(below), self.usd(above)
        chord = first + (last - first) * (price - below) / (above - below)
        return self.usd(price) - chord > most_usd

    def steps(self) -> list[tuple[float, _Line]]:
        """List its cheapest lines, each with the price from which it is the cheapest, from 0 on."""
        lines = list(self.known.values())
        found = [(0.0, min(lines, key=lambda one: (one.usd, one.use)))]
        while True:
            here, line = found[-1]
            later = [((one.usd - line.usd) / (line.use - one.use), one.use, k)
                     for k, one in enumerate(lines) if one.use < line.use]  # fmt: skip
            if not later:
                return found
            price, _, k = min(later)
            found.append((max(price, here), lines[k]))

    def reset(self) -> None:
        """Put it back to its true costs."""
        cost = self.solve.program.cost
        self.solve.session.set_some_costs(self.column, cost[self.column])

    def lines(self, price: float) -> "PartLines":
        """Return the lines known, those of prices near one, for the next case of the same programme."""
        most = max(FEW_LINES, min(MOST_LINES, MOST_VALUES // max(self.solve.program.columns.count, 1)))
        near = sorted(self.known, key=lambda one: abs(one - price))[:most]
        return PartLines(self.column, self.value, {p: self.known[p] for p in near}, len(self.solve.cuts))

    def recall(self, lines: "PartLines | None") -> None:
        """Take lines that were found of the same programme, for the same row; those that later stress rows leave."""
        if lines is not None and np.array_equal(lines.column, self.column) and np.array_equal(lines.value, self.value):
            self.known = _kept(lines.known, self.solve, self.solve.cuts[lines.cuts :])


@dataclass(frozen=True)
class PartLines:
    """Lines of a part by price, the row's entries that they are for, and how many stress rows there were."""

    column: Ints
    value: Floats
    known: Mapping[float, _Line]
    cuts: int


def _kept(known: Mapping[float, _Line], solve: LinearSolve, cuts: list[Cut]) -> dict[float, _Line]:
    """Return the lines whose plans keep some stress rows."""
    if not cuts:
        return dict(known)
    rows = cut_rows(solve.program, cuts)
    row = np.repeat(np.arange(len(cuts)), np.diff(rows.start))
    return {
        price: line
        for price, line in known.items()
        if np.all(np.bincount(row, rows.value * line.values[rows.column], len(cuts)) >= rows.lower)
    }


def priced_by_one(
    parts: Sequence[TiedPart], bound: float, start: float, workers: int | None = None
) -> tuple[list[Floats], float] | None:
    """Find the optimum of parts that use no more of a row, all together, than its bound.

    Parameters
    ----------
    start : a price likely to be near; 0: none is known.

    Returns
    -------
    Values of each part's columns, and the price; None where none was found.
    """
    for part in parts:
        if part.solve.separator.stranded():
            return None
        if not part.solve.cuts:
            part.solve.add(part.solve.separator.without_units())
    price = start
    for _ in range(ROUNDS):
        found = _of_known_rows(parts, bound, price, workers)
        if found is None:
            return None
        values, price = found
        pairs = list(zip(parts, values, strict=True))
        if all(on_all_cores(lambda pair: pair[0].serves(pair[1]), pairs, workers)):
            return found
    return None


def _of_known_rows(
    parts: Sequence[TiedPart], bound: float, start: float, workers: int | None
) -> tuple[list[Floats], float] | None:
    """Find the same with the stress rows known."""
    low, high = -1.0, np.inf  # prices at which more is used than the bound, and no more
    step, price, first = NEAR, start, 0.0
    shared = set.intersection(*(set(part.known) for part in parts))
    # what is used above the bound, by price
    seen = {p: sum(part.known[p].use for part in parts) - bound for p in sorted(shared)}
    if len(shared) > 1:
        low = max((p for p in shared if seen[p] > 0), default=low)
        high = min((p for p in shared if seen[p] <= 0), default=high)
        crossing = _crossing(parts, bound)[0]
        price = crossing if np.isfinite(crossing) and low <= crossing <= high else max(price, low)
    for _ in range(ROUNDS):
        usd = sum(abs(part.usd(price)) for part in parts if part.known)
        ask = [part for part in parts if part.is_open(price, EXACT * usd / len(parts))]
        if not all(on_all_cores(partial(TiedPart.take, price=price), ask, workers)):
            return None
        crossing, lines, change = _crossing(parts, bound)
        if not ask and price == crossing:
            return _mixed(lines, change, bound), price
        seen[price] = sum(part.use(price) for part in parts) - bound
        if seen[price] > 0:
            low = max(low, price)
        else:
            high = min(high, price)
        if high <= 0 or (low >= 0 and np.isfinite(high)):
            price = _between(seen, low, high, crossing)
        elif low < 0:
            price, step = max(price - _further(seen, price, step), 0.0), step * FASTER
        else:
            first = first or FIRST * sum(part.usd(0.0) for part in parts) / max(abs(bound), 1e-9)
            price, step = price + max(_further(seen, price, step), first - price), step * FASTER
            if price > HIGHEST * first:
                return None
    return None


def _between(seen: Mapping[float, float], low: float, high: float, crossing: float) -> float:
    """Say where to look between two prices: where what is used would meet the bound if it fell evenly between them.

    Once they are close, or where one of them is not known, where the lines known cross.
    """
    if high - low <= CLOSE * high or not {low, high} <= seen.keys():
        return crossing
    more, less = seen[low], -seen[high]
    if len(seen) > 2 and (list(seen.values())[-1] > 0) == (list(seen.values())[-2] > 0):  # twice on one side
        more, less = (more, less / 2) if list(seen.values())[-1] > 0 else (more / 2, less)
    share = more / (more + less)
    return (crossing + low + min(max(share, SIDE), 1 - SIDE) * (high - low)) / 2


def _further(seen: Mapping[float, float], price: float, step: float) -> float:
    """Say how far to go from a price: where the last two point, and a little on; at most some share of it."""
    most = step * price
    if len(seen) > 1:
        (a, x), (b, y) = list(seen.items())[-2:]
        if x != y:
            return min(most, BEYOND * abs((b - a) * y / (x - y)))
    return most


def _crossing(parts: Sequence[TiedPart], bound: float) -> tuple[float, list[_Line], tuple[int, _Line] | None]:
    """Find where the row is just kept, by the lines known.

    Returns
    -------
    The price (infinite: it is kept nowhere), each part's line before it, and the part that changes there, with its line
    after it.
    """
    steps = [part.steps() for part in parts]
    lines = [own[0][1] for own in steps]
    used = sum(line.use for line in lines)
    events = sorted((price, k, n) for k, own in enumerate(steps) for n, (price, _) in enumerate(own) if n)
    if used <= bound:
        return 0.0, lines, None
    for price, k, n in events:
        after = steps[k][n][1]
        left = used + after.use - lines[k].use
        if left <= bound:
            return price, lines, (k, after)
        used, lines[k] = left, after
    return np.inf, lines, None


def _mixed(lines: Sequence[_Line], change: tuple[int, _Line] | None, bound: float) -> list[Floats]:
    """Mix the plans before and after a price, so that the row is used to its bound."""
    found = [line.values for line in lines]
    if change is not None:
        k, after = change
        share = (sum(line.use for line in lines) - bound) / (lines[k].use - after.use)
        found[k] = (1 - share) * lines[k].values + share * after.values
    return found
