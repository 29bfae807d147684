"""A valid input, broken in two hundred ways: each ends in words and an exit code, and no earlier report suffers.

The mutations are drawn with fixed seeds. Each runs the real command line.
"""

import csv
import json
import random
import re

import pytest

from planner.cli import main
from planner.plan.manifest import faults_of_files
from planner.readers.starter import STARTER
from planner.schema.case import TABLE
from planner.schema.describe import columns_of
from tests.builders import profile, two_regions, write_folder, write_workbook

PLACE = re.compile(r"plan\.yaml|\.csv|in\.xlsx|sheet \S+|\w+![A-Z]+\d+|demand of|there is no such folder")
WRONG_TEXTS = ["many", "1,5", "12%", "nan", "inf", "-inf", "1e400", "#REF!", "=1+1", "''", "0x1F", "--1", "💥", "−5"]
ODD_TEXTS = [*WRONG_TEXTS, "", "-7", "1e30", "0", "TRUE", "wset", ";", "any", "*", "\t", "a" * 5000, '"', "2027-99"]


def starter():
    """Tables of the starter, as text."""
    found = {}
    for path in sorted(STARTER.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


def run(*words, capsys):
    """Run the command; what it says must be meant for people."""
    code = main(list(words))
    out, err = capsys.readouterr()
    assert code in (0, 1, 2), (code, err)
    assert "Traceback" not in out + err
    assert "an error in planner itself" not in err, err
    assert (code == 0) == (err == "")
    return code, err


@pytest.mark.parametrize("container", ["folder", "workbook"])
@pytest.mark.parametrize("seed", range(50))
def test_a_cell_is_changed(container, seed, tmp_path, capsys):
    draw = random.Random(seed)
    tables = starter()
    table = draw.choice(sorted(tables))
    at = draw.randrange(len(tables[table]))
    column = draw.choice([name for name in tables[table][at] if name != "note"])
    facts = columns_of(TABLE[table].row)[column]
    wrong = facts.kind in (int, float) and draw.random() < 0.5
    text = draw.choice(WRONG_TEXTS if wrong else ODD_TEXTS)
    tables[table][at][column] = text
    if container == "folder":
        path = write_folder(tables, tmp_path / "in", months=3)
        place = f"{table}.csv, row {at + 2}, column {column}: "
    else:
        path = write_workbook(tables, tmp_path / "in.xlsx", months=3)
        letter = chr(ord("A") + list(tables[table][at]).index(column))
        place = f"{table}!{letter}{at + 2}, column {column}: "
    code, err = run("check", str(path), capsys=capsys)
    if code:
        assert PLACE.search(err)
    if wrong:
        assert code == 1
        assert place in err, err


@pytest.mark.parametrize("seed", range(50))
def test_a_file_is_changed(seed, tmp_path, capsys):
    draw = random.Random(seed)
    folder = write_folder(starter(), tmp_path / "in", months=3)
    path = draw.choice(sorted(folder.iterdir()))
    data = path.read_bytes()
    how = draw.choice(["gone", "empty", "folder", "cut", "bytes", "header", "twice", "lines", "renamed", "zeros"])
    if how in ("gone", "folder"):
        path.unlink()
    if how == "folder":
        path.mkdir()
    elif how == "renamed":
        path.rename(path.with_stem(path.stem[1:] + path.stem[0]))
    elif how != "gone":
        k = draw.randrange(len(data))
        lines = data.splitlines(keepends=True)
        path.write_bytes({
            "empty": b"",
            "cut": data[:k],
            "bytes": data[:k] + draw.randbytes(3) + data[k:],
            "header": b"x" + data,
            "twice": data + data,
            "lines": b"".join(draw.sample(lines, len(lines))),
            "zeros": data[:k] + bytes(10) + data[k:],
        }[how])  # fmt: skip
    code, err = run("check", str(folder), capsys=capsys)
    if code:
        assert PLACE.search(err)
    if how in ("empty", "folder", "zeros"):
        assert code == 1
        assert path.name in err


@pytest.mark.parametrize("seed", range(25))
def test_the_bytes_of_a_workbook_are_changed(seed, tmp_path, capsys):
    draw = random.Random(seed)
    path = write_workbook(starter(), tmp_path / "in.xlsx", months=3)
    data = bytearray(path.read_bytes())
    for _ in range(draw.choice([1, 10, 1000])):
        data[draw.randrange(len(data))] = draw.randrange(256)
    path.write_bytes(data[: draw.choice([len(data), len(data) // 2])])
    code, err = run("check", str(path), capsys=capsys)
    if code:
        assert PLACE.search(err)


YAML = [
    "", "[", "- a", "a: b: c", "name: !!python/object/apply:os.system ['touch built']", "name: !!binary aGk=",
    "name: &a [*a]", "? {a: 1}\n: 2", "horizon: {start: 2027-01-01}", "horizon: [2027-01-01, 3]", "policy: null",
    "horizon: {start: 2027-01-01, months: 1e9}", "horizon: {start: 9999-12-01, months: 12}", "name: " + "x" * 100_000,
    "horizon: {start: 0001-01-01, months: 3}", "horizon: {start: 2027-01-01, months: 3}\npolicy: {headroom: 0.999999}",
    "%YAML 9.9\n---\n", "---\na: 1\n---\nb: 2\n", "\x07", "\ufeffname: x", "<<: {name: x}", "name: |\n  two\n  lines\n",
    "horizon: {start: 2027-01-01, months: 999999999999999999999}", "name: ''\nhorizon: {start: '', months: ''}",
    "{" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("text", YAML, ids=range(len(YAML)))
def test_the_settings_are_changed(text, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write_folder(starter(), tmp_path / "in", months=3)
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    code, err = run("check", str(folder), capsys=capsys)
    assert not (tmp_path / "built").exists()
    if code:
        assert "plan.yaml" in err or "demand.csv" in err


NUMBERS = ["", "many", "-7", "1e30", "1e12", "1e9", "1e-9", "0", "nan", "0.5", "1", "99999"]
NAMES = ["", "wset", "east", "west", ";", "any", "m", "2027-02-01", "0", "*"]


def tiny():
    """Two regions with all that a plan can have, small enough to be solved in a moment."""
    week = [1.0, 2.0, 9.0, 4.0] * 6
    return two_regions(
        workloads=[{"workload": "w", "input_tokens": 60, "output_tokens": 6, "cache_hit_rate": 0.5, "headroom": 0.1,
                    "burst_factor": 1.2, "guaranteed_share": 0.1, "serving_regions": "any", "failover_share": 0.8}],
        mix=[{"workload": "w", "model": "m", "min_share": 0.1, "max_share": 1}],
        scenarios=[{"scenario": "a", "probability": 0.6, "on_demand_price_factor": 1},
                   {"scenario": "b", "probability": 0.4, "on_demand_price_factor": 1.2}],
        demand=[*profile("east", "w", week), *profile("west", "w", week[::-1])],
        offers=[{"offer": f"{r}-{t}", "pool": f"{r}-m", "term_months": t, "usd_per_unit_hour": 1.0, "min_units": 2,
                 "unit_step": 1, "max_units": 50} for r in ("east", "west") for t in (1, 3)],
        commitments=[{"offer": "east-3", "units": 4, "start": "2026-12-01", "end": "2027-03-01"}],
        on_demand=[{"region": r, "model": "m", "usd_per_mtok_input": 50_000, "usd_per_mtok_output": 100,
                    "tokens_per_minute_quota": 40, "quota_output_weight": 2} for r in ("east", "west")],
        routes=[{"origin": a, "destination": b, "usd_per_gb": 0.02, "max_gb_per_month": 1}
                for a, b in (("east", "west"), ("west", "east"))],
    )  # fmt: skip


def contents(folder):
    """Every file of a folder by its path within it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """An earlier report, to be left whole."""
    output = tmp_path_factory.mktemp("report")
    folder = write_folder(tiny(), tmp_path_factory.mktemp("in"), whole_units=True, failover={"enabled": True})
    assert main(["solve", str(folder), "-o", str(output)]) == 0
    return contents(output)


@pytest.mark.parametrize("seed", range(24))
def test_solve_writes_all_or_nothing(seed, earlier, tmp_path, capsys):
    draw = random.Random(seed)
    tables = tiny()
    table = draw.choice(sorted(tables))
    row = draw.choice(tables[table])
    column = draw.choice(list(row))
    kind = columns_of(TABLE[table].row)[column].kind
    row[column] = draw.choice(NUMBERS if kind in (int, float) else NAMES)
    output = tmp_path / "report"
    output.mkdir()
    for name, data in earlier.items():
        (output / name).parent.mkdir(exist_ok=True)
        (output / name).write_bytes(data)
    folder = write_folder(tables, tmp_path / "in", whole_units=True, failover={"enabled": True})
    options = [] if seed % 8 == 0 else ["--no-workbook"]
    code, err = run("solve", str(folder), "-o", str(output), *options, capsys=capsys)
    left = contents(output)
    if code:
        assert left == earlier, err
    else:
        assert left.keys() == earlier.keys() - ({"plan.xlsx"} if options else set())  # the older plan's goes with it
        assert faults_of_files(output) == []
        assert json.loads(left["plan.json"])["status"] in ("optimal", "gap")
