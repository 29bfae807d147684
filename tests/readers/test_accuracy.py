"""forecast/accuracy.csv is read as far as it can be; no fault in it stops a plan."""

import pytest

from planner.readers.forecast_accuracy import read_accuracy

GOOD = "region,workload,model,origins,weeks_ahead,wape,coverage_p90\n"


def folder(tmp_path, content):
    (tmp_path / "forecast").mkdir()
    (tmp_path / "forecast" / "accuracy.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


def test_a_folder_without_a_forecast(tmp_path):
    assert read_accuracy(tmp_path) is None
    assert read_accuracy(tmp_path / "inputs.xlsx") is None


def test_what_planner_forecast_wrote(tmp_path):
    found = read_accuracy(folder(tmp_path, GOOD + "east,chat,theta,3,2,0.05,0.91\nwest,chat,seasonal_naive,0,0,,\n"))
    assert found is not None
    assert found.faults == ()
    assert [(row.region, row.origins, row.wape) for row in found.series] == [("east", 3, 0.05), ("west", 0, None)]


def test_rows_edited_by_hand_are_left_out_and_told(tmp_path):
    rows = "east,chat,theta,3,2,five,0.9\nwest,chat,theta,3,2,0.1,1.2\nnorth,chat,theta,3,2,0.1,0.9,more\n,,,\n"
    found = read_accuracy(folder(tmp_path, GOOD + rows))
    assert found is not None
    assert [row.region for row in found.series] == ["north"]
    assert [fault.split(":")[0] for fault in found.faults] == [
        "accuracy.csv, row 2, column wape",
        "accuracy.csv, row 3, column coverage_p90",
        "accuracy.csv, row 5, column region",
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\xff", b"\xff\xfe", "a,b\n1,2\n", GOOD, 'region,workload,model\n"unclosed', "x" * 200_000],
)
def test_a_damaged_file_is_told_and_stops_nothing(tmp_path, content):
    found = read_accuracy(folder(tmp_path, content))
    assert found is not None
    assert found.series == ()
    assert found.faults
