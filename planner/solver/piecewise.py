"""All breakpoints of a piecewise linear function that is convex or concave, from its values and slopes alone.

The cost of the cheapest plan is such a function: convex in a number that bounds of the programme move with, concave in
one that costs move with (the value of a linear programme; Gass and Saaty 1955). Between two points the function lies
between the chord and the two tangents. Where the tangents meet it is worked out once more: if it reaches them, that is
its one breakpoint there; if not, both sides are looked at in the same way (Eisner and Severance 1976). So about two
values are needed for each breakpoint, and where the search is cut short, how far the chords may be off is known.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

SAME = 1e-9  # relative: differences that count as none
NARROW = 1e-10  # of the whole range: two points this near are one


class Valued(Protocol):
    """A point of the function: where, its value, and a slope of it there (of a kink: any between the two)."""

    @property
    def at(self) -> float: ...  # noqa: D102

    @property
    def usd(self) -> float: ...  # noqa: D102

    @property
    def slope_usd(self) -> float: ...  # noqa: D102


P = TypeVar("P", bound=Valued)


@dataclass(frozen=True)
class Traced(Generic[P]):
    """The function as points between which it is straight; ``error_usd`` : how far it may be off a chord at most."""

    points: tuple[P, ...]
    error_usd: float
    solves: int


def trace(
    value: Callable[[float], P], first: P, last: P, *, convex: bool, most: int, near_usd: float = 0.0
) -> Traced[P]:
    """Find every breakpoint between two points.

    Parameters
    ----------
    value : the function. convex : or concave. most : evaluations after which the search stops, the widest gaps first.
    near_usd : what the function may be off a chord, so that it stops there too; 0: every breakpoint is found.

    Raises
    ------
    ArithmeticError : a value lies on the wrong side of a tangent: the function is not of that shape.
    """
    sign = 1.0 if convex else -1.0
    size = max(abs(first.usd), abs(last.usd), 1e-9)
    whole = last.at - first.at
    found: list[P] = [first, last]
    heap: list[tuple[int, float, int, P, P, float]] = []  # where a level part ends is looked for first, and exactly
    count = [0]

    def look(a: P, b: P) -> None:
        """Remember what may lie between two points, unless the function is straight there."""
        meet = _meeting(a, b, sign, SAME * size)
        if meet is None or min(meet - a.at, b.at - meet) <= NARROW * whole:
            return
        count[0] += 1
        off = sign * (_chord(a, b, meet) - _tangent(a, meet))
        level = min(abs(a.slope_usd), abs(b.slope_usd)) * whole <= SAME * size
        heapq.heappush(heap, (0 if level else 1, -off, count[0], a, b, meet))

    look(first, last)
    solves = 0
    while heap and solves < most and (heap[0][0] == 0 or -heap[0][1] > near_usd):
        _, _, _, a, b, meet = heapq.heappop(heap)
        m = value(meet)
        solves += 1
        size = max(size, abs(m.usd))
        above = sign * (m.usd - _tangent(a, meet))
        if above < -100 * SAME * size:
            raise ArithmeticError(f"the cost at {meet:.9g} lies {-above:.3g} USD on the wrong side of its tangent")
        found.append(m)
        if above > SAME * size:
            look(a, m)
            look(m, b)
    error = max((-off for _, off, *_ in heap), default=0.0)
    return Traced(tuple(straightened(sorted(found, key=lambda p: p.at), SAME * size)), error, solves)


def straightened(points: Sequence[P], tolerance_usd: float) -> list[P]:
    """Leave out points that lie on the line of their neighbours."""
    kept = list(points[:1])
    for point, after in pairwise(points[1:]):
        if abs(_chord(kept[-1], after, point.at) - point.usd) > tolerance_usd:
            kept.append(point)
    return [*kept, *points[-1:]] if len(points) > 1 else kept


def _meeting(a: Valued, b: Valued, sign: float, tolerance_usd: float) -> float | None:
    """Where the tangents of two points meet; None where one of them reaches the other point: all is straight."""
    if min(abs(_tangent(a, b.at) - b.usd), abs(_tangent(b, a.at) - a.usd)) <= tolerance_usd:
        return None
    bend = sign * (b.slope_usd - a.slope_usd)
    if bend <= 0:
        return None
    return (b.usd - a.usd + a.slope_usd * a.at - b.slope_usd * b.at) / (a.slope_usd - b.slope_usd)


def _tangent(point: Valued, at: float) -> float:
    return point.usd + point.slope_usd * (at - point.at)


def _chord(a: Valued, b: Valued, at: float) -> float:
    return a.usd + (b.usd - a.usd) * (at - a.at) / (b.at - a.at)
