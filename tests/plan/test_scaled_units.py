"""Units that run by the hour: a table of them that was changed is found."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from planner.plan.audit import audit
from planner.plan.files import read_plan, write_plan
from planner.solver.solve import solve
from planner.verify.verification import verify
from tests.builders.solved import solved

CASE = next(each.case for each in solved() if each.family == "start")
LIMITED = next(each.case for each in solved() if each.family == "scaled_limit")


def test_units_are_kept_warm() -> None:
    plan = solve(CASE, workers=1)
    assert plan.scaled_units["hour_of_week"].tolist() == [0, 1, 2]
    assert plan.scaled_units["units"].tolist() == pytest.approx([10.0, 10.0, 10.0])
    assert plan.totals.scaled_usd == pytest.approx(10 * 5 * 31 / 7)


@pytest.mark.parametrize(
    ("change", "rule"), [({"units": 5.0}, "reserved"), ({"units": 20.0}, "totals"), ({"pool": "east"}, "names")]
)
def test_a_changed_table_is_found(change: dict[str, object], rule: str) -> None:
    plan = solve(CASE, workers=1)
    assert audit(CASE, plan) == []
    wrong = replace(plan, scaled_units=plan.scaled_units.assign(**change))
    assert rule in {finding.rule for finding in audit(CASE, wrong)}


def test_more_units_than_may_run_are_found() -> None:
    plan = solve(LIMITED, workers=1)
    wrong = replace(plan, scaled_units=plan.scaled_units.assign(units=7.0))
    assert any("at most 6 may" in finding.message for finding in audit(LIMITED, wrong))


def test_a_tampered_file_is_caught_by_verify(tmp_path: Path) -> None:
    plan = solve(CASE, workers=1)
    write_plan(plan, CASE, tmp_path / "plan")
    assert read_plan(tmp_path / "plan").scaled_units["units"].tolist() == pytest.approx([10.0, 10.0, 10.0])
    assert verify(CASE, tmp_path / "plan").findings == []
    path = tmp_path / "plan" / "scaled_units.parquet"
    pd.read_parquet(path).assign(units=5.0).to_parquet(path)
    assert {"files", "reserved"} <= {finding.rule for finding in verify(CASE, tmp_path / "plan").findings}
