"""The live case: every change gives the cost of a fresh solve, and keeps open what keeps its shape."""

from dataclasses import replace

import pytest

from planner.schema.case import Case
from planner.solver.find import find_plan
from planner.solver.session import LiveCase
from tests import builders


@pytest.fixture
def case() -> Case:
    base = builders.case(builders.two_regions())
    policy = base.settings.policy.model_copy(update={"whole_units": False})
    return replace(base, settings=base.settings.model_copy(update={"policy": policy}))


def changed(case: Case, demand: float = 1.0, offers: float = 1.0, on_demand: float = 1.0) -> Case:
    """Demand, commitment prices and on-demand prices times factors."""
    return replace(
        case,
        demand=case.demand.assign(requests_per_hour=case.demand["requests_per_hour"] * demand),
        offers=tuple(o.model_copy(update={"usd_per_unit_hour": o.usd_per_unit_hour * offers}) for o in case.offers),
        on_demand=tuple(
            q.model_copy(
                update={
                    "usd_per_mtok_input": q.usd_per_mtok_input * on_demand,
                    "usd_per_mtok_output": q.usd_per_mtok_output * on_demand,
                }
            )
            for q in case.on_demand
        ),
    )


@pytest.mark.parametrize(
    ("demand", "offers", "on_demand"), [(0.8, 1, 1), (1.05, 1, 1), (1, 0.7, 1), (1, 1.4, 1), (1, 1, 0.5), (0.9, 1.1, 2)]
)
def test_a_change_costs_what_a_fresh_solve_costs(case: Case, demand: float, offers: float, on_demand: float) -> None:
    live = LiveCase(case)
    assert live.solve().total_usd == pytest.approx(find_plan(case).totals.total_usd, rel=1e-8)
    opened = [part.solve.session for part in live._open]
    other = changed(case, demand, offers, on_demand)
    live.change(other)
    assert live.solve().total_usd == pytest.approx(find_plan(other).totals.total_usd, rel=1e-8)
    assert [part.solve.session for part in live._open] == opened  # nothing was opened anew
    live.change(case)
    assert live.solve().total_usd == pytest.approx(find_plan(case).totals.total_usd, rel=1e-8)


def test_other_token_sizes_open_the_component_anew(case: Case) -> None:
    live = LiveCase(case)
    live.solve()
    opened = [part.solve.session for part in live._open]
    longer = replace(
        case, workloads=tuple(w.model_copy(update={"input_tokens": w.input_tokens * 1.3}) for w in case.workloads)
    )
    live.change(longer)
    assert live.solve().total_usd == pytest.approx(find_plan(longer).totals.total_usd, rel=1e-8)
    assert all(part.solve.session not in opened for part in live._open)
