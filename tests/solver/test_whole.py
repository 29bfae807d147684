"""Whole units: the closed form of one pool, every size tried on tiny cases, and the literal integer programme."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.errors import InfeasibleError
from planner.model.columns import columns_of
from planner.model.index_tables import sets_of
from planner.schema.case import Case
from planner.solver.solve import solve
from planner.solver.whole import Master
from tests import builders
from tests.builders.literal_optimum import literal_usd
from tests.builders.one_hour import WEEKS, hours, on_demand, workload

GAP = 1e-8
HOURS = 744
EXAMPLES = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@EXAMPLES
@given(
    st.lists(st.integers(0, 9), min_size=168, max_size=168),
    st.sampled_from([0.5, 1.0, 2.5]),
    st.sampled_from([1.1, 2.0, 3.0]),
)
def test_one_pool_is_floor_or_ceiling_of_the_fractile(demand: list[int], step: float, price: float) -> None:
    """Theory: a unit pays while it is used in more than 744 / (price x 31/7) hours; cost is convex in the units."""
    if not any(demand):
        return
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": step}]
    tables = builders.tables(
        demand=builders.profile("west", "w", demand),
        offers=offers,
        on_demand=[on_demand(usd_per_mtok_input=price / 60e-6)],
    )
    needed = np.array(demand, float)

    def usd(units: float) -> float:
        return units * HOURS + float(np.maximum(needed - units, 0).sum()) * price * WEEKS

    best = min(float(n) for n in range(10) if (needed > n).sum() * price * WEEKS <= HOURS)
    around = {step * np.floor(best / step), step * np.ceil(best / step)}
    plan = solve(builders.case(tables, whole_units=True), gap=GAP, workers=1)
    assert plan.totals.total_usd == pytest.approx(min(usd(units) for units in around), rel=1e-7)


def three_regions(whole_units: bool) -> Case:
    """Three regions with a pool each and nothing on demand; any two must carry the demand of 1 unit."""
    zones = ("a", "b", "c")
    tables = builders.tables(
        regions=[{"region": z} for z in zones],
        demand=builders.profile("a", "w", 1),
        pools=[{"pool": z, "region": z} for z in zones],
        throughput=[{"pool": z, "model": "m", "tokens_per_minute_per_unit": 1} for z in zones],
        offers=[{"offer": z, "pool": z, "usd_per_unit_hour": 1.0, "unit_step": 1} for z in zones],
        on_demand=[],
        routes=[{"origin": o, "destination": d} for o in zones for d in zones if o != d],
    )
    return builders.case(tables, failover={"enabled": True, "share": 1.0}, whole_units=whole_units)


def test_three_regions_that_cover_each_other_round_up() -> None:
    # any two of three must carry 1: continuous 1/2 each, 1.5 units; whole units: 2
    assert solve(three_regions(whole_units=False)).totals.total_usd == pytest.approx(1.5 * HOURS)
    whole = solve(three_regions(whole_units=True))
    assert whole.totals.total_usd == pytest.approx(2 * HOURS)
    assert whole.proof.status == "optimal"
    assert whole.proof.bound_usd == pytest.approx(1.5 * HOURS)  # proved for units of any size
    assert whole.proof.tree_bound_usd == pytest.approx(2 * HOURS, rel=1e-4)


def ladder(**offer: Any) -> Case:
    """Two months, one pool whose deployments have sizes 2, 4, 6, ...; a month's offer and one for both months."""
    rising = [{**row, "period": month, "requests_per_hour": n} for month, n in (("2027-01", 3.2), ("2027-02", 6.7))
              for row in builders.profile("west", "w", 1)]  # fmt: skip
    sizes = {"min_units": 1, "unit_step": 1, **offer}
    tables = builders.tables(
        demand=rising,
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1, "min_units": 2, "unit_step": 2}],
        offers=[
            {"offer": "month", "pool": "west-m", "usd_per_unit_hour": 1.0, **sizes},
            {"offer": "both", "pool": "west-m", "usd_per_unit_hour": 0.8, "term_months": 2, **sizes},
        ],
        on_demand=[on_demand(usd_per_mtok_input=4.0 / 60e-6)],
    )
    return builders.case(tables, whole_units=True, months=2)


def test_purchases_follow_from_deployments() -> None:
    # deploy 4, then 8 (or 6 and 0.7 on demand at 4 USD = 2.8 > 2 units more, at 0.8 USD): 4 for both months and 4 more
    # in February, when the longer term is the cheaper too: what lies past the horizon is not counted (tail_value 1)
    case = ladder()
    at = columns_of(sets_of(case), sized=True)
    purchases = np.isin(at.sized, at.committed)
    assert at.size_follows[purchases].all()
    assert not at.size_follows[~purchases].any()
    assert not at.searched[at.size_steps[purchases]].any()
    plan = solve(case, gap=GAP)
    bought = {(o, p): u for o, p, u in zip(plan.purchases["offer"], plan.purchases["period"], plan.purchases["units"])}
    assert bought == {("both", "2027-01"): 4.0, ("both", "2027-02"): 4.0}
    assert plan.totals.total_usd == pytest.approx(0.8 * (4 * (744 + 672) + 4 * 672))
    literal = literal_usd(case)
    assert literal is not None
    assert plan.totals.total_usd == pytest.approx(literal, rel=1e-7)


