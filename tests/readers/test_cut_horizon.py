"""Cuts of the horizon as people write them, and the periods that demand then names."""

import datetime as dt
from pathlib import Path

import pytest

from planner.errors import InputError
from planner.readers import load
from tests import builders


def folder(path: Path, cuts: str, rows: builders.Tables | None = None, months: int = 1) -> Path:
    """A folder whose plan.yaml has this text as its cuts."""
    builders.write_folder(builders.tables() if rows is None else rows, path, months=months)
    text = (path / "plan.yaml").read_text().replace("cuts: null", f"cuts: {cuts}")
    (path / "plan.yaml").write_text(text)
    return path


def periods(path: Path) -> list[tuple[str, int]]:
    return [(p.name, (p.end - p.start).days) for p in load(path).periods]


@pytest.mark.parametrize("cuts", ["[2027-01-12, 2027-01-19]", "['2027-01-19', 2027-01-12]", "2027-01-12; 2027-01-19",
                                  "[2027-01-12, 2027-01-12, 2027-01-19, 2027-02-01]"])  # fmt: skip
def test_parts_are_named_by_their_first_day_and_whole_months_by_the_month(tmp_path: Path, cuts: str) -> None:
    parts = [("2027-01-01", 11), ("2027-01-12", 7), ("2027-01-19", 13), ("2027-02", 28)]
    assert periods(folder(tmp_path / "in", cuts, months=2)) == parts


def test_the_sheet_plan_takes_them_too(tmp_path: Path) -> None:
    book = builders.write_workbook(builders.tables(), tmp_path / "in.xlsx")
    import openpyxl

    opened = openpyxl.load_workbook(book)
    for row in opened["plan"].iter_rows():
        if row[0].value == "horizon.cuts":
            row[1].value = dt.datetime(2027, 1, 12)
    opened.save(book)
    assert periods(book) == [("2027-01-01", 11), ("2027-01-12", 20)]


@pytest.mark.parametrize(
    ("cuts", "said"),
    [
        ("[2027-01-01]", "cuts 2027-01-01 do not lie inside the horizon, 2027-01-01 to before 2027-02-01"),
        ("[2027-02-01]", "cuts 2027-02-01 do not lie inside"),
        ("[mid January]", "column horizon.cuts: is not a date (found 'mid January')"),
        ("{a: 1}", "column horizon.cuts: holds a block of keys; a plain value, or a list of them, is needed"),
    ],
)
def test_faults(tmp_path: Path, cuts: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        load(folder(tmp_path / "in", cuts))
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["2027-01-01", "2027/1/1"])
def test_the_first_part_and_a_month_that_a_spreadsheet_made_a_date_are_told_apart(tmp_path: Path, name: str) -> None:
    demand = [
        *builders.profile("west", "w", 10.0, period=name),
        *builders.profile("west", "w", 5.0, period="2027-02-01"),
    ]
    case = load(folder(tmp_path / "in", "[2027-01-12]", builders.tables(demand=demand), months=2))
    assert set(case.demand["period"]) == {"2027-01-01", "2027-02"}


def test_a_month_with_cuts_is_no_period(tmp_path: Path) -> None:
    demand = builders.profile("west", "w", 10.0, period="2027-01")
    with pytest.raises(InputError, match=r"is a month that horizon.cuts cuts.*one of 2027-01-01, 2027-01-12"):
        load(folder(tmp_path / "in", "[2027-01-12]", builders.tables(demand=demand)))


def test_local_hours_of_a_weekend_are_those_of_a_whole_week(tmp_path: Path) -> None:
    """Saturday 9 and Sunday 10 January: the table's 168 hours stand for two days, so each is there as it was given."""
    rows = builders.tables(regions=[{"region": "west", "time_zone": "UTC"}])
    local = [{"region": "west", "workload": "w", "period": "2027-01-09", "day": day,
              **{f"{h:02d}": (day == "weekend") + h for h in range(24)}} for day in ("weekday", "weekend")]  # fmt: skip
    case = load(folder(tmp_path / "in", "[2027-01-09, 2027-01-11]", rows | {"demand": local}))
    week = case.demand.set_index("hour_of_week")["requests_per_hour"]
    assert week[130] == 11.0  # Saturday 10:00
    assert week[10] == 10.0


def test_a_commitment_may_end_on_the_last_day_of_a_month_where_a_period_or_its_term_does(tmp_path: Path) -> None:
    owed = [{"offer": "5d", "units": 2, "start": "2027-01-26", "end": "2027-01-31"}]
    offers = [{"offer": "5d", "pool": "west-m", "term_days": 5, "usd_per_unit_hour": 1.0}]
    case = load(folder(tmp_path / "in", "[2027-01-26]", builders.tables(offers=offers, commitments=owed)))
    assert case.commitments[0].end == dt.date(2027, 1, 31)
    owed[0]["start"] = "2027-01-25"  # no term of the offer
    with pytest.raises(InputError, match="drops all of January 2027"):
        load(folder(tmp_path / "other", "[2027-01-25]", builders.tables(offers=offers, commitments=owed)))
    assert load(folder(tmp_path / "cut", "[2027-01-31]", builders.tables(offers=offers, commitments=owed))).commitments
