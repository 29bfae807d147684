"""The live case: every change gives the cost of a fresh solve, and keeps open what keeps its shape."""

from dataclasses import replace

import pytest

from planner.model.index_tables import sets_of, spend_of
from planner.schema.capacity import Commitment
from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment
from planner.schema.settings import Risk
from planner.solver import continuous, highs, session
from planner.solver.find import find_if_any, find_plan
from planner.solver.session import LiveCase, sunk_usd
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


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_commitments_that_count_for_a_contract_are_bounds_alone(
    case: Case, weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until one fills the contract: then nothing is asked for any more, and parts may be others."""
    case = case.with_policy(risk=Risk(weight=weight, level=0.5))
    case = replace(case, offers=tuple(o.model_copy(update={"max_units": 3.0}) for o in case.offers))

    def held(units: float) -> Case:
        own = Commitment(offer="east-m-1m", units=units, start=case.periods[0].start, end=case.periods[-1].end)
        return replace(case, commitments=(own,), spend_commitments=(SpendCommitment(contract="c", usd=20_000.0),))

    live = LiveCase(held(1))
    before = live.solve()
    stated = []
    monkeypatch.setattr(session, "sets_of", lambda *args: stated.append(args) or sets_of(*args))
    for units in (2.0, 9.0, 4.0):
        live.change(held(units))
        answer = live.solve()
        assert answer.total_usd == pytest.approx(find_plan(held(units)).judged_usd, rel=1e-8)
        plane = before.total_usd + sunk_usd(held(units)) - sunk_usd(held(1))
        plane += (units - 1) * sum(usd for (pool, _, _), usd in before.held_usd.items() if pool == "east-m")
        spent = spend_of(held(1)).usd - spend_of(held(units)).usd
        plane -= float(spent[0]) * before.left_usd["c"]
        assert plane <= answer.total_usd + 1e-6  # the duals bound what other commitments cost
    assert not stated
    live.change(held(10_000.0))
    assert stated  # nothing is left to be spent
    assert live.solve().total_usd == pytest.approx(find_plan(held(10_000.0)).totals.total_usd, rel=1e-8)


def test_a_large_programme_in_which_work_waits_is_begun_inside(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    workloads = tuple(w.model_copy(update={"deadline_hours": 12}) for w in case.workloads)
    case = replace(case, workloads=workloads)
    usd = LiveCase(case).solve().total_usd
    begun = []
    inside = highs.Session.solve_inside
    monkeypatch.setattr(continuous, "LARGE", 1)
    monkeypatch.setattr(highs.Session, "solve_inside", lambda self: begun.append(self) or inside(self))
    live = LiveCase(case)
    assert live.solve().total_usd == pytest.approx(usd, rel=1e-9)
    first = len(begun)
    assert first
    live.change(changed(case, on_demand=1.01))
    live.solve()
    assert len(begun) == first  # it goes on from its basis
