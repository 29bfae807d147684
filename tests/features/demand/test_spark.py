"""Spark, in local mode: the same history as DuckDB's, to the token, from a folder of Parquet and from a table."""

import datetime as dt
import gc
import json
import os
import shutil
import warnings

import pandas as pd
import pytest

from planner.cli import main
from planner.errors import InputError, PlannerError
from planner.features.demand import spark
from planner.features.demand.aggregate import EXAMPLES
from planner.features.demand.ingest import IngestOptions, ingest
from planner.features.demand.names import NameMap
from tests.builders.exports import at

HAVE_JAVA = shutil.which(
    "java", path=os.path.join(os.environ["JAVA_HOME"], "bin") if "JAVA_HOME" in os.environ else None
)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # sockets that PySpark leaves to the collector
UNTIL = dt.datetime(2026, 3, 4, tzinfo=dt.UTC)
COUNTS = [
    "requests",
    "input_tokens",
    "cached_tokens",
    "written_tokens",
    "output_tokens",
    "burst_factor",
    "bucket_hours",
]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A session of our own: what is ingested through ``pyspark://`` meanwhile uses it."""
    pytest.importorskip("pyspark")
    if HAVE_JAVA is None:
        pytest.skip("Spark runs on Java, which is not here")
    quick = "spark.sql.shuffle.partitions=2&spark.sql.codegen.wholeStage=false"
    quick += "&spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1"  # small questions: no time to optimise bytecode
    settings = f"spark.master=local[2]&{quick}"
    url = f"pyspark://{tmp_path_factory.mktemp('warehouse')}?{settings}"
    with spark.connected(url, url) as engine:
        yield engine._session
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def log(rows=4000):
    """A request log, long ones with every fault that a row can have, and each 50th request written twice."""
    frame = pd.DataFrame({"n": range(rows)})
    n = frame["n"]
    frame["request_id"] = "id-" + n.astype("str")
    frame["startTime"] = pd.Timestamp(at(0)).tz_localize(None) + pd.to_timedelta(7 * n + n % 3, unit="s")
    frame["prompt_tokens"] = (100 + n % 37).astype("Int64")
    frame["completion_tokens"] = (10 + n % 11).astype("Int64")
    frame["model"], frame["model_group"] = "gpt-" + (n % 3).astype("str"), "group-" + (n % 2).astype("str")
    frame["api_base"] = [f"https://{'eu' if k % 2 else 'us'}.example/" for k in n]
    cached = [{"prompt_tokens_details": {"cached_tokens": k % 90}, "cache_creation_input_tokens": k % 5} for k in n]
    frame["metadata"] = [json.dumps({"usage_object": usage}) for usage in cached]
    frame["cache_hit"], frame["status"] = "False", "success"
    faults = {
        3: {"prompt_tokens": -1},
        5: {"startTime": pd.Timestamp("2099-01-01")},
        8: {"startTime": pd.Timestamp("1970-01-01")},
        13: {"startTime": pd.NaT},
        21: {"prompt_tokens": pd.NA, "completion_tokens": pd.NA},
        34: {"completion_tokens": pd.NA},
        55: {"status": "failure"},
        89: {"cache_hit": "True"},
        144: {"metadata": json.dumps({"usage_object": {"cache_read_input_tokens": 999}})},
        233: {"metadata": "no json"},
        377: {"metadata": None},
        610: {"prompt_tokens": 10**16},
    }
    for index, values in faults.items() if rows > max(faults) else ():
        for name, value in values.items():
            frame.loc[index, name] = value
    again = frame[n % 50 == 7].assign(completion_tokens=1)  # a stream's first part
    return pd.concat([frame, again]).drop(columns="n")


def written(folder, frame):
    """Write a table as Spark does: a folder of parts, and a marker that it is whole."""
    folder.mkdir()
    for k in range(3):
        frame.iloc[k::3].to_parquet(folder / f"part-0000{k}.snappy.parquet", index=False)
    (folder / "_SUCCESS").touch()
    return folder


def same(here, there):
    keys = ["hour", "region", "workload", "model"]
    print([[(f["rule"], f["count"]) for f in h.report["findings"]] for h in (here, there)])
    one, other = (h.rows.sort_values(keys).reset_index(drop=True)[[*keys, *COUNTS]] for h in (here, there))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    found = [
        {
            (f["rule"], f["count"], *sorted(f["examples"] if f["count"] <= EXAMPLES else ()))
            for f in h.report["findings"]
            if f["rule"] != "skipped_hour"  # counted in files only
        }
        for h in (here, there)
    ]
    assert found[0] == found[1]
    assert here.report["totals"] == there.report["totals"]


