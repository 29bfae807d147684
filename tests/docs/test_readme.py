"""The README does what it says: its commands are CI's, its Python runs, what it prints is what the terminal prints."""

import pathlib
import re

import pytest

from planner.cli import main

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
NUMBER = re.compile(r"-?\$?\d[\d,.]*")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def shape(line):
    """Return a line's words without its figures: another version of the solver may find another plan as good."""
    return " ".join(NUMBER.sub("#", line).split())


def test_ci_runs_both_commands_tests_first():
    quickstart, tests = (block.strip() for block in SHELL.findall(README))
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("python3 -m venv .venv ")] == [tests, quickstart]


def test_the_printed_plan(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["solve", str(ROOT / "data" / "quickstart"), "--no-workbook", "--fresh"]) == 0
    now = capsys.readouterr().out
    (then,) = PRINTED.findall(README)
    tables = {shape(line) for line in now.splitlines()}
    heads = [line for line in then.splitlines() if not NUMBER.search(line) and not line.startswith(("- ", "─"))]
    assert len(heads) > 10
    assert [line for line in heads if shape(line) not in tables] == [], (
        "run python docs/example.py, then docs/generate.py"
    )
    total = re.compile(r"The plan costs \$([\d,]+)")
    told, found = (float(total.search(text)[1].replace(",", "")) for text in (then, now))
    assert told == pytest.approx(found, rel=2e-4)  # each within the gap asked, 1e-4


def test_the_python(tmp_path, capsys, monkeypatch):
    (code,) = PYTHON.findall(README)
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    small = code.replace("data/quickstart", str(ROOT / "planner" / "readers" / "starter"))
    exec(compile(small, "README.md", "exec"), {})
    assert {path.name for path in (tmp_path / "reports" / "mine").iterdir()} >= {"plan.json", "plan.xlsx"}
    assert "offer" in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
