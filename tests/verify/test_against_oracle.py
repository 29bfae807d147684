"""The second opinion of `planner verify --deep` against the literal model."""

from pathlib import Path

import pytest

from planner.errors import PlannerError
from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.readers import load
from planner.verify.deep import search
from tests.oracle.generate import generate
from tests.oracle.oracle import optimum


@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_the_literal_optimum(seed: int, tmp_path: Path) -> None:
    features = ["terms", "pools", "meters", "commitments", "scenarios", "quota", "egress", "mix", "unreserved", "cache",
                "budget", "guaranteed", "residency"][seed::4]  # fmt: skip
    size = {"regions": 2, "workloads": 2, "months": 1 + seed % 2}
    generate(tmp_path, seed, **size, features=features)
    case = load(tmp_path)
    derived = Derived.of(case)
    literal = optimum(tmp_path)
    if literal["status"] == "infeasible":
        with pytest.raises(PlannerError, match="no plan meets every rule"):
            search(case, derived, Names.of(case, derived))
    else:
        best, least = search(case, derived, Names.of(case, derived))
        assert best == pytest.approx(literal["total_usd"], rel=2e-6)
        assert least <= literal["total_usd"] * (1 + 1e-7)
