"""OpenTelemetry's spans: each call once, whatever wraps it, fails, or comes twice."""

import json

from planner.cli import main
from planner.features.demand.ingest import ingest
from tests.builders.exports import TOTALS, epoch, otel, spans


def span(name, parent="", code=0, **usage):
    return {
        "traceId": "t",
        "spanId": name,
        "parentSpanId": parent,
        "startTimeUnixNano": epoch(1) * 10**9,
        "status": {"code": code},
        "attributes": [{"key": f"gen_ai.usage.{k}", "value": {"intValue": v}} for k, v in usage.items()],
    }


def export(path, *found):
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(found)}]}]}))
    return str(path)


def told(history):
    return {f["rule"]: f["count"] for f in history.report["findings"]}


def test_a_span_that_repeats_the_usage_of_those_inside_is_kept_out(tmp_path):
    path = export(
        tmp_path / "a.json",
        span("agent", input_tokens=30, output_tokens=3),
        span("step", "agent"),
        span("call-1", "step", input_tokens=10, output_tokens=1),
        span("call-2", "step", input_tokens=20, output_tokens=2),
    )
    history = ingest([path])
    totals = history.report["totals"]
    assert [totals[name] for name in ("requests", "input_tokens", "output_tokens")] == [2, 30, 3]
    assert told(history) == {"wrapping_span": 1}


def test_failed_calls_are_kept_out_and_resent_ones_counted_once(tmp_path):
    good, failed = span("a", input_tokens=10, output_tokens=1), span("b", code=2, input_tokens=7)
    sources = [export(tmp_path / "a.json", good, failed), export(tmp_path / "b.json", good)]
    history = ingest(sources)
    assert history.report["totals"]["requests"] == 1
    assert history.report["totals"]["input_tokens"] == 10
    assert told(history) == {"failed": 1, "duplicate": 1}


def test_spans_and_histogram_of_one_export_are_not_added(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(spans()) + "\n" + json.dumps(otel()) + "\n")
    report = ingest([str(tmp_path / "a.jsonl")]).report
    assert report["totals"] == TOTALS
    assert any("count the calls of the spans or events again" in note for note in report["notes"])
    assert not any("cached" in text for text in report["missing"])


def test_an_export_without_usage_says_what_is_wanted(tmp_path, capsys):
    assert main(["ingest", export(tmp_path / "a.json", span("a")), "-o", str(tmp_path / "h")]) == 1
    assert "spans with gen_ai.usage.input_tokens, or the metric" in capsys.readouterr().err


def test_a_span_that_is_its_own_ancestor_ends(tmp_path):
    loop = [span("a", "b", input_tokens=1, output_tokens=1), span("b", "a", input_tokens=1, output_tokens=1)]
    assert main(["ingest", export(tmp_path / "a.json", *loop), "-o", str(tmp_path / "h")]) == 1  # nothing is left
