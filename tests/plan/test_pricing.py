"""Re-pricing against dollars worked out by hand."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from planner.errors import AuditError
from planner.plan.pricing import price
from planner.plan.spend import Spent
from tests import builders
from tests.builders.hand_plans import hand_case, hand_plan, hourly

NOTHING = {
    "purchases": pd.DataFrame({"offer": [], "period": [], "units": []}),
    "deployments": pd.DataFrame({"pool": [], "meter": [], "model": [], "period": [], "units": []}),
}


def test_the_hand_made_plan_costs_what_its_page_says() -> None:
    case = hand_case()
    plan = hand_plan(case)
    assert asdict(price(case, plan.purchases, plan.deployments, plan.dispatch)) == pytest.approx(asdict(plan.totals))


def test_a_term_past_the_horizon_leaves_a_counted_tail() -> None:
    offers = [{"offer": "o", "pool": "west-m", "term_months": 3, "usd_per_unit_hour": 2.0}]
    case = builders.case(builders.tables(offers=offers), months=2, tail_value=0.75)
    bought = pd.DataFrame({"offer": ["o"], "period": ["2027-02"], "units": [5.0]})
    found = price(case, bought, NOTHING["deployments"], hourly([]))
    assert found.reserved_usd == pytest.approx(5 * 2 * 672)  # February inside
    assert found.tail_usd == pytest.approx(0.25 * 5 * 2 * (744 + 720))  # March and April beyond, a quarter counted


def test_units_deployed_beyond_commitments_pay_the_unreserved_price() -> None:
    pools = [{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 4.0}]
    earlier = [{"offer": "west-m-1m", "units": 3, "start": "2026-01-01", "end": "2028-01-01"}]
    case = builders.case(builders.tables(pools=pools, commitments=earlier))
    bought = pd.DataFrame({"offer": ["west-m-1m"], "period": ["2027-01"], "units": [2.0]})
    placed = pd.DataFrame(
        {"pool": ["west-m"], "meter": ["tokens"], "model": ["m"], "period": ["2027-01"], "units": [6.0]}
    )
    found = price(case, bought, placed, hourly([]))
    assert found.unreserved_usd == pytest.approx((6 - 5) * 4 * 744)
    assert found.sunk_usd == pytest.approx(3 * 744)


def test_scenarios_weigh_and_scale_on_demand_prices() -> None:
    scenarios = [
        {"scenario": "a", "probability": 0.5},
        {"scenario": "b", "probability": 0.5, "on_demand_price_factor": 3},
    ]
    case = builders.case(builders.tables(scenarios=scenarios))
    flows = hourly([("west", "w", "m", "west", "standard", 10.0)], scenarios=("a", "b"))
    found = price(case, NOTHING["purchases"], NOTHING["deployments"], flows)
    assert found.on_demand_usd == pytest.approx(10 * 744 * 3 * (0.5 * 1 + 0.5 * 3))


def test_egress_is_paid_on_reserved_and_on_demand_alike() -> None:
    routes = [{"origin": "east", "destination": "west", "usd_per_gb": 1e6}]
    case = hand_case(routes=routes)
    flows = hourly([("east", "w", "m", "west", "west-m", 1.0), ("east", "w", "m", "west", "standard", 1.0)])
    found = price(case, NOTHING["purchases"], NOTHING["deployments"], flows)
    assert found.egress_usd == pytest.approx(2 * 744 * 240e-9 * 1e6)  # 60 tokens of 4 bytes, no answer


def test_categories_cost_the_same_as_text() -> None:
    case = hand_case()
    plan = hand_plan(case)
    names = ["origin", "workload", "model", "region", "supply", "scenario", "period"]
    coded = plan.dispatch.astype(dict.fromkeys(names, "category"))
    plain = price(case, plan.purchases, plan.deployments, plan.dispatch)
    assert price(case, plan.purchases, plan.deployments, coded) == plain


@pytest.mark.parametrize("column", ["origin", "workload", "model", "region", "supply", "scenario", "period"])
def test_unknown_names_are_not_priced_in_silence(column: str) -> None:
    case = hand_case()
    plan = hand_plan(case)
    wrong = plan.dispatch.copy()
    wrong.loc[7, column] = "nowhere"
    with pytest.raises(AuditError, match="1 row names what the input does not know"):
        price(case, plan.purchases, plan.deployments, wrong)


def test_unknown_offers_are_not_priced_in_silence() -> None:
    case = hand_case()
    plan = hand_plan(case)
    with pytest.raises(AuditError, match="no offer 'gone'"):
        price(case, plan.purchases.assign(offer="gone"), plan.deployments, plan.dispatch)


def test_a_supply_that_is_not_sold_in_the_region_is_not_free() -> None:
    case = hand_case(
        on_demand=[{"region": "east", "model": "m", "usd_per_mtok_input": 1.0, "usd_per_mtok_output": 0.0}]
    )
    flows = hourly([("west", "w", "m", "west", "standard", 1.0)])
    with pytest.raises(AuditError, match="supply standard: neither a pool of the region"):
        price(case, NOTHING["purchases"], NOTHING["deployments"], flows)


def test_what_rounding_leaves_to_be_spent_is_no_shortfall() -> None:
    case = builders.case(builders.tables(spend_commitments=[{"contract": "c", "usd": 200.0}]))

    def spent(usd: float) -> Spent:
        return Spent(case, np.full((1, 1, 1), usd), np.zeros((1, 1)), np.ones(1))

    assert spent(200.0 - 1e-12).shortfall_usd == 0.0
    assert spent(199.999).shortfall_usd == pytest.approx(0.001)
