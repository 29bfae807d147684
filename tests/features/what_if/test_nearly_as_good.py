"""planner what-if --nearly-as-good: end to end, by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from planner.cli import main
from tests import builders
from tests.builders.books import opened
from tests.builders.one_hour import on_demand

HOURS = 744


def found(directory: Path) -> dict[str, dict[str, Any]]:
    document = json.loads((directory / "study.json").read_text(encoding="utf-8"))
    return {case["change"]["name"]: case for case in document["cases"]}


def test_less_to_sign_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """10 units at 1 USD an hour; each unit less costs 2 USD an hour more, on demand at 3 USD a request.

    10 % of 10 USD an hour pays for half a unit on demand: 9.5 units are signed. One line stays one.
    """
    given = builders.write_folder(builders.tables(), tmp_path / "in", whole_units=False)
    out = tmp_path / "out"
    assert main(["what-if", str(given), "--nearly-as-good", "10%", "-o", str(out)]) == 0
    cases = found(out)
    least = cases["least to sign within 10 %"]
    assert least["to_sign_usd"] == pytest.approx(9.5 * HOURS)
    assert least["total_usd"] == pytest.approx(11 * HOURS)
    assert least["near"]["value"] == pytest.approx(least["near"]["bound"])
    fewest = cases["fewest lines within 10 %"]["near"]
    assert (fewest["value"], fewest["bound"], fewest["best_value"]) == (1.0, 1.0, 1.0)
    assert cases["nothing signed"]["near"]["within"] == "not within"
    assert cases["nothing signed"]["total_usd"] == pytest.approx(30 * HOURS)
    text = capsys.readouterr().out
    assert "The least that can be signed for within 10 % of the best is $7,068, which is proved" in text
    assert "The fewest order lines possible within 10 % of the best is 1, which is proved; the best plan has 1." in text
    sheet = opened(out / "study.xlsx", data_only=True)["Nearly as good"]
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=5, max_row=8)}
    assert rows["least to sign within 10 %"][2].value == pytest.approx(0.1)
    assert rows["nothing signed"][6].value == "No such plan is within 10 % of the best."
    # asked again with nothing new, the study is read back and shown as it was
    assert main(["what-if", str(given), "-o", str(out)]) == 0
    assert "The least that can be signed for within 10 % of the best is $7,068" in capsys.readouterr().out


def test_a_provider_is_left_out(tmp_path: Path) -> None:
    """Ten requests an hour in each of two regions; west's units cost 1.99 USD an hour, those of east 2.

    The best serves all from west; from east alone it costs 0.5 % more: west, and its provider, may be left out.
    """
    offers = [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": usd} for r, usd in
              (("east", 2.0), ("west", 1.99))]  # fmt: skip
    regions = [{"region": "east", "provider": "Azure"}, {"region": "west", "provider": "Google"}]
    free = [{"origin": o, "destination": d, "usd_per_gb": 0} for o, d in (("east", "west"), ("west", "east"))]
    tables = builders.two_regions(offers=offers, regions=regions, routes=free,
                                  on_demand=[on_demand("east"), on_demand("west")])  # fmt: skip
    off = {"enabled": False}
    out = tmp_path / "out"
    given = builders.write_folder(tables, tmp_path / "in", failover=off)
    assert main(["what-if", str(given), "--nearly-as-good", "-o", str(out)]) == 0
    cases = found(out)
    assert "without east" not in cases  # nothing of the best is there
    for name in ("without west", "without Google", "nothing signed in west"):
        assert cases[name]["near"]["within"] == "within"
        assert cases[name]["total_usd"] == pytest.approx(20 * 2.0 * HOURS)


def test_closest_to_the_last_plan(tmp_path: Path) -> None:
    """The last plan bought 10 units; at 3.1 USD an hour the best buys none, and half a unit is within 1 %: 20 × 0.1."""
    given = builders.write_folder(builders.tables(), tmp_path / "in", whole_units=False)
    assert main(["solve", str(given), "-o", str(tmp_path / "last"), "--no-workbook"]) == 0
    offers = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 3.1}]
    dearer = builders.write_folder(builders.tables(offers=offers), tmp_path / "now", whole_units=False)
    out = tmp_path / "out"
    assert main(["what-if", str(dearer), "--nearly-as-good", "1%", "--against", str(tmp_path / "last"), "-o",
                 str(out)]) == 0  # fmt: skip
    near = found(out)["closest to the last plan within 1 %"]["near"]
    # each unit kept costs 0.1 USD an hour more than 3 on demand; 1 % of 30 pays for 3 units: 7 change
    assert near["value"] == pytest.approx(7.0)
    assert near["bound"] == pytest.approx(7.0)
    assert near["best_value"] == pytest.approx(10.0)


@pytest.mark.parametrize("words", [["--nearly-as-good", "1"], ["--nearly-as-good", "x"], ["--nearly-as-good", "0%"],
                                   ["--against", "nowhere"]])  # fmt: skip
def test_wrong_use(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = builders.write_folder(builders.tables(), tmp_path / "in")
    with pytest.raises(SystemExit) as stop:
        raise SystemExit(main(["what-if", str(given), *words]))
    assert stop.value.code in (1, 2)
    assert capsys.readouterr().err


def test_no_plan_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offers = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "max_units": 2}]
    tables = builders.tables(on_demand=[], offers=offers)
    given = builders.write_folder(tables, tmp_path / "in")
    assert main(["what-if", str(given), "--nearly-as-good", "--fresh"]) == 1
    assert "no plan of the folder exists, so none is nearly as good" in capsys.readouterr().err
