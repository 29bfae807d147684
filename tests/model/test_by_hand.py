"""Each rule on a case solved by hand; the arithmetic is in the test.

Unless a test says otherwise: 10 requests every hour of January 2027 (744 h) need 10 units at 1 USD an hour, or cost
3 USD each on demand.
"""

from typing import Any

import pytest

from planner.plan.plan import Plan
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import WEEKS, on_demand, one, workload
from tests.builders.solved import Solved, solved

HOURS = 744
NO_POOLS: dict[str, Any] = {"pools": [], "throughput": [], "offers": []}
BOTH = ("east", "west")


def plan_of(tables: builders.Tables, **options: Any) -> Plan:
    return solve(builders.case(tables, **options), workers=1)


def usd(tables: builders.Tables, **options: Any) -> float:
    """Cost of the plan, which its bound proves where no units are whole."""
    plan = plan_of(tables, **options)
    if not options.get("whole_units"):
        assert plan.proof.bound_usd == pytest.approx(plan.totals.total_usd, rel=1e-9, abs=1e-6)
    return plan.totals.total_usd


def cheap(price_usd: float, region: str = "west", **more: Any) -> dict[str, Any]:
    """On demand at some dollars a request of 60 tokens."""
    return on_demand(region, **{"usd_per_mtok_input": price_usd / 60e-6, **more})


def test_balance_is_served_by_the_cheaper_supply() -> None:
    assert usd(builders.tables()) == pytest.approx(10 * HOURS)
    assert usd(builders.tables(on_demand=[cheap(0.5)])) == pytest.approx(10 * HOURS * 0.5)


def test_a_unit_must_earn_its_price_in_the_hours_that_use_it() -> None:
    # a unit costs 744; on demand an hour of the week costs 3 x 31/7: it pays from 56 hours of the week on
    base = [5.0] * 112
    above = builders.tables(demand=builders.profile("west", "w", [*base, *[10.0] * 56]))
    below = builders.tables(demand=builders.profile("west", "w", [*base, 5.0, *[10.0] * 55]))
    assert usd(above) == pytest.approx(10 * HOURS)
    assert usd(below) == pytest.approx(5 * HOURS + 5 * 3 * 55 * WEEKS)


def test_mix_bounds_the_cheaper_model() -> None:
    both = {"models": [{"model": "m"}, {"model": "n"}], "on_demand": [cheap(3), cheap(1, model="n")], **NO_POOLS}
    mix = [{"workload": "w", "model": "m"}, {"workload": "w", "model": "n"}]
    assert usd(builders.tables(mix=mix, **both)) == pytest.approx(10 * HOURS * 1)
    floor = [{**mix[0], "min_share": 0.25}, mix[1]]
    assert usd(builders.tables(mix=floor, **both)) == pytest.approx(10 * HOURS * (0.25 * 3 + 0.75 * 1))
    cap = [mix[0], {**mix[1], "max_share": 0.5}]
    assert usd(builders.tables(mix=cap, **both)) == pytest.approx(10 * HOURS * (0.5 * 3 + 0.5 * 1))


def test_guaranteed_share_is_served_by_the_dearer_option() -> None:
    options = [cheap(3), cheap(5, option="priority", guaranteed=True)]
    tables = builders.tables(on_demand=options, workloads=[workload(guaranteed_share=0.4)], **NO_POOLS)
    assert usd(tables) == pytest.approx(10 * HOURS * (0.6 * 3 + 0.4 * 5))


def test_reserved_headroom_buys_spare_units() -> None:
    # 10 requests on units of which 20 % stay free: 10 / 0.8 = 12.5 units
    assert usd(builders.tables(), reserved_headroom=0.2) == pytest.approx(12.5 * HOURS)


def test_earlier_commitments_are_used_first() -> None:
    owed = [{"offer": "west-m-1m", "units": 7, "start": "2026-10-01", "end": "2027-02-01"}]
    totals = plan_of(builders.tables(commitments=owed)).totals
    assert (totals.sunk_usd, totals.reserved_usd) == pytest.approx((7 * HOURS, 3 * HOURS))


