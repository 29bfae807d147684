"""Levers of the page: what can be moved, and the change that it makes."""

import pytest

from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.case_factors import Factor
from planner.features.what_if.explore.levers import (
    Kind,
    Lever,
    caps,
    change_of,
    far_ups,
    levers_of,
    moved_to,
    near_of,
    warm_ups,
    words_of,
)
from planner.schema.case import Case
from tests import builders


@pytest.fixture
def case() -> Case:
    return builders.case(builders.two_regions(), failover={"enabled": True, "on_demand_trust": 0.5})


@pytest.fixture
def levers(case: Case) -> tuple[Lever, ...]:
    return levers_of(case)


def test_every_lever_makes_a_change_that_the_case_takes(case: Case, levers: tuple[Lever, ...]) -> None:
    assert len({lever.key for lever in levers}) == len(levers)
    for lever in levers:
        if lever.kind is Kind.SLIDER:
            value = lever.low if lever.start != lever.low else lever.low + lever.step
            moved = moved_to(levers, {}, lever.key, value)
        elif lever.kind is Kind.SWITCH:
            moved = moved_to(levers, {}, lever.key, not lever.start)
        else:
            moved = moved_to(levers, {}, lever.key, 1000.0)
        change = change_of(levers, moved, "one")
        assert change != CaseChange("one"), lever.key
        assert changed(case, change).digest != case.digest, lever.key
        assert words_of(levers, moved), lever.key
        assert near_of(levers, moved).keys() == moved.keys()


def test_what_is_back_in_its_place_is_not_moved(levers: tuple[Lever, ...]) -> None:
    moved = moved_to(levers, {}, "scale demand", 40.0)
    assert change_of(levers, moved).scale == (Factor("demand", 1.4),)
    assert words_of(levers, moved) == ["growth of all demand +40 %"]
    assert moved_to(levers, moved, "scale demand", 0.0) == {}
    moved = moved_to(levers, {}, "set failover.on_demand_trust", 65.0)
    assert change_of(levers, moved).set == (("failover.on_demand_trust", "0.65"),)
    assert moved_to(levers, moved, "set failover.on_demand_trust", 50.0) == {}


def test_switches_off_are_what_cannot_be_bought(levers: tuple[Lever, ...]) -> None:
    moved = moved_to(levers, {}, "refuse east", False)
    assert change_of(levers, moved).refuse == ("east",)
    assert words_of(levers, moved) == ["without new units in east"]


def test_values_that_a_lever_cannot_have(levers: tuple[Lever, ...]) -> None:
    with pytest.raises(KeyError):
        moved_to(levers, {}, "set everything", 1.0)
    with pytest.raises(ValueError, match="neither on nor off"):
        moved_to(levers, {}, "refuse east", 3.0)
    with pytest.raises(ValueError, match="at least 0"):
        moved_to(levers, {}, "set max_commitment_usd", -1.0)
    with pytest.raises(ValueError, match="no number"):
        moved_to(levers, {}, "scale demand", float("nan"))
    assert moved_to(levers, {}, "scale demand", 9999.0) == {"scale demand": 200.0}  # a slider ends somewhere


def test_a_blank_amount_is_no_cap(levers: tuple[Lever, ...]) -> None:
    moved = moved_to(levers, {}, "set max_commitment_usd", 5000.0)
    assert change_of(levers, moved).set == (("max_commitment_usd", "5000"),)
    assert moved_to(levers, moved, "set max_commitment_usd", None) == {}


def test_what_is_likely_to_be_asked_can_be_asked(case: Case, levers: tuple[Lever, ...]) -> None:
    for moved in [*warm_ups(levers), *caps(levers, 1000.0), *far_ups(levers)]:
        changed(case, change_of(levers, moved, "likely"))
    assert {"set egress.max_cross_region_share": 10.0} in warm_ups(levers)  # it has no limit: some are tried
    assert caps(levers, 1000.0)[0] == {"set max_commitment_usd": 900.0}
    assert caps(levers, 0.0) == []


def test_a_lever_that_stands_near_its_end_is_tried_halfway_there() -> None:
    """A share of 20 % has no 30 points below it; what binds lies there all the same."""
    tables = builders.two_regions()
    ahead = warm_ups(levers_of(builders.case(tables, egress={"max_cross_region_share": 0.2})))
    key = "set egress.max_cross_region_share"
    assert [moved[key] for moved in ahead if key in moved] == [50.0, 10.0]
    at_end = warm_ups(levers_of(builders.case(tables, egress={"max_cross_region_share": 0.0})))
    assert [moved[key] for moved in at_end if key in moved] == [30.0]


def test_answers_are_near_wherever_a_slider_goes(levers: tuple[Lever, ...]) -> None:
    """Growth from -50 % to 200 %: a step to either side, halfway to both ends, these, a quarter, three quarters."""
    key = "scale demand"
    assert [moved[key] for moved in warm_ups(levers) if key in moved] == [20.0, -20.0]
    assert [moved[key] for moved in far_ups(levers) if key in moved] == [
        100.0, -25.0, 200.0, -50.0, 50.0, -12.5, 150.0, -37.5
    ]  # fmt: skip
    sliders = {lever.key for lever in levers if lever.kind is Kind.SLIDER}
    assert {key for moved in far_ups(levers) for key in moved} == sliders
    assert {key for moved in warm_ups(levers) for key in moved} >= sliders - {"set whole_units"}


def test_names_may_hold_any_character() -> None:
    name = "a=b, [c] €"
    case = builders.case(
        builders.two_regions(
            workloads=[{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("w", name)],
            mix=[{"workload": w, "model": "m"} for w in ("w", name)],
            demand=[*builders.profile("east", "w", 5.0), *builders.profile("west", name, 5.0)],
        )
    )
    levers = levers_of(case)
    change = change_of(levers, moved_to(levers, {}, f"scale demand[workload={name}]", 100.0), "twice")
    assert change.scale == (Factor("demand", 2.0, (("workload", name),)),)
    assert changed(case, change).demand["requests_per_hour"].sum() == pytest.approx(168 * (5 + 10))
