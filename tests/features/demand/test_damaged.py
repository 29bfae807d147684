"""Damaged exports, and exports taken for another format: exit code 1 with the reason, never a fault of ours."""

import gzip
import json
import random

import numpy as np
import pandas as pd
import pytest

from planner.cli import main
from planner.features.demand.formats import FORMAT
from planner.features.demand.history import History, load_history, save_history, tidy
from tests.builders.exports import EXPORTS, write

ODD = (None, -5, 1e18, "x", "", [], {}, [1], {"a": 1}, True, "2024-13-45")
NAMES = sorted(EXPORTS)


def answer(capsys, *words):
    code = main(["ingest", *map(str, words)])
    told = capsys.readouterr().err
    assert code in (0, 1)
    assert "fault of planner" not in told
    assert code == 0 or len(told) > 40
    return code


@pytest.mark.parametrize("name", NAMES)
def test_cut_off_anywhere(name, tmp_path, capsys):
    path = write(tmp_path, name)
    whole = path.read_bytes()
    for part in (0.02, 0.4, 0.97):
        path.write_bytes(whole[: int(part * len(whole))])
        code = answer(capsys, path, "-o", tmp_path / "h")
        assert code == 1 or path.suffix in (".csv", ".jsonl")  # their whole lines may be all there is
    zipped = path.with_name(path.name + ".gz")
    zipped.write_bytes(gzip.compress(whole)[:-20])
    assert answer(capsys, zipped, "-o", tmp_path / "h") == 1


@pytest.mark.parametrize("name", [name for name in NAMES if EXPORTS[name][0].endswith(".json")])
def test_a_wrong_value_anywhere(name, tmp_path, capsys):
    path, chance = write(tmp_path, name), random.Random(name)
    text = path.read_text()
    for _ in range(5):
        document = json.loads(text)
        places = []

        def walk(node, places=places):
            items = list(node.items() if isinstance(node, dict) else enumerate(node))
            for key, child in items:
                places.append((node, key))
                if isinstance(child, (dict, list)):
                    walk(child)

        walk(document)
        for node, key in chance.sample(places, min(len(places), 2)):
            node[key] = chance.choice(ODD)
        path.write_text(json.dumps(document))
        answer(capsys, path, "-o", tmp_path / "h")


@pytest.mark.parametrize("format_name", [*FORMAT, "focus"])
def test_taken_for_another_format(format_name, tmp_path, capsys):
    for index, name in enumerate(NAMES):
        if EXPORTS[name][2] != format_name and (index + len(format_name)) % 6 == 0:
            (tmp_path / name).mkdir()
            answer(capsys, format_name, write(tmp_path / name, name), "-o", tmp_path / "h")


def test_every_damaged_file_is_named(tmp_path, capsys):
    whole = json.loads(EXPORTS["otel"][1])
    (tmp_path / "good.json").write_text(json.dumps(whole))
    for name in ("bad-1.json", "bad-2.json"):
        (tmp_path / name).write_text(json.dumps({"resourceMetrics": [{"resource": 7}]}))
    assert main(["ingest", str(tmp_path), "-o", str(tmp_path / "h")]) == 1
    told = capsys.readouterr().err
    assert "bad-1.json" in told
    assert "bad-2.json" in told
    assert "good.json" not in told


@pytest.mark.parametrize("text", ["", "[]", "5", "{", "[" * 100_000])
def test_a_report_of_a_history_that_is_none(text, tmp_path, capsys):
    (tmp_path / "h").mkdir()
    sound_history().to_parquet(tmp_path / "h" / "history.parquet")
    assert main(["profile", str(tmp_path / "h")]) == 0
    (tmp_path / "h" / "history.json").write_text(text)
    assert main(["profile", str(tmp_path / "h")]) == 1
    assert "history.json: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("column", "value"),
    [("bucket_hours", np.inf), ("bucket_hours", 0.0), ("bucket_hours", np.nan), ("requests", -1.0),
     ("output_tokens", np.inf), ("burst_factor", -2.0), ("hour", pd.NaT), ("hour", "noon"), ("requests", "many")],
)  # fmt: skip
def test_a_history_that_no_ingest_writes_is_refused(column, value, tmp_path, capsys):
    """One infinite length of a bucket made a forecast, without a word."""
    rows = sound_history()
    rows[column] = rows[column].astype("str" if isinstance(value, str) else rows[column].dtype)
    rows.loc[3, column] = value
    rows.to_parquet(tmp_path / "history.parquet")
    assert main(["forecast", str(tmp_path / "history.parquet"), "-o", str(tmp_path / "plan")]) == 1
    told = capsys.readouterr().err
    assert "history.parquet" in told
    assert "planner itself" not in told


def test_rows_that_are_not_those_that_were_written_are_refused(tmp_path, capsys):
    """A row twice: 505 hours where 504 were written. Whoever changed them on purpose takes that line out."""
    folder = tmp_path / "h"
    save_history(History(tidy(sound_history()), {"source": "s"}), folder)
    assert load_history(folder).report == {"source": "s"}
    rows = pd.read_parquet(folder / "history.parquet")
    pd.concat([rows, rows.tail(1)]).to_parquet(folder / "history.parquet", index=False)
    for source in (folder, folder / "history.parquet"):
        assert main(["profile", str(source)]) == 1
        assert "has changed since planner wrote it" in capsys.readouterr().err
    report = json.loads((folder / "history.json").read_text())
    report.pop("history_parquet_sha256")
    (folder / "history.json").write_text(json.dumps(report))
    assert main(["profile", str(folder)]) == 0


def sound_history():
    """Three weeks of one series."""
    hours = pd.date_range("2026-03-02", periods=504, freq="h", tz="UTC")
    return pd.DataFrame({
        "hour": hours, "region": "r", "workload": "w", "model": "m", "bucket_hours": 1.0, "requests": 10.0,
        "input_tokens": 100.0, "cached_tokens": 0.0, "written_tokens": 0.0, "output_tokens": 10.0, "burst_factor": 1.0,
    })  # fmt: skip
