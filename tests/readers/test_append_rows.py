"""Rows added to a table: what is there stays byte for byte, what is added reads back."""

from pathlib import Path

import pytest

from planner.errors import InputError
from planner.readers.csv_files import appended, read_small

ROW = {"offer": "a, b", "units": 35.0, "start": "2027-01-01", "end": "2028-01-01", "source": "who"}


def read(path: Path) -> list[dict[str, str]]:
    table, faults = read_small(path)
    assert faults == []
    return [cells for _, cells in table.rows]


@pytest.mark.parametrize(
    "text",
    [
        "offer,units,start,end\nx,1,2026-01-01,2027-02-01\n",
        "offer,units,start,end\nx,1,2026-01-01,2027-02-01",
        "offer;units;start;end\r\nx;1;2026-01-01;2027-02-01\r\n",
        '﻿offer,units,start,end,note\r\nx,1,2026-01-01,2027-02-01,"two\r\nlines"',
        "note,end,start,units,offer,source\n,2027-02-01,2026-01-01,1,x,me\n\n",
        "offer,units,start,end,,\nx,1,2026-01-01,2027-02-01,,\n",
    ],
)
def test_what_is_there_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / "commitments.csv"
    path.write_bytes(text.encode())
    before = read(path)
    data = appended(path, [ROW, {**ROW, "units": 0.1 + 0.2, "note": None}])
    rest = text.split("\n", 1)[1].encode()
    assert rest.rstrip(b"\r\n") in data
    path.write_bytes(data)
    after = read(path)
    assert after[:-2] == before
    assert after[-2] == {**ROW, "units": "35"}
    assert float(after[-1]["units"]) == 0.1 + 0.2
    if "source" in text:
        assert data.startswith(text.encode().rstrip(b"\n"))  # no column was lacking, so not even the header changes


def test_a_new_table_has_the_columns_that_say_something(tmp_path: Path) -> None:
    data = appended(tmp_path / "commitments.csv", [ROW | {"note": None}])
    assert data == b'offer,units,start,end,source\n"a, b",35,2027-01-01,2028-01-01,who\n'


def test_a_header_over_several_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "commitments.csv"
    path.write_text('"off\ner",units,start,end\n', encoding="utf-8")
    with pytest.raises(InputError, match="several lines"):
        appended(path, [ROW])
