"""Plans that lack something: every report is still written, and says so."""

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from planner.features.order.order_reader import read_purchase_order
from planner.plan.plan import NO_COST, Plan
from planner.schema.case import Case
from planner.verify.figures import metrics_of
from planner.workbook.export import write_tables
from planner.workbook.html import write_html
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
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
