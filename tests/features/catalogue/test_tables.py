"""The catalogue's tables: a sample typed in from the sources, the whole compared with a first reading."""

import csv
import pathlib

import pytest

from planner.errors import InputError, PlannerError
from planner.features.catalogue import published
from planner.features.catalogue.lookup import endpoint, price_of, products_of, rate_of, unit_of
from planner.features.catalogue.published import read_catalogue
from tests.builders.catalogues import catalogue

RATINGS = pathlib.Path(__file__).parent / "ratings.csv"


def product(provider, name):
    return next(p for p in products_of(catalogue(), provider) if p.product == name)


@pytest.mark.parametrize(
    ("provider", "name", "model", "kind", "meter", "figures"),
    [  # tokens a minute, cached weight, write weight, output weight, minimum, step
        ("azure", "ptu", "gpt-6-sol", "global", "tokens", (3000, 0.1, 1.25, 5, 15, 5)),
        ("azure", "ptu", "gpt-6-astra", "regional", "tokens", (600, 0.1, 1.25, 5, 50, 50)),
        ("azure", "ptu", "gpt-5.6-luna", "datazone", "tokens", (30000, 0, None, 6, 15, 5)),
        ("azure", "ptu", "gpt-5.4-mini", "regional", "tokens", (7900, 0, None, 6, 25, 25)),
        ("azure", "ptu", "o1", "regional", "tokens", (230, 0, None, 4, 25, 50)),
        ("azure", "ptu", "Llama-3.3-70B-Instruct", "global", "tokens", (8450, None, None, 4, 100, 100)),
        ("google", "gsu", "gemini-3.1-flash-lite", "global", "tokens", (241800, 0.1, None, 6, 1, 1)),
        ("google", "gsu-anthropic", "claude-sonnet-5", "regional", "tokens", (21000, 0.1, 1.25, 5, 25, 1)),
        ("google", "gsu-anthropic", "claude-fable-5.1", "global", "tokens", (6300, 0.025, 1.25, 5, 1, 1)),
        ("aws", "reserved", "claude-opus-4.6", "geo", "input", (1000, 0, 1, 0, 100, None)),
        ("aws", "reserved", "claude-opus-4.6", "geo", "output", (1000, 0, 0, 1, 10, None)),
        ("openai", "scale", "gpt-5-mini", "global", "input", (500000, None, None, 0, 1, 1)),
        ("openai", "reserved", "gpt-6-astra", "global", "tokens", (100000, 0.1, 1.25, 5, None, None)),
        ("anthropic", "priority", "claude-sonnet-4.6", "global", "input", (1, 0.1, 1.25, 0, None, None)),
    ],
)
def test_unit_ratings(provider, name, model, kind, meter, figures):
    unit = unit_of(catalogue(), product(provider, name), model, kind, meter)
    assert (
        unit.tokens_per_minute_per_unit, unit.cached_input_weight, unit.cache_write_weight, unit.output_weight,
        unit.min_units, unit.unit_step,
    ) == figures  # fmt: skip


@pytest.mark.parametrize(
    ("where", "name", "model", "meter", "term", "usd", "status"),
    [
        ("azure/global/japaneast", "ptu", "gpt-5", "tokens", "hour", 1.00, "confirmed"),
        ("azure/datazone/swedencentral", "ptu", "gpt-5", "tokens", "hour", 1.10, "confirmed"),
        ("azure/regional/westeurope", "ptu", "gpt-5", "tokens", "hour", 2.40, "confirmed"),
        ("azure/global/japaneast", "ptu", "gpt-5", "tokens", "1 month", 260 / 730, "third-party"),
        ("azure/datazone/eastus2", "ptu", "gpt-5", "tokens", "1 year", 2916 / 8760, "third-party"),
        (
            "azure/datazone/swedencentral",
            "ptu",
            "gpt-5",
            "tokens",
            "1 year",
            None,
            "third-party",
        ),  # not confirmed: blank
        ("google/global/global", "gsu", "gemini-2.5-pro", "tokens", "1 month", 2700 / 730, "third-party"),
        ("google/regional/europe-west4", "gsu", "gemini-2.5-pro", "tokens", "1 month", 2970 / 730, "third-party"),
        ("google/global/global", "gsu-anthropic", "claude-opus-5", "tokens", "1 month", None, "confirmed"),  # blank
        ("aws/global/us-east-1", "reserved", "claude-haiku-4.5", "output", "3 months", 0.27, "third-party"),
        ("aws/geo/eu-west-1", "reserved", "claude-opus-4.5", "input", "1 month", 0.33, "third-party"),
        (
            "aws/regional/eu-central-1",
            "model-units",
            "anthropic.claude-v2:1",
            "tokens",
            "6 months",
            82.98,
            "third-party",
        ),
        ("openai/global/global", "scale", "o4-mini", "output", "30 days", 32.50 / 24, "confirmed"),
    ],
)
def test_prices_of_units(where, name, model, meter, term, usd, status):
    at = endpoint(catalogue(), *where.split("/"))
    price = price_of(catalogue(), product(at.provider, name), at, model, meter, term)
    assert price.status == status
    assert price.usd_per_unit_hour == (None if usd is None else pytest.approx(usd, rel=1e-9))