def test_a_request_log_in_a_folder_of_parquet(session, tmp_path):
    folder = written(tmp_path / "spendlogs", log())
    names = NameMap(names={"region": {"https://eu.example/": "swedencentral", "https://us.example/": "eastus2"}})
    there = ingest(["pyspark://"], options=IngestOptions(table_name=str(folder), names=names, until=UNTIL))
    assert there.report["format"] == "litellm_spendlogs"
    same(ingest([str(folder)], options=IngestOptions(names=names, until=UNTIL)), there)
    assert {f["rule"] for f in there.report["findings"]} == {
        "negative", "future", "long_ago", "no_time", "null_tokens", "null_as_zero", "failed", "response_cache",
        "cached_above_input", "too_large", "duplicate",
    }  # fmt: skip
    assert there.rows["burst_factor"].max() > 1


def test_litellm_s_table_is_found_though_a_metastore_knows_one_case_only(session, tmp_path):
    log(500).rename(columns=str.lower).to_parquet(tmp_path / "log.parquet")
    session.read.parquet(str(tmp_path / "log.parquet")).write.saveAsTable("litellm_spendlogs")
    history = ingest(["pyspark://"], options=IngestOptions(until=UNTIL))
    assert history.report["totals"]["requests"] > 400


def plain():
    """Text throughout, as a landing table has it; local times, some with an offset."""
    rows = []
    for k in range(600):
        time = pd.Timestamp("2026-03-28 20:00:00") + pd.Timedelta(minutes=k)
        rows.append(
            {
                "Created At": f"{time:%Y-%m-%dT%H:%M:%S}" + ("+02:00" if k % 10 == 0 else ""),
                "prompt": str(100 + k) if k % 97 else "n/a",
                "toks_out": str(k % 13),
                "hit": str(k % 40),
                "app": f"app-{k % 2}",
                "key": f"k{k - k % 20 // 19}",
            }
        )
    rows[5]["Created At"], rows[9]["prompt"] = "soon", "twelve"
    rows[6]["Created At"] = "1774720000000"
    return pd.DataFrame(rows)


def test_a_plain_table_with_a_column_map(session, tmp_path):
    columns = {"time": "Created At", "input_tokens": "prompt", "output_tokens": "toks_out", "cached_tokens": "hit"}
    names = NameMap(columns={**columns, "workload": "app", "id": "key"}, time_zone="Europe/Berlin")
    frame = plain()
    frame.to_csv(tmp_path / "plain.csv", index=False)
    session.sql("CREATE SCHEMA usage")
    session.createDataFrame(frame).write.saveAsTable("usage.plain")
    here = ingest([str(tmp_path / "plain.csv")], "table", IngestOptions(names=names, until=UNTIL.replace(month=5)))
    there = ingest(
        ["pyspark://"],
        options=IngestOptions(table_name="spark_catalog.usage.plain", names=names, until=UNTIL.replace(month=5)),
    )
    same(here, there)
    assert {"no_time", "null_as_zero", "duplicate", "too_large"} <= {f["rule"] for f in there.report["findings"]}
    assert session.conf.get(spark.TIME_ZONE) == "UTC"


@pytest.mark.parametrize("table", ["nothing", "no.nothing", "no.such.nothing", "/no/such/folder"])
def test_a_table_that_is_not_there_is_told_in_one_line(table, session, tmp_path, capsys):
    assert main(["ingest", "pyspark://", "--table", table, "-o", str(tmp_path / "h")]) == 1
    told = capsys.readouterr().err
    assert any(word in told for word in ("no such table", "cannot be found", "not found", "does not exist"))
    assert len(told.splitlines()) <= 2
    assert "java" not in told


def test_what_spark_needs_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"has no bin/java.*Java 17"):
        spark._need_java("spark://host:7077")
    monkeypatch.setattr(spark.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(PlannerError, match=r'pip install "\.\[spark\]"'), spark.connected("pyspark://", ""):
        pass


def test_a_server_that_is_not_there_is_told_at_once_and_without_its_token(capsys):
    pytest.importorskip("pyspark")
    for url in ("sc://127.0.0.1:1/;token=secret", "spark://127.0.0.1:1"):
        assert main(["ingest", url, "--table", "usage"]) == 1
        told = capsys.readouterr().err
        assert "127.0.0.1:1: Connection refused" in told
        assert "secret" not in told


@pytest.mark.parametrize(
    ("url", "words"), [("sc://[::1", "is no address"), ("spark://u:pw9x@:t", "port is not a number")]
)
def test_an_address_without_host_or_port_is_a_fault_of_the_input(url, words, capsys):
    pytest.importorskip("pyspark")
    assert main(["ingest", url, "--table", "usage"]) == 1
    told = capsys.readouterr().err
    assert words in told
    assert "pw9x" not in told
