"""Where nothing fits: each single change that is enough, against halving with the oracle; pairs where there is none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.errors import StoppedError
from planner.model.index_tables import sets_of
from planner.model.reduce.components import split
from planner.model.sets import Sets
from planner.readers import load
from planner.schema.case import Case
from planner.solver.change_dials import Dial, Some
from planner.solver.change_looks import Look, Start
from planner.solver.elastic import Elastic
from planner.solver.find import Options, find_cost
from planner.solver.highs import Clock
from planner.solver.infeasible import ChangeSearch
from planner.solver.input_change import InputChange, apply_changes
from planner.solver.single_changes import Changes, _Changes, single_changes
from tests import builders
from tests.builders.one_hour import on_demand, workload
from tests.builders.shrunken import shrunken
from tests.oracle.oracle import optimum

ANY = Options(gap=0.9, workers=1)
NO_POOLS: dict[str, Any] = {"pools": [], "throughput": [], "offers": []}
BOTH = ("east", "west")
RANDOM = ((2, 0.0), (6, 0.0), (25, 0.0), (26, 0.6))


def found(case: Case) -> Changes:
    """Every answer is enough as it is printed; 97 % of a single change is not (a grid: one step less is not)."""
    changes = single_changes(case, Clock())
    for some in changes.found:
        assert find_cost(apply_changes(case, some), ANY) is not None, str(some)
        (change, *others) = some
        if others or change.share is None or change.column == "deadline_hours":
            continue
        has, needs = change.has, change.needs
        assert isinstance(has, float)
        assert isinstance(needs, float)
        less = replace(change, needs=has + 0.97 * (needs - has))
        assert find_cost(apply_changes(case, [less]), ANY) is None, str(change)
    return changes


def words(case: Case) -> list[str]:
    """Answers as they are printed."""
    changes = found(case)
    assert changes.complete
    return [" and ".join(map(str, some)) for some in changes.found]


def failing(quota: float, trust: float, **policy: Any) -> builders.Tables:
    """Ten requests an hour in each of two regions, on demand only."""
    return builders.two_regions(on_demand=[on_demand(r, tokens_per_minute_quota=quota) for r in BOTH], **NO_POOLS)


def test_each_single_change_by_hand() -> None:
    """20 tokens a minute are asked while a region is lost; the other may use 0.5 of its 12, which is 6.

    Enough: 6 of 20 asked (0.3 of the demand); quotas of 40, which is 3.34 times 12 (a quota alone: the other region's
    loss is not met); no trust is (1 gives 12); no region that fails.
    """
    case = builders.case(failing(12, 0.5), failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5})
    assert words(case) == [
        "failover_share of w from 1 to 0.3",
        "every tokens_per_minute_quota of on_demand times 3.34",
        "do not plan for the loss of any region (failover.enabled)",
    ]


def test_the_share_of_all_workloads_that_must_survive_is_one_change() -> None:
    """As above, of two workloads with half of it each: whatever one gives, the other's 10 tokens are more than 6."""
    tables = failing(12, 0.5)
    tables["workloads"] = [{**workload(), "workload": name} for name in ("v", "w")]
    tables["mix"] = [{"workload": name, "model": "m"} for name in ("v", "w")]
    tables["demand"] = [row for r in BOTH for name in ("v", "w") for row in builders.profile(r, name, 5.0)]
    case = builders.case(tables, failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5})
    answers = words(case)
    assert "failover.share from 1 to 0.3" in answers
    assert not any("failover_share of" in text for text in answers)


def test_headroom_is_turned_down_no_farther_than_it_must_be() -> None:
    """10 tokens a minute, half of it spare: 20 of a quota of 15; 10 / (1 − h) is 15 at h = 1/3."""
    tables = builders.tables(on_demand=[on_demand(tokens_per_minute_quota=15)], **NO_POOLS)
    answers = words(builders.case(tables, headroom=0.5))
    assert "headroom from 0.5 to 0.333" in answers
    assert "quota of m in west from 15 to 20" in answers


def test_a_workload_is_allowed_where_it_was_not() -> None:
    """West's quota is too small; east has plenty, and a route, but the workload stays in west."""
    options = [on_demand("east"), on_demand("west", tokens_per_minute_quota=4)]
    demand = builders.profile("west", "w", [10.0] * 168)
    kept = [workload(serving_regions="west")]
    given = {**NO_POOLS, "on_demand": options, "demand": demand, "workloads": kept}
    answers = words(builders.case(builders.two_regions(**given), failover={"enabled": False}))
    assert "allow w to be served in east (serving_regions)" in answers
    assert "quota of m in west from 4 to 10" in answers
    free = {**given, "workloads": [workload()], "routes": []}
    answers = words(builders.case(builders.two_regions(**free), failover={"enabled": False}))
    assert "allow west to be served from east (a route)" in answers


