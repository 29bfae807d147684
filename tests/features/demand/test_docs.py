"""docs/demand.md does what it says: its example is written and run, the lines it shows are in the output."""

import pathlib
import re
import shlex

import pytest
import yaml

from planner.cli import main
from planner.features.demand.history import COLUMNS
from planner.features.demand.names import NameMap

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "demand.md"
BLOCK = re.compile(r"^```(python|console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind):
    return [body for found, body in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if found == kind]


def test_the_example_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[0], {})
    (commands,) = blocks("console")
    parts = re.split(r"^\$ ", commands, flags=re.MULTILINE)[1:]
    assert len(parts) == 8
    for part in parts:
        command, *shown = part.rstrip("\n").split("\n")
        words = shlex.split(command)
        assert words[0] == "planner"
        assert main(words[1:]) == 0, command
        output = capsys.readouterr().out
        for line in shown:
            assert line in output, f"{command}\n{line}\nis not in\n{output}"
    named = re.search(r"`plan` now holds (.*?) \(see", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert named is not None
    held = {path.name for path in (tmp_path / "plan").iterdir() if path.is_file()}
    assert set(re.findall(r"`([\w.]+)`", named[1])) == held


def test_the_maps_are_maps():
    for body in blocks("yaml"):
        NameMap.model_validate(yaml.safe_load(body))


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_the_history_is_explained(column):
    assert f"`{column}`" in PAGE.read_text(encoding="utf-8")
