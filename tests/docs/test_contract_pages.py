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
PAGES = ("campaign", "upfront", "hour-prices", "units-by-the-hour", "spend-commitments", "risk")
TABLE = re.compile(r"```(?:yaml|csv)\n# (\S+)\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
CASES = "cases.yaml"  # stands beside the folder
DAYS = {"2027-02-01": 7, "2027-02-08": 7, "2027-02-15": 14}


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def folder_of(name: str, where: Path, text: str | None = None) -> Path:
    """Write the tables of a page, or of the part of it that is given, into its folder."""
    path = where / name
    path.mkdir(exist_ok=True)
    for table, cells in TABLE.findall(page(name) if text is None else text):
        (where if table == CASES else path).joinpath(table).write_text(cells)
    return path


def on_demand_usd(units: dict[str, int]) -> float:
    """Requests beyond 810 an hour and unit, at 0.0045 USD each."""
    rows = [line.split(",") for line in page("campaign").splitlines() if line.startswith("us,shop,")]
    hourly = {row[2]: np.array(row[3:], float) for row in rows}
    return sum(float(np.maximum(hourly[n] - 810 * units[n], 0).sum()) * days * 0.0045 for n, days in DAYS.items())


@pytest.mark.parametrize("name", PAGES)
def test_the_commands(name: str, tmp_path: Path, monkeypatch, capsys) -> None:
    """In the order of the page: a table counts for the commands that follow it."""
    monkeypatch.chdir(tmp_path)
    *parts, _ = CONSOLE.split(page(name))
    assert parts
    for tables, console in zip(parts[::2], parts[1::2], strict=True):
        folder_of(name, tmp_path, tables)
        for command, shown in commands_of(console):
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


def test_the_contract_of_the_page(tmp_path: Path) -> None:
    """A day on demand is 80 unit-hours of 3.645 USD; with five units of 36 USD a day 8 of them stay on demand."""
    case = planner.load(folder_of("spend-commitments", tmp_path))
    metrics = planner.metrics_of(case, plan := planner.solve(case))
    full, cheapest = 80 * 3.645, 5 * 36 + 8 * 3.645
    assert plan.totals.total_usd == pytest.approx(18_000 + 31 * cheapest)
    drawn = [(full * 31, full * 31), (full * 28, full * 59)]
    expected = [(usd, spent, 18_000 - spent, 18_000 - full * 59) for usd, spent in drawn]
    columns = ["on_demand_usd", "spent_usd", "left_usd", "lost_usd"]
    assert metrics.drawdown[columns].to_numpy() == pytest.approx(np.array(expected))
    for month, row in zip(("2027-01", "2027-02"), expected, strict=True):
        assert f"| {month} | " + " | ".join(f"{usd:,.2f}" for usd in row) + " |" in page("spend-commitments")


def test_the_weights_of_the_page(tmp_path: Path) -> None:
    """Six units cost 6,696 USD; in the launch, units 7 to 12 are tokens: two for 16 hours a day, for 12 and for 4."""
    plan = planner.solve(planner.load(folder_of("risk", tmp_path)))
    assert plan.risk is not None
    launch = 2 * (16 + 12 + 4) * 31 * 3.645
    assert plan.totals.total_usd == pytest.approx(6_696 + 0.2 * launch)
    assert plan.risk.objective_usd == pytest.approx(6_696 + (0.5 * 0.2 + 0.5) * launch)
    for hours, weight in ((24, 0.264), (16, 0.522), (12, 0.779)):  # where a unit's 1,116 USD are 0.2 (1 - w) + w of it
        worth = hours * 31 * 3.645
        assert (1116 / worth - 0.2) / 0.8 == pytest.approx(weight, abs=0.0005)
        assert f"| {hours} | {worth:,.2f} | {weight} |" in page("risk")