@pytest.mark.parametrize(
    ("where", "model", "prices"),
    [  # input, cached, write, output
        ("azure/global/eastus2", "gpt-6-astra", (10, 1, 12.5, 50)),
        ("azure/datazone/swedencentral", "gpt-6-sol", (2.4, 0.24, 3, 12)),
        ("azure/datazone/eastus2", "gpt-6-sol", (2.2, 0.22, 2.75, 11)),
        ("azure/regional/northeurope", "gpt-4.1", (2.64, None, None, 10.56)),
        ("aws/geo/eu-west-1", "claude-sonnet-5.5", (2.2, 0.11, 2.75, 11)),
        ("google/global/global", "gemini-3.8-flash", (0.75, 0.075, None, 3.75)),
        ("anthropic/global/global", "claude-opus-5.5", (4, 0.2, 5, 20)),
    ],
)
def test_on_demand(where, model, prices):
    rate = rate_of(catalogue(), endpoint(catalogue(), *where.split("/")), model)
    assert prices == (
        rate.usd_per_mtok_input, rate.usd_per_mtok_cached_input, rate.usd_per_mtok_cache_write, rate.usd_per_mtok_output
    )  # fmt: skip


def test_overflow_stays_in_its_data_zone():
    """A model without a price in the zone has none: the global price never stands in."""
    norway = endpoint(catalogue(), "azure", "datazone", "norwayeast")
    assert rate_of(catalogue(), norway, "gpt-6-sol") is None


def test_every_row_says_where_it_comes_from():
    for rows in vars(catalogue()).values():
        assert rows
        assert all(row.source and row.status and row.as_of for row in rows)


def test_what_litellm_quotes_is_not_confirmed():
    read = catalogue()
    rows = [row for table in vars(read).values() for row in table if "LiteLLM" in row.source]
    assert len(rows) > 500
    assert {row.status for row in rows} == {"third-party", "derived"}


def test_every_rating_is_that_of_another_reading():
    """Every rating of Azure and Google, field by field, as somebody else had read it.

    Azure: the page "provisioned throughput sizing" of 23 September 2026. Google: the page of supported models, from
    readings of 15 August to 22 September 2026.
    """
    rows = list(csv.DictReader(RATINGS.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 118
    for row in rows:
        unit = unit_of(catalogue(), product(row["provider"], row["product"]), row["model"], row["kind"], "tokens")
        for column in ("tokens_per_minute_per_unit", "output_weight", "cached_input_weight", "min_units", "unit_step"):
            read = float(row[column]) if row[column] else None
            assert read == getattr(unit, column), (row["product"], row["model"], column)


def test_faults_come_all_at_once(tmp_path):
    for path in published.catalogue_folder().glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "units.csv").read_text(encoding="utf-8").splitlines()
    text[1] = text[1].replace("3000", "-3000").replace("confirmed", "guessed")
    (tmp_path / "units.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    (tmp_path / "egress.csv").unlink()
    with pytest.raises(InputError) as caught:
        read_catalogue(tmp_path)
    places = {(fault.place.rpartition("/")[2], fault.row, fault.column) for fault in caught.value.faults}
    assert {
        ("units.csv", 2, "tokens_per_minute_per_unit"),
        ("units.csv", 2, "status"),
        ("egress.csv", None, None),
    } <= places


class _Installed:
    """A file of an installed package, as importlib.metadata gives it."""

    def __init__(self, path):
        self.path, self.name, self.parent = path, path.name, path.parent

    def locate(self):
        return self.path


def test_found_where_pip_puts_it(tmp_path, monkeypatch):
    share = tmp_path / "share" / "planner" / "catalogue"
    share.mkdir(parents=True)
    (share / "products.csv").write_text("provider\n", encoding="utf-8")
    monkeypatch.setattr(published, "__file__", str(tmp_path / "lib" / "planner" / "catalogue" / "published.py"))
    monkeypatch.setattr(published, "files", lambda name: [_Installed(share / "products.csv")])
    assert published.catalogue_folder() == share.resolve()
    monkeypatch.setattr(published, "files", lambda name: [])
    with pytest.raises(PlannerError, match="--catalogue"):
        published.catalogue_folder()
