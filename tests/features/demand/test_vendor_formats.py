"""Vendors' exports of the same traffic as test_formats.py's: the same history, as far as the export knows it."""

import pytest

from planner.features.demand.ingest import ingest
from tests.builders.exports import TOTALS, TRUTH
from tests.builders.vendor_exports import VENDOR_EXPORTS

DAYS = ("azure_bill", "deepseek")


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
