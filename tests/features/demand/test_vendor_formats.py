"""Vendors' exports of the same traffic as test_formats.py's: the same history, as far as the export knows it."""

import pytest

from planner.errors import InputError
from planner.features.demand.ingest import IngestOptions, ingest
from planner.features.demand.names import NameMap
from tests.builders.exports import TOTALS, TRUTH
from tests.builders.vendor_exports import VENDOR_EXPORTS

DAYS = ("azure_bill", "deepseek", "openrouter_days")


@pytest.mark.parametrize("name", VENDOR_EXPORTS)
def test_totals_agree_to_the_token_and_hours_are_where_they_were(name, tmp_path):
    file_name, text, format_name, unknown = VENDOR_EXPORTS[name]
    path = tmp_path / file_name
    path.write_text(text, encoding="utf-8")
    history = ingest([str(path)])
    assert history.report["format"] == format_name
    expected = dict.fromkeys(TOTALS, None) | {k: v for k, v in TOTALS.items() if k not in unknown}
    for lost in ("cached_tokens", "written_tokens"):  # what cannot be told stays inside the input
        if lost in unknown:
            expected["input_tokens"] += TOTALS[lost]
    assert history.report["totals"] == expected
    assert not [f for f in history.report["findings"] if f["rule"] not in ("no_call", "missing_hours", "failed")]
    if name not in DAYS:
        hours = history.rows.groupby("hour")["output_tokens"].sum()
        assert list(hours) == [sum(r["out"] for r in TRUTH if r["k"] == k) for k in range(6)]
    assert set(history.rows["model"]) <= {"gpt-a", "gpt-b", "unknown"}


@pytest.mark.parametrize(
    ("column", "zone", "first"),
    [("", None, "2026-03-22T08:00Z"), ("", "Europe/Berlin", "2026-03-22T07:00Z"),
     ("[UTC]", None, "2026-03-22T08:00Z"), ("[UTC]", "Europe/Berlin", "2026-03-22T08:00Z"),
     ("[Local Time]", "Europe/Berlin", "2026-03-22T07:00Z"), ("[UTC+1]", "Europe/Berlin", "2026-03-22T07:00Z"),
     ("[Local Time]", None, None), ("[UTC+1]", None, None)],
)  # fmt: skip
@pytest.mark.parametrize("written", ["2026-03-22T08:00:00", "3/22/2026, 8:00:00.000 AM"])
@pytest.mark.parametrize("azure", [True, False])
def test_the_zone_in_a_column_s_name(column, zone, first, written, azure, tmp_path):
    """Eight o'clock in Berlin is seven in UTC; a zone that only the map can tell is asked for."""
    if azure:
        counts, values = "ProcessedPromptTokens,GeneratedTokens,AzureOpenAIRequests,ModelDeploymentName", "100,10,1,d"
    else:
        counts, values = "requests,input_tokens,output_tokens", "1,100,10"
    (tmp_path / "a.csv").write_text(f'TimeGenerated {column},{counts}\n"{written}",{values}\n')
    options = IngestOptions(names=NameMap(time_zone=zone or "UTC"))
    if first is None:
        with pytest.raises(InputError, match="say time_zone in the map"):
            ingest([str(tmp_path / "a.csv")], options=options)
        return
    assert ingest([str(tmp_path / "a.csv")], options=options).report["first_hour"] == first


@pytest.mark.parametrize("name", ["deepseek", "console", "openrouter_days"])
def test_what_is_in_utc_stays_so_whatever_the_map_says(name, tmp_path):
    file_name, text, *_ = VENDOR_EXPORTS[name]
    (tmp_path / file_name).write_text(text)
    history = ingest([str(tmp_path / file_name)], options=IngestOptions(names=NameMap(time_zone="Asia/Kolkata")))
    assert history.report["first_hour"] == "2026-03-02T00:00Z"
