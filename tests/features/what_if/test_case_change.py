"""What each kind of change makes of a case: cost by hand, and names that the folder does not have."""

import pytest

from planner.errors import InputError
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.case_factors import Factor, with_signed_apart
from planner.solver.solve import solve
from tests import builders

HOURS = 744  # of January 2027
# builders.tables(): 10 requests every hour; a unit serves one and costs 1 USD an hour, on demand a request costs 3 USD.
RESERVED = 10 * HOURS
ON_DEMAND = 30 * HOURS


def usd(change: CaseChange, tables: builders.Tables | None = None, **policy: object) -> float:
    return solve(changed(builders.case(tables, **policy), change)).totals.total_usd


def scaled(what: str, factor: float, **where: str) -> CaseChange:
    return CaseChange("c", scale=(Factor(what, factor, tuple(where.items())),))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (CaseChange("c"), RESERVED),
        (scaled("demand", 1.5), 15 * HOURS),
        (scaled("demand", 0, workload="w"), 0),
        (scaled("offer_prices", 0.5, pool="west-m"), 5 * HOURS),
        (scaled("discount", 0.25, term_months="1"), 7.5 * HOURS),
        (scaled("on_demand_prices", 0.2), 6 * HOURS),  # 0.60 USD a request is less than a unit-hour
        (CaseChange("c", strike=("west-m-1m",)), ON_DEMAND),
        (CaseChange("c", refuse=("west",)), ON_DEMAND),
        (CaseChange("c", forbid_terms=(1,)), ON_DEMAND),
        (
            CaseChange("c", set=(("max_commitment_usd", "744"),)),
            HOURS + 27 * HOURS,
        ),  # one unit, nine requests on demand
        (CaseChange("c", set=(("policy.max_commitment_usd", "0"),)), ON_DEMAND),
    ],
)
def test_what_a_change_costs(change: CaseChange, expected: float) -> None:
    assert usd(change) == pytest.approx(expected)


def test_on_demand_prices_of_some_hours_only() -> None:
    """No units: 10 requests an hour at 3 USD, in the first 24 hours of the 31/7 weeks at half of it."""
    tables = builders.tables(pools=[], throughput=[], offers=[])
    night = scaled("on_demand_prices", 0.5, hours_of_week="0-11;12-23", period="2027-01")
    assert usd(night, tables) == pytest.approx(ON_DEMAND - 24 * 10 * 1.5 * 31 / 7)
    factors = builders.tables(
        pools=[], throughput=[], offers=[], price_factors=[{"model": "m", "hours_of_week": "0-23", "factor": 0.5}]
    )
    assert usd(scaled("price_factors", 2.0), factors) == pytest.approx(ON_DEMAND)
    assert usd(scaled("price_factors", 0.0, model="m"), factors) == pytest.approx(ON_DEMAND - 24 * 10 * 3 * 31 / 7)


def test_units_by_the_hour() -> None:
    """Ten of them at 1.50 USD serve every hour; a refused region or pool has none."""
    pools = [{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.5, "max_scaled_units": 10}]
    tables = builders.tables(pools=pools, offers=[])
    assert usd(CaseChange("c"), tables) == pytest.approx(15 * HOURS)
    assert usd(scaled("scaled_prices", 1.2), tables) == pytest.approx(18 * HOURS)
    assert usd(scaled("scaled_units", 0.4, pool="west-m"), tables) == pytest.approx((4 * 1.5 + 6 * 3) * HOURS)
    assert usd(CaseChange("c", refuse=("west",)), tables) == pytest.approx(ON_DEMAND)
    assert usd(CaseChange("c", refuse_pools=("west-m",)), tables) == pytest.approx(ON_DEMAND)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (scaled("on_demand_prices", 0.5, hours_of_week="0-200"), "cannot be applied"),
        (scaled("on_demand_prices", 0.5, hours_of_week="0-7", model="nobody"), "matches no on-demand price"),
        (scaled("on_demand_prices", 0.5, period="2028-01"), "is not in the table months of the horizon"),
        (scaled("price_factors", 0.5), "matches no row of price_factors"),
        (scaled("scaled_prices", 0.5), "matches no pool with units by the hour"),
    ],
)
def test_factors_that_reach_nothing(change: CaseChange, message: str) -> None:
    with pytest.raises(InputError, match=message):
        changed(builders.case(builders.tables()), change)