def test_a_commitment_that_ends_within_the_month_does_not_serve_it() -> None:
    owed = [{"offer": "west-m-1m", "units": 7, "start": "2026-10-01", "end": "2027-01-30"}]
    totals = plan_of(builders.tables(commitments=owed)).totals
    assert (totals.sunk_usd, totals.reserved_usd) == pytest.approx((0, 10 * HOURS))


def test_terms_hold_for_their_months() -> None:
    # January and February: 744 + 672 h. Two months at 0.9 beat 1.0 a month, one month at 0.8 beats both
    two = {"offer": "2m", "pool": "west-m", "usd_per_unit_hour": 0.9, "term_months": 2}
    one_month = {"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 1.0}
    assert usd(builders.tables(offers=[one_month, two]), months=2) == pytest.approx(10 * 0.9 * (744 + 672))
    low = {**one_month, "usd_per_unit_hour": 0.8}
    assert usd(builders.tables(offers=[low, two]), months=2) == pytest.approx(10 * 0.8 * (744 + 672))


@pytest.mark.parametrize(("tail_value", "counted_hours"), [(1.0, 744), (0.5, 744 + 0.5 * 8016), (0.0, 8760)])
def test_the_tail_of_a_term_counts_in_part(tail_value: float, counted_hours: float) -> None:
    year = [{"offer": "12m", "pool": "west-m", "usd_per_unit_hour": 0.2, "term_months": 12}]
    totals = plan_of(builders.tables(offers=year), tail_value=tail_value).totals
    assert totals.reserved_usd == pytest.approx(10 * 0.2 * 744)
    assert totals.total_usd == pytest.approx(10 * 0.2 * counted_hours)


def test_unreserved_units_are_paid_by_the_hour() -> None:
    pools = [{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 2.0}]
    plan = plan_of(builders.tables(pools=pools, offers=[]))
    assert plan.totals.unreserved_usd == plan.totals.total_usd == pytest.approx(10 * 2 * HOURS)


def test_quota_limits_the_cheaper_on_demand() -> None:
    # 4 tokens a minute carry 4 requests an hour of 60 tokens; the other 6 need units
    tables = builders.tables(on_demand=[cheap(0.5, tokens_per_minute_quota=4)])
    assert usd(tables) == pytest.approx(4 * 0.5 * HOURS + 6 * HOURS)


def far(**changes: Any) -> builders.Tables:
    """10 requests an hour from the east; units at 1 USD are in the west, on demand at 3 USD in the east.

    A request takes 1 GB there, at 0.1 USD.
    """
    tables = builders.two_regions(
        demand=builders.profile("east", "w", 10.0),
        workloads=[workload(extra_bytes_in=1e9 - 240)],
        pools=[{"pool": "west-m", "region": "west"}],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        offers=[{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0}],
        on_demand=[cheap(3, "east")],
        routes=[
            {"origin": "east", "destination": "west", "usd_per_gb": 0.1},
            {"origin": "west", "destination": "east", "usd_per_gb": 5.0},
        ],
    )
    return {**tables, **changes}


def test_egress_is_paid_and_capped() -> None:
    assert usd(far()) == pytest.approx(10 * (1 + 0.1) * HOURS)
    routes = [{"origin": "east", "destination": "west", "usd_per_gb": 0.1, "max_gb_per_month": 5 * HOURS}]
    assert usd(far(routes=routes)) == pytest.approx((5 * (1 + 0.1) + 5 * 3) * HOURS)


def test_caps_both_ways_hold() -> None:
    # requests go out at 1 GB each under the cap of east->west; the way back carries nothing and its cap is idle
    out = {"origin": "east", "destination": "west", "usd_per_gb": 0.1, "max_gb_per_month": 5 * HOURS}
    back = {"origin": "west", "destination": "east", "usd_per_gb": 0.1, "max_gb_per_month": 9e9}
    for routes in ([out, back], [back, out]):
        assert usd(far(routes=routes)) == pytest.approx((5 * (1 + 0.1) + 5 * 3) * HOURS)


def test_cross_region_share_keeps_requests_at_home() -> None:
    assert usd(far(), egress={"max_cross_region_share": 0.25}) == pytest.approx((2.5 * 1.1 + 7.5 * 3) * HOURS)


def test_budget_limits_commitments() -> None:
    assert usd(builders.tables(), max_commitment_usd=5 * HOURS) == pytest.approx((5 + 5 * 3) * HOURS)
    assert usd(builders.tables(), max_commitment_usd=0) == pytest.approx(10 * 3 * HOURS)


@pytest.mark.parametrize(
    ("offer", "price_usd", "units"),
    [
        ({"unit_step": 4}, 1.2, 8),  # 8 + 2 x 1.2 = 10.4 a hour; 12 cost 12, none 12
        ({"unit_step": 4}, 3, 12),  # 12; 8 + 2 x 3 = 14
        ({"min_units": 15, "unit_step": 5}, 1.2, 0),  # 12 on demand; 15 units cost 15
        ({"min_units": 15, "unit_step": 5}, 3, 15),
        ({"min_units": 12}, 3, 12),  # any amount from 12
        ({"min_units": 12}, 1.1, 0),  # 11 on demand
        ({"min_units": 4, "unit_step": 4, "max_units": 9}, 3, 8),  # 4 or 8
        ({"max_units": 0}, 3, 0),
    ],
)
def test_sizes(offer: dict[str, float], price_usd: float, units: float) -> None:
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, **offer}]
    plan = plan_of(builders.tables(offers=offers, on_demand=[cheap(price_usd)]), whole_units=True)
    assert plan.purchases["units"].sum() == pytest.approx(units)
    assert plan.totals.total_usd == pytest.approx((units + max(0, 10 - units) * price_usd) * HOURS)


