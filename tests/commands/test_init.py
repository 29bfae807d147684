"""`planner init`: a starter that is valid, whole, and never overwrites anything."""

import pytest

from planner.cli import main
from planner.plan.warnings import warnings_of
from planner.readers import load
from planner.schema.case import TABLES


def test_the_starter_folder_is_valid_and_explained(tmp_path, capsys):
    folder = tmp_path / "deep" / "mine"
    assert main(["init", str(folder)]) == 0
    assert f"planner check {folder}" in capsys.readouterr().out
    assert {caution.code for caution in warnings_of(load(folder))} == {
        "example-rows"
    }  # until figures of your own stand there
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for table in TABLES:
        assert f"`{table.name}.csv`" in readme
        not_here = ("scenarios", "spend_commitments", "price_factors")
        assert (folder / f"{table.name}.csv").exists() == (table.name not in not_here)


def test_the_starter_workbook_is_the_same_case(tmp_path):
    assert main(["init", str(tmp_path / "mine")]) == 0
    assert main(["init", str(tmp_path / "mine"), "--xlsx"]) == 0
    assert load(tmp_path / "mine.xlsx").digest == load(tmp_path / "mine").digest


@pytest.mark.parametrize("options", [[], ["--xlsx"]])
def test_nothing_is_overwritten(options, tmp_path, capsys):
    target = tmp_path / ("mine.xlsx" if options else "mine")
    if options:
        target.write_text("my work")
    else:
        target.mkdir()
        (target / "notes.txt").write_text("my work")
    before = sorted(p.name for p in tmp_path.rglob("*"))
    assert main(["init", str(target), *options]) == 1
    assert "nothing is overwritten" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.rglob("*")) == before
    assert (target if options else target / "notes.txt").read_text() == "my work"


def test_an_empty_folder_will_do_and_a_file_will_not(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    assert main(["init", str(tmp_path / "mine")]) == 0
    (tmp_path / "file").write_text("x")
    assert main(["init", str(tmp_path / "file")]) == 1
    assert "is a file; name a new folder" in capsys.readouterr().err
