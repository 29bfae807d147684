"""The same tables from a workbook, as spreadsheets leave them."""

import datetime as dt
import zipfile

import openpyxl
import pytest

from planner.errors import InputError
from planner.readers import load, workbook_file
from tests.builders import case, profile, tables, two_regions

PLAN = [
    ("key", "value"), ("name", "tiny"), ("horizon.start", dt.datetime(2027, 1, 1)), ("horizon.months", 1),
    ("policy.headroom", 0), ("policy.whole_units", False), ("policy.failover.enabled", False), ("policy.egress", None),
]  # fmt: skip


def write(rows, path, plan=PLAN, change=lambda book: None, title=str):
    """Write tables as sheets, as a person would: values with their types."""
    book = openpyxl.Workbook()
    book.active.title = "Start"
    book.active["A1"] = "read me"
    if plan:
        sheet = book.create_sheet(title("plan"))
        for cells in plan:
            sheet.append(cells)
    for name, table in rows.items():
        sheet = book.create_sheet(title(name))
        header = list(dict.fromkeys(column for row in table for column in row))
        sheet.append(header)
        for row in table:
            sheet.append([row.get(column) for column in header])
    change(book)
    book.save(path)
    return path


def edited(path, part, old, new):
    """Replace bytes inside a workbook."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)


def said(path):
    with pytest.raises(InputError) as caught:
        load(path)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("rows", [tables(), two_regions()], ids=["one region", "two regions"])
def test_a_workbook_is_the_case_of_its_tables(rows, tmp_path):
    assert load(write(rows, tmp_path / "in.xlsx")).digest == case(rows).digest


def test_what_spreadsheets_do(tmp_path):
    def change(book):
        demand = book["DEMAND"]
        for row in range(2, 12):
            demand.cell(row, 4).value = str(demand.cell(row, 4).value)  # numbers stored as text
        demand.cell(175, 1).number_format = "0.00"  # cells that were touched once
        demand.cell(1, 9).number_format = "0.00"
        book["REGIONS"].cell(1, 2).value = "fails"
        book["REGIONS"].cell(2, 2).value = True
        book["OFFERS"].cell(2, 1).value = " west-m-1m "
        book.create_sheet("my sums")["A1"] = "=1+1"
        book.create_sheet("routes")
        book.create_sheet("events")

    path = write(tables(), tmp_path / "in.xlsx", change=change, title=str.upper)  # Excel does not mind capitals either
    assert load(path).digest == case(tables()).digest


def test_dates_are_dates(tmp_path):
    rows = tables(
        demand=[{**row, "period": dt.datetime(2027, 1, 1)} for row in profile("west", "w", 10.0)],
        commitments=[
            {"offer": "west-m-1m", "units": 2, "start": dt.datetime(2026, 10, 1), "end": dt.datetime(2027, 3, 1)}
        ],
    )
    read = load(write(rows, tmp_path / "in.xlsx"))
    assert set(read.demand["period"]) == {"2027-01"}
    assert read.commitments[0].end == dt.date(2027, 3, 1)


def test_faults_name_the_cell(tmp_path):
    def change(book):
        book["demand"]["D17"] = -4
        book["demand"]["C18"] = "noon"
        book["offers"]["C2"] = "=1/0"
        book["mix"]["B2"] = "n"
        book["mix"]["D1"] = "weight"
        book["plan"]["B5"] = 3
        book.create_sheet("Comitments")

    rows = tables(demand=[{**row, "note": "x"} for row in profile("west", "w", 10.0)])
    assert said(write(rows, tmp_path / "in.xlsx", change=change)) == [
        "sheet Comitments: there is no such table; did you mean 'commitments'?",
        "sheet plan, row 5, column policy.headroom: is too large (found '3'); allowed: a number from 0 to below 1",
        "sheet mix, row 1: the table mix has no column 'weight'; its columns are workload, model, min_share, "
        "max_share, source, as_of, note",
        "mix!B2, column model: there is no model 'n'",
        "demand!D17, column requests_per_hour: must not be negative (found '-4'); allowed: a number of at least 0",
        "demand!C18, column hour_of_week: is not a number (found 'noon'); allowed: a whole number from 0 to 167",
        "offers!C2, column usd_per_unit_hour: the formula of this cell has no value; correct it, or open the file in a "
        "spreadsheet and save it (found '#UNSAVED!')",
    ]


def test_formulas_count_with_their_stored_value(tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    path = tmp_path / "in.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("plan")
    for k, (key, value) in enumerate(PLAN):
        sheet.write_string(k, 0, key)
        if isinstance(value, dt.datetime):
            sheet.write_string(k, 1, "2027-01-01")
        elif value is not None:
            sheet.write(k, 1, value)
    for name, table in tables().items():
        sheet = book.add_worksheet(name)
        for k, column in enumerate(table[0]):
            sheet.write(0, k, column)
            for r, row in enumerate(table, start=1):
                if column == "requests_per_hour":
                    sheet.write_formula(r, k, "=5+5", None, row[column])
                else:
                    sheet.write(r, k, row[column])
    sheet.write_formula(3, 9, '=""', None, "")
    book.close()
    assert said(path) == [  # never calculated: no blank, no zero
        "sheet on_demand, row 4: column J holds a value, but has no name in the header (found '#UNSAVED!')"
    ]
    edited(path, "xl/worksheets/sheet10.xml", b'<c r="J4"><f>', b'<c r="J4" t="str"><f>')  # calculated: an empty text
    assert load(path).digest == case(tables()).digest


def test_sheets_that_are_needed(tmp_path):
    rows = tables()
    del rows["demand"]
    assert said(write(rows, tmp_path / "in.xlsx", plan=[], change=lambda book: book["mix"].delete_rows(1, 5))) == [
        "in.xlsx: the sheet 'plan' is missing; a plan needs it",
        "in.xlsx: the sheet 'mix' is empty; a plan needs it",
        "in.xlsx: the sheet 'demand' is missing; a plan needs it",
    ]


@pytest.mark.parametrize(("content", "words"), [
    (b"", "in.xlsx: the file is empty (0 bytes)"),
    (b"region,fails\n", "in.xlsx: is not an .xlsx workbook"),
    (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600,
     "in.xlsx: is an old .xls file or has a password; save it as .xlsx without one"),
])  # fmt: skip
def test_files_that_are_no_workbook(content, words, tmp_path):
    path = tmp_path / "in.xlsx"
    path.write_bytes(content)
    assert said(path) == [words]


def test_a_zip_that_is_no_workbook_and_one_cut_short(tmp_path):
    path = tmp_path / "in.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("hello.txt", "hello")
    (line,) = said(path)
    assert line.startswith("in.xlsx: is not a workbook that can be read (")
    whole = write(tables(), tmp_path / "whole.xlsx").read_bytes()
    for size in (len(whole) // 3, len(whole) - 30):
        path.write_bytes(whole[:size])
        assert len(said(path)) == 1


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = write(tables(), tmp_path / "in.xlsx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/sharedStrings2.xml", b"\0" * 5_000_000)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(workbook_file, "LARGEST_UNPACKED_BYTES", 4_000_000)
    assert said(path) == [
        "in.xlsx: unpacks to 5 MB; at most 3 MB are read. Put demand into a folder with demand.csv instead"
    ]


@pytest.mark.parametrize("size", [b"A1:XFD1048576", b"A1"])
def test_a_sheet_is_read_to_its_last_cell_whatever_size_it_claims(size, tmp_path):
    path = write(tables(), tmp_path / "in.xlsx")
    edited(path, "xl/worksheets/sheet5.xml", b'<dimension ref="A1:C2"', b'<dimension ref="' + size + b'"')
    assert load(path).digest == case(tables()).digest


@pytest.mark.parametrize(("sheet", "most"), [("demand", 100), ("regions", 2)])
def test_a_sheet_with_too_many_rows_is_refused_before_it_is_read(sheet, most, tmp_path, monkeypatch):
    """To read a million rows one by one takes half a minute."""
    path = write(two_regions(), tmp_path / "in.xlsx")
    monkeypatch.setattr(workbook_file, "MOST_SHEET_ROWS", most)
    monkeypatch.setattr(workbook_file, "_grids", lambda path: pytest.fail("it was read"))
    monkeypatch.setattr(workbook_file, "_CHUNK", 61)  # a tag may lie across two of them
    assert f"sheet {sheet}: has more than {most} rows" in "\n".join(said(path))


def test_a_large_sheet_of_the_users_own_is_left_alone(tmp_path, monkeypatch):
    def notes(book):
        sheet = book.create_sheet("my notes")
        for k in range(400):
            sheet.append([k])

    monkeypatch.setattr(workbook_file, "MOST_SHEET_ROWS", 350)  # demand has 337
    assert load(write(two_regions(), tmp_path / "in.xlsx", change=notes)).digest == case(two_regions()).digest