def test_pairs_where_no_single_change_is_enough() -> None:
    """East lacks 3 units, west 6 tokens a minute, and nothing leads from one to the other's spare capacity."""
    offers = [{"offer": "east-m-1m", "pool": "east-m", "usd_per_unit_hour": 1.0, "max_units": 7}]
    pools = [{"pool": "east-m", "region": "east"}]
    throughput = [{"pool": "east-m", "model": "m", "tokens_per_minute_per_unit": 1}]
    tables = builders.two_regions(
        offers=offers, pools=pools, throughput=throughput, routes=[],
        on_demand=[on_demand("west", tokens_per_minute_quota=4)],
    )  # fmt: skip
    case = builders.case(tables, failover={"enabled": False})
    answers = [some for some in found(case).found if len(some) == 2]
    assert answers
    assert not [some for some in found(case).found if len(some) == 1]
    printed = [" and ".join(map(str, some)) for some in answers]
    assert any("quota of m in west from 4 to 10" in text and "max_units" in text for text in printed)


def test_a_pair_with_headroom() -> None:
    """East has 7 units for 5 / (1 - h): h is 2/7 at most, and a half of 0.5 is the first way there; west lacks 6."""
    tables = builders.two_regions(
        offers=[{"offer": "east-m-1m", "pool": "east-m", "usd_per_unit_hour": 1.0, "max_units": 7}],
        pools=[{"pool": "east-m", "region": "east"}],
        throughput=[{"pool": "east-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        demand=[*builders.profile("east", "a", 5.0), *builders.profile("west", "w", 10.0)],
        workloads=[{**workload(headroom=0.5), "workload": "a"}, workload(headroom=0)],
        mix=[{"workload": name, "model": "m"} for name in ("a", "w")],
        routes=[], on_demand=[on_demand("west", tokens_per_minute_quota=4)],
    )  # fmt: skip
    answers = words(builders.case(tables, failover={"enabled": False}))
    assert "headroom of a from 0.5 to 0.25 and quota of m in west from 4 to 10" in answers


def test_whole_units_take_more_than_units_of_any_size() -> None:
    """10 are asked, 5 units and a quota of 2 are there: 8 units or a quota of 5, but units are sold by fives."""
    answers = words(sold_by_fives())
    assert answers[:2] == ["max_units of west-m-1m from 7 to 10", "quota of m in west from 2 to 5"]


def test_a_budget_for_whole_units_of_several_offers() -> None:
    """Each region asks for 9.5 and signs 10: 20 units of 744 USD, where units of any size are 19 and one offer's 10."""
    demand = [row for r in BOTH for row in builders.profile(r, "w", 9.5)]
    offers = [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "unit_step": 1} for r in BOTH]
    tables = builders.two_regions(on_demand=[], routes=[], demand=demand, offers=offers)
    free = {"failover": {"enabled": False}, "whole_units": True}
    case = builders.case(tables, max_commitment_usd=3_720, **free)
    (needs,) = (c.needs for (c, *more) in found(case).found if c.rule == "budget" and not more)
    assert isinstance(needs, float)
    assert 20 * 744 <= needs <= 20 * 744 + 0.01 * (20 * 744 - 3_720)


def test_a_quota_that_is_hardly_trusted_with_whole_units() -> None:
    """East serves 20 while west is lost: 5 units (7 of any size) and a tenth of its quota, which takes 150 (130)."""
    offers = [{"offer": "east-m-1m", "pool": "east-m", "usd_per_unit_hour": 1.0, "unit_step": 5, "max_units": 7}]
    given = {"pools": [{"pool": "east-m", "region": "east"}], "offers": offers,
             "throughput": [{"pool": "east-m", "model": "m", "tokens_per_minute_per_unit": 1}],
             "on_demand": [on_demand("east", tokens_per_minute_quota=20), on_demand("west")]}  # fmt: skip
    lost = {"enabled": True, "on_demand_trust": 0.1}
    case = builders.case(builders.two_regions(**given), failover=lost, whole_units=True)
    (needs,) = (c.needs for (c, *more) in found(case).found if c.rule == "quota" and not more)
    assert isinstance(needs, float)
    assert 150 <= needs <= 150 + 0.01 * 130


def test_a_case_with_a_plan_needs_no_change() -> None:
    assert found(builders.case(builders.tables())).found == []


def test_no_time_left_is_said() -> None:
    case = builders.case(failing(12, 0.5), failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5})
    changes = single_changes(case, Clock())
    assert changes.complete
    hurried = single_changes(case, _Hurried())
    assert not hurried.complete
    assert len(hurried.found) < len(changes.found)


def sold_by_fives() -> Case:
    """Ten are asked; units are sold by fives, seven at most, and a quota of two is on demand."""
    offers = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 5, "unit_step": 5,
               "max_units": 7}]  # fmt: skip
    return builders.case(
        builders.tables(offers=offers, on_demand=[on_demand(tokens_per_minute_quota=2)]), whole_units=True
    )


