"""Rows that span parts are priced: by hand, and on random cases against the literal programme."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from planner.errors import StoppedError
from planner.model.columns import columns_of
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve, spanning
from planner.model.sets import Sets
from planner.schema.case import Case
from planner.solver import find
from planner.solver import priced as priced_parts
from planner.solver.all_parts import MOST_SECONDS, AllParts
from planner.solver.assemble import keep_rows
from planner.solver.begun import Begun
from planner.solver.component import ComponentPlan, begin_component, reduced_program
from planner.solver.continuous import LinearSolve
from planner.solver.coupling import coupling_of
from planner.solver.find import Options, find_plan
from planner.solver.highs import Clock
from planner.solver.mixture import PartPlan, mixture
from planner.solver.priced import solve_priced
from planner.solver.priced_results import BestPlan
from planner.solver.solve import solve
from tests import builders
from tests.builders.literal_optimum import literal_usd
from tests.builders.one_hour import on_demand, two
from tests.builders.random_tables import whole_cases, with_money

HOURS = 744
GAP = 1e-6


def begun(whole: Sets) -> list[tuple[Sets, LinearSolve]] | None:
    """Parts without the rows that tie them, solved; None: one has no plan."""
    loose = whole.without([family.name for family in spanning(whole)])
    found = [(part, begin_component(part, Clock())) for part in parts_to_solve(loose)]
    return [(part, solve) for part, solve in found if solve is not None] if all(s for _, s in found) else None


def priced(case: Case) -> list[ComponentPlan] | None:
    """Plans of the parts under prices."""
    whole = sets_of(case)
    parts = begun(whole)
    return (
        None if parts is None else solve_priced(whole, spanning(whole), parts=parts, gap=GAP, clock=Clock(), workers=1)
    )


def apart(budget_usd: float, east: float = 7, west: float = 4) -> Case:
    """Two regions without routes: a unit saves 2 of the 3 USD that a request an hour costs on demand, all week."""
    tables = two(
        1, 1,
        demand=[*builders.profile("east", "w", east), *builders.profile("west", "w", west)],
        offers=[{"offer": f"{r}", "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "unit_step": step, "min_units": low}
                for r, step, low in (("east", 2, 2), ("west", 1, 0))],
        on_demand=[on_demand(r, usd_per_mtok_input=3 / 60e-6) for r in ("east", "west")],
        routes=[],
    )  # fmt: skip
    return builders.case(tables, whole_units=True, max_commitment_usd=budget_usd, failover={"enabled": False})


@pytest.mark.parametrize(("units", "best"), [(10.4, 10), (9.0, 9), (1.0, 1), (0.4, 0)])
def test_a_budget_over_two_parts_is_shared_out(units: float, best: int) -> None:
    # east takes 2, 4, 6 (of 7), west up to 4: each unit saves 3 USD a request and costs 1, so as many as the budget has
    case = apart(units * HOURS)
    plans = priced(case)
    want = 11 * 3 * HOURS - best * 2 * HOURS
    assert plans is not None
    assert sum(plan.usd for plan in plans) >= want * (1 - 1e-9)
    assert sum(plan.tree_bound_usd for plan in plans) <= want * (1 + 1e-9)
    assert sum(plan.bound_usd for plan in plans) == pytest.approx((33 - 2 * units) * HOURS)  # units of any size
    assert solve(case, gap=GAP).totals.total_usd == pytest.approx(want)


def test_where_all_parts_together_take_too_long_prices_are_found_round_by_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # as above, 9 units; the programme of all parts has no time at all
    asked: list[float] = []

    def late(whole: AllParts) -> bool:
        asked.append(whole.clock.deadline - time.monotonic())
        raise StoppedError("the time is over")

    monkeypatch.setattr(priced_parts, "hardly_divided", lambda columns, joint: True)
    monkeypatch.setattr(AllParts, "solve", late)
    plans = priced(apart(9.0 * HOURS))
    assert plans is not None
    assert asked == [pytest.approx(MOST_SECONDS, abs=5)]
    assert sum(plan.usd for plan in plans) >= (33 - 2 * 9) * HOURS * (1 - 1e-9)
    assert sum(plan.bound_usd for plan in plans) == pytest.approx((33 - 2 * 9) * HOURS)


@pytest.mark.parametrize(
    ("tie", "whole"),
    [
        ({"max_commitment_usd": 5.0 * HOURS}, True),
        ({"spend_commitments": [{"contract": "macc", "usd": 9_000.0}]}, False),
    ],
)
def test_a_part_alone_is_searched_as_it_stands_unless_its_rows_have_columns_of_their_own(
    tie: dict[str, Any], whole: bool
) -> None:
    # a search of all sizes and flows at once (seed 95301 of everything) had a gap of 81 % after 100 s; priced: 9 s
    tables = builders.tables(
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 2}],
        spend_commitments=tie.pop("spend_commitments", []),
    )
    sets = sets_of(builders.case(tables, whole_units=True, **tie))
    parts = begun(sets)
    assert parts is not None
    found = [Begun(part, "", solve) for part, solve in parts]
    assert find.searched_whole(sets, spanning(sets), found) is whole


@settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(whole_cases())
def test_prices_prove_a_bound_and_plans_keep_the_rows(case: Case) -> None:
    case = with_money(case) if len(case.scenarios) > 1 else case
    whole = sets_of(case)
    wide = spanning(whole)
    if not wide or not whole.has_size_rules:
        return
    best = literal_usd(case)
    plans = priced(case)
    if plans is None:
        return
    assert best is not None
    assert keep_rows(whole, wide, plans, sized=True, free=False)
    assert sum(plan.usd for plan in plans) >= best * (1 - 1e-7) - 1e-6
    assert sum(plan.tree_bound_usd for plan in plans) <= best * (1 + 1e-7) + 1e-6
    assert sum(plan.bound_usd for plan in plans) <= best * (1 + 1e-9) + 1e-6


def test_the_certificate_holds_the_price_of_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    case = apart(9.0 * HOURS)
    monkeypatch.setattr(find, "closed", lambda plans, gap: True)  # what the prices find is the plan
    plan = find_plan(case, Options(gap=GAP))
    table = plan.certificate
    assert table.loc[table["kind"] == "budget", "price"].tolist() == pytest.approx([2.0])  # a dollar saves 2
    assert solve(case, gap=GAP).proof.bound_usd == pytest.approx((33 - 18) * HOURS)  # audited, recomputed from prices


def test_the_parts_use_of_a_row_is_the_whole_s() -> None:
    whole = sets_of(apart(5.0 * HOURS))
    wide = spanning(whole)
    loose = whole.without([family.name for family in wide])
    programs = [reduced_program(part) for part in parts_to_solve(loose)]
    coupling = coupling_of(whole, wide, programs)
    assert coupling is not None
    values = [np.arange(1.0, program.columns.count + 1) for program in programs]
    used = sum(part.activity(v, 1)[0] for part, v in zip(coupling.parts, values))
    bought = sum(v[p.columns.committed] @ p.sets.purchases["committed_usd_per_unit"] for v, p in zip(values, programs))
    assert used == pytest.approx(float(bought))
    assert coupling.upper.tolist() == [5.0 * HOURS]
    assert len(columns_of(whole).committed) == sum(len(p.columns.committed) for p in programs)


def test_of_plans_that_cost_the_same_the_one_that_signs_for_less_is_kept() -> None:
    best = BestPlan()
    assert best.betters(100.0, 7.0)
    assert best.gap() == np.inf
    best.usd, best.signed_usd, best.bound_usd = 100.0, 7.0, 99.0
    assert best.gap() == pytest.approx(0.01)
    assert best.betters(99.0, 9.0)
    assert best.betters(100.0 + 5e-8, 6.0)  # rounding
    assert not best.betters(100.0 - 5e-8, 7.0)
    assert not best.betters(101.0, 0.0)


def test_a_mixture_pays_for_what_it_uses() -> None:
    # part 1: 0 at no use, -10 at 4; part 2: 0 at no use, -2 at 4 (a saving); 5 may be used: 1 of part 1, 1/4 of part 2
    plans = [
        [PartPlan(100.0, np.array([0.0])), PartPlan(90.0, np.array([4.0]))],
        [PartPlan(50.0, np.array([0.0]), b"a"), PartPlan(48.0, np.array([4.0]), b"b")],
    ]
    limits, penalty = (np.array([-np.inf]), np.array([5.0])), np.array([1e3])
    found = mixture(plans, *limits, penalty, Clock())
    assert found is not None
    assert found.usd == pytest.approx(90 + 50 - 0.5)
    assert found.prices == pytest.approx([-0.5])
    whole = mixture(plans, *limits, penalty, Clock(), whole=True)  # sizes a or b of part 2, not a mixture
    assert whole is not None
    assert whole.usd == pytest.approx(140.0)
    short = mixture([[plans[0][1]], [plans[1][1]]], *limits, penalty, Clock())
    assert short is not None
    assert not short.fits
    assert short.usd == pytest.approx(90 + 48 + 3 * 1e3)


def test_of_mixtures_that_cost_as_much_the_one_that_signs_least_however_dear_a_missed_row() -> None:
    # 5 may be used: at 90 USD 4 are, for which 5 or 3 USD are signed; the plan that signs nothing costs 100
    plans = [[PartPlan(90.0, np.array([4.0]), signed_usd=5.0), PartPlan(90.0, np.array([4.0]), b"b", signed_usd=3.0),
              PartPlan(100.0, np.array([0.0]), b"c")]]  # fmt: skip
    for usd in (1e3, 1e17):
        found = mixture(plans, np.array([-np.inf]), np.array([5.0]), np.array([usd]), Clock(), fewest=True)
        assert found is not None
        assert (found.usd, found.signed_usd) == pytest.approx((90.0, 3.0))
