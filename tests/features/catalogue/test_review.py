"""`check`: what is found in a folder of offers, and what is not."""

import datetime as dt
import shutil

import pandas as pd
import pytest

from planner.cli import main
from planner.features.catalogue.offer_findings import review
from planner.readers import load
from tests.builders.catalogues import READ_ON, catalogue


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("review") / "plan"
    words = ["--provider", "azure", "--provider", "google", "--regions", "eastus2"]
    assert main(["offers", "build", str(path), *words, "--models", "gpt-6-sol,gpt-4.1,gemini-3.8-flash"]) == 0
    return path


def found(folder, today=READ_ON):
    return [(f.code, f.where, f.message) for f in review(load(folder), catalogue(), today)]


def test_ages_are_counted_from_the_day(folder):
    # The hourly price is of 2026-08-11: 90 days old on 2026-11-09, 91 on the next day.
    def old(day):
        return [m for code, where, m in found(folder, day) if (code, where) == ("old-price", "pools")]

    assert old(dt.date(2026, 11, 9)) == []
    assert "91 days old" in old(dt.date(2026, 11, 10))[0]


def test_unconfirmed_rows_are_counted_by_table_and_source(folder):
    said = [(where, message) for code, where, message in found(folder) if code == "unconfirmed"]
    assert any(where == "offers" and "2 rows derived and third-party: Azure" in message for where, message in said)
    assert not any(where == "pools" for where, _ in said)  # confirmed by the provider's own price list


def test_a_model_that_ends_inside_a_term(folder):
    said = [message for code, _, message in found(folder) if code == "retires"]
    # gpt-4.1 retires on 2027-04-14: a year bought in March 2027 outlives it, a month bought then (to 1 April) does not.
    (message,) = [m for m in said if m.startswith("gpt-4.1")]
    assert "1-year" in message
    assert "1-month" not in message
    assert not any(m.startswith("gpt-6-sol") for m in said)


def test_reservations_that_hold_no_capacity(folder):
    (message,) = [m for code, _, m in found(folder) if code == "no-capacity"]
    assert "azure-global-eastus2-ptu" in message
    assert "google" not in message


def test_a_promotional_price_that_ends(folder, tmp_path):
    path = tmp_path / "promo"
    words = ["--provider", "azure", "--regions", "eastus2", "--models", "gpt-5.6-sol"]
    assert main(["offers", "build", str(path), *words]) == 0
    assert not [m for code, _, m in found(path) if code == "promotion-ends"]  # build did not plan on it
    table = path / "on_demand.csv"
    table.write_text(
        table.read_text(encoding="utf-8").replace(",standard,5,0.5,", ",standard,4,0.4,"), encoding="utf-8"
    )
    (message,) = [m for code, _, m in found(path) if code == "promotion-ends"]
    assert "2026-11-21" in message


def test_a_row_without_a_date_is_named(folder, tmp_path):
    path = tmp_path / "undated"
    shutil.copytree(folder, path)
    table = path / "offers.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("2026-09-23,third", ",third"), encoding="utf-8")
    assert any(code == "no-date" and where == "offers" for code, where, _ in found(path))


def priced(folder, path, table, column, **change):
    """Copy a folder with other prices: a row (by its first column) and what its price becomes."""
    shutil.copytree(folder, path)
    rows = pd.read_csv(path / f"{table}.csv")
    for name, usd in change.items():
        rows[column] = rows[column].astype(float).where(~rows.iloc[:, 0].str.contains(name), usd)
    rows.to_csv(path / f"{table}.csv", index=False)
    return [(where, message) for code, where, message in found(path) if code == "far-price"]


def test_a_price_far_above_anything_sold(folder, tmp_path):
    """The unit serves 3,000 x 60 tokens an hour: 1e9 / 0.18 = 5,555,555,556 USD a million, of gpt-4.1 (3,000) too."""
    ((where, message),) = priced(folder, tmp_path / "far", "offers", "usd_per_unit_hour", **{"ptu-1-month": 1e9})
    assert where == "offers"
    assert "ptu-1-month: 1,000,000,000 USD per unit-hour is 5,555,555,556 USD for a million tokens" in message
    assert "times the dearest of the catalogue (181.2 USD: azure ptu, o1, hour; Azure Retail Prices" in message


def test_a_price_per_token_is_far_below_a_price_per_million(folder, tmp_path):
    """2 USD a million entered as 0.000002: the cheapest tokens of the catalogue cost 0.005 USD, 2,500 times as much."""
    ((where, message),) = priced(folder, tmp_path / "far", "on_demand", "usd_per_mtok_input", azure=2e-6)
    assert where == "on_demand"
    assert "is 0.000002 USD for a million tokens, 2,500 times less than the cheapest of the catalogue (0.005" in message


def test_prices_as_sold_and_in_another_currency_are_not_far(folder, tmp_path):
    """A dollar is about 16,000 rupiah or 1,400 won: whoever enters these has an order of that many of them."""
    path = tmp_path / "rupiah"
    shutil.copytree(folder, path)
    assert not [code for code, *_ in found(path) if code == "far-price"]
    for table in ("offers", "pools", "on_demand", "routes"):
        rows = pd.read_csv(path / f"{table}.csv")
        money = [c for c in rows if "usd" in c]
        rows[money] = rows[money].astype(float) * 16_000
        rows.to_csv(path / f"{table}.csv", index=False)
    assert not [code for code, *_ in found(path) if code == "far-price"]
