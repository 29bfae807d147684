"""Hours of like demand served alike: a plan that keeps every rule, never dearer than all on demand at home."""

from dataclasses import replace

import numpy as np
import pytest

from planner.errors import StoppedError
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve, spanning
from planner.plan.audit.bound import check_bound
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment
from planner.solver import begun, find
from planner.solver.assemble import keep_rows
from planner.solver.component import begin_component
from planner.solver.highs import Clock
from planner.solver.rough import coarse_plan
from planner.solver.scaling import deployment_peaks, need_peaks
from planner.solver.solve import solve
from planner.solver.stress_search import Separator
from tests import builders
from tests.builders.one_hour import on_demand, two

HOURS, WEEKS = 744, 31 / 7


def week(seed: int, whole_units: bool, **policy: object) -> Case:
    """Two regions that may serve each other, random demand in every hour of the week."""
    random = np.random.default_rng(seed)
    demand = [row for r in ("east", "west") for row in builders.profile(r, "w", random.uniform(1, 9, 168).tolist())]
    tables = two(
        1, 1, demand=demand,
        offers=[{"offer": r, "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "min_units": 2, "unit_step": 1}
                for r in ("east", "west")],
        on_demand=[on_demand(r, usd_per_mtok_input=1.8 / 60e-6, tokens_per_minute_quota=8) for r in ("east", "west")],
    )  # fmt: skip
    return builders.case(tables, whole_units=whole_units, **policy)


@pytest.mark.parametrize("whole_units", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_rough_plan_lies_between_its_bound_and_what_it_may_cost(seed: int, whole_units: bool) -> None:
    case = week(seed, whole_units, failover={"enabled": True, "share": 0.6, "on_demand_trust": 0.5})
    best = solve(case, gap=1e-6)
    (part,) = parts_to_solve(sets_of(case))
    costs = []
    for depth in (0, 3, 5):
        rough = coarse_plan(part, Clock(), depth)
        assert rough is not None
        assert rough.bound_usd <= best.proof.bound_usd * (1 + 1e-9)
        assert rough.usd >= best.totals.total_usd * (1 - 1e-6)
        costs.append(rough.usd)
    assert costs[2] <= costs[0]  # finer groups: half of the hours alike, no dearer
    assert costs[2] <= best.totals.total_usd * 1.1


def test_a_rough_plan_serves_at_once_what_could_wait_and_its_bound_is_of_all_plans() -> None:
    case = week(1, False)
    may_wait = replace(case, workloads=tuple(w.model_copy(update={"deadline_hours": 12}) for w in case.workloads))
    best = solve(may_wait)
    (part,) = parts_to_solve(sets_of(may_wait))
    rough = coarse_plan(part, Clock(), 5)
    assert rough is not None
    assert (rough.flow_arrived == rough.flow_slot).all()
    assert rough.usd >= best.totals.total_usd * (1 - 1e-6)
    assert rough.bound_usd <= best.totals.total_usd * (1 + 1e-9)


@pytest.mark.parametrize("start_hours", [0, 2])
def test_a_rough_plan_runs_no_unit_by_the_hour_and_its_bound_is_of_plans_that_do(
    monkeypatch: pytest.MonkeyPatch, start_hours: int
) -> None:
    """Units by the hour at 1.2 USD are cheaper than on demand at 1.8: where time ends, the plan goes without them."""
    case = week(1, True, failover={"enabled": False})
    priced = {"usd_per_scaled_unit_hour": 1.2, "max_scaled_units": 9.0, "start_hours": start_hours}
    case = replace(case, pools=tuple(pool.model_copy(update=priced) for pool in case.pools))
    best = solve(case, gap=1e-6)
    assert best.totals.scaled_usd > 0

    def stopped(*_: object) -> None:
        raise StoppedError("out of time")

    monkeypatch.setattr(begun, "begin_component", stopped)
    rough = solve(case, time_limit_seconds=1000.0)
    assert (rough.totals.scaled_usd, len(rough.scaled_units)) == (0.0, 0)
    assert rough.totals.total_usd >= best.totals.total_usd * (1 - 1e-6)
    assert 0 < rough.proof.bound_usd <= best.totals.total_usd * (1 + 1e-9)


def test_a_rough_plan_signs_nothing_where_rounding_up_is_dearer_than_all_on_demand() -> None:
    """Units are sold by the hundred at 744 USD each; a week's requests cost 2 USD each on demand."""
    day = [4.0] * 8 + [9.0] * 16
    tables = two(
        1, 1, demand=[row for r in ("east", "west") for row in builders.profile(r, "w", day)],
        offers=[{"offer": r, "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "min_units": 100} for r in ("east", "west")],
        on_demand=[on_demand(r, usd_per_mtok_input=2.0 / 60e-6) for r in ("east", "west")], routes=[],
    )  # fmt: skip
    case = builders.case(tables, whole_units=True, failover={"enabled": False})
    parts = parts_to_solve(sets_of(case))
    rough = [coarse_plan(part, Clock(), 0) for part in parts]
    asked = float(case.demand["requests_per_hour"].sum())
    assert sum(plan.usd for plan in rough if plan is not None) == pytest.approx(asked * WEEKS * 2.0)
    assert not any(plan.committed.any() for plan in rough if plan is not None)


def test_prices_lent_by_other_lost_regions_make_rows_that_every_plan_keeps() -> None:
    """Four regions: the first two cases are searched, the other two take their prices; all rows hold at the optimum."""
    regions = ("east", "north", "south", "west")
    case = builders.case(
        builders.tables(
            regions=[{"region": r} for r in regions],
            demand=[{"region": r, "workload": "w", "hour_of_week": h, "requests_per_hour": 5.0 + k + h}
                    for k, r in enumerate(regions) for h in range(3)],
            pools=[{"pool": f"{r}-m", "region": r} for r in regions],
            throughput=[{"pool": f"{r}-m", "model": "m", "tokens_per_minute_per_unit": 1} for r in regions],
            offers=[{"offer": r, "pool": f"{r}-m", "usd_per_unit_hour": 1.0} for r in regions],
            on_demand=[on_demand(r, tokens_per_minute_quota=8) for r in regions],
            routes=[{"origin": a, "destination": b} for a in regions for b in regions if a != b],
        ),
        failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5},
    )  # fmt: skip
    (part,) = parts_to_solve(sets_of(case))
    solved = begin_component(part, Clock())
    assert solved is not None
    sets = solved.program.sets
    searched = []
    separator = Separator(sets, need_peaks(sets), deployment_peaks(sets), Clock())
    for problem in separator.problems:
        own = problem.ray
        problem.ray = lambda own=own: searched.append(own()) or searched[-1]  # type: ignore[method-assign,misc]
    cuts = separator.without_units(lent=True)
    assert len(cuts) > len(searched) >= 2
    for cut in cuts:
        assert cut.need > 0
        assert cut.units @ solved.deployed[:, cut.period] >= cut.need * (1 - 1e-6)


def test_where_time_ends_before_any_optimum_there_is_a_plan_no_dearer_than_all_on_demand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On demand costs 1.8 USD a request; the plan is audited and its bound recomputed like any other."""

    def stopped(*_: object) -> None:
        raise StoppedError("out of time")

    case = week(3, True, failover={"enabled": False})
    best = solve(case, gap=1e-6).totals.total_usd
    monkeypatch.setattr(begun, "begin_component", stopped)
    plan = solve(case, time_limit_seconds=1000.0)
    asked = float(case.demand["requests_per_hour"].sum())
    assert best * (1 - 1e-9) <= plan.totals.total_usd <= asked * WEEKS * 1.8 * (1 + 1e-9)
    assert plan.proof.status == "gap"
    assert 0 < plan.proof.bound_usd <= best
    assert plan.proof.tree_gap == pytest.approx(plan.proof.gap)
    with pytest.raises(StoppedError):
        solve(replace(case), time_limit_seconds=1e-9)


@pytest.mark.parametrize("policy", [{"egress": {"max_cross_region_share": 0.02}}, {"max_commitment_usd": 3000.0}])
def test_a_rough_plan_keeps_rows_that_add_up_hours(policy: dict[str, object]) -> None:
    case = week(4, True, failover={"enabled": False}, **policy)
    whole = sets_of(case)
    (part,) = parts_to_solve(whole)
    rough = coarse_plan(part, Clock(), 2)
    assert rough is not None
    assert keep_rows(whole, spanning(whole), [rough], sized=True)
    assert rough.usd >= solve(case, gap=1e-6).totals.total_usd * (1 - 1e-6)
    limited = solve(case, gap=1e-6, time_limit_seconds=1000.0)
    assert limited.totals.total_usd == pytest.approx(solve(case, gap=1e-6).totals.total_usd, rel=1e-6)


def test_the_bound_of_a_rough_plan_with_units_by_the_hour_is_what_its_prices_prove() -> None:
    """A unit by the hour costs 0.01 USD where the rough plan pays 1.8 on demand: its prices earn on such units.

    Deployments come in steps of 4; units by the hour do not, so a step more of them is of no use to any plan.
    """
    case = week(1, True)
    pools = tuple(p.model_copy(update={"usd_per_scaled_unit_hour": 0.01}) for p in case.pools)
    sizes = tuple(t.model_copy(update={"min_units": 4.0, "unit_step": 4.0}) for t in case.throughput)
    cheap = replace(case, pools=pools, throughput=sizes)
    sets = sets_of(cheap)
    plans = [coarse_plan(part, Clock(), 3) for part in parts_to_solve(sets)]
    found = find._plan(cheap, sets, [plan for plan in plans if plan is not None], find.Options())
    reading = Reading(cheap, found)
    assert check_bound(cheap, reading.derived, reading.names, found) == []


@pytest.mark.parametrize("whole_units", [False, True])
def test_of_plans_that_cost_the_same_none_signs_for_what_saves_nothing(whole_units: bool) -> None:
    """All that is spent counts for a contract of 10 million, far more than anything costs: every plan costs that.

    Units without a commitment serve as well. With a time limit there is a rough plan beside it, which buys units.
    """
    case = week(1, whole_units)
    contract = SpendCommitment(contract="macc", usd=1e7)
    pools = tuple(p.model_copy(update={"usd_per_unreserved_unit_hour": 2.0}) for p in case.pools)
    plan = find.find_plan(
        replace(case, pools=pools, spend_commitments=(contract,)), find.Options(time_limit_seconds=60)
    )
    assert plan.totals.total_usd == pytest.approx(1e7)
    assert plan.totals.reserved_usd == 0
