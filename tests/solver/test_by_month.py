"""Whole units month by month: a case solved by hand, and random cases against the literal programme."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from planner.model.columns import columns_of, largest_sizes
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve
from planner.model.sets import Sets
from planner.schema.case import Case
from planner.solver import single
from planner.solver.by_month import search_by_month
from planner.solver.component import begin_component
from planner.solver.direct import sized_program, values_with_sizes
from planner.solver.find import Options, find_cost
from planner.solver.grouping import grouping
from planner.solver.highs import Clock
from planner.solver.whole import WholeResult, rounded, values_without_sizes
from tests import builders
from tests.builders.literal_optimum import literal_usd
from tests.builders.one_hour import on_demand
from tests.builders.random_tables import whole_cases

GAP = 1e-7
JANUARY, FEBRUARY = 744, 672


def two_months() -> Case:
    """7 units are needed all January, 3 all February; a request an hour costs 3 USD on demand."""
    tables = builders.tables(
        demand=[
            *({**row, "period": "2027-01"} for row in builders.profile("west", "w", 7)),
            *({**row, "period": "2027-02"} for row in builders.profile("west", "w", 3)),
        ],
        offers=[
            {"offer": "one", "pool": "west-m", "term_months": 1, "usd_per_unit_hour": 1.5, "unit_step": 1},
            {"offer": "two", "pool": "west-m", "term_months": 2, "usd_per_unit_hour": 1.0, "unit_step": 2},
        ],
        on_demand=[on_demand()],
    )
    return builders.case(tables, months=2, whole_units=True, failover={"enabled": False})


def months_of(part: Sets) -> WholeResult | None:
    """What months find by themselves, nothing known before; None where there is nothing to search."""
    solve = begin_component(part, Clock())
    if solve is None or len(part.periods) < 2 or not part.has_size_rules or not grouping(solve.program).divisible:
        return None
    nothing = WholeResult(np.empty(0), np.inf, -np.inf, largest_sizes(solve.program.sets))
    return search_by_month(solve, nothing, solve.session.row_duals(), GAP, Clock())


def test_a_term_of_two_months_in_twos() -> None:
    """4 units for both months, 3 for January: 4 x 1416 + 3 x 1.5 x 744 = 9012 USD.

    2 for both months need 5 and 1 besides: 2 x 1416 + 5 x 1116 + 1 x 1008 = 9420; 6 and 1: 6 x 1416 + 1116 = 9612. Of
    any size, 3 and 4: 3 x 1416 + 4 x 1116 = 8712, which no whole plan reaches.
    """
    want = 4 * (JANUARY + FEBRUARY) + 3 * 1.5 * JANUARY
    (part,) = parts_to_solve(sets_of(two_months()))
    found = months_of(part)
    assert found is not None
    assert found.usd == pytest.approx(want)
    assert 3 * (JANUARY + FEBRUARY) + 4 * 1.5 * JANUARY == 8712
    assert 8712 * (1 - 1e-6) <= found.bound_usd <= want * (1 + 1e-9)


@settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(whole_cases())
def test_months_prove_a_bound_and_find_a_plan(case: Case) -> None:
    found = [months_of(part) for part in parts_to_solve(sets_of(case))]
    if None in found or not found:
        return
    best = literal_usd(case)
    assert best is not None
    assert sum(one.bound_usd for one in found if one) <= best * (1 + 1e-6) + 1e-6
    assert sum(one.usd for one in found if one) >= best * (1 - 1e-6) - 1e-6


def test_the_search_of_whole_units_goes_by_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first candidates leave a gap: the plan is the same, and what is searched on is no dearer."""
    monkeypatch.setattr(single, "SOONER", 0)
    asked = []
    by_month = single.search_by_month
    monkeypatch.setattr(single, "search_by_month", lambda *given: asked.append(1) or by_month(*given))
    want = 4 * (JANUARY + FEBRUARY) + 3 * 1.5 * JANUARY
    assert find_cost(two_months(), Options(gap=GAP)) == pytest.approx(want)
    assert asked


