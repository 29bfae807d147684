"""Figures that users ask for, against numbers worked out by hand, and identities that hold for any plan."""

from dataclasses import replace
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.plan.metrics import HORIZON, Metrics, summary_of
from planner.plan.metrics.metric_tables import FIGURES
from planner.plan.plan import Plan
from planner.plan.pricing import price
from planner.schema.case import Case
from planner.solver.solve import solve
from planner.verify.figures import metrics_of
from tests import builders
from tests.builders.declared import undeclared
from tests.builders.hand_plans import hand_case, hand_plan, hourly, on, on_demand_rows


@pytest.fixture(scope="module")
def hand() -> Metrics:
    case = hand_case()
    return metrics_of(case, hand_plan(case))


def row(frame: pd.DataFrame, **where: Any) -> Any:
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def repriced(case: Case, plan: Plan) -> Plan:
    return replace(on(case, plan), totals=price(case, plan.purchases, plan.deployments, plan.dispatch))


def test_every_table_is_what_it_is_declared_to_be(hand: Metrics) -> None:
    assert [line for frame in FIGURES for line in undeclared(frame, attrgetter(frame.name)(hand))] == []


def test_figures_that_lack_a_column_are_refused(hand: Metrics) -> None:
    with pytest.raises(ValueError, match="the table months lacks total_usd"):
        replace(hand, months=hand.months.drop(columns=["total_usd"]))


def test_months_add_up(hand: Metrics) -> None:
    whole = row(hand.months, period=HORIZON)
    assert (whole.reserved_usd, whole.on_demand_usd, whole.total_usd) == pytest.approx((14_880, 8_928, 23_808))


def test_the_four_strategies(hand: Metrics) -> None:
    usd = dict(zip(hand.strategies["strategy"], hand.strategies["total_usd"], strict=True))
    assert usd["all on demand"] == pytest.approx(20 * 744 * 3)
    # 10 requests an hour with 20 % kept take 12.5 units; demand is flat, so its mean is its peak
    assert usd["reserved for the peak"] == pytest.approx(2 * 12.5 * 744)
    assert usd["reserved for the average"] == pytest.approx(2 * 12.5 * 744)
    assert usd["the plan"] == pytest.approx(23_808)
    assert row(hand.strategies, strategy="the plan").saving_share == pytest.approx(1 - 23_808 / 44_640)
    # without units, the loss of a region leaves half of the other's quota, 10, for 20 requests
    assert list(hand.strategies["possible"]) == [False, True, True, True]
    assert row(hand.strategies, strategy="all on demand").note == "breaks failover east, failover west"


def test_peak_and_average_differ_where_demand_does() -> None:
    profile = builders.profile("west", "w", [4.0, 12.0])
    case = builders.case(builders.tables(demand=profile))
    flows = hourly([("west", "w", "m", "west", "standard", 1.0)])
    flows["requests_per_hour"] = np.where(flows["hour_of_week"] % 2, 12.0, 4.0)
    plan = hand_plan(hand_case())
    none = {n: getattr(plan, n).iloc[:0] for n in ("purchases", "deployments", "stress_slots", "stress_dispatch")}
    found = metrics_of(case, repriced(case, replace(plan, dispatch=flows, **none))).strategies
    assert row(found, strategy="reserved for the peak").total_usd == pytest.approx(12 * 744)
    # 8 units; of 12 requests 4 go on demand, in half of the hours
    assert row(found, strategy="reserved for the average").total_usd == pytest.approx(8 * 744 + 4 * 372 * 3)


def test_strategies_are_priced_in_sizes_that_are_sold() -> None:
    sized = [{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1, "min_units": 5, "unit_step": 3}]
    sold = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 4, "unit_step": 4}]
    rows = builders.tables(demand=builders.profile("west", "w", [4.0, 12.0]), throughput=sized, offers=sold)
    plan = hand_plan(hand_case())
    flows = hourly([("west", "w", "m", "west", "standard", 1.0)])
    flows["requests_per_hour"] = np.where(flows["hour_of_week"] % 2, 12.0, 4.0)
    none = {n: getattr(plan, n).iloc[:0] for n in ("purchases", "deployments", "stress_slots", "stress_dispatch")}
    case = builders.case(rows, whole_units=True)
    found = metrics_of(case, repriced(case, replace(plan, dispatch=flows, **none))).strategies
    # the peak of 12 takes a deployment of 5 + 3 x 3 = 14, for which 16 are bought; the mean of 8 is 5 + 3, and 2 x 4
    assert row(found, strategy="reserved for the peak").total_usd == pytest.approx(16 * 744)
    assert row(found, strategy="reserved for the average").total_usd == pytest.approx(8 * 744 + 4 * 372 * 3)


