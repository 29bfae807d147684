"""Every export of the same traffic becomes the same history, as far as the export knows it."""

import base64
import http.server
import json
import threading
import urllib.parse

import pytest

from planner.cli import main
from planner.features.demand.ingest import ingest
from tests.builders.exports import (
    EXPORTS,
    TOTALS,
    TRUTH,
    VLLM_NAMES,
    as_csv,
    daily,
    epoch,
    openai,
    prometheus,
    spendlogs,
    write,
)


@pytest.mark.parametrize("name", EXPORTS)
def test_totals_agree_to_the_token(name, tmp_path):
    _, _, format_name, unknown = EXPORTS[name]
    history = ingest([str(write(tmp_path, name))])
    assert history.report["format"] == format_name
    expected = dict.fromkeys(TOTALS, None) | {k: v for k, v in TOTALS.items() if k not in unknown}
    # what cannot be told stays inside the input
    for lost in ("cached_tokens", "written_tokens"):
        if lost in unknown:
            expected["input_tokens"] += TOTALS[lost]
    assert history.report["totals"] == expected
    for column in unknown:
        word = "requests" if column == "requests" else "cache"
        assert any(word in text for text in history.report["missing"])


@pytest.mark.parametrize("name", [n for n in EXPORTS if EXPORTS[n][2] != "litellm_daily"])
def test_each_hour_is_where_it_was(name, tmp_path):
    history = ingest([str(write(tmp_path, name))])
    hours = history.rows.groupby("hour")["output_tokens"].sum()
    assert list(hours) == [sum(r["out"] for r in TRUTH if r["k"] == k) for k in range(6)]
    assert set(history.rows["model"]) <= {"gpt-a", "gpt-b", "unknown"}


def test_days_stay_days(tmp_path):
    history = ingest([str(write(tmp_path, "daily"))])
    assert set(history.rows["bucket_hours"]) == {24.0}
    assert any("no hour" in text for text in history.report["missing"])


def test_days_by_tag_are_told_to_count_requests_of_several_tags_several_times(tmp_path):
    (tmp_path / "users.csv").write_text(as_csv(daily()))
    (tmp_path / "tags.csv").write_text(as_csv([{**row, "tag": "prod"} for row in daily()]))
    assert not ingest([str(tmp_path / "users.csv")]).report["notes"]
    (note,) = ingest([str(tmp_path / "tags.csv")]).report["notes"]
    assert "several tags" in note


def test_the_region_is_taken_from_the_file_name(tmp_path):
    assert set(ingest([str(write(tmp_path, "bedrock"))]).rows["region"]) == {"us-east-1"}


def test_the_peak_minute_is_measured_where_there_are_requests(tmp_path):
    rows = ingest([str(write(tmp_path, "spendlogs"))]).rows
    # hour 0 of gpt-a: 10 requests in 10 different minutes: peak minute 1 against a mean of 10/60
    first = rows[(rows["model"] == "gpt-a")].iloc[0]
    assert first["burst_factor"] == pytest.approx(6.0)


def test_one_scrape_has_no_hours_but_may_stand_for_a_window(tmp_path):
    import datetime as dt

    from planner.errors import InputError
    from planner.features.demand.ingest import IngestOptions

    path = tmp_path / "m.prom"
    path.write_text(
        "# TYPE vllm:prompt_tokens_total counter\n"
        'vllm:prompt_tokens_total{engine="0",model_name="a"} 1200.0\n'
        'vllm:generation_tokens_total{engine="0",model_name="a"} 34.0\n'
    )
    with pytest.raises(InputError, match=r"one scrape.*input_tokens 1,200"):
        ingest([str(path)])
    window = (dt.datetime(2026, 3, 2, tzinfo=dt.UTC), dt.datetime(2026, 3, 3, tzinfo=dt.UTC))
    rows = ingest([str(path)], options=IngestOptions(window=window)).rows
    assert rows[["bucket_hours", "input_tokens", "output_tokens"]].to_numpy().tolist() == [[24.0, 1200.0, 34.0]]


def test_days_give_way_to_hours_of_the_same_series(tmp_path):
    (tmp_path / "hours.json").write_text(json.dumps(openai()))
    days = openai()
    days["data"] = [b for b in days["data"] if b["start_time"] == epoch(0)]
    for bucket in days["data"]:
        bucket["end_time"] = epoch(24)
        bucket["results"][0]["input_tokens"] = 99_999
    (tmp_path / "days.json").write_text(json.dumps(days))
    history = ingest([str(tmp_path)])
    assert history.report["totals"] == TOTALS
    assert [f["rule"] for f in history.report["findings"]] == ["overlap"]


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"data": rows, "total": len(rows), "page": 1}])
def test_the_request_log_as_litellm_s_api_gives_it(wrap, tmp_path):
    rows = [{**row, "metadata": json.loads(row["metadata"])} for row in spendlogs()]
    (tmp_path / "logs.json").write_text(json.dumps(wrap(rows), indent=1))
    history = ingest([str(tmp_path / "logs.json")])
    assert history.report["format"] == "litellm_spendlogs"
    assert history.report["totals"] == TOTALS


