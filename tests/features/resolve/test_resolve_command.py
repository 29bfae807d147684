"""`planner resolve` on the command line: what it prints and writes, what it refuses."""

import json
import math
import pathlib
import re
from typing import Any

import pytest

from planner.cli import main
from tests import builders
from tests.builders.books import opened

OFFERS = [{"offer": "year", "pool": "west-m", "usd_per_unit_hour": 1.0, "term_months": 12, "unit_step": 1}]
PLAN_FILES = (pathlib.Path(__file__).parents[3] / "docs" / "plan-files.md").read_text(encoding="utf-8")


def folder(path: pathlib.Path, requests: float, usd_per_mtok: float = 50_000.0, **options: Any) -> pathlib.Path:
    tables = builders.tables(demand=builders.profile("west", "w", requests), offers=OFFERS)
    tables["on_demand"][0]["usd_per_mtok_input"] = usd_per_mtok
    return builders.write_folder(tables, path, whole_units=True, **options)


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    root = tmp_path_factory.mktemp("last")
    target = root / "plan"
    assert main(["solve", str(folder(root / "in", 10.0)), "-o", str(target), "--no-workbook"]) == 0
    return target


def test_it_tells_lines_and_causes_and_writes_them(
    last: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # 10 units become 12 as demand grows; the dearer on demand is not used, so its price moves nothing
    now = folder(tmp_path / "in", 12.0, 60_000.0)
    target = tmp_path / "plan"
    assert main(["resolve", str(now), "--against", str(last), "-o", str(target)]) == 0
    text = capsys.readouterr().out
    assert "The last plan costs $7,440.00, this one $8,928.00: $1,488.00 (20.0 %) more." in text
    assert re.search(r"year +west +2027-01-01 +10 +12 +\+2 +more", text)
    assert re.search(r"Demand: volume +\$1,488.00", text)
    assert re.search(r"Prices: on demand +\$0.00", text)
    assert "4 combinations of old and new" in " ".join(text.split())
    told = json.loads((target / "changes.json").read_text(encoding="utf-8"))
    assert {tuple(c["causes"]): c["usd"] for c in told["causes"]} == {
        ("volume",): pytest.approx(1488),
        ("on_demand_prices",): pytest.approx(0, abs=1e-6),
    }
    assert told["input_digest"] == json.loads((target / "plan.json").read_text(encoding="utf-8"))["input_digest"]
    part = PLAN_FILES.split("## changes.json")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == list(told)
    assert main(["verify", str(now), str(target)]) == 0


def test_the_sheet_adds_up_by_formula(last: pathlib.Path, tmp_path: pathlib.Path) -> None:
    now, target = folder(tmp_path / "in", 12.0, 60_000.0), tmp_path / "plan"
    words = ["resolve", str(now), "--against", str(last), "-o", str(target), "--keep", "2000", "--json"]
    assert main(words) == 0
    values, typed = (opened(target / "plan.xlsx", data_only=d)["Changes"] for d in (True, False))
    rows = list(values.iter_rows(values_only=True))
    at = {str(row[0]): k for k, row in enumerate(rows) if row[0] is not None}
    first, end = at["The last plan"], at["This plan"]
    steps = [row[1] for row in rows[first + 1 : end]]
    assert rows[first][2] + math.fsum(steps) == pytest.approx(rows[end][2])
    assert rows[end + 1][1] == pytest.approx(math.fsum(steps))
    assert rows[end + 1][2] == "they add up to the change"
    # kept: 10 units, 2 requests on demand at 3.6 USD instead of 2 units at 1
    assert rows[end][2] == pytest.approx((10 + 2 * 3.6) * 744)
    assert typed.cell(end + 2, 2).value == f"=SUM(B{first + 2}:B{end})"
    assert typed.cell(first + 2, 3).value == f"=C{first + 1}+B{first + 2}"
    assert str(typed.cell(end + 2, 3).value).startswith("=IF(ABS(")
    text = "\n".join(str(row[0]) for row in rows)
    assert "Units change only where each saves $2,000.00 or more: 0 units change." in text
    line = next(row for row in rows if row[0] == "year")
    assert (line[4], line[5], line[10]) == (10, 10, "unchanged")


def test_the_last_plan_is_never_written_over(
    last: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    now = folder(tmp_path / "in", 12.0)
    before = {path: path.read_bytes() for path in last.rglob("*") if path.is_file()}
    assert main(["resolve", str(now), "--against", str(last), "-o", str(last)]) == 1
    assert "write somewhere else" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in last.rglob("*") if path.is_file()} == before
    assert main(["solve", str(folder(tmp_path / "first", 10.0)), "--no-workbook"]) == 0
    assert main(["resolve", str(now), "--against", "reports/tiny", "--no-workbook"]) == 0
    assert (tmp_path / "reports" / "tiny-resolved" / "changes.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--keep", "cheap"], "neither dollars from 0 nor inf"),
        (["--keep", "-1"], "neither dollars from 0 nor inf"),
        (["--owed", "soon"], "is not a date"),
        (["--causes", "all"], "invalid choice"),
        (["--previous", "x"], "unrecognized arguments"),
    ],
)
def test_wrong_use(last: pathlib.Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["resolve", "in", "--against", str(last), *words])
    assert stop.value.code == 1
    assert told in capsys.readouterr().err


def test_a_plan_that_is_not_there_or_was_changed(
    last: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = folder(tmp_path / "in", 12.0)
    assert main(["resolve", str(now), "--against", str(tmp_path / "nowhere"), "-o", str(tmp_path / "out")]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_plan_is_told_and_nothing_written(
    last: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = [{**OFFERS[0], "max_units": 5}]
    tables = builders.tables(demand=builders.profile("west", "w", 12.0), on_demand=[], offers=few)
    now = builders.write_folder(tables, tmp_path / "in", whole_units=True)
    assert main(["resolve", str(now), "--against", str(last), "-o", str(tmp_path / "out")]) == 2
    assert "would have to change" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
