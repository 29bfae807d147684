"""Words: every term has one meaning (docs/glossary.md), and the workbook's headings and the input tables use it."""

import re
from pathlib import Path

from planner.schema.case import TABLES

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
TERMS = re.findall(r"^\| ([a-z][a-z -]+) \|", GLOSSARY, flags=re.MULTILINE)


def test_every_term_stands_once() -> None:
    terms = [term for term in TERMS if term != "term"]
    assert len(terms) > 50
    assert sorted(terms) == sorted(set(terms))


def test_input_tables_are_in_the_glossary() -> None:
    known = " ".join(TERMS)
    other = {"models", "throughput", "regions"}  # plain words
    singular = {table.name: table.name.replace("_", " ").removesuffix("s") for table in TABLES}
    assert [name for name, word in singular.items() if name not in other and word not in known] == []


def test_main_figures_of_the_workbook_are_in_the_glossary() -> None:
    golden = (ROOT / "tests" / "workbook" / "golden" / "plan.csv").read_text("utf-8")
    for figure in ("Coverage", "Utilisation", "Vacancy", "Effective savings rate"):
        assert figure in golden
        assert figure.lower() in TERMS
