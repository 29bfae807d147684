"""docs/offers.md does what it says: its files are written, its commands run, the lines it shows are in their output."""

import pathlib
import re
import shlex

import pytest

from planner.cli import main

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "offers.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def grep(words, folder):
    """Lines of a file that hold one of the texts."""
    wanted = [word for word in words[:-1] if word != "-e"]
    lines = (folder / words[-1]).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if any(text in line for text in wanted))


def test_page_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ran = 0
    for kind, name, body in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "yaml":
            (tmp_path / name).write_text(body, encoding="utf-8")
            continue
        assert kind == "console"
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            words = shlex.split(command)
            if words[0] == "grep":
                output = grep(words[1:], tmp_path)
            else:
                assert words[0] == "planner"
                assert main(words[1:]) == 0, command
                output = capsys.readouterr().out
            place = 0
            for line in shown:
                place = output.find(line, place)
                assert place >= 0, f"{command}\n{line}\nis not in\n{output}"
                place += len(line)
            ran += 1
    assert ran >= 15


@pytest.mark.parametrize("folder", ["quickstart"])
def test_example_folder_is_priced_with_its_sources(folder):
    """Every price row of an example names its source and its day."""
    from planner.readers import load

    case = load(PAGE.parents[1] / "data" / folder)
    for table in ("pools", "throughput", "offers", "on_demand", "routes"):
        assert all(row.source and row.as_of for row in case.rows(table)), table
