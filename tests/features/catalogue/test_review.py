"""`check`: what is found in a folder of offers, and what is not."""

import datetime as dt
import shutil

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
