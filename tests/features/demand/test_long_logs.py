"""Long logs are not compared id by id unless a sign shows; the signs are tried here on short ones."""

import pandas as pd
import pytest

from planner.features.demand import busy, copies
from planner.features.demand.history import VALUES
from planner.features.demand.ingest import ingest
from tests.builders.exports import iso


@pytest.fixture(autouse=True)
def treat_all_logs_as_long(monkeypatch):
    monkeypatch.setattr(copies, "SHORT_LOG_ROWS", 0)
    monkeypatch.setattr(busy, "SHORT_LOG_ROWS", 0)


def write(path, rows):
    frame = pd.DataFrame(rows, columns=["request_id", "time", "model", "input_tokens", "output_tokens"])
    frame["time"] = pd.to_datetime(frame["time"]).dt.tz_localize(None)
    frame.to_parquet(path)
    return str(path)


def rows(first, last, busy_hours=()):
    return [
        (f"r{k}-{n}", iso(k + n / 10), "m", 100 + (7 * k + n) % 13, 10 + n)
        for k in range(first, last)
        for n in range(9 if k in busy_hours else 3 + k % 2)
    ]


def told(history):
    return {f["rule"]: f["count"] for f in history.report["findings"]}


def test_nothing_is_found_where_there_is_nothing(tmp_path):
    history = ingest([write(tmp_path / "a.parquet", rows(0, 100))])
    assert told(history) == {}
    assert history.report["totals"]["requests"] == len(rows(0, 100))


def test_rows_without_a_time_are_kept_out(tmp_path):
    log = [(*row[:1], pd.NaT if row[0] == "r5-1" else row[1], *row[2:]) for row in rows(0, 100)]
    history = ingest([write(tmp_path / "a.parquet", log)])
    assert told(history) == {"no_time": 1}
    assert history.report["totals"]["requests"] == len(log) - 1


def test_two_exports_that_overlap(tmp_path):
    sources = [write(tmp_path / "a.parquet", rows(0, 60)), write(tmp_path / "b.parquet", rows(50, 100))]
    history = ingest(sources)
    assert told(history) == {"duplicate": len(rows(50, 60))}
    assert history.report["totals"]["requests"] == len(rows(0, 100))


def test_two_exports_that_overlap_in_one_file(tmp_path):
    history = ingest([write(tmp_path / "a.parquet", rows(0, 60) + rows(50, 100))])
    assert told(history) == {"duplicate": len(rows(50, 60))}


def test_single_repeats_in_the_busiest_hour(tmp_path):
    log = rows(0, 100, busy_hours=[50])
    history = ingest([write(tmp_path / "a.parquet", [*log, log[len(rows(0, 50)) + 5]])])
    assert told(history) == {"duplicate": 1}


def test_an_hour_of_which_a_part_was_written_twice_stands_out(tmp_path):
    log = rows(0, 100, busy_hours=[50])
    part = rows(80, 81)[1:]  # two of its three rows: no common divisor tells
    history = ingest([write(tmp_path / "a.parquet", [*log, *part])])
    assert told(history) == {"duplicate": 2}


def test_the_hours_that_are_looked_at():
    counts = [100] * 96
    counts[30], counts[50], counts[70] = 150, 120, 40  # 30 is the busiest; 50 is next above its usual, 100
    sums = pd.DataFrame({"hour": range(96), "rows": counts})
    assert copies.suspect_hours(sums)[:2] == [30, 50]
    assert 70 not in copies.suspect_hours(sums)


def test_hours_that_were_counted_twice_have_even_numbers():
    once = pd.DataFrame({"hour": [0, 1, 2, 3], "rows": [3, 5, 4, 7]}).assign(**dict.fromkeys(VALUES, 11.0))
    assert not copies.repeats_hours(once)
    twice = once.copy()
    twice.loc[1:3, ["rows", *VALUES]] *= 2
    assert copies.repeats_hours(twice)


def test_the_peak_minute_is_measured_in_the_busiest_half_day_only(tmp_path):
    history = ingest([write(tmp_path / "a.parquet", rows(0, 100, busy_hours=range(45, 57)))])
    measured = history.rows[history.rows["burst_factor"].notna()]["hour"]
    assert [f"{measured.iloc[k]:%m-%d %H}" for k in (0, -1)] == ["03-03 21", "03-04 08"]
    assert len(measured) == 12


def test_the_busiest_half_day_of_a_log_with_holes():
    hours = [0, 1, 2, 20, 31, 32, 60]
    sums = pd.DataFrame({"hour": hours, "rows": [5, 5, 5, 9, 9, 9, 17]})
    assert busy.busiest_hours(sums) == 20  # 20 and 31: 18 rows; 31 and 32: 18; 60: 17; 0 to 2: 15
    sums["rows"] = [7, 7, 7, 9, 9, 9, 17]
    assert busy.busiest_hours(sums) == 0
