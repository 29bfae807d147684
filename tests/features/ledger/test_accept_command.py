"""planner accept and planner ledger on the command line: what they say, exit codes, several at once."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from planner.cli import main
from planner.features.ledger.chain import read_ledger
from planner.io.digest import sealed
from planner.plan.files import write_plan
from planner.plan.manifest import digests_in
from planner.plan.plan import Plan
from planner.readers import load
from planner.schema.case import Case
from planner.solver.solve import solve
from tests import builders

PLANS = 4


def made(name: str) -> tuple[Case, Plan]:
    case = builders.case(builders.tables(), name=name)
    return case, solve(case)


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """Plans of 10 units for January at 1 USD, and a folder of the same month that knows nothing of them."""
    folder = tmp_path_factory.mktemp("given")
    for k in range(PLANS):
        case, plan = made(f"q{k}")
        write_plan(plan, case, folder / "reports" / f"q{k}")
    builders.write_folder(builders.tables(), folder / "next")
    return folder


@pytest.fixture
def reports(given: Path, tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(given, tmp_path, dirs_exist_ok=True)
    return tmp_path / "reports"


def run(capsys, *words: str) -> tuple[int, str]:
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out + captured.err


ACCEPT = ("accept", "reports/q0", "--by", "Ada", "--date", "2026-12-20")


def test_sign_list_and_check_the_head(reports: Path, capsys) -> None:
    code, told = run(capsys, *ACCEPT, "--into", "next", "--note", "PO 4711")
    assert code == 0
    assert "q0, 2027-01 to 2027-01: signed by Ada on 2026-12-20, entry 1 of reports/ledger.jsonl" in told
    assert "1 purchase, $7,440.00 over its term" in told  # 10 units x 744 hours
    assert "+ west-m-1m: 10 units, 2027-01-01 through 2027-01-31" in told
    head = re.search("^head ([0-9a-f]{64})$", told, re.MULTILINE)[1]
    assert run(capsys, "accept", "reports/q1", "--by", "Bob", "--date", "2026-12-21")[0] == 0
    code, told = run(capsys, "ledger", "--head", head[:12])
    assert code == 0
    assert f"{head[:12]}... is the hash of entry 1; 1 signed since" in told
    assert "2 entries, the chain is intact" in told
    rows = [line.split() for line in told.splitlines() if line.strip().startswith(("1", "2"))]
    assert [row[1:4] for row in rows] == [["2026-12-20", "Ada", "q0"], ["2026-12-21", "Bob", "q1"]]


def test_what_was_not_compared_is_told(reports: Path, capsys) -> None:
    """Anyone can write another version into plan.json and seal it anew: then the workbook says what it likes."""
    assert "as on the purchase order" not in run(capsys, *ACCEPT)[1]  # no workbook was written
    assert run(capsys, "solve", "next", "-o", "reports/next", "--no-rules-cost")[0] == 0
    plan = reports / "next"
    document = json.loads((plan / "plan.json").read_text())
    del document["sha256"]
    (plan / "plan.xlsx").write_bytes(b"nothing that planner wrote")
    document |= {"planner": "0.0.9", "files": digests_in(plan)}
    (plan / "plan.json").write_text(sealed(json.dumps(document, indent=2) + "\n"))
    said = "plan.json and plan.xlsx: written by another version of planner, so words, and figures that only one of the"
    code, told = run(capsys, "verify", "reports/next/input", "reports/next")
    assert (code, said in told) == (0, True)
    assert told.splitlines()[0] == (
        "tiny: every rule is kept, its cost follows from its tables, but its words were not compared with them"
    )
    told = json.loads(run(capsys, "verify", "reports/next/input", "reports/next", "--json")[1])
    assert (told["right"], told["not_compared"][: len(said)]) == (None, said)
    code, told = run(capsys, "accept", "reports/next", "--by", "Bob", "--json", "--ledger", "other.jsonl")
    assert (code, [note[: len(said)] for note in json.loads(told)["notes"]]) == (0, [said])
    code, told = run(capsys, "accept", "reports/next", "--by", "Bob")
    assert (code, f"note: {said}" in told) == (0, True)
    assert "as on the purchase order" not in told


def test_again_is_refused_in_words(reports: Path, capsys) -> None:
    assert run(capsys, *ACCEPT, "--into", "next")[0] == 0
    code, told = run(capsys, *ACCEPT, "--into", "next")
    assert (code, "next holds what it owes: nothing was written, because it would be owed twice" in told) == (1, True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: edit(r / "ledger.jsonl", "Ada", "Eve"), "line 1, entry 1: was edited"),
        (lambda r: edit(r / "ledger.jsonl", "7440.0", "744.0"), "line 1, entry 1: was edited"),
        (lambda r: edit(r / "q0" / "plan.json", "west-m-1m", "west-m-2m"), "entry 1: q0: plan.json was changed"),
        (lambda r: (r / "q0" / "rents.parquet").unlink(), "entry 1: q0: rents.parquet is missing"),
        (lambda r: edit(r / "q0" / "input" / "plan.yaml", "q0", "q9"), "entry 1: q0: input/plan.yaml was changed"),
        (lambda r: edit(r / "ledger.jsonl", "}\n", "}"), None),
        (lambda r: cut(r / "ledger.jsonl", 9), "the last line, after entry 0, is incomplete"),
        (lambda r: (r / "ledger.jsonl").write_text("", encoding="utf-8"), "the ledger was cut off or emptied"),
        (lambda r: (r / "ledger.jsonl").write_bytes(b"\xff\x00 no text\n"), "line 1: is not an entry of a ledger"),
    ],
)  # fmt: skip
def test_a_change_by_hand_is_caught(reports: Path, capsys, change, told) -> None:
    assert run(capsys, *ACCEPT)[0] == 0
    head = read_ledger(reports / "ledger.jsonl").head
    assert run(capsys, "ledger")[0] == 0
    change(reports)
    code, said = run(capsys, "ledger")
    assert code == (0 if told is None else 1)
    assert (told or "chain is intact") in said
    code, said = run(capsys, "ledger", "--head", head, "--json")
    found = json.loads(said)
    assert found["whole"] == (code == 0)
    if not found["entries"] and told != "line 1: is not an entry of a ledger":
        assert any("no entry has the hash" in fault for fault in found["faults"])


def test_a_ledger_that_lost_entries_shows_by_the_plans_beside_it(reports: Path, capsys) -> None:
    assert run(capsys, *ACCEPT)[0] == 0
    assert run(capsys, "accept", "reports/q1", "--by", "Bob")[0] == 0
    lines = (reports / "ledger.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (reports / "ledger.jsonl").write_text(lines[0], encoding="utf-8")
    code, told = run(capsys, "ledger")
    assert (code, "q1: its signatures.json says that Bob signed it" in told, "q0: its" in told) == (1, True, False)
    told = run(capsys, "accept", "reports/q2", "--by", "Cy")[1]  # said, too, before more is built on it
    assert "q1: its signatures.json says that Bob signed it" in told
    (reports / "ledger.jsonl").unlink()
    code, told = run(capsys, "ledger")
    assert (code, "there is no such ledger, but plans beside it state that it lists them" in told) == (1, True)
    assert [f"q{k}: its signatures.json" in told for k in range(PLANS)] == [True, True, True, False]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def cut(path: Path, count: int) -> None:
    path.write_bytes(path.read_bytes()[:-count])


def test_a_head_does_not_vouch_for_a_broken_chain(reports: Path, capsys) -> None:
    assert run(capsys, *ACCEPT)[0] == 0
    assert run(capsys, "accept", "reports/q1", "--by", "Bob")[0] == 0
    head = read_ledger(reports / "ledger.jsonl").head
    edit(reports / "ledger.jsonl", "Ada", "Eve")
    code, told = run(capsys, "ledger", "--head", head)
    assert (code, "is the hash of entry 2, but the chain is broken" in told) == (1, True)
    assert "what was signed" not in told


@pytest.mark.parametrize("head", ["1234", "x" * 64, "0" * 64])
def test_a_head_that_is_none(reports: Path, capsys, head: str) -> None:
    assert run(capsys, *ACCEPT)[0] == 0
    assert run(capsys, "ledger", "--head", head)[0] == 1


def test_a_signed_plan_is_not_solved_over(reports: Path, capsys) -> None:
    assert run(capsys, *ACCEPT)[0] == 0
    before = (reports / "q0" / "plan.json").read_bytes()
    code, told = run(capsys, "solve", "next", "-o", "reports/q0", "--no-workbook")
    assert (code, "holds the plan that Ada signed on 2026-12-20" in told) == (1, True)
    assert (reports / "q0" / "plan.json").read_bytes() == before
    assert run(capsys, "solve", "next", "-o", "reports/q1", "--no-workbook", "--fresh")[0] == 0


def test_a_plan_that_was_moved_or_deleted_is_told(reports: Path, capsys) -> None:
    assert run(capsys, *ACCEPT)[0] == 0
    (reports / "q0").rename(reports / "first")
    code, told = run(capsys, "ledger")
    assert (code, "it is in first now" in told, "as signed" in told) == (1, True, False)
    shutil.rmtree(reports / "first")
    code, told = run(capsys, "ledger")
    assert (code, "moved or deleted, so it cannot be checked" in told) == (1, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("accept", "nowhere"), "there is no such directory of a plan"),
        (("accept", "next"), "plan.json: is missing"),
        (("accept", "reports/q0", "--into", "nowhere"), "there is no such folder"),
        (("accept", "reports/q0", "--into", "reports"), "plan.yaml: is missing"),
        (("accept", "reports/q0", "--into", "next.xlsx"), "is a workbook"),
        (("accept", "reports/q0", "--by", " "), "who signs is blank"),
        (("accept", "reports/q0", "--ledger", "next"), "is not a file, so it is no ledger"),
        (("ledger", "nowhere"), "there is no such ledger"),
        (("ledger", "next"), "is a directory"),
    ],
)
def test_wrong_use_is_told_and_writes_nothing(reports: Path, capsys, words, told) -> None:
    code, said = run(capsys, *words)
    assert (code, told in said) == (1, True), said
    assert not (reports / "ledger.jsonl").exists()
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "words", [("accept",), ("accept", "x", "--date", "2027-13-01"), ("accept", "x", "--date", "1")]
)
def test_wrong_words(words, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(list(words))
    assert stopped.value.code == 1
    assert "planner accept" in capsys.readouterr().err


def test_the_next_folder_with_faults_is_not_touched(reports: Path, capsys) -> None:
    path = reports.parent / "next" / "offers.csv"
    path.write_text("offer,pool,usd_per_unit_hour\nx,west-m,many\n", encoding="utf-8")
    code, told = run(capsys, *ACCEPT, "--into", "next")
    assert (code, "next/offers.csv, row 2, column usd_per_unit_hour: is not a number" in told) == (1, True)
    assert not (reports / "ledger.jsonl").exists()


def test_several_at_once_lose_nothing(reports: Path, capsys) -> None:
    """Each signs another plan, all into one folder: every entry and every commitment is there, the chain is intact."""
    script = "import sys; from planner.cli import main; sys.exit(main(sys.argv[1:]))"
    root = Path(__file__).parents[3]
    at = reports.parent
    started = [
        subprocess.Popen([sys.executable, "-c", script, "accept", str(reports / f"q{k}"), "--into", str(at / "next"),
                          "--by", f"person {k}"], cwd=root, stdout=subprocess.DEVNULL)
        for k in range(PLANS)
    ]  # fmt: skip
    assert [process.wait() for process in started] == [0] * PLANS
    ledger = read_ledger(reports / "ledger.jsonl")
    assert ledger.whole
    assert sorted(e.plan for e in ledger.entries) == [f"q{k}" for k in range(PLANS)]
    owed = load(at / "next").commitments
    assert [c.units for c in owed] == [10.0] * PLANS  # each plan's own, though they look alike
    assert len({c.source for c in owed}) == PLANS
    assert run(capsys, "ledger")[0] == 0
