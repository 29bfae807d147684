"""The second opinion of `planner verify --deep` against the literal model."""

from pathlib import Path

import pytest

from planner.errors import PlannerError
from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.readers import load
from planner.verify.deep import relaxed_optimum_usd
from tests.oracle.generate import generate
from tests.oracle.oracle import optimum


@pytest.mark.parametrize("seed", range(4))
def test_the_relaxed_optimum_is_the_literal_models(seed: int, tmp_path: Path) -> None:
    features = ["terms", "pools", "meters", "commitments", "scenarios", "quota", "egress", "mix", "unreserved", "cache",
                "budget", "guaranteed", "residency"][seed::4]  # fmt: skip
    size = {"regions": 2, "workloads": 2, "months": 1 + seed % 2}
    generate(tmp_path, seed, **size, features=features)
    case = load(tmp_path)
    derived = Derived.of(case)
    literal = optimum(tmp_path, integer=False)
    if literal["status"] == "infeasible":
        with pytest.raises(PlannerError, match="no plan meets every rule"):
            relaxed_optimum_usd(case, derived, Names.of(case, derived))
    else:
        ours = relaxed_optimum_usd(case, derived, Names.of(case, derived))
        assert ours == pytest.approx(literal["total_usd"], rel=1e-7)
