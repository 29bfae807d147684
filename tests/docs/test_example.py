"""reports/example is what the quickstart's command writes now: files, sheets, words, plan; so is the README's."""

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from openpyxl import load_workbook

from planner.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "reports" / "example"
NUMBER = re.compile(r"-?\$?\d[\d,.]*")
PRINTED = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AGAIN = "run python docs/example.py"


def shape(line: str) -> str:
    """A line's words without its figures: another version of the solver may find another plan as good."""
    return " ".join(NUMBER.sub("#", line).split())


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The directory, and what the terminal said."""
    folder, said = tmp_path_factory.mktemp("reports") / "example", io.StringIO()
    with redirect_stdout(said):
        assert main(["solve", str(ROOT / "data" / "quickstart"), "-o", str(folder), "--html", "--fresh"]) == 0
    return folder, said.getvalue()


@pytest.fixture(scope="module")
def now(written: tuple[Path, str]) -> Path:
    return written[0]


def test_the_same_files(now: Path) -> None:
    assert files(EXAMPLE) == files(now), AGAIN


def test_the_example_is_right() -> None:
    assert main(["verify", str(ROOT / "data" / "quickstart"), str(EXAMPLE)]) == 0, AGAIN


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


def test_the_terminal(written: tuple[Path, str]) -> None:
    kept = (EXAMPLE.parent / "example-terminal.txt").read_text(encoding="utf-8").splitlines()[1:-1]
    assert unsaid(kept, written[1]) == [], AGAIN


def test_the_plan_that_the_readme_shows(written: tuple[Path, str]) -> None:
    (then,) = PRINTED.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(heads(then.splitlines())) > 10
    assert unsaid(then.splitlines(), written[1]) == [], f"{AGAIN}, then docs/generate.py"
    total = re.compile(r"The plan costs \$([\d,]+)")
    told, found = (float(total.search(text)[1].replace(",", "")) for text in (then, written[1]))  # type: ignore[index]
    assert told == pytest.approx(found, rel=2e-4)  # each within the gap asked, 1e-4


def heads(lines: list[str]) -> list[str]:
    """Lines without figures: headings and words."""
    return [line for line in lines if not NUMBER.search(line) and not line.startswith(("- ", "─"))]


def unsaid(kept: list[str], said: str) -> list[str]:
    shown = {shape(line) for line in said.splitlines()}
    return [line for line in heads(kept) if shape(line) not in shown]
