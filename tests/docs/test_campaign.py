"""docs/campaign.md: its folder is planned, the lines it shows are printed, and its figures are arithmetic."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import planner
from planner.cli import main
from planner.features.order.order import price_order
from planner.solver.find import Options

PAGE = (Path(__file__).parents[2] / "docs" / "campaign.md").read_text(encoding="utf-8")
TABLE = re.compile(r"```(?:yaml|csv)\n# (\S+)\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
DAYS = {"2027-02-01": 7, "2027-02-08": 7, "2027-02-15": 14}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "campaign"
    path.mkdir()
    for name, text in TABLE.findall(PAGE):
        (path / name).write_text(text)
    return path


def on_demand_usd(units: dict[str, int]) -> float:
    """Requests beyond 810 an hour and unit, at 0.0045 USD each."""
    hourly = {n: np.array(line.split(",")[3:], float) for n in DAYS for line in PAGE.splitlines() if f",{n}," in line}
    return sum(float(np.maximum(hourly[n] - 810 * units[n], 0).sum()) * days * 0.0045 for n, days in DAYS.items())


def test_the_commands(folder: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folder.parent)
    for part in re.split(r"^\$ ", CONSOLE.findall(PAGE)[0], flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        assert main(shlex.split(command)[1:]) == 0
        printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        assert [line for line in shown if line not in printed] == []


def test_the_figures(folder: Path) -> None:
    case = planner.load(folder)
    plan = planner.solve(case)
    weeks = on_demand_usd({"2027-02-01": 3, "2027-02-08": 7, "2027-02-15": 3})
    assert plan.totals.total_usd == pytest.approx(3 * 1.9 * 672 + 4 * 2.2 * 168 + weeks)
    order = pd.DataFrame(
        [("us-month", "2027-02-01", 5.0, 1.9)], columns=["offer", "period", "units", "usd_per_unit_hour"]
    )
    month = price_order(case, order, Options()).plan.totals.total_usd
    assert month == pytest.approx(5 * 1.9 * 672 + on_demand_usd(dict.fromkeys(DAYS, 5)))
    assert f"${month:,.0f}" in PAGE