def test_a_strategy_above_a_quota_is_said_not_to_be_possible() -> None:
    case = hand_case(on_demand=on_demand_rows(tokens_per_minute_quota=9))
    found = metrics_of(case, on(case, hand_plan(case))).strategies
    first = row(found, strategy="all on demand")
    assert not first.possible
    assert "needs 10 tokens/minute of m in east, quota 9, and 1 more quota" in first.note
    assert first.total_usd == pytest.approx(44_640)  # as if the quota were raised


def test_a_strategy_without_a_price_has_no_total() -> None:
    rows = builders.tables(on_demand=[])
    case = builders.case(rows)
    plan = hand_plan(hand_case())
    none = {n: getattr(plan, n).iloc[:0] for n in ("stress_slots", "stress_dispatch")}
    bought = pd.DataFrame([("west-m-1m", "2027-01", 10.0, 7_440.0)], columns=["offer", "period", "units", "usd"])
    flows = hourly([("west", "w", "m", "west", "west-m", 10.0)])
    held = plan.deployments.iloc[1:]
    found = metrics_of(case, repriced(case, replace(plan, purchases=bought, deployments=held, dispatch=flows, **none)))
    first = row(found.strategies, strategy="all on demand")
    assert (first.possible, first.note.split("; ")[-1]) == (False, "no on-demand price within reach for m from west")
    assert np.isnan(first.total_usd)
    assert np.isnan(row(found.savings, period=HORIZON).effective_savings_rate)
    assert list(found.break_even["verdict"]) == ["no on-demand price"]


def test_use_of_units(hand: Metrics) -> None:
    one = row(hand.deployments, pool="east-m", period=HORIZON)
    assert (one.units, one.capacity_unit_hours, one.used_unit_hours) == pytest.approx((10, 7_440, 5_952))
    assert (one.utilisation, one.peak_units, one.vacancy, one.usd) == pytest.approx((0.8, 10, 0, 7_440))
    pool = row(hand.pools, pool="east-m", period="2027-01")
    assert (pool.committed_units, pool.deployed_units, pool.unreserved_units) == (10, 10, 0)
    assert (pool.utilisation, pool.vacancy) == pytest.approx((0.8, 0))


def test_coverage_and_effective_savings_rate(hand: Metrics) -> None:
    assert row(hand.coverage, region="west").coverage == pytest.approx(0.8)
    whole = row(hand.savings, period=HORIZON)
    assert (whole.coverage, whole.utilisation) == pytest.approx((0.8, 0.8))
    assert whole.discount == pytest.approx(2 / 3)  # a unit costs 1 USD, what it serves 3
    assert whole.effective_savings_rate == pytest.approx(1 - 23_808 / 44_640)


def test_break_even(hand: Metrics) -> None:
    one = row(hand.break_even, offer="east-m-1m")
    assert (one.on_demand_usd_per_unit_hour, one.break_even_utilisation) == pytest.approx((3, 1 / 3))
    assert (one.attainable_utilisation, one.verdict) == (pytest.approx(0.8), "pays")


@pytest.mark.parametrize(("usd", "verdict"), [(2.4, "pays"), (2.41, "only without headroom"), (3.01, "never")])
def test_verdicts_of_offers(usd: float, verdict: str) -> None:
    offers = [{"offer": "o", "pool": "east-m", "usd_per_unit_hour": usd}]
    case = hand_case(offers=offers)
    plan = on(case, hand_plan(hand_case()))
    found = metrics_of(case, repriced(case, replace(plan, purchases=plan.purchases.iloc[:0])))
    assert list(found.break_even["verdict"]) == [verdict]
    assert any("Can never pay" in text for text in found.cautions) == (verdict == "never")


def test_cost_of_a_thousand_requests_and_of_a_task() -> None:
    workloads = [{"workload": "w", "input_tokens": 60, "output_tokens": 0, "requests_per_task": 5}]
    case = hand_case(workloads=workloads)
    found = metrics_of(case, on(case, hand_plan(hand_case())))
    one = row(found.by_workload, workload="w")
    assert one.usd_per_thousand_requests == pytest.approx(1000 * 23_808 / (20 * 744))
    assert one.usd_per_task == pytest.approx(5 * 23_808 / (20 * 744))
    assert row(found.by_model, model="m").total_usd == pytest.approx(23_808)


def test_egress_by_direction() -> None:
    routes = [{"origin": "east", "destination": "west", "usd_per_gb": 1e6, "max_gb_per_month": 1.0}]
    case = hand_case(routes=routes, workloads=[{"workload": "w", "input_tokens": 60, "output_tokens": 15}])
    flows = hourly([("east", "w", "m", "west", "standard", 10.0), ("west", "w", "m", "west", "standard", 10.0)])
    plan = replace(hand_plan(hand_case()), dispatch=flows)
    found = metrics_of(case, repriced(case, plan))
    there = row(found.egress, origin="east", destination="west", period=HORIZON)
    back = row(found.egress, origin="west", destination="east", period=HORIZON)
    gb = 7_440 * 240 / 1e9
    assert (there.requests, there.gb, there.usd, there.used_share) == pytest.approx((7_440, gb, gb * 1e6, gb))
    assert (back.requests, back.gb, back.usd) == pytest.approx(
        (0, gb / 4, gb / 4 * 1e6)
    )  # the request's price stands in
    assert found.away_share == pytest.approx(0.5)
    assert found.egress_share == pytest.approx(gb * 1.25e6 / found.months["total_usd"].iloc[-1])


