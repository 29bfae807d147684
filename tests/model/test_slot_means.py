"""Slots at their mean demand: by hand, and held against the entries of the literal programme."""

from dataclasses import replace

import numpy as np
import pytest

from planner.model.program import LinearProgram, program_of
from planner.model.reduce.slot_means import SlotMeans, halved, mean_slots, numbered, priced_alike
from planner.model.sets import Ints
from tests import builders
from tests.builders.one_hour import hours, on_demand, one, sets, two

WEEKS = 31 / 7


def two_hours() -> tuple[LinearProgram, LinearProgram, Ints]:
    """2000 requests in one hour, 4000 in the next: one slot of twice the weeks, at 3000."""
    own = sets(one(2000, 4000, on_demand=[on_demand()]), failover={"enabled": False})
    group_of = np.where((own.demand > 0).any(axis=0), 0, 1)
    literal = program_of(own)
    return literal, program_of(mean_slots(own, group_of)), group_of


def test_a_group_asks_for_the_mean_in_all_its_weeks() -> None:
    """(2 + 4) / 2 = 3 krph, in 2 x 31/7 weeks; the 166 empty hours are the other group."""
    literal, means, group_of = two_hours()
    assert means.sets.demand.tolist() == [[3.0, 0.0]]
    assert means.sets.slots["weeks"].tolist() == pytest.approx([2 * WEEKS, 166 * WEEKS])
    assert SlotMeans.of(literal, means, group_of).hold()


def test_a_members_price_is_its_part_of_the_groups() -> None:
    """Of a dual of 10 USD a krph, an hour that is half of the group's weeks has 5."""
    literal, means, group_of = two_hours()
    found = SlotMeans.of(literal, means, group_of)
    duals = np.zeros(means.row_count)
    first = means.first_row("balance")
    duals[first : first + means.family("balance").count] = 10.0
    mine = literal.first_row("balance")
    assert found.duals(duals)[mine : mine + 2].tolist() == [5.0, 5.0]


@pytest.mark.parametrize("what", ["bound", "entry of a flow", "entry of a unit", "cost", "weight of an hour"])
def test_what_is_no_mean_is_seen(what: str) -> None:
    literal, means, group_of = two_hours()
    if what == "cost":
        cost = literal.cost.copy()
        cost[-1] *= 1.5
        literal = replace(literal, cost=cost)
    else:
        name = "reserved" if "unit" in what else "balance"
        rows = literal.family(name)
        if what == "weight of an hour":  # a row over both hours that counts them unlike
            flows = literal.columns.flows
            reserved = literal.sets.arcs["reserved"].to_numpy(bool)[literal.columns.flow_arc]
            extra = replace(rows, family="both", index={}, lower=np.zeros(1), upper=np.ones(1),
                            row=np.zeros(2, np.int64), column=flows[reserved], value=np.array([1.0, 2.0]))  # fmt: skip
            at = means.columns
            held = means.sets.arcs["reserved"].to_numpy(bool)[at.flow_arc]
            mean = replace(extra, row=np.zeros(1, np.int64), column=at.flows[held], value=np.array([3.0]))
            literal = replace(literal, families=(*literal.families, extra))
            means = replace(means, families=(*means.families, mean))
        elif what == "bound":
            changed = replace(rows, lower=rows.lower * np.array([1.0, 1.1]))
            literal = replace(literal, families=tuple(changed if r.family == name else r for r in literal.families))
        else:
            unit = rows.column < literal.columns.flow_first
            at = np.flatnonzero(unit if "unit" in what else ~unit)[0]
            value = rows.value.copy()
            value[at] *= 1.25
            changed = replace(rows, value=value)
            literal = replace(literal, families=tuple(changed if r.family == name else r for r in literal.families))
    assert not SlotMeans.of(literal, means, group_of).hold()


def test_slots_of_other_prices_or_needs_are_kept_apart() -> None:
    """An hour with demand in the east alone, one in the west alone, one in both: three kinds, and the empty hours."""
    own = sets(two(1, 1, demand=[*hours("east", "w", 1, 0, 1), *hours("west", "w", 0, 1, 1)]))
    kind = priced_alike(own)
    assert len(set(kind[:3])) == 3
    assert len(set(kind)) == 4


def test_halving_puts_hours_of_like_demand_together() -> None:
    own = sets(one(*[1.0, 9.0, 2.0, 8.0]))
    busy = np.flatnonzero((own.demand > 0).any(axis=0))
    group_of = halved(own, numbered(np.where(np.isin(np.arange(len(own.slots)), busy), 0, 1)), 1)
    assert group_of[0] == group_of[2] != group_of[1] == group_of[3]


def test_weeks_that_do_not_count_have_equal_parts() -> None:
    own = sets(builders.tables())
    never = replace(own, slots=own.slots.assign(weeks=0.0))
    means = mean_slots(never, np.zeros(len(never.slots), np.int64))
    assert means.demand[:, 0] == pytest.approx(never.demand.mean(axis=1))
