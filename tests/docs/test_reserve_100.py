"""docs/reserve-100.md: its commands run, the lines it shows are printed, and each figure is what planner returns."""

import pathlib
import re
import runpy
import shlex

import pytest

import planner
from planner.cli import main

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reserve-100.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAKE = ROOT / "data" / "reserve-100" / "make.py"
HOURS, ON_DEMAND = 672, 3.6
KEPT = 400 * ON_DEMAND * HOURS  # a fleet of 400 around the clock, USD


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("page")
    runpy.run_path(str(MAKE))["write"](root / "reserve-100")
    return root / "reserve-100"


@pytest.fixture(scope="module")
def solved(folders):
    """Plan and strategies of each folder, by name."""
    found = {}
    for folder in sorted(folders.iterdir()):
        case = planner.load(folder)
        plan = planner.solve(case)
        strategies = planner.metrics_of(case, plan).strategies
        found[folder.name] = (case, plan, dict(zip(strategies["strategy"], strategies["total_usd"], strict=True)))
    return found


def table(name):
    """Rows of the table below a mark, as lists of cells."""
    part = PAGE.split(f"<!-- figures: {name} -->\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines()[2:]]


def percent(share):
    return f"{100 * share:.1f} %"


def test_the_commands_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    ran = 0
    for body in BLOCK.findall(PAGE):
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            words = shlex.split(command)
            if words[0] == "python":
                monkeypatch.setattr("sys.argv", words[1:])
                runpy.run_path(words[1], run_name="__main__")
            else:
                assert words[0] == "planner"
                assert main(words[1:]) == 0, command
            output = capsys.readouterr().out
            lines = {" ".join(line.split()) for line in output.splitlines()}
            for line in shown:
                assert " ".join(line.split()) in lines, f"{command}\n{line}\nis not in\n{output}"
            ran += 1
    assert ran == 9


def test_every_row_billed_by_use(solved):
    rows = table("by use")
    assert [row[0].strip("`") for row in rows] == [*(f"peak-{h}h" for h in (0, 1, 7, 14, 17, 42)), "smooth"]
    for name, hours, share, average, rate, units, best, kept in rows:
        case, plan, usd = solved[name.strip("`")]
        loads = case.demand["requests_per_hour"] / 3600
        assert loads.sum() / 168 == pytest.approx(100, rel=1e-4)  # the mean; peak below:
        everything = usd["all on demand"]
        assert everything == pytest.approx(100 * ON_DEMAND * HOURS, rel=1e-4)
        if name != "`smooth`":
            assert int(hours) == (loads > 399).sum()
            assert share == percent((loads > 399).sum() / 168)
        ratio = usd["reserved for the average"] / everything
        mad = ((loads.reindex(range(168), fill_value=0.0) - 100).abs()).mean()  # hours without demand have no row
        assert ratio == pytest.approx(0.70 + mad / 200, rel=1e-4)  # the page's formula
        assert average == percent(ratio)
        assert rate == percent(1 - ratio)
        assert float(units) == round(plan.purchases["units"].sum(), 1)
        assert best == percent(plan.totals.total_usd / everything)
        assert kept == percent(usd["reserved for the average"] / KEPT)
        assert plan.totals.total_usd / everything >= 0.70 - 1e-9  # nothing goes below
        assert ratio >= 0.70 - 1e-9


def test_a_fleet_kept_at_the_peak(solved):
    totals = {name: plan.totals.total_usd for name, (_, plan, _) in solved.items()}
    assert totals["kept"] == pytest.approx(KEPT)
    for name, told in (("kept-100", "costs 92.5 % of the fleet"), ("kept-any", "saves the discount, 30.0 %")):
        assert told in PAGE.replace("\n", " ")
        share = totals[name] / KEPT
        assert percent(share if name == "kept-100" else 1 - share) in told
    assert totals["switched"] / KEPT == pytest.approx(0.5)
    fleet = solved["switched"][2]["all on demand"]
    assert fleet == pytest.approx((100 + 300 * 72.8 / 168) * ON_DEMAND * HOURS)
    saved = KEPT - totals["switched"]
    off, reserved = KEPT - fleet, fleet - totals["switched"]
    told = [(float(usd.replace(",", "")), share) for _, usd, share in table("switched")]
    assert told == [(round(off), f"{100 * off / saved:.0f} %"), (round(reserved), f"{100 * reserved / saved:.0f} %")]
    assert f"Of the {saved:,.0f} USD saved" in PAGE.replace("\n", " ")


def test_the_summary_table(solved):
    rows = PAGE.split("## When it holds")[1]
    share = solved["switched"][1].totals.total_usd / solved["switched"][2]["all on demand"]
    d = 72.8 / 168
    assert share == pytest.approx((70 + 300 * d) / (100 + 300 * d))
    assert f"at d = {100 * d:.0f} %, 10.4 hours a day" in rows
    low, high = (percent(solved[f"peak-{h}h"][2]["reserved for the average"] / KEPT) for h in (0, 42))
    assert f"{low} to {high}" in rows
    assert f"between {low} and {high}" in PAGE.replace("\n", " ")
    best = solved["62.5-off"][1]
    units, cost = best.purchases["units"].sum(), best.totals.total_usd / solved["62.5-off"][2]["all on demand"]
    assert f"reserves {units:.1f} units and costs {percent(cost)}" in PAGE.replace("\n", " ")
    loads = solved["peak-7h"][0].demand["requests_per_hour"] / 3600
    assert f"({loads.min():.0f} requests a second, then)" in PAGE.replace("\n", " ")
