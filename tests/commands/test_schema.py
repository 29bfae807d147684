"""`planner schema`: every table and column, from the models themselves; docs/input.md has the same."""

import json

import pytest

from planner.cli import main
from planner.schema.case import TABLES
from planner.schema.describe import COMMON, columns_of


@pytest.mark.parametrize("form", [[], ["--markdown"], ["--json"]])
def test_every_column_is_there(form, capsys):
    assert main(["schema", *form]) == 0
    out = capsys.readouterr().out
    for table in TABLES:
        for column in columns_of(table.row).keys() - COMMON:
            assert column in out
    for key in ("horizon.start", "policy.failover.on_demand_trust"):
        assert key in out


def test_one_table(capsys):
    assert main(["schema", "routes"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("routes: pairs of regions between which requests may travel\n")
    assert "  max_gb_per_month  cap on expected data from origin to destination [GB/month]\n" in out
    assert "                      a number of at least 0; blank: none\n" in out
    assert "tokens_per_minute" not in out


def test_for_machines(capsys):
    assert main(["schema", "mix", "--json"]) == 0
    columns = {c["name"]: c for c in json.loads(capsys.readouterr().out)["mix"]["columns"]}
    assert columns["model"]["refers_to"] == ["models", "model"]
    assert columns["max_share"]["limits"] == {"ge": 0.0, "le": 1.0}
    assert columns["max_share"]["blank"] == "1"


def test_a_table_that_does_not_exist(capsys):
    assert main(["schema", "ofers"]) == 1
    assert capsys.readouterr().err == "there is no table 'ofers'; did you mean 'offers'?\n"
