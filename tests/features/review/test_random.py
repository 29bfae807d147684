"""A history equal to the forecast: nothing is regretted and every commitment is kept, on random cases."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner.errors import InfeasibleError
from planner.features.review import review
from planner.features.review.review_tables import KEEP
from planner.schema.case import Case
from planner.solver.solve import solve
from tests.builders.histories import history_of
from tests.builders.random_tables import cases


@settings(max_examples=3, deadline=None)
@given(case=cases(months=2), whole=st.booleans())
def test_equal_to_the_forecast(case: Case, whole: bool) -> None:
    if whole:
        case = _whole(case)
    assume(len(case.demand) > 0)
    try:
        plan = solve(case)
    except InfeasibleError:
        assume(False)
        return
    found = review(case, plan, history_of(case))
    assert found.regret.usd == 0
    assert {v.verdict for v in found.verdicts} <= {KEEP}
    assert found.regret.plan_usd <= plan.totals.total_usd * (1 + 1e-9)
    assert found.errors["wape"].fillna(0).max() == pytest.approx(0, abs=1e-9)


def _whole(case: Case) -> Case:
    policy = case.settings.policy.model_copy(update={"whole_units": True})
    offers = tuple(o.model_copy(update={"min_units": 5.0, "unit_step": 5.0, "max_units": None}) for o in case.offers)
    return replace(case, settings=case.settings.model_copy(update={"policy": policy}), offers=offers)
