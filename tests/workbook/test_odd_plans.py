"""Plans that lack something: every report is still written, and says so."""

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from openpyxl.utils import get_column_letter

from planner.features.order.order_reader import read_purchase_order
from planner.features.tasks.cost_per_task_sheet import sheets_for
from planner.plan.plan import NO_COST, Plan, Status
from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment
from planner.solver.solve import solve
from planner.verify.figures import metrics_of
from planner.workbook.contract_story import while_money_must_be_spent
from planner.workbook.export import write_tables
from planner.workbook.html import write_html
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from planner.workbook.story import _beyond_what_is_owed, decision, first_cautions, ways
from planner.workbook.terminal import print_report
from tests import builders
from tests.builders.books import opened
from tests.builders.hand_plans import hand_case, hand_plan, hourly, on, witness


def nothing_bought() -> tuple[Case, Plan]:
    """10 requests an hour, all on demand: 10 x 744 x 3 = 22,320 USD."""
    case = builders.case(builders.tables(pools=[], throughput=[], offers=[]))
    slots, flows = witness({"headroom": [("west", "w", "m", "west", "standard", 10.0)]})
    base = hand_plan(hand_case())
    return case, replace(
        on(case, base),
        totals=replace(NO_COST, on_demand_usd=22_320.0),
        purchases=base.purchases.iloc[:0],
        deployments=base.deployments.iloc[:0],
        dispatch=hourly([("west", "w", "m", "west", "standard", 10.0)]),
        stress_slots=slots,
        stress_dispatch=flows,
    )


def nothing_on_demand() -> tuple[Case, Plan]:
    """10 requests an hour on 10 units, and no on demand anywhere: 10 x 744 x 1 = 7,440 USD."""
    case = builders.case(builders.tables(on_demand=[]))
    slots, flows = witness({"headroom": [("west", "w", "m", "west", "west-m", 10.0)]})
    base = hand_plan(hand_case())
    return case, replace(
        on(case, base),
        totals=replace(NO_COST, reserved_usd=7_440.0),
        purchases=base.purchases[base.purchases["offer"] == "west-m-1m"],
        deployments=base.deployments[base.deployments["pool"] == "west-m"],
        dispatch=hourly([("west", "w", "m", "west", "west-m", 10.0)]),
        stress_slots=slots,
        stress_dispatch=flows,
    )


def no_demand() -> tuple[Case, Plan]:
    case = builders.case(builders.tables(demand=builders.profile("west", "w", 0.0)))
    base = hand_plan(hand_case())
    empty = {name: getattr(base, name).iloc[:0] for name in (
        "purchases", "deployments", "dispatch", "stress_slots", "stress_dispatch")}  # fmt: skip
    return case, replace(on(case, base), totals=NO_COST, **empty)


@pytest.mark.parametrize("make", [nothing_bought, nothing_on_demand, no_demand])
def test_every_report_is_written(make, tmp_path: Path) -> None:
    case, plan = make()
    report = Report(metrics_of(case, plan))
    write_workbook(report, tmp_path / "plan.xlsx")
    write_html(report, tmp_path / "plan.html")
    write_tables(report, tmp_path / "export", "parquet")
    stream = io.StringIO()
    print_report(report, stream)
    assert "nan" not in stream.getvalue() + (tmp_path / "plan.html").read_text(encoding="utf-8").replace("nance", "")
    book = opened(tmp_path / "plan.xlsx", data_only=True)
    values = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert not [v for v in values if isinstance(v, str) and (v.startswith("#") or v == "nan")]
    assert "✗" not in values
    bought = read_purchase_order(tmp_path / "plan.xlsx")
    pd.testing.assert_series_equal(bought["units"], pd.Series(plan.purchases["units"].to_numpy(float), name="units"))


def test_a_plan_that_buys_nothing_says_so(tmp_path: Path) -> None:
    case, plan = nothing_bought()
    write_workbook(Report(metrics_of(case, plan)), tmp_path / "plan.xlsx")
    book = opened(tmp_path / "plan.xlsx", data_only=True)
    assert book["Summary"]["A4"].value.startswith("Sign nothing new")
    assert book["Purchase order"]["A12"].value.startswith("Nothing to buy")


@pytest.mark.parametrize(("status", "lowest"), [(Status.OPTIMAL, True), (Status.GIVEN, False), (Status.GAP, False)])
def test_only_a_solver_says_that_nothing_new_costs_least(status: Status, lowest: bool) -> None:
    # an order of which every line was struck was said to serve the usage at the lowest cost
    case, plan = nothing_bought()
    ordered = replace(plan, proof=replace(plan.proof, status=status))
    first, _ = decision(Report(metrics_of(case, ordered)))
    assert first.startswith("Sign nothing new")
    assert ("at the lowest cost" in first) == lowest


def test_a_plan_far_from_its_bound_says_so_first() -> None:
    case, plan = nothing_bought()
    cost = plan.judged_usd
    for bound, told in ((cost * 0.7, True), (cost * 0.995, False)):
        proof = replace(plan.proof, status=Status.GAP, bound_usd=bound, gap=1 - bound / cost, tree_bound_usd=None)
        first = first_cautions(Report(metrics_of(case, replace(plan, proof=proof))))
        assert ("a plan that costs up to" in " ".join(first)) == told
        if told:
            assert "(30.0 %) less is not ruled out. Search longer before you sign." in first[0]


