"""Why there is no plan: what would have to change; applied exactly there is a plan, with 97 % of it there is none."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.cli import main
from planner.errors import InfeasibleError, InputError, Shortfall, StoppedError
from planner.model.index_tables import sets_of
from planner.readers import load
from planner.schema.case import Case
from planner.solver import find
from planner.solver.component import begin_component
from planner.solver.find import Options, find_cost, find_plan
from planner.solver.highs import Clock
from planner.solver.infeasible import ChangeSearch, apply, shrunk
from planner.solver.limits import Limit, LimitChange
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import on_demand, workload
from tests.builders.shrunken import part_of, shrunken

NO_POOLS: dict[str, Any] = {"pools": [], "throughput": [], "offers": []}
ANY = Options(gap=0.9, workers=1)  # whether there is a plan, whatever it costs
# seed, and how far its limits are shrunk: units, quotas, both, budgets, shares, caps on GB, routes
RANDOM = ((1, 0.02), (2, 0.0), (6, 0.0), (8, 0.0), (11, 0.1), (13, 0.1), (16, 0.6), (17, 0.02), (20, 0.02), (23, 0.3),
          (25, 0.0), (26, 0.6))  # fmt: skip


def reason(case: Case) -> InfeasibleError:
    """Return the error; each of its answers is enough, and 97 % of it is not."""
    with pytest.raises(InfeasibleError) as error:
        solve(case, workers=1)
    for found in (error.value.shortfalls, *error.value.alternatives):
        assert found
        assert find_cost(apply(case, found), ANY) is not None, [str(s) for s in found]
        less = [s if s.rule in ("route", "trust") else part_of(s, 0.97) for s in found]
        if any(s.rule not in ("route", "trust") for s in found):
            assert find_cost(apply(case, less), ANY) is None, [str(s) for s in found]
    return error.value


def cells(tables: builders.Tables, **options: Any) -> list[tuple[str, dict[str, str], float, float]]:
    """Column, row, what it says and what it needs of each shortfall of the first answer."""
    return [(s.column, dict(s.row), s.has, s.needs) for s in reason(builders.case(tables, **options)).shortfalls]


def test_a_quota_that_is_too_small() -> None:
    # 10 requests an hour count 10 tokens a minute; 4 are allowed; 12 are asked from Tuesday noon on
    demand = builders.profile("west", "w", [10.0] * 36 + [12.0] * 132)
    case = builders.case(builders.tables(demand=demand, on_demand=[on_demand(tokens_per_minute_quota=4)], **NO_POOLS))
    error = reason(case)
    assert str(error) == (
        "No plan of 'tiny' exists; nothing was written. This would have to change:\n"
        "  on-demand quota of m in west: tokens_per_minute_quota 4 is 8 tokens/minute too small; 12 is enough "
        "(Tue 12:00 UTC in 2027-01)"
    )


def test_units_that_are_too_few_name_the_stress_case_that_needs_them() -> None:
    # a region alone is asked for 10 requests of m and 6 of n: sizes 11 and 8, where 14 units are for sale in each
    case = builders.two_models_on_sizes()
    few = replace(case, offers=tuple(offer.model_copy(update={"max_units": 14.0}) for offer in case.offers))
    found = reason(few).shortfalls
    assert [(s.pool, s.needs, s.case) for s in found] == [
        ("east-m", 19.0, "failover west"),
        ("west-m", 19.0, "failover east"),
    ]


def test_an_answer_stands_where_the_time_for_others_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    # as above: 12 tokens a minute are enough, which is known when the time ends
    def late(search: ChangeSearch, rule: str) -> list[tuple[Shortfall, ...]]:
        raise StoppedError("the time is over")

    monkeypatch.setattr(ChangeSearch, "_only", late)
    demand = builders.profile("west", "w", [10.0] * 36 + [12.0] * 132)
    case = builders.case(builders.tables(demand=demand, on_demand=[on_demand(tokens_per_minute_quota=4)], **NO_POOLS))
    error = reason(case)
    assert [(s.has, s.needs) for s in error.shortfalls] == [(4, 12)]
    assert error.alternatives == ()


def test_the_reason_has_a_quarter_of_the_time_and_says_if_it_was_not_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    demand = builders.profile("west", "w", [10.0] * 36 + [12.0] * 132)
    case = builders.case(builders.tables(demand=demand, on_demand=[on_demand(tokens_per_minute_quota=4)], **NO_POOLS))
    left, real = [], find._components

    def slow(*told: Any) -> Any:
        found = real(*told)
        time.sleep(1.0)
        return found

    def late(search: ChangeSearch) -> list[tuple[Shortfall, ...]]:
        left.append(search.clock.left())
        raise StoppedError("the time is over")

    monkeypatch.setattr(find, "_components", slow)
    monkeypatch.setattr(ChangeSearch, "answers", late)
    with pytest.raises(InfeasibleError, match="Time ran out before the reason was found") as error:
        find_plan(case, Options(workers=1, time_limit_seconds=1.0))
    assert error.value.out_of_time
    assert 0 < left[0] <= 0.25  # though the search for a plan took all of it


def test_a_failover_quota_counts_before_its_trust() -> None:
    # 10 tokens a minute are asked of each region; while one is lost the other may use half of its 12 for all 20
    tables = builders.two_regions(on_demand=[on_demand(r, tokens_per_minute_quota=12) for r in BOTH], **NO_POOLS)
    case = builders.case(tables, failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5})
    error = reason(case)
    assert [(dict(s.row)["region"], s.needs, s.case) for s in error.shortfalls] == [
        ("east", 40.0, "failover west"), ("west", 40.0, "failover east")
    ]  # fmt: skip
    assert ["failover_share"] in [[s.rule for s in found] for found in error.alternatives]  # 6 of 20 are served: 0.3


BOTH = ("east", "west")


def test_what_stays_spare_while_a_region_is_lost_may_be_less() -> None:
    # while one is lost the other serves 20 requests with 30 tokens a minute, of which a third can stay spare, not half
    tables = builders.two_regions(on_demand=[on_demand(r, tokens_per_minute_quota=30) for r in BOTH], **NO_POOLS)
    lost = {"enabled": True, "share": 1.0, "on_demand_trust": 1.0, "headroom": 0.5}
    error = reason(builders.case(tables, failover=lost))
    told = [str(s) for found in error.alternatives for s in found if s.column == "policy.failover.headroom"]
    (share,) = (float(text.split("; ")[1].split(" ")[0]) for text in told)
    assert 1 / 3 - 1e-3 <= share <= 1 / 3


def test_a_budget_below_a_spend_commitment_in_whole_units() -> None:
    # 10 units are needed and 15 of 744 USD are the fewest that are sold: 8,000 USD pay for 10, not for 15.
    # What must be spent anyway makes any size as cheap, but no plan needs more than that: certainly there is none
    tables = builders.tables(
        on_demand=[],
        offers=[{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 15, "unit_step": 1}],
        spend_commitments=[{"contract": "c", "usd": 100_000.0}],
    )
    error = reason(builders.case(tables, whole_units=True, max_commitment_usd=8_000.0))
    assert [(s.column, s.needs) for s in error.shortfalls] == [("policy.max_commitment_usd", 11_160.0)]


def test_what_takes_long_beside_the_least_change_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # as above, where failover_share 0.3 is an alternative: without any time for it the quotas still stand
    tables = builders.two_regions(on_demand=[on_demand(r, tokens_per_minute_quota=12) for r in BOTH], **NO_POOLS)
    case = builders.case(tables, failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.5})
    with_time = reason(case)
    monkeypatch.setattr("planner.solver.infeasible.ONE_KIND_SECONDS", 0.0)
    without = reason(case)
    assert with_time.alternatives
    assert (without.shortfalls, without.alternatives) == (with_time.shortfalls, ())


def test_units_count_with_the_headroom_that_is_kept_on_them() -> None:
    # 10 units' worth of requests, half of each unit spare: 20 units, 7 are for sale
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "max_units": 7}]
    tables = builders.tables(offers=offers, on_demand=[])
    assert cells(tables, reserved_headroom=0.5) == [("max_units", {"offer": "o"}, 7.0, 20.0)]


def test_units_are_rounded_up_to_the_step() -> None:
    # 10 units are needed; 8, 16, 24, ... may be bought, and no more than 15
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 8, "max_units": 15}]
    told = cells(builders.tables(offers=offers, on_demand=[]), whole_units=True)
    assert told == [("max_units", {"offer": "o"}, 15.0, 16.0)]


@pytest.mark.parametrize("for_sale", [4, 12])
def test_whole_deployments_take_more_units_than_their_sum(for_sale: int) -> None:
    # each model needs 5 units and is deployed in steps of 10: 20 units, while 10 would do if they were of any size
    throughput = [
        {"pool": "west-m", "model": model, "tokens_per_minute_per_unit": 1, "unit_step": 10} for model in ("m", "n")
    ]
    tables = builders.tables(
        models=[{"model": "m"}, {"model": "n"}],
        mix=[{"workload": "w", "model": model, "min_share": 0.5, "max_share": 0.5} for model in ("m", "n")],
        throughput=throughput,
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 1, "max_units": for_sale}],
        on_demand=[],
    )
    assert cells(tables, whole_units=True) == [("max_units", {"offer": "o"}, for_sale, 20.0)]


@pytest.mark.parametrize(("share", "value"), [(1.0, 24.0), (0.5, 20.0), (0.01, 16.0)])
def test_a_share_of_a_change_is_a_size_that_is_for_sale(share: float, value: float) -> None:
    # 15 may be bought and 24 are needed, of 8, 12, 16, 20, ...: half of the 9 more is 19.5, a hundredth 15.09
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 8, "unit_step": 4}]
    sets = sets_of(builders.case(builders.tables(offers=offers), whole_units=True))
    change = LimitChange(Limit("units", None, ("o",), has=15.0, full=100.0), 9.0, value=24.0)
    assert shrunk(change, sets, share).value == value


def test_what_is_missing_is_the_difference_of_two_decimals() -> None:
    # 1,840,000 − 48,851.81 is 1791148.1899999999 in binary
    short = Shortfall("budget", "plan.yaml", (), "policy.max_commitment_usd", "USD", 48_851.81, 1_840_000.0)
    assert short.amount == 1_791_148.19
    assert "48,851.81 is 1,791,148.19 USD too small" in str(short)


def test_both_meters_of_a_pool() -> None:
    # 10 requests of 60 input and 30 output tokens: 10 input units, 5 output units
    tables = builders.tables(
        workloads=[workload(output_tokens=30)],
        throughput=[
            {"pool": "west-m", "model": "m", "meter": "input", "tokens_per_minute_per_unit": 1, "output_weight": 0},
            {"pool": "west-m", "model": "m", "meter": "output", "tokens_per_minute_per_unit": 1, "input_weight": 0,
             "cached_input_weight": 0},
        ],
        offers=[{"offer": m, "pool": "west-m", "meter": m, "usd_per_unit_hour": 1.0, "max_units": 3}
                for m in ("input", "output")],
        on_demand=[],
    )  # fmt: skip
    assert cells(tables) == [
        ("max_units", {"offer": "input"}, 3.0, 10.0),
        ("max_units", {"offer": "output"}, 3.0, 5.0),
    ]


def test_a_budget_that_is_too_small() -> None:
    # 10 units for 744 h cost 7440
    told = cells(builders.tables(on_demand=[]), max_commitment_usd=7000.0)
    assert told == [("policy.max_commitment_usd", {}, 7000.0, 7440.0)]


def test_a_budget_that_is_too_small_for_failover_only() -> None:
    # each region alone must carry 20: 20 units each in place of 10; on demand carries ordinary use, but is not trusted
    told = cells(
        builders.two_regions(),
        failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.0},
        max_commitment_usd=20 * 744.0,
    )
    assert told == [("policy.max_commitment_usd", {}, 14880.0, 29760.0)]


def far(**route: Any) -> builders.Tables:
    """Requests of the east can only be served in the west; each takes 1 GB there."""
    return builders.two_regions(
        demand=builders.profile("east", "w", 10.0),
        workloads=[workload(extra_bytes_in=1e9 - 240)],
        pools=[{"pool": "west-m", "region": "west"}],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0}],
        on_demand=[],
        routes=[{"origin": "east", "destination": "west", **route}],
    )


def test_an_egress_cap_that_is_too_small() -> None:
    told = cells(far(max_gb_per_month=7000.0))
    assert told == [("max_gb_per_month", {"origin": "east", "destination": "west"}, 7000.0, 7440.0)]


def test_a_cross_region_share_that_is_too_small() -> None:
    told = cells(far(), egress={"max_cross_region_share": 0.75})
    assert told == [("policy.egress.max_cross_region_share", {}, 0.75, 1.0)]


def test_a_guaranteed_share_that_nothing_guarantees() -> None:
    told = cells(builders.tables(workloads=[workload(guaranteed_share=0.4)], **NO_POOLS))
    assert told == [("guaranteed_share", {"workload": "w"}, 0.4, 0.0)]


@pytest.mark.parametrize("region", BOTH)
def test_a_workload_that_may_be_served_in_one_region_only_needs_no_failover(region: str) -> None:
    tables = builders.two_regions(workloads=[workload(serving_regions=region)])
    told = cells(tables, failover={"enabled": True, "share": 0.5})
    assert told == [("failover_share", {"workload": "w"}, 0.5, 0.0)]


def test_a_route_is_asked_for_where_it_helps_and_nowhere_else() -> None:
    one_way = builders.two_regions(routes=[{"origin": "east", "destination": "west"}])
    error = reason(builders.case(one_way, failover={"enabled": True}))
    assert [str(s) for s in error.shortfalls] == ["routes: no route from west to east: add one"]
    assert [[(s.rule, s.needs) for s in found] for found in error.alternatives] == [[("failover_share", 0.0)]]


def test_trust_that_counts_on_nothing() -> None:
    tables = builders.two_regions(**NO_POOLS)
    error = reason(builders.case(tables, failover={"enabled": True, "on_demand_trust": 0.0}))
    assert [s.rule for s in error.shortfalls] == ["trust"]
    assert "counts no on-demand quota while a region is lost" in str(error)


def test_what_must_change_together_is_in_one_answer() -> None:
    # 10 tokens a minute in each region, 4 allowed in the east and 6 in the west; no way from one to the other
    quota = {"east": 4, "west": 6}
    tables = builders.two_regions(
        on_demand=[on_demand(r, tokens_per_minute_quota=q) for r, q in quota.items()], routes=[], **NO_POOLS
    )
    told = cells(tables)
    assert [(row["region"], has, needs) for _, row, has, needs in told] == [("east", 4.0, 10.0), ("west", 6.0, 10.0)]


def test_units_by_the_hour_of_which_too_few_may_run() -> None:
    # all 10 requests of Monday 00:00 must be served by units, of which 6 may run by the hour and none is for sale
    tables = builders.tables(
        demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0}],
        workloads=[workload(guaranteed_share=1)],
        pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.0, "max_scaled_units": 6,
                "start_hours": 1}],
        offers=[],
    )  # fmt: skip
    error = reason(builders.case(tables))
    found = [str(s) for s in (*error.shortfalls, *(s for other in error.alternatives for s in other))]
    assert (
        "units of west-m that run by the hour: max_scaled_units 6 is 4 units too few; 10 is enough "
        "(Mon 00:00 UTC in 2027-01)"
    ) in found


def test_a_model_that_no_region_serves() -> None:
    tables = builders.tables(
        models=[{"model": "m"}, {"model": "n"}],
        mix=[{"workload": "w", "model": "m"}, {"workload": "w", "model": "n", "min_share": 0.3}],
    )
    assert "demand of w from west: nothing may serve" in str(reason(builders.case(tables)))


def test_json_lists_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "max_units": 7}]
    folder = builders.write_folder(builders.tables(offers=offers, on_demand=[]), tmp_path / "in")
    assert main(["solve", str(folder), "-o", str(tmp_path / "out"), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "infeasible"
    (short,) = told["shortfalls"]
    assert {"table": "offers", "row": {"offer": "o"}, "column": "max_units", "has": 7.0, "needs": 10.0}.items() <= (
        short.items()
    )
    assert not (tmp_path / "out").exists()


def test_shares_that_do_not_quite_add_up_are_refused_on_reading(tmp_path: Path) -> None:
    models = ["a", "b", "c"]
    tables = builders.tables(
        models=[{"model": m} for m in models],
        mix=[{"workload": "w", "model": m, "max_share": 0.333333} for m in models],
        on_demand=[on_demand(model=m) for m in models],
        **NO_POOLS,
    )
    with pytest.raises(InputError, match=r"sums to 0.999999, so not all of it can be served"):
        load(builders.write_folder(tables, tmp_path / "in"))


@pytest.mark.parametrize(("seed", "factor"), RANDOM)
def test_random_cases(seed: int, factor: float, tmp_path: Path) -> None:
    reason(shrunken(tmp_path, seed, factor))


def test_whether_there_is_a_plan_is_asked_without_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least change is applied and tried in a programme that costs nothing: its optimum is not looked for."""
    case = builders.case(
        builders.tables(on_demand=[on_demand(tokens_per_minute_quota=4)], **NO_POOLS), whole_units=False
    )
    part = ChangeSearch(case, {("west", "w")}, Clock()).parts(case)[0]
    enough = apply(case, reason(case).shortfalls)
    roomy = ChangeSearch(enough, {("west", "w")}, Clock()).parts(enough)[0]
    monkeypatch.setattr("planner.solver.infeasible.begin_component", lambda *a: pytest.fail("the optimum was sought"))
    assert (ChangeSearch.part_has_plan(part, Clock()), ChangeSearch.part_has_plan(roomy, Clock())) == (False, True)
    assert (begin_component(part, Clock()), begin_component(roomy, Clock()) is not None) == (None, True)
