"""The README does what it says: its commands are CI's, its Python runs (test_example.py has the plan that it shows)."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_ci_runs_both_commands_tests_first():
    quickstart, tests = (block.strip() for block in SHELL.findall(README))
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("python3 -m venv .venv ")] == [tests, quickstart]


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
