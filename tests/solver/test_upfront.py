"""Upfront prices, by hand: they count evenly over a term in the cost, and are due in the month in which it starts.

10 requests an hour take 10 units, or cost 3 USD each on demand; January 2027 has 744 hours, January and February 1416.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from planner.errors import InputError
from planner.features.order.order import as_owed, price_order
from planner.features.order.order_reader import read_purchase_order
from planner.features.review import review
from planner.features.review.review_tables import KEEP
from planner.plan.audit import audit
from planner.plan.orders import cash_table, order_lines
from planner.plan.reading import Reading
from planner.readers import load
from planner.schema.case import Case
from planner.solver.find import Options, find_plan
from planner.solver.solve import solve
from planner.verify import deep
from planner.verify.figures import metrics_of
from planner.workbook import story
from planner.workbook.export import focus_contract_commitments, focus_purchases
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from tests import builders
from tests.builders.histories import history_of
from tests.oracle.generate import generate
from tests.oracle.reference import disagreements

TWO = {"offer": "2m", "pool": "west-m", "term_months": 2, "upfront_usd_per_unit": 708.0}  # half a dollar an hour


def sold(*offers: dict[str, Any], **options: Any) -> Case:
    return builders.case(builders.tables(offers=list(offers)), **options)


def test_what_is_paid_upfront_counts_evenly_over_the_term() -> None:
    dearer = {"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 1.2}
    case = sold(TWO | {"usd_per_unit_hour": 0.25}, dearer, tail_value=0.5)
    plan = solve(case)
    assert plan.totals.reserved_usd == pytest.approx(10 * 0.75 * 744)
    assert plan.totals.tail_usd == pytest.approx(10 * 0.75 * 672 / 2)
    reading = Reading(case, plan)
    assert audit(case, plan) == []
    assert deep.search(case, reading.derived, reading.names)[0] == pytest.approx(plan.totals.total_usd)


def test_both_budgets_count_it() -> None:
    inside = solve(sold(TWO, max_commitment_usd=5 * 0.5 * 744))
    whole = solve(sold(TWO, max_commitment_whole_term_usd=4 * 708.0))
    assert (inside.purchases["units"].sum(), whole.purchases["units"].sum()) == (pytest.approx(5), pytest.approx(4))


def test_the_hourly_price_may_be_blank_only_beside_an_upfront_price(tmp_path: Path) -> None:
    case = load(builders.write_folder(builders.tables(offers=[TWO]), tmp_path / "in"))
    assert (case.offers[0].usd_per_unit_hour, case.offers[0].upfront_usd_per_unit) == (0.0, 708.0)
    for k, row in enumerate(({"upfront_usd_per_unit": 0.0}, {"term_months": 1})):
        bare = {"offer": "o", "pool": "west-m", **row}
        with pytest.raises(InputError, match=r"offers\.csv.*usd_per_unit_hour.*must be filled in"):
            load(builders.write_folder(builders.tables(offers=[bare]), tmp_path / f"bare{k}"))


def test_earlier_commitments_owe_their_hours_only() -> None:
    owed = [{"offer": "2m", "units": 10, "start": "2026-12-01", "end": "2027-02-01"}]
    rows = builders.tables(offers=[TWO | {"usd_per_unit_hour": 0.1}], commitments=owed)
    assert solve(builders.case(rows)).totals.total_usd == pytest.approx(10 * 0.1 * 744)


def test_cash_by_calendar_month_and_what_is_said_of_it() -> None:
    case = sold(TWO | {"usd_per_unit_hour": 0.25}, months=2)
    report = Report(metrics_of(case, solve(case)))
    cash = cash_table(report.lines).set_index("month")
    assert cash.loc["2027-01"].tolist() == pytest.approx([10 * 0.25 * 744, 7080.0, 10 * 0.25 * 744 + 7080.0])
    assert cash.loc["2027-02"].tolist() == pytest.approx([10 * 0.25 * 672, 0.0, 10 * 0.25 * 672])
    assert cash["total_usd"].sum() == pytest.approx(sum(n.term_usd for n in report.lines))
    assert "($7,080 of it is due upfront, on 2027-01-01)" in story.decision(report)[0]
    charges = focus_purchases(report)
    assert charges["BilledCost"].tolist() == pytest.approx([7080.0, 1860.0, 1680.0])
    assert charges["ChargeFrequency"].tolist() == ["One-Time", "Recurring", "Recurring"]
    assert charges["BillingPeriodEnd"].iloc[0] == "2027-02-01T00:00:00Z"
    assert focus_contract_commitments(report)["ContractCommitmentCost"].tolist() == pytest.approx([10_620.0])


def test_the_purchase_order_comes_back_with_both_prices(tmp_path: Path) -> None:
    case = sold(TWO | {"usd_per_unit_hour": 0.25}, months=2)
    plan = solve(case)
    write_workbook(Report(metrics_of(case, plan)), tmp_path / "plan.xlsx")
    order = read_purchase_order(tmp_path / "plan.xlsx")
    assert order[["usd_per_unit_hour", "upfront_usd_per_unit"]].values.tolist() == [[0.25, 708.0]]
    dearer = price_order(case, order.assign(upfront_usd_per_unit=1416.0), Options())
    assert dearer.plan.totals.reserved_usd == pytest.approx(10 * 1.25 * 1416)
    owed = find_plan(as_owed(case, plan.purchases), Options())
    assert owed.totals.total_usd == pytest.approx(plan.totals.total_usd)


def test_a_review_counts_it() -> None:
    case = sold(TWO | {"usd_per_unit_hour": 0.25}, months=2)
    plan = solve(case)
    found = review(case, plan, history_of(case))
    assert found.regret.usd == 0
    assert found.regret.plan_usd == pytest.approx(plan.totals.total_usd)
    assert [(v.verdict, v.price_usd) for v in found.verdicts] == [(KEEP, pytest.approx(0.75 * 1416))]
    assert found.commitments["usd"].sum() == pytest.approx(3 * 10 * 0.75 * 1416)  # planned, expected, actual


def test_a_term_in_days_spreads_it_over_its_own_days() -> None:
    week = {"offer": "w", "pool": "west-m", "term_days": 7, "upfront_usd_per_unit": 84.0}
    case = sold(week, cuts="2027-01-08")
    (line, *_) = order_lines(case, solve(case))
    assert (line.usd_per_unit_hour, line.start) == (pytest.approx(0.5), dt.date(2027, 1, 1))


@pytest.mark.parametrize(
    ("features", "months", "seed"), [("upfront,terms", 1, 3), ("upfront,cuts,whole,terms,budget,commitments", 2, 3)]
)
def test_random_folders(features: str, months: int, seed: int, tmp_path: Path) -> None:
    generate(tmp_path / "in", seed, regions=2, workloads=2, models=2, months=months, features=features)
    assert disagreements(tmp_path / "in", tmp_path / "out") == []