def test_prices_of_the_wrong_sign_by_rounding_are_no_prices() -> None:
    """A row without a lower bound has no price above 0: the search goes on all the same."""
    (part,) = parts_to_solve(sets_of(two_months()))
    solve = begin_component(part, Clock())
    assert solve is not None
    duals = solve.session.row_duals()
    lower, _ = solve.program.bounds()
    duals[: len(lower)][np.isinf(lower)] = 1e-13
    nothing = WholeResult(np.empty(0), np.inf, -np.inf, largest_sizes(solve.program.sets))
    found = search_by_month(solve, nothing, duals, GAP, Clock())
    want = 4 * (JANUARY + FEBRUARY) + 3 * 1.5 * JANUARY
    assert found.bound_usd <= want * (1 + 1e-9)
    assert want * (1 - 1e-9) <= found.usd < np.inf


def test_a_part_in_which_the_first_searches_meet_no_plan_is_searched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """At one of several prices too, whatever its size: a search without a plan is no answer."""
    (part,) = parts_to_solve(sets_of(two_months()))
    solve = begin_component(part, Clock())
    assert solve is not None
    nothing = WholeResult(np.empty(0), np.inf, -np.inf, largest_sizes(solve.program.sets))
    whole = single.solve_whole
    monkeypatch.setattr(single, "DIRECT_AGAIN", 0)
    monkeypatch.setattr(single, "solve_whole", lambda *given: nothing if given[-1] == single.SOONER else whole(*given))
    monkeypatch.setattr(single, "search_by_month", lambda *given: nothing)
    found = single.solve_sizes(solve, GAP, Clock(), again=True)
    assert found is not None
    assert found.usd == pytest.approx(4 * (JANUARY + FEBRUARY) + 3 * 1.5 * JANUARY)


def test_a_known_plan_starts_the_search_of_all_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """2 units for both months, 5 and 1 besides cost 9420 USD (above): from there 9012 is found, no month apart."""
    (part,) = parts_to_solve(sets_of(two_months()))
    solve = begin_component(part, Clock())
    assert solve is not None
    monkeypatch.setattr(single, "search_by_month", lambda *given: pytest.fail("a plan is known"))
    sized = columns_of(part, True).sized
    units = dict(zip(part.purchases["offer"] + part.purchases["period"].astype(str), solve.program.columns.committed))
    dear = np.zeros(len(solve.program.cost))
    dear[[units["two0"], units["one0"], units["one1"]]] = 2, 5, 1
    dear[solve.program.columns.deployed] = [[7, 3]]
    solve.session.set_column_bounds(sized, dear[sized], dear[sized])
    assert solve.session.solve()
    known, usd = solve.session.values(), solve.session.objective()
    solve.session.set_column_bounds(sized, np.zeros(len(sized)), solve.program.columns.upper[sized])
    assert usd == pytest.approx(2 * (JANUARY + FEBRUARY) + 1.5 * (5 * JANUARY + FEBRUARY))
    assert solve.session.solve()
    found = single.solve_sizes(solve, GAP, Clock(), again=True, known=known)
    assert found is not None
    want = 4 * (JANUARY + FEBRUARY) + 3 * 1.5 * JANUARY
    assert (found.usd, found.bound_usd) == (pytest.approx(want), pytest.approx(want))


def test_a_plan_says_its_switches_and_steps() -> None:
    """Of sizes 4, 6, 8, ...: 8 is on and 2 steps above, 0 is off; what is made of it again is the same plan."""
    sizes = {"pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 4, "unit_step": 2}
    offers = [{"offer": name, "term_months": months, **sizes} for name, months in (("one", 1), ("two", 2))]
    (part,) = parts_to_solve(sets_of(builders.case(builders.tables(offers=offers), months=2, whole_units=True)))
    solve = begin_component(part, Clock())
    assert solve is not None
    sets = solve.program.sets
    program, values = sized_program(sets, largest_sizes(sets)), solve.session.values()
    bought = np.array([8.0] + [0.0] * (len(part.purchases) - 1))
    values[solve.program.columns.committed] = bought
    values[solve.program.columns.deployed] = [[8, 0]]
    full = values_with_sizes(solve.program, program, values)
    at = program.columns
    mine = np.isin(at.sized, at.committed)
    assert full[at.size_on[mine]].tolist() == [float(n > 0) for n in bought]
    assert full[at.size_steps[mine]].tolist() == [2.0, *bought[1:]]
    assert rounded(program, full)[at.committed].tolist() == bought.tolist()
    assert values_without_sizes(solve.program, program, full) == pytest.approx(values)
