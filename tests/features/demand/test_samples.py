"""Exports of the same two hours with every field of their format (samples/README.md) agree to the token."""

import json
from pathlib import Path

import pytest

from planner.cli import main
from planner.features.demand.ingest import ingest

SAMPLES = Path(__file__).parent / "samples"

# file -> what it cannot tell
BOTH_HOURS = {
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


# the table of samples/README.md, summed
TOTALS = {
    "requests": 60 + 150 + 90 + 200,
    "all_input": 120_000 + 300_000 + 180_000 + 400_000,
    "cached_tokens": 42_000 + 105_000 + 63_000 + 140_000,
    "output_tokens": 1_200 + 15_000 + 1_800 + 20_000,
}


@pytest.mark.parametrize("name", BOTH_HOURS)
def test_both_hours(name):
    report = ingest([str(SAMPLES / name)]).report
    assert report["all_input_tokens"] == TOTALS["all_input"]
    for column in ("requests", "output_tokens", "cached_tokens"):
        assert report["totals"][column] == (None if column in BOTH_HOURS[name] else TOTALS[column])


def test_the_request_log_is_an_excerpt():
    report = ingest([str(SAMPLES / "litellm_LiteLLM_SpendLogs.csv")]).report
    assert report["totals"]["requests"] == 8


@pytest.mark.parametrize("name", ["litellm_metrics.prom", "vllm_metrics.prom", "openai_costs_1d.json"])
def test_what_has_no_hours_says_why(name, tmp_path, capsys):
    assert main(["ingest", str(SAMPLES / name), "-o", str(tmp_path / "h")]) == 1
    told = capsys.readouterr().err
    assert "query_range" in told or "money by the day" in told


@pytest.mark.parametrize("name", ["litellm_metrics.prom", "vllm_metrics.prom"])
def test_a_scrape_may_stand_for_a_window(name, tmp_path):
    window = "2024-05-13T00:00Z/2024-05-13T02:00Z"
    assert main(["ingest", str(SAMPLES / name), "-o", str(tmp_path / "h"), "--window", window]) == 0
    report = json.loads((tmp_path / "h" / "history.json").read_text())
    assert report["all_input_tokens"] == TOTALS["all_input"]


@pytest.mark.parametrize("name", ["focus_1_2_ptu_commitment.csv", "focus_1_3_contract_commitment.csv"])
def test_commitments(name, tmp_path):
    assert main(["ingest", str(SAMPLES / name), "-o", str(tmp_path / "f")]) == 0
    report = json.loads((tmp_path / "f" / "commitments.json").read_text())
    assert [round(item["units"], 6) for item in report["commitments"]] == [50]
