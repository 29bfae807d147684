"""Every export of the same traffic becomes the same history, as far as the export knows it."""

import pytest

from planner.demand.ingest import ingest
from tests.demand.exports import EXPORTS, TOTALS, TRUTH, write


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


def test_the_region_is_taken_from_the_file_name(tmp_path):
    assert set(ingest([str(write(tmp_path, "bedrock"))]).rows["region"]) == {"us-east-1"}


def test_the_peak_minute_is_measured_where_there_are_requests(tmp_path):
    rows = ingest([str(write(tmp_path, "spendlogs"))]).rows
    # hour 0 of gpt-a: 10 requests in 10 different minutes: peak minute 1 against a mean of 10/60
    first = rows[(rows["model"] == "gpt-a")].iloc[0]
    assert first["burst_factor"] == pytest.approx(6.0)


def test_one_scrape_has_no_hours_but_may_stand_for_a_window(tmp_path):
    import datetime as dt

    from planner.demand.ingest import Options
    from planner.errors import InputError

    path = tmp_path / "m.prom"
    path.write_text(
        "# TYPE vllm:prompt_tokens_total counter\n"
        'vllm:prompt_tokens_total{engine="0",model_name="a"} 1200.0\n'
        'vllm:generation_tokens_total{engine="0",model_name="a"} 34.0\n'
    )
    with pytest.raises(InputError, match=r"one scrape.*input_tokens 1,200"):
        ingest([str(path)])
    window = (dt.datetime(2026, 3, 2, tzinfo=dt.UTC), dt.datetime(2026, 3, 3, tzinfo=dt.UTC))
    rows = ingest([str(path)], options=Options(window=window)).rows
    assert rows[["bucket_hours", "input_tokens", "output_tokens"]].to_numpy().tolist() == [[24.0, 1200.0, 34.0]]