def test_deployments_keep_their_sizes() -> None:
    # one pool of 20 units for two models of 10 requests each, deployed in steps of 8: 16 + 8 or 8 + 8
    tables = builders.tables(
        models=[{"model": "m"}, {"model": "n"}],
        workloads=[workload(), workload(workload="x")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "x", "model": "n"}],
        demand=[*builders.profile("west", "w", 10), *builders.profile("west", "x", 10)],
        throughput=[
            {"pool": "west-m", "model": m, "tokens_per_minute_per_unit": 1, "unit_step": 8} for m in ("m", "n")
        ],
        on_demand=[cheap(3), cheap(3, model="n")],
    )
    # 8 + 8: 16 + 4 x 3 = 28; 16 + 8: 24 + 2 x 3 = 30; 16 + 16: 32
    assert usd(tables, whole_units=True) == pytest.approx(28 * HOURS)
    assert usd(tables, whole_units=False) == pytest.approx(20 * HOURS)


def test_headroom_counts_quotas_in_full() -> None:
    # 10 / 0.8 = 12.5 at the peak, of which on demand carries 2; the two never serve in ordinary use
    few = [cheap(3, tokens_per_minute_quota=2)]
    assert usd(builders.tables(on_demand=few), headroom=0.2, reserved_headroom=0) == pytest.approx(10.5 * HOURS)
    assert usd(builders.tables(on_demand=[]), headroom=0.2, reserved_headroom=0) == pytest.approx(12.5 * HOURS)


@pytest.mark.parametrize(
    ("quota", "trust", "units"),
    [
        (None, 0.5, 20),  # a quota without limit carries the lost region
        (20, 0.5, 20),  # 20 must be served by one region: 10 units and half of its quota
        (20, 0.25, 30),  # 15 units each
        (20, 0.0, 40),
        (None, 0.0, 40),  # trust 0 counts no on demand at all
    ],
)
def test_failover_buys_what_on_demand_is_not_trusted_with(quota: float | None, trust: float, units: float) -> None:
    tables = builders.two_regions(on_demand=[cheap(3, r, tokens_per_minute_quota=quota) for r in BOTH])
    failover = {"enabled": True, "share": 1.0, "on_demand_trust": trust}
    assert usd(tables, failover=failover) == pytest.approx(units * HOURS)


def test_what_stays_spare_while_a_region_is_lost_is_bought_too() -> None:
    # 20 requests must find one region alone, and a fifth of it spare: 20 / 0.8 = 25 units in each of the two
    tables = builders.two_regions(on_demand=[])
    failover = {"enabled": True, "share": 1.0, "headroom": 0.2}
    assert usd(tables, failover=failover) == pytest.approx(2 * 25 * HOURS)
    # half of what is asked for: 10 / 0.8 = 12.5 units each
    assert usd(tables, failover={**failover, "share": 0.5}) == pytest.approx(2 * 12.5 * HOURS)


