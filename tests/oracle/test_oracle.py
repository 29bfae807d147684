"""planner against the literal oracle, and against optima found elsewhere.

pytest tests/oracle                                     a fixed set of small folders (under a minute)
PLANNER_ORACLE_SEEDS=0..199 pytest tests/oracle         every seed from 0 to 199
"""

import json
import os
from pathlib import Path

import pytest

import planner
from planner.plan.files import write_plan
from tests.oracle.check import check
from tests.oracle.reference import FEATURES, disagreements, recipe, write_random

SMALL = (17, 20, 22, 24, 25, 26, 31, 36, 40, 41, 43, 44, 58, 62, 63, 64, 129, 131, 168, 188, 195, 196)


def seeds() -> list[int]:
    """Seeds to run: one feature each and some that mix them, or those of PLANNER_ORACLE_SEEDS=A..B."""
    asked = os.environ.get("PLANNER_ORACLE_SEEDS")
    if asked is None:
        return [*range(len(FEATURES)), *SMALL]
    first, last = asked.split("..")
    return list(range(int(first), int(last) + 1))


@pytest.mark.parametrize("seed", seeds())
def test_random_folder(seed: int, tmp_path: Path) -> None:
    folder = write_random(tmp_path / "in", seed)
    assert disagreements(folder, tmp_path / "out") == [], recipe(seed)


CASES = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/expected.json"))


@pytest.mark.parametrize("folder", CASES, ids=[path.name for path in CASES])
def test_known_optimum(folder: Path, tmp_path: Path) -> None:
    case = planner.load(folder)
    plan = planner.solve(case, gap=1e-8)
    write_plan(plan, case, tmp_path)
    faults, total, _ = check(folder, tmp_path)
    assert faults == []
    assert total == pytest.approx(json.loads((folder / "expected.json").read_text())["total_usd"], rel=1e-6)


def test_the_check_itself_finds_a_dear_plan(tmp_path: Path) -> None:
    """The harness must be able to fail: a plan at half the demand's cost, or with units missing, is not accepted."""
    folder = write_random(tmp_path / "in", 0)
    case = planner.load(folder)
    write_plan(planner.solve(case), case, tmp_path / "out")
    stated = json.loads((tmp_path / "out" / "plan.json").read_text())
    for row in stated["purchases"]:
        row["units"] *= 0.9
    (tmp_path / "out" / "plan.json").write_text(json.dumps(stated))
    assert check(folder, tmp_path / "out")[0]
