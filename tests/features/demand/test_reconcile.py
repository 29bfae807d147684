"""A history beside its bill: by hand, at prices that the test's own catalogue has."""

import json

import pytest

from planner.cli import main
from planner.features.catalogue.published import catalogue_folder, read_catalogue
from planner.features.demand.reconcile import plain_model
from planner.readers.forecast_accuracy import read_accuracy

USAGE = (
    "timestamp,model,requests,input_tokens,cached_tokens,output_tokens\n"
    "2026-03-02T00:00:00Z,gpt-6-sol,100,1000000,400000,200000\n"
    "2026-04-01T00:00:00Z,gpt-6-sol,100,1000000,0,200000\n"
)


@pytest.fixture(scope="module")
def prices():
    (rate,) = [
        r for r in read_catalogue(catalogue_folder()).on_demand
        if (r.provider, r.model, r.option) == ("openai", "gpt-6-sol", "standard")
    ]  # fmt: skip
    return rate.usd_per_mtok_input, rate.usd_per_mtok_cached_input, rate.usd_per_mtok_output


def against(tmp_path, bill, usage=USAGE):
    (tmp_path / "usage.csv").write_text(usage)
    if "\n" in bill:
        (tmp_path / "bill.csv").write_text(bill)
        bill = str(tmp_path / "bill.csv")
    code = main(["ingest", str(tmp_path / "usage.csv"), "-o", str(tmp_path / "h"), "--against", bill])
    return code, json.loads((tmp_path / "h" / "history.json").read_text()) if code == 0 else None


def test_by_model_and_month(tmp_path, prices, capsys):
    """March: 0.6 M fresh, 0.4 M cached, 0.2 M output; April: 1 M fresh, 0.2 M output."""
    fresh, cached, output = prices
    march, april = 0.6 * fresh + 0.4 * cached + 0.2 * output, fresh + 0.2 * output
    bill = f"month,model,cost\n2026-03,gpt-6-sol-2026-01-01,{march}\n2026-04,GPT-6-SOL,{april * 2}\n"
    _, report = against(tmp_path, bill)
    told = report["reconciliation"]
    assert [line["usd_history"] for line in told["lines"]] == pytest.approx([march, april])
    assert [line["usd_bill"] for line in told["lines"]] == pytest.approx([march, 2 * april])
    assert not told["reconciles"]
    assert told["difference_share"] == pytest.approx((march + april) / (march + 2 * april) - 1)
    assert "does not reconcile to its bill within 1 %" in capsys.readouterr().out


def test_a_total_within_one_percent_reconciles(tmp_path, prices):
    fresh, cached, output = prices
    total = 1.6 * fresh + 0.4 * cached + 0.4 * output
    assert against(tmp_path, f"{total * 1.009:.6f}")[1]["reconciliation"]["reconciles"]
    assert not against(tmp_path, f"{total * 1.02:.6f}")[1]["reconciliation"]["reconciles"]


@pytest.mark.parametrize(
    ("bill", "words"),
    [
        ("month,model,cost,currency\n2026-03,m,5,EUR\n", "another currency"),
        ("month,model\n2026-03,m\n", "no column of costs"),
        ("month,model,cost\n2026-03,m,12 k\n", "is not a number"),
        ("month,model,cost\nsoon,m,12\n", "no month and no date"),
        ("nothing.csv", "neither a file nor a total"),
        ("€ 12.50", "another currency"),
    ],
)
def test_bills_that_say_nothing_are_refused(bill, words, tmp_path, capsys):
    assert against(tmp_path, bill)[0] == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "h").exists()


def test_models_without_a_price_are_a_reason(tmp_path):
    _, report = against(tmp_path, "10", USAGE.replace("gpt-6-sol", "my-own"))
    assert any("no price of my-own" in reason for reason in report["reconciliation"]["reasons"])


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("us.anthropic.claude-x-4-6-20260101-v1:0", "claude-x-4-6"),
        ("openai/gpt-6-sol-2026-01-01", "gpt-6-sol"),
        ("gpt-6-sol", "gpt-6-sol"),
    ],
)
def test_names_of_one_model(name, plain):
    assert plain_model(name) == plain


def test_the_folder_keeps_it_for_the_workbook(tmp_path):
    folder = tmp_path / "forecast"
    folder.mkdir()
    (folder / "accuracy.csv").write_text("region,workload,model\nall,all,mean\n")
    (folder / "reconciliation.csv").write_text("usd_history,usd_bill\n98.00,100.00\n")
    bill = read_accuracy(tmp_path).bill
    assert bill.difference_share == pytest.approx(-0.02)
    assert not bill.reconciles
