"""Inputs at the edge of sense: solved, audited, and equal to the literal programme, or refused in words."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner.errors import InfeasibleError
from planner.model.index_tables import sets_of
from planner.model.program import program_of
from planner.solver.highs import Clock, Session
from planner.solver.solve import solve
from tests import builders
from tests.builders.literal_optimum import literal_usd
from tests.builders.one_hour import on_demand, workload

BOTH = ("east", "west")
FAILOVER: dict[str, Any] = {
    "failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0.5}, "headroom": 0.2,
}  # fmt: skip
TWO_MODELS: dict[str, Any] = {
    "models": [{"model": "m"}, {"model": "n"}],
    "mix": [{"workload": "w", "model": "m", "min_share": 0.4}, {"workload": "w", "model": "n"}],
    "throughput": [
        {"pool": "east-m", "model": "m", "tokens_per_minute_per_unit": 1},
        {"pool": "east-m", "model": "n", "tokens_per_minute_per_unit": 2},
        {"pool": "west-m", "model": "n", "tokens_per_minute_per_unit": 2},
    ],
    "on_demand": [on_demand("east"), on_demand("east", "n"), on_demand("west", "n")],
}
Odd = tuple[builders.Tables, dict[str, Any]]


def offer(**more: Any) -> list[dict[str, Any]]:
    return [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, **more}]


def each(**more: Any) -> list[dict[str, Any]]:
    return [on_demand(r, **more) for r in BOTH]


def pools(**more: Any) -> list[dict[str, Any]]:
    return [{"pool": f"{r}-m", "region": r, **more} for r in BOTH]


OWED = [{"offer": "west-m-1m", "units": 7, "start": "2027-01-15", "end": "2027-03-20"}]
one, two = builders.tables, builders.two_regions
ODD: dict[str, Odd] = {
    "no demand at all": (one(demand=[]), {}),
    "no demand, but commitments": (one(demand=[], commitments=OWED), {"months": 2}),
    "a workload without demand": (
        one(workloads=[workload(), workload(workload="idle")],
            mix=[{"workload": "w", "model": "m"}, {"workload": "idle", "model": "m"}]), {}),
    "one region that fails": (one(), FAILOVER),
    "one region that does not fail": (one(regions=[{"region": "west", "fails": False}]), FAILOVER),
    "a region without pools": (
        two(pools=pools()[:1], offers=[{"offer": "o", "pool": "east-m", "usd_per_unit_hour": 1.0}],
            throughput=[{"pool": "east-m", "model": "m", "tokens_per_minute_per_unit": 1}]), FAILOVER),
    "all quotas 0": (two(on_demand=each(tokens_per_minute_quota=0)), FAILOVER),
    "all quotas 0 and no pools": (
        two(on_demand=each(tokens_per_minute_quota=0), pools=[], throughput=[], offers=[]), FAILOVER),
    "trust 0": (two(), {"failover": {"enabled": True, "on_demand_trust": 0.0}}),
    "no routes": (two(routes=[]), {"headroom": 0.2}),
    "no routes and failover": (two(routes=[]), FAILOVER),
    "a pool without offers": (one(offers=[]), {}),
    "an offer of 0 units": (one(offers=offer(max_units=0)), {"whole_units": True}),
    "a commitment within months": (one(commitments=OWED), {"months": 3}),
    "any amount from a minimum": (one(offers=offer(min_units=12)), {"whole_units": True}),
    "two minimums": (
        one(offers=[*offer(min_units=12), {**offer(min_units=7, max_units=8)[0], "offer": "p"}],
            demand=builders.profile("west", "w", [4, 19, 10])), {"whole_units": True}),
    "all must be guaranteed": (two(workloads=[workload(guaranteed_share=1.0)]), FAILOVER),
    "all must be guaranteed, nothing is": (
        one(workloads=[workload(guaranteed_share=1.0)], pools=[], throughput=[], offers=[]), {}),
    "a model that only one region serves": (two(**TWO_MODELS), {"headroom": 0.2}),
    "a model that only the failing region serves": (two(**TWO_MODELS), FAILOVER),
    "a model that only the safe region serves": (
        two(**TWO_MODELS, regions=[{"region": "east", "fails": False}, {"region": "west"}]), FAILOVER),
    "a model out of reach": (two(**TWO_MODELS, routes=[]), {"headroom": 0.2}),
    "three years, counted in full": (one(offers=offer(usd_per_unit_hour=0.2, term_months=36)), {"tail_value": 0.0}),
    "units for nothing": (one(offers=offer(usd_per_unit_hour=0.0)), {"headroom": 0.2}),
    "whole units for nothing": (
        one(offers=offer(usd_per_unit_hour=0.0, unit_step=3, min_units=2)), {"whole_units": True}),
    "on demand for nothing": (two(on_demand=each(usd_per_mtok_input=0.0)), FAILOVER),
    "unreserved units for nothing": (two(pools=pools(usd_per_unreserved_unit_hour=0.0)), FAILOVER),
    "a scenario in which on demand is free": (
        two(scenarios=[{"scenario": "a", "probability": 0.5, "on_demand_price_factor": 0},
                       {"scenario": "b", "probability": 0.5}]), FAILOVER),
    "a scenario that never comes": (
        two(scenarios=[{"scenario": "a", "probability": 0.0}, {"scenario": "b", "probability": 1.0}],
            demand=[*builders.profile("east", "w", 5.0, "b"), *builders.profile("east", "w", 9.0, "a")]), FAILOVER),
    "no budget": (one(), {"max_commitment_usd": 0.0}),
    "nothing may leave its region": (two(), {**FAILOVER, "egress": {"max_cross_region_share": 0.0}}),
    "no data may leave its region": (
        two(routes=[{"origin": o, "destination": d, "max_gb_per_month": 0} for o, d in (BOTH, BOTH[::-1])]), FAILOVER),
    "requests that load nothing": (one(workloads=[workload(input_tokens=0)]), {"headroom": 0.2}),
    "nothing must survive": (two(), {"failover": {"enabled": True, "share": 0.0}}),
    "nine tenths spare": (two(on_demand=each(tokens_per_minute_quota=15)), {"headroom": 0.9}),
    "a request in ten thousand hours and ten million an hour": (
        two(demand=[*builders.profile("east", "w", 1e-4), *builders.profile("west", "w", 1e7)]), FAILOVER),
    "served at home only, home is safe": (
        two(workloads=[workload(serving_regions="east")],
            regions=[{"region": "east", "fails": False}, {"region": "west"}]), FAILOVER),
    "served at home only, home fails": (two(workloads=[workload(serving_regions="east")]), FAILOVER),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_case(name: str) -> None:
    tables, options = ODD[name]
    case = builders.case(tables, **options)
    best = 0.0 if not len(case.demand) else literal_usd(case)
    try:
        plan = solve(case, gap=1e-8, workers=1)
    except InfeasibleError:
        assert best is None
        return
    assert best is not None
    assert plan.totals.total_usd - plan.totals.sunk_usd == pytest.approx(best, rel=1e-7, abs=1e-6)
    assert plan.proof.status == "optimal"


@pytest.mark.parametrize("more", [{}, {"whole_units": True}, {"risk": {"weight": 0.5, "level": 0.5}}])
def test_without_demand_a_contract_is_lost_and_the_bound_says_so(more: dict[str, Any]) -> None:
    # 3 units are owed for January, 744 hours at 1 USD: 2,232 of the 5,000 USD are spent, 2,768 are lost
    owed = [{"offer": "west-m-1m", "units": 3, "start": "2027-01-01", "end": "2027-02-01"}]
    case = builders.case(one(demand=[], commitments=owed, spend_commitments=[{"contract": "c", "usd": 5000.0}]), **more)
    plan = solve(case)
    assert (plan.totals.total_usd, plan.totals.shortfall_usd) == pytest.approx((5000.0, 2768.0))
    assert plan.proof.bound_usd == pytest.approx(5000.0)
    assert plan.proof.status == "optimal"


def test_some_odd_cases_have_no_plan() -> None:
    """The comparison must be able to fail: both kinds are among them."""
    plans = {
        name: literal_usd(builders.case(*ODD[name][:1], **ODD[name][1])) for name in ("trust 0", "a model out of reach")
    }
    assert plans["trust 0"] is not None
    assert plans["a model out of reach"] is None


def test_what_highs_does_not_take_is_an_error_and_no_case_without_a_plan() -> None:
    """HiGHS keeps the programme that it had, or none, where an entry stands twice."""
    program = program_of(sets_of(builders.case()))
    first, *others = program.families
    twice = {name: np.append(getattr(first, name), getattr(first, name)[:1]) for name in ("row", "column", "value")}
    with pytest.raises(ValueError, match="HiGHS does not take the programme"):
        Session(replace(program, families=(replace(first, **twice), *others)), Clock())
    session = Session(program, Clock())
    with pytest.raises(ValueError, match="HiGHS does not take a row"):
        session.highs.addRow(0.0, 1.0, 2, np.zeros(2, np.int32), np.ones(2))
    assert session.solve()