def by_the_hour(workloads: int = 1) -> Report:
    """One month in three parts, of which each buys its units by the hour; others could run."""
    names = [f"w{k}" for k in range(workloads)]
    pool = {"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 1.0, "usd_per_scaled_unit_hour": 2.5}
    tables = builders.tables(
        pools=[pool],
        offers=[{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 5.0}],
        workloads=[{"workload": name, "input_tokens": 60, "output_tokens": 0} for name in names],
        mix=[{"workload": name, "model": "m"} for name in names],
        demand=[row for name in names for row in builders.profile("west", name, 10.0)],
    )
    case = builders.case(tables, cuts="2027-01-12;2027-01-19")
    return Report(metrics_of(case, solve(case, workers=1)))


def test_parts_of_a_month_are_told_whole_where_units_are_bought_by_the_hour(tmp_path: Path) -> None:
    report = by_the_hour()
    assert "10 units of west-m in 3 periods" in " ".join(first_cautions(report))
    write_workbook(report, tmp_path / "plan.xlsx")
    sheet = opened(tmp_path / "plan.xlsx")["Purchase order"]
    (cell,) = [c for row in sheet.iter_rows() for c in row if c.value == "2027-01-19"]
    (across,) = [r for r in sheet.merged_cells.ranges if cell.coordinate in r]
    widths = [sheet.column_dimensions[get_column_letter(k)].width for k in range(across.min_col, across.max_col + 1)]
    assert sum(widths) > len("2027-01-19") + 3  # it printed 2027-01 three times


def test_each_bar_has_room_for_its_name(tmp_path: Path) -> None:
    report = by_the_hour()
    write_workbook(report, tmp_path / "plan.xlsx")
    with zipfile.ZipFile(tmp_path / "plan.xlsx") as file:
        drawing = file.read("xl/drawings/drawing1.xml").decode()
    first, last = (int(row) for row in re.findall(r"<xdr:row>(\d+)</xdr:row>", drawing)[:2])
    assert last - first >= 2 * len(ways(report))


def test_a_chart_below_a_long_table_has_a_page_of_its_own(tmp_path: Path) -> None:
    report = by_the_hour(workloads=7)
    write_workbook(report, tmp_path / "plan.xlsx", sheets_for(report.case))
    sheet = opened(tmp_path / "plan.xlsx")["Cost per task"]
    (title,) = [c.row for row in sheet.iter_rows() for c in row if c.value == "Cost per task, month by month"]
    (why,) = [c.row for row in sheet.iter_rows() for c in row if c.value == "Why the cost per task changed, USD"]
    areas = [[int(n) for n in re.findall(r"\$[A-Z]+\$(\d+)", area)] for area in str(sheet.print_area).split(",")]
    assert [last for first, last in areas if first == title] != [why - 1]
    assert next(first for first, last in areas if last == why - 1) > title + 7 * 3


def test_what_a_dollar_for_a_contract_costs_is_told_where_the_prices_are_the_plan_s() -> None:
    # $69,031 of $60,000 were spent, and "one more dollar costs only $0.71: the rest would be paid anyway"
    case = replace(builders.case(), spend_commitments=(SpendCommitment(contract="macc", usd=30_000.0),))
    plan = solve(case, workers=1)
    spend = metrics_of(case, plan).spend
    for status, lost, told in ((Status.OPTIMAL, 0.0, True), (Status.GAP, 0.0, False), (Status.GAP, 5.0, True)):
        report = Report(metrics_of(case, replace(plan, proof=replace(plan.proof, status=status))))
        report.metrics.spend[["lost_usd", "saved_per_usd"]] = [lost, 0.4]
        (line, *_) = while_money_must_be_spent(report)
        assert ("would be paid anyway" in line) == told
    assert len(spend) == 1


def test_what_signing_nothing_pays_for_is_named_only_where_it_can_be() -> None:
    # "$12,144 for units by the hour and what spend commitments fall short of", where no contract fell short
    contract = (SpendCommitment(contract="macc", usd=30_000.0),)
    case = replace(builders.case(), spend_commitments=contract)
    report = Report(metrics_of(case, solve(case, workers=1)))
    assert _beyond_what_is_owed(report) == "for what spend commitments fall short of"  # no pool sells by the hour
    assert _beyond_what_is_owed(by_the_hour()) == "for units by the hour"


def test_a_region_s_name_does_not_break_in_the_middle(tmp_path: Path) -> None:
    # "germanywestcentr" and "al" stood below each other on four sheets
    name = "germanywestcentral"
    tables = builders.tables(
        regions=[{"region": name}],
        demand=builders.profile(name, "w", 10.0),
        pools=[{"pool": "west-m", "region": name}],
        on_demand=[{"region": name, "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0}],
    )
    case = builders.case(tables)
    write_workbook(Report(metrics_of(case, solve(case, workers=1))), tmp_path / "plan.xlsx")
    book = opened(tmp_path / "plan.xlsx")
    for sheet in ("Purchase order", "Reservations", "Deployments", "Changes"):
        (head,) = [c for row in book[sheet].iter_rows() for c in row if c.value == "Region"]
        assert book[sheet].column_dimensions[head.column_letter].width > len(name), sheet
