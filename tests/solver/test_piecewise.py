"""Breakpoints of piecewise linear functions: known ones found exactly, others bounded, false ones refused."""

from dataclasses import dataclass

import numpy as np
import pytest

from planner.solver.piecewise import Traced, trace


@dataclass(frozen=True)
class Point:
    at: float
    usd: float
    slope_usd: float


def largest(lines: list[tuple[float, float]], at: float) -> Point:
    """The largest of some lines (value at 0, slope): convex."""
    usd, slope = max((a + b * at, b) for a, b in lines)
    return Point(at, usd, slope)


def found(lines: list[tuple[float, float]], first: float, last: float, **options: float) -> Traced[Point]:
    def value(at: float) -> Point:
        return largest(lines, at)

    return trace(value, value(first), value(last), convex=True, most=int(options.pop("most", 100)), **options)


def flat(traced: Traced[Point]) -> list[float]:
    return [x for p in traced.points for x in (p.at, p.usd)]


LINES = [(10.0, 0.0), (8.0, 1.0), (2.0, 3.0)]  # they meet at 2 (10 = 8 + 2) and at 3 (8 + 3 = 2 + 9)


def test_every_breakpoint_of_a_convex_function() -> None:
    traced = found(LINES, 0.0, 5.0)
    assert flat(traced) == pytest.approx([0, 10, 2, 10, 3, 11, 5, 17])
    assert traced.error_usd == 0


def test_a_concave_function() -> None:
    def value(at: float) -> Point:
        p = largest(LINES, at)
        return Point(at, -p.usd, -p.slope_usd)

    traced = trace(value, value(0.0), value(5.0), convex=False, most=100)
    assert flat(traced) == pytest.approx([0, -10, 2, -10, 3, -11, 5, -17])


def test_a_straight_function_is_not_solved_again() -> None:
    traced = found([(1.0, 2.0)], 0.0, 4.0)
    assert (len(traced.points), traced.solves) == (2, 0)


@pytest.mark.parametrize("seed", range(5))
def test_many_lines(seed: int) -> None:
    """Lines that touch a parabola at random places: each of them is a piece, and about two values find its end."""
    places = np.sort(np.random.default_rng(seed).uniform(0, 1, 40))
    lines = [(-(float(p) ** 2), 2 * float(p)) for p in places]
    traced = found(lines, 0.0, 1.0)
    inside = [p.at for p in traced.points[1:-1]]
    assert inside == pytest.approx(((places[1:] + places[:-1]) / 2).tolist())  # tangents of x² at a, b meet half-way
    assert traced.solves <= 2 * len(places)


def test_what_is_left_out_is_bounded() -> None:
    places = np.linspace(0, 1, 200)
    lines = [(-(float(p) ** 2), 2 * float(p)) for p in places]
    traced = found(lines, 0.0, 1.0, most=8)
    assert traced.solves == 8
    at = np.linspace(0, 1, 501)
    drawn = np.interp(at, [p.at for p in traced.points], [p.usd for p in traced.points])
    off = drawn - np.array([largest(lines, x).usd for x in at])
    assert off.min() > -1e-12
    assert 0 < off.max() <= traced.error_usd


def test_the_end_of_a_level_part_is_exact_however_small_it_is() -> None:
    lines = [(0.0, 0.0), (-1e-4, 1e-3), (-9.0, 10.0)]  # level to 0.1, where 0.001 x - 0.0001 is 0
    traced = found([(100.0 + a, b) for a, b in lines], 0.0, 1.0, near_usd=1.0)
    assert traced.points[1].at == pytest.approx(0.1)


def test_a_function_of_another_shape_is_refused() -> None:
    def value(at: float) -> Point:
        return Point(at, -abs(at - 0.4), 1.0 if at < 0.4 else -1.0)

    with pytest.raises(ArithmeticError, match="wrong side of its tangent"):
        trace(lambda at: Point(at, -1.0, 0.0), Point(0, 1.0, -1.0), Point(1, 1.0, 1.0), convex=True, most=9)
    assert len(trace(value, value(0.0), value(1.0), convex=False, most=9).points) == 3
