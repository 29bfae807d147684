"""The certificate: no row prices, however wrong, prove more than the optimum; the solver's prices prove all of it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.model.index_tables import sets_of
from planner.model.program import literal_program
from planner.model.reduce.slots import merge_slots
from planner.schema.case import Case
from planner.solver import component
from planner.solver.certificate import certify
from planner.solver.continuous import LinearSolve, open_component, solve_linear
from planner.solver.highs import Clock, Session
from planner.solver.solve import solve
from tests import builders
from tests.builders.random_tables import cases

EXAMPLES = settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
HOURS = 744


def solved(case: Case) -> LinearSolve | None:
    """A solved programme of the whole case; None: no plan."""
    sets = merge_slots(sets_of(case))
    if not len(sets.needs):
        return None
    solve = open_component(sets, Clock())
    return solve if solve_linear(solve) else None


def dearer_requests(found: LinearSolve, duals: np.ndarray, times: float) -> np.ndarray:
    """Prices at which requests are worth more than they cost: those of rule 1 times a number (or that number)."""
    at = slice(
        found.program.first_row("balance"), found.program.first_row("balance") + found.program.family("balance").count
    )
    wrong = duals.copy()
    wrong[at] = duals[at] * times if duals.any() else times
    return wrong


@EXAMPLES
@given(cases(months=2), st.integers(0, 2**32 - 1))
def test_no_prices_prove_more_than_the_optimum(case: Case, seed: int) -> None:
    found = solved(case)
    if found is None:
        return
    literal = Session(literal_program(sets_of(case)), Clock())
    assert literal.solve()
    best, duals = literal.objective(), found.session.row_duals()
    slack = 1e-9 * max(1.0, best)
    assert certify(found.program, duals, found.cuts).bound_usd == pytest.approx(best, rel=1e-8, abs=1e-7)
    rng = np.random.default_rng(seed)
    size = np.abs(duals).max() + 1.0
    for wrong in (
        duals * rng.uniform(0, 3),
        duals * rng.uniform(0.9, 1.1, len(duals)),
        duals + rng.normal(0, 0.01 * size, len(duals)),
        -duals,
        rng.normal(0, size, len(duals)),
        rng.permutation(duals),
        dearer_requests(found, duals, 3.0),
        dearer_requests(found, 0 * duals, rng.uniform(0, size)),
        np.zeros(len(duals)),
    ):
        assert certify(found.program, wrong, found.cuts).bound_usd <= best + slack


def test_repaired_prices_leave_no_flow_below_its_cost() -> None:
    found = solved(builders.case())
    assert found is not None
    wrong = dearer_requests(found, found.session.row_duals(), 2.0)
    proof = certify(found.program, wrong, found.cuts)
    assert proof.row_price[0] < wrong[0]
    left = found.program.cost.copy()
    for rows in found.program.families:
        np.subtract.at(left, rows.column, rows.value * proof.row_price[found.program.first_row(rows.family) + rows.row])
    assert (left[found.program.columns.flow_first :] >= -1e-9).all()


def test_zero_prices_prove_zero() -> None:
    found = solved(builders.case())
    assert found is not None
    assert certify(found.program, np.zeros(found.program.row_count), []).bound_usd == pytest.approx(0.0, abs=1e-300)


# 1.01: rents of 7514.40 for a unit of 7440 are repaired by what the 10 units cost less: the bound is 7440 again
@pytest.mark.parametrize(
    ("scale", "status"), [(1.0, "optimal"), (1 - 1e-8, "optimal"), (0.99, "gap"), (1.01, "optimal")]
)
def test_wrong_duals_are_never_called_optimal(scale: float, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        component, "certify", lambda program, duals, cuts, usd: certify(program, np.asarray(duals) * scale, cuts)
    )
    plan = solve(builders.case(), workers=1)
    assert plan.totals.total_usd == pytest.approx(10 * HOURS)
    assert plan.proof.bound_usd <= 10 * HOURS
    assert plan.proof.status == status


def test_a_false_optimum_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that stops at a plan 1 % too dear, and calls it optimal."""

    def dearer(solve: LinearSolve) -> Any:
        at = solve.program.columns.committed
        units = solve.session.values()[at]
        solve.session.set_column_bounds(at, units * 1.01, units * 1.01)
        assert solve_linear(solve)
        return solve.session.values()

    monkeypatch.setattr(component, "choose_by_rule", dearer)
    plan = solve(builders.case(), workers=1)
    assert plan.totals.total_usd == pytest.approx(10.1 * HOURS)
    assert plan.proof.status == "gap"
    assert plan.proof.gap == pytest.approx(1 - 10 / 10.1, rel=1e-6)
