"""The same exports as vendors' own libraries write them: built once with the library's types, then by hand here.

Read in November 2026: openai 3.57, anthropic 2.14, azure-mgmt-monitor 6.0, azure-monitor-querymetrics 1.0, boto3 1.44,
opentelemetry-proto and opentelemetry-sdk 1.45. Of litellm 1.110 and the semantic conventions 0.66 the names were read.
"""

import copy
import datetime as dt
import json
import re

import pytest

from planner.errors import InputError
from planner.features.demand.ingest import ingest
from tests.builders.exports import TOTALS, TRUTH, anthropic, azure, bedrock, iso, openai, otel, spans

AZURE = {**TOTALS, "input_tokens": TOTALS["input_tokens"] + TOTALS["written_tokens"], "written_tokens": None}
TOKENS_ONLY = {**AZURE, "input_tokens": AZURE["input_tokens"] + TOTALS["cached_tokens"], "cached_tokens": None}


def totals(path, text):
    path.write_text(text)
    report = ingest([str(path)]).report
    return report["totals"], report


def spaced(moment):
    """A moment as ``json.dumps(..., default=str)`` leaves a datetime."""
    return str(dt.datetime.fromisoformat(moment))


def snake(node):
    """Keys in snake case, as protobuf's ``preserving_proto_field_name`` and Azure's ``as_dict`` write them."""
    if isinstance(node, list):
        return [snake(item) for item in node]
    if isinstance(node, dict):
        return {re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), k): snake(v) for k, v in node.items()}
    return node


def azure_management():
    """``Response.as_dict()`` of azure-mgmt-monitor 6: snake case, but not where REST writes one word."""
    return {"timespan": "a/b", "interval": "PT1H", "resourceregion": "eastus2", "value": snake(azure()["value"])}


def azure_query(moment=spaced):
    """``vars`` of a MetricsQueryResult of azure-monitor-querymetrics 1.0 (once azure-monitor-query)."""
    metrics = []
    for metric in azure()["value"]:
        series = [
            {
                "metadata_values": {tag["name"]["value"]: tag["value"] for tag in each["metadatavalues"]},
                "data": [
                    {"timestamp": moment(d["timeStamp"]), "total": d["total"], "count": None} for d in each["data"]
                ],
            }
            for each in metric["timeseries"]
        ]
        metrics.append({"id": metric["id"], "type": "", "name": metric["name"]["value"], "timeseries": series})
    return {"timespan": "a/b", "metrics": metrics, "granularity": "1:00:00", "resource_region": "eastus2"}


def boto(moment=spaced, **more):
    """An answer of boto3's get_metric_data (CloudWatch's service model of 2010-08-01), its datetimes as text."""
    results = [{**r, "Timestamps": [moment(t) for t in r["Timestamps"]]} for r in bedrock()["MetricDataResults"]]
    return {"MetricDataResults": results, "ResponseMetadata": {"HTTPStatusCode": 200}, **more}


def halves():
    """Two pages of one answer: of each series the even and the odd moments."""
    pages = []
    for start in (0, 1):
        cut = [
            {**r, "Timestamps": r["Timestamps"][start::2], "Values": r["Values"][start::2], "StatusCode": "PartialData"}
            for r in boto()["MetricDataResults"]
        ]
        pages.append({"MetricDataResults": cut, **({"NextToken": "more"} if start == 0 else {})})
    return pages


