"""Every command that tells money of a plan checks it first: one that was edited and sealed anew is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.cli import main
from planner.errors import PlannerError
from planner.io.digest import sealed
from planner.plan.files import read_plan
from planner.plan.manifest import digests_in
from planner.verify.trusted import trusted
from tests.builders import two_regions, write_folder

ROWS = two_regions(routes=[])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `in` and its plan `q`, sold for 1,000 USD less than it costs, everything sealed anew; `right` is not."""
    place = tmp_path_factory.mktemp("trusted")
    write_folder(ROWS, place / "in")
    case = planner.load(place / "in")
    metrics = planner.metrics_of(case, planner.solve(case))
    for name in ("right", "q"):
        planner.write_plan(metrics, place / name, workbook=name == "right")
    seal(place / "q", lambda told: told.update(reserved_usd=told["reserved_usd"] - 1e3,
                                               total_usd=told["total_usd"] - 1e3))  # fmt: skip
    return place


def seal(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "plan.json"
    told = json.loads(path.read_text())
    change(told)
    del told["sha256"]
    told["files"] = digests_in(folder)
    path.write_text(sealed(json.dumps(told, indent=2) + "\n"))


COMMANDS = (
    "tasks q",
    "tasks right --against q",
    "chargeback q",
    "review q history",
    "resolve in --against q -o new",
    "what-if in --how-far q",
    "what-if in --nearly-as-good 1% --against q",
    "price in right/plan.xlsx --previous q -o new",
    "solve in --previous q -o new",
    "accept q --by Ada",
    "hand-over q --draft -o new",
)


@pytest.mark.parametrize("command", COMMANDS, ids=[c.split()[0] for c in COMMANDS])
def test_no_command_tells_the_money_of_a_plan_that_does_not_add_up(
    place: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    assert main(command.split()) == 1
    out, err = capsys.readouterr()
    assert "costs add up" in err
    assert "USD" not in out
    assert not (place / "new").exists()


def test_a_plan_as_it_was_written_is_read(place: Path) -> None:
    assert planner.load_plan(place / "right").plan.totals == read_plan(place / "right").totals


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(bound_usd=told["bound_usd"] + 1, gap=0.0),
        lambda told: told["deployments"][0].update(units=told["deployments"][0]["units"] * 2),
    ],
    ids=["bound", "units"],
)
def test_what_is_edited_besides_the_cost_is_refused_too(
    place: Path, tmp_path: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    folder = Path(shutil.copytree(place / "right", tmp_path / "q"))
    seal(folder, change)
    with pytest.raises(PlannerError, match="none of them is used"):
        trusted(folder)
