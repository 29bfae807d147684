"""Warm cases: every optimum is that of a fresh solve, wherever it started from."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.errors import StoppedError
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.case_factors import Factor
from planner.features.what_if.explore.levers import Kind, change_of, levers_of, moved_to, near_of
from planner.model import program
from planner.model.columns import Columns
from planner.model.family import Family, Spans
from planner.model.index_tables import sets_of
from planner.model.reduce.alike import Split, same_part
from planner.model.rows import Rows, Term, distinct, joined, no_rows
from planner.model.sets import Sets
from planner.readers import load
from planner.schema.case import Case
from planner.schema.contracts import PriceFactor
from planner.solver.find import find_cost
from planner.solver.highs import DUAL, PRIMAL, Clock, Session
from planner.solver.one_price import TiedPart, priced_by_one
from planner.solver.tied import solve_tied
from planner.solver.warm import NoAnswer, WarmAnswer, WarmCases
from tests import builders
from tests.builders.one_hour import on_demand, two
from tests.oracle.generate import generate

BOTH = ("east", "west")
DAY = [10.0, 10.0, 4.0, 18.0, 7.0, 11.0]


@pytest.fixture
def case() -> Case:
    return builders.case(
        builders.two_regions(
            demand=[row for r in ("east", "west") for row in builders.profile(r, "w", DAY)],
            on_demand=[
                {"region": r, "model": "m", "usd_per_mtok_input": usd, "usd_per_mtok_output": 0.0,
                 "tokens_per_minute_quota": 15.0}
                for r, usd in (("east", 40_000.0), ("west", 50_000.0))
            ],
        ),
        whole_units=False,
        failover={"enabled": True, "on_demand_trust": 0.5},
        egress={"max_cross_region_share": 0.4},
    )  # fmt: skip


CHANGES = (
    CaseChange(""),
    CaseChange("", scale=(Factor("demand", 1.4),)),
    CaseChange("", set=(("failover.on_demand_trust", "0.8"),)),
    CaseChange("", set=(("failover.enabled", "false"), ("headroom", "0.1"))),
    CaseChange("", refuse=("east",)),
    CaseChange("", refuse=("east",), scale=(Factor("on_demand_prices", 0.7),)),
    CaseChange("", scale=(Factor("offer_prices", 0.6), Factor("quotas", 2.0))),
    CaseChange("", set=(("egress.max_cross_region_share", "0.01"),)),
    CaseChange("", set=(("max_commitment_usd", "9000"),), scale=(Factor("quotas", 3.0),)),
    CaseChange(""),
)


def test_each_change_costs_what_a_fresh_solve_costs(case: Case) -> None:
    warm, none = WarmCases(), 0
    for k, change in enumerate(CHANGES):
        variant = changed(case, change)
        found = warm.solve(variant, {"step": float(k)}, Clock())
        fresh = find_cost(variant)
        if isinstance(found, NoAnswer):
            assert fresh is None, change
            none += 1
            continue
        assert fresh is not None, change
        assert found.totals.total_usd == pytest.approx(fresh, rel=1e-9), change
        assert sum(found.totals.parts().values()) == pytest.approx(fresh, rel=1e-9)
    assert none == 3  # without new units in a region, and hardly anything served elsewhere


def test_where_no_plan_exists_there_is_none_and_the_next_case_has_one(case: Case) -> None:
    warm = WarmCases()
    hopeless = changed(case, CaseChange("", refuse=("east", "west"), scale=(Factor("demand", 3.0),)))
    assert isinstance(warm.solve(hopeless, {}, Clock()), NoAnswer)  # 54 requests, quotas of 15 tokens / 60 a request
    assert isinstance(warm.solve(case, {}, Clock()), WarmAnswer)


def test_a_clock_that_ran_out_stops_it(case: Case) -> None:
    warm = WarmCases()
    with pytest.raises(StoppedError):
        warm.solve(case, {}, Clock(0.0))
    assert isinstance(warm.solve(case, {}, Clock()), WarmAnswer)


def test_a_run_that_is_under_way_stops(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer question of the page waits for no older one, and an answer after it is the same."""
    warm, clock = WarmCases(), Clock(heeded=True)
    steps = []

    def second_thoughts(self: Clock, event: Any) -> None:
        steps.append(event)
        if len(steps) == 3:
            self.stop()
        heed(self, event)

    heed = Clock.heed
    monkeypatch.setattr(Clock, "heed", second_thoughts)
    with pytest.raises(StoppedError):
        warm.solve(case, {}, clock)
    assert 3 <= len(steps) < 6  # three parts may run at once
    found = warm.solve(case, {}, Clock(heeded=True))
    assert isinstance(found, WarmAnswer)
    assert found.totals.total_usd == pytest.approx(find_cost(case), rel=1e-9)


