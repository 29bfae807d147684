"""The options that every command which makes a plan shares."""

import argparse
from pathlib import Path

import pytest

from planner.console.arguments import configure_outputs, previous_of, refuse_unusable, write_outputs
from planner.errors import InputError, PlannerError
from planner.plan.files import write_plan
from planner.plan.manifest import TABLES, faults_of_files, files_in
from planner.solver.solve import solve
from planner.workbook.report import Report
from tests import builders
from tests.builders.books import opened, small


def written(folder: Path, *words: str) -> set[str]:
    parser = argparse.ArgumentParser()
    configure_outputs(parser)
    arguments = parser.parse_args(words)
    write_outputs(arguments, Report(small(), previous_of(arguments)), folder)
    return set(files_in(folder)) - set(TABLES)


def test_a_workbook_unless_told_otherwise(tmp_path: Path) -> None:
    def of_people(*words: str) -> set[str]:
        found = written(tmp_path / "a", *words)
        assert faults_of_files(tmp_path / "a") == []
        return {name for name in found if not name.startswith("input/")}

    assert of_people() == {"plan.xlsx"}
    assert of_people("--no-workbook", "--html") == {"plan.html"}  # and the older workbook is gone: it was another run's


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_tables_go_where_they_are_sent(tmp_path: Path, format: str) -> None:
    written(tmp_path / "plan", "--no-workbook", "--export", str(tmp_path / "tables"), "--format", format)
    found = [path.name for path in (tmp_path / "tables").iterdir()]
    assert f"focus_purchases.{format}" in found
    assert all(name.endswith(format) for name in found)


def test_tables_do_not_go_into_the_plan_s_own_directory(tmp_path: Path) -> None:
    refuse_unusable(tmp_path / "plan", tmp_path / "tables")
    for inside in (tmp_path / "plan", tmp_path / "plan" / "tables"):
        with pytest.raises(PlannerError, match="give --export a directory of its own"):
            refuse_unusable(tmp_path / "plan", inside)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "plan.json").write_text("{}")
    with pytest.raises(PlannerError, match=r"holds plan\.json: give --export"):
        refuse_unusable(tmp_path / "plan", tmp_path / "other")


@pytest.mark.parametrize("name", ["plan.yaml", "study.json", "mix.json", "review.json"])
def test_a_plan_does_not_go_where_another_result_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / name).write_text("{}")
    with pytest.raises(PlannerError, match=f"holds {name}, so it is no place for a plan"):
        written(tmp_path / "q", "--no-workbook")


def test_changes_against_the_last_signed_plan(tmp_path: Path) -> None:
    case = builders.case(builders.two_regions(routes=[]))
    write_plan(solve(case), case, tmp_path / "signed")
    written(tmp_path / "now", "--previous", str(tmp_path / "signed"))
    assert f"Against the plan {case.settings.name}" in opened(tmp_path / "now" / "plan.xlsx")["Changes"]["A2"].value


def test_a_plan_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        written(tmp_path, "--previous", str(tmp_path / "nowhere"))
