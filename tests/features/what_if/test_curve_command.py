"""planner what-if --curve: end to end, kept in a study and read back."""

import csv
import json
from pathlib import Path

import pytest

from planner.cli import main
from tests import builders
from tests.builders.books import opened


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """10 units at 1 USD an hour in place of 30 USD on demand, in boxes of 4."""
    offers = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 4, "unit_step": 4}]
    return builders.write_folder(builders.tables(offers=offers), tmp_path / "in", whole_units=True)


def test_a_curve_with_whole_units_beside_it(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["what-if", str(given), "--curve", "max_commitment_usd=0:10000:5000", "-o", str(out)]) == 0
    text = capsys.readouterr().out
    assert "Budget in the plan's months from $0 to $10,000" in text
    assert "-$2,000" in text
    assert "Exact: straight between the breakpoints, and there are no others." in text
    # 5,000 USD pay 4 units (2,976 USD), the rest is 18 USD an hour on demand; 10,000 pay 12, of which 2 are idle
    usd = {0.0: 22_320.0, 5_000.0: 2_976 + 18 * 744, 10_000.0: 12 * 744}
    document = json.loads((out / "study.json").read_text(encoding="utf-8"))
    (curve,) = document["curves"]
    assert {d["value"]: d["usd"] for d in curve["whole_units"]} == pytest.approx(usd)
    assert [p["value"] for p in curve["points"]] == pytest.approx([0, 7_440, 10_000])
    assert [case["total_usd"] for case in document["cases"]] == pytest.approx(list(usd.values()))
    with (out / "study_curves.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["any size"] * 3 + ["whole units"] * 3
    assert float(rows[0]["step_usd_per_month"]) == pytest.approx(-2_000)
    cells = [cell.value for row in opened(out / "study.xlsx", data_only=True)["Curves"].iter_rows() for cell in row]
    assert "$7,440" in cells
    assert (out / "curves.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_curves_are_kept_and_replaced(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"

    def curves() -> list[tuple[str, float]]:
        document = json.loads((out / "study.json").read_text(encoding="utf-8"))
        return [(curve["key"], curve["last"]) for curve in document["curves"]]

    assert main(["what-if", str(given), "--curve", "demand=0.5:2:1.5", "-o", str(out)]) == 0
    assert main(["what-if", str(given), "--scale", "demand=3", "-o", str(out)]) == 0
    assert main(["what-if", str(given), "--curve", "offer_prices=1:4:3", "-o", str(out)]) == 0
    assert curves() == [("demand", 2), ("offer_prices", 4)]
    assert main(["what-if", str(given), "--curve", "demand=0.5:3:2.5", "-o", str(out)]) == 0
    assert curves() == [("offer_prices", 4), ("demand", 3)]
    capsys.readouterr()
    assert main(["what-if", str(given), "-o", str(out)]) == 0
    assert "Demand from × 0.5 to × 3" in capsys.readouterr().out


def test_what_cannot_be_asked(given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["what-if", str(given), "--curve", "headroom=0.5", "--curve", "headrom=0:1"]) == 1
    said = capsys.readouterr().err
    assert "KEY=FROM:TO" in said
    assert "did you mean 'headroom'" in said


def test_how_far_a_plan_carries(given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """12 units for 10 requests an hour, 2 idle: at 1.1 times the demand 12 units still serve it."""
    plan, out = tmp_path / "plan", tmp_path / "out"
    assert main(["solve", str(given), "-o", str(plan)]) == 0
    capsys.readouterr()
    assert main(["what-if", str(given), "--how-far", str(plan), "-o", str(out)]) == 0
    text = capsys.readouterr().out
    assert "Today it is $1,488, which is rounding to whole units." in text  # 2 units at 744 USD
    document = json.loads((out / "study.json").read_text(encoding="utf-8"))["how_far"]
    demand = next(r for r in document["reaches"] if r["name"] == "all demand")
    regrets = {p["factor"]: p["usd"] for p in demand["regrets"]}
    assert regrets[1.1] == pytest.approx(744)  # 12 units where 11 do
    assert regrets[1.5] == pytest.approx((12 + 9 - 15) * 744)  # 3 requests at 3 USD where units cost 1
    # above 12: 12 + 3 (10 f - 12) - 10 f = 2 at f = 1.3; below 1 more units are idle
    assert demand["best_to"] == pytest.approx(1.3, abs=5e-4)
    assert demand["best_from"] == pytest.approx(1, abs=5e-4)
    assert "How far" in opened(out / "study.xlsx").sheetnames
    assert (out / "study_how_far.csv").exists()
    assert main(["what-if", str(given), "-o", str(out)]) == 0  # kept
    assert "How far the plan carries" in capsys.readouterr().out
    other = builders.write_folder(builders.tables(demand=builders.profile("west", "w", 9.0)), tmp_path / "other")
    assert main(["what-if", str(other), "--how-far", str(plan)]) == 1
    assert "a plan of another input" in capsys.readouterr().err
