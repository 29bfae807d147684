"""What a change must be worth: a case by hand, every purchase tried on tiny cases, and keeping at any price."""

import itertools
import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from planner.features.resolve.changes import Keeping
from planner.features.resolve.keep import keep_purchases, last_purchases
from planner.plan.audit import audit
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.find import Options, find_plan
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import hours, on_demand

HOURS = 744
OPTIONS = Options(gap=1e-9, workers=1)


def bought(case: Case, plan: Plan, units: dict[tuple[str, str], float]) -> Plan:
    """A last plan with these purchases (all that `last_purchases` reads of it): ``plan`` with others."""
    price = {o.offer: o.usd_per_unit_hour for o in case.offers}
    rows = [(offer, month, n, n * HOURS * price[offer]) for (offer, month), n in units.items()]
    purchases = pd.DataFrame(rows, columns=["offer", "period", "units", "usd"])
    return replace(plan, purchases=purchases)


def kept(case: Case, units: dict[tuple[str, str], float], usd: float) -> tuple[Plan, Keeping]:
    free = solve(case, gap=1e-9, workers=1)
    last = last_purchases((case, bought(case, free, units)), case)
    return keep_purchases(case, last, usd_per_unit=usd, free=free, options=OPTIONS)


def units_of(plan: Plan) -> dict[tuple[str, str], float]:
    return {(r.offer, r.period): r.units for r in plan.purchases.itertuples()}


@pytest.mark.parametrize("whole", [False, True])
def test_a_unit_moves_only_where_it_saves_more_than_keep(whole: bool) -> None:
    # 10 requests an hour; a unit costs 744 and saves 3 x 744 on demand: 1488 a unit. The last plan had 7.
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 1}]
    case = builders.case(builders.tables(offers=offers), whole_units=whole)
    last = {("o", "2027-01"): 7.0}
    plan, told = kept(case, last, 1490.0)
    assert units_of(plan) == {("o", "2027-01"): pytest.approx(7)}
    assert plan.totals.total_usd == pytest.approx(7 * HOURS + 3 * 3 * HOURS)
    assert told.holds
    assert (told.changed_units, told.free_changed_units) == pytest.approx((0, 3), abs=1e-6)
    assert told.forgone_usd == pytest.approx(3 * 1488)
    # the bound stays that of the plan that is free to move: 10 units, 7440
    assert plan.proof.bound_usd == pytest.approx(10 * HOURS)
    assert plan.proof.status == "gap"
    assert plan.proof.gap == pytest.approx(3 * 1488 / plan.totals.total_usd)
    assert audit(case, plan) == []
    plan, told = kept(case, last, 1486.0)
    assert units_of(plan) == {("o", "2027-01"): pytest.approx(10)}
    assert plan.proof.status == "optimal"
    assert told.forgone_usd == pytest.approx(0, abs=1e-6)
    assert not told.holds


def tiny(**policy: Any) -> Case:
    """Two pools with sizes, 2 months, on demand under a quota: 4 purchases to try."""
    tables = builders.two_regions(
        demand=[*hours("east", "w", *[9.0] * 100), *hours("west", "w", *[4.0] * 150, 12.0)],
        offers=[
            {"offer": "e", "pool": "east-m", "usd_per_unit_hour": 1.0, "min_units": 4, "unit_step": 2, "max_units": 10},
            {"offer": "w", "pool": "west-m", "usd_per_unit_hour": 0.8, "unit_step": 3, "max_units": 9},
        ],
        on_demand=[on_demand("east"), on_demand("west", tokens_per_minute_quota=9)],
        routes=[],
    )
    return builders.case(tables, months=2, whole_units=True, **policy)


GRID = {"e": (0.0, 4.0, 6.0, 8.0, 10.0), "w": (0.0, 3.0, 6.0, 9.0)}
LINES = [("e", "2027-01"), ("e", "2027-02"), ("w", "2027-01"), ("w", "2027-02")]


@pytest.fixture(scope="module")
def every_order() -> dict[tuple[float, ...], float]:
    """Cost of every purchase of the tiny case that keeps every rule, in plain arithmetic: no request leaves its region.

    An hour of the week comes 31 / 7 and 28 / 7 times; on demand a request costs 3 USD, in the west at most 9 an hour.
    """
    needed = {"e": [9.0] * 100, "w": [*[4.0] * 150, 12.0]}
    price, most = {"e": 1.0, "w": 0.8}, {"e": math.inf, "w": 9.0}
    days = {"2027-01": 31, "2027-02": 28}

    def usd(offer: str, month: str, units: float) -> float:
        over = [max(n - units, 0.0) for n in needed[offer]]
        if max(over) > most[offer]:
            return math.inf
        return units * price[offer] * days[month] * 24 + sum(over) * 3 * days[month] / 7

    found = {}
    for units in itertools.product(*(GRID[offer] for offer, _ in LINES)):
        total = sum(usd(*line, n) for line, n in zip(LINES, units))
        if math.isfinite(total):
            found[units] = total
    return found


@pytest.mark.parametrize("usd", [5.0, 200.0, 700.0, 1e5])
@pytest.mark.parametrize("last", [(4, 10, 0, 9), (10, 10, 9, 9), (5, 7, 1, 12)])
def test_against_every_purchase(
    every_order: dict[tuple[float, ...], float], last: tuple[float, ...], usd: float
) -> None:
    def worth(units: tuple[float, ...]) -> float:
        return every_order[units] + usd * sum(abs(a - b) for a, b in zip(units, last))

    best = min(worth(units) for units in every_order)
    plan, told = kept(tiny(), dict(zip(LINES, map(float, last))), usd)
    now = units_of(plan)
    assert worth(tuple(now.get(line, 0.0) for line in LINES)) == pytest.approx(best, rel=1e-7)
    assert told.changed_units == pytest.approx(sum(abs(now.get(line, 0.0) - n) for line, n in zip(LINES, last)))


