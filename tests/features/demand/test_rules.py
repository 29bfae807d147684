"""Bad rows are counted, listed, and kept out or repaired by a named rule; nothing is counted twice."""

import datetime as dt
import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InputError
from planner.features.demand.ingest import IngestOptions, ingest
from planner.features.demand.names import NameMap, load_names
from tests.builders.exports import VLLM_NAMES, as_csv, epoch, iso, openai, plain, prometheus


def log(rows):
    """Write request rows (id, time, input, cached, output) as CSV text."""
    return "id,time,model,input_tokens,cached_tokens,output_tokens\n" + "".join(
        ",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows
    )


def found(history):
    return {f["rule"]: f["count"] for f in history.report["findings"]}


def read(tmp_path, *texts, options=None):
    paths = []
    for n, text in enumerate(texts):
        path = tmp_path / f"part{n}.csv"
        path.write_text(text)
        paths.append(str(path))
    return ingest(paths, "table", options)


GOOD = ("r0", iso(0), "m", 100, 40, 10)


@pytest.mark.parametrize(
    ("row", "rule", "kept"),
    [
        (("x", "", "m", 5, 0, 1), "no_time", False),
        (("x", "yesterday", "m", 5, 0, 1), "no_time", False),
        (("x", "2999-01-01T00:00:00Z", "m", 5, 0, 1), "future", False),
        (("x", "1970-01-01T00:00:00Z", "m", 5, 0, 1), "long_ago", False),
        (("x", iso(0), "m", -5, 0, 1), "negative", False),
        (("x", iso(0), "m", "NaN", 0, 1), "null_as_zero", True),
        (("x", iso(0), "m", "many", 0, 1), "too_large", False),
        (("x", iso(0), "m", 5.5, 0, 1), "fractional", True),
        (("x", iso(0), "m", "inf", 0, 1), "too_large", False),
        (("x", iso(0), "m", None, None, None), "null_tokens", False),
        (("x", iso(0), "m", None, None, 7), "null_as_zero", True),
        (("x", iso(0), "m", 5, 9, 1), "cached_above_input", True),
        (("r0", iso(0), "m", 100, 40, 10), "duplicate", False),
    ],
)
def test_each_rule(row, rule, kept, tmp_path):
    history = read(tmp_path, log([GOOD, row]))
    assert found(history) == {rule: 1}
    assert history.report["totals"]["requests"] == (2 if kept else 1)
    entry = history.report["findings"][0]
    assert entry["action"] in (("repaired", "noted") if kept else ("kept out",))
    if rule == "cached_above_input":  # fresh input 0, and 60 of the good row
        assert history.report["totals"]["input_tokens"] == 60


def test_a_line_with_too_few_cells_is_listed_with_its_number(tmp_path):
    history = read(
        tmp_path, log([GOOD]) + "only,three,cells\n" + log([("r2", iso(1), "m", 1, 0, 1)]).splitlines()[1] + "\n"
    )
    entry = next(f for f in history.report["findings"] if f["rule"] == "unreadable_line")
    assert entry["count"] == 1
    assert "line 3" in entry["examples"][0]


def test_failed_and_cached_answers_never_reached_a_model(tmp_path):
    base = "request_id,startTime,prompt_tokens,completion_tokens,model,model_group,cache_hit,status\n"
    path = tmp_path / "a.csv"
    path.write_text(
        base
        + "1,2026-03-02 00:00:00,10,1,m,g,False,success\n"
        + "2,2026-03-02 00:00:00,10,1,m,g,True,success\n"
        + "3,2026-03-02 00:00:00,10,0,m,g,False,failure\n"
    )
    history = ingest([str(path)])
    assert found(history) == {"response_cache": 1, "failed": 1}
    assert history.report["totals"]["requests"] == 1


