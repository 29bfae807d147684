"""The options that every command which makes a plan shares."""

import argparse
from pathlib import Path

import pytest

from planner.console.outputs import configure_outputs, previous_of, write_outputs
from planner.errors import InputError
from planner.plan.files import write_plan
from planner.plan.metrics import summary_of
from planner.workbook.report import Report
from tests.builders.books import opened, small


def written(folder: Path, *words: str) -> set[str]:
    parser = argparse.ArgumentParser()
    configure_outputs(parser)
    arguments = parser.parse_args(words)
    write_outputs(arguments, Report(small(), previous_of(arguments)), folder)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_workbook_unless_told_otherwise(tmp_path: Path) -> None:
    assert written(tmp_path / "a") == {"plan.xlsx"}
    assert written(tmp_path / "b", "--no-workbook", "--html") == {"plan.html"}


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_tables_go_where_they_are_sent(tmp_path: Path, format: str) -> None:
    found = written(tmp_path, "--no-workbook", "--export", str(tmp_path / "tables"), "--format", format)
    assert f"tables/focus_purchases.{format}" in found
    assert all(name.endswith(format) for name in found)


def test_changes_against_the_last_signed_plan(tmp_path: Path) -> None:
    metrics = small()
    write_plan(metrics.reading.plan, metrics.reading.case, tmp_path / "signed", summary_of(metrics))
    written(tmp_path / "now", "--previous", str(tmp_path / "signed"))
    assert "Against the plan tiny" in opened(tmp_path / "now" / "plan.xlsx")["Changes"]["A2"].value


def test_a_plan_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        written(tmp_path, "--previous", str(tmp_path / "nowhere"))
