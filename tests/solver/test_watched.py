"""A search tells of its best plan and its bound while it runs; the plan is the same if nobody listens."""

import numpy as np
import pytest

from planner.console.screen import searched_in_words
from planner.solver.find import Options, find_plan
from tests import builders


def test_what_is_told_ends_with_the_plan_and_never_crosses_it() -> None:
    heard: list[tuple[float, float]] = []
    case = builders.two_models_on_sizes()
    plan = find_plan(case, Options(workers=1, tell=lambda usd, bound: heard.append((usd, bound))))
    silent = find_plan(case, Options(workers=1))
    assert plan.purchases.equals(silent.purchases)
    assert plan.totals == silent.totals
    assert all(bound <= usd * (1 + 1e-9) for usd, bound in heard)
    assert min(usd for usd, _ in heard) == pytest.approx(plan.totals.total_usd)
    assert max(bound for _, bound in heard) <= plan.totals.total_usd * (1 + 1e-9)


def test_words_of_a_search() -> None:
    assert searched_in_words(293_975.2, 293_930.9, 0) == "$293,975 new, bound $293,931, gap 0.02%"
    assert searched_in_words(np.inf, 10.0, 2) == "last of 3 parts: no plan yet, none under $10"
