"""Margins of stress cases: worked out by hand, and against a search that shares nothing with the programme."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from planner.plan.plan import Plan
from planner.plan.reading import Reading
from planner.plan.stress_cases import Margin
from planner.schema.case import Case
from planner.verify import stress_proof
from planner.verify.figures import metrics_of, trust_that_decides
from planner.verify.growth_margins import margins_of
from tests import builders
from tests.builders.hand_plans import hand_case, hand_plan, on, on_demand_rows


def margins(case: Case, plan: Plan | None = None) -> dict[str, Margin]:
    return {m.case.name: m for m in margins_of(Reading(case, on(case, plan or hand_plan(hand_case()))))}


def with_units(units: list[float]) -> Plan:
    plan = hand_plan(hand_case())
    return replace(plan, deployments=plan.deployments.assign(units=units))


def test_demand_may_grow_until_units_and_quotas_are_full() -> None:
    found = margins(hand_case())
    # headroom: 12.5 in each region; 20 units and quotas of 40 stand for 25: 60 / 25
    assert found["headroom"].growth == pytest.approx(60 / 25)
    # east lost: 20 requests; west has 10 units and half of its quota of 20, 10: 20 / 20
    assert found["failover east"].share == pytest.approx(0)
    assert found["failover east"].need_rph == pytest.approx(20)


def test_a_region_out_of_reach_adds_nothing() -> None:
    """Without a route from east to west, east's own units and quota end the growth, whatever west has."""
    case = hand_case(routes=[{"origin": "west", "destination": "east"}], regions=[
        {"region": "east", "fails": False}, {"region": "west", "fails": True}])  # fmt: skip
    # headroom: east has 10 + 20 for 12.5 (2.4); west may use 20 + 40 less what east takes: all together 60 / 25 = 2.4
    assert margins(case)["headroom"].growth == pytest.approx(2.4)
    more = margins(case, with_units([10, 50]))
    assert more["headroom"].growth == pytest.approx(30 / 12.5)  # east's 30, although west has 70
    assert more["failover west"].growth == pytest.approx(20 / 20)  # 10 units and 10 of the quota, for both


def test_the_hour_that_binds_is_the_one_that_needs_most_of_what_stands() -> None:
    # Tuesday 05:00 asks 15 of east, Friday 10:00 asks 22 of west: the loss of either leaves 20 for both regions
    east, west = np.full(168, 5.0), np.full(168, 5.0)
    east[29], west[106] = 15.0, 22.0
    case = hand_case(demand=[*builders.profile("east", "w", list(east)), *builders.profile("west", "w", list(west))])
    found = margins(case)["failover east"]
    assert (found.slot, found.need_rph) == (106, 27)
    assert found.growth == pytest.approx(20 / 27)


def test_a_broken_case_serves_what_it_can_and_says_so() -> None:
    found = margins(hand_case(), with_units([10, 4]))
    one = found["failover east"]  # west: 4 units and 10 of its quota, for 20
    assert one.growth == pytest.approx(14 / 20)
    assert one.load["requests_per_hour"].sum() == pytest.approx(14)
    assert one.workloads == ()
    case = hand_case()
    told = [str(rule) for rule in metrics_of(case, on(case, with_units([10, 4]))).broken]
    assert told[0] == (
        "failover east: the loss of east cannot be served: 14 of 20 requests/hour on Mon 00:00 UTC, 2027-01, if all "
        "demand is cut alike: a margin of -30.0 %; at least 6 requests/hour (30.0 %) go unserved then, "
        "whichever they are"
    )


def test_nothing_stands_and_nothing_limits() -> None:
    none = hand_case({"failover": {"enabled": True, "on_demand_trust": 0.0}})
    assert margins(none, with_units([0, 0]))["failover east"].growth == 0
    free = margins(hand_case(on_demand=on_demand_rows(tokens_per_minute_quota=None)))["failover east"]
    assert free.growth == np.inf
    load = dict(zip(free.load["unlimited"].astype(bool), free.load["requests_per_hour"], strict=True))
    assert load == pytest.approx({False: 10, True: 10})  # west's 10 units, the rest on a quota that is blank


def test_a_slot_that_needs_nothing_that_stands_tells_nothing_of_other_workloads() -> None:
    # w is busiest and has a model without a quota; v comes in another hour and has 16 of the 20 that headroom asks for
    option = {"region": "west", "usd_per_mtok_input": 1.0, "usd_per_mtok_output": 1.0}
    rows = builders.tables(
        models=[{"model": "m"}, {"model": "n"}],
        workloads=[{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("w", "v")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "w", "model": "n"}, {"workload": "v", "model": "m"}],
        demand=[{"region": "west", "workload": w, "hour_of_week": h, "requests_per_hour": n}
                for w, h, n in (("w", 0, 100.0), ("v", 1, 10.0))],
        on_demand=[{**option, "model": "m", "tokens_per_minute_quota": 16.0}, {**option, "model": "n"}],
    )  # fmt: skip
    case = builders.case(rows, headroom=0.5, reserved_headroom=0.0)
    plan = hand_plan(hand_case())
    found = margins_of(Reading(case, on(case, plan)), np.zeros((1, 1)))[0]
    assert (found.slot, found.growth) == (1, pytest.approx(16 / 20))


