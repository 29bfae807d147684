"""Tables are what they are declared to be: columns, types, and a refusal of what is not."""

from dataclasses import replace

import pandas as pd
import pytest

from planner.plan.derived import EARLIER, LOADS, OPTIONS, SLOTS, TRAVEL, Derived
from planner.plan.frames import DISPATCH, NUMBER, PURCHASES, TEXT
from planner.plan.plan import TABLES
from tests.builders.hand_plans import hand_case, hand_plan


@pytest.mark.parametrize("frame", [*TABLES, LOADS, OPTIONS, TRAVEL, EARLIER, SLOTS], ids=lambda frame: frame.name)
def test_every_number_has_a_unit_and_every_column_a_meaning(frame) -> None:
    assert len(set(frame.columns)) == len(frame.columns)
    for column in frame.declared:
        assert column.meaning
        assert column.kind != TEXT or not column.unit
        assert column.kind != NUMBER or column.unit, column.name
    assert tuple(frame.empty()) == frame.columns
    frame.check(frame.empty())


def test_a_plan_refuses_a_table_that_lacks_a_column_or_holds_text_for_numbers() -> None:
    plan = hand_plan(hand_case())
    with pytest.raises(ValueError, match="the table purchases lacks offer, usd"):
        replace(plan, purchases=plan.purchases.drop(columns=["offer", "usd"]))
    with pytest.raises(ValueError, match="the table dispatch holds no numbers in requests_per_hour"):
        replace(plan, dispatch=plan.dispatch.assign(requests_per_hour="8"))
    with pytest.raises(ValueError, match="lacks"):
        PURCHASES.check(pd.DataFrame())
    assert DISPATCH.of([]).dtypes["hour_of_week"] == "int64"


def test_derived_tables_are_as_declared() -> None:
    derived = Derived.of(hand_case())
    for frame in (LOADS, OPTIONS, TRAVEL, EARLIER, SLOTS):
        table = getattr(derived, frame.name)
        frame.check(table)
        assert tuple(table) == frame.columns
