"""Chargeback: every dollar of a plan by team, by hand and on solved plans of random folders."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import planner
from planner.cli import main
from planner.features.tasks import task_costs
from planner.features.tasks.chargeback import OF_TEAMS, Chargeback, chargeback, chargeback_of
from planner.features.tasks.focus_charges import focus_charges
from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.metrics.task_costs import cost_by_month
from planner.schema.case import Case
from tests import builders
from tests.builders.solved import scaled_limit, spend
from tests.builders.task_plans import OFFER, ON_DEMAND, THROUGHPUT, WORKLOAD, flow, january, random_plan
from tests.oracle.generate import generate

TWO = {
    "workloads": [WORKLOAD | {"workload": "a", "team": "red", "cost_centre": "CC-1"}, WORKLOAD | {"workload": "b"}],
    "mix": [{"workload": w, "model": "m"} for w in "ab"],
    "demand": [row for w in "ab" for row in builders.profile("west", w, 4.0)],
}


def by_hand() -> Chargeback:
    """10 units at 1 USD for 744 hours: team red takes 6 of them all the time, b (no team) takes 2 and buys 2."""
    flows = (flow("west-m", 6.0, "a"), flow("west-m", 2.0, "b"), flow("standard", 2.0, "b"))
    return chargeback_of(january(flows=flows, **TWO).basis)


def solved(case: Case) -> Chargeback:
    return chargeback(case, planner.solve(case, workers=1))


def amounts(found: Chargeback) -> dict[str, float]:
    return {str(charge): float(usd) for charge, usd in found.table.groupby("charge")["usd"].sum().items()}


def test_by_hand() -> None:
    found = by_hand()
    teams = found.of_teams("team", "cost_centre").set_index("team")
    assert teams["used_usd"].to_dict() == pytest.approx({"red": 6 * 744, "": 2 * 744})
    assert teams["on_demand_usd"].to_dict() == pytest.approx({"red": 0.0, "": 2 * 744 * 3})
    assert teams["cost_centre"].to_dict() == {"red": "CC-1", "": ""}
    assert amounts(found)["idle"] == pytest.approx(2 * 744)  # 10 units, 8 used: on nobody's line
    assert found.total_usd == pytest.approx(10 * 744 + 2 * 744 * 3)


def test_a_task_bears_its_share_of_idle_units_and_a_team_does_not() -> None:
    """docs/chargeback.md: red has 6 of the 8 units used, so its tasks bear 6/8 of 7,440 USD; the team pays for 6."""
    found = by_hand()
    tasks = task_costs(found.basis.case, found.basis.plan).by("workload").set_index("workload")
    assert tasks.loc["a", "total_usd"] == pytest.approx(6 / 8 * 7440)
    assert found.of_teams("team").set_index("team").loc["red", "total_usd"] == pytest.approx(6 * 744)


def test_kept_for_failover_goes_to_who_needs_it() -> None:
    """East asks 10 an hour and is served at home. 10 units in the west stand idle for the loss of east.

    Without on demand, each region needs 10 units (744 USD each unit and month); of the west's, none is ever used.
    """
    rows = builders.tables(
        regions=[{"region": "east"}, {"region": "west", "fails": False}],
        workloads=[WORKLOAD | {"team": "red"}],
        throughput=[THROUGHPUT | {"pool": pool} for pool in ("east-m", "west-m")],
        pools=[{"pool": f"{r}-m", "region": r} for r in ("east", "west")],
        offers=[OFFER | {"offer": f"{r}-1m", "pool": f"{r}-m"} for r in ("east", "west")],
        routes=[{"origin": "east", "destination": "west", "usd_per_gb": 1e8}],  # dearer than units
        demand=builders.profile("east", "w", 10.0),
        on_demand=[],
    )
    case = builders.case(rows, headroom=0.0, failover={"enabled": True, "share": 1.0})
    assert amounts(solved(case)) == pytest.approx({"used": 7440, "kept for failover": 7440})
    off = builders.case(rows, headroom=0.0, failover={"enabled": False})
    assert amounts(solved(off)) == pytest.approx({"used": 7440})


def test_units_by_the_hour_are_charged_to_the_hour_that_runs_them() -> None:
    """6 units for the first hour of each week (31/7 of them), 4 requests on demand at 3 USD: no unit stands idle."""
    found = amounts(solved(scaled_limit.CASE))
    assert found == pytest.approx({"by the hour": 6 * 31 / 7, "on demand": 4 * 3 * 31 / 7})


def test_money_of_a_contract_that_is_not_spent_is_nobody_s() -> None:
    (contract,) = spend.CASE.spend_commitments
    case = replace(spend.CASE, spend_commitments=(contract.model_copy(update={"usd": 200.0}),))
    found = amounts(solved(case))  # docs/spend-commitments.md: all on demand for 132.86 USD
    assert found == pytest.approx({"on demand": 10 * 3 * 31 / 7, "unspent commitments": 200 - 10 * 3 * 31 / 7})


def test_paid_days_that_serve_no_whole_month_are_idle() -> None:
    """A term of 45 days in January and February, 744 + 336 hours: it serves January and is paid for 14 more days."""
    from planner.plan.metrics.basis import Basis
    from planner.plan.reading import Reading
    from tests.builders.hand_plans import hourly
    from tests.builders.task_plans import priced

    rows = builders.tables(
        workloads=[WORKLOAD], throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER | {"term_days": 45}]
    )
    case = builders.case(rows, months=2)
    plan = priced(case, {("west-m", "2027-01"): 10.0}, hourly([flow("west-m", 8.0)]))
    found = chargeback_of(Basis.of(Reading(case, plan)))
    assert amounts(found) == pytest.approx({"used": 8 * 744, "idle": 2 * 744 + 10 * 14 * 24})


@pytest.mark.parametrize("seed", range(6))
def test_random_plans_add_up(seed: int) -> None:
    """Plans that keep no rule: several meters, shared pools, unreserved units, tails, scenarios."""
    case, plan = random_plan(seed)
    found = chargeback(case, plan)
    assert found.total_usd == pytest.approx(plan.totals.total_usd, rel=1e-12)
    assert (found.table["usd"] >= 0).all()


CONTRACTS = ("scaled,spend", "upfront,cuts,terms,meters", "batch,prices,risk,unreserved")


@pytest.mark.parametrize("features", CONTRACTS)
def test_solved_folders_add_up(features: str, tmp_path: Path) -> None:
    generate(tmp_path, 40, regions=2, workloads=2, models=1, months=1, features=f"{features},scenarios,egress,cache")
    case = planner.load(tmp_path)
    plan = planner.solve(case, workers=1)
    found, tasks = chargeback(case, plan), task_costs(case, plan)
    assert found.total_usd == pytest.approx(plan.totals.total_usd, abs=1e-6)
    assert (found.table["usd"] >= 0).all()
    idle = found.table[found.table["charge"] == "idle"]
    assert sum(found.idle_by_hour.values()) <= idle["usd"].sum() + 1e-9
    months = cost_by_month(found.basis).set_index("period")["total_usd"].drop(HORIZON)
    assert found.table.groupby("period")["usd"].sum().to_dict() == pytest.approx(months.to_dict(), abs=1e-6)
    teams, by_task = (table.set_index("workload") for table in (found.of_teams("workload"), tasks.by("workload")))
    for name in ("on_demand_usd", "egress_usd"):
        expected = by_task[name].reindex(teams.index).fillna(0.0).to_dict()
        assert teams[name].to_dict() == pytest.approx(expected, abs=1e-6)


def test_focus_rows_hold_the_same_cost() -> None:
    found = by_hand()
    rows = focus_charges(found)
    assert rows["EffectiveCost"].sum() == pytest.approx(found.total_usd)
    assert rows["BilledCost"].sum() == pytest.approx(2 * 744 * 3)  # the units are billed by their purchase
    tags = rows["Tags"].map(json.loads)
    red = rows[tags.map(lambda t: t.get("team") == "red")]
    assert red["EffectiveCost"].sum() == pytest.approx(6 * 744)
    assert set(red["CommitmentDiscountStatus"]) == {"Used"}
    idle = rows[tags.map(lambda t: t["charge"] == "idle")]
    assert idle[["CommitmentDiscountStatus", "PricingCategory"]].to_numpy().tolist() == [["Unused", "Committed"]]
    assert rows["ChargePeriodEnd"].tolist() == ["2027-02-01T00:00:00Z"] * len(rows)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("chargeback")
    rows = builders.tables(throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER], **TWO)  # fmt: skip
    builders.write_folder(rows, place / "folder", name="teams", months=2)
    assert main(["solve", str(place / "folder"), "-o", str(place / "plan")]) == 0
    return place / "plan"


def test_the_command(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["chargeback", str(directory), "--csv", str(tmp_path / "c.csv"), "--focus", str(tmp_path / "f.csv")]
    capsys.readouterr()
    assert main(words) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["red", "$5,664", "$0", "$0", "$0", "$5,664"] in lines  # 4 units for 1,416 hours
    assert ["no", "team", "$5,664", "$0", "$0", "$0", "$5,664"] in lines
    assert ["Total", "$11,328", "$0", "$0", "$0", "$11,328"] in lines
    table = pd.read_csv(tmp_path / "c.csv")
    assert table["usd"].sum() == pytest.approx(11328)
    assert set(table["charge"]) <= set(OF_TEAMS)
    assert pd.read_csv(tmp_path / "f.csv")["EffectiveCost"].sum() == pytest.approx(11328)
    assert main([*words[:2], "--by", "team,cost_centre,workload", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(row["team"], row["workload"]) for row in found["by"]] == [(None, "b"), ("red", "a")]
    assert found["total_usd"] == pytest.approx(11328)
    with pytest.raises(SystemExit):
        main([*words[:2], "--by", "colour"])


def test_the_sheet(directory: Path) -> None:
    sheet = openpyxl.load_workbook(directory / "plan.xlsx", data_only=True)["Chargeback"]
    rows = [row for row in sheet.iter_rows(values_only=True) if row[0] in ("red", "no team", "Idle", "Total")]
    assert [row[:3] for row in rows[:2]] == [("red", "CC-1", "2027-01"), ("red", "CC-1", "2027-02")]
    first = next(row for row in rows if row[0] == "Total")
    assert first[-1] == pytest.approx(11328)
    assert isinstance(sheet["A1"].value, str)


def test_no_sheet_where_nobody_names_a_team(tmp_path: Path) -> None:
    rows = builders.tables(workloads=[WORKLOAD], throughput=[THROUGHPUT], on_demand=[ON_DEMAND], offers=[OFFER])
    builders.write_folder(rows, tmp_path / "folder", name="teams")
    assert main(["solve", str(tmp_path / "folder"), "-o", str(tmp_path / "plan")]) == 0
    assert "Chargeback" not in openpyxl.load_workbook(tmp_path / "plan" / "plan.xlsx").sheetnames


def test_team_changes_no_plan() -> None:
    case = builders.case(builders.tables(workloads=[WORKLOAD], on_demand=[ON_DEMAND], throughput=[THROUGHPUT]))
    named = builders.case(
        builders.tables(workloads=[WORKLOAD | {"team": "red"}], on_demand=[ON_DEMAND], throughput=[THROUGHPUT])
    )
    assert named.digest != case.digest
    assert dt.date(2027, 1, 1) == case.periods[0].start
    assert planner.solve(named).totals == planner.solve(case).totals