def test_on_demand_against_its_quota(hand: Metrics) -> None:
    one = row(hand.on_demand, region="west")
    assert (one.requests, one.tokens, one.usd) == pytest.approx((1_488, 1_488 * 60, 4_464))
    assert (one.peak_tokens_per_minute, one.tokens_per_minute_quota, one.peak_share_of_quota) == (2, 20, 0.1)


def test_stress_cases_and_where_the_load_goes(hand: Metrics) -> None:
    head = row(hand.stress, case="headroom")
    assert (head.need_rph, head.reserved_rph, head.on_demand_rph) == pytest.approx((25, 20, 5))
    assert head.capacity_rph == pytest.approx(2 * 10 + 2 * 20)
    one = row(hand.stress, case="failover east")
    assert (one.need_rph, one.capacity_rph, one.margin_share) == pytest.approx((20, 20, 0))
    load = hand.stress_load[hand.stress_load["case"] == "failover east"]
    assert dict(zip(load["supply"], load["share"], strict=True)) == pytest.approx({"standard": 0.5, "west-m": 0.5})


def test_a_model_that_nobody_asks_for_adds_no_capacity() -> None:
    idle = {"region": "west", "model": "idle", "usd_per_mtok_input": 1.0, "usd_per_mtok_output": 1.0}
    case = hand_case(
        models=[{"model": "m"}, {"model": "idle"}],
        workloads=[{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("w", "quiet")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "quiet", "model": "idle"}],
        on_demand=[*on_demand_rows(), idle],
    )  # fmt: skip
    found = metrics_of(case, on(case, hand_plan(hand_case())))
    assert row(found.stress, case="headroom").capacity_rph == pytest.approx(60)


def test_failover_on_a_blank_quota_is_said_to_cost_nothing() -> None:
    case = hand_case(on_demand=on_demand_rows(tokens_per_minute_quota=None))
    found = metrics_of(case, on(case, hand_plan(hand_case()))).cautions
    assert any(
        text.startswith("The loss of east costs nothing in part because a quota is blank: 50%") for text in found
    )
    assert any(text.startswith("Headroom costs nothing in part") for text in found)
    assert not any("quota is blank" in text for text in metrics_of(hand_case(), hand_plan(hand_case())).cautions)


def test_headroom_while_a_region_is_lost_is_only_missed_where_it_is_not_kept() -> None:
    # blank quotas: any growth is served while a region is lost, so nothing more is to be bought for the headroom
    failover = {"enabled": True, "share": 1.0, "on_demand_trust": 0.5}
    free = builders.case(builders.two_regions(), failover=failover, headroom=0.3)
    assert not any("Keeping the headroom then too" in text for text in metrics_of(free, solve(free)).cautions)
    # 10 of 20 requests at home are lost; the others' quota of 40, half trusted, serves 20 but not 20 / 0.7
    quota = [{"region": r, "model": "m", "usd_per_mtok_input": 1.0, "usd_per_mtok_output": 0.0,
              "tokens_per_minute_quota": 40.0} for r in ("east", "west")]  # fmt: skip
    tight = builders.case(builders.two_regions(on_demand=quota), failover=failover, headroom=0.3)
    assert any("Keeping the headroom then too" in text for text in metrics_of(tight, solve(tight)).cautions)