def test_quotas_and_headroom() -> None:
    tables = builders.tables(
        pools=[], throughput=[], offers=[],
        on_demand=[{"region": "west", "model": "m", "usd_per_mtok_input": 50_000, "usd_per_mtok_output": 0,
                    "tokens_per_minute_quota": 10}],
    )  # fmt: skip
    # 10 requests an hour of 60 tokens are 10 tokens a minute: the quota is full; with headroom 0.5 it must be 20
    headroom = CaseChange("c", set=(("headroom", "0.5"),), scale=(Factor("quotas", 2.0),))
    assert usd(headroom, tables) == pytest.approx(ON_DEMAND)
    assert changed(builders.case(tables), headroom).on_demand[0].tokens_per_minute_quota == 20


def test_what_is_owed_keeps_its_price() -> None:
    """4 of 10 units are owed at 1 USD; new ones cost half, and 6 are bought: 4 + 3 USD an hour."""
    tables = builders.tables(
        commitments=[{"offer": "west-m-1m", "units": 4, "start": "2027-01-01", "end": "2027-02-01"}]
    )
    plan = solve(changed(builders.case(tables), scaled("discount", 0.5)))
    assert plan.totals.sunk_usd == pytest.approx(4 * HOURS)
    assert plan.totals.reserved_usd == pytest.approx(3 * HOURS)


def test_what_is_owed_may_stand_apart() -> None:
    """The same folder: 4 owed and 6 bought at 1 USD. At half the price 4 + 3 USD, and no offer more than before."""
    tables = builders.tables(
        commitments=[{"offer": "west-m-1m", "units": 4, "start": "2027-01-01", "end": "2027-02-01"}]
    )
    apart = with_signed_apart(builders.case(tables))
    cheaper = changed(apart, scaled("offer_prices", 0.5))
    for case, bought in ((apart, 6), (cheaper, 3)):
        plan = solve(case)
        assert plan.totals.sunk_usd == pytest.approx(4 * HOURS)
        assert plan.totals.reserved_usd == pytest.approx(bought * HOURS)
    assert [o.offer for o in cheaper.offers] == [o.offer for o in apart.offers] == ["west-m-1m", "west-m-1m as signed"]


def test_a_scenario_for_certain() -> None:
    tables = builders.tables(
        scenarios=[{"scenario": "low", "probability": 0.5}, {"scenario": "high", "probability": 0.5}],
        demand=builders.profile("west", "w", 4.0, "low") + builders.profile("west", "w", 10.0, "high"),
    )
    assert usd(CaseChange("c", certain="low"), tables) == pytest.approx(4 * HOURS)
    assert usd(CaseChange("c", certain="high"), tables) == pytest.approx(10 * HOURS)


def test_every_fault_at_once() -> None:
    change = CaseChange(
        "odd",
        set=(("headrom", "0.2"), ("headroom", "2")),
        scale=(Factor("demnd", 2.0), Factor("demand", 2.0, (("workload", "x"),)), Factor("quotas", 2.0),
               Factor("discount", 2.0), Factor("demand", 2.0, (("model", "m"),))),
        strike=("nothing",), refuse=("nowhere",), forbid_terms=(12,), certain="never",
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        changed(builders.case(), change)
    text = str(caught.value)
    said = ["did you mean 'headroom'", "did you mean 'demand'", "matches no quota", "a share from 0 to 1", "nothing"]
    said += ["nowhere", "no offer has this term", "never", "demand has no such part", "table workloads"]
    for part in said:
        assert part in text
    assert len(caught.value.faults) == 11


def test_a_term_in_days_is_no_term_of_a_month() -> None:
    week = {"offer": "7d", "pool": "west-m", "term_days": 7, "usd_per_unit_hour": 0.5}
    tables = builders.tables(offers=[week, {"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 1.0}])
    case = changed(builders.case(tables, cuts="2027-01-08"), CaseChange("c", forbid_terms=(1,)))
    assert {o.offer: o.max_units for o in case.offers} == {"7d": None, "1m": 0.0}
    case = changed(builders.case(tables), scaled("offer_prices", 2.0, term_days="7"))
    assert {o.offer: o.usd_per_unit_hour for o in case.offers} == {"7d": 1.0, "1m": 1.0}


def test_an_upfront_price_is_an_offer_s_price() -> None:
    tables = builders.tables(offers=[{"offer": "1m", "pool": "west-m", "upfront_usd_per_unit": 744.0}])
    assert usd(CaseChange("c", scale=(Factor("offer_prices", 1.5),)), tables) == pytest.approx(15 * HOURS)
    assert usd(CaseChange("c", scale=(Factor("discount", 0.5),)), tables) == pytest.approx(5 * HOURS)
