"""Sources that cannot be used: exit code 1 and the reason, never a traceback and never a half history."""

import gzip
import json
import os

import pandas as pd
import pytest

from planner.cli import main
from planner.errors import InputError
from planner.features.demand import aggregate
from planner.features.demand.ingest import ingest
from planner.features.demand.names import load_names
from tests.builders.exports import EXPORTS, as_csv, openai, plain

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
    "utf-16": ("a.csv", lambda tmp: GOOD.encode("utf-16"), "UTF-16 text"),
    "gzip by another name": ("a.csv", lambda tmp: gzip.compress(GOOD.encode()), "compressed by gzip, but its name"),
    "gzip by name alone": ("a.csv.gz", lambda tmp: GOOD.encode(), "not compressed, but its name"),
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
    "empty page": ("a.json", lambda tmp: b'{"object": "page", "data": [], "has_more": false}', "without any usage"),
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


def test_lines_may_end_in_a_carriage_return(tmp_path):
    source = tmp_path / "a.csv"
    source.write_bytes(GOOD.replace("\n", "\r").encode())
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


PAGE = '{"object": "page", "data": [%s], "has_more": false, "next_page": null}'
QUIET = '{"object": "bucket", "start_time": 1715558400, "end_time": 1715562000, "results": []}'


@pytest.mark.parametrize("quiet", [PAGE % "", PAGE % QUIET])
def test_pages_of_quiet_times_take_nothing_away(quiet, tmp_path):
    full, empty = tmp_path / "full.json", tmp_path / "empty.json"
    full.write_text(json.dumps(openai()))
    empty.write_text(quiet)
    alone = ingest([str(full)])
    assert ingest([str(empty), str(full)]).report["totals"] == alone.report["totals"]


def test_a_named_format_is_not_forced_on_another_export(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("time,model,requests,input_tokens,output_tokens\n2026-01-05T00:00:00Z,m,1,2,3\n")
    page = tmp_path / "b.json"
    page.write_text(json.dumps(openai()))
    with pytest.raises(InputError, match="is no export of OpenAI"):
        ingest([str(table)], "openai_usage")
    with pytest.raises(InputError, match="openai_usage"):
        ingest([str(page)], "azure_monitor")


def test_pipes_and_devices_are_told(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe or a device"):
        ingest([str(tmp_path / "pipe"), "/dev/null"])


def test_options_that_would_do_nothing_are_refused(tmp_path, capsys):
    table = tmp_path / "a.csv"
    table.write_text("time,model,requests,input_tokens,output_tokens\n2026-01-05T00:00:00Z,m,1,2,3\n")
    common = ["ingest", str(table), "-o", str(tmp_path / "h")]
    for extra, words in (
        (["--window", "2026-01-01/2026-01-02"], "--window: is for one scrape"),
        (["--table", "logs"], "--table: is for databases"),
        (["--since", "2026-01-02", "--until", "2026-01-01"], "--since: is not before --until"),
    ):
        assert main([*common, *extra]) == 1
        assert words in capsys.readouterr().err
    assert not (tmp_path / "h").exists()


def test_billing_data_is_told_wherever_it_stands(tmp_path, capsys):
    table, bill = tmp_path / "a.csv", tmp_path / "b.csv"
    table.write_text("time,model,requests,input_tokens,output_tokens\n2026-01-05T00:00:00Z,m,1,2,3\n")
    bill.write_text("ChargeCategory,ChargePeriodStart,EffectiveCost,CommitmentDiscountId\nUsage,2026-01-01,1,\n")
    assert main(["ingest", str(table), str(bill), "-o", str(tmp_path / "h")]) == 1
    assert "b.csv: is FOCUS billing data" in capsys.readouterr().err


def test_faults_of_a_map_are_in_plain_words(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("colums: {a: b}\ndefaults: [a]\nbucket_hours: -1\n")
    with pytest.raises(InputError) as error:
        load_names(path, region="eu")
    told = str(error.value)
    for words in ("column colums: is no key of a map file", "column defaults", "must be greater than or equal to 0"):
        assert words in told


def test_a_query_that_the_user_stops_is_no_fault(tmp_path, capsys, monkeypatch):
    """DuckDB turns Ctrl-C into an error of its own."""

    def stopped(expression):
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(aggregate, "fetched", stopped)
    source = tmp_path / "usage.csv"
    source.write_text(GOOD)
    assert main(["ingest", str(source), "-o", str(tmp_path / "h")]) == 3
    assert "interrupted" in capsys.readouterr().err
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize("name", ["a[1].csv", "a*.csv", "a?.csv", "~a.csv", "d[ir]*/a{1,2}.csv"])
def test_a_name_is_a_name_and_no_pattern(name, tmp_path, monkeypatch):
    """Beside it lies a1.csv, which each of the patterns would match."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(as_csv(plain()))
    (tmp_path / "a1.csv").write_text(as_csv([{**row, "model": "other"} for row in plain()]))
    monkeypatch.chdir(tmp_path)
    assert ingest([name]).report["series"]["model"] == ["gpt-a", "gpt-b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("timestamp,input_tokens" + ",x" * 600_000 + "\n1,2\n", "line of over 1 MB"),
     ("timestamp,input_tokens" + ",x" * 20_000 + "\n1,2\n", "20,002 columns"),
     ("timestamp,input_tokens\n1," + "9" * 9_000_000 + "\n", "a line of over 4 MB")],
)  # fmt: skip
def test_what_no_log_has_is_refused_unread(text, words, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        ingest([str(tmp_path / "a.csv")])
