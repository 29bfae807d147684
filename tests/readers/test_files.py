"""Files that are missing, empty, of another kind, or far too large: refused with a word, before anything is read."""

import os

import pytest

from planner.errors import InputError
from planner.readers import load
from tests.builders import tables, write_folder


def said(path):
    with pytest.raises(InputError) as caught:
        load(path)
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def folder(tmp_path):
    return write_folder(tables(), tmp_path / "in")


def test_no_such_place(tmp_path):
    assert said(tmp_path / "nowhere")[0].endswith("nowhere: there is no such folder or file")
    (tmp_path / "plan.csv").write_text("x")
    assert said(tmp_path / "plan.csv")[0].endswith("plan.csv: is neither a planning folder nor a workbook (.xlsx)")


def test_an_empty_folder(tmp_path):
    assert said(tmp_path) == [
        f"{name}: the file is missing; a plan needs it"
        for name in ("plan.yaml", "regions.csv", "models.csv", "workloads.csv", "mix.csv", "demand.csv")
    ]


def test_empty_files(folder):
    for name in ("plan.yaml", "mix.csv", "offers.csv", "demand.csv"):
        (folder / name).write_bytes(b"")
    assert said(folder) == [
        f"{name}: the file is empty (0 bytes)" for name in ("plan.yaml", "mix.csv", "demand.csv", "offers.csv")
    ]


def test_folders_in_place_of_files(folder):
    for name in ("plan.yaml", "mix.csv", "demand.csv"):
        (folder / name).unlink()
        (folder / name).mkdir()
    assert said(folder) == [f"{name}: is a folder; a file is needed" for name in ("plan.yaml", "mix.csv", "demand.csv")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(folder):
    (folder / "mix.csv").unlink()
    os.mkfifo(folder / "mix.csv")
    assert said(folder) == ["mix.csv: is not a file"]


def test_other_encodings(folder):
    (folder / "mix.csv").write_bytes("workload,model\nw,m\nGrüße,m\n".encode("cp1252"))
    (folder / "models.csv").write_bytes("model\nm\n".encode("utf-16"))
    (folder / "regions.csv").write_bytes(b"region\nwest\na\0b\n")
    assert said(folder) == [
        "regions.csv, row 3: holds zero bytes: it is not a text file",
        "models.csv, row 1: is not UTF-8 text; save it as 'CSV UTF-8 (comma delimited)'",
        "mix.csv, row 3: is not UTF-8 text; save it as 'CSV UTF-8 (comma delimited)'",
    ]


def test_settings_are_no_csv(folder):
    (folder / "plan.yaml").write_bytes("name: Größe\n".encode("cp1252"))
    assert said(folder) == ["plan.yaml, row 1: is not UTF-8 text; save it as UTF-8"]


@pytest.mark.parametrize(
    ("name", "size", "most"), [("demand.csv", 1_000, 512), ("mix.csv", 100, 16), ("plan.yaml", 2, 1)]
)
def test_a_file_that_would_fill_the_memory(name, size, most, folder):
    with (folder / name).open("r+b") as file:
        file.truncate(size * 2**20)  # sparse: takes no room on the disk
    assert said(folder) == [f"{name}: the file is too large: {size:,} MB; at most {most} MB are read"]


def test_a_quotation_mark_that_is_never_closed(folder):
    (folder / "mix.csv").write_text('workload,model,note\nw,m,"\nx,m,\n')
    (line,) = said(folder)
    assert line.startswith("mix.csv, row 3: is not a CSV file (unexpected end of data)")


def test_a_row_that_is_longer_than_the_header(folder):
    (folder / "mix.csv").write_text("workload,model\nw,m,0.5\n")
    assert said(folder) == ["mix.csv, row 2: column C holds a value, but has no name in the header (found '0.5')"]


@pytest.mark.parametrize(("text", "told"), [
    ("region,fails,note\neast,true,x\nwest,true", True),  # a note that is lost; a quota that is lost would be unlimited
    ("region,fails,note\neast,true,x\nwest", True),
    ("region,fails,note\neast,true,x\nwest,true\n", False),  # blanks at the end of a line may be left out
    ("region,fails,note\neast,true,x\nwest,true,", False),
])  # fmt: skip
def test_a_file_that_ends_in_the_middle_of_a_row(folder, text, told):
    (folder / "regions.csv").write_text(text)
    if told:
        assert said(folder)[0].startswith("regions.csv, row 3: ends in the middle of this row: the file was cut off")
    else:
        assert [r.region for r in load(folder).regions] == ["east", "west"]


def test_lines_that_no_table_has_are_refused_unread(folder):
    (folder / "mix.csv").write_text("workload,model" + ",x" * 40_000 + "\nw,m\n")
    demand = (folder / "demand.csv").read_text()
    (folder / "demand.csv").write_text(demand + "a" * 2**21 + "\n")
    assert said(folder) == [
        "mix.csv: its first line is longer than 64 KB: it holds no names of a table's columns",
        "demand.csv: has a line of over 0.5 MB, near byte 524,288: it is damaged, or no table",
    ]


@pytest.mark.parametrize("text", ["workload,model\nw,m" + "," * 2_000 + "\n", "workload,model\nw,m\n" + "\n" * 500_000])
def test_millions_of_blanks_are_refused_before_they_fill_the_memory(folder, text):
    (folder / "mix.csv").write_text(text)
    (line,) = said(folder)
    assert line.startswith("mix.csv, row ")
    assert "no table is so large" in line


def test_a_pipe_in_the_place_of_a_table_is_not_waited_for(folder):
    (folder / "demand.csv").unlink()
    os.mkfifo(folder / "demand.csv")
    assert said(folder) == ["demand.csv: is not a file"]
