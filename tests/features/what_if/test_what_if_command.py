"""planner what-if: end to end."""

import csv
import datetime as dt
import json
from pathlib import Path

import pytest

from planner.cli import main
from planner.features.what_if.study_files import read_study, write_study
from planner.plan.plan import Totals
from tests import builders
from tests.builders.books import opened

HOURS = 744
CASES = """
cases:
  no units: {strike: [west-m-1m]}
  half price: {scale: {offer_prices: 0.5}}
grids:
  demand: 1:2:0.5
"""


@pytest.fixture
def given(tmp_path: Path) -> Path:
    return builders.write_folder(builders.tables(), tmp_path / "in")


def study_of(directory: Path) -> dict[str, dict[str, object]]:
    document = json.loads((directory / "study.json").read_text(encoding="utf-8"))
    return {case["change"]["name"]: case for case in [document["base"], *document["cases"]]}


def test_cases_of_a_file(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cases.yaml").write_text(CASES, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["what-if", str(given), "--cases", str(tmp_path / "cases.yaml"), "-o", str(out)]) == 0
    found = study_of(out)
    usd = {name: case["total_usd"] for name, case in found.items()}
    # 10 units at 1 USD an hour; on demand 3 USD a request
    assert usd == pytest.approx({"as it stands": 10 * HOURS, "no units": 30 * HOURS, "half price": 5 * HOURS,
                                 "demand=1": 10 * HOURS, "demand=1.5": 15 * HOURS, "demand=2": 20 * HOURS})  # fmt: skip
    text = capsys.readouterr().out
    assert "+$14,880" in text
    assert "west-m-1m from 2027-01: 10 → 15 units, $7,440 → $11,160 to sign" in text
    with (out / "study_lines.csv").open(encoding="utf-8") as file:
        lines = {row["case"]: row for row in csv.DictReader(file)}
    assert float(lines["no units"]["units"]) == 0
    assert "demand=1" not in lines
    sheet = opened(out / "study.xlsx", data_only=True)["What if"]
    cells = {row[0].value: row for row in sheet.iter_rows(min_row=22, max_row=27)}
    assert cells["no units"][2].value == pytest.approx(20 * HOURS)
    assert cells["half price"][1].value == pytest.approx(5 * HOURS)


def test_units_by_the_hour_are_not_reserved(tmp_path: Path) -> None:
    """10 requests an hour by units that run for 1 USD, on demand 3 USD: all is by the hour, twice as much of it too."""
    hourly = [{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.0}]
    folder, out = builders.write_folder(builders.tables(pools=hourly, offers=[]), tmp_path / "hourly"), tmp_path / "out"
    assert main(["what-if", str(folder), "--scale", "demand=2", "-o", str(out)]) == 0
    sheet = opened(out / "study.xlsx", data_only=True)["What if"]
    header, *rows = sheet.iter_rows(min_row=21, max_row=23, values_only=True)
    reserved, hour = (next(k for k, name in enumerate(header) if str(name).startswith(n)) for n in ("Res", "By the"))
    assert [(row[reserved], row[hour], row[1]) for row in rows] == [
        (0, pytest.approx(k * 10 * HOURS), pytest.approx(k * 10 * HOURS)) for k in (1, 2)
    ]


def test_a_second_run_adds_and_replaces(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["what-if", str(given), "--scale", "demand=2", "--name", "growth", "-o", str(out)]) == 0
    assert main(["what-if", str(given), "--refuse", "west", "-o", str(out)]) == 0
    assert list(study_of(out)) == ["as it stands", "growth", "no new units in west"]
    assert main(["what-if", str(given), "--scale", "demand=3", "--name", "growth", "-o", str(out)]) == 0
    assert study_of(out)["growth"]["total_usd"] == pytest.approx(30 * HOURS)
    capsys.readouterr()
    assert main(["what-if", str(given), "-o", str(out), "--json"]) == 0  # nothing new: shown again
    assert len(json.loads(capsys.readouterr().out)["cases"]) == 2


def test_cases_that_another_run_added_meanwhile_stay(given: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["what-if", str(given), "--scale", "demand=2", "--name", "growth", "-o", str(out)]) == 0
    mine = read_study(out)
    assert main(["what-if", str(given), "--refuse", "west", "-o", str(out)]) == 0
    assert mine is not None
    assert write_study(mine, out, dt.date(2027, 1, 1)).cases == read_study(out).cases  # type: ignore[union-attr]
    assert list(study_of(out)) == ["as it stands", "growth", "no new units in west"]
    assert {path.name for path in out.iterdir()} == {"study.json", "study.csv", "study_lines.csv", "study.xlsx"}


def test_the_parts_of_a_case_add_up_in_the_table(tmp_path: Path) -> None:
    """A term of three months, planned for one: half of the 59 days past it is counted. Dearest scenarios are apart."""
    offers = [{"offer": "3m", "pool": "west-m", "term_months": 3, "usd_per_unit_hour": 1.0}]
    given = builders.write_folder(builders.tables(offers=offers), tmp_path / "in", months=1, tail_value=0.5)
    assert main(["what-if", str(given), "--scale", "demand=2", "-o", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "study.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert len(set(header)) == len(header)
    for row, requests in zip(rows, (10, 20), strict=True):
        case = dict(zip(header, row, strict=True))
        assert float(case["tail_usd"]) == pytest.approx(requests * 0.5 * 59 * 24)
        assert float(case["total_usd"]) == pytest.approx(sum(float(case[name]) for name in Totals.names()))
        assert case["dearest_scenarios_usd"] == ""


def test_an_edited_study_is_not_read(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["what-if", str(given), "--scale", "demand=2", "-o", str(out)]) == 0
    text = (out / "study.json").read_text(encoding="utf-8")
    (out / "study.json").write_text(text.replace('"total_usd": 7440.0', '"total_usd": 744.0'), encoding="utf-8")
    assert main(["what-if", str(given), "--scale", "demand=3", "-o", str(out)]) == 1
    assert "study.json: was edited" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["plan.yaml", "plan.json"])
def test_no_study_is_written_into_a_plan_or_a_planning_folder(
    given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / name).write_text("{}")
    assert main(["what-if", str(given), "--scale", "demand=2", "-o", str(tmp_path / "q")]) == 1
    assert f"holds {name}, so it is no place for a study" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "q").iterdir()] == [name]


