"""A trade-off curve: what the cheapest plan costs as one number of the input moves, with every breakpoint.

For units of any size it is exact where the programme moves in a straight way (`solver.line`): piecewise linear in the
number, or in 1 / (1 - number) for headroom, which divides demand. Every breakpoint that matters is found, and how far
the curve may be off between those that are left out is proved (`solver.piecewise`). Elsewhere it has exact points, and
between two of them bounds: what only forbids plans can only cost more. Whole units are plans of their own beside it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from planner.errors import InfeasibleError
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.curve import Curve, CurvePoint, NoPlan, Shape
from planner.features.what_if.parameter import Parameter
from planner.features.what_if.study import all_changed
from planner.schema.case import Case
from planner.solver.find import Options, find_plan
from planner.solver.highs import Clock
from planner.solver.line import Line, LinePoint, Moves
from planner.solver.piecewise import Traced, trace
from planner.solver.session import LiveCase

NEAR = 1e-5  # of the cost: breakpoints that move it by less are left out, unless every one is asked for
MOST_SOLVES = 80
EVERY = 5000  # solves where every breakpoint is asked for
NARROW = 1e-9  # of the range: how exactly the end of what has a plan is found
_HAIR = 1000  # times as exactly as it is found: so near the end of what has a plan, rounding may decide
_NEXT = 1e-6  # of the range: how far from an end its programme may be another (a share of 0 has no rows)
_FIRST, _MOST_POINTS, _FINE = 9, 33, 2e-3  # points of a curve that is only sampled; share of cost between two of them


Told = Callable[[int, int], None]


def trade_off(
    case: Case, parameter: Parameter, *, base: CaseChange | None = None, every: bool = False,
    until: float = math.inf, progress: Told | None = None,
) -> Curve:  # fmt: skip
    """Draw the curve of a number, for units of any size.

    Parameters
    ----------
    base : what is changed besides. every : find every breakpoint, also those that hardly move the cost.
    until : when to stop, in seconds of time.monotonic. progress : is given (solves, the most there may be).

    Raises
    ------
    InputError : the folder does not know the number, or not that value.
    StoppedError : the time limit ran out.
    """
    work = _Work(case, parameter, base, Clock(until), progress or (lambda done, most: None), every)
    ends = (parameter.first, parameter.last)
    all_changed(case, [replace(parameter.change(v, base), name=f"{parameter.key}={v:.12g}") for v in ends])
    found = _straight(work) or _sampled(work)
    return replace(found, weighed=weighed_by(case, base) > 0 or parameter.base_key == "risk.weight")


def weighed_by(case: Case, base: CaseChange | None) -> float:
    """Return the weight of the dearest scenarios with what is changed besides."""
    return (case if base is None else changed(case, base)).settings.policy.risk.weight


class _Work:
    """What the search of a curve needs: cases by value, the clock, and the count of solves."""

    def __init__(
        self, case: Case, parameter: Parameter, base: CaseChange | None, clock: Clock, told: Told, every: bool
    ) -> None:
        self.case, self.parameter, self.base, self.clock, self.told = case, parameter, base, clock, told
        self.most = EVERY if every else MOST_SOLVES
        self.near = 0.0 if every else NEAR
        self.solves = 0
        self.now = parameter.now(case)

    def at(self, value: float) -> Case:
        """Return the case of a value, for units of any size."""
        return changed(self.case, self.parameter.change(value, self.base)).with_policy(whole_units=False)

    def step(self) -> None:
        self.solves += 1
        self.told(min(self.solves, self.most), self.most)

    def why_none(self, value: float) -> str:
        """Say why there is no plan at a value; nothing where there is one."""
        try:
            find_plan(self.at(value), Options(until=self.clock.deadline))
        except InfeasibleError as error:
            return str(error)
        return ""

    def curve(
        self, shape: Shape, points: Sequence[CurvePoint], *, error: float | None, no_plan: Sequence[NoPlan] = (),
        convex: bool = False, now_slope: float | None = None,
    ) -> Curve:  # fmt: skip
        changes = "" if self.base is None else str(self.base)
        months = len({f"{p.start:%Y-%m}" for p in self.case.periods})
        return Curve(
            self.parameter, changes, shape, convex, tuple(points), error, tuple(no_plan), (),
            self.now, now_slope, float(months), False, self.solves,
        )  # fmt: skip


# -- where the programme moves in a straight way -----------------------------------------------------------------------
Place = Callable[[float], float]
_AXES: tuple[tuple[Shape, Place, Place], ...] = (
    (Shape.STRAIGHT, lambda value: value, lambda place: place),
    (Shape.CURVED, lambda value: 1 / (1 - value), lambda place: 1 - 1 / place),
)


def _straight(work: _Work) -> Curve | None:
    """Trace the curve exactly; None where the programme does not move straight, or costs and bounds both do."""
    first, last = work.parameter.first, work.parameter.last
    off = _NEXT * (last - first)
    for low, high in ((first, last), (first + off, last), (first, last - off), (first + off, last - off)):
        for shape, place, value in _AXES:
            if shape is Shape.CURVED and high >= 1:
                continue
            a, b = place(low), place(high)
            middle = a + (b - a) * 0.381966  # no round share, which might hide a bend
            cases = (work.at(low), work.at(value(middle)), work.at(high))
            line = Line.through((a, middle, b), cases, work.clock)
            if line is not None and line.moves is not Moves.BOTH:
                return _traced(work, line, shape, (a, b), (place, value))
    return None


def _traced(work: _Work, line: Line, shape: Shape, ends: tuple[float, float], axis: tuple[Place, Place]) -> Curve:
    """Trace the curve between two places of the line, and tie its ends to those of the range."""
    place, value = axis

    def solve(at: float) -> LinePoint | None:
        work.step()
        return line.solve(at)

    span = _with_plans(solve, ends, line.moves is Moves.BOUNDS)
    first, last = work.parameter.first, work.parameter.last
    convex = line.moves is not Moves.COSTS
    if span is None:
        return work.curve(shape, (), error=0.0, no_plan=[NoPlan(first, last, work.why_none(first))], convex=convex)
    low, high = span
    near = work.near * max(abs(low.usd), abs(high.usd))

    def exactly(at: float) -> LinePoint:
        found = solve(at)
        if found is None:
            raise ArithmeticError(f"no plan at {at:.9g}, between two places that have one")
        return found

    found: Traced[LinePoint] = (
        trace(exactly, low, high, convex=convex, most=work.most, near_usd=near)
        if high.at > low.at and line.moves is not Moves.NOTHING
        else Traced((low, high) if high.at > low.at else (low,), 0.0, 0)
    )
    points = [CurvePoint(value(p.at), p.usd, p.units) for p in found.points]
    gaps = []
    whole = ends[1] - ends[0]
    if low.at > ends[0] + NARROW * whole:
        gaps.append(NoPlan(first, points[0].value, work.why_none(first)))
    else:
        points = _tied(work, points, first, before=True)
    if high.at < ends[1] - NARROW * whole:
        gaps.append(NoPlan(points[-1].value, last, work.why_none(last)))
    else:
        points = _tied(work, points, last, before=False)
    slope = None
    if work.now is not None and points[0].value <= work.now < points[-1].value:
        here = exactly(min(max(place(work.now), low.at), high.at))
        slope = here.slope_usd / (1 - work.now) ** 2 if shape is Shape.CURVED else here.slope_usd
    return work.curve(shape, points, error=found.error_usd, no_plan=gaps, convex=convex, now_slope=slope)


def _with_plans(
    solve: Callable[[float], LinePoint | None], ends: tuple[float, float], bounds: bool
) -> tuple[LinePoint, LinePoint] | None:
    """Find the part of a line that has plans (it is one piece, for the plans of all places are a convex set)."""
    low, high = solve(ends[0]), solve(ends[1])
    if low is not None and high is not None:
        return low, high
    if not bounds:  # costs move: there is a plan everywhere or nowhere
        return None
    inside = low or high
    for share in (0.5, 0.25, 0.75, 0.125, 0.375, 0.625, 0.875):
        if inside is not None:
            break
        inside = solve(ends[0] + share * (ends[1] - ends[0]))
    if inside is None:
        return None
    width = NARROW * (ends[1] - ends[0])
    return low or _edge(solve, ends[0], inside, width), high or _edge(solve, ends[1], inside, width)


def _edge(solve: Callable[[float], LinePoint | None], without: float, inside: LinePoint, width: float) -> LinePoint:
    """Halve down to the last place that has a plan, between one that has none and one that has."""
    while abs(inside.at - without) > width:
        middle = (inside.at + without) / 2
        try:
            found = solve(middle)
        except ArithmeticError:  # a hair's breadth from the end, HiGHS's tolerance decides whether there is a plan
            if abs(inside.at - without) > _HAIR * width:
                raise
            found = None
        if found is None:
            without = middle
        else:
            inside = found
    return inside


def _tied(work: _Work, points: list[CurvePoint], end: float, *, before: bool) -> list[CurvePoint]:
    """Lead the curve to an end of the range whose programme is another: on its line, or by a jump."""
    near = points[0] if before else points[-1]
    if abs(near.value - end) <= NARROW * abs(work.parameter.last - work.parameter.first):
        moved = replace(near, value=end)
        return [moved, *points[1:]] if before else [*points[:-1], moved]
    live = LiveCase(work.at(end))
    answer = live.attempt()
    work.step()
    if answer is None:
        return points
    own = CurvePoint(end, answer.total_usd, answer.units)
    if abs(own.usd - near.usd) <= 1e-5 * max(abs(near.usd), 1.0):  # the same line, a millionth of the range further
        return [own, *points[1:]] if before else [*points[:-1], own]
    jump = replace(near, value=end)
    return [own, jump, *points[1:]] if before else [*points[:-1], jump, own]


# -- where it does not -------------------------------------------------------------------------------------------------
def _sampled(work: _Work) -> Curve:
    """Solve at points, closer where the cost moves most; between two, only bounds are known."""
    first, last = work.parameter.first, work.parameter.last
    live: list[LiveCase] = []
    known: dict[float, CurvePoint | None] = {}

    def solve(value: float) -> CurvePoint | None:
        if value not in known:
            if live:
                live[0].change(work.at(value))
            else:
                live.append(LiveCase(work.at(value)))
                live[0].clock = work.clock
            answer = live[0].attempt()
            work.step()
            known[value] = None if answer is None else CurvePoint(value, answer.total_usd, answer.units)
        return known[value]

    for k in range(_FIRST):
        solve(first + (last - first) * k / (_FIRST - 1))
    while len(known) < _MOST_POINTS:
        order = sorted(known)
        wide = [(abs(_cost(known[a]) - _cost(known[b])), a, b) for a, b in pairwise(order)
                if known[a] is not None and known[b] is not None]  # fmt: skip
        most, a, b = max(wide, default=(0.0, first, last))
        if most <= _FINE * max(map(_cost, known.values())):
            break
        solve((a + b) / 2)
    for a, b in list(pairwise(sorted(known))):
        if (known[a] is None) != (known[b] is None):
            without, inside = (a, b) if known[a] is None else (b, a)
            while abs(without - inside) > 1e-6 * (last - first):
                middle = (without + inside) / 2
                without, inside = (middle, inside) if solve(middle) is None else (without, middle)
    points = [p for _, p in sorted(known.items()) if p is not None]
    rises = work.parameter.rises
    gaps = _gaps(known, work)
    steps = [abs(b.usd - a.usd) for a, b in pairwise(points)
             if not any(a.value < g.last and g.first < b.value for g in gaps)]  # fmt: skip
    error = None if rises is None else max(steps, default=0.0)
    return work.curve(Shape.SAMPLED, points, error=error, no_plan=gaps)


def _cost(point: CurvePoint | None) -> float:
    return 0.0 if point is None else point.usd


def _gaps(known: dict[float, CurvePoint | None], work: _Work) -> list[NoPlan]:
    """Ranges without a plan, from one point that has one (or an end of the range) to the next."""
    order = sorted(known)
    found: list[NoPlan] = []
    k = 0
    while k < len(order):
        if known[order[k]] is not None:
            k += 1
            continue
        j = k
        while j + 1 < len(order) and known[order[j + 1]] is None:
            j += 1
        first = order[k - 1] if k else order[0]
        last = order[j + 1] if j + 1 < len(order) else order[-1]
        found.append(NoPlan(first, last, work.why_none(order[k] if k == 0 else order[j])))
        k = j + 1
    return found
