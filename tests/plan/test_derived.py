"""Derived quantities against numbers worked out by hand (docs/model.md, "What follows from the input")."""

import pytest

from planner.plan.derived import Derived
from tests import builders

WORKLOAD = {
    "workload": "w", "input_tokens": 1000, "output_tokens": 200, "cache_hit_rate": 0.5, "cache_write_rate": 0.1,
    "on_demand_cache_hit_rate": 0.25, "burst_factor": 2.0, "extra_bytes_in": 1000, "headroom": 0.4,
}  # fmt: skip


def derived(**tables: list[dict[str, object]]) -> Derived:
    rows = builders.two_regions(**{"workloads": [WORKLOAD], **tables})
    return Derived.of(builders.case(rows, months=2, reserved_headroom=0.25))


def test_units_of_a_request_weigh_fresh_cached_written_and_output_tokens() -> None:
    row = {"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 500, "cached_input_weight": 0.1,
           "cache_write_weight": 1.25, "output_weight": 4}  # fmt: skip
    found = derived(throughput=[row])
    # fresh 400 + cached 500 x 0.1 + written 100 x 1.25 + output 200 x 4 = 1375; twice in a burst, 60 minutes of 500
    assert found.units_per_request["w", "west-m", "tokens", "m"] == pytest.approx(2 * 1375 / (60 * 500))


def test_cache_writes_weigh_as_input_when_nothing_is_said() -> None:
    row = {"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1, "input_weight": 3, "output_weight": 0}
    # fresh 400 x 3 + cached 500 + written 100 x 3
    assert derived(throughput=[row]).units_per_request["w", "west-m", "tokens", "m"] == pytest.approx(2 * 2000 / 60)


def test_on_demand_uses_its_own_hit_rate_and_weights_of_the_quota() -> None:
    row = {"region": "west", "model": "m", "usd_per_mtok_input": 10, "usd_per_mtok_cached_input": 1,
           "usd_per_mtok_output": 30, "quota_cached_weight": 0, "quota_output_weight": 5}  # fmt: skip
    found = derived(on_demand=[row])
    key = "w", "west", "m", "standard"
    # fresh 650, cached 250, written 100 (priced as input), output 200
    assert found.on_demand_usd[key] == pytest.approx((650 * 10 + 250 * 1 + 100 * 10 + 200 * 30) / 1e6)
    assert found.quota_per_request[key] == pytest.approx(2 * (650 + 100 + 200 * 5) / 60)


def test_egress_pays_the_request_there_and_the_answer_back() -> None:
    routes = [{"origin": "east", "destination": "west", "usd_per_gb": 100}, {"origin": "west", "destination": "east",
              "usd_per_gb": 7}]  # fmt: skip
    found = derived(routes=routes)
    # 1000 tokens x 4 bytes + 1000 bytes in, 200 x 4 out
    assert found.egress_usd["w", "east", "west"] == pytest.approx(5000e-9 * 100 + 800e-9 * 7)
    assert found.egress_usd["w", "west", "west"] == 0


def test_an_answer_on_a_route_that_is_not_listed_pays_the_price_of_the_request() -> None:
    found = derived(routes=[{"origin": "east", "destination": "west", "usd_per_gb": 100}])
    assert found.egress_usd["w", "east", "west"] == pytest.approx(5800e-9 * 100)
    assert ("w", "west", "east") not in found.egress_usd


def test_residency_closes_routes() -> None:
    found = derived(workloads=[{**WORKLOAD, "serving_regions": "west"}])
    assert set(found.egress_usd) == {("w", "east", "west"), ("w", "west", "west")}


def test_earlier_commitments_count_in_months_that_they_cover_whole() -> None:
    rows = [{"offer": "west-m-1m", "units": 5, "start": "2026-12-15", "end": "2027-02-20"},
            {"offer": "west-m-1m", "units": 2, "start": "2027-01-02", "end": "2027-03-01"}]  # fmt: skip
    found = derived(commitments=rows)
    # January by the first only, February by the second only
    assert found.earlier_units == {("west-m", "tokens", "2027-01"): 5, ("west-m", "tokens", "2027-02"): 2}
    assert found.sunk_usd == pytest.approx(5 * 744 + 2 * 672)


def test_slots_stand_for_their_share_of_the_month() -> None:
    found = derived(scenarios=[{"scenario": "a", "probability": 0.25}, {"scenario": "b", "probability": 0.75}])
    weeks = {(r.scenario, r.period): r.weeks for r in found.slots.itertuples()}
    assert weeks["a", "2027-01"] == pytest.approx(0.25 * 31 / 7)
    assert weeks["b", "2027-02"] == pytest.approx(0.75 * 4)


def test_a_workloads_own_headroom_counts_where_the_policy_has_none_of_its_own() -> None:
    rows = builders.two_regions(workloads=[WORKLOAD])
    assert set(Derived.of(builders.case(rows)).loads["usable_share"]) == {0.6}
    assert set(Derived.of(builders.case(rows, reserved_headroom=0.1)).loads["usable_share"]) == {0.9}