def test_overlapping_exports_with_ids_count_once(tmp_path):
    rows = [(f"r{k}", iso(k / 4), "m", 100 + k, 0, 10) for k in range(40)]
    history = read(tmp_path, log(rows[:25]), log(rows[15:]))
    assert found(history)["duplicate"] == 10
    assert history.report["totals"]["requests"] == 40
    assert history.report["totals"]["input_tokens"] == sum(100 + k for k in range(40))


def bucketed(ks, tokens=lambda k: 100 + k):
    return "time,model,requests,input_tokens,output_tokens\n" + "".join(f"{iso(k)},m,3,{tokens(k)},5\n" for k in ks)


def test_overlapping_buckets_without_ids_count_once_even_where_one_is_cut(tmp_path):
    # the first export ends inside hour 6, of which it has only half
    history = read(tmp_path, bucketed(range(7), lambda k: 50 if k == 6 else 100 + k), bucketed(range(2, 10)))
    assert found(history)["overlap"] == 5
    assert history.report["totals"]["input_tokens"] == sum(100 + k for k in range(10))


def test_parts_of_one_whole_are_added(tmp_path):
    history = read(tmp_path, bucketed(range(5)), bucketed(range(5), lambda k: 7 * k + 1))
    assert "overlap" not in found(history)
    assert history.report["totals"]["requests"] == 30


def test_pages_that_come_twice_count_once(tmp_path):
    page = json.dumps(openai())
    one, two = tmp_path / "1.json", tmp_path / "2.json"
    one.write_text(page)
    two.write_text(page)
    history, once = ingest([str(one), str(two)]), ingest([str(one)])
    assert history.report["totals"] == once.report["totals"]
    assert found(history)["duplicate"] == 12


def test_an_export_without_models_repeats_one_with_them(tmp_path):
    whole = openai()
    blind = openai()
    merged = {}
    for bucket in blind["data"]:
        result = bucket["results"][0]
        total = merged.setdefault(bucket["start_time"], {**bucket, "results": [{**result, "model": None}]})
        if total["results"][0]["model"] is None and bucket["results"][0]["model"] == "gpt-b":
            for name in (
                "input_tokens",
                "output_tokens",
                "input_cached_tokens",
                "input_cache_write_tokens",
                "num_model_requests",
            ):
                total["results"][0][name] += result[name]
    blind["data"] = list(merged.values())
    (tmp_path / "1.json").write_text(json.dumps(whole))
    (tmp_path / "2.json").write_text(json.dumps(blind))
    history = ingest([str(tmp_path)])
    assert history.report["totals"] == ingest([str(tmp_path / "1.json")]).report["totals"]
    assert set(history.rows["model"]) == {"gpt-a", "gpt-b"}


def test_a_counter_that_restarts_or_misses_scrapes(tmp_path):
    document = prometheus(VLLM_NAMES, "model_name")
    series = document["data"]["result"][0]["values"]
    series[:] = [
        [epoch(0), "0"],
        [epoch(1), "100"],
        [epoch(2), "30"],
        [epoch(3), "70"],
        [epoch(6), "100"],
        [epoch(7), "110"],
    ]
    path = tmp_path / "p.json"
    path.write_text(
        json.dumps({**document, "data": {"resultType": "matrix", "result": [document["data"]["result"][0]]}})
    )
    history = ingest([str(path)])
    # 100, then a restart: 30 since; 40; then 30 over three hours: 10 each; 10
    assert list(history.rows["input_tokens"]) == [100, 30, 40, 10, 10, 10, 10]
    assert found(history) == {"counter_reset": 1, "counter_gap": 1}


def test_times_with_mixed_offsets_mean_what_they_say(tmp_path):
    rows = [
        ("a", "2026-03-02T01:00:00+01:00", "m", 1, 0, 1),
        ("b", "2026-03-02T00:00:00Z", "m", 1, 0, 1),
        ("c", str(epoch(0)), "m", 1, 0, 1),
        ("d", str(epoch(0) * 1000), "m", 1, 0, 1),
        ("e", "2026-03-02 00:30:00", "m", 1, 0, 1),
    ]
    history = read(tmp_path, log(rows))
    assert len(history.rows) == 1
    assert history.report["totals"]["requests"] == 5


