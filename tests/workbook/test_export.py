"""Tables for machines: complete, typed, and purchases as FOCUS rows that add up to what is signed."""

import math
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest

from planner.plan.metrics import Metrics
from planner.plan.orders import cash_table
from planner.plan.plan import Plan
from planner.solver.solve import solve
from planner.verify.figures import metrics_of
from planner.workbook import story
from planner.workbook.export import expiries, focus_contract_commitments, focus_purchases, write_tables
from planner.workbook.report import Report
from tests import builders
from tests.builders.books import small
from tests.builders.hand_plans import hand_case, hand_plan, on


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_every_table_is_written(tmp_path: Path, format: str) -> None:
    metrics = small()
    names = {path.stem for path in write_tables(Report(metrics), tmp_path / "out", format)}
    frames = {entry.name for entry in fields(Metrics) if isinstance(getattr(metrics, entry.name), pd.DataFrame)}
    assert {"purchase_order", "dispatch", "scaled_units", "focus_purchases", "cautions"} <= names
    assert {f"metrics_{name}" for name in frames} <= names
    assert {path.stem for path in (tmp_path / "out").glob(f"*.{format}")} == names


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    metrics = small()
    for format in ("csv", "parquet"):
        write_tables(Report(metrics), tmp_path / format, format)
    from_csv = pd.read_csv(tmp_path / "csv" / "dispatch.csv")
    from_parquet = pd.read_parquet(tmp_path / "parquet" / "dispatch.parquet")
    assert from_csv["requests_per_hour"].tolist() == from_parquet["requests_per_hour"].tolist()
    assert pd.read_csv(tmp_path / "csv" / "purchase_order.csv")["units"].tolist() == [10, 10]


def test_one_directory_holds_one_export(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("of others")
    write_tables(Report(small()), tmp_path, "csv")
    write_tables(Report(small()), tmp_path, "parquet")
    names = {path.name for path in tmp_path.iterdir()} - {"notes.txt"}
    assert (tmp_path / "notes.txt").exists()
    assert all(name.endswith(".parquet") for name in names), names


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allowed: csv, parquet"):
        write_tables(Report(small()), tmp_path, "xml")  # type: ignore[arg-type]


def test_of_units_without_an_on_demand_price_no_lapse_and_no_use_is_made_up() -> None:
    lapses, reasons, decisions = [], [], []
    for more in ({}, {"on_demand": []}):
        case = builders.case(builders.tables(**more))
        report = Report(metrics_of(case, solve(case)))
        lapses.append(expiries(report)["lapse_usd_per_month"].tolist())
        reasons.append(story.reason(report.values[0], report.rents[0]))
        decisions.append(story.decision(report)[0])
    assert lapses == [[pytest.approx(10 * 3 * 744)], [pytest.approx(math.nan, nan_ok=True)]]
    assert reasons == [
        "Cheaper than on demand: 100 % used, 33 % to break even.",
        "Serves demand of which all or a part has no on-demand price to compare with.",
    ]
    signed = "Sign 1 commitment worth $7,440 over its term"
    assert decisions == [f"{signed}, and leave the rest of the usage to on demand.", f"{signed}."]


def three_months() -> tuple[Report, Plan]:
    """Ten units in each region for three months at a list price of 2 USD and an effective price of 1 USD."""
    offers = [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "term_months": 3, "usd_per_unit_hour": 1.0,
               "list_usd_per_unit_hour": 2.0, "product": "PTU"} for r in ("east", "west")]  # fmt: skip
    case = hand_case(offers=offers)
    plan = on(case, hand_plan(case))
    return Report(metrics_of(case, plan)), plan


def test_focus_purchases_by_hand() -> None:
    """January has 744 hours, February 672, March 744 (UTC has no summer time). 10 units cost 10 USD an hour."""
    frame = focus_purchases(three_months()[0])
    east = frame[frame["RegionId"] == "east"]
    assert east["BilledCost"].tolist() == [7_440, 6_720, 7_440]
    assert east["CommitmentDiscountQuantity"].tolist() == [7_440, 6_720, 7_440]
    assert east["ListCost"].sum() == 2 * east["ContractedCost"].sum()
    assert east["ChargePeriodStart"].tolist() == [
        "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"]  # fmt: skip
    assert set(frame["ChargeCategory"]) == {"Purchase"}
    assert set(frame["ServiceName"]) == {"PTU"}
    assert (frame["EffectiveCost"] == 0).all()


def test_a_term_that_begins_inside_a_month_is_billed_by_calendar_month() -> None:
    """28 days from 15 January: 17 of them in January, 11 in February; 10 units at 1 USD, and 100 USD each upfront."""
    offers = [{"offer": "block", "pool": "west-m", "term_days": 28, "usd_per_unit_hour": 1.0,
               "upfront_usd_per_unit": 100.0}]  # fmt: skip
    demand = builders.profile("west", "w", 10.0, period="2027-01-15")
    case = builders.case(builders.tables(offers=offers, demand=demand), cuts=["2027-01-15"], tail_value=1.0)
    report = Report(metrics_of(case, solve(case)))
    frame = focus_purchases(report)
    assert frame["BilledCost"].tolist() == pytest.approx([1000, 10 * 17 * 24, 10 * 11 * 24])
    assert frame["ChargePeriodStart"].str[:10].tolist() == ["2027-01-15", "2027-01-15", "2027-02-01"]
    assert frame["ChargePeriodEnd"].str[:10].tolist() == ["2027-02-12", "2027-02-01", "2027-02-12"]
    assert frame["BillingPeriodStart"].str[:10].tolist() == ["2027-01-01", "2027-01-01", "2027-02-01"]
    billed = frame.groupby(frame["BillingPeriodStart"].str[:7])["BilledCost"].sum()
    assert billed.to_dict() == pytest.approx(cash_table(report.lines).set_index("month")["total_usd"].to_dict())


def test_contract_commitments_add_up_to_the_bills() -> None:
    report, _ = three_months()
    contracts, bills = focus_contract_commitments(report), focus_purchases(report)
    assert len(contracts) == 2
    assert contracts["ContractCommitmentCost"].sum() == pytest.approx(bills["BilledCost"].sum())
    assert contracts["ContractCommitmentPeriodEnd"].tolist() == ["2027-04-01T00:00:00Z"] * 2


def test_a_spend_commitment_is_a_contract_of_money() -> None:
    """FOCUS 1.3: of the category Spend the cost must be there; it has no quantity."""
    contract = {"contract": "macc", "usd": 9000.0, "regions": "west", "counts_reserved": False}
    case = builders.case(builders.tables(spend_commitments=[contract]))
    report = Report(metrics_of(case, solve(case)))
    frame = focus_contract_commitments(report)
    row = frame[frame["ContractCommitmentCategory"] == "Spend"].iloc[0]
    assert (row["ContractId"], row["ContractCommitmentCost"]) == ("macc", 9000.0)
    assert (row["ContractPeriodStart"], row["ContractPeriodEnd"]) == ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z")
    assert pd.isna(row["ContractCommitmentQuantity"])
    assert pd.isna(row["ContractCommitmentUnit"])
    assert row["ContractCommitmentDescription"] == "9,000.00 USD to be spent on demand in west"
    assert (frame["ContractCommitmentCategory"] == "Usage").sum() == len(report.lines)
    assert frame["ContractCommitmentId"].is_unique
