"""Demand as one row a region and workload with a column an hour, in local time: in UTC it is what it should be."""

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

from planner.errors import InputError
from planner.readers import load
from planner.readers.local_demand import local_hours
from planner.units import HOURS_PER_WEEK
from tests.builders import tables, write_folder
from tests.builders import write_workbook as write_input

HOURS = [f"{h:02d}" for h in range(24)]
REGION, START = "west", dt.date(2027, 3, 1)


def folder(path: Path, rows: list[list[object]], header: list[str], zone: str | None = "Europe/Berlin") -> Path:
    regions = [{"region": REGION, **({"time_zone": zone} if zone else {})}]
    write_folder(tables(regions=regions), path, start="2027-03-01", months=2)
    with (path / "demand.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def by_hour(case, period: str) -> np.ndarray:
    own = case.demand[case.demand["period"] == period].set_index("hour_of_week")["requests_per_hour"]
    return own.reindex(range(HOURS_PER_WEEK), fill_value=0.0).to_numpy()


def test_local_hours_in_utc_and_the_change_of_clocks(tmp_path: Path) -> None:
    """9 requests at 09:00 in Berlin: 08:00 UTC in winter, 07:00 in summer. March 2027 changes on Sunday the 28th.

    Of five Mondays in March 2027 (1, 8, 15, 22, 29), the last is in summer: 4/5 of 9 at 08:00 UTC, 1/5 at 07:00.
    Of four Tuesdays to Thursdays and five Mondays to Wednesdays... only Monday is counted here. April is all summer.
    """
    day = [9 if h == 9 else 0 for h in range(24)]
    case = load(folder(tmp_path / "in", [[REGION, "w", *day]], ["region", "workload", *HOURS]))
    march, april = by_hour(case, "2027-03"), by_hour(case, "2027-04")
    assert (march[8], march[7]) == (pytest.approx(9 * 4 / 5), pytest.approx(9 / 5))
    assert (april[7], april[8]) == (9, 0)
    saturday = 5 * 24
    assert (march[saturday + 8], march[saturday + 7]) == (9, 0)  # every Saturday of March is in winter
    assert april.sum() == pytest.approx(7 * 9)


def test_days_apart_and_all_hours_of_the_week_say_the_same(tmp_path: Path) -> None:
    weekday, weekend = list(range(24)), [1] * 24
    rows = [[REGION, "w", "weekday", *weekday], [REGION, "w", "Sat", *weekend], [REGION, "w", "sunday", *weekend]]
    apart = load(folder(tmp_path / "a", rows, ["region", "workload", "day", *HOURS], zone="UTC"))
    names = [f"{d} {h}" for d in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun") for h in HOURS]
    whole = load(
        folder(tmp_path / "b", [[REGION, "w", *weekday * 5, *weekend * 2]], ["region", "workload", *names], "UTC")
    )
    assert apart.digest == whole.digest
    assert by_hour(apart, "2027-03")[:25].tolist() == [*weekday, 0]
    assert by_hour(apart, "2027-03")[5 * 24] == 1


def test_half_hours_are_shared() -> None:
    """09:00 UTC in Kolkata (+05:30) is half of 14:00 and half of 15:00."""
    shares = local_hours("Asia/Kolkata", dt.date(2027, 1, 1), dt.date(2027, 2, 1))
    assert (shares[9, 14], shares[9, 15]) == (0.5, 0.5)
    assert shares.sum(axis=1) == pytest.approx(1)


def test_a_workbook_takes_it_too(tmp_path: Path) -> None:
    path = write_input(tables(regions=[{"region": REGION, "time_zone": "UTC"}]), tmp_path / "in.xlsx")
    book = load_workbook(path)
    del book["demand"]
    sheet = book.create_sheet("demand")
    sheet.append(["region", "workload", *range(24)])
    sheet.append([REGION, "w", *[3] * 24])
    book.save(path)
    assert by_hour(load(path), "2027-01").tolist() == [3.0] * HOURS_PER_WEEK


@pytest.mark.parametrize(
    ("rows", "header", "zone", "said"),
    [
        ([[REGION, "w", *[1] * 24]], ["region", "workload", *HOURS], None, "has no time_zone in the table regions"),
        ([[REGION, "w", *[1] * 23, "x"]], ["region", "workload", *HOURS], "UTC", "column 23: is not a number"),
        ([[REGION, "w", "Mon", *[1] * 24]], ["region", "workload", "day", *HOURS], "UTC", "give no Tue, Wed"),
        ([[REGION, "w", "Monkday", *[1] * 24], [REGION, "w", "x", *[1] * 24]], ["region", "workload", "day", *HOURS],
         "UTC", "is not a day (found 'x')"),
        ([[REGION, "w", *[1] * 24]] * 2, ["region", "workload", *HOURS], "UTC",
         "gives Mon again; row 2 already gives it"),
        ([[REGION, "w", *[1] * 24]], ["region", "workload", *HOURS], "europe/paris", "did you mean 'Europe/Paris'"),
        ([[REGION, "w", *[1] * 24]], ["region", "workload", *HOURS], "../etc", "there is no time zone '../etc'"),
        ([[REGION, "w", *[1] * 23, "1_000"]], ["region", "workload", *HOURS], "UTC", "column 23: is not a number"),
        ([[REGION, "w", *[1] * 25]], ["region", "workload", *HOURS], "UTC", "column AA holds a value, but has no name"),
        ([[REGION, "w", *[1] * 24]], ["region", "workload", *map(str, range(1, 25))], "UTC",
         "has 23 columns of hours; it needs 24, 00 to 23"),
        ([["wset", "w", day, *[1] * 24] for day in ("weekday", "weekend")], ["region", "workload", "day", *HOURS],
         "UTC", "row 2, column region: there is no region 'wset', in 2 rows; did you mean 'west'?"),
        ([[REGION, "w", *[1] * 25]], ["region", "workload", *HOURS, "Mon 00"], "UTC", "columns of hours; it needs 168"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, rows, header, zone, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load(folder(tmp_path / "in", rows, header, zone))
    text = "\n".join(map(str, caught.value.faults))
    assert said in text
    assert len(caught.value.faults) <= 6


def test_faults_of_settings_and_demand_are_said_at_once(tmp_path: Path) -> None:
    rows: list[list[object]] = [[name, "w", *[1] * 24] for name in (REGION, "wset")]
    path = folder(tmp_path / "in", rows, ["region", "workload", *HOURS], "UTC")
    settings = (path / "plan.yaml").read_text(encoding="utf-8")
    (path / "plan.yaml").write_text(settings.replace("months: 2", "months: two"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    of_settings, of_demand = map(str, caught.value.faults)
    assert "horizon.months" in of_settings
    assert "demand.csv, row 3, column region: there is no region 'wset'; did you mean 'west'?" in of_demand
