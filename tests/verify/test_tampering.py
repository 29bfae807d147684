"""Whatever is edited in a finished plan is found, by itself or with every digest and total made to fit."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

import planner
from planner.cli import main
from planner.errors import InputError, PlannerError
from planner.features.ledger.accept import Signature, accept
from planner.io.digest import sealed
from planner.plan.files import read_plan
from planner.plan.manifest import digests_in
from planner.plan.plan import Plan
from planner.plan.pricing import price
from planner.solver.find import Options
from planner.solver.solve import audited, solve
from planner.verify.verification import verify
from tests.builders import case as case_of
from tests.builders import profile, two_regions, write_folder

# 11 units or none hold the 10 requests an hour of each region at 744 USD a unit: 16,368 USD; 10 units of any size would
# do, so what is proved is 14,880
DAY = [2.5] * 8 + [10.0] * 16
ROWS = two_regions(
    demand=[row for r in ("east", "west") for row in profile(r, "w", DAY)],
    offers=[{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "min_units": 11, "unit_step": 1}
            for r in ("east", "west")],
    routes=[],
)  # fmt: skip


@pytest.fixture(scope="module")
def case() -> Any:
    return case_of(ROWS, whole_units=True)


@pytest.fixture(scope="module")
def plan_as_written(case: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "q"
    planner.write_plan(planner.metrics_of(case, solve(case)), folder)
    assert verify(case, folder).findings == []
    return folder


@pytest.fixture
def folder(plan_as_written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plan_as_written, tmp_path / "q"))


def edited(folder: Path, change: Callable[[dict[str, Any]], Any], fit: bool) -> None:
    """Edit plan.json; ``fit``: list the digests of the files as they are now, and seal it again."""
    path = folder / "plan.json"
    found = json.loads(path.read_text())
    change(found)
    text = json.dumps(found, indent=2)
    if fit:
        del found["sha256"]
        found["files"] = digests_in(folder)
        text = sealed(json.dumps(found, indent=2) + "\n")
    path.write_text(text)


def offer(folder: Path) -> None:
    path = folder / "input" / "offers.csv"
    path.write_text(path.read_text().replace("1.0", "1.1"))


def rents(folder: Path) -> None:
    path = folder / "rents.parquet"
    table = pd.read_parquet(path)
    table["usd_per_unit"] *= 1.5
    table.to_parquet(path)


EDITS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("name", lambda f: f.update(name="another")),
    ("status", lambda f: f.update(status="gap")),
    ("bound raised to the cost", lambda f: f.update(bound_usd=f["total_usd"], gap=0.0)),
    ("bound and gap", lambda f: f.update(bound_usd=15_000.0, gap=1 - 15_000 / 16_368)),
    ("gap alone", lambda f: f.update(gap=0.5)),
    ("the search's bound above the cost", lambda f: f.update(tree_bound_usd=2 * f["total_usd"])),
    ("no share", lambda f: f.update(gap_asked=7)),
    ("words of the proof", lambda f: f.update(proof="proved beyond doubt")),
    ("a figure", lambda f: f["summary"].update(coverage=0.99)),
    ("a word of a figure", lambda f: f["summary"]["strategies"][0].update(strategy="all for free")),
    ("a caution left out", lambda f: f["summary"].update(cautions=["buy at once"])),
    ("a key more", lambda f: f.update(approved_by="the board")),
    ("units", lambda f: f["purchases"][0].update(units=99)),
    ("dollars", lambda f: f["purchases"][0].update(usd=1)),
    ("an offer", lambda f: f["purchases"][0].update(offer="west-m-1m")),
    ("a purchase left out", lambda f: f["purchases"].pop()),
    ("deployed units", lambda f: f["deployments"][0].update(units=1)),
    ("digest of the input", lambda f: f.update(input_digest="0" * 64)),
]  # fmt: skip


@pytest.mark.parametrize("fit", [False, True], ids=["alone", "made to fit"])
@pytest.mark.parametrize("change", [e[1] for e in EDITS], ids=[e[0] for e in EDITS])
def test_an_edit_of_plan_json_is_found(case: Any, folder: Path, change: Callable[[Any], Any], fit: bool) -> None:
    edited(folder, change, fit)
    assert verify(case, folder).findings != []


def test_figures_that_are_left_out_are_missed_beside_a_workbook(case: Any, tmp_path: Path) -> None:
    planner.write_plan(planner.metrics_of(case, solve(case)), tmp_path / "q", workbook=True)
    edited(tmp_path / "q", lambda f: f.update(summary={}), fit=True)
    assert any("summary is missing" in f.message for f in verify(case, tmp_path / "q").findings)


@pytest.mark.parametrize("fit", [False, True], ids=["alone", "made to fit"])
@pytest.mark.parametrize("change", [offer, rents])
def test_an_edit_of_another_file_is_found(case: Any, folder: Path, change: Callable[[Path], None], fit: bool) -> None:
    change(folder)
    if fit:
        edited(folder, lambda f: None, fit)
    assert verify(case, folder).findings != []


@pytest.mark.parametrize("name", ["plan.html", "input/notes.csv", "extra/more.txt"])
def test_a_file_that_was_added_is_found_and_one_of_an_editor_is_none(case: Any, folder: Path, name: str) -> None:
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "~$plan.xlsx").write_bytes(b"x")
    assert verify(case, folder).findings == []
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("added")
    assert any("was added later" in f.message for f in verify(case, folder).findings) or "input" in name


@pytest.mark.parametrize("name", ["notes.txt", "input/notes.md"])
def test_a_file_that_no_plan_has_is_found_though_it_is_listed(case: Any, folder: Path, name: str) -> None:
    (folder / name).write_text("added")
    edited(folder, lambda f: None, fit=True)
    assert any("no plan has such a file" in f.message for f in verify(case, folder).findings)


@pytest.mark.parametrize("name", ["dispatch", "stress", "rents", "certificate"])
@pytest.mark.parametrize("column", ["note", "usd_per_unit", "supply"])
def test_a_column_that_no_plan_has_is_found_though_the_file_is_listed(folder: Path, name: str, column: str) -> None:
    """Also one that stands there twice: whoever reads the other would see another plan."""
    path = folder / f"{name}.parquet"
    table = pq.read_table(path)
    table = table.append_column(column, pa.array(["x"] * len(table)))
    pq.write_table(table, path)
    edited(folder, lambda f: None, fit=True)
    with pytest.raises(InputError, match="no plan has such a column"):
        read_plan(folder)


@pytest.mark.parametrize("value", [-62.0, 168.0, 57.5, 1e300, np.inf, np.nan], ids=str)
@pytest.mark.parametrize("name", ["dispatch", "stress", "rents", "certificate"])
def test_an_hour_that_no_week_has_is_found_and_is_no_error_of_planner(folder: Path, name: str, value: float) -> None:
    path = folder / f"{name}.parquet"
    table = pd.read_parquet(path)
    table["hour_of_week"] = table["hour_of_week"].astype(float)
    table.loc[table.index[table["hour_of_week"].notna()][0], "hour_of_week"] = value
    table.to_parquet(path)
    edited(folder, lambda f: None, fit=True)
    blank = name == "stress" and np.isnan(value)  # there, a row without an hour is a flow
    with pytest.raises(InputError, match="neither|hour of a group" if blank else "hour_of_week: holds other numbers"):
        read_plan(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["plan.json", "dispatch.parquet", "plan.xlsx", "signatures.json", "input/offers.csv"])
def test_nobody_waits_for_a_pipe_in_the_place_of_a_file(folder: Path, name: str) -> None:
    path = folder / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    listed = json.loads((folder / "plan.json").read_text()) if name != "plan.json" else None
    if listed is not None:
        listed["files"].setdefault(name, "0" * 64)
        (folder / "plan.json").write_text(json.dumps(listed))
    said = subprocess.run([sys.executable, "-m", "planner.cli", "verify", str(folder / "input"), str(folder)],
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert said.returncode == 1
    assert "pipe" in said.stdout or "file" in said.stdout + said.stderr


def test_a_value_where_none_belongs_is_found(folder: Path) -> None:
    path = folder / "stress.parquet"
    table = pd.read_parquet(path)
    row = table.index[table["hour_of_week"].notna()][0]
    table.loc[row, "origin"] = "east"
    table.to_parquet(path)
    edited(folder, lambda f: None, fit=True)
    with pytest.raises(PlannerError, match="both an hour of a group and a flow"):
        read_plan(folder)


@pytest.mark.parametrize(("name", "words"), [("stress.parquet", "listed twice"), ("certificate.parquet", "only some")])
def test_a_row_twice_and_a_name_that_says_nothing_are_found(case: Any, folder: Path, name: str, words: str) -> None:
    path = folder / name
    table = pd.read_parquet(path)
    if name == "stress.parquet":
        table = pd.concat([table, table[table["hour_of_week"].notna()].head(1)])
    else:
        row = table.index[table["kind"] == "rent"][0]
        table["region"] = table["region"].astype(object)
        table.loc[row, "region"] = "east"
    table.to_parquet(path)
    edited(folder, lambda f: None, fit=True)
    assert any(words in f.message for f in verify(case, folder).findings)


def test_a_key_twice_is_no_plan(folder: Path) -> None:
    path = folder / "plan.json"
    path.write_text(path.read_text().replace('"status":', '"status": "gap",\n  "status":', 1))
    with pytest.raises(PlannerError, match="'status' appears twice"):
        read_plan(folder)


def needless(case: Any, plan: Plan) -> Plan:
    """The plan with two more units, every total priced anew, and every claim made to fit."""
    bought = plan.purchases.assign(units=plan.purchases["units"] + 1.0)
    bought["usd"] = bought["units"] * 744.0
    deployed = plan.deployments.assign(units=plan.deployments["units"] + 1.0)
    totals = price(case, bought, deployed, plan.dispatch)
    total, proof = totals.total_usd, plan.proof
    proof = replace(proof, gap=max(0.0, 1 - proof.bound_usd / total), tree_bound_usd=total, tree_gap=0.0)
    return replace(plan, purchases=bought, deployments=deployed, totals=totals, proof=proof)


def test_needless_units_are_told_in_dollars_and_found_by_a_second_search(
    case: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two units more at 744 USD: what is proved says so, and the search's bound, made to fit, changes nothing."""
    plan = solve(case)
    planner.write_plan(planner.metrics_of(case, needless(case, plan)), tmp_path / "q")
    verdict = verify(case, tmp_path / "q")
    assert verdict.above_best_usd == pytest.approx(2 * 744 + 16_368 - 14_880)
    write_folder(ROWS, tmp_path / "in", whole_units=True)
    assert main(["verify", str(tmp_path / "in"), str(tmp_path / "q")]) == 0
    said = capsys.readouterr().out
    assert "at most 2,976.00 USD" in said.splitlines()[1]
    assert "right" not in said
    assert main(["verify", str(tmp_path / "in"), str(tmp_path / "q"), "--deep"]) == 1
    said = capsys.readouterr().out
    assert "the plan costs 1,488.00 USD more than it need" in said
    assert "tree_bound_usd" in said


