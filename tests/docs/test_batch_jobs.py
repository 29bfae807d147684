"""docs/batch-jobs.md does what it says: its blocks are run in order, and the lines it shows are printed."""

import pathlib
import re
import shlex

import pytest

from planner.cli import main
from tests.builders.pages import commands_of

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "batch-jobs.md").read_text(encoding="utf-8")
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
        ((command, shown),) = commands_of(body)
        words = shlex.split(command)
        assert words[0] == "planner"
        assert main(words[1:]) == 0, command
        output = " ".join(capsys.readouterr().out.split())
        for line in " ".join(shown).split(" - "):
            assert " ".join(line.removeprefix("- ").split()) in output, f"{command}\n{line}\nis not in\n{output}"
        commands += 1
    assert commands == 4
