"""Arcs that no optimum needs leave the priced programme, and the optimum stays."""

import pytest

from planner.model.index_tables import sets_of
from planner.model.reduce.slots import prune
from planner.model.sets import Sets
from planner.solver.continuous import open_component, solve_linear
from planner.solver.highs import Clock
from tests import builders


def sets(**changes: list[dict[str, object]]) -> Sets:
    return sets_of(builders.case(builders.two_regions(**changes)))


def option(region: str, usd: float, **more: object) -> dict[str, object]:
    return {"region": region, "model": "m", "usd_per_mtok_input": usd, "usd_per_mtok_output": usd, **more}


def kept(found: Sets) -> set[tuple[str, str, str]]:
    priced = found.arcs[found.arcs["priced"]]
    return set(priced[["origin", "region", "supply"]].itertuples(index=False, name=None))


def model_of(base: Sets) -> str:
    return str(base.arcs["model"].iloc[0])


def cost(found: Sets) -> float:
    solve = open_component(found, Clock())
    assert solve_linear(solve)
    return solve.session.objective()


def with_options(*rows: dict[str, object]) -> Sets:
    name = model_of(sets())
    return sets(on_demand=[{**row, "model": name} for row in rows])


def test_the_dearer_of_two_unlimited_options_goes() -> None:
    before = with_options(option("east", 1.0), option("west", 2.0))
    after = prune(before)
    # east serves itself for 1; west serves itself for 2, or is served in east for 1 and no egress price
    assert ("east", "west", "standard") not in kept(after)
    assert ("west", "west", "standard") in kept(after)  # east is cheaper for west, but it is away: caps may matter
    assert cost(before) == pytest.approx(cost(after), rel=1e-9)


def test_an_option_with_a_quota_dominates_nothing() -> None:
    before = with_options(option("east", 1.0, tokens_per_minute_quota=10.0), option("west", 2.0))
    assert ("east", "west", "standard") in kept(prune(before))


def test_a_guaranteed_option_is_not_dominated_by_one_that_is_not() -> None:
    before = with_options(
        option("east", 1.0), option("east", 2.0, option="priority", guaranteed=True), option("west", 1.0)
    )
    assert ("east", "east", "priority") in kept(prune(before))


def test_equal_options_keep_the_first() -> None:
    before = with_options(option("east", 1.0, option="a"), option("east", 1.0, option="b"), option("west", 1.0))
    home = {supply for origin, region, supply in kept(prune(before)) if origin == region == "east"}
    assert home & {"a", "b"} == {"a"}


def test_a_quota_of_nothing_bars_the_option() -> None:
    before = with_options(option("east", 1.0, tokens_per_minute_quota=0.0), option("west", 2.0))
    assert not any(region == "east" and supply == "standard" for _, region, supply in kept(prune(before)))
