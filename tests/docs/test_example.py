"""reports/example is what the quickstart's command writes now: the same files, sheets, words, and plan."""

import json
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from planner.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "reports" / "example"
NUMBER = re.compile(r"-?\$?\d[\d,.]*")
AGAIN = "run python docs/example.py"


def shape(line: str) -> str:
    """A line's words without its figures: another version of the solver may find another plan as good."""
    return " ".join(NUMBER.sub("#", line).split())


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports") / "example"
    assert main(["solve", str(ROOT / "data" / "quickstart"), "-o", str(folder), "--html", "--fresh"]) == 0
    return folder


def test_the_same_files(now: Path) -> None:
    assert files(EXAMPLE) - {"terminal.txt"} == files(now), AGAIN


def test_the_same_plan_within_the_gap(now: Path) -> None:
    then, found = (json.loads((folder / "plan.json").read_text(encoding="utf-8")) for folder in (EXAMPLE, now))
    assert then["input_digest"] == found["input_digest"], AGAIN
    assert then["total_usd"] == pytest.approx(found["total_usd"], rel=2e-4), AGAIN
    assert then["bound_usd"] == pytest.approx(found["bound_usd"], rel=1e-6), AGAIN
    assert then.keys() == found.keys(), AGAIN


def test_the_same_sheets_with_the_same_headers(now: Path) -> None:
    then, found = (load_workbook(folder / "plan.xlsx", read_only=True) for folder in (EXAMPLE, now))
    assert then.sheetnames == found.sheetnames, AGAIN
    for name in then.sheetnames:
        tops = ([shape(str(row[0] or "")) for row in book[name].iter_rows(max_row=4, max_col=1, values_only=True)]
                for book in (then, found))  # fmt: skip
        assert next(tops) == next(tops), f"{name}: {AGAIN}"


def test_the_same_headings_on_the_page(now: Path) -> None:
    headings = [re.findall(r"<h2>(.*?)</h2>", (folder / "plan.html").read_text(encoding="utf-8"))
                for folder in (EXAMPLE, now)]  # fmt: skip
    assert [shape(line) for line in headings[0]] == [shape(line) for line in headings[1]], AGAIN


def test_the_terminal(now: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", str(ROOT / "data" / "quickstart"), "-o", str(now), "--no-workbook"]) == 0
    shown = {shape(line) for line in capsys.readouterr().out.splitlines()}
    kept = (EXAMPLE / "terminal.txt").read_text(encoding="utf-8").splitlines()[1:-1]
    heads = [line for line in kept if not NUMBER.search(line) and not line.startswith(("- ", "─"))]
    assert [line for line in heads if shape(line) not in shown] == [], AGAIN