HOURS = [  # column of the hour, how hour 7 is spelled, and the hour that must come of it
    ("hour", "7", 7),
    ("Hour", "07:00", 7),
    ("hr", "07:00:00", 7),
    ("hour", "2026-03-02T07:00:00Z", 7),
    ("hour", "24", None),
    ("hour", "seven", None),
]


@pytest.mark.parametrize(("column", "spelled", "hour"), HOURS)
def test_a_date_and_an_hour_of_the_day_are_one_time(column, spelled, hour, tmp_path):
    path = tmp_path / "usage.csv"
    path.write_text(f"date,{column},model,requests,input_tokens\n2026-03-02,{spelled},m,5,50\n2026-03-02,8,m,6,60\n")
    history = ingest([str(path)])
    known = [hour, 8] if hour is not None else [8]
    assert [at.hour for at in history.rows["hour"]] == known
    assert set(history.rows["bucket_hours"]) == {1.0}
    assert [f["rule"] for f in history.report["findings"]] == ([] if hour is not None else ["no_time"])


def test_an_hour_beside_a_whole_time_changes_nothing(tmp_path):
    path = tmp_path / "usage.csv"
    path.write_text("timestamp,hour,model,requests,input_tokens\n2026-03-02T07:30:00Z,9,m,5,50\n")
    assert [f"{at:%H:%M}" for at in ingest([str(path)]).rows["hour"]] == ["07:00"]


PLACES = [
    ({"usage_object": {"prompt_tokens_details": {"cached_tokens": 30, "cache_creation_tokens": 20}}}, 30, 20),
    ({"usage_object": {"cache_read_input_tokens": 30, "cache_creation_input_tokens": 20}}, 30, 20),
    ({"usage_object": {"prompt_tokens_details": {"cached_tokens": None}, "cache_read_input_tokens": 30}}, 30, 0),
    ({"additional_usage_values": {"cache_read_input_tokens": 30, "cache_creation_input_tokens": 20}}, 30, 20),
    ({"additional_usage_values": {"prompt_tokens_details": {"cached_tokens": 30}}}, 30, 0),
    ({"cache_key": "cache_creation"}, 0, 0),
    ('{"usage_object": {"prompt_tokens_details": {"cached_tokens": 30', None, 0),  # cut off by a size limit
    ("", None, None),
]


@pytest.mark.parametrize(("metadata", "cached", "written"), PLACES)
def test_cached_tokens_are_found_where_versions_of_litellm_put_them(metadata, cached, written, tmp_path):
    """100 tokens of input, of which 30 came from the cache and 20 were written to it, where the log says so."""
    text = metadata if isinstance(metadata, str) else json.dumps(metadata)
    row = {**spendlogs()[0], "prompt_tokens": 100, "completion_tokens": 7, "metadata": text}
    (tmp_path / "log.csv").write_text(as_csv([row]))
    totals = ingest([str(tmp_path / "log.csv")]).report["totals"]
    assert totals["cached_tokens"] == cached
    assert totals["written_tokens"] == written
    assert totals["input_tokens"] == 100 - (cached or 0) - (written or 0)


class Answers(http.server.BaseHTTPRequestHandler):
    """A Prometheus that has vLLM's counters; who comes with a name is asked for the password."""

    def do_GET(self):
        login = self.headers["Authorization"]
        if login and base64.b64decode(login.removeprefix("Basic ")) != b"finops:p@ss":
            self.send_error(401)
            return
        asked = urllib.parse.urlparse(self.path)
        series = prometheus(VLLM_NAMES, "model_name")["data"]["result"]
        if asked.path.endswith("/values"):
            data = ["up", *VLLM_NAMES.values()]
        else:
            query = urllib.parse.parse_qs(asked.query)
            start, end = float(query["start"][0]), float(query["end"][0])
            mine = [s for s in series if s["metric"]["__name__"] == query["query"][0]]
            cut = [{**s, "values": [v for v in s["values"] if start <= v[0] <= end]} for s in mine]
            data = {"resultType": "matrix", "result": [s for s in cut if s["values"]]}
        body = json.dumps({"status": "success", "data": data}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_prometheus_server(tmp_path, capsys):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        span = ["--since", "2026-03-01", "--until", "2026-03-05"]
        assert main(["ingest", url, "-o", str(tmp_path / "h"), *span]) == 0
        named = url.replace("://", "://finops:p%40ss@")
        assert main(["ingest", named, "-o", str(tmp_path / "h"), *span]) == 0
        assert main(["ingest", named.replace("p%40ss", "wr0ng"), "-o", str(tmp_path / "no"), *span]) == 1
        told = capsys.readouterr().err
        assert "401" in told
        assert "wr0ng" not in told
        assert main(["ingest", "litellm_prometheus", url, "-o", str(tmp_path / "no"), *span]) == 1
        assert "none of the counters" in capsys.readouterr().err
        server.shutdown()
    report = json.loads((tmp_path / "h" / "history.json").read_text())
    assert report["format"] == "vllm_prometheus"
    assert report["totals"]["requests"] == TOTALS["requests"]
    assert report["totals"]["cached_tokens"] == TOTALS["cached_tokens"]
    assert main(["ingest", url, "-o", str(tmp_path / "no")]) == 1  # it is gone
    assert "does not answer" in capsys.readouterr().err
