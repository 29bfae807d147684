"""Where only the dearest scenarios count, the others are served as cheaply as can be: by hand."""

from dataclasses import replace

import pytest

from planner.errors import StoppedError
from planner.plan.plan import Plan, PlanRisk
from planner.schema.case import Case
from planner.solver.find import find_cost, find_plan
from planner.solver.least_tail import cheapest_of_least_tail
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import on_demand

WEEKS = 31 / 7
HIGH_USD = 15 * 3.72 + 5 * 3 * WEEKS  # 15 units are sold; 5 of 20 requests an hour go on demand at 3 USD
LOW_USD = 15 * 3.72 + 1 * 3 * WEEKS  # 1 of 16 requests an hour


def case(weight: float, **policy: object) -> Case:
    """Ask for 20 requests in one hour of a week in `high` (0.2), for 16 in another hour in `low`.

    A unit costs 0.005 x 744 = 3.72 USD and serves a request an hour, on demand costs 3 USD, or 50 by the option `dear`.
    """
    tables = builders.tables(
        demand=[
            {"region": "west", "workload": "w", "scenario": name, "hour_of_week": hour, "requests_per_hour": requests}
            for name, hour, requests in (("low", 1, 16.0), ("high", 0, 20.0))
        ],
        scenarios=[{"scenario": "low", "probability": 0.8}, {"scenario": "high", "probability": 0.2}],
        offers=[{"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 0.005, "unit_step": 1, "max_units": 15}],
        on_demand=[
            on_demand("west", option="dear", usd_per_mtok_input=50 / 60e-6),
            on_demand("west", usd_per_mtok_input=3 / 60e-6),
        ],
    )
    return builders.case(tables, risk={"weight": weight, "level": 0.8}, **policy)


@pytest.mark.parametrize("whole", [False, True])
def test_of_the_plans_of_least_tail_the_cheapest(whole: bool) -> None:
    plan = solve(case(1.0, whole_units=whole))
    assert plan.risk is not None
    assert plan.risk.cvar_usd == pytest.approx(HIGH_USD)
    assert plan.risk.objective_usd == pytest.approx(HIGH_USD)
    assert plan.totals.total_usd == pytest.approx(0.8 * LOW_USD + 0.2 * HIGH_USD)
    assert plan.proof.bound_usd == pytest.approx(HIGH_USD)  # on what is minimised
    assert plan.input_digest == case(1.0, whole_units=whole).digest


def test_its_cost_alone_is_the_same() -> None:
    assert find_cost(case(1.0)) == pytest.approx(0.8 * LOW_USD + 0.2 * HIGH_USD)


def dearer(plan: Plan, usd: float) -> Plan:
    """Return the plan as one that costs so much more where it is not dearest."""
    return replace(plan, totals=replace(plan.totals, on_demand_usd=plan.totals.on_demand_usd + usd))


def test_the_share_of_the_expected_cost_is_as_small_as_it_must_be() -> None:
    best = find_plan(case(1.0))
    assert best.risk is not None
    worse = replace(best, risk=PlanRisk(best.risk.cvar_usd + 1, best.risk.cvar_usd + 1))
    asked: list[float] = []

    def found(other: Case) -> Plan:
        asked.append(other.settings.policy.risk.weight)
        return worse if len(asked) == 1 else best

    chosen = cheapest_of_least_tail(case(1.0), dearer(best, 5.0), found)
    assert chosen.totals.total_usd == pytest.approx(best.totals.total_usd)
    assert asked == pytest.approx([0.99, 0.9999])  # the first has a larger tail


def test_the_plan_is_kept_where_the_second_search_finds_none_or_no_better() -> None:
    plan = find_plan(case(1.0))

    def late(other: Case) -> Plan | None:
        raise StoppedError("the time is over")

    assert cheapest_of_least_tail(case(1.0), plan, late) is plan
    assert cheapest_of_least_tail(case(1.0), plan, lambda other: None) is plan
    assert cheapest_of_least_tail(case(1.0), plan, lambda other: dearer(plan, 5.0)) is plan
    assert cheapest_of_least_tail(case(0.9), plan, late) is plan
