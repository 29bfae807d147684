"""Pages of contracts: each page's folder is planned, the lines it shows are printed, its figures are arithmetic."""

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import planner
from planner.cli import main
from planner.features.order.order import price_order
from planner.plan.metrics.collect import summary_of
from planner.schema.contracts import hours_of
from planner.solver.find import Options
from tests.builders.pages import commands_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ("campaign", "upfront", "hour-prices", "units-by-the-hour")
TABLE = re.compile(r"```(?:yaml|csv)\n# (\S+)\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
DAYS = {"2027-02-01": 7, "2027-02-08": 7, "2027-02-15": 14}


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def folder_of(name: str, where: Path) -> Path:
    path = where / name
    path.mkdir()
    for table, text in TABLE.findall(page(name)):
        (path / table).write_text(text)
    return path


def on_demand_usd(units: dict[str, int]) -> float:
    """Requests beyond 810 an hour and unit, at 0.0045 USD each."""
    rows = [line.split(",") for line in page("campaign").splitlines() if line.startswith("us,shop,")]
    hourly = {row[2]: np.array(row[3:], float) for row in rows}
    return sum(float(np.maximum(hourly[n] - 810 * units[n], 0).sum()) * days * 0.0045 for n, days in DAYS.items())


@pytest.mark.parametrize("name", PAGES)
def test_the_commands(name: str, tmp_path: Path, monkeypatch, capsys) -> None:
    folder_of(name, tmp_path)
    monkeypatch.chdir(tmp_path)
    for command, shown in commands_of(CONSOLE.findall(page(name))[0]):
        assert main(shlex.split(command)[1:]) == 0
        printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        assert [line for line in shown if line not in printed] == []


def test_the_campaign_s_figures(tmp_path: Path) -> None:
    case = planner.load(folder_of("campaign", tmp_path))
    plan = planner.solve(case)
    weeks = on_demand_usd({"2027-02-01": 3, "2027-02-08": 7, "2027-02-15": 3})
    assert plan.totals.total_usd == pytest.approx(3 * 1.9 * 672 + 4 * 2.2 * 168 + weeks)
    order = pd.DataFrame(
        [("us-month", "2027-02-01", 5.0, 1.9)], columns=["offer", "period", "units", "usd_per_unit_hour"]
    )
    month = price_order(case, order, Options()).plan.totals.total_usd
    assert month == pytest.approx(5 * 1.9 * 672 + on_demand_usd(dict.fromkeys(DAYS, 5)))
    assert f"${month:,.0f}" in page("campaign")


def test_the_cash_of_the_page(tmp_path: Path) -> None:
    case = planner.load(folder_of("upfront", tmp_path))
    plan = planner.solve(case)
    told = summary_of(planner.metrics_of(case, plan))["cash"]
    assert [row["hourly_usd"] for row in told] == pytest.approx([10 * 0.4 * 24 * days for days in (31, 28, 31)])
    assert [row["upfront_usd"] for row in told] == [15_120, 0, 0]
    for row in told:
        assert f"{row['month']},{row['hourly_usd']},{row['upfront_usd']},{row['total_usd']}" in page("upfront")


def test_the_hours_of_the_page(tmp_path: Path) -> None:
    """35 peak hours a week at twice 0.81 USD for 2,000 requests: 0.979 USD on average, 744 hours; the catalogue's."""
    case = planner.load(folder_of("hour-prices", tmp_path))
    (factor,) = case.price_factors
    peak = sorted(set(range(168)) - set(factor.hours))
    assert len(peak) == 35
    assert {h % 24 for h in peak} == {1, 2, 3, 6, 7, 8, 9}
    with (ROOT / "data" / "catalogue" / "hour_factors.csv").open(encoding="utf-8", newline="") as file:
        (published,) = (row for row in csv.DictReader(file) if row["model"] == "deepseek-v4-flash")
    assert (hours_of(published["hours_of_week"]), float(published["factor"])) == (factor.hours, factor.factor)
    with (ROOT / "data" / "catalogue" / "on_demand.csv").open(encoding="utf-8", newline="") as file:
        (price,) = (row for row in csv.DictReader(file) if row["model"] == "deepseek-v4-flash")
    for name in ("usd_per_mtok_input", "usd_per_mtok_cached_input", "usd_per_mtok_output"):
        assert getattr(case.on_demand[0], name) == float(price[name])
    nothing = planner.solve(case.nothing_for_sale()).totals.total_usd
    assert nothing == pytest.approx(2000 * 0.000405 * (1 + 35 / 168) * 744)
    assert planner.solve(case).totals.total_usd == pytest.approx(0.92 * 744)
