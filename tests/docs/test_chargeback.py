"""docs/chargeback.md: its commands run in order and print what it shows; its charges are those of the code."""

import re
import shlex
from pathlib import Path

import pytest

from planner.cli import main
from planner.features.tasks.chargeback import OF_NOBODY, OF_TEAMS
from tests.builders.pages import commands_of

PAGE = (Path(__file__).parents[2] / "docs" / "chargeback.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"\$[\d,.]+")


def shape(line: str) -> str:
    """A line's words without its figures: another version of the solver may find another plan as good."""
    return " ".join(NUMBER.sub("#", line).split())


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (console,) = re.findall(r"^```console\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    ran = commands_of(console)
    for command, shown in ran:
        capsys.readouterr()
        assert main(shlex.split(command)[1:]) == 0
        printed = {shape(line) for line in capsys.readouterr().out.splitlines()}
        assert [line for line in shown if shape(line) not in printed] == [], command
    assert len(ran) == 3
    assert len(ran[-1][1]) > 10


def test_every_charge_is_in_the_table() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \|", PAGE, flags=re.MULTILINE)
    assert [row for row in rows if row != "charge"] == [*OF_TEAMS, *OF_NOBODY]


def test_the_figures_by_hand() -> None:
    assert "7,440 USD" in PAGE
    assert f"{6 * 744:,} USD" in PAGE
    assert f"{2 * 744 + 2 * 744 * 3:,} USD" in PAGE
    assert f"{2 * 744:,} USD are idle" in PAGE
    assert 6 * 744 + 2 * 744 + 2 * 744 * 3 + 2 * 744 == 11904
    assert f"{6 / 8 * 7440:,.0f} USD in all" in PAGE
