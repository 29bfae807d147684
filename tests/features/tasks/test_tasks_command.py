"""planner tasks: the command end to end, on plans of a few numbers."""

import json
from pathlib import Path
from typing import Any

import pytest

from planner.cli import main
from tests import builders
from tests.builders.task_plans import OFFER, ON_DEMAND, THROUGHPUT, WORKLOAD


def solved(folder: Path, name: str, **changes: Any) -> str:
    """Solve the case of `tiny` over two months: 10 requests an hour, all on units of 1 USD an hour."""
    rows = builders.tables(workloads=[WORKLOAD], throughput=[THROUGHPUT], on_demand=[ON_DEMAND],
                           **{"offers": [OFFER], **changes})  # fmt: skip
    builders.write_folder(rows, folder / name, name=name, months=2)
    assert main(["solve", str(folder / name), "-o", str(folder / "plans" / name), "--no-workbook"]) == 0
    return str(folder / "plans" / name)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A plan, and one at 1.2 USD an hour: 10 units for 5 tasks an hour, 2.00 and 2.40 USD a task."""
    folder = tmp_path_factory.mktemp("tasks")
    return solved(folder, "first"), solved(folder, "dearer", offers=[OFFER | {"usd_per_unit_hour": 1.2}])


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["tasks", *words]) == 0
    return capsys.readouterr().out


def test_a_plan(plans: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, plans[0])
    assert "first: cost per task, 2027-01 to 2027-02" in text
    row = next(line for line in text.splitlines() if line.startswith("w "))
    assert row.split() == ["w", "$2", "$2", "$2", "7,080", "$14,160"]  # 5 tasks in each of 1,416 hours
    assert "No task's cost changed." in text
    assert "No alert" in text


def test_months_that_are_not_shown_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = builders.tables(workloads=[WORKLOAD], throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER])
    builders.write_folder(rows, tmp_path / "six", name="six", months=6)
    assert main(["solve", str(tmp_path / "six"), "-o", str(tmp_path / "plan"), "--no-workbook"]) == 0
    text = printed(capsys, str(tmp_path / "plan"))
    (head,) = (line for line in text.splitlines() if line.startswith("Workload "))
    assert head.split()[1:5] == ["2027-01", "2027-04", "2027-05", "2027-06"]
    assert "2 after 2027-01 not shown: --json" in " ".join(text.split())


def test_against_another(plans: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, plans[1], "--against", plans[0])
    assert "Why the cost per task changed: first → dearer" in text
    row = next(line for line in text.splitlines() if line.startswith("w ") and "+" in line)
    assert row.split() == ["w", "$2", "+20.00", "%", "+20.00", "%", "$2.4"]
    assert "ALERT w: a task costs 20.0 % more in dearer than in first" in text
    assert "Driver: price" in text
    assert "prices of the same usage +20.0 %" in text
    assert "No alert" in printed(capsys, plans[1], "--against", plans[0], "--rise", "0.21")


def test_machines_get_every_figure(plans: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(
        printed(capsys, plans[1], "--against", plans[0], "--from", "2027-01", "--to", "2027-02", "--json")
    )
    (movement,) = found["movements"]
    assert (movement["before"], movement["after"]) == ("first, 2027-01", "dearer, 2027-02")
    price = movement["effects"][0]
    assert (price["factor"], price["usd_per_task"]) == ("price", pytest.approx(0.4))
    assert found["total_usd"] == pytest.approx(1.2 * 10 * 1_416)
    assert sum(row["total_usd"] for row in found["table"]) == pytest.approx(found["total_usd"])
    assert found["trend"][0]["change_usd"] is None
    assert found["alerts"][0]["driver"] == "price"


def test_by_other_keys(plans: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, plans[0], "--by", "origin,model")
    assert "USD per thousand requests" in text
    row = next(line for line in text.splitlines() if line.startswith("west"))
    assert row.split()[:3] == ["west", "m", "$1,000"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "colour"], "'colour' is not one or more of workload, origin, region, model"),
        (["--from", "2027-03"], "no such month (found '2027-03'); allowed: 2027-01, 2027-02"),
        (["--against", "nowhere"], "there is no such directory of a plan"),
        (["--rise", "much"], "'much' is not a number"),
    ],
)
def test_wrong_use(plans: tuple[str, str], capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    capsys.readouterr()
    try:
        code = main(["tasks", plans[0], *words])
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    assert code == 1
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
