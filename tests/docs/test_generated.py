"""What the documentation says of the programme and of the plan's files is what the code does."""

import dataclasses
import importlib.util
import json
import pathlib
import re

import pyarrow.parquet as pq
import pytest

from planner.features.ledger.chain import Entry
from planner.model.columns import Columns
from planner.model.program import FAMILIES
from planner.plan import files, plan
from planner.plan.files import write_plan
from planner.solver.solve import solve
from tests.builders import case, two_regions

ROOT = pathlib.Path(__file__).parents[2]
TYPES = {"text": "dictionary<values=string, indices=int8, ordered=0>"}


def load_generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_generator()


def sections(page):
    """Tables of a page by heading: rows of cells without their quotes."""
    found = {}
    for part in re.split(r"^#+ ", (ROOT / "docs" / page).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| `")]
        found[part.splitlines()[0]] = [[cell.strip().strip("`") for cell in row] for row in rows]
    return found


@pytest.mark.parametrize("page", generate.PAGES)
def test_page_is_current(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == generate.current(page), "run python docs/generate.py"
    named = {found[2] for found in generate.PART.finditer(text)}
    assert named <= generate.PARTS.keys()


@pytest.mark.parametrize("family", generate.families(), ids=lambda family: family.name)
def test_every_family_states_its_algebra_unit_and_dual(family):
    told = generate.told(family)
    assert re.search("[≤≥=]", told.algebra)
    assert told.unit
    assert family.dual
    assert (ROOT / told.path).is_file()


def test_decisions_are_columns():
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8").split("## What is decided")[1].split("## ")[0]
    rows = [line for line in text.splitlines() if re.match(r"\| [xvuyz]\[", line)]
    assert len(rows) == 5
    names = {name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[-1])}
    assert names <= {field.name for field in dataclasses.fields(Columns)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the files of a plan that failover makes dearer, so that no column is blank throughout.

    Each region asks 10 tokens a minute of its units. If one is lost, the other has 20 to serve: 7.5 on demand (half of
    its quota of 15), 12.5 by units.
    """
    folder = tmp_path_factory.mktemp("plan")
    limited = [{**row, "tokens_per_minute_quota": 15} for row in two_regions()["on_demand"]]
    given = case(two_regions(on_demand=limited), failover={"enabled": True})
    write_plan(solve(given), given, folder)
    return folder


@pytest.mark.parametrize("name", [files.DISPATCH, files.STRESS, files.RENTS, files.CERTIFICATE])
def test_every_column_of_a_parquet_file(written, name):
    told = [
        (column, TYPES.get(kind, kind))
        for column, kind, *_ in sections("plan-files.md")[name]
        if kind in {"text", "int64", "double"}
    ]
    schema = pq.read_schema(written / name)
    assert told == [(field.name, str(field.type)) for field in schema]


def test_every_key_of_plan_json(written):
    told = [key for key, *_ in sections("plan-files.md")["plan.json"]]
    found = list(json.loads((written / "plan.json").read_text(encoding="utf-8")))
    assert [key for key in told if key in found or key not in ("tree_bound_usd", "tree_gap", "reports")] == found


@pytest.mark.parametrize(
    ("name", "columns"), [("purchases", plan.PURCHASE_COLUMNS), ("deployments", plan.DEPLOYMENT_COLUMNS)]
)
def test_columns_of_the_lists_in_plan_json(name, columns):
    assert [column for column, *_ in sections("plan-files.md")[name]] == list(columns)


def test_every_key_of_the_ledger():
    told = [key for key, *_ in sections("plan-files.md")["ledger.jsonl"]]
    assert told == [*Entry.model_fields, "sha256"]


def test_every_kind_of_price():
    text = (
        (ROOT / "docs" / "plan-files.md")
        .read_text(encoding="utf-8")
        .split("## certificate.parquet")[1]
        .split("\n## ")[0]
    )
    told = {
        kind
        for line in text.splitlines()
        if line.startswith("| `")
        for kind in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    kinds = {kind for family in FAMILIES for kind in family.price_kinds if kind}
    rays = {"stress", "stress_unit", "stress_quota", "stress_mix_low", "stress_mix_high"}
    assert told == kinds | rays | set(plan.CERTIFICATE_COLUMNS)
