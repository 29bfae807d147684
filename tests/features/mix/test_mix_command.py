"""planner mix and planner solve --mix: end to end."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from planner.cli import main
from tests import builders
from tests.builders.books import opened


def folder(place: Path, tier: str = "small", **more: Any) -> Path:
    """Workload w, 10 requests an hour for 744 hours: model s costs 1 USD a request on demand, f 5 USD."""
    rows = builders.tables(
        models=[{"model": "s", "tier": tier}, {"model": "f", "tier": "frontier"}],
        mix=[{"workload": "w", "model": "s"}, {"workload": "w", "model": "f", "max_share": 0.8}],
        on_demand=[
            {"region": "west", "model": m, "usd_per_mtok_input": usd / 60 * 1e6, "usd_per_mtok_output": 0}
            for m, usd in (("s", 1.0), ("f", 5.0))
        ],
        pools=[], throughput=[], offers=[], **more,
    )  # fmt: skip
    return builders.write_folder(rows, place)


def test_terminal_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, out = folder(tmp_path / "in"), tmp_path / "out"
    assert main(["mix", str(given), "-o", str(out)]) == 0
    text = capsys.readouterr().out
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith(("70/25/5  ", "as is  "))}
    assert "$7,440" in rows["as"]
    # 0.7 small, 0.3 frontier: 2.20 USD a request
    assert "$16,368" in rows["70/25/5"]
    # 0.8 frontier: 4.20 USD a request; 16,368 is 14,880 less
    assert "70/25/5 costs $14,880 less than all frontier (47.6 %)." in text
    assert "all frontier: w: small 20 % instead of 0 %, frontier 80 % instead of 100 % (max_share of f)" in text
    assert "all small: left out, within the allowed shares it is the same as 'as is'." in text
    assert "Answer quality is not in these numbers" in text
    found = json.loads((out / "mix.json").read_text(encoding="utf-8"))
    variant = found["variants"][2]
    assert (variant["mix"], variant["total_usd"]) == ("all frontier", pytest.approx(4.2 * 7_440))
    assert found["variants"][1]["against_all_frontier_usd"] == pytest.approx(-14_880)
    with (out / "mix.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["workload"] for row in table] == ["(all)", "w"] * 3
    sheet = opened(out / "mix.xlsx", data_only=True)["Mix"]
    cells = {row[0].value: row for row in sheet.iter_rows(min_row=21, max_row=25)}
    assert cells["all frontier"][7].value == pytest.approx(4.2 * 7_440)
    assert cells["70/25/5"][8].value == pytest.approx(16_368 - 7_440)
    assert cells["70/25/5"][10].value == pytest.approx(-14_880)


def test_own_shares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--shares", "small=0.5,frontier=0.5", "--shares", "frontier=0.25, small=0.75", "--json", "--fresh"]
    assert main(["mix", str(folder(tmp_path / "in")), *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [v["mix"] for v in found["variants"]] == ["as is", "50/0/50", "75/0/25"]
    assert [v["total_usd"] for v in found["variants"]] == pytest.approx([7_440, 3 * 7_440, 2 * 7_440])


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ("small=0.5", "the shares of 'small=0.5' add up to 0.5, not to 1"),
        ("big=1", "'big' in 'big=1' is not a tier"),
        ("small=1,small=0", "appears twice"),
        ("small=lots", "'small=lots' is not a share from 0 to 1"),
    ],
)
def test_wrong_shares(tmp_path: Path, capsys: pytest.CaptureFixture[str], shares: str, said: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["mix", str(folder(tmp_path / "in")), "--shares", shares])
    assert stopped.value.code == 1
    assert said in capsys.readouterr().err


def test_blank_tiers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = folder(tmp_path / "in", tier="")
    for words in (["mix", str(given), "-o", str(tmp_path / "out")],
                  ["solve", str(given), "--mix", "-o", str(tmp_path / "out")]):  # fmt: skip
        assert main(words) == 1
        assert "has no tier, and a shift between tiers needs one (found 's'); allowed: frontier, mid, small" in (
            capsys.readouterr().err
        )
    assert not (tmp_path / "out").exists()


def test_solve_with_the_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, out = str(folder(tmp_path / "in")), tmp_path / "plan"
    assert main(["solve", given, "--mix", "-o", str(out)]) == 0
    book = opened(out / "plan.xlsx")
    assert book.sheetnames.index("Mix") == book.sheetnames.index("Cost by model and month") + 1
    assert main(["solve", given, "-o", str(out)]) == 0
    assert "Mix" not in opened(out / "plan.xlsx").sheetnames
    capsys.readouterr()
    assert main(["solve", given, "--mix", "--no-workbook", "-o", str(out)]) == 1
    assert "--mix adds a sheet to plan.xlsx" in capsys.readouterr().err


def test_money_that_is_not_spent_has_no_mix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A contract of 10,000 USD: 7,440 are spent as things are, 2,560 are lost, and no request bears them."""
    given = folder(tmp_path / "in", spend_commitments=[{"contract": "macc", "usd": 10_000}])
    assert main(["mix", str(given), "-o", str(tmp_path / "out")]) == 0
    (line,) = [t for t in capsys.readouterr().out.splitlines() if t.startswith("(unspent commitments)  as is")]
    assert "$2,560" in line