@pytest.mark.parametrize("offer", [{"unit_step": 3, "min_units": 3}, {"min_units": 2}, {"unit_step": 0}])
def test_purchases_of_other_sizes_are_searched(offer: dict[str, float]) -> None:
    # blocks of 3 do not divide 2, 4, 6, ...; a least size of 2 leaves a hole at 1; any amount above 1 has no step
    case = ladder(**offer)
    at = columns_of(sets_of(case), sized=True)
    assert not at.size_follows.any()
    assert solve(case, gap=GAP).totals.total_usd == pytest.approx(literal_usd(case), rel=1e-7)


def test_every_size_of_two_offers_tried() -> None:
    """A year's block of 4 and single months: all pairs of sizes, the rest on demand at 1.7 USD."""
    demand = [3.0] * 100 + [7.0] * 40 + [10.0] * 28
    block = {"offer": "block", "pool": "west-m", "usd_per_unit_hour": 0.8, "min_units": 4, "unit_step": 4}
    single = {"offer": "single", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 1, "max_units": 3}
    tables = builders.tables(
        demand=builders.profile("west", "w", demand),
        offers=[block, single],
        on_demand=[on_demand(usd_per_mtok_input=1.7 / 60e-6)],
    )
    needed = np.array(demand)
    best = min(
        (0.8 * a + b) * HOURS + float(np.maximum(needed - a - b, 0).sum()) * 1.7 * WEEKS
        for a, b in itertools.product((0, 4, 8, 12), range(4))
    )
    plan = solve(builders.case(tables, whole_units=True), gap=GAP)
    assert plan.totals.total_usd == pytest.approx(best, rel=1e-7)


@st.composite
def whole_cases(draw: st.DrawFn) -> Case:
    """Two regions, one or two models in a pool, sizes of offers and deployments, quotas, failover, cap or budget."""
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    regions, models = ("east", "west"), ("m", "n")[: pick(1, 2)]
    size: Any = lambda: pick(  # noqa: E731
        {"unit_step": 2}, {"min_units": 3}, {"min_units": 5, "unit_step": 5}, {"min_units": 2, "unit_step": 3}, {}
    )
    rows = {
        "regions": [{"region": r} for r in regions],
        "models": [{"model": m} for m in models],
        "workloads": [workload(workload=f"w{m}", extra_bytes_in=5e8) for m in models],
        "mix": [{"workload": f"w{m}", "model": m} for m in models],
        "demand": [d for r in regions for m in models for d in hours(r, f"w{m}", *(pick(0, 2, 7) for _ in "123"))],
        "pools": [{"pool": r, "region": r, "usd_per_unreserved_unit_hour": pick(None, None, 0.02)} for r in regions],
        "throughput": [
            {"pool": r, "model": m, "tokens_per_minute_per_unit": pick(1, 3), **size()} for r in regions for m in models
        ],
        "offers": [
            {"offer": f"{r}-{k}", "pool": r, "usd_per_unit_hour": pick(0.005, 0.01), "term_months": 1 + k, **size(),
             "max_units": pick(None, 12)}
            for r in regions
            for k in range(2)
        ],
        "on_demand": [on_demand(r, m, tokens_per_minute_quota=pick(None, 5, 20)) for r in regions for m in models],
        "routes": [
            {"origin": "east", "destination": "west", "usd_per_gb": 0.1, "max_gb_per_month": pick(None, 10)},
            {"origin": "west", "destination": "east", "usd_per_gb": pick(0, 0.2)},
        ],
    }  # fmt: skip
    return builders.case(
        rows,
        whole_units=True,
        headroom=pick(0.0, 0.2),
        failover={"enabled": pick(True, False), "share": 1.0, "on_demand_trust": pick(0, 0.5)},
        egress={"max_cross_region_share": pick(None, 0.3)},
        max_commitment_usd=pick(None, None, 100.0),
    )


@EXAMPLES
@given(whole_cases())
def test_the_literal_integer_programme_has_the_same_optimum(case: Case) -> None:
    best = literal_usd(case)
    try:
        plan = solve(case, gap=GAP, workers=1)
    except InfeasibleError:
        assert best is None
        return
    assert best is not None
    assert plan.totals.total_usd == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert plan.proof.bound_usd <= best * (1 + 1e-9)
    assert plan.proof.tree_bound_usd is None or plan.proof.tree_bound_usd <= best * (1 + 1e-7)


def test_a_plan_found_in_time_is_given_with_its_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time ends while the first master is searched: the plan rounded up stands, and says how good it is."""

    def out_of_time(master: Master, gap: float, known: tuple[float, float]) -> None:
        master.clock.deadline = 0.0
        master.clock.left()

    monkeypatch.setattr(Master, "solve", out_of_time)
    plan = solve(three_regions(whole_units=True))
    assert plan.totals.total_usd == pytest.approx(3 * HOURS)  # a half each, rounded up; two would do
    assert plan.proof.status == "gap"
    assert plan.proof.bound_usd == pytest.approx(1.5 * HOURS)
