"""The input workbook says what each column means and holds what was put in."""

import datetime as dt
from pathlib import Path

import pytest

from planner.readers import load
from planner.schema.case import TABLE, TABLES
from planner.schema.describe import columns_of, settings_of
from planner.schema.settings import PlanSettings
from planner.workbook.input_workbook import comment, write_input_workbook
from tests.builders import settings, tables, write_folder
from tests.builders.books import opened

SETTINGS = PlanSettings.model_validate({"name": "=HYPERLINK(1)", "horizon": {"start": "2027-01-01", "months": 3}})
ROWS = {
    "regions": [{"region": "=1+1", "fails": "false"}, {"region": "2027-01"}],
    "models": [{"model": "small", "tier": "small"}],
    "commitments": [{"offer": "o", "units": "15", "start": "2026-10-01", "end": dt.date(2027, 2, 1)}],
}


@pytest.fixture
def book(tmp_path: Path):
    path = tmp_path / "inputs.xlsx"
    write_input_workbook(ROWS, SETTINGS, path)
    book = opened(path)
    yield book
    book.close()


def test_sheets_are_the_tables(book) -> None:
    assert book.sheetnames[:2] == ["Start", "plan"]
    assert sorted(book.sheetnames[2:]) == sorted(table.name for table in TABLES)


def test_headers_are_the_schema_and_each_has_a_comment(book) -> None:
    for table in TABLES:
        header = book[table.name][1]
        assert {cell.value for cell in header} == set(table.row.model_fields)
        assert all(cell.comment is not None and len(cell.comment.text) > 10 for cell in header)


def test_text_stays_text_and_types_are_kept(book) -> None:
    assert [cell.value for cell in book["regions"][2]][:2] == ["=1+1", False]
    assert book["regions"]["A2"].data_type == "s"
    assert book["regions"]["A3"].value == "2027-01"
    assert [cell.value for cell in book["commitments"][2]][:4] == [
        "o", 15, dt.datetime(2026, 10, 1), dt.datetime(2027, 2, 1)]  # fmt: skip


def test_plan_sheet_has_every_setting(book) -> None:
    rows = {row[0].value: row[1].value for row in book["plan"].iter_rows(min_row=2)}
    assert rows["name"] == "=HYPERLINK(1)"
    assert rows["horizon.months"] == 3
    assert rows["policy.failover.on_demand_trust"] == 0.5
    assert rows["policy.max_commitment_usd"] is None
    assert set(rows) == set(settings_of(PlanSettings))


def test_names_have_drop_downs_and_shares_have_limits(book) -> None:
    rules = {str(rule.sqref): rule for rule in book["mix"].data_validations.dataValidation}
    assert rules["A2:A2000"].formula1 == "workloads!$A$2:$A$2000"
    assert (rules["C2:C2000"].type, rules["C2:C2000"].formula1, rules["C2:C2000"].formula2) == ("decimal", "0.0", "1.0")


def test_comment_tells_unit_default_and_limits() -> None:
    offers = columns_of(TABLE["offers"].row)
    assert comment(offers["usd_per_unit_hour"]).split("\n") == [
        "Effective price, what the buyer pays by the hour.",
        "Unit: USD/unit-hour",
        "Blank: 0, where there is an upfront price",
        f"Allowed: {offers['usd_per_unit_hour'].allowed}",
    ]
    assert "Blank: none" in comment(offers["max_units"])
    assert "Allowed: a name of the table pools" in comment(offers["pool"])


def test_what_was_put_in_is_read_back(tmp_path: Path) -> None:
    rows = tables(regions=[{"region": "west", "fails": False, "source": "=1+1"}])
    path = tmp_path / "inputs.xlsx"
    write_input_workbook(rows, settings(months=2), path)
    found, expected = load(path), load(write_folder(rows, tmp_path / "folder", months=2))
    assert found.settings == expected.settings
    assert found.digest == expected.digest
    assert found.regions[0].source == "=1+1"


def test_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_input_workbook(ROWS, SETTINGS, tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
