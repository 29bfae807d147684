"""Every column of the input belongs to one cause."""

from pydantic import BaseModel

from planner.features.resolve.causes import CAUSES, COLUMNS, COMMON, GROUPS, OWNERS, REPORTS_ONLY
from planner.features.resolve.changes import CAUSE_NAMES
from planner.schema.case import TABLES
from planner.schema.settings import PlanSettings


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