def test_each_month_is_borne_by_those_who_use_it() -> None:
    """The same units in both months: w uses them in January, v in February, which has 672 of the 1,416 hours."""
    case = builders.case(
        builders.tables(
            workloads=[{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("v", "w")],
            mix=[{"workload": w, "model": "m"} for w in ("v", "w")],
            offers=[{"offer": "o", "pool": "west-m", "term_months": 2, "usd_per_unit_hour": 1.0}],
        ),
        months=2,
    )
    plan = hand_plan(hand_case())
    flows = pd.concat([hourly([("west", w, "m", "west", "west-m", 10.0)], periods=(p,))
                       for w, p in (("w", "2027-01"), ("v", "2027-02"))])  # fmt: skip
    held = pd.DataFrame([("west-m", "tokens", "m", p, 10.0) for p in ("2027-01", "2027-02")],
                        columns=["pool", "meter", "model", "period", "units"])  # fmt: skip
    bought = pd.DataFrame([("o", "2027-01", 10.0, 14_160.0)], columns=["offer", "period", "units", "usd"])
    none = {n: getattr(plan, n).iloc[:0] for n in ("stress_slots", "stress_dispatch")}
    plan = replace(plan, purchases=bought, deployments=held, dispatch=flows, **none)
    found = metrics_of(case, repriced(case, plan))
    assert row(found.by_workload, workload="w").capacity_usd == pytest.approx(7_440)
    assert row(found.by_workload, workload="v").capacity_usd == pytest.approx(6_720)
    assert list(found.months["reserved_usd"]) == pytest.approx([7_440, 6_720, 14_160])


def test_units_that_nobody_uses_are_borne_by_those_who_may() -> None:
    models = [{"model": "m"}, {"model": "spare"}]
    case = hand_case(
        models=models,
        mix=[{"workload": "w", "model": "m"}, {"workload": "w", "model": "spare"}, {"workload": "v", "model": "m"}],
        workloads=[{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("w", "v")],
        throughput=[{"pool": p, "model": m, "tokens_per_minute_per_unit": 1} for p in ("east-m", "west-m")
                    for m in ("m", "spare")],
    )  # fmt: skip
    plan = hand_plan(hand_case())
    held = plan.deployments.assign(model=["m", "spare"])  # west's units are kept for a model that nothing is sent to
    flows = plan.dispatch[plan.dispatch["supply"] != "west-m"]
    found = metrics_of(case, repriced(case, replace(plan, deployments=held, dispatch=flows)))
    assert row(found.by_workload, workload="w").capacity_usd == pytest.approx(14_880)
    assert found.costs["total_usd"].sum() == pytest.approx(found.months["total_usd"].iloc[-1])
    vacant = row(found.deployments, pool="west-m", period=HORIZON)
    assert (vacant.utilisation, vacant.vacancy) == (0, 1)


FLOW = st.tuples(st.sampled_from(["east", "west"]), st.sampled_from(["east", "west"]), st.booleans(),
                 st.floats(0.01, 50))  # fmt: skip


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    flows=st.lists(FLOW, min_size=1, max_size=6),
    units=st.floats(0, 80),
    kept=st.floats(0, 1),
    earlier=st.floats(0, 9),
    tail=st.floats(0, 1),
)
def test_identities_hold_for_any_plan(
    flows: list[tuple[str, str, bool, float]], units: float, kept: float, earlier: float, tail: float
) -> None:
    """Parts add up to the total; ESR = coverage x (1 - (1 - discount) / utilisation) (theory: units that are used)."""
    pools = [{"pool": f"{r}-m", "region": r, "usd_per_unreserved_unit_hour": 1.7} for r in ("east", "west")]
    offers = [
        {"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "term_months": 2} for r in ("east", "west")
    ]
    held = [{"offer": "west-m-1m", "units": earlier, "start": "2026-01-01", "end": "2028-01-01"}]
    routes = [{"origin": "east", "destination": "west", "usd_per_gb": 1e5}, {"origin": "west", "destination": "east"}]
    case = hand_case({"tail_value": tail}, pools=pools, offers=offers, commitments=held, routes=routes)
    plan = hand_plan(hand_case())
    bought = plan.purchases.assign(units=[units, units * kept])
    dispatch = hourly([(o, "w", "m", r, f"{r}-m" if own else "standard", n) for o, r, own, n in flows])
    plan = repriced(
        case, replace(plan, purchases=bought, deployments=plan.deployments.assign(units=units), dispatch=dispatch)
    )
    found = metrics_of(case, plan)
    total = plan.totals.total_usd
    for frame in (found.costs, found.by_workload, found.by_model):
        assert frame["total_usd"].sum() == pytest.approx(total, rel=1e-12, abs=1e-9)
    assert row(found.months, period=HORIZON).total_usd == pytest.approx(total, rel=1e-12, abs=1e-9)
    assert found.egress["usd"][found.egress["period"] == HORIZON].sum() == pytest.approx(plan.totals.egress_usd)
    assert found.on_demand["usd"].sum() == pytest.approx(plan.totals.on_demand_usd)
    whole = row(found.savings, period=HORIZON)
    if whole.covered_usd > 0 and whole.capacity_usd > 1e-6:
        identity = whole.coverage * (1 - (1 - whole.discount) / whole.utilisation)
        assert whole.effective_savings_rate == pytest.approx(identity, rel=1e-9, abs=1e-9)
    ours = row(found.strategies, strategy="the plan")
    assert ours.total_usd == pytest.approx(total)


def test_the_summary_is_plain(hand: Metrics) -> None:
    found = summary_of(hand)
    assert found["utilisation"] == pytest.approx(0.8)
    assert found["strategies"][0]["strategy"] == "all on demand"
    assert found["stress"][0]["case"] == "headroom"
