"""A trade-off curve as data: points, how the curve runs between them, where there is no plan, whole units beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from planner.features.what_if.parameter import Parameter
from planner.solver.line import Units

SAME_STEP_USD = 0.005  # USD a month: less than half a cent for a step is nothing


class Shape(Enum):
    """How a curve runs between its points."""

    STRAIGHT = "straight in the number itself"
    CURVED = "straight in 1 / (1 - the number)"
    SAMPLED = "not known, but for its bounds"


@dataclass(frozen=True)
class CurvePoint:
    """The cheapest plan at one value: what is minimised (USD), and units of each purchase (offer, period)."""

    value: float
    usd: float
    units: Units


@dataclass(frozen=True)
class NoPlan:
    """A range of values at which there is no plan, and why (at its far end)."""

    first: float
    last: float
    why: str


@dataclass(frozen=True)
class Dot:
    """A plan in whole units: what it costs, and the bound that no plan of that value can cost less than, USD."""

    value: float
    usd: float
    bound_usd: float


@dataclass(frozen=True)
class Curve:
    """The cost of the cheapest plan against a number.

    points : in the order of values; between two of one stretch the curve runs as ``shape`` says. A jump is two points
    of one value. error_usd : how far it may be off between two points (None: unknown). now : the folder's own value,
    now_slope_usd : USD over the horizon for one more of the number there (of a kink: any between its two slopes).
    weighed : whether the cost is weighed with that of the dearest scenarios (policy.risk).
    """

    parameter: Parameter
    change: str
    shape: Shape
    convex: bool
    points: tuple[CurvePoint, ...]
    error_usd: float | None
    no_plan: tuple[NoPlan, ...]
    dots: tuple[Dot, ...]
    now: float | None
    now_slope_usd: float | None
    months: float
    weighed: bool
    solves: int

    @property
    def is_exact(self) -> bool:
        """Whether the curve is known between its points."""
        return self.shape is not Shape.SAMPLED

    def usd(self, value: float) -> float | None:
        """Cost at a value; None where there is no plan, or outside of the range."""
        for end in (self.points[:1], self.points[-1:]):  # where the curve jumps at an end, the end's own
            if end and end[0].value == value:
                return end[0].usd
        for a, b in pairwise(self.points):
            if a.value <= value <= b.value and b.value > a.value and not self._apart(a, b):
                share = (self.place(value) - self.place(a.value)) / (self.place(b.value) - self.place(a.value))
                return a.usd + share * (b.usd - a.usd)
        return None

    def slope_usd(self, number: int, at_end: bool = False) -> float:
        """USD over the horizon for one more of the number, at the start (or end) of the stretch after a point."""
        a, b = self.points[number], self.points[number + 1]
        slope = (b.usd - a.usd) / (self.place(b.value) - self.place(a.value))
        value = b.value if at_end else a.value
        return slope / (1 - value) ** 2 if self.shape is Shape.CURVED else slope

    def place(self, value: float) -> float:
        """Where a value stands on the axis on which the curve is straight."""
        return 1 / (1 - value) if self.shape is Shape.CURVED else value

    def _apart(self, a: CurvePoint, b: CurvePoint) -> bool:
        return any(a.value <= gap.first and gap.last <= b.value for gap in self.no_plan)

    @property
    def stretches(self) -> list[int]:
        """Numbers of the points after which the curve runs on."""
        return [k for k, (a, b) in enumerate(pairwise(self.points)) if b.value > a.value and not self._apart(a, b)]


@dataclass(frozen=True)
class Stretch:
    """A part of a curve between two breakpoints, or between two of many, as one line of a table.

    first, last : points. slope_usd : USD a month for one step of the number at its start, and at its end. moved : units
    by which purchases differ at its end (offer, period). expected_usd, tail_usd : of a curve of the weight of the
    dearest scenarios, the parts of the cost of its plan; else None. breakpoints : how many lie inside it.
    """

    first: CurvePoint
    last: CurvePoint
    slope_usd: tuple[float, float]
    moved: Mapping[tuple[str, str], float]
    expected_usd: float | None
    tail_usd: float | None
    breakpoints: int


def stretches_of(curve: Curve, most: int | None = None) -> list[Stretch]:
    """List the stretches of a curve; with ``most``, those between the breakpoints that a drawing needs first."""
    runs: list[list[int]] = []
    for k in curve.stretches:
        if runs and runs[-1][-1] == k:
            runs[-1].append(k + 1)
        else:
            runs.append([k, k + 1])
    if most is not None:
        kept = {run[0] for run in runs} | {run[-1] for run in runs}
        while len(kept) - len(runs) < most and (found := _furthest(curve, runs, kept)) is not None:
            kept.add(found)
        runs = [[k for k in run if k in kept] for run in runs]
    return [_stretch(curve, a, b) for run in runs for a, b in pairwise(run)]


def _furthest(curve: Curve, runs: list[list[int]], kept: set[int]) -> int | None:
    """Find the point that is furthest from the line through the points kept before and after it; None: all are kept."""
    best: tuple[float, int | None] = (-1.0, None)
    for run in runs:
        for a, b in pairwise([k for k in run if k in kept]):
            p, q = curve.points[a], curve.points[b]
            x, y = curve.place(p.value), curve.place(q.value)
            for k in range(a + 1, b):
                share = (curve.place(curve.points[k].value) - x) / (y - x)
                best = max(best, (abs(curve.points[k].usd - p.usd - share * (q.usd - p.usd)), k), key=lambda o: o[0])
    return best[1]


def _stretch(curve: Curve, a: int, b: int) -> Stretch:
    p, q = curve.points[a], curve.points[b]
    parameter = curve.parameter
    if b == a + 1:
        slopes = (curve.slope_usd(a), curve.slope_usd(a, at_end=True))
    else:
        slopes = (curve.slope_usd(a), curve.slope_usd(b - 1, at_end=True))
    per_step = parameter.step / curve.months
    moved = {key: q.units.get(key, 0.0) - p.units.get(key, 0.0) for key in sorted({*p.units, *q.units})}
    expected = tail = None
    if parameter.base_key == "risk.weight" and b == a + 1:
        expected = p.usd - slopes[0] * p.value
        tail = expected + slopes[0]
    return Stretch(p, q, (slopes[0] * per_step, slopes[1] * per_step),
                   {key: n for key, n in moved.items() if abs(n) > 1e-6}, expected, tail, b - a - 1)  # fmt: skip


def step_in_words(curve: Curve, slope_usd: tuple[float, float], *, usd: Callable[[float], str]) -> str:
    """Say what one step of the number costs a month: from its price at the start of a stretch to that at its end."""
    low, high = sorted(map(abs, slope_usd))
    if high < SAME_STEP_USD:
        return f"{curve.parameter.one_more} changes nothing"
    signs = {s > 0 for s in slope_usd if abs(s) >= SAME_STEP_USD}
    if len(signs) > 1:
        return f"{curve.parameter.one_more} costs {usd(slope_usd[0])} to {usd(slope_usd[1])} a month"
    span = usd(low) if usd(low) == usd(high) else f"{usd(low)} to {usd(high)}"
    return f"{curve.parameter.one_more} {'costs' if True in signs else 'saves'} {span} a month"