def test_where_prices_alone_moved_the_last_plan_is_the_start_of_the_primal_method(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the demand moved as well that plan is none, and the dual method starts."""
    warm, ways = WarmCases(), []
    solve = Session.solve

    def noted(self: Session) -> bool:
        ways.append(self.highs.getOptionValue("simplex_strategy")[1])
        return solve(self)

    monkeypatch.setattr(Session, "solve", noted)
    for prices, demand, primal in ((1.0, 1.0, False), (0.5, 1.0, True), (1.7, 1.0, True), (1.7, 1.2, False)):
        ways.clear()
        variant = changed(case, CaseChange("", scale=(Factor("offer_prices", prices), Factor("demand", demand))))
        found = warm.solve(variant, {"prices": prices, "demand": demand}, Clock())
        assert (PRIMAL in ways) == primal
        assert ways[-1] == DUAL
        assert isinstance(found, WarmAnswer)
        assert found.totals.total_usd == pytest.approx(find_cost(variant), rel=1e-9)


@pytest.mark.parametrize(("seed", "features"), [(1, "quota,terms,mix"), (4, "egress,unreserved,commitments,quota")])
def test_moves_of_a_meeting_cost_what_fresh_solves_cost(seed: int, features: str, tmp_path: Path) -> None:
    """Levers of the page moved at random, most of them on from where the last one stood."""
    generate(tmp_path / "in", seed, 2, 1, 2, 1, features)
    case = load(tmp_path / "in").with_policy(whole_units=False)
    levers, chance, warm = levers_of(case), random.Random(seed), WarmCases(workers=1)
    moved: dict[str, float | bool | str | None] = {}
    for _ in range(5):
        lever = chance.choice([one for one in levers if one.kind in (Kind.SLIDER, Kind.SWITCH)])
        steps = round((lever.high - lever.low) / lever.step)
        value = (
            not moved.get(lever.key, lever.start)
            if lever.kind is Kind.SWITCH
            else lever.low + lever.step * chance.randint(0, steps)
        )
        moved = moved_to(levers, moved, lever.key, value)
        variant = changed(case, change_of(levers, moved)).with_policy(whole_units=False)
        found, fresh = warm.solve(variant, near_of(levers, moved), Clock()), find_cost(variant)
        assert isinstance(found, NoAnswer) == (fresh is None), moved
        if isinstance(found, WarmAnswer):
            assert found.totals.total_usd == pytest.approx(fresh, rel=1e-9), moved


def test_parts_stay_open_where_numbers_alone_differ(case: Case) -> None:
    warm = WarmCases()
    warm.solve(case, {}, Clock())
    (known,) = warm._open.values()
    sessions = {id(one.solve.session) for one in known}
    for k, change in enumerate(CHANGES[1:3]):
        warm.solve(changed(case, change), {"step": float(k)}, Clock())
    assert {id(one.solve.session) for one in known} <= sessions
    assert len(known) < 3  # with and without the rows that span parts


def test_what_is_zero_or_blank_elsewhere_makes_a_case_another_one(case: Case) -> None:
    split = Split.of(sets_of(case))
    assert split.like(sets_of(changed(case, CHANGES[1]))) is not None
    free = tuple(o.model_copy(update={"tokens_per_minute_quota": None}) for o in case.on_demand)
    quiet = case.demand.assign(requests_per_hour=case.demand["requests_per_hour"].where(case.demand.index > 5, 1.0))
    others: list[dict[str, Any]] = [
        {"on_demand": free},  # no limits
        {"demand": case.demand.iloc[1:].reset_index(drop=True)},  # an hour without demand
        {"demand": quiet},  # hours that were equal are so no more
        {"workloads": tuple(w.model_copy(update={"input_tokens": w.input_tokens + 1}) for w in case.workloads)},
    ]
    for other in others:
        assert split.like(sets_of(replace(case, **other))) is None, other.keys()


def test_parts_that_a_rule_ties_are_solved_under_its_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workloads apart but for a cap on what is served elsewhere, and a budget: never stated as one programme."""
    generate(tmp_path / "in", 3, 2, 2, 2, 1, "egress")
    case = load(tmp_path / "in").with_policy(whole_units=False)
    warm, found = WarmCases(workers=1), []
    monkeypatch.setattr(
        "planner.solver.warm.solve_tied", lambda *a, **k: found.append(solve_tied(*a, **k)) or found[-1]
    )
    for k, share in enumerate(("0.02", "0.0", "0.3")):
        budget = (("max_commitment_usd", "3000"),) if k == 2 else ()
        variant = changed(case, CaseChange("", set=(("egress.max_cross_region_share", share), *budget)))
        answer = warm.solve(variant, {"share": float(share)}, Clock())
        assert isinstance(answer, WarmAnswer)
        assert len(answer.parts) == 2
        assert answer.totals.total_usd == pytest.approx(find_cost(variant), rel=1e-9)
    assert len(found) == 3
    assert None not in found


def test_a_refused_region_keeps_its_columns_and_says_what_its_own_case_would(case: Case) -> None:
    """Units by the hour are bounded by 0, not taken out; a case without a plan is explained as if they were."""
    hourly = tuple(p.model_copy(update={"usd_per_unreserved_unit_hour": 1.5}) for p in case.pools)
    case, warm, none = replace(case, pools=hourly), WarmCases(workers=1), 0
    warm.solve(case, {}, Clock())
    columns = {one.solve.program.columns.count for known in warm._open.values() for one in known}
    for refused in (("east",), (), ("east", "west")):
        anywhere = (("egress.max_cross_region_share", "1"), ("failover.enabled", "false"))
        variant = changed(case, CaseChange("", refuse=refused, set=anywhere if len(refused) == 1 else ()))
        found, fresh = warm.solve(variant, {"refused": float(len(refused))}, Clock()), find_cost(variant)
        assert (fresh is None) == isinstance(found, NoAnswer)
        if isinstance(found, WarmAnswer):
            assert found.totals.total_usd == pytest.approx(fresh, rel=1e-9)
        else:
            none += 1
            assert all(part.meters["usd_per_unreserved_unit_hour"].isna().all() for part in found.stuck)
    assert none == 1
    assert {one.solve.program.columns.count for known in warm._open.values() for one in known} == columns


def test_a_cap_is_priced_from_any_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(tmp_path / "in", 11, 2, 3, 3, 1, "terms")
    case, asked = load(tmp_path / "in").with_policy(whole_units=False), []
    monkeypatch.setattr("planner.solver.tied.RowPrices", lambda *a: pytest.fail("one row needs no master"))
    monkeypatch.setattr(
        "planner.solver.tied.priced_by_one",
        lambda parts, bound, start, workers: asked.append(start) or priced_by_one(parts, bound, start, workers),
    )
    warm = WarmCases(workers=1)
    free = warm.solve(case, {}, Clock())
    assert isinstance(free, WarmAnswer)
    assert len(free.parts) > 2
    for share in (0.9, 0.2, 2.0, 0.6):
        variant = case.with_policy(max_commitment_usd=share * free.totals.reserved_usd)
        found = warm.solve(variant, {"cap": share}, Clock())
        assert isinstance(found, WarmAnswer)
        assert found.totals.total_usd == pytest.approx(find_cost(variant), rel=1e-9)
        assert found.totals.reserved_usd <= share * free.totals.reserved_usd * (1 + 1e-9)
    assert asked[0] == 0  # nothing was known
    assert min(asked[1:3]) > 0
    assert asked[3:] == [asked[1]]  # the price of the nearest cap, not of the last, which did not bind


def test_a_cap_moved_alone_is_found_in_the_plans_that_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    generate(tmp_path / "in", 11, 2, 3, 3, 1, "terms")
    case, taken = load(tmp_path / "in").with_policy(whole_units=False), []
    take = TiedPart.take
    monkeypatch.setattr(TiedPart, "take", lambda part, price: taken.append(price) or take(part, price))
    warm = WarmCases(workers=1)
    free = warm.solve(case, {}, Clock())
    assert isinstance(free, WarmAnswer)
    for share, demand, known in ((0.9, 1.0, False), (0.6, 1.0, False), (0.9, 1.0, True), (0.9, 1.1, False)):
        capped = (("max_commitment_usd", f"{share * free.totals.reserved_usd}"),)
        variant = changed(case, CaseChange("", set=capped, scale=(Factor("demand", demand),)))
        found = warm.solve(variant, {"cap": share, "demand": demand}, Clock())
        assert isinstance(found, WarmAnswer)
        assert found.totals.total_usd == pytest.approx(find_cost(variant), rel=1e-9)
        assert (not taken) == known
        taken.clear()


def test_a_bound_that_an_optimum_lies_on_is_taken_off(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with plans within the bounds, of dear requests on demand; once with none."""
    monkeypatch.setattr("planner.solver.boxed.LARGE", 1 / 64)
    warm = WarmCases(workers=1)
    for factor in (20.0, 1.0):
        variant = changed(case, CaseChange("", scale=(Factor("quotas", factor),)))
        found = warm.solve(variant, {}, Clock())
        assert isinstance(found, WarmAnswer)
        assert found.totals.reserved_usd > 0
        assert found.totals.total_usd == pytest.approx(find_cost(variant), rel=1e-9)


def test_of_plans_that_are_as_safe_the_cheapest_is_shown() -> None:
    """Weight 1 counts the dearest half alone, which is high: 10 requests of 3 USD. Low's 4 cost 3 USD too, not 9.

    (4 + 10) / 2 requests an hour of January at 3 USD; the dearer option would make it (4 · 9 + 10 · 3) / 2.
    """
    option = {"region": "west", "model": "m", "usd_per_mtok_output": 0.0}
    tables = builders.tables(
        scenarios=[{"scenario": "low", "probability": 0.5}, {"scenario": "high", "probability": 0.5}],
        demand=builders.profile("west", "w", 4.0, "low") + builders.profile("west", "w", 10.0, "high"),
        on_demand=[option | {"option": "dear", "usd_per_mtok_input": 150_000.0,
                             "tokens_per_minute_quota": 1e6},
                   option | {"option": "fair", "usd_per_mtok_input": 50_000.0,
                             "tokens_per_minute_quota": 1e6}],
        offers=[],
    )  # fmt: skip
    safest = CaseChange("", set=(("risk.weight", "1"), ("risk.level", "0.5")))
    found = WarmCases().solve(changed(builders.case(tables, whole_units=False), safest), {}, Clock())
    assert isinstance(found, WarmAnswer)
    assert found.totals.total_usd == pytest.approx((4 + 10) / 2 * 744 * 3)


def test_an_input_that_only_a_rule_of_ones_own_reads_makes_a_case_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheap option is shut by a word in its note: where it is open, the dear one is a way that no optimum needs."""

    def shut(sets: Sets, at: Columns) -> Rows:
        assert sets.case is not None
        names = {(q.region, q.model, q.option) for q in sets.case.on_demand if q.note == "shut"}
        quotas = zip(*(sets.quotas[name] for name in ("region", "model", "option")))
        closed = np.array([*(name in names for name in quotas), False])
        quota = sets.arcs["quota"].to_numpy(int)[at.flow_arc]
        flows = np.flatnonzero(closed[quota])
        where = {"quota": quota[flows], "slot": at.flow_slot[flows]}
        if not len(flows):
            return no_rows("shut", *where)
        return joined("shut", distinct(**where), (-np.inf, 0.0), [Term(where, at.flows[flows], 1.0)])

    monkeypatch.setattr(program, "FAMILIES", (*program.FAMILIES, Family("shut", "10", shut, "USD", spans=Spans.SLOT)))
    options = [
        on_demand(r, option=name, usd_per_mtok_input=usd) for r in BOTH for name, usd in (("cheap", 1e4), ("dear", 2e4))
    ]
    case = builders.case(two(10, 20, on_demand=options))
    notes = {"cheap": "shut", "dear": None}
    closed = replace(case, on_demand=tuple(q.model_copy(update={"note": notes[q.option]}) for q in case.on_demand))
    warm = WarmCases(workers=1)
    for each in (case, closed, case):
        answer = warm.solve(each, {}, Clock())
        assert isinstance(answer, WarmAnswer)
        assert answer.totals.total_usd == pytest.approx(find_cost(each))


def test_a_rule_of_ones_own_that_reads_a_cap_is_stated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is bought, so the caps bind nowhere; above a million the rule shuts the cheap option."""

    def shut(sets: Sets, at: Columns) -> Rows:
        assert sets.case is not None
        cap = sets.case.settings.policy.max_commitment_usd
        closed = np.array([*(sets.quotas["option"] == "cheap"), False]) & (cap is not None and cap > 1e6)
        quota = sets.arcs["quota"].to_numpy(int)[at.flow_arc]
        flows = np.flatnonzero(closed[quota])
        where = {"quota": quota[flows], "slot": at.flow_slot[flows]}
        if not len(flows):
            return no_rows("shut", *where)
        return joined("shut", distinct(**where), (-np.inf, 0.0), [Term(where, at.flows[flows], 1.0)])

    monkeypatch.setattr(program, "FAMILIES", (*program.FAMILIES, Family("shut", "10", shut, "USD", spans=Spans.SLOT)))
    options = [
        on_demand(r, option=name, usd_per_mtok_input=usd) for r in BOTH for name, usd in (("cheap", 1e4), ("dear", 2e4))
    ]
    case, warm, costs = builders.case(two(10, 20, on_demand=options)), WarmCases(workers=1), []
    for cap in (1e5, 2e5, 2e6, 1e5):
        variant = case.with_policy(max_commitment_usd=cap)
        answer = warm.solve(variant, {"cap": cap}, Clock())
        assert isinstance(answer, WarmAnswer)
        assert answer.totals.total_usd == pytest.approx(find_cost(variant))
        costs.append(answer.totals.total_usd)
    assert costs[2] > costs[0] + 1


def test_a_part_that_differs_in_a_row_left_out_is_the_same(case: Case) -> None:
    def reduced(left_out: tuple[str, ...] = ("budget", "cross_region_share"), **policy: Any) -> Sets:
        split = base.like(sets_of(case.with_policy(**policy), base.whole).without(left_out))
        assert split is not None
        return split.parts[0].reduced

    base = Split.of(sets_of(case.with_policy(max_commitment_usd=9000.0)).without(("budget", "cross_region_share")))
    stands = base.parts[0].reduced
    policy = case.settings.policy
    assert same_part(stands, reduced(max_commitment_usd=8000.0))
    assert same_part(stands, reduced(max_commitment_usd=9000.0, egress=type(policy.egress)(max_cross_region_share=0.2)))
    assert not same_part(stands, reduced(max_commitment_usd=9000.0, headroom=0.1))
    assert not same_part(stands, reduced(max_commitment_usd=9000.0, tail_value=0.1))
    base = Split.of(sets_of(case.with_policy(max_commitment_usd=9000.0)))
    assert not same_part(base.parts[0].reduced, reduced((), max_commitment_usd=8000.0))


def test_tables_taken_from_a_like_case_are_those_of_its_own(case: Case) -> None:
    like = sets_of(case)
    for change in (*CHANGES, CaseChange("", scale=(Factor("on_demand_prices", 1.3, (("region", "west"),)),))):
        variant = changed(case, change)
        found, own = sets_of(variant, like), sets_of(variant)
        for name in ("slots", "needs", "arcs", "loads", "deployments", "meters", "quotas", "purchases"):
            pd.testing.assert_frame_equal(getattr(found, name), getattr(own, name))
        for name in ("demand", "quota_load", "earlier", "price_times", "paid_usd"):
            assert np.array_equal(getattr(found, name), getattr(own, name)), name
        like = found
    dear = replace(case, price_factors=(PriceFactor(option="standard", factor=2.0),))
    assert sets_of(dear, like).price_times.max() == 2
    assert sets_of(case, sets_of(dear)).price_times.size == 0