@pytest.mark.parametrize("last", [(4, 10, 0, 9), (10, 10, 9, 9), (5, 7, 1, 12)])
def test_at_any_price_the_fewest_units_change_and_then_the_cheapest(
    every_order: dict[tuple[float, ...], float], last: tuple[float, ...]
) -> None:
    def changes(units: tuple[float, ...]) -> float:
        return sum(abs(a - b) for a, b in zip(units, last))

    fewest = min(map(changes, every_order))
    cheapest = min(usd for units, usd in every_order.items() if changes(units) <= fewest + 1e-9)
    plan, told = kept(tiny(), dict(zip(LINES, map(float, last))), math.inf)
    assert told.changed_units == pytest.approx(fewest, abs=1e-6)
    assert plan.totals.total_usd == pytest.approx(cheapest, rel=1e-7)
    assert told.holds == (fewest == 0)
    assert bool(told.broken) == (fewest > 0)


def test_at_any_price_it_says_what_no_longer_holds() -> None:
    case = tiny()
    _, told = kept(case, dict(zip(LINES, (4.0, 10.0, 12.0, 3.0))), math.inf)
    text = "\n".join(map(str, told.broken))
    # at most 9 are for sale
    assert "w" in text
    assert "12" in text
    assert "9" in text
    _, told = kept(tiny(max_commitment_usd=5000), dict(zip(LINES, (4.0, 4.0, 3.0, 3.0))), math.inf)
    # 4 x 1416 h x 1.0 + 3 x 1416 h x 0.8 = 9062.4 against 5000
    assert not told.holds
    assert "9062.4" in "\n".join(map(str, told.broken)).replace(",", "")


def test_withdrawn_offers_are_told() -> None:
    case = tiny()
    old = bought(case, solve(case, gap=1e-9, workers=1), {("e", "2027-01"): 4.0, ("w", "2027-01"): 3.0})
    new = replace(case, offers=tuple(o for o in case.offers if o.offer == "e"))
    last = last_purchases((case, old), new)
    assert last.units == {("e", "2027-01"): 4.0, ("e", "2027-02"): 0.0}
    assert [str(line) for line in last.gone] == ["w: no longer for sale, 3 units from 2027-01"]


def test_what_is_signed_is_not_bought_again() -> None:
    case = tiny()
    old = bought(case, solve(case, gap=1e-9, workers=1), {("e", "2027-01"): 6.0})
    owed = builders.case(
        builders.tables(commitments=[{"offer": "e", "units": 4, "start": "2027-01-01", "end": "2027-02-01"}])
    ).commitments
    last = last_purchases((case, old), replace(case, commitments=owed))
    assert last.units["e", "2027-01"] == 2.0


def test_a_pool_that_nothing_reaches_is_kept_where_that_is_cheaper_than_a_change() -> None:
    # the pool in the north serves nobody: 5 units cost 5 x 744, dropping them 5 x keep
    tables = builders.tables(
        regions=[{"region": "west"}, {"region": "north"}],
        pools=[{"pool": "west-m", "region": "west"}, {"pool": "north-m", "region": "north"}],
        throughput=[{"pool": p, "model": "m", "tokens_per_minute_per_unit": 1} for p in ("west-m", "north-m")],
        offers=[{"offer": p, "pool": p, "usd_per_unit_hour": 1.0} for p in ("west-m", "north-m")],
    )
    last = {("north-m", "2027-01"): 5.0, ("west-m", "2027-01"): 10.0}
    case = builders.case(tables)
    plan, told = kept(case, last, 800.0)
    assert told.holds
    assert plan.totals.total_usd == pytest.approx(15 * HOURS)
    plan, told = kept(case, last, 700.0)
    assert told.changed_units == pytest.approx(5)
    assert plan.totals.total_usd == pytest.approx(10 * HOURS)
    plan, told = kept(case, last, math.inf)
    assert told.holds


def test_without_a_charge_it_is_the_plan() -> None:
    case = tiny()
    free = find_plan(case, OPTIONS)
    plan, _ = kept(case, dict.fromkeys(LINES, 0.0), 0.0)
    assert plan.totals.total_usd == pytest.approx(free.totals.total_usd, rel=1e-8)


@pytest.mark.parametrize("steps", [0, 1])
def test_more_units_than_any_demand_asks_for_are_kept_too(steps: int) -> None:
    # 10 units carry everything; the last plan had 20 of one offer and 4 of the other
    sizes = {"min_units": 2, "unit_step": steps}
    offers = [{"offer": name, "pool": "west-m", "usd_per_unit_hour": 1.0, **sizes} for name in ("a", "b")]
    case = builders.case(builders.tables(offers=offers), whole_units=True)
    last = {("a", "2027-01"): 20.0, ("b", "2027-01"): 4.0}
    plan, told = kept(case, last, math.inf)
    assert told.holds
    assert units_of(plan) == pytest.approx(last)
    assert plan.totals.total_usd == pytest.approx(24 * HOURS)
    plan, told = kept(case, last, 750.0)
    assert told.holds
    plan, told = kept(case, last, 700.0)
    assert plan.totals.total_usd == pytest.approx(10 * HOURS)
