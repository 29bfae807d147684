"""The bound from prices alone: right for the certificate, below the optimum for any prices at all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.plan.audit.bound import check_bound, proved_bound_usd
from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.find import find_plan
from tests import builders

CASE: Case = builders.case(builders.two_regions(), headroom=0.3, failover={"enabled": True, "share": 1.0})
PLAN: Plan = find_plan(CASE)
DERIVED = Derived.of(CASE)
NAMES = Names.of(CASE, DERIVED)


def test_the_certificate_proves_the_stated_bound() -> None:
    found = proved_bound_usd(CASE, DERIVED, NAMES, PLAN.certificate)
    assert found == pytest.approx(PLAN.proof.bound_usd, rel=1e-9)
    assert found == pytest.approx(PLAN.totals.total_usd, rel=1e-7)  # nothing is whole here: the plan is optimal
    assert check_bound(CASE, DERIVED, NAMES, PLAN) == []


def test_a_bound_raised_by_hand_is_found() -> None:
    lied = replace(PLAN, proof=replace(PLAN.proof, bound_usd=PLAN.proof.bound_usd * 1.001))
    (finding,) = check_bound(CASE, DERIVED, NAMES, lied)
    assert "prove" in finding.message


def test_a_negative_price_is_found() -> None:
    table = PLAN.certificate.copy()
    table.loc[table.index[0], "price"] = -1.0
    (finding,) = check_bound(CASE, DERIVED, NAMES, replace(PLAN, certificate=table))
    assert "below 0" in finding.message


@pytest.mark.parametrize("price", [np.inf, np.nan, 1e308])
def test_prices_beyond_any_amount_prove_nothing(price: float) -> None:
    # infinite prices of two sides add up to no number, and no number is not below any bound
    for kind in sorted(set(PLAN.certificate["kind"])):
        table = PLAN.certificate.copy()
        table.loc[table.index[table["kind"] == kind][0], "price"] = price
        lied = replace(PLAN, certificate=table, proof=replace(PLAN.proof, bound_usd=1e12))
        (finding,) = check_bound(CASE, DERIVED, NAMES, lied)
        assert "the file was changed" in finding.message


def test_without_prices_only_nothing_is_proved() -> None:
    none = PLAN.certificate.iloc[:0]
    found = proved_bound_usd(CASE, DERIVED, NAMES, none)
    assert found <= PLAN.totals.total_usd
    assert check_bound(CASE, DERIVED, NAMES, replace(PLAN, certificate=none))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.01, 0.3, 3.0]))
def test_any_prices_prove_a_bound(seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    table = PLAN.certificate.assign(price=PLAN.certificate["price"] * rng.lognormal(0, spread, len(PLAN.certificate)))
    assert proved_bound_usd(CASE, DERIVED, NAMES, table) <= PLAN.totals.total_usd * (1 + 1e-9)


def test_hours_of_a_scenario_of_probability_0_are_priced() -> None:
    """20 requests that never cost anything must still be servable: 10 on the quota, so 10 units, at 5 USD an hour.

    In the other hours on demand, 3 USD a request, is cheaper than a unit. All 168 hours of the scenario are alike and
    merged; their prices, which prove that 10 units are needed, are shared out among them again.
    """
    rows = builders.tables(
        scenarios=[{"scenario": "base", "probability": 1}, {"scenario": "never", "probability": 0}],
        demand=[*builders.profile("west", "w", 5.0, "base"), *builders.profile("west", "w", 20.0, "never")],
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 5.0}],
        on_demand=[{**builders.tables()["on_demand"][0], "tokens_per_minute_quota": 10}],
    )
    case = builders.case(rows)
    plan = find_plan(case)
    assert plan.totals.total_usd == pytest.approx(10 * 5 * 744)
    assert not plan.certificate["price"].isna().any()
    assert not plan.rents["usd_per_unit"].isna().any()
    derived = Derived.of(case)
    found = proved_bound_usd(case, derived, Names.of(case, derived), plan.certificate)
    assert found == pytest.approx(plan.totals.total_usd, rel=1e-7)
