"""planner review on the command line: what it prints and writes, and how it refuses."""

import json
from pathlib import Path

import openpyxl
import pytest

from planner.cli import main
from planner.features.demand.history import History, save_history
from planner.readers import load
from tests import builders
from tests.builders.histories import history_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plan of ten units and a history of six requests an hour."""
    base = tmp_path_factory.mktemp("review")
    folder = builders.write_folder(builders.tables(), base / "folder")
    assert main(["solve", str(folder), "-o", str(base / "plan"), "--no-workbook"]) == 0
    save_history(history_of(load(folder), 0.6), base / "history")
    return base


def test_review_prints_and_writes(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["review", str(made / "plan"), str(made / "history"), "-o", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "Verdicts: 1 lower." in told
    assert "$2,976" in told  # 4 units x 744 hours
    found = json.loads((tmp_path / "out" / "review.json").read_text(encoding="utf-8"))
    assert found["regret"]["usd"] == pytest.approx(4 * 744)
    assert found["verdicts"][0]["verdict"] == "lower"
    book = openpyxl.load_workbook(tmp_path / "out" / "review.xlsx", data_only=True)
    assert book.sheetnames == ["Review", "Expiries", "Month by month", "Peaks and overflow",
                               "Hours above plan", "Cost per task", "Forecast error", "Requests as assumed",
                               "Rules and notes"]  # fmt: skip
    cells = [cell.value for row in book["Review"].iter_rows() for cell in row]
    assert "lower" in cells
    assert any(isinstance(value, float) and value == pytest.approx(2976) for value in cells)


def test_the_same_review_is_the_same_bytes(made: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert main(["review", str(made / "plan"), str(made / "history"), "-o", str(tmp_path / name)]) == 0
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_json_and_rules(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("act_share: 0.5\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["review", str(made / "plan"), str(made / "history"), "--json", "--rules", str(rules)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdicts"][0]["verdict"] == "watch"  # it would save 40 % of its cost
    assert found["rules"]["act_share"] == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("act_usd: -1\nfoo: 2\n", ["act_usd", "foo"]),
        ("- 1\n", ["thresholds"]),
        ("a: [", ["YAML"]),
        (None, ["does not exist"]),
    ],
)
def test_wrong_rules_are_told(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, said: list[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    if text is not None:
        rules.write_text(text, encoding="utf-8")
    words = ["review", str(made / "plan"), str(made / "history"), "-o", str(tmp_path / "out"), "--rules", str(rules)]
    assert main(words) == 1
    told = capsys.readouterr().err
    assert all(word in told for word in said), told
    assert not (tmp_path / "out").exists()


def test_wrong_input_is_told_and_damages_nothing(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["review", str(made / "plan"), str(made / "history"), "-o", str(out)]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    history = history_of(load(made / "folder"))
    save_history(History(history.rows.assign(model="gpt-x", region="mars")), tmp_path / "other")
    assert main(["review", str(made / "plan"), str(tmp_path / "other"), "-o", str(out)]) == 1
    told = capsys.readouterr().err
    assert "gpt-x" in told
    assert "mars" in told
    assert main(["review", str(made / "folder"), str(made / "history"), "-o", str(out)]) == 1
    assert main(["review", str(made / "plan"), str(tmp_path / "none"), "-o", str(out)]) == 1
    assert main(["review", str(made / "plan"), str(made / "history"), "-o", str(made / "plan" / "plan.json")]) == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
