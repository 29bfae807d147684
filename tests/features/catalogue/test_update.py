"""`update`: the difference to a price file, and what is written when it is accepted."""

import datetime as dt
import json

import pytest

from planner.cli import main
from planner.errors import InputError
from planner.features.catalogue.price_update import changes, read_prices, read_table
from planner.features.catalogue.published import catalogue_folder, read_catalogue

DAY = dt.date(2027, 1, 5)


def tables():
    return {name: read_table(catalogue_folder() / f"{name}.csv")[1] for name in ("on_demand", "prices")}


def test_a_price_cut_and_the_price_derived_from_it():
    told = {"azure/o4-mini": {"input_cost_per_token": 5.5e-7, "output_cost_per_token": 4.4e-6}}
    made = tables()
    found = changes(made, told, "prices.json", DAY)
    seen = {(c.what, c.column): (c.old, c.new) for c in found}
    assert seen["azure o4-mini global standard", "usd_per_mtok_input"] == ("1.1", "0.55")
    # 10% more in a region: 0.605, because that row is derived from the global one.
    assert seen["azure o4-mini regional us standard", "usd_per_mtok_input"] == ("1.21", "0.605")
    assert not any("gpt-6" in c.what for c in found)
    row = next(r for r in made["on_demand"] if (r["provider"], r["model"]) == ("azure", "o4-mini"))
    assert (row["source"], row["as_of"], row["status"]) == ("prices.json", "2027-01-05", "third-party")


def test_a_confirmed_price_that_litellm_changes_is_quoted_from_then_on():
    row = {**next(r for r in tables()["on_demand"] if r["status"] == "confirmed"), "price_key": "key"}
    changes({"on_demand": [row], "prices": []}, {"key": {"input_cost_per_token": 1e-9}}, "p", DAY)
    assert (row["usd_per_mtok_input"], row["status"]) == ("0.001", "third-party")


def test_a_promotion_that_ended_is_no_longer_one():
    made = tables()
    told = {"azure/gpt-5.6-sol": {"input_cost_per_token": 5e-6, "output_cost_per_token": 3e-5}}
    changes(made, told, "p", DAY)
    (row,) = [
        r for r in made["on_demand"]
        if (r["model"], r["price_key"], r["option"]) == ("gpt-5.6-sol", "azure/gpt-5.6-sol", "standard")
    ]  # fmt: skip
    assert (row["usd_per_mtok_input"], row["promo_until"], row["list_usd_per_mtok_input"]) == ("5", "", "")


def test_azure_price_list_fills_what_was_not_confirmed():
    item = {"meterName": "Provisioned Managed Global Unit", "armRegionName": "eastus2"}
    items = [
        item | {"type": "Consumption", "retailPrice": 0.9},
        item | {"type": "Reservation", "reservationTerm": "1 Month", "retailPrice": 250},
        {"meterName": "Something else", "armRegionName": "eastus2", "retailPrice": 9},
    ]
    made = tables()
    seen = {c.what: (c.old, c.new) for c in changes(made, items, "api.json", DAY)}
    assert seen == {"azure ptu global eastus2 hour": ("1.0", "0.9"), "azure ptu global 1 month": ("260", "250")}
    month = next(r for r in made["prices"] if r["product"] == "ptu" and r["term"] == "1 month")
    assert (month["fee_usd"], month["status"]) == ("250", "confirmed")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": 1}', "not json", "[" * 100_000, '{"Items": [{"x": 1}]}'])
def test_other_files_are_refused_in_words(tmp_path, text):
    path = tmp_path / "prices.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="JSON"):
        read_prices(path)


def test_command_shows_then_writes_a_copy_when_accepted(tmp_path, capsys):
    path, mine = tmp_path / "prices.json", tmp_path / "mine"
    path.write_text(json.dumps({"gpt-6-sol": {"input_cost_per_token": "1e-06"}}), encoding="utf-8")
    words = ["offers", "update", str(path), "--catalogue", str(mine), "--as-of", "2027-01-05"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "-50.0%" in shown
    assert "nothing was written" in shown
    assert not mine.exists()
    assert main([*words, "--accept"]) == 0
    (row,) = [
        r for r in read_catalogue(mine).on_demand
        if (r.provider, r.model, r.option) == ("openai", "gpt-6-sol", "standard")
    ]  # fmt: skip
    assert (row.usd_per_mtok_input, row.as_of) == (1.0, DAY)
    capsys.readouterr()
    assert main(words) == 0
    assert "no price differs" in capsys.readouterr().out


def test_prices_in_another_currency_are_refused(tmp_path, capsys):
    item = {"meterName": "Provisioned Managed Global Unit", "armRegionName": "swedencentral", "retailPrice": 1.4}
    path = tmp_path / "prices.json"
    for told in ({"Items": [item | {"currencyCode": "CAD"}]}, {"BillingCurrency": "EUR", "Items": [item]}):
        path.write_text(json.dumps(told), encoding="utf-8")
        assert main(["offers", "update", str(path), "--catalogue", str(tmp_path / "c")]) == 1
        assert "another currency" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_nothing_differs_says_how_much_was_compared(tmp_path, capsys):
    path = tmp_path / "prices.json"
    path.write_text('{"my-model": {"input_cost_per_token": 1e-06}}', encoding="utf-8")
    count = sum(1 for row in tables()["on_demand"] if row["price_key"])
    assert main(["offers", "update", str(path), "--catalogue", str(tmp_path / "c")]) == 0
    shown = capsys.readouterr().out
    assert f"none of the {count} priced rows is in this file" in shown
    assert "no price differs" not in shown
    rows = [r for r in tables()["on_demand"] if r["price_key"] == "gpt-6-sol" and r["option"] == "standard"]
    price = float(rows[0]["usd_per_mtok_input"]) / 1e6
    path.write_text(json.dumps({"gpt-6-sol": {"input_cost_per_token": price}}), encoding="utf-8")
    assert main(["offers", "update", str(path), "--catalogue", str(tmp_path / "c")]) == 0
    assert f"no price differs; compared {len(rows)} of {count} priced rows" in capsys.readouterr().out


def test_a_first_page_says_that_more_follow(tmp_path, capsys):
    item = {"meterName": "Provisioned Managed Global Unit", "armRegionName": "eastus2", "retailPrice": 1.0}
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"Items": [item], "NextPageLink": "https://next.example"}), encoding="utf-8")
    assert main(["offers", "update", str(path), "--catalogue", str(tmp_path / "c")]) == 0
    assert "more prices follow" in capsys.readouterr().out
