"""Sources that cannot be used: exit code 1 and the reason, never a traceback and never a half history."""

import gzip
import json

import pandas as pd
import pytest

from planner.cli import main
from tests.demand.exports import EXPORTS, as_csv, openai, plain

GOOD = as_csv(plain())


def parquet_bytes(tmp_path, rows):
    path = tmp_path / "whole.parquet"
    pd.DataFrame(rows).to_parquet(path)
    return path.read_bytes()


CASES = {
    "empty": ("a.csv", lambda tmp: b"", "is empty"),
    "blank": ("a.csv", lambda tmp: b"\n \n", "nothing but blanks"),
    "binary": ("a.csv", lambda tmp: bytes(range(256)) * 10, "binary file|not UTF-8"),
    "not utf-8": ("a.csv", lambda tmp: GOOD.replace("eu", "\xe9").encode("latin-1"), "UTF-8"),
    "header only": ("a.csv", lambda tmp: GOOD.splitlines()[0].encode() + b"\n", "nothing usable|no rows"),
    "wrong format": ("a.csv", lambda tmp: b"name,age\nAda,36\n", "of no known format"),
    "cut csv": ("a.csv", lambda tmp: GOOD.encode()[:-14], "truncated: its last line is cut off"),
    "cut json": ("a.json", lambda tmp: json.dumps(openai()).encode()[:-40], "truncated or corrupt"),
    "cut gzip": ("a.csv.gz", lambda tmp: gzip.compress(GOOD.encode())[:-20], "corrupt or truncated gzip"),
    "corrupt gzip": ("a.csv.gz", lambda tmp: b"\x1f\x8b\x08" + b"junk" * 40, "corrupt or truncated gzip"),
    "empty gzip": ("a.csv.gz", lambda tmp: gzip.compress(b""), "nothing in it"),
    "bomb": ("a.csv.gz", lambda tmp: gzip.compress(b"0" * 80_000_000), "times its size"),
    "zip": ("a.zip", lambda tmp: b"PK\x03\x04" + b"\0" * 60, "zip archive"),
    "cut parquet": ("a.parquet", lambda tmp: parquet_bytes(tmp, plain())[:-30], "truncated Parquet"),
    "corrupt parquet": ("a.parquet", lambda tmp: b"PAR1" + b"\7" * 400 + b"PAR1", "cannot be read"),
    "no rows": ("a.parquet", lambda tmp: parquet_bytes(tmp, pd.DataFrame(plain()).head(0)), "nothing usable"),
    "error answer": (
        "a.json",
        lambda tmp: b'{"status": "error", "error": "bad query", "data": null}',
        "no known format",
    ),
    "empty page": ("a.json", lambda tmp: b'{"object": "page", "data": [], "has_more": false}', "no known format"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_unusable_file_is_named_with_its_reason(case, tmp_path, capsys):
    name, content, reason = CASES[case]
    source = tmp_path / name
    source.write_bytes(content(tmp_path))
    out = tmp_path / "history"
    assert main(["ingest", str(source), "-o", str(out)]) == 1
    told = capsys.readouterr().err
    assert name in told
    assert pd.Series([told]).str.contains(reason).all(), told
    assert "planner itself" not in told
    assert not out.exists()


def test_gzip_is_read(tmp_path):
    source = tmp_path / "a.csv.gz"
    source.write_bytes(gzip.compress(GOOD.encode()))
    assert main(["ingest", str(source), "-o", str(tmp_path / "h")]) == 0


def test_all_unusable_files_are_told_at_once(tmp_path, capsys):
    (tmp_path / "one.csv").write_bytes(b"")
    (tmp_path / "two.json").write_bytes(b"")
    assert main(["ingest", str(tmp_path), "-o", str(tmp_path / "h")]) == 1
    told = capsys.readouterr().err
    assert "one.csv" in told
    assert "two.json" in told


def test_two_formats_at_once_are_refused(tmp_path, capsys):
    for name in ("openai", "anthropic_analytics"):
        (tmp_path / f"{name}.json").write_text(EXPORTS[name][1])
    assert main(["ingest", str(tmp_path), "-o", str(tmp_path / "h")]) == 1
    assert "several formats" in capsys.readouterr().err


def test_a_missing_file_and_an_unknown_format(tmp_path, capsys):
    assert main(["ingest", str(tmp_path / "none.csv")]) == 1
    assert "does not exist" in capsys.readouterr().err
    assert main(["ingest", "nonsense"]) == 1
    assert "neither a format nor a file" in capsys.readouterr().err