def test_local_time_around_daylight_saving(tmp_path):
    # Berlin, 25 October 2026: 02:00 to 03:00 comes twice; 100 requests an hour, written in local time
    local = pd.date_range("2026-10-24 22:00", "2026-10-25 05:00", freq="h")
    text = "time,model,requests,input_tokens,output_tokens\n" + "".join(
        f"{t:%Y-%m-%d %H:%M:%S},m,{200 if t.hour == 2 else 100},1,1\n" for t in local
    )
    until = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    history = read(tmp_path, text, options=IngestOptions(names=NameMap(time_zone="Europe/Berlin"), until=until))
    assert found(history) == {"repeated_hour": 1}
    assert list(history.rows["requests"]) == [100.0] * 9
    assert history.rows["hour"].iloc[0] == pd.Timestamp("2026-10-24 20:00", tz="UTC")


def test_missing_hours_are_told(tmp_path):
    history = read(tmp_path, bucketed([0, 1, 2, 5, 6]))
    assert found(history) == {"missing_hours": 2}


def test_the_map_renames_and_gives_defaults(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(
        "columns: {time: when, input_tokens: toks}\n"
        "dimensions: {workload: team}\n"
        "names: {workload: {t1: chat}, model: {m-2026-01-01: m}}\n"
        "defaults: {region: eastus2}\n"
        "cached_in_input: false\n"
    )
    text = "when,team,model,requests,toks,cached_tokens,output_tokens\n2026-03-02 00:00:00,t1,m-2026-01-01,1,10,4,1\n"
    history = read(tmp_path, text, options=IngestOptions(names=load_names(path)))
    row = history.rows.iloc[0]
    assert [row["region"], row["workload"], row["model"]] == ["eastus2", "chat", "m"]
    assert [row["input_tokens"], row["cached_tokens"]] == [10, 4]


def test_a_map_with_faults_names_them_all(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("colums: {}\ntime_zone: Berlin\n")
    with pytest.raises(InputError) as error:
        load_names(path)
    assert len(error.value.faults) == 2


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1000), st.integers(0, 500)), min_size=1, max_size=30))
def test_totals_are_the_sum_of_the_rows_however_they_are_split(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("split")
    lines = [(f"r{n}", iso(k / 2), "m", i, 0, o) for n, (k, i, o) in enumerate(rows)]
    half = len(lines) // 2
    texts = [log(part) for part in (lines[: half + 1], lines[half:]) if part]  # the middle row is in both
    history = read(folder, *texts)
    assert history.report["totals"]["requests"] == len(rows)
    assert history.report["totals"]["input_tokens"] == sum(i for _, i, _ in rows)
    assert history.report["totals"]["output_tokens"] == sum(o for _, _, o in rows)


def test_plain_table_is_recognised(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(as_csv(plain()))
    assert ingest([str(path)]).report["format"] == "table"


def test_a_trace_that_counts_its_seconds(tmp_path):
    names = NameMap.model_validate({"time_origin": "2026-03-02T00:00:00Z", "time_unit": "ms"})
    text = "Timestamp,Model,Request tokens,Response tokens\n0,m,10,1\n3600000,m,20,2\n3601500,m,30,3\n"
    history = read(tmp_path, text, options=IngestOptions(names=names))
    assert history.rows["requests"].tolist() == [1, 2]
    assert history.rows["input_tokens"].tolist() == [10, 50]
    assert str(history.rows["hour"].iloc[0]) == "2026-03-02 00:00:00+00:00"


BUCKETS = "time,region,model,requests,input_tokens,output_tokens\n"


def hour_rows(count, first=0):
    return [f"{iso(h)},eu,m,{10 + h},{100 * h + 7},{h}\n" for h in range(first, first + count)]


def test_the_same_buckets_twice_in_one_file_count_once(tmp_path):
    once = read(tmp_path, BUCKETS + "".join(hour_rows(48)))
    twice = read(tmp_path, BUCKETS + "".join(hour_rows(48) + hour_rows(24, 12)))
    assert twice.report["totals"] == once.report["totals"]
    assert found(twice) == {"duplicate": 24}
    assert twice.report["rows_read"] == 72


def test_the_cut_last_hour_of_an_export_in_the_same_file_counts_once(tmp_path):
    """The first export ends within hour 23, of which it has 4 of 33 requests; the second one begins at hour 12."""
    once = read(tmp_path, BUCKETS + "".join(hour_rows(48)))
    cut = [*hour_rows(23), f"{iso(23)},eu,m,4,300,5\n"]
    twice = read(tmp_path, BUCKETS + "".join(cut + hour_rows(36, 12)))
    assert twice.report["totals"] == once.report["totals"]
    assert found(twice) == {"duplicate": 12}
    part = f"{iso(18)},eu,m,4,300,5\n"  # in the middle of what both have it is no export's last hour
    more = read(tmp_path, BUCKETS + "".join([*hour_rows(48), *hour_rows(24, 12)]).replace(hour_rows(1, 18)[0], part, 1))
    assert more.report["totals"]["requests"] == once.report["totals"]["requests"] + 4
    assert found(more) == {"duplicate": 23, "parts": 1}


def test_a_log_without_ids_that_a_file_holds_twice_counts_once(tmp_path):
    """Forty requests an hour, of 48 hours; then once more from 12:20 to 20:00. Alike requests elsewhere stay."""
    log = "timestamp,region,model,input_tokens,output_tokens\n"

    def rows(first, last):
        return [f"2026-03-0{1 + m // 1440}T{m // 60 % 24:02d}:{m % 60:02d}:07Z,eu,m,{100 + m % 7},{m % 11}\n"
                for m in range(first, last) if m % 3]  # fmt: skip

    alike = rows(60, 65) * 2 + rows(60, 63)
    both = read(tmp_path, log + "".join(rows(0, 2880) + rows(740, 1200) + alike))
    assert both.report["totals"]["requests"] == len(rows(0, 2880) + alike)
    assert found(both) == {"duplicate": len(rows(740, 1200)), "alike": len(alike)}
    assert found(read(tmp_path, log + "".join(rows(0, 2880) * 3))) == {"duplicate": 2 * len(rows(0, 2880))}


def test_parts_that_happen_to_be_equal_are_added(tmp_path):
    """Two servers that the export does not name: an hour in which they do the same is no repetition."""
    servers = [f"{iso(h)},eu,m,{10 + h % 3 * k},100,5\n" for h in range(10) for k in (1, 4)]
    history = read(tmp_path, BUCKETS + "".join(servers) + f"{iso(10)},eu,m,3,1,1\n" * 2)
    assert history.report["totals"]["requests"] == sum(20 + h % 3 * 5 for h in range(10)) + 6
    assert found(history) == {"parts": 6}  # hours 1, 2, 4, 5, 7 and 8, in which the servers differ


def test_dates_without_an_hour_are_days_and_give_way_to_hours(tmp_path):
    daily = BUCKETS + "".join(f"2026-03-0{day},eu,m,{1000 * day},5,5\n" for day in range(1, 5))
    hourly = BUCKETS + "".join(f"2026-03-02T{h:02d}:00:00Z,eu,m,10,1,1\n" for h in range(24))
    history = read(tmp_path, daily, hourly)
    spans = history.rows.groupby("bucket_hours")["requests"].sum().to_dict()
    assert spans == {1.0: 240.0, 24.0: 1000.0 + 3000 + 4000}
    assert any("whole days" in note for note in history.report["notes"])


def test_midnights_alone_are_days(tmp_path):
    daily = BUCKETS + "".join(f"2026-03-0{day} 00:00:00,eu,m,100,5,5\n" for day in range(1, 5))
    assert set(read(tmp_path, daily).rows["bucket_hours"]) == {24.0}
    assert set(read(tmp_path, daily + "2026-03-05 01:00:00,eu,m,1,1,1\n").rows["bucket_hours"]) == {1.0}
    said = read(tmp_path, daily, options=IngestOptions(names=NameMap(bucket_hours=1)))
    assert set(said.rows["bucket_hours"]) == {1.0}


@pytest.mark.parametrize("cell", ["12 k", "1,2,3", "a lot"])
def test_text_in_the_place_of_a_number_is_never_taken_as_blank(cell, tmp_path):
    history = read(tmp_path, BUCKETS + "".join(hour_rows(3)) + f'{iso(5)},eu,m,5,"{cell}",1\n')
    assert "input no number" in history.report["findings"][0]["examples"][0]
    assert found(history)["too_large"] == 1
    assert history.report["totals"]["requests"] == 10 + 11 + 12


@pytest.mark.parametrize("blank", ["", "N/A", "NULL", "null", "None", "-", "nan", "(null)"])
def test_a_blank_is_a_blank_however_it_is_spelled(blank, tmp_path):
    history = read(tmp_path, BUCKETS + "".join(hour_rows(3)) + f"{iso(3)},eu,m,5,{blank},1\n")
    assert history.report["totals"]["requests"] == 10 + 11 + 12 + 5
    assert found(history) == {"null_as_zero": 1}


WRITTEN = [
    ("1,440", "2", 1440),  # counts are whole: a comma groups digits
    ("1,440", "1,234.5", 1440),
    ("1.440", "1.234,5", 1440),
    ("1.440.000", "2", 1_440_000),
    ("1 440", "2", 1440),
    ("1'440", "2", 1440),
    ("1.440", "0.25", 1.44),
    ("1e3", "2", 1000),
]


@pytest.mark.parametrize(("cell", "other", "tokens"), WRITTEN)
def test_numbers_are_read_as_the_file_writes_them(cell, other, tokens, tmp_path):
    history = read(tmp_path, BUCKETS + f'{iso(0)},eu,m,5,"{cell}",1\n{iso(1)},eu,m,5,3,"{other}"\n')
    assert history.rows["input_tokens"].tolist() == [tokens, 3]
    assert ("fractional" in found(history)) == (tokens % 1 != 0 or "5" in other)


@pytest.mark.parametrize("cells", [("1.440", "2"), ("1.234,5", "1,234.5")])
def test_numbers_that_nothing_settles_are_refused_with_row_and_column(cells, tmp_path):
    text = BUCKETS + f'{iso(0)},eu,m,5,"{cells[0]}",1\n{iso(1)},eu,m,5,"{cells[1]}",1\n'
    with pytest.raises(InputError, match="row 2, column input_tokens"):
        read(tmp_path, text)
    history = read(tmp_path, text, options=IngestOptions(names=NameMap(decimal=",")))
    assert history.report["totals"]["input_tokens"] >= 1234.5


def test_a_file_of_semicolons_has_decimal_commas(tmp_path):
    history = read(tmp_path, BUCKETS.replace(",", ";") + f"{iso(0)};eu;m;5;7,5;1\n")
    assert history.report["totals"]["input_tokens"] == 7.5
    assert found(history) == {"fractional": 1}


TIMES = [
    ("31.01.2026 08:00", "08:00"),
    ("1/31/2026, 8:05:06.271 AM", "08:00"),
    ("1/31/2026 1:00 PM", "13:00"),
    ("31/01/2026 12:30:00 AM", "00:00"),
    ("Jan 31, 2026 9:00", "09:00"),
    ("31-Jan-2026 09:00", "09:00"),
    ("Sat, 31 Jan 2026 10:00:00 GMT", "10:00"),
    ("2026-01-31 10:00:00 PM", "22:00"),
    ("2026-01-31T10", "10:00"),
    ("20260131 10:00", "10:00"),
    ("46053.375", "09:00"),  # Excel: 46053 is 2026-01-31
    ("2026-01-31 10:00:00 UTC", "10:00"),
]


@pytest.mark.parametrize(("written", "hour"), TIMES)
def test_times_in_whatever_order(written, hour, tmp_path):
    history = read(tmp_path, BUCKETS + f'"{written}",eu,m,5,7,1\n')
    assert f"{history.rows['hour'].iloc[0]:%Y-%m-%d %H:%M}" == f"2026-01-31 {hour}"


def test_days_and_months_that_nothing_tells_apart_are_refused_and_can_be_said(tmp_path):
    text = BUCKETS + "01/02/2026 08:00,eu,m,5,7,1\n03/02/2026 08:00,eu,m,5,7,1\n"
    with pytest.raises(InputError, match="no row shows which number is the day"):
        read(tmp_path, text)
    said = read(tmp_path, text, options=IngestOptions(names=NameMap(time_format="%d/%m/%Y %H:%M")))
    assert [f"{at:%m-%d}" for at in said.rows["hour"]] == ["02-01", "02-03"]
    settled = read(tmp_path, text + "02/25/2026 08:00,eu,m,5,7,1\n")
    assert [f"{at:%m-%d}" for at in settled.rows["hour"]] == ["01-02", "02-25", "03-02"]


def test_equal_loads_in_a_repeated_hour_are_two_hours(tmp_path):
    """Berlin, 25 October 2026: two rows at 02:00 that are alike are two hours; others that come twice are copies."""
    hours = ("00", "01", "02", "02", "03", "04")
    text = "time,model,requests,input_tokens,output_tokens\n"
    text += "".join(f"2026-10-25 {hour}:00:00,m,100,10,1\n" for hour in hours)
    options = IngestOptions(names=NameMap(time_zone="Europe/Berlin"))
    assert list(read(tmp_path, text, options=options).rows["requests"]) == [100.0] * 6
    twice = read(tmp_path, text + "2026-10-25 04:00:00,m,100,10,1\n" * 3, options=options)
    assert found(twice)["duplicate"] == 3
    assert twice.report["totals"]["requests"] == 600


def test_local_times_that_a_clock_skips_are_noted(tmp_path):
    """Berlin, 29 March 2026: 02:00 to 03:00 does not exist."""
    text = "time,model,requests,input_tokens,output_tokens\n"
    text += "".join(f"2026-03-29 0{hour}:00:00,m,100,10,1\n" for hour in range(5))
    history = read(tmp_path, text, options=IngestOptions(names=NameMap(time_zone="Europe/Berlin")))
    assert found(history)["skipped_hour"] == 1


def test_hours_and_days_without_a_count_of_requests_have_none(tmp_path):
    header = "time,model,input_tokens,output_tokens\n"
    for stamp, span in (("2026-03-02T{k:02d}:00:00Z", 1), ("2026-03-{k:02d}", 24)):
        history = read(tmp_path, header + "".join(f"{stamp.format(k=k)},m,{k}00,5\n" for k in range(1, 5)))
        assert set(history.rows["bucket_hours"]) == {span}
        assert history.report["totals"]["requests"] is None
    log = read(tmp_path, header + f"2026-03-02T01:02:03Z,m,7,5\n{iso(1)},m,7,5\n")
    assert log.report["totals"]["requests"] == 2


def test_full_minutes_without_requests_are_asked_for(tmp_path):
    text = "time,model,input_tokens,output_tokens\n" + "".join(
        f"2026-03-02T01:{k:02d}:00Z,m,{k},5\n" for k in range(30)
    )
    with pytest.raises(InputError, match="say bucket_hours in the map"):
        read(tmp_path, text)
    for hours, count in ((0, 30), (1 / 60, None)):
        said = read(tmp_path, text, options=IngestOptions(names=NameMap(bucket_hours=hours)))
        assert said.report["totals"]["requests"] == count


def test_rows_that_show_their_input_without_cached_tokens(tmp_path):
    """10 fresh tokens and 100 cached ones a row: input that includes them would be at least 100."""
    history = read(tmp_path, log([(f"r{k}", iso(k), "m", 10, 100, 1) for k in range(4)]))
    assert [history.report["totals"][name] for name in ("input_tokens", "cached_tokens")] == [40, 400]
    assert found(history) == {"cached_apart": 4}
    said = read(tmp_path, log([(f"r{k}", iso(k), "m", 10, 100, 1) for k in range(4)]),
                options=IngestOptions(names=NameMap(cached_in_input=True)))  # fmt: skip
    assert said.report["totals"]["input_tokens"] == 0


def test_an_absent_column_is_refused_with_the_key_that_would_name_it(tmp_path):
    text = f"timestamp,id,toks_prompt,output_tokens\n{iso(0)},a,5,7\n"
    with pytest.raises(InputError, match=r"no column for input_tokens.*columns: \{input_tokens: ...\}.*toks_prompt"):
        read(tmp_path, text)
    named = read(tmp_path, text, options=IngestOptions(names=NameMap(columns={"input_tokens": "toks_prompt"})))
    assert named.report["totals"]["input_tokens"] == 5
    absent = read(tmp_path, text, options=IngestOptions(names=NameMap(columns={"input_tokens": None})))
    assert absent.report["totals"]["input_tokens"] is None


def test_a_map_adds_columns_and_explains_token_types(tmp_path):
    sums = NameMap(columns={"input_tokens": ["a", "b"]})
    text = "timestamp,requests,a,b,output_tokens\n2026-03-02T01:00:00Z,1,5,6,7\n"
    assert read(tmp_path, text, options=IngestOptions(names=sums)).report["totals"]["input_tokens"] == 11
    long = {"kind": "what", "value": "n", "kinds": {"in": "input_tokens", "out": "output_tokens", "calls": "requests"}}
    text = "timestamp,model,what,n\n" + "".join(
        f"{iso(0)},m,{k},{n}\n" for k, n in (("in", 5), ("out", 6), ("calls", 2))
    )
    totals = read(tmp_path, text, options=IngestOptions(names=NameMap(long=long))).report["totals"]
    assert [totals[name] for name in ("requests", "input_tokens", "output_tokens")] == [2, 5, 6]


def test_a_total_that_is_not_the_sum_is_noted(tmp_path):
    (tmp_path / "a.csv").write_text(
        "Date,Model,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Total Tokens,Cost\n"
        "2026-04-13T10:00:00.000Z,m,120,50,200,30,400,0.01\n2026-04-13T11:00:00.000Z,m,0,10,0,5,16,0.01\n"
    )
    history = ingest([str(tmp_path / "a.csv")])
    assert history.report["totals"] == {
        "requests": 2, "input_tokens": 60, "cached_tokens": 200, "written_tokens": 120, "output_tokens": 35,
    }  # fmt: skip
    assert found(history) == {"total_differs": 1}


def test_counts_by_the_minute_tell_the_peak_minute_without_a_map(tmp_path):
    # an hour of 20 requests a minute, one of them 40: 61 x 20 requests, peak minute 40 / (1220 / 60)
    lines = [f"2026-03-02 08:{m:02d}:00,eu,m,{40 if m == 7 else 20},1,1\n" for m in range(60)]
    history = read(tmp_path, BUCKETS + "".join(lines))
    assert history.rows["requests"].tolist() == [1220.0]
    assert history.rows["burst_factor"].tolist() == pytest.approx([40 / (1220 / 60)])
    assert any("each row counts 1 min" in note for note in history.report["notes"])
    odd = read(tmp_path, BUCKETS + "2026-03-02 08:07:33,eu,m,40,1,1\n2026-03-02 09:41:10,eu,m,20,1,1\n")
    assert odd.rows["burst_factor"].isna().all()  # sent at any second: no buckets of a minute


def test_a_total_s_row_is_no_usage(tmp_path):
    """A report's last row has the sums of 100 and 250 in, 10 and 30 out, and no model; one without sums is usage."""
    head = "timestamp,model,requests,input_tokens,output_tokens\n"
    rows = f"{iso(0)},a,1,100,10\n{iso(0)},b,2,250,30\n"
    for label in ("", "Total"):
        history = read(tmp_path, f"{head}{rows}{iso(0)},{label},3,350,40\n")
        assert (found(history), history.report["totals"]["input_tokens"]) == ({"total_row": 1}, 350)
    history = read(tmp_path, f"{head}{rows}{iso(0)},,3,350,41\n")
    assert (found(history), history.report["totals"]["input_tokens"]) == ({}, 700)


@pytest.mark.parametrize(("first", "same"), [("7", False), ("100", True)])
def test_a_column_that_stands_twice_is_refused_where_it_differs(first, same, tmp_path):
    text = f"input_tokens,timestamp,input_tokens,output_tokens\n{first},{iso(0)},100,10\n"
    if same:
        assert read(tmp_path, text).report["totals"]["input_tokens"] == 100
        return
    with pytest.raises(InputError, match="input_tokens: stands twice in the header"):
        read(tmp_path, text)


def test_a_request_log_of_dates_has_days_and_no_hours(tmp_path):
    """Three requests, of which only the day is known, are a day's, and none of its hours'."""
    head = "request_id,startTime,prompt_tokens,completion_tokens,model_group,model\n"
    (tmp_path / "log.csv").write_text(head + "".join(f"r{n},2026-03-02,100,10,g,m\n" for n in range(3)))
    history = ingest([str(tmp_path / "log.csv")])
    assert history.rows[["bucket_hours", "requests", "input_tokens"]].to_numpy().tolist() == [[24, 3, 300]]
    assert "known by the day only" in " ".join(history.report["notes"])


def test_a_last_line_without_its_end_is_noted(tmp_path):
    """Half a number, 10 of 105, cannot be told from a whole one."""
    text = log([GOOD])
    assert read(tmp_path, text).report["notes"] == read(tmp_path, text[:-1]).report["notes"][:-1]
    assert "may be cut" in read(tmp_path, text[:-1]).report["notes"][-1]


def test_days_in_utc_are_in_utc_whatever_the_map_says(tmp_path):
    rows = "id,date,model,prompt_tokens,completion_tokens,api_requests\n1,2026-03-02,m,100,10,1\n"
    (tmp_path / "daily.csv").write_text(rows)
    history = ingest([str(tmp_path / "daily.csv")], options=IngestOptions(names=NameMap(time_zone="Asia/Kolkata")))
    assert history.report["first_hour"] == "2026-03-02T00:00Z"


@pytest.mark.parametrize("text", ["true", "1_000", "1_0.5"])
def test_what_only_a_program_reads_as_a_number_is_none(text, tmp_path):
    assert found(read(tmp_path, log([GOOD, ("x", iso(0), "m", text, 0, 1)]))) == {"too_large": 1}


def test_a_flag_in_json_is_no_count(tmp_path):
    rows = [{**plain()[0], "input_tokens": value} for value in (7, True)]
    for name, text in (("a.json", json.dumps(rows)), ("a.jsonl", "\n".join(map(json.dumps, rows)) + "\n")):
        (tmp_path / name).write_text(text)
        assert found(ingest([str(tmp_path / name)]))["too_large"] == 1
