"""Warm cases: every optimum is that of a fresh solve, wherever it started from."""

import pytest

from planner.errors import StoppedError
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.case_factors import Factor
from planner.schema.case import Case
from planner.solver.find import find_cost
from planner.solver.highs import Clock
from planner.solver.warm import NoAnswer, WarmAnswer, WarmCases
from tests import builders

DAY = [10.0, 10.0, 4.0, 18.0, 7.0, 11.0]


@pytest.fixture
def case() -> Case:
    return builders.case(
        builders.two_regions(
            demand=[row for r in ("east", "west") for row in builders.profile(r, "w", DAY)],
            on_demand=[
                {"region": r, "model": "m", "usd_per_mtok_input": usd, "usd_per_mtok_output": 0.0,
                 "tokens_per_minute_quota": 15.0}
                for r, usd in (("east", 40_000.0), ("west", 50_000.0))
            ],
        ),
        whole_units=False,
        failover={"enabled": True, "on_demand_trust": 0.5},
        egress={"max_cross_region_share": 0.4},
    )  # fmt: skip


CHANGES = (
    CaseChange(""),
    CaseChange("", scale=(Factor("demand", 1.4),)),
    CaseChange("", set=(("failover.on_demand_trust", "0.8"),)),
    CaseChange("", set=(("failover.enabled", "false"), ("headroom", "0.1"))),
    CaseChange("", refuse=("east",)),
    CaseChange("", refuse=("east",), scale=(Factor("on_demand_prices", 0.7),)),
    CaseChange("", scale=(Factor("offer_prices", 0.6), Factor("quotas", 2.0))),
    CaseChange("", set=(("egress.max_cross_region_share", "0.01"),)),
    CaseChange("", set=(("max_commitment_usd", "9000"),), scale=(Factor("quotas", 3.0),)),
    CaseChange(""),
)


def test_each_change_costs_what_a_fresh_solve_costs(case: Case) -> None:
    warm, none = WarmCases(), 0
    for k, change in enumerate(CHANGES):
        variant = changed(case, change)
        found = warm.solve(variant, {"step": float(k)}, Clock())
        fresh = find_cost(variant)
        if isinstance(found, NoAnswer):
            assert fresh is None, change
            none += 1
            continue
        assert fresh is not None, change
        assert found.totals.total_usd == pytest.approx(fresh, rel=1e-9), change
        assert sum(found.totals.parts().values()) == pytest.approx(fresh, rel=1e-9)
    assert none == 3  # without new units in a region, and hardly anything served elsewhere


def test_where_no_plan_exists_there_is_none_and_the_next_case_has_one(case: Case) -> None:
    warm = WarmCases()
    hopeless = changed(case, CaseChange("", refuse=("east", "west"), scale=(Factor("demand", 3.0),)))
    assert isinstance(warm.solve(hopeless, {}, Clock()), NoAnswer)  # 54 requests, quotas of 15 tokens / 60 a request
    assert isinstance(warm.solve(case, {}, Clock()), WarmAnswer)


def test_a_clock_that_ran_out_stops_it(case: Case) -> None:
    warm = WarmCases()
    with pytest.raises(StoppedError):
        warm.solve(case, {}, Clock(0.0))
    assert isinstance(warm.solve(case, {}, Clock()), WarmAnswer)