def test_studies_side_by_side(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--scale", "demand=2", "--name", "growth", "-o"]
    assert main(["what-if", str(given), *words, str(tmp_path / "one")]) == 0
    dearer = builders.tables(offers=[{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 2.0}])
    other = builders.write_folder(dearer, tmp_path / "other")
    assert main(["what-if", str(other), *words, str(tmp_path / "one")]) == 1  # of another input: refused
    assert "study of another input" in capsys.readouterr().err
    assert main(["what-if", str(other), *words, str(tmp_path / "two"), "--compare", str(tmp_path / "one")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("growth ")]
    assert rows[-1][1:4] == ["$29,760", "$14,880", "+$14,880"]


def test_an_order_is_refused(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """10 units at 1 USD an hour; without them 30 USD an hour are paid on demand."""
    assert main(["what-if", str(given), "--refused", "-o", str(tmp_path / "out")]) == 0
    assert "decide by 2027-01-01" in capsys.readouterr().out
    found = study_of(tmp_path / "out")
    assert found["west-m refused"]["total_usd"] == pytest.approx(30 * HOURS)
    assert found["west-m refused"]["purchases"] == []
    assert found["west-m refused"]["decide_by"] == "2027-01-01"


def test_a_case_without_a_plan_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = builders.tables(on_demand=[])
    given = builders.write_folder(tables, tmp_path / "in")
    assert main(["what-if", str(given), "--refuse", "west", "--scale", "demand=1", "--fresh"]) == 0
    text = capsys.readouterr().out
    assert "no plan" in text
    assert "10" in text.split("no plan.")[1]  # how much is missing


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no change was given"),
        (["--set", "headroom"], "write KEY=VALUE"),
        (["--scale", "demand"], "has no ="),
        (["--scale", "demand[w]=2"], "[column=name,...]"),
        (["--scale", "demand=nan"], "is not a number"),
        (["--grid", "headroom=0.5:0.1:0.1"], "is not a grid"),
        (["--set", "headrom=0.2"], "did you mean"),
        (["--name", "x"], "no change was given"),
        (["--cases", "cases.yaml"], "appears twice"),
        (["--cases", "deep.yaml"], "nested too deep"),
        (["--on", "dask://localhost:8786", "--how-far", "--make-it-fit"], "--how-far and --make-it-fit would be"),
    ],
)
def test_wrong_use(given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                   words: list[str], said: str) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("cases.yaml").write_text("cases:\n  a: {strike: [x]}\n  a: {strike: [y]}\n", encoding="utf-8")
    Path("deep.yaml").write_text("{a: " * 20_000 + "1" + "}" * 20_000, encoding="utf-8")
    assert main(["what-if", str(given), *words]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "reports").exists()
