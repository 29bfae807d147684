"""How far a plan carries: by hand, and against solves of their own with the purchases owed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from planner.features.order.order import as_owed
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.case_factors import Factor
from planner.features.what_if.how_far import HowFar, Reach, how_far
from planner.features.what_if.how_far_report import document_of, how_far_from, sentences
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.find import Options, find_cost, find_plan
from tests import builders

HOURS = 744
USD = 1.25 / 60 * 1e6  # for a million tokens, where a request of 60 tokens costs 1.25 USD


def dear(**more: Any) -> list[dict[str, Any]]:
    return [{"region": "west", "model": "m", "usd_per_mtok_input": USD, "usd_per_mtok_output": 0.0, **more}]


def found(case: Case) -> tuple[Plan, HowFar]:
    plan = find_plan(case)
    return plan, how_far(case, plan, Options())


def named(far: HowFar, name: str) -> Reach:
    return next(reach for reach in far.reaches if reach.name == name)


def test_prices_by_hand() -> None:
    """10 units at 1 USD an hour, or 12.50 USD on demand: equal where on demand is 20 % cheaper or units 25 % dearer."""
    _, far = found(builders.case(builders.tables(on_demand=dear())))
    assert (far.plan_usd, far.regret_usd) == pytest.approx((10 * HOURS, 0))
    on_demand, offers = named(far, "on-demand prices"), named(far, "offer prices")
    assert (on_demand.best_from, on_demand.best_to) == (pytest.approx(0.8, abs=5e-4), None)
    assert (offers.best_from, offers.best_to) == (None, pytest.approx(1.25, abs=5e-4))
    # 1 % of the plan is 0.1 USD an hour: 12.5 f = 9.9, and 10 f = 12.6
    assert (on_demand.nearly_from, on_demand.nearly_to) == (pytest.approx(0.792, abs=5e-4), None)
    assert (offers.nearly_from, offers.nearly_to) == (None, pytest.approx(1.26, abs=5e-4))
    # at half the price on demand costs 6.25 USD an hour; units at 1.5 USD cost 15 against 12.50
    assert dict(on_demand.regrets)[0.5] == pytest.approx(3.75 * HOURS)
    assert dict(offers.regrets)[1.5] == pytest.approx(2.5 * HOURS)
    assert dict(on_demand.regrets)[1.5] == pytest.approx(0, abs=1e-6)
    assert on_demand.fits_until is None


def test_demand_by_hand() -> None:
    """Every request more costs 1.25 USD in place of 1; every request fewer leaves a unit idle. The quota takes 5."""
    _, far = found(builders.case(builders.tables(on_demand=dear(tokens_per_minute_quota=5))))
    demand = named(far, "all demand")
    assert demand.fits_until == pytest.approx(1.5, abs=5e-4)
    assert (demand.best_from, demand.best_to) == pytest.approx((1, 1), abs=5e-4)
    assert dict(demand.regrets) == pytest.approx({
        0.5: 5 * HOURS, 0.75: 2.5 * HOURS, 0.9: HOURS, 1.1: 0.25 * HOURS, 1.25: 0.625 * HOURS, 1.5: 1.25 * HOURS,
    }, abs=1e-4)  # fmt: skip


def test_units_by_the_hour_are_no_units_of_the_plan_but_may_be_paid_for() -> None:
    pools = [{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 3.0}]
    _, far = found(builders.case(builders.tables(on_demand=dear(tokens_per_minute_quota=2), pools=pools)))
    demand = named(far, "all demand")
    assert demand.fits_until == pytest.approx(1.2, abs=5e-4)
    # at 1.5: 2 requests on demand, 3 more units at 3 USD, against 15 units
    assert dict(demand.regrets)[1.5] == pytest.approx((10 + 2.5 + 9 - 15) * HOURS)


def test_without_a_limit_nothing_ends_it() -> None:
    _, far = found(builders.case(builders.tables(on_demand=dear())))
    assert named(far, "all demand").fits_until == float("inf")


def test_what_no_longer_fits_has_no_regret() -> None:
    _, far = found(builders.case(builders.tables(on_demand=[])))
    demand = named(far, "all demand")
    assert demand.fits_until == pytest.approx(1, abs=5e-4)
    assert [usd for factor, usd in demand.regrets if factor > 1] == [None] * 3


def test_a_price_that_a_budget_counts_is_said_to_be_looked_at_here_and_there_only() -> None:
    """The range is the same as without a budget that does not bind; that nothing is known in between is said."""
    _, far = found(builders.case(builders.tables(on_demand=dear()), max_commitment_usd=20 * HOURS))
    offers = named(far, "offer prices")
    assert (offers.best_from, offers.best_to) == (None, pytest.approx(1.25, abs=5e-4))
    assert [reach.name for reach in far.reaches if reach.sampled] == ["offer prices"]
    assert sentences(far)[-1].startswith("Of offer prices, only moves of 10, 25 and 50 % were compared")
    assert how_far_from(json.loads(json.dumps(document_of(far)))) == far


def owed_usd(case: Case, plan: Plan, factor: Factor) -> float | None:
    """What a plan's purchases cost with a number at a factor, solved with them as commitments that are owed."""
    order = plan.purchases[["offer", "period", "units"]]
    return find_cost(as_owed(changed(case, CaseChange("x", scale=(factor,))), order))


def test_two_regions_against_solves_of_their_own() -> None:
    """Failover with quotas, two workloads, busy hours: regrets, and where units no longer serve, by other solves."""
    quotas = [{"region": r, "model": "m", "usd_per_mtok_input": 3e4, "usd_per_mtok_output": 0.0,
               "tokens_per_minute_quota": 14} for r in ("east", "west")]  # fmt: skip
    both = [{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("w", "x")]
    demand = [row for w, rph in (("w", [10.0, 4.0]), ("x", [3.0, 3.0, 8.0])) for r in ("east", "west")
              for row in builders.profile(r, w, rph)]  # fmt: skip
    tables = builders.two_regions(on_demand=quotas, workloads=both, demand=demand,
                                  mix=[{"workload": w, "model": "m"} for w in ("w", "x")])  # fmt: skip
    case = builders.case(tables, failover={"enabled": True, "on_demand_trust": 0.5})
    plan, far = found(case)
    assert [reach.name for reach in far.reaches] == [
        "all demand", "demand of w", "demand of x", "demand of east", "demand of west", "on-demand prices",
        "on-demand prices in east", "on-demand prices in west", "offer prices", "offer prices in east",
        "offer prices in west", *(f"price of {offer}" for offer in sorted(set(plan.purchases["offer"]))),
    ]  # fmt: skip
    for reach in far.reaches:
        column, _, name = reach.key.partition("[")[2].rstrip("]").partition("=")
        where = ((column, name),) if column else ()
        factor = Factor(reach.key.partition("[")[0], 1.0, where)
        for at, usd in reach.regrets[::2]:
            if "price" in factor.what:
                continue  # an order's price is the input's
            own, best = owed_usd(case, plan, replace(factor, factor=at)), find_cost(
                changed(case, CaseChange("x", scale=(replace(factor, factor=at),))))  # fmt: skip
            assert (own is None) == (usd is None)
            if own is not None and best is not None and usd is not None:
                assert usd == pytest.approx(max(own - best, 0.0), abs=1e-6 * best)
        if reach.fits_until is not None and reach.fits_until < 4:
            assert owed_usd(case, plan, replace(factor, factor=reach.fits_until)) is not None
            assert owed_usd(case, plan, replace(factor, factor=reach.fits_until + 6e-4)) is None
