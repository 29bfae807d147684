"""planner what-if --make-it-fit: end to end, by hand."""

import json
from pathlib import Path

import pytest

from planner.cli import main
from planner.errors import StoppedError
from planner.features.what_if.fit_study import AT_LEAST, NONE_FOUND, NOT_SETTLED
from planner.model.sets import Sets
from planner.solver.highs import Clock
from planner.solver.infeasible import ChangeSearch
from planner.solver.single_changes import _Changes, _Open
from tests import builders
from tests.builders.books import opened
from tests.builders.one_hour import on_demand

HOURS = 744


def short_of_units(folder: Path) -> Path:
    """Ten requests an hour need ten units; seven are for sale, and a quota of two is on demand."""
    offers = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "max_units": 7}]
    options = [on_demand(tokens_per_minute_quota=2)]
    return builders.write_folder(builders.tables(offers=offers, on_demand=options), folder, whole_units=False)


def test_single_changes_with_their_plans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """8 of 10 are served. A unit more costs 1 USD an hour, a token a minute more 3 USD an hour.

    With 8 units for sale (+14 %) 8 + 2 · 3 = 14 USD an hour; with a quota of 3 (+50 %) 7 + 3 · 3 = 16 USD an hour.
    """
    given, out = short_of_units(tmp_path / "in"), tmp_path / "out"
    assert main(["solve", str(given), "-o", str(tmp_path / "plan")]) == 2
    assert f"planner what-if {given} --make-it-fit finds each single change" in capsys.readouterr().err
    assert main(["what-if", str(given), "--make-it-fit", "-o", str(out)]) == 0
    text = capsys.readouterr().out
    assert "The smallest of these: max_units of west-m-1m from 7 to 8; the plan then costs $10,416." in text
    cases = json.loads((out / "study.json").read_text(encoding="utf-8"))["cases"]
    assert {case["change"]["name"]: case["total_usd"] for case in cases} == pytest.approx({
        "max_units of west-m-1m from 7 to 8": 14 * HOURS,
        "quota of m in west from 2 to 3": 16 * HOURS,
        "demand of w from west times 0.9": 13 * HOURS,
    })  # fmt: skip
    rows = list(
        opened(out / "study.xlsx", data_only=True)["Make it fit"].iter_rows(min_row=5, max_row=7, values_only=True)
    )
    assert [row[0] for row in rows] == [case["change"]["name"] for case in cases]
    assert rows[0][4] == "smallest, cheapest"
    assert main(["what-if", str(given), "-o", str(out)]) == 0  # read back
    assert "The smallest of these: max_units of west-m-1m from 7 to 8" in capsys.readouterr().out


def test_a_folder_with_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = builders.write_folder(builders.tables(), tmp_path / "in")
    assert main(["what-if", str(given), "--make-it-fit", "--fresh"]) == 0
    assert "The folder has a plan as it stands: nothing has to change." in capsys.readouterr().out


def test_what_is_proved_is_said_where_whole_units_are_not_settled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole units find no time: 3 tokens a minute are what units of any size need, and the exit is 3."""
    real = ChangeSearch.part_has_plan

    def over(part: Sets, clock: Clock, *, sized: bool = True) -> bool:
        if sized:
            raise StoppedError("the time ran out")
        return real(part, clock, sized=sized)

    def no_more(changes: _Changes, still: list[_Open], total: int) -> None:
        changes.clock = changes.late = Clock(0.0)
        again(changes, still, total)

    again = _Changes._again
    monkeypatch.setattr(ChangeSearch, "part_has_plan", staticmethod(over))
    monkeypatch.setattr(_Changes, "_again", no_more)
    offers = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "max_units": 7, "unit_step": 1}]
    tables = builders.tables(offers=offers, on_demand=[on_demand(tokens_per_minute_quota=2)])
    given = builders.write_folder(tables, tmp_path / "in", whole_units=True)
    assert main(["what-if", str(given), "--make-it-fit", "--fresh"]) == 3
    text = " ".join(capsys.readouterr().out.split())
    assert NONE_FOUND in text
    assert f"{NOT_SETTLED}{AT_LEAST}: " in text
    assert "- quota of m in west from 2 to 3" in text
    assert "Not answered, because the time limit ran out before there was a plan: " in text


def test_a_mix_that_no_region_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only west serves n, of which a tenth is asked for: while west is lost nobody serves it, at any size or price."""
    given = builders.write_folder(
        builders.two_regions(
            models=[{"model": "m"}, {"model": "n"}],
            mix=[{"workload": "w", "model": "m"}, {"workload": "w", "model": "n", "min_share": 0.1}],
            on_demand=[on_demand("east"), on_demand("west"), on_demand("west", "n")],
        ),
        tmp_path / "in",
        failover={"enabled": True},
    )
    assert main(["solve", str(given), "-o", str(tmp_path / "plan")]) == 2
    assert "while west is lost, nothing within reach of east, west serves n" in capsys.readouterr().err
    assert main(["what-if", str(given), "--make-it-fit", "-o", str(tmp_path / "out")]) == 0
    assert "min_share of w, n from 0.1 to 0" in capsys.readouterr().out
