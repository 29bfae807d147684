"""docs/resolve.md does what it says: its blocks are run in order, and the lines it shows are printed."""

import pathlib
import re
import shlex

import pytest

from planner.cli import main
from planner.features.resolve.causes import CAUSES
from planner.features.resolve.changes import CAUSE_NAMES
from tests.builders.pages import commands_of

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "resolve.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_example_in_order(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    commands = 0
    for kind, body in BLOCK.findall(PAGE):
        if kind == "python":
            exec(body, names)
            continue
        for command, shown in commands_of(body):
            words = shlex.split(command)
            assert words[0] == "planner"
            assert main(words[1:]) == 0, command
            output = capsys.readouterr().out
            lines = [line.rstrip() for line in output.splitlines()]
            for line in shown:
                assert line in lines, f"{command}\n{line}\nis not in\n{output}"
            commands += 1
    assert commands == 5
    assert main(["verify", "q2-plan/input", "q2-plan"]) == 0


def test_every_cause_is_explained() -> None:
    told = re.findall(r"^\| (.*?) \|", PAGE.split("## Causes")[1].split("\n\n")[2], re.MULTILINE)[2:]
    assert told == [CAUSE_NAMES[cause][0] for cause in CAUSES]
