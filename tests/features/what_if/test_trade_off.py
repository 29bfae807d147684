"""Trade-off curves: breakpoints by hand, and every curve against a grid of plans that are solved by themselves."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from planner.errors import InputError
from planner.features.what_if.case_change import changed
from planner.features.what_if.curve import Curve, Shape, stretches_of
from planner.features.what_if.parameter import parameter_of
from planner.features.what_if.trade_off import _edge, trade_off
from planner.schema.case import Case
from planner.solver.find import find_cost, find_if_any
from tests import builders
from tests.builders.random_tables import cases

HOURS = 744


def curve_of(case: Case, text: str, **options: Any) -> Curve:
    return trade_off(case, parameter_of(text), **options)


def flat(curve: Curve) -> list[float]:
    return [x for p in curve.points for x in (p.value, p.usd)]


def solved(case: Case, curve: Curve, value: float) -> float | None:
    """What is minimised at a value, by a solve of its own."""
    other = changed(case, curve.parameter.change(value)).with_policy(whole_units=False)
    if other.settings.policy.risk.weight == 0:
        return find_cost(other)
    plan = find_if_any(other)
    return None if plan is None else plan.judged_usd


def check_against_grid(case: Case, curve: Curve, points: int = 7) -> None:
    size = max((abs(p.usd) for p in curve.points), default=1.0)
    for value in np.linspace(curve.parameter.first, curve.parameter.last, points).tolist():
        own, drawn = solved(case, curve, value), curve.usd(value)
        if own is None or drawn is None:
            edges = [e for g in curve.no_plan for e in (g.first, g.last)]
            near = any(abs(value - e) <= 1e-8 * (curve.parameter.last - curve.parameter.first) for e in edges)
            assert (own is None) == (drawn is None) or near, (value, own, drawn)
        else:
            assert -2e-9 * size <= drawn - own <= (curve.error_usd or 0.0) + 2e-9 * size, (value, own, drawn)


def test_budget_by_hand() -> None:
    """10 units at 1 USD an hour replace 30 USD on demand: each dollar that may be committed saves 2, up to 7,440."""
    case = builders.case(builders.tables())
    curve = curve_of(case, "max_commitment_usd=0:10000")
    assert flat(curve) == pytest.approx([0, 22_320, 7_440, 7_440, 10_000, 7_440])
    first, second = stretches_of(curve)
    assert first.slope_usd[0] == pytest.approx(-2_000)  # a step is 1,000 USD, and the plan has one month
    assert second.slope_usd[0] == pytest.approx(0, abs=1e-6)
    assert first.moved == pytest.approx({("west-m-1m", "2027-01"): 10})
    assert (curve.shape, curve.error_usd) == (Shape.STRAIGHT, 0)


def test_offer_price_by_hand() -> None:
    """At 3 times the price a unit costs what on demand does."""
    curve = curve_of(builders.case(builders.tables()), "offer_prices=0.5:4")
    assert flat(curve) == pytest.approx([0.5, 3_720, 3, 22_320, 4, 22_320])
    assert not curve.convex


def test_headroom_by_hand() -> None:
    """Nothing on demand: 10 units serve the demand, 10 / (1 - h) units are there for it, each at 744 USD."""
    tables = builders.tables(on_demand=[], workloads=[{"workload": "w", "input_tokens": 60, "output_tokens": 0,
                                                       "reserved_headroom": 0}])  # fmt: skip
    case = builders.case(tables, headroom=0.2)
    curve = curve_of(case, "headroom=0:0.5")
    assert curve.shape is Shape.CURVED
    assert flat(curve) == pytest.approx([0, 7_440, 0.5, 14_880])
    assert curve.usd(0.25) == pytest.approx(7_440 / 0.75)
    assert curve.now_slope_usd == pytest.approx(7_440 / 0.8**2)
    step = stretches_of(curve)[0].slope_usd
    assert step == pytest.approx((74.4, 297.6))  # a point more: 0.01 x 7,440 / (1 - h)²


def test_headroom_that_also_holds_for_reserved_units_has_exact_points_and_bounds() -> None:
    tables = builders.tables(demand=builders.profile("west", "w", [10.0, 2.0]))
    case = builders.case(tables, headroom=0.2)  # reserved_headroom follows
    curve = curve_of(case, "headroom=0:0.6")
    assert curve.shape is Shape.SAMPLED
    for point in curve.points[::8]:
        assert point.usd == pytest.approx(solved(case, curve, point.value), rel=1e-9)
    for a, b in list(pairwise(curve.points))[::8]:
        middle = solved(case, curve, (a.value + b.value) / 2)
        assert middle is not None
        assert a.usd * (1 - 1e-9) <= middle <= b.usd * (1 + 1e-9)
        assert b.usd - a.usd <= (curve.error_usd or 0) + 1e-6


def test_no_plan_below_a_quota() -> None:
    """10 requests of 60 tokens an hour are 10 tokens a minute; without offers, half a quota of 20 is just enough."""
    quota = [{"region": "west", "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0,
              "tokens_per_minute_quota": 20}]  # fmt: skip
    case = builders.case(builders.tables(offers=[], on_demand=quota))
    curve = curve_of(case, "quotas=0.2:2")
    (gap,) = curve.no_plan
    assert (gap.first, gap.last) == pytest.approx((0.2, 0.5), abs=1e-7)
    assert "quota" in gap.why
    assert curve.usd(0.3) is None
    assert curve.usd(1.5) == pytest.approx(22_320)


def test_no_plan_anywhere() -> None:
    curve = curve_of(builders.case(builders.tables(offers=[], on_demand=[])), "demand=0.5:2")
    assert curve.points == ()
    assert (curve.no_plan[0].first, curve.no_plan[0].last) == (0.5, 2)


def test_trust_of_nothing_is_a_jump() -> None:
    """On demand without a quota counts in full for any trust above 0, and for nothing at 0: 10 units must stand by."""
    case = builders.case(builders.two_regions(), failover={"enabled": True, "on_demand_trust": 0.5})
    curve = curve_of(case, "failover.on_demand_trust=0:1")
    before, after = curve.points[:2]
    assert (before.value, after.value) == (0, 0)
    assert before.usd == pytest.approx(solved(case, curve, 0.0))
    assert after.usd == pytest.approx(solved(case, curve, 0.2))
    assert before.usd > after.usd + 1


def test_the_weight_of_dear_scenarios_gives_the_frontier() -> None:
    """A calm and a busy future: with weight, units are bought for the busy one, dear as they are in the calm one."""
    tables = builders.tables(
        scenarios=[{"scenario": "calm", "probability": 0.8}, {"scenario": "busy", "probability": 0.2}],
        demand=[*builders.profile("west", "w", 2.0, "calm"), *builders.profile("west", "w", 10.0, "busy")],
    )
    case = builders.case(tables, risk={"weight": 0.0, "level": 0.8})
    curve = curve_of(case, "risk.weight=0:1", every=True)
    # 2 units: 2 + 0.2 x 24 = 6.8 USD an hour expected, 26 when busy; 10 units: 10 in both
    cheap, safe = stretches_of(curve)
    assert (cheap.expected_usd, cheap.tail_usd) == pytest.approx((6.8 * HOURS, 26 * HOURS))
    assert (safe.expected_usd, safe.tail_usd) == pytest.approx((10 * HOURS, 10 * HOURS))
    # 6.8 + 19.2 w = 10
    assert cheap.last.value == pytest.approx(3.2 / 19.2)
    check_against_grid(case, curve)


KEYS = ("headroom=0.05:0.6", "failover.on_demand_trust=0:1", "guaranteed_share=0:1", "max_commitment_usd=0:5000",
        "demand=0.4:1.6", "on_demand_prices=0.4:1.6", "egress.max_cross_region_share=0:1", "quotas=0.5:2")  # fmt: skip


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(case=cases())
def test_curves_are_what_a_grid_of_plans_says(case: Case) -> None:
    fixed = case.with_policy(reserved_headroom=0.0)
    fixed = replace(fixed, workloads=tuple(w.model_copy(update={"headroom": None, "reserved_headroom": None})
                                           for w in fixed.workloads))  # fmt: skip
    for text in KEYS:
        try:
            curve = curve_of(fixed, text, every=True)
        except InputError:  # no quota to scale
            continue
        assert curve.is_exact, text
        check_against_grid(fixed, curve, 4)


def test_what_cannot_be_asked() -> None:
    case = builders.case(builders.tables())
    for text, said in (("headroom=0.5:0.1", "smaller number first"), ("headrom=0:1", "did you mean 'headroom'"),
                       ("headroom", "KEY=FROM:TO"), ("headroom=0:x", "'x' is not a number"),
                       ("name=0:1", "no curve of 'name'")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            parameter_of(text)
    with pytest.raises(InputError, match="below 1"):
        curve_of(case, "headroom=0:1")
    with pytest.raises(InputError, match="not in the table workloads"):
        curve_of(case, "guaranteed_share[workload=nobody]=0:1")


@pytest.mark.parametrize(("distance", "fails"), [(1e-8, False), (1e-3, True)])
def test_rounding_at_the_end_of_what_has_a_plan(distance: float, fails: bool) -> None:
    """A programme that does not settle is no plan a hair's breadth from the end, and a failure anywhere else."""

    def solve(at: float) -> Any:
        if at < 0.3:
            return None
        if at < 0.3 + distance:
            raise ArithmeticError("the stress rows did not settle")
        return SimpleNamespace(at=at)

    if fails:
        with pytest.raises(ArithmeticError):
            _edge(solve, 0.0, solve(1.0), 1e-9)
    else:
        assert _edge(solve, 0.0, solve(1.0), 1e-9).at == pytest.approx(0.3, abs=2e-8)
