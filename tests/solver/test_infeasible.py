"""Why there is no plan: each kind of shortfall in its words, with place, hour and amount."""

from typing import Any

import pytest

from planner.errors import InfeasibleError
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import on_demand, workload

NO_POOLS: dict[str, Any] = {"pools": [], "throughput": [], "offers": []}
BOTH = ("east", "west")


def words(tables: builders.Tables, **options: Any) -> str:
    """What is said; the first line is always the same."""
    with pytest.raises(InfeasibleError) as error:
        solve(builders.case(tables, **options), workers=1)
    heading, *lines = str(error.value).splitlines()
    assert heading == "No plan of 'tiny' exists; nothing was written. What cannot be met, worst first:"
    return "\n".join(line.strip() for line in lines)


def test_a_quota_that_is_too_small() -> None:
    # 10 requests an hour count 10 tokens a minute; 4 are allowed; 12 in the hours from Tuesday noon on
    demand = builders.profile("west", "w", [10.0] * 36 + [12.0] * 132)
    told = words(builders.tables(demand=demand, on_demand=[on_demand(tokens_per_minute_quota=4)], **NO_POOLS))
    first = told.splitlines()[0]
    assert first.startswith("capacity and quotas (rules 1, 4, 6): w from west on m, Tue 12:00 UTC in 2027-01")
    assert "8.0 of 12.0 requests/hour cannot be served" in first
    assert "missing: 8 more tokens/minute of on-demand m (standard) in west" in first


def test_max_units_that_are_too_few() -> None:
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "max_units": 7}]
    told = words(builders.tables(offers=offers, on_demand=[]))
    assert "3.0 of 10.0 requests/hour cannot be served; missing: 3.00 more units of west-m" in told


def test_a_budget_that_is_too_small() -> None:
    # 10 units for 744 h cost 7440
    told = words(builders.tables(on_demand=[]), max_commitment_usd=7000.0)
    assert told.startswith("budget (rule 9): max_commitment_usd 7,000 is too small by 440 USD")


def test_a_budget_that_is_too_small_for_failover_only() -> None:
    # each region alone must carry 20: 20 units each in place of 10; on demand carries ordinary use, but is not trusted
    told = words(
        builders.two_regions(),
        failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.0},
        max_commitment_usd=20 * 744.0,
    )
    assert told.startswith("budget (rule 9): max_commitment_usd 14,880 is too small by 14,880 USD")


def far(**route: Any) -> builders.Tables:
    """Requests of the east can only be served in the west; each takes 1 GB there."""
    return builders.two_regions(
        demand=builders.profile("east", "w", 10.0),
        workloads=[workload(extra_bytes_in=1e9 - 240)],
        pools=[{"pool": "west-m", "region": "west"}],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0}],
        on_demand=[],
        routes=[{"origin": "east", "destination": "west", **route}],
    )


def test_an_egress_cap_that_is_too_small() -> None:
    told = words(far(max_gb_per_month=7000.0))
    assert told == "egress cap (rule 7): east to west in 2027-01 needs 440.0 GB more than max_gb_per_month 7,000.0"


def test_a_cross_region_share_that_is_too_small() -> None:
    told = words(far(), egress={"max_cross_region_share": 0.75})
    assert told == (
        "cross-region share (rule 7): 1,860 requests more than max_cross_region_share allows must be served away from "
        "their origin"
    )


def test_a_guaranteed_share_that_nothing_guarantees() -> None:
    told = words(builders.tables(workloads=[workload(guaranteed_share=0.4)], **NO_POOLS))
    assert "guaranteed share (rule 3): w from west on m, " in told
    assert "4.0 of 10.0 requests/hour cannot be served by pools or guaranteed options" in told


@pytest.mark.parametrize("region", BOTH)
def test_a_region_whose_loss_strands_a_workload(region: str) -> None:
    tables = builders.two_regions(workloads=[workload(serving_regions=region)])
    told = words(tables, failover={"enabled": True, "share": 0.5})
    assert told.startswith(f"failover {region} (rule 8): w from east, west on m, Mon 00:00 UTC in 2027-01")
    assert "10.0 of 10.0 requests/hour cannot be served; missing: no pool and no on-demand option" in told


def test_headroom_that_quotas_do_not_leave() -> None:
    # 10 / 0.8 = 12.5 must be served within a quota of 11
    told = words(builders.tables(on_demand=[on_demand(tokens_per_minute_quota=11)], **NO_POOLS), headroom=0.2)
    assert told.startswith("headroom (rule 8): w from west on m")
    assert "(the worst of " in told or "Mon 00:00" in told
    assert "1.5 of 12.5 requests/hour cannot be served" in told
    assert "2 more tokens/minute of on-demand m (standard) in west" in told  # 1.5, rounded


def test_sizes_that_no_demand_fits() -> None:
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 8, "max_units": 15}]
    told = words(builders.tables(offers=offers, on_demand=[]), whole_units=True)
    assert "units of west-m" in told or told.startswith("each rule can be met alone")


def test_a_model_that_no_region_serves() -> None:
    told = words(
        builders.tables(
            models=[{"model": "m"}, {"model": "n"}],
            mix=[{"workload": "w", "model": "m"}, {"workload": "w", "model": "n", "min_share": 0.3}],
        )
    )
    assert "w from west on m, n" in told


def test_the_worst_comes_first() -> None:
    tables = builders.two_regions(
        on_demand=[on_demand("east", tokens_per_minute_quota=8), on_demand("west", tokens_per_minute_quota=2)],
        routes=[],
        **NO_POOLS,
    )
    lines = words(tables).splitlines()
    assert "from west" in lines[0]
    assert "from east" in lines[-1] or "more" in lines[-1]
