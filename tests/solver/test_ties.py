"""Among plans of equal cost one by rule: fewest committed dollars, then offers held, then the order of names."""

from typing import Any

import pytest

from planner.plan.plan import Plan
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import on_demand

HOURS = 744
OPTIONS = [pytest.param({"whole_units": False}, id="continuous"), pytest.param({"whole_units": True}, id="whole")]


def plan_of(options: dict[str, Any], offers: list[dict[str, Any]], **tables: Any) -> Plan:
    rows = [{"pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 1, **offer} for offer in offers]
    return solve(builders.case(builders.tables(offers=rows, **tables), **options), gap=1e-9, workers=1)


def bought(plan: Plan) -> dict[str, float]:
    return {str(o): float(n) for o, n in zip(plan.purchases["offer"], plan.purchases["units"]) if n > 1e-6}


@pytest.mark.parametrize("options", OPTIONS)
def test_a_unit_that_costs_what_on_demand_does_is_not_bought(options: dict[str, Any]) -> None:
    # 25 % off and used 126 of 168 hours: 0.75 x 168 = 126, so that units and on demand cost the same
    demand = builders.profile("west", "w", [10.0] * 126 + [4.0] * 42)
    price = on_demand(usd_per_mtok_input=1.0 / 60e-6)
    plan = plan_of(options, [{"offer": "o", "usd_per_unit_hour": 0.75}], demand=demand, on_demand=[price])
    assert bought(plan) == pytest.approx({"o": 4.0})
    assert plan.totals.total_usd == pytest.approx(4 * 0.75 * HOURS + 6 * HOURS * 126 / 168)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_equal_offers_go_by_name(options: dict[str, Any], names: tuple[str, str]) -> None:
    assert bought(plan_of(options, [{"offer": n} for n in names])) == pytest.approx({"a": 10.0})


@pytest.mark.parametrize("options", OPTIONS)
def test_an_offer_already_held_is_preferred(options: dict[str, Any]) -> None:
    owed = [{"offer": "b", "units": 2, "start": "2026-01-01", "end": "2028-01-01"}]
    plan = plan_of(options, [{"offer": "a"}, {"offer": "b"}], commitments=owed)
    assert bought(plan) == pytest.approx({"b": 8.0})


@pytest.mark.parametrize("options", OPTIONS)
def test_a_tie_never_costs_money(options: dict[str, Any]) -> None:
    owed = [{"offer": "b", "units": 2, "start": "2026-01-01", "end": "2028-01-01"}]
    dearer = {"offer": "b", "usd_per_unit_hour": 1.000001}
    plan = plan_of(options, [{"offer": "a"}, dearer], commitments=owed)
    assert bought(plan) == pytest.approx({"a": 8.0})


@pytest.mark.parametrize("options", OPTIONS)
def test_nothing_is_signed_for_what_a_contract_asks_to_be_spent_anyway(options: dict[str, Any]) -> None:
    """All on demand costs 10 x 3 x 744 USD, 10 units 7,440; what either leaves of 100,000 is lost: as dear."""
    plan = plan_of(options, [{"offer": "o"}], spend_commitments=[{"contract": "macc", "usd": 100_000.0}])
    assert bought(plan) == {}
    assert (plan.totals.on_demand_usd, plan.totals.shortfall_usd) == pytest.approx((22_320, 77_680))
    assert str(plan.proof.status) == "optimal"


@pytest.mark.parametrize(("usd", "units"), [(44_000.0, 1.0), (43_000.0, 2.0), (41_000.0, 3.0), (40_000.0, 4.0)])
def test_whole_units_below_a_contract_are_no_more_than_bring_the_spend_down_to_it(usd: float, units: float) -> None:
    # tokens alone cost 2 x 10 x 3 USD x 744 hours = 44,640 USD, and no plan costs less than what must be spent. A unit
    # in east is 744 USD in place of 2,232: 1,488 less is spent, so ceil((44,640 - usd) / 1,488) of them; in west, 744
    offers = [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": p, "unit_step": 1}
              for r, p in (("east", 1.0), ("west", 2.0))]  # fmt: skip
    contract = [{"contract": "c", "usd": usd}]
    rows = builders.two_regions(routes=[], offers=offers, spend_commitments=contract)
    plan = solve(builders.case(rows, whole_units=True))
    assert plan.totals.total_usd == pytest.approx(usd)
    assert plan.purchases[["offer", "units"]].to_numpy().tolist() == [["east-m-1m", units]]


def test_what_must_be_signed_below_a_contract_is_the_least_that_will_do() -> None:
    """8 of the 20 requests of a working hour are guaranteed: 8 units of `b`, 8 x 0.9 x 744 = 5,356.80 USD.

    More units, or those of `a`, cost as much: what is spent less than 100,000 is lost. Working hours are 70 of 168;
    in the others 5 requests arise.
    """
    demand = builders.profile("west", "w", [20.0 if 8 <= hour % 24 < 18 else 5.0 for hour in range(168)])
    work = {"workload": "w", "input_tokens": 60, "output_tokens": 0, "guaranteed_share": 0.4}
    year = {"offer": "b", "term_months": 12, "usd_per_unit_hour": 0.9, "min_units": 3}
    offers = [{"offer": "a", "min_units": 15, "unit_step": 5}, year]
    contract = {"contract": "macc", "usd": 100_000.0}
    whole = {"whole_units": True}
    plan = plan_of(whole, offers, demand=demand, workloads=[work], spend_commitments=[contract])
    assert bought(plan) == {"b": 8.0}
    assert plan.totals.reserved_usd == pytest.approx(5_356.8)
    assert plan.totals.total_usd == pytest.approx(100_000)


@pytest.mark.parametrize("usd", [12_000.0, 100_000.0])
def test_a_contract_is_not_filled_with_units_that_serve_nothing(usd: float) -> None:
    """9 of 10 requests an hour are guaranteed: 9 units of `a`, 6,696 USD, and 1 x 3 x 744 = 2,232 USD on demand.

    The rest of the contract is lost. The week of `week` covers no period whole, so its units serve nothing, and more
    than 10 of `a` serve nothing either: bought to fill the contract they cost nothing more. 16.1 units of `a` do.
    """
    work = {"workload": "w", "input_tokens": 60, "output_tokens": 0, "guaranteed_share": 0.9}
    offers = [{"offer": "a"}, {"offer": "week", "term_days": 7, "unit_step": 0}]
    contract = {"contract": "macc", "usd": usd}
    plan = plan_of({"whole_units": True}, offers, workloads=[work], spend_commitments=[contract])
    assert bought(plan) == {"a": 9.0}
    assert (plan.totals.reserved_usd, plan.totals.on_demand_usd) == pytest.approx((6_696, 2_232))
    assert plan.totals.shortfall_usd == pytest.approx(usd - 8_928)
