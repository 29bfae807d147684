"""The constructed samples that describe one real day in every format: what they share agrees to the token."""

import json
from pathlib import Path

import pytest

from planner.cli import main
from planner.features.demand.ingest import ingest

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "usage_samples"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not here")

# file -> what it cannot tell
WHOLE_DAY = {
    "openai_usage_completions_1h.json": (),
    "anthropic_analytics_usage_report_1h.json": (),
    "anthropic_usage_report_messages_1h.json": ("requests",),
    "azure_monitor_metrics_PT1H.json": (),
    "bedrock_cloudwatch_get_metric_data_3600s.json": (),
    "litellm_LiteLLM_DailyUserSpend.csv": (),
    "litellm_user_daily_activity.json": (),
    "litellm_prometheus_query_range.json": ("requests",),
    "otel_gen_ai_client_token_usage_otlp.json": ("cached_tokens",),
}


def truth():
    hours = json.loads((SAMPLES / "truth.json").read_text())["hours"]
    names = {"requests": "req", "all_input": "inp", "output_tokens": "out", "cached_tokens": "cached"}
    return {ours: sum(hour[theirs] for hour in hours) for ours, theirs in names.items()}


@pytest.mark.parametrize("name", WHOLE_DAY)
def test_the_whole_day(name):
    report = ingest([str(SAMPLES / name)]).report
    expected = truth()
    assert report["all_input_tokens"] == expected["all_input"]
    for column in ("requests", "output_tokens", "cached_tokens"):
        assert report["totals"][column] == (None if column in WHOLE_DAY[name] else expected[column])


def test_the_request_log_is_an_excerpt():
    report = ingest([str(SAMPLES / "litellm_LiteLLM_SpendLogs.csv")]).report
    assert report["totals"]["requests"] == 96


@pytest.mark.parametrize("name", ["litellm_metrics.prom", "vllm_metrics.prom", "openai_costs_1d.json"])
def test_what_has_no_hours_says_why(name, tmp_path, capsys):
    assert main(["ingest", str(SAMPLES / name), "-o", str(tmp_path / "h")]) == 1
    told = capsys.readouterr().err
    assert "query_range" in told or "money by the day" in told


@pytest.mark.parametrize("name", ["litellm_metrics.prom", "vllm_metrics.prom"])
def test_a_scrape_may_stand_for_the_day(name, tmp_path):
    window = "2024-05-13T00:00Z/2024-05-14T00:00Z"
    assert main(["ingest", str(SAMPLES / name), "-o", str(tmp_path / "h"), "--window", window]) == 0
    report = json.loads((tmp_path / "h" / "history.json").read_text())
    assert report["all_input_tokens"] == truth()["all_input"]


@pytest.mark.parametrize("name", ["focus_1_2_ptu_commitment.csv", "focus_1_3_contract_commitment.csv"])
def test_commitments(name, tmp_path):
    assert main(["ingest", str(SAMPLES / name), "-o", str(tmp_path / "f")]) == 0
    report = json.loads((tmp_path / "f" / "commitments.json").read_text())
    assert [round(item["units"], 6) for item in report["commitments"]] == [50]
