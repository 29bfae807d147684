"""Every column of the input belongs to one cause."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pydantic import BaseModel

from planner.features.resolve.causes import CAUSES, COLUMNS, COMMON, GROUPS, OWNERS, REPORTS_ONLY
from planner.features.resolve.changes import CAUSE_NAMES
from planner.model.index_tables import sets_of
from planner.model.program import LinearProgram, literal_program
from planner.plan.audit.rules import rules_of
from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.schema.base import Row
from planner.schema.case import TABLES, Case
from planner.schema.settings import PlanSettings
from tests.builders.solved import Solved, solved


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= keys(kind, f"{prefix}{name}.")
        else:
            found.add(prefix + name)
    return found


def test_every_column_and_setting_has_a_cause_and_no_others_are_named() -> None:
    assert COLUMNS.keys() == {"plan.yaml", *(table.name for table in TABLES)}
    for table in TABLES:
        assert COLUMNS[table.name].keys() == table.row.model_fields.keys() - COMMON.keys(), table.name
    assert COLUMNS["plan.yaml"].keys() == keys(PlanSettings)
    named = {cause for columns in COLUMNS.values() for cause in columns.values()}
    assert named == {*CAUSES, REPORTS_ONLY}


def test_every_cause_is_in_one_group_and_has_a_name() -> None:
    assert sorted(cause for causes in GROUPS.values() for cause in causes) == sorted(CAUSES)
    assert CAUSE_NAMES.keys() == {*CAUSES, *GROUPS, "plans"}
    assert set(OWNERS.values()) <= set(CAUSES)


def told_otherwise(case: Case, text: Callable[[int], str]) -> Case:
    """The same case with other values in every column that is for reports only."""
    changes = {}
    for table, columns in COLUMNS.items():
        if table in ("plan.yaml", "demand"):
            continue
        names = [name for name, cause in (columns | COMMON).items() if cause == REPORTS_ONLY]

        def other(row: Row, k: int, names: list[str] = names) -> Row:
            numbers = {name for name in names if isinstance(getattr(row, name), float)}
            return row.model_copy(update={name: 7.0 if name in numbers else text(k) for name in names})

        changes[table] = tuple(other(row, k) for k, row in enumerate(case.rows(table)))
    return replace(case, **changes)


def stated(program: LinearProgram) -> list[np.ndarray]:
    return [program.cost, program.columns.upper, *program.bounds(), *program.entries()]


@pytest.mark.parametrize("each", solved(), ids=lambda each: each.family)
@pytest.mark.parametrize("text", [lambda k: "one", lambda k: f"number {k}"], ids=["alike", "apart"])
def test_what_is_for_reports_only_changes_no_rule(each: Solved, text: Callable[[int], str]) -> None:
    """Else its change would be told as no change of the input: a column that a rule reads has a cause."""
    other = told_otherwise(each.case, text)
    for now, then in zip(stated(literal_program(sets_of(other))), stated(literal_program(sets_of(each.case)))):
        assert np.array_equal(now, then)
    rules = [rules_of(case, Names.of(case, Derived.of(case))) for case in (other, each.case)]
    assert [(r.rows, r.lower, r.upper) for r in rules[0]] == [(r.rows, r.lower, r.upper) for r in rules[1]]
