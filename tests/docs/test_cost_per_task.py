"""docs/cost-per-task.md: its commands run in order, and print what it shows; its Python runs."""

import pathlib
import re
import shlex
import shutil

import pytest

import planner
from planner.cli import main
from planner.plan.finished import load_finished

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cost-per-task.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(console|csv (\S+))\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-+]?\$?\d[\d,.]*(e-\d+)?")


def shape(line):
    """Return a line's words without its figures: another version of the solver may find another plan as good."""
    return " ".join(NUMBER.sub("#", line).split())


def run(command):
    """Do a line of the page; commands other than planner's are few."""
    words = shlex.split(command)
    if words[0] == "cp":
        shutil.copytree(words[2], words[3])
        return
    assert words[0] == "planner"
    assert main(words[1:]) == 0


def test_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ran = 0
    for kind, path, body in BLOCK.findall(PAGE):
        if kind != "console":
            assert pathlib.Path(path).read_text(encoding="utf-8") != body
            pathlib.Path(path).write_text(body, encoding="utf-8")
            continue
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            capsys.readouterr()
            run(command)
            printed = {shape(line) for line in capsys.readouterr().out.splitlines()}
            assert [line for line in shown if shape(line) not in printed] == [], command
            ran += 1
    assert ran == 8
    assert {path.name for path in (tmp_path / "plans" / "mix").iterdir()} == {"mix.json", "mix.csv", "mix.xlsx"}

    finished = load_finished("plans/before")
    (code,) = PYTHON.findall(PAGE)
    exec(compile(code, "cost-per-task.md", "exec"), {"case": finished.case, "plan": finished.plan})
    told = capsys.readouterr().out
    assert "usd_per_task" in told
    assert "support: a task costs" in told


def test_what_it_says_of_adding_up(tmp_path):
    case = planner.load(ROOT / "planner" / "readers" / "starter")
    plan = planner.solve(case)
    table = planner.metrics_of(case, plan).tasks.table
    assert table["total_usd"].sum() == pytest.approx(plan.totals.total_usd, abs=0.005)