def test_what_ran_out_of_its_share_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is enough for units of any size, no time is found for the first two at first; then anything will do."""
    asked, real = 0, ChangeSearch.part_has_plan

    def slow(part: Sets, clock: Clock, *, sized: bool = True) -> bool:
        nonlocal asked
        asked += sized
        if sized and asked <= 2:
            raise StoppedError("the share of the time ran out")
        return sized or real(part, clock, sized=False)

    monkeypatch.setattr(ChangeSearch, "part_has_plan", staticmethod(slow))
    changes = single_changes(sold_by_fives(), Clock())
    assert changes.complete
    assert asked == len(changes.found) + 2
    assert "quota of m in west from 2 to 3" in [str(change) for (change,) in changes.found]


def test_units_of_any_size_are_told_apart_where_whole_ones_are_not_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 tokens a minute on demand are enough with 7 units, of which only 5 can be bought: 5 are, in whole units."""
    main, late = Clock(), Clock()
    real = ChangeSearch.part_has_plan

    def over(part: Sets, clock: Clock, *, sized: bool = True) -> bool:
        if sized:
            main.deadline = late.deadline = clock.deadline = 0.0
            raise StoppedError("the time ran out")
        return real(part, clock, sized=sized)

    monkeypatch.setattr(ChangeSearch, "part_has_plan", staticmethod(over))
    changes = single_changes(sold_by_fives(), main, late=late)
    assert changes.found == []
    assert "quota of m in west from 2 to 3" in [str(change) for (change,) in changes.any_size]
    assert "quota of m in west" in changes.undecided
    assert "quota of m in west" not in changes.impossible


def test_a_change_that_is_enough_is_kept_where_the_least_was_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has a plan at first; the third that is asked has, and then the time is over."""
    main, asked = Clock(), 0

    def over(search: _Changes, some: Some) -> bool:
        nonlocal asked
        asked += 1
        if asked > 3:
            main.deadline = search.now.deadline = 0.0
            raise StoppedError("the time ran out")
        return asked == 3

    case = builders.case(failing(12, 0.5), failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5})
    search = _Changes(case, main, lambda done, total: None)
    dial = Dial(
        "d", lambda k: (InputChange("every", "on_demand", (), "tokens_per_minute_quota", "", 1.0, 1 + k),), 9999
    )
    monkeypatch.setattr(_Changes, "_has_plan", over)
    search._all([Look("d", lambda: Start(dial, 600))])
    assert search.changes.found == [dial.at(609)]
    assert search.changes.undecided == [f"less than {dial.at(609)[0]}"]


def test_a_programme_keeps_to_its_last_clock() -> None:
    """Its stress cases too: a clock of before that ran out stops nothing."""
    case = builders.case(failing(12, 0.5), failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5})
    clock = Clock()
    (elastic,) = (Elastic(part, clock) for part in split(sets_of(case)))
    clock.deadline = 0.0
    elastic.keep_to(Clock())
    assert elastic.least_of(elastic.rules == "quota")


class _Hurried(Clock):
    """A clock that runs out after some looks."""

    looks = 8

    def left(self) -> float:
        self.looks -= 1
        if self.looks < 0:
            self.deadline = 0.0
        return super().left()


@pytest.mark.parametrize(("seed", "factor"), RANDOM)
def test_random_cases_are_enough_and_no_more(seed: int, factor: float, tmp_path: Path) -> None:
    found(shrunken(tmp_path / "in", seed, factor))


@pytest.mark.parametrize(
    ("setting", "has", "end"),
    [("failover.on_demand_trust", 0.2, 1.0), ("headroom", 0.6, 0.0)],
)
def test_against_halving_with_the_oracle(setting: str, has: float, end: float, tmp_path: Path) -> None:
    """The oracle, another programme, says of a folder whether there is a plan; halving finds where plans begin."""
    quota, sold = {"failover.on_demand_trust": (25, 5), "headroom": (15, 2)}[setting]
    offers = [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "max_units": sold} for r in BOTH]
    tables = builders.two_regions(
        offers=offers, on_demand=[on_demand(r, tokens_per_minute_quota=quota) for r in BOTH],
        demand=[{"region": r, "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0} for r in BOTH],
    )  # fmt: skip

    def folder(value: float) -> Path:
        values = {"failover.on_demand_trust": 0.5 if setting != "headroom" else 1.0, "headroom": 0.0, setting: value}
        failover = {
            "enabled": setting != "headroom",
            "share": 1.0,
            "on_demand_trust": values["failover.on_demand_trust"],
        }
        policy = {"headroom": values["headroom"], "reserved_headroom": 0.0, "whole_units": False, "failover": failover}
        return builders.write_folder(tables, tmp_path / f"{value:.9f}", **policy)

    assert optimum(folder(has))["status"] == "infeasible"
    assert optimum(folder(end))["status"] == "optimal"
    low, high = has, end
    while abs(high - low) > 2e-3 * abs(end - has):
        middle = (low + high) / 2
        low, high = (low, middle) if optimum(folder(middle))["status"] == "optimal" else (middle, high)
    case = load(folder(has))
    (change,) = (c for some in found(case).found for c in some[:1] if len(some) == 1 and c.column.endswith(setting))
    needs = change.needs
    assert isinstance(needs, float)
    tolerance = 0.005 * abs(high - has) + 1.1e-3 * (setting == "headroom") + 2e-3 * abs(end - has)
    assert abs(needs - high) <= tolerance
    assert optimum(folder(needs))["status"] == "optimal"
