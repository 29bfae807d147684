"""Plans and ledgers that planner 0.1.0 wrote (commit 6d678e0) are still read, checked and signed.

written_by_0_1_0/ holds a folder, its plan (10 of 20 requests an hour are reserved in one region, the rest goes on
demand: 7,440 + 7,068 USD) and a ledger that signs it twice. None of it is ever written anew.
"""

import json
import shutil
from pathlib import Path

import pytest

from planner.cli import main
from planner.errors import InputError
from planner.features.ledger.chain import read_ledger
from planner.features.ledger.evidence import changed
from planner.plan.finished import load_finished
from planner.plan.manifest import read_document
from planner.readers import load
from planner.verify.verification import verify

OLD = Path(__file__).parent / "written_by_0_1_0"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "old"))


def test_the_plan_is_read_and_found_right(old: Path) -> None:
    found = load_finished(old / "reports" / "q1")
    assert found.plan.totals.total_usd == 7_440 + 7_068
    assert found.case.digest == load(old / "plans" / "q1").digest
    assert verify(load(old / "plans" / "q1"), old / "reports" / "q1").findings == []


def test_an_input_that_was_changed_is_found(old: Path) -> None:
    offers = old / "reports" / "q1" / "input" / "offers.csv"
    offers.write_text(offers.read_text().replace(",1.0,", ",1.5,"))
    with pytest.raises(InputError, match="not the input that the plan was made from"):
        load_finished(old / "reports" / "q1")


def test_the_ledger_holds_and_every_edit_shows(old: Path) -> None:
    path = old / "reports" / "ledger.jsonl"
    ledger = read_ledger(path)
    assert ledger.whole
    assert [e.by for e in ledger.entries] == ["A. Buyer", "B. Buyer"]
    assert ledger.head.startswith("b586d8a2ef68")  # what accept printed then
    assert changed(ledger.entries[0], path) == []
    (old / "reports" / "q1" / "plan.xlsx").write_bytes(b"edited")
    (old / "reports" / "q1" / "more.txt").write_bytes(b"added")
    assert changed(ledger.entries[0], path) == ["plan.xlsx was changed", "more.txt was added"]
    path.write_text(path.read_text().replace("A. Buyer", "C. Buyer"))
    assert not read_ledger(path).whole


def test_it_is_known_as_signed_and_can_be_signed_once_more(
    old: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(old)
    assert main(["solve", "plans/q1", "-o", "reports/q1", "--no-workbook"]) == 1
    assert "holds the plan that A. Buyer signed on 2026-11-25" in capsys.readouterr().err
    assert main(["accept", "reports/q1", "--by", "C. Buyer", "--date", "2026-11-27"]) == 0
    assert main(["ledger"]) == 0
    ledger = read_ledger(old / "reports" / "ledger.jsonl")
    assert [e.format for e in ledger.entries] == [1, 1, 2]
    assert ledger.entries[2].previous == ledger.entries[1].sha256


def test_what_a_newer_planner_wrote_is_told_as_such(old: Path) -> None:
    path = old / "reports" / "q1" / "plan.json"
    path.write_text(json.dumps({"format": 99} | json.loads(path.read_text())))
    with pytest.raises(InputError, match="written by a newer planner"):
        read_document(path.parent)
    ledger = old / "reports" / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace('{"entry": 1', '{"format": 99, "entry": 1'))
    assert "line 1: was written by a newer planner" in read_ledger(ledger).faults[0]
