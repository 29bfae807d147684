"""The Shapley value: by the mean over all orders, where some mixtures have no plan, and where causes are joined."""

import itertools
import math
import random

import pytest

from planner.features.resolve.attribution import shapley

NAMES = ("a", "b", "c", "d")


def by_orders(names: tuple[str, ...], value: dict[frozenset[str], float | None]) -> dict[str, float] | None:
    """Mean addition over the orders all of whose steps have a value; None where there is no such order."""
    added: dict[str, list[float]] = {name: [] for name in names}
    for order in itertools.permutations(names):
        steps = [value[frozenset(order[:k])] for k in range(len(order) + 1)]
        if None not in steps:
            for k, name in enumerate(order):
                added[name].append(steps[k + 1] - steps[k])  # type: ignore[operator]
    if not added[names[0]]:
        return None
    return {name: math.fsum(each) / len(each) for name, each in added.items()}


def game(seed: int, share_without: float) -> dict[frozenset[str], float | None]:
    rng = random.Random(seed)
    sets = [frozenset(s) for k in range(len(NAMES) + 1) for s in itertools.combinations(NAMES, k)]
    value: dict[frozenset[str], float | None] = {s: rng.uniform(-1e6, 1e6) for s in sets}
    for s in sets[1:-1]:
        if rng.random() < share_without:
            value[s] = None
    return value


@pytest.mark.parametrize("seed", range(60))
def test_against_every_order(seed: int) -> None:
    value = game(seed, (seed % 4) * 0.2)
    found = shapley(NAMES, value.__getitem__)
    total = value[frozenset(NAMES)] - value[frozenset()]  # type: ignore[operator]
    assert math.fsum(usd for _, usd in found) == pytest.approx(total, rel=1e-12, abs=1e-6)
    assert sorted(name for block, _ in found for name in block) == list(NAMES)
    expected = by_orders(NAMES, value)
    if expected is None:
        assert any(len(block) > 1 for block, _ in found)
    else:
        assert {block[0]: usd for block, usd in found} == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(12))
def test_it_does_not_depend_on_the_order_of_the_causes(seed: int) -> None:
    value = game(seed, (seed % 4) * 0.25)
    first = {frozenset(block): usd for block, usd in shapley(NAMES, value.__getitem__)}
    for order in itertools.permutations(NAMES):
        again = {frozenset(block): usd for block, usd in shapley(order, value.__getitem__)}
        assert again.keys() == first.keys()
        assert all(again[block] == pytest.approx(first[block], rel=1e-9, abs=1e-6) for block in first)


def test_causes_that_only_work_together_are_joined_and_no_others() -> None:
    # b and c have a plan only together; a stands alone
    costs = {"": 10.0, "a": 14.0, "bc": 11.0, "abc": 17.0}
    value = {frozenset(key): usd for key, usd in costs.items()}
    found = dict(shapley(("a", "b", "c"), value.get))
    # a adds 4 first or 6 second, b and c together 1 first or 3 second
    assert found == {("a",): pytest.approx(5.0), ("b", "c"): pytest.approx(2.0)}


def test_one_that_must_come_first_is_told_apart() -> None:
    # b needs a: only the order a, b has plans
    value = {frozenset[str](): 1.0, frozenset("a"): 4.0, frozenset("ab"): 9.0}
    assert dict(shapley(("a", "b"), value.get)) == {("a",): 3.0, ("b",): 5.0}


def test_nothing_between_the_ends() -> None:
    value = {frozenset[str](): 1.0, frozenset("abc"): 9.0}
    assert shapley(("a", "b", "c"), value.get) == [(("a", "b", "c"), 8.0)]
