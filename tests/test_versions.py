"""Names and versions: what a bug report shows is what the project asks for."""

import re
import tomllib
from pathlib import Path

import pytest

import planner
from planner.cli import main
from planner.versions import DISTRIBUTION, OPTIONAL, REQUIRED, VERSION, versions

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=]", text)[0] for text in requirements}


def test_every_requirement_is_listed() -> None:
    assert PROJECT["name"] == DISTRIBUTION
    assert set(REQUIRED) == names(PROJECT["dependencies"])
    extras = PROJECT["optional-dependencies"]
    assert set(OPTIONAL) == names(extras["demand"] + extras["spark"] + extras["bench"]) - {DISTRIBUTION}


def test_versions_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    planner.show_versions()
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert shown == versions()
    assert shown["planner"] == VERSION
    assert re.fullmatch(r"[\d.]+", shown["highspy"])


def test_the_command_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"planner {VERSION}\n"