def console_spans():
    """Spans as the Python SDK's ConsoleSpanExporter prints them."""
    found = []
    for span in spans()["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        start = dt.datetime.fromtimestamp(int(span["startTimeUnixNano"]) / 1e9, dt.UTC)
        tags = {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}
        found.append(
            {
                "name": "chat",
                "context": {"trace_id": f"0x{span['traceId']}", "span_id": f"0x{span['spanId']}", "trace_state": "[]"},
                "kind": "SpanKind.CLIENT",
                "parent_id": f"0x{span['parentSpanId']}" if "parentSpanId" in span else None,
                "start_time": f"{start:%Y-%m-%dT%H:%M:%S.%fZ}",
                "status": {"status_code": "UNSET"},
                "attributes": {k: int(v) if v.isdigit() else v for k, v in tags.items()},
                "resource": {"attributes": {"service.name": "shop"}, "schema_url": ""},
            }
        )
    return found


def console_metrics():
    """A histogram as ``MetricsData.to_json`` of the Python SDK writes it."""
    document = snake(otel())
    for metric in document["resource_metrics"][0]["scope_metrics"][0]["metrics"]:
        metric["data"] = metric.pop("histogram")
        for point in metric["data"]["data_points"]:
            point["attributes"] = {a["key"]: a["value"]["string_value"] for a in point["attributes"]}
            for name in ("start_time_unix_nano", "time_unix_nano", "count"):
                point[name] = int(point[name])
    return document


def enums_as_text():
    document = snake(otel(cumulative=True))
    metric = document["resource_metrics"][0]["scope_metrics"][0]["metrics"][0]
    metric["histogram"]["aggregation_temporality"] = "AGGREGATION_TEMPORALITY_CUMULATIVE"
    return document


def lines(documents):
    return "".join(json.dumps(document) + "\n" for document in documents)


# name -> text, the totals that it tells
SPELLINGS = {
    "az monitor metrics list, an older one": (json.dumps({**azure(), "interval": "1:00:00"}), AZURE),
    "azure-mgmt-monitor": (json.dumps(azure_management()), AZURE),
    "azure-monitor-querymetrics": (json.dumps(azure_query()), AZURE),
    "azure-monitor-querymetrics in seconds": (json.dumps({**azure_query(), "granularity": 3600.0}), AZURE),
    "azure batch": (json.dumps({"values": [{**azure(), "resourceid": "/a"}]}), AZURE),
    "boto3": (json.dumps(boto()), TOTALS),
    "aws cloudwatch get-metric-data": (json.dumps(boto(lambda t: t.replace("Z", "+00:00")), indent=4), TOTALS),
    "boto3's pages in a list": (json.dumps(halves()), TOTALS),
    "boto3's pages one a line": (lines(halves()), TOTALS),
    "boto3's results alone": (json.dumps(boto()["MetricDataResults"]), TOTALS),
    "openai's buckets one a line": (lines(openai()["data"]), TOTALS),
    "openai's pages one behind the other": (json.dumps(openai(), indent=2) * 2, TOTALS),
    "anthropic's buckets one a line": (lines(anthropic(True)["data"]), TOTALS),
    "otlp spans in snake case": (json.dumps(snake(spans())), TOTALS),
    "otlp histogram in snake case": (json.dumps(enums_as_text()), TOKENS_ONLY),
    "spans on the console": ("\n".join(json.dumps(span, indent=4) for span in console_spans()), TOTALS),
    "spans on the console, one a line": (lines(console_spans()), TOTALS),
    "histogram as the sdk writes it": (json.dumps(console_metrics()), TOKENS_ONLY),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_spelling_says_the_same(name, tmp_path):
    text, expected = SPELLINGS[name]
    assert totals(tmp_path / "a.json", text)[0] == expected


def test_an_answer_that_goes_on_says_so(tmp_path):
    _, report = totals(tmp_path / "a.json", json.dumps(boto(NextToken="more")))
    assert any("more follow" in note for note in report["notes"])
    _, report = totals(tmp_path / "b.json", json.dumps(halves()))
    assert not any("more follow" in note for note in report["notes"])


def statistics(name, values):
    """An answer of ``aws cloudwatch get-metric-statistics``: newest first, and no model anywhere in it."""
    points = [{"Timestamp": iso(k).replace("Z", "+00:00"), "Sum": v, "Unit": "Count"} for k, v in enumerate(values)]
    return json.dumps({"Label": name, "Datapoints": points[::-1]})


def test_statistics_of_several_models_are_added_and_an_export_made_twice_counts_once(tmp_path):
    for model in ("gpt-a", "gpt-b"):
        mine = [r for r in TRUTH if r["m"] == model]
        (tmp_path / f"{model}-in.json").write_text(statistics("InputTokenCount", [float(r["inp"]) for r in mine]))
        (tmp_path / f"{model}-calls.json").write_text(statistics("Invocations", [float(r["req"]) for r in mine]))
    (tmp_path / "again.json").write_text((tmp_path / "gpt-a-in.json").read_text())
    report = ingest([str(tmp_path)]).report
    assert report["totals"]["requests"] == sum(r["req"] for r in TRUTH)
    assert report["totals"]["input_tokens"] == sum(r["inp"] for r in TRUTH)
    assert any("names no model" in note for note in report["notes"])


def test_groups_that_this_version_does_not_know_are_no_repeats(tmp_path):
    page = anthropic(True)
    for bucket in page["data"]:  # claude_tag_category came with anthropic 2.14
        other = copy.deepcopy(bucket["results"][0])
        bucket["results"][0]["claude_tag_category"], other["claude_tag_category"] = "engaged", "scheduled"
        bucket["results"].append(other)
    found, report = totals(tmp_path / "a.json", json.dumps(page))
    assert found == {name: 2 * value for name, value in TOTALS.items()}
    assert report["findings"] == []


def test_one_value_for_the_whole_span_has_no_hours(tmp_path):
    with pytest.raises(InputError, match="no hours: ask for --interval PT1H"):
        totals(tmp_path / "a.json", json.dumps({**azure(), "interval": "FULL"}))
