"""What spreadsheets and people do to a table without meaning anything by it."""

import datetime as dt
import re

import pandas as pd
import pytest

from planner.errors import InputError
from planner.readers import load
from tests.builders import case, profile, tables, two_regions, write_folder


def rewritten(folder, change):
    """Apply a change of bytes to every CSV file."""
    for path in folder.glob("*.csv"):
        path.write_bytes(change(path.read_bytes()))
    return folder


@pytest.mark.parametrize("change", [
    lambda data: b"\xef\xbb\xbf" + re.sub(rb"^(\w+)", rb'"\1"', data),                # byte order mark
    lambda data: data.replace(b"\r\n", b"\n"),
    lambda data: data.replace(b"\r\n", b"\r"),
    lambda data: data + b"\r\n\r\n,,\r\n",                                           # trailing blank rows
    lambda data: data.replace(b"\r\n", b",,\r\n"),                                   # trailing blank columns
    lambda data: data.replace(b"\r\n", b",,,,,,,\r\n").replace(b",,,,,,,", b"", 1),  # blank cells beyond the header
    lambda data: data.replace(b",", b";"),                                           # separators of other countries
    lambda data: data.replace(b",", b"\t"),
    lambda data: data.replace(b",", b" , "),
    lambda data: data.replace(b"west,", b'"west",'),
    lambda data: data.rstrip(b"\r\n"),                                               # no end of the last line
], ids=["bom", "lf", "cr", "rows", "columns", "cells", "semicolon", "tab", "spaces", "quotes", "end"])  # fmt: skip
def test_the_form_of_the_file_does_not_matter(change, tmp_path):
    folder = rewritten(write_folder(tables(), tmp_path), change)
    assert load(folder).digest == case(tables()).digest


def test_truth_is_written_in_many_ways(tmp_path):
    for number, (yes, no) in enumerate(
        (("TRUE", "FALSE"), ("yes", "no"), ("1", "0"), ("1.0", "0.0"), ("True", "False"))
    ):
        rows = two_regions(regions=[{"region": "east", "fails": no}, {"region": "west", "fails": yes}])
        read = load(write_folder(rows, tmp_path / str(number)))
        assert [r.fails for r in read.regions] == [False, True]


@pytest.mark.parametrize("month", ["2027-02", "2027-2", "2027-02-01", "2027-02-01 00:00:00", "Feb-27", "February 2027"])
def test_months_that_a_spreadsheet_has_turned_into_dates(month, tmp_path):
    rows = tables(demand=profile("west", "w", 1.0, period=month))
    assert set(load(write_folder(rows, tmp_path, months=3)).demand["period"]) == {"2027-02"}


def test_dates_of_commitments(tmp_path):
    rows = tables(commitments=[{"offer": "west-m-1m", "units": 2, "start": "2026-10-01 00:00:00", "end": "2027-03-01"}])
    (commitment,) = load(write_folder(rows, tmp_path)).commitments
    assert (commitment.start, commitment.end) == (dt.date(2026, 10, 1), dt.date(2027, 3, 1))


def test_whole_numbers_stored_with_a_point(tmp_path):
    rows = tables(demand=[row | {"hour_of_week": f"{row['hour_of_week']}.0"} for row in profile("west", "w", 10.0)])
    assert load(write_folder(rows, tmp_path)).digest == case(tables()).digest


def test_letters_with_accents_written_two_ways_are_the_same_name(tmp_path):
    composed, apart = "Zu\u0308rich", "Z\u00fcrich"
    assert composed != apart
    rows = tables(
        regions=[{"region": composed}],
        demand=profile(apart, "w", 1.0),
        pools=[{"pool": "p", "region": apart}],
        throughput=[],
        offers=[],
        on_demand=[{"region": apart, "model": "m", "usd_per_mtok_input": 1, "usd_per_mtok_output": 1}],
    )
    assert load(write_folder(rows, tmp_path)).demand["region"].iloc[0] == apart


@pytest.mark.parametrize("as_text", [False, True])
def test_demand_as_parquet(as_text, tmp_path):
    folder = write_folder(two_regions(), tmp_path)
    frame = pd.read_csv(folder / "demand.csv")
    frame["period"] = None
    (folder / "demand.csv").unlink()
    (frame.astype(str).assign(period="") if as_text else frame).to_parquet(folder / "demand.parquet")
    assert load(folder).digest == case(two_regions()).digest


def test_faults_of_parquet_have_rows_too(tmp_path):
    folder = write_folder(tables(), tmp_path)
    frame = pd.read_csv(folder / "demand.csv")
    frame.loc[3, "requests_per_hour"] = float("nan")
    frame.loc[4, "hour_of_week"] = 200
    frame.to_parquet(folder / "demand.parquet")
    with pytest.raises(InputError, match=r"^demand\.parquet: demand\.csv is there too; keep one of them$"):
        load(folder)
    (folder / "demand.csv").unlink()
    with pytest.raises(InputError) as caught:
        load(folder)
    assert list(map(str, caught.value.faults)) == [
        "demand.parquet, row 5, column requests_per_hour: must be filled in; allowed: a number of at least 0",
        "demand.parquet, row 6, column hour_of_week: is too large (found '200'); allowed: a whole number from 0 to 167",
    ]
