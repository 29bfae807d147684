"""Demand is read in columns: it must accept and refuse exactly what the pydantic row does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planner.errors import InputError
from planner.readers.demand import KnownNames, read_demand
from planner.readers.demand_files import read_demand_csv as read_csv
from planner.schema.workloads import Demand

NAMES = KnownNames(["east", "west"], ["v", "w"], ["a", "b"], ["2027-01", "2027-02"])
HEADER = "region,workload,scenario,period,hour_of_week,requests_per_hour\n"
ODD_NUMBERS = [
    "", " ", "0", "-0", "1.5", " 2 ", "+3", "1e3", "1E-3", ".5", "5.", "1_000", "0x10", "nan", "NaN", "inf", "-inf",
    "Infinity", "1e400", "1e9", "1.1e9", "-1", "-1e-300", "True", "true", "1,5", "٣", "12abc", "1e", "--1", "1 2",
    "167", "168", "167.0", "3.50", "01", "1e1", "null", "None", "#N/A", "3%",
]  # fmt: skip
ODD_NAMES = ["", " ", "east", " west ", "East", "w", "a", "NA", "2027-01", "2027-1", "Feb-27", "2027-03", "1"]


def row(**cells):
    base = {
        "region": "east",
        "workload": "w",
        "scenario": "",
        "period": "",
        "hour_of_week": "5",
        "requests_per_hour": "7",
    }
    return {**base, **cells}


def by_row(cells):
    """What the pydantic row says: its values, or None where it or the names refuse."""
    if any(text.strip() == "#N/A" for text in cells.values()):
        return None  # a formula without a value: refused wherever it stands
    if any("_" in cells[name] for name in ("hour_of_week", "requests_per_hour")):
        return None  # Python alone reads 1_000 as a number
    try:
        d = Demand.model_validate({name: text for name, text in cells.items() if text.strip()})
    except ValidationError:
        return None
    if d.region not in NAMES.region or d.workload not in NAMES.workload:
        return None
    if d.scenario not in (None, *NAMES.scenario) or d.period not in (None, *NAMES.period):
        return None
    scenarios = [d.scenario] if d.scenario else NAMES.scenario
    periods = [d.period] if d.period else NAMES.period
    return {
        (d.region, d.workload, s, p, d.hour_of_week): d.requests_per_hour
        for s in scenarios for p in periods if d.requests_per_hour > 0
    }  # fmt: skip


def by_columns(cells, path):
    """What the reader of columns says of a file with that row."""
    quoted = ",".join(f'"{text}"' for text in cells.values())
    path.write_text(f"{HEADER}{quoted}\n", encoding="utf-8")
    raw, faults = read_csv(path)
    frame, more = read_demand(raw, NAMES)
    if frame is None or faults:
        assert faults or more
        return None
    return {tuple(r[:5]): r[5] for r in frame.itertuples(index=False)}


@pytest.mark.parametrize("column", ["hour_of_week", "requests_per_hour"])
@pytest.mark.parametrize("text", ODD_NUMBERS)
def test_numbers_are_judged_alike(column, text, tmp_path):
    cells = row(**{column: text})
    assert by_columns(cells, tmp_path / "demand.csv") == by_row(cells)


@pytest.mark.parametrize("column", ["region", "workload", "scenario", "period"])
@pytest.mark.parametrize("text", ODD_NAMES)
def test_names_are_judged_alike(column, text, tmp_path):
    cells = row(**{column: text})
    assert by_columns(cells, tmp_path / "demand.csv") == by_row(cells)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    texts=st.fixed_dictionaries({
        "region": st.sampled_from(ODD_NAMES), "workload": st.sampled_from(["w", "v", "x", ""]),
        "scenario": st.sampled_from(["", "a", "b", "c"]), "period": st.sampled_from(ODD_NAMES),
        "hour_of_week": st.sampled_from(ODD_NUMBERS) | st.integers(-3, 170).map(str),
        "requests_per_hour": st.sampled_from(ODD_NUMBERS) | st.floats().map(str),
    })
)  # fmt: skip
def test_rows_are_judged_alike(tmp_path_factory, texts):
    assert by_columns(texts, tmp_path_factory.mktemp("d") / "demand.csv") == by_row(texts)


def test_one_bad_cell_does_not_change_how_the_others_are_read(tmp_path):
    # the plain file is read as numbers, the other as text: the digits must be the same to the last
    numbers = np.random.default_rng(7).lognormal(5, 2, 168)
    body = [f"east,w,a,2027-01,{h},{x!r}" for h, x in enumerate(numbers.tolist())]
    frames = []
    for name, extra in (("plain", []), ("text", ["east,v,a,2027-01,0, 1000 "])):
        path = tmp_path / f"{name}.csv"
        path.write_text(HEADER + "\n".join([*body, *extra]) + "\n")
        frame, faults = read_demand(read_csv(path)[0], NAMES)
        assert not faults
        frames.append(frame)
    assert frames[0]["requests_per_hour"].tolist() == numbers.tolist()
    assert frames[1]["requests_per_hour"].tolist() == [1000.0, *numbers.tolist()]


def test_many_chunks_are_one_table(tmp_path, monkeypatch):
    path = tmp_path / "demand.csv"
    path.write_text(HEADER + "".join(f"{r},w,,,{h},{h + 1}\n" for r in ("west", "east") for h in range(168)))
    whole, _ = read_demand(read_csv(path)[0], NAMES)
    monkeypatch.setattr("planner.readers.demand_files._CHUNK_ROWS", 50)
    parts, _ = read_demand(read_csv(path)[0], NAMES)
    assert whole.equals(parts)
    assert len(whole) == 2 * 168 * 4


@pytest.mark.parametrize(("body", "words"), [
    ("east,w,a,2027-01,0,1,234\neast,w,a,2027-01,1,1,5\n",
     "demand.csv, row 2: column G holds a value, but has no name in the header (and 1 more like it) (found '234')"),
    ("east,w,a,2027-01,0,1\neast,w,a,2027-01,1,1" + "," * 60 + "x\n",
     "demand.csv, row 3: has more cells than the header has names"),
    ('east,w,a,2027-01,0,1\neast,w,a,2027-01,"1,1\n',
     "demand.csv, row 3: a quotation mark is opened here and never closed"),
    ("east,w,a,2027-01,0,1\nz\xfcrich,w,a,2027-01,0,1\n",
     "demand.csv, row 3: is not UTF-8 text; save it as 'CSV UTF-8 (comma delimited)'"),
    ("", "demand.csv: has no rows; a plan needs demand"),
])  # fmt: skip
def test_files_that_are_no_table(body, words, tmp_path):
    path = tmp_path / "demand.csv"
    path.write_bytes((HEADER + body).encode("latin-1"))
    try:
        raw, faults = read_csv(path)
        faults += read_demand(raw, NAMES)[1]
    except InputError as error:
        faults = list(error.faults)
    assert [str(fault) for fault in faults] == [words]


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "demand.csv"
    path.write_text(HEADER + "".join(f"east,w,,,{h},1\n" for h in range(168)))
    monkeypatch.setattr("planner.readers.demand.MOST_EXPANDED_ROWS", 300)
    frame, faults = read_demand(read_csv(path)[0], NAMES)
    assert frame is None
    assert "336 rows over all scenarios and periods; at most 300 are planned at once" in str(faults[0])
    monkeypatch.setattr("planner.readers.demand_files.MOST_DEMAND_ROWS", 100)
    with pytest.raises(InputError, match=r"demand\.csv: has more than 100 rows"):
        read_csv(path)
