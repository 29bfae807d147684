"""The live case: every change gives the cost of a fresh solve, and keeps open what keeps its shape."""

from dataclasses import replace

import pytest

from planner.schema.capacity import Commitment
from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment
from planner.solver import session
from planner.solver.find import find_if_any, find_plan
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


@pytest.mark.parametrize("share", [None, 0.0])
def test_other_commitments_are_bounds_alone(case: Case, share: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = case.settings.policy
    failover = policy.failover.model_copy(update={"enabled": True, "share": 0.5})
    egress = policy.egress.model_copy(update={"max_cross_region_share": share})
    case = case.with_policy(failover=failover, egress=egress, headroom=0.2)
    dear = replace(case, offers=tuple(o.model_copy(update={"max_units": 3.0}) for o in case.offers))

    def held(east: float, west: float) -> Case:
        units = {"east-m-1m": east, "west-m-1m": west}
        span = dear.periods[0].start, dear.periods[-1].end
        return replace(
            dear,
            commitments=tuple(Commitment(offer=o, units=n, start=span[0], end=span[1]) for o, n in units.items()),
        )

    live = LiveCase(held(2, 2))
    live.attempt()
    stated = []
    monkeypatch.setattr(session, "sets_of", lambda *args: stated.append(args))
    for east, west in ((0, 0), (7, 1), (12, 12), (2, 2)):
        live.change(held(east, west))
        answer, fresh = live.attempt(), find_if_any(held(east, west))
        assert (answer is None) == (fresh is None)
        if answer is not None and fresh is not None:
            assert answer.total_usd == pytest.approx(fresh.totals.total_usd, rel=1e-8)
    assert not stated  # nothing was stated anew


def test_commitments_that_count_for_a_contract_are_stated_anew(case: Case) -> None:
    def held(units: float) -> Case:
        own = Commitment(offer="east-m-1m", units=units, start=case.periods[0].start, end=case.periods[-1].end)
        return replace(case, commitments=(own,), spend_commitments=(SpendCommitment(contract="c", usd=20_000.0),))

    live = LiveCase(held(1))
    live.attempt()
    live.change(held(9))
    assert live.solve().total_usd == pytest.approx(find_plan(held(9)).totals.total_usd, rel=1e-8)