@pytest.mark.parametrize("change", [e[1] for e in EDITS[2:4]], ids=[e[0] for e in EDITS[2:4]])
def test_a_bound_that_is_not_proved_is_not_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Any], Any]
) -> None:
    """A plan dearer than its bound, whose bound_usd is set to the cost, digests and all."""
    write_folder(ROWS, tmp_path / "in", whole_units=True)
    case = planner.load(tmp_path / "in")
    planner.write_plan(planner.metrics_of(case, solve(case)), tmp_path / "q")
    assert read_plan(tmp_path / "q").proof.gap == pytest.approx(1 - 14_880 / 16_368)
    edited(tmp_path / "q", change, fit=True)
    assert main(["accept", str(tmp_path / "q"), "--by", "Ada"]) == 1
    assert "bound_usd says" in capsys.readouterr().err
    assert not (tmp_path / "ledger.jsonl").exists() or (tmp_path / "ledger.jsonl").read_bytes() == b""


@pytest.mark.parametrize("change", [e[1] for e in EDITS], ids=[e[0] for e in EDITS])
def test_what_verify_refuses_is_not_signed(folder: Path, change: Callable[[Any], Any]) -> None:
    edited(folder, change, fit=True)
    with pytest.raises(PlannerError):
        accept(folder, folder.parent / "ledger.jsonl", Signature("Ada", dt.date(2026, 12, 20)))
    assert not (folder / "signatures.json").exists()


def test_a_kept_answer_that_was_edited_proves_nothing(case: Any, tmp_path: Path) -> None:
    true = solve(case, store=tmp_path)
    for path in tmp_path.glob("*.npz"):
        with np.load(path) as data:
            arrays = {name: data[name] for name in data.files}
        arrays["bound_usd"] = arrays["bound_usd"] * 1.15
        arrays["usd"] = arrays["usd"] * 1.15
        np.savez(path, **arrays)
    found = audited(case, Options(store=tmp_path)).plan
    assert found.proof.bound_usd <= true.totals.total_usd * (1 + 1e-9)
    assert found.totals == true.totals