def test_a_workload_alone_may_grow_further() -> None:
    """Two workloads of 5 in each region; east's loss leaves west 20 + 20 x 0.5 = 30 for 20."""
    rows = builders.two_regions(
        workloads=[{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("v", "w")],
        mix=[{"workload": w, "model": "m"} for w in ("v", "w")],
        demand=[row for r in ("east", "west") for w in ("v", "w") for row in builders.profile(r, w, 5.0)],
        on_demand=on_demand_rows(),
    )
    case = builders.case(rows, failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5})
    found = margins(case, with_units([20, 20]))["failover east"]
    assert found.growth == pytest.approx(30 / 20)
    assert {w.workload: w.growth for w in found.workloads} == pytest.approx({"v": 20 / 10, "w": 20 / 10})


def test_the_audit_tolerance_is_no_broken_rule() -> None:
    found = margins(hand_case(), with_units([10 - 5e-7, 10 - 5e-7]))
    assert found["failover east"].growth == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_an_independent_search_finds_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least-unserved programme of `planner verify` serves every hour just below the margin, and not just above."""
    case, plan = _random(seed)
    reading = Reading(case, on(case, plan))
    units = np.array(plan.deployments["units"], float)[:, None]

    def holds(margin: Margin, growth: float, workload: int | None) -> bool:
        factor = np.full(len(reading.demand), growth)
        if workload is not None:
            factor = np.where(np.arange(len(factor)) % len(reading.names.workloads) == workload, growth, 1.0)
        monkeypatch.setattr(stress_proof, "stress_cases", lambda case, names: (margin.case,))
        grown = reading.demand * factor[:, None]
        return not stress_proof.prove_stress(case, reading.derived, reading.names, units, grown).findings

    for margin in margins_of(reading):
        alone = [(w.growth, reading.names.workloads.index(w.workload)) for w in margin.workloads if w.growth > 1]
        for growth, workload in [(margin.growth, None), *alone]:
            near = 1e-3 if workload is not None else 1e-4
            assert holds(margin, growth * (1 - near), workload)
            assert not holds(margin, growth * (1 + near), workload)


def _random(seed: int) -> tuple[Case, Plan]:
    """Three regions, two models of which each workload takes at least a share, routes that are not symmetric."""
    rng = np.random.default_rng(seed)
    regions, workloads, models = ("a", "b", "c"), ("v", "w"), ("m", "n")
    rows = builders.tables(
        regions=[{"region": r} for r in regions],
        models=[{"model": m} for m in models],
        workloads=[{"workload": w, "input_tokens": 60 * (k + 1), "output_tokens": 0} for k, w in enumerate(workloads)],
        mix=[{"workload": w, "model": m, "min_share": float(rng.choice([0, 0.2])),
              "max_share": float(rng.choice([0.7, 1]))} for w in workloads for m in models],
        demand=[row for r in regions for w in workloads
                for row in builders.profile(r, w, [*rng.uniform(2, 20, 5).round(2).tolist(), *[0.0] * 163])],
        pools=[{"pool": r, "region": r, "shared_hourly": bool(rng.random() < 0.3)} for r in regions],
        throughput=[{"pool": r, "model": m, "tokens_per_minute_per_unit": 1} for r in regions for m in models],
        offers=[{"offer": r, "pool": r, "usd_per_unit_hour": 1.0} for r in regions],
        on_demand=[{"region": r, "model": m, "usd_per_mtok_input": 1.0, "usd_per_mtok_output": 0.0,
                    "tokens_per_minute_quota": float(rng.integers(5, 60))} for r in regions for m in models],
        routes=[{"origin": o, "destination": d} for o in regions for d in regions if o != d and rng.random() < 0.8],
    )  # fmt: skip
    case = builders.case(rows, headroom=0.2, failover={"enabled": True, "share": 0.8, "on_demand_trust": 0.5})
    deployments = [
        (r, "tokens", m, "2027-01", float(rng.integers(10, 60)))
        for r, pool in zip(regions, rows["pools"], strict=True)
        for m in (("*",) if pool["shared_hourly"] else models)
    ]
    plan = hand_plan(hand_case())
    none = {name: getattr(plan, name).iloc[:0] for name in ("purchases", "dispatch", "stress_slots", "stress_dispatch")}
    held = pd.DataFrame(deployments, columns=["pool", "meter", "model", "period", "units"])
    return case, replace(plan, deployments=held, **none)


@pytest.mark.parametrize(("quota", "held", "trust", "decides"), [
    (24, 0, {}, True),  # 20 are asked of the region that is left: 12 of its 24 are not enough, 24 are
    (24, 0, {"on_demand_trust": 0.5}, True),
    (40, 0, {}, False),  # 20 of 40 are enough
    (18, 0, {}, False),  # not enough even if trusted in full: units are needed whatever the trust is
    (24, 8, {}, False),  # 12, and 8 units that are owed anyway
])  # fmt: skip
def test_trust_decides_where_on_demand_alone_serves_a_loss_only_if_trusted_in_full(
    quota: float, held: float, trust: dict[str, float], decides: bool
) -> None:
    both = ("east", "west")
    owed = [{"offer": f"{r}-m-1m", "units": held, "start": "2027-01-01", "end": "2027-02-01"} for r in both if held]
    rows = builders.two_regions(on_demand=on_demand_rows(tokens_per_minute_quota=quota), commitments=owed)
    found = trust_that_decides(builders.case(rows, failover={"enabled": True, **trust}))
    assert [c.code for c in found] == (["trust-decides"] if decides else [])
    assert all("on_demand_trust is 0.5, its default value: it decides" in c.message for c in found)
