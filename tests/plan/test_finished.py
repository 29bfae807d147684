"""A finished plan and its input, read back from the plan's directory."""

import json
from pathlib import Path

import pytest

import planner
from planner.errors import InputError
from planner.io.digest import sealed
from planner.plan.files import write_input, write_plan
from planner.plan.finished import load_finished
from planner.plan.manifest import INPUT, PLAN
from planner.plan.plan import Plan
from planner.readers.starter import STARTER
from planner.solver.solve import solve
from tests import builders
from tests.oracle.reference import write_random


def starter_plan(folder: Path) -> Plan:
    case = planner.load(STARTER)
    plan = solve(case)
    write_plan(plan, case, folder, {})
    return plan


def test_returns_an_equal_case(tmp_path: Path) -> None:
    plan = starter_plan(tmp_path)
    found = load_finished(tmp_path)
    assert found.case.digest == plan.input_digest
    assert found.case.settings == planner.load(STARTER).settings
    assert found.plan.totals.total_usd == pytest.approx(plan.totals.total_usd, rel=1e-11)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_an_input_without_demand_returns(tmp_path: Path) -> None:
    """A table without rows is a fault of an input; what was planned of one whose every hour is 0 is read back."""
    case = builders.case(builders.tables(demand=[]))
    write_plan(solve(case), case, tmp_path, {})
    assert load_finished(tmp_path).case.digest == case.digest
    assert planner.load(tmp_path / INPUT).demand.empty


def test_writing_again_replaces_the_snapshot(tmp_path: Path) -> None:
    starter_plan(tmp_path)
    (tmp_path / INPUT / "stray.csv").write_text("left,over\n")
    starter_plan(tmp_path)
    assert not (tmp_path / INPUT / "stray.csv").exists()
    load_finished(tmp_path)


def test_a_changed_input_is_caught(tmp_path: Path) -> None:
    starter_plan(tmp_path)
    path = tmp_path / INPUT / "plan.yaml"
    path.write_text(path.read_text().replace("headroom: 0.3", "headroom: 0.2"))
    with pytest.raises(InputError, match="not the input that the plan was made from"):
        load_finished(tmp_path)


def test_faults_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        load_finished(tmp_path / "nowhere")
    starter_plan(tmp_path)
    path = tmp_path / INPUT / "pools.csv"
    path.write_text(path.read_text().replace("pool,", "puul,", 1))
    with pytest.raises(InputError, match=r"input.*pools\.csv"):
        load_finished(tmp_path)


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("purchases", {"offer": "other"}, "offer other"),
        ("purchases", {"period": None}, "purchases"),
        ("deployments", {"pool": "other"}, "pool other"),
        ("deployments", {"units": -5}, "deployments"),
    ],
)
def test_names_that_the_input_does_not_know_are_told_even_under_a_seal_that_fits(
    tmp_path: Path, table: str, change: dict[str, object], words: str
) -> None:
    starter_plan(tmp_path)
    told = json.loads((tmp_path / PLAN).read_text(encoding="utf-8"))
    del told["sha256"]
    told[table][0].update(change)
    (tmp_path / PLAN).write_text(sealed(json.dumps(told, indent=2)), encoding="utf-8")
    with pytest.raises(InputError, match=f"was changed: .*{words}"):
        load_finished(tmp_path)


@pytest.mark.parametrize("seed", [3, 6, 20, 21, 22])
def test_every_feature_returns(tmp_path: Path, seed: int) -> None:
    case = planner.load(write_random(tmp_path / "in", seed))
    (tmp_path / "out").mkdir()
    write_input(case, tmp_path / "out" / INPUT)
    assert planner.load(tmp_path / "out" / INPUT).digest == case.digest
