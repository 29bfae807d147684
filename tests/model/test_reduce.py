"""Reductions keep the optimum of the literal programme: on random cases, and on cases made for each."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.model.columns import largest_sizes
from planner.model.index_tables import sets_of
from planner.model.program import literal_program, program_of
from planner.model.reduce.components import parts_to_solve, spanning, split
from planner.model.reduce.project_stress import network, ray_of, slot_tree
from planner.model.reduce.slots import at_home, merge_slots, prune, without_closed_ways
from planner.model.sets import Sets
from planner.schema.case import Case
from planner.solver.continuous import open_component, solve_linear
from planner.solver.highs import Clock, Session
from tests import builders
from tests.builders.one_hour import hours, on_demand, sets, two, workload
from tests.builders.random_tables import cases

EXAMPLES = settings(
    max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def literal_usd(given_sets: Sets) -> float | None:
    """Optimum of the literal programme; None: no plan."""
    session = Session(literal_program(given_sets), Clock())
    return session.objective() if session.solve() else None


def reduced_usd(given_sets: Sets) -> float | None:
    """Optimum with parts split, slots merged, needless arcs out and stress projected; None: no plan."""
    total = 0.0
    for part in parts_to_solve(given_sets):
        solve = open_component(prune(merge_slots(part)), Clock())
        if not solve_linear(solve):
            return None
        total += solve.session.objective()
    return total


@EXAMPLES
@given(cases(months=2))
def test_reduced_and_literal_programme_have_one_optimum(case: Case) -> None:
    given_sets = sets_of(case)
    literal, reduced = literal_usd(given_sets), reduced_usd(given_sets)
    assert (literal is None) == (reduced is None)
    if literal is not None:
        assert reduced == pytest.approx(literal, rel=1e-7, abs=1e-7)


@EXAMPLES
@given(cases(months=2), st.sampled_from([None, "never", "in one place"]))
def test_a_share_of_zero_needs_no_row(case: Case, second: str | None) -> None:
    case = case.with_policy(egress=case.settings.policy.egress.model_copy(update={"max_cross_region_share": 0.0}))
    if second is not None and len(case.scenarios) > 1:  # in a scenario of probability 0 requests may leave their origin
        first, other = (s.model_copy(update={"probability": p}) for s, p in zip(case.scenarios, (1.0, 0.0)))
        case = replace(case, scenarios=(first, other))
    if second == "in one place":
        case = replace(case, demand=case.demand[case.demand["scenario"] == case.scenarios[0].scenario])
    stated = sets_of(case)
    literal, home = literal_usd(stated), at_home(stated)
    both = second == "never" and len(case.scenarios) > 1 and bool(home.arcs["away"].any())
    assert home.at_home == (not both)
    assert ("cross_region_share" in [family.name for family in spanning(home)]) == both
    parts = [open_component(merge_slots(without_closed_ways(part)), Clock()) for part in parts_to_solve(home)]
    kept_open = [solve.session.objective() if solve_linear(solve) else None for solve in parts]
    for found in (reduced_usd(home), None if None in kept_open else sum(filter(None, kept_open))):
        assert (literal is None) == (found is None)
        if literal is not None:
            assert found == pytest.approx(literal, rel=1e-7, abs=1e-7)


@EXAMPLES
@given(cases())
def test_no_sensible_plan_is_larger_than_the_largest_sizes(case: Case) -> None:
    given_sets = sets_of(case)
    free = literal_program(given_sets)
    if not len(given_sets.needs):
        return
    most = largest_sizes(given_sets)
    upper = free.columns.upper.copy()
    upper[: len(most)] = np.minimum(upper[: len(most)], most)
    bounded = replace(free, columns=replace(free.columns, upper=upper))
    sessions = [Session(program, Clock()) for program in (free, bounded)]
    feasible = sessions[0].solve()
    assert sessions[1].solve() == feasible
    if not feasible:
        return
    assert sessions[1].objective() == pytest.approx(sessions[0].objective(), rel=1e-7, abs=1e-7)


def test_equal_hours_are_one_slot_with_all_their_weeks() -> None:
    merged = merge_slots(sets(builders.tables(demand=builders.profile("west", "w", [5.0, 10.0, 0.0]))))
    assert merged.slots["weeks"].tolist() == pytest.approx([56 * 31 / 7] * 2)  # 168 / 3 hours each; none for zero
    assert merged.demand.tolist() == [[0.005, 0.010]]
    assert [len(m) for m in merged.members] == [56, 56]
    assert sorted(np.concatenate(merged.members) % 3) == [0] * 56 + [1] * 56


def test_slots_of_other_months_and_prices_stay_apart() -> None:
    scenarios = [
        {"scenario": "a", "probability": 0.5},
        {"scenario": "b", "probability": 0.25},
        {"scenario": "c", "probability": 0.25, "on_demand_price_factor": 2.0},
    ]
    merged = merge_slots(sets(builders.tables(scenarios=scenarios), months=2))
    # a and b merge, c has another price: 2 months x 2
    assert merged.slots["weeks"].tolist() == pytest.approx(
        [0.75 * 168 * 31 / 7, 0.75 * 168 * 28 / 7, 0.25 * 168 * 31 / 7, 0.25 * 168 * 28 / 7]
    )


def parts(tables: builders.Tables, **options: object) -> list[list[str]]:
    """Origins of each component."""
    found = split(sets(tables, **options))
    return [sorted(set(part.needs["origin"])) for part in found if len(part.needs)]


def test_regions_without_routes_are_parts_of_their_own() -> None:
    assert parts(two(5, 5, routes=[])) == [["east"], ["west"]]
    assert parts(two(5, 5)) == [["east", "west"]]


def test_a_budget_or_a_share_ties_everything() -> None:
    assert parts(two(5, 5, routes=[]), max_commitment_usd=1) == [["east", "west"]]
    assert parts(two(5, 5, routes=[]), egress={"max_cross_region_share": 0.5}) == [["east", "west"]]


def test_a_share_of_zero_leaves_apart_what_stress_does_not_tie() -> None:
    alone = builders.case(builders.two_regions(), egress={"max_cross_region_share": 0})
    home = at_home(sets_of(alone))
    assert [len(part.needs) for part in split(without_closed_ways(home))] == [1, 1]
    lost = builders.case(builders.two_regions(), egress={"max_cross_region_share": 0}, failover={"enabled": True})
    assert [len(part.needs) for part in split(at_home(sets_of(lost)))] == [2]  # one serves the other while it is lost


def months(terms: dict[str, int], **options: object) -> list[tuple[str, tuple[str, ...]]]:
    """Origin and months of each part of two regions without routes that have an offer of some term each."""
    tables = two(5, 5, routes=[])
    tables["offers"] = [{**row, "term_months": terms[str(row["pool"])]} for row in tables["offers"]]
    found = parts_to_solve(sets(tables, months=3, **options))
    return [(str(part.needs["origin"][0]), part.periods) for part in found]


def test_months_that_no_purchase_spans_are_parts_of_their_own() -> None:
    year = ("2027-01", "2027-02", "2027-03")
    apart = [("east", (month,)) for month in year]
    assert months({"east-m": 1, "west-m": 1}) == [*apart, *(("west", (month,)) for month in year)]
    assert months({"east-m": 1, "west-m": 2}) == [*apart, ("west", year)]  # January's reaches March through February's


def test_a_month_is_the_whole_with_nothing_else_in_it() -> None:
    demand = [{**row, "period": f"2027-0{k}", "requests_per_hour": k} for k in (1, 2, 3)
              for row in builders.profile("west", "w", 1)]  # fmt: skip
    whole = sets(builders.tables(demand=demand), months=3)
    march = parts_to_solve(whole)[2]
    assert march.period_hours.tolist() == [744.0]
    assert set(march.demand.ravel()) == {0.003}
    assert march.slots["period"].unique().tolist() == [0]
    assert [march.periods[p] for p in march.purchases["period"]] == ["2027-03"]
    assert march.in_whole(np.arange(168)).tolist() == list(range(336, 504))


@pytest.mark.parametrize(("quota", "count"), [(None, 2), (100, 1)])
def test_a_finite_quota_ties_workloads(quota: float | None, count: int) -> None:
    tables = builders.tables(
        workloads=[workload(), workload(workload="x")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "x", "model": "m"}],
        demand=[*hours("west", "w", 5), *hours("west", "x", 5)],
        pools=[],
        throughput=[],
        offers=[],
        on_demand=[on_demand(tokens_per_minute_quota=quota)],
    )
    assert len(parts(tables)) == count


@pytest.mark.parametrize("order", [1, -1])
def test_caps_both_ways_stay_with_the_flows_that_use_them(order: int) -> None:
    routes = [
        {"origin": "east", "destination": "west", "max_gb_per_month": 5},
        {"origin": "west", "destination": "east", "max_gb_per_month": 7},
    ][::order]
    (part,) = [p for p in split(sets(two(5, 5, routes=routes))) if len(p.needs)]
    assert sorted(part.caps["gb_per_month"]) == [5, 7]


@EXAMPLES
@given(st.lists(st.lists(st.floats(0, 10), min_size=2, max_size=2), min_size=1, max_size=12))
def test_a_tree_holds_every_slot_once_and_its_envelopes_cover_them(columns: list[list[float]]) -> None:
    demand = np.array(columns).T
    tree = slot_tree(demand, np.arange(demand.shape[1]))
    leaves = [k for k in range(len(tree.first)) if tree.left[k] < 0]
    assert sorted(np.concatenate([tree.slots(k) for k in leaves]).tolist()) == list(range(demand.shape[1]))
    for k in range(len(tree.first)):
        assert (tree.envelope(k, demand)[:, None] >= demand[:, tree.slots(k)]).all()
        if tree.left[k] >= 0:
            halves = np.concatenate([tree.slots(int(tree.left[k])), tree.slots(int(tree.right[k]))])
            assert sorted(halves) == sorted(tree.slots(k))


@EXAMPLES
@given(cases(coupled=False), st.randoms(use_true_random=False))
def test_any_prices_make_a_row_that_no_plan_breaks(case: Case, random: object) -> None:
    """Rows from garbage prices are weak, never wrong: adding them keeps the optimum of the literal programme."""
    given_sets = sets_of(case)
    session = Session(literal_program(given_sets), Clock())
    if not len(given_sets.needs) or not session.solve():
        return
    units = session.values()[session.program.columns.deployed]
    draw = lambda n: np.array([random.uniform(-1, 3) for _ in range(n)])  # type: ignore[attr-defined]  # noqa: E731
    for number, stress in enumerate(given_sets.cases):
        net = network(given_sets, stress)
        shares = len(net.share_low)
        rate, quota = draw(len(given_sets.deployments)), draw(len(given_sets.quotas)) / 100
        ray = ray_of(net, number, units=rate, quota=quota, low=draw(shares), high=draw(shares))
        need = ray.need(net.class_demand(given_sets.demand, given_sets.slot_period))
        have = (ray.units @ units)[given_sets.slot_period]
        assert (need <= have + 1e-7 * (1 + np.abs(have))).all()


def test_the_plain_programme_has_no_stress_rows() -> None:
    program = program_of(sets(two(5, 5)))
    assert not any(rows.family.startswith("stress") for rows in program.families)