def test_three_zones_need_six_units_for_a_peak_of_four() -> None:
    # Azure's rule for zones: any two of three must carry 4, so 2 in each
    zones = ("a", "b", "c")
    tables = builders.tables(
        regions=[{"region": z} for z in zones],
        demand=[row for z in zones for row in builders.profile(z, "w", 4 / 3)],
        pools=[{"pool": z, "region": z} for z in zones],
        throughput=[{"pool": z, "model": "m", "tokens_per_minute_per_unit": 1} for z in zones],
        offers=[{"offer": z, "pool": z, "usd_per_unit_hour": 1.0} for z in zones],
        on_demand=[],
        routes=[{"origin": o, "destination": d} for o in zones for d in zones if o != d],
    )
    plan = plan_of(tables, failover={"enabled": True, "share": 1.0})
    assert plan.purchases["units"].tolist() == pytest.approx([2, 2, 2])
    whole = [{"offer": z, "pool": z, "usd_per_unit_hour": 1.0, "unit_step": 1} for z in zones]
    assert usd({**tables, "offers": whole}, whole_units=True, failover={"enabled": True}) == pytest.approx(6 * HOURS)


def test_shared_units_move_between_models_by_the_hour() -> None:
    # m is asked in even hours, n in odd ones: 10 units carry both where they are shared, else 20
    tables = builders.tables(
        models=[{"model": "m"}, {"model": "n"}],
        workloads=[workload(), workload(workload="x")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "x", "model": "n"}],
        demand=[*builders.profile("west", "w", [10, 0]), *builders.profile("west", "x", [0, 10])],
        throughput=[{"pool": "west-m", "model": m, "tokens_per_minute_per_unit": 1} for m in ("m", "n")],
        on_demand=[cheap(9), cheap(9, model="n")],
    )
    shared = [{"pool": "west-m", "region": "west", "shared_hourly": True}]
    assert usd(tables) == pytest.approx(20 * HOURS)
    assert usd({**tables, "pools": shared}) == pytest.approx(10 * HOURS)


def test_two_meters_are_both_needed() -> None:
    # a request of 60 input and 30 output tokens needs 1 unit of input and half a unit of output
    meters = ("input", "output")
    tables = builders.tables(
        workloads=[workload(output_tokens=30)],
        throughput=[
            {"pool": "west-m", "model": "m", "meter": "input", "tokens_per_minute_per_unit": 1, "output_weight": 0},
            {"pool": "west-m", "model": "m", "meter": "output", "tokens_per_minute_per_unit": 1, "input_weight": 0,
             "cached_input_weight": 0},
        ],
        offers=[{"offer": m, "pool": "west-m", "meter": m, "usd_per_unit_hour": 1.0} for m in meters],
    )  # fmt: skip
    assert usd(tables) == pytest.approx((10 + 5) * HOURS)


def test_scenarios_weigh_by_probability_and_price() -> None:
    scenarios = [
        {"scenario": "calm", "probability": 0.25},
        {"scenario": "dear", "probability": 0.75, "on_demand_price_factor": 2.0},
    ]
    tables = builders.tables(scenarios=scenarios, on_demand=[cheap(1)], **NO_POOLS)
    assert usd(tables) == pytest.approx(10 * HOURS * (0.25 * 1 + 0.75 * 2))


def test_a_single_hour_is_bought_on_demand() -> None:
    assert usd(one(10)) == pytest.approx(10 * 3 * WEEKS)


@pytest.mark.parametrize("each", solved(), ids=lambda each: each.family)
def test_a_case_solved_by_hand(each: Solved) -> None:
    plan = solve(each.case, workers=1)
    assert plan.totals.total_usd == pytest.approx(each.usd, rel=1e-9, abs=1e-6)
    assert plan.proof.bound_usd == pytest.approx(each.objective_usd, rel=1e-9, abs=1e-6)
    assert solve(each.whole(), workers=1).totals.total_usd == pytest.approx(each.whole_usd, rel=1e-9, abs=1e-6)
