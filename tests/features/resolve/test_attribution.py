"""Why the cost changed: cases by hand, random pairs, mixtures without a plan, plans that were not the cheapest."""

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.errors import InfeasibleError
from planner.features.resolve.attribution import BY_GROUP, EACH, Attribution, attribute
from planner.plan.plan import Plan
from planner.readers import load
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import hours, on_demand
from tests.builders.random_tables import cases
from tests.oracle.generate import generate

HOURS = 744
OPTIONS = Options(workers=1)
NO_POOLS: dict[str, Any] = {"pools": [], "throughput": [], "offers": []}
EXAMPLES = settings(
    max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
DEMAND = {"volume", "shape", "mix", "cache_rate", "token_lengths"}


def why(old: Case, new: Case, detail: str = EACH) -> tuple[dict[tuple[str, ...], float], Attribution, float]:
    before, after = solve(old, workers=1), solve(new, workers=1)
    found = attribute((old, before), (new, after), OPTIONS, detail)
    change = after.totals.total_usd - before.totals.total_usd
    assert math.fsum(c.usd for c in found.causes) == pytest.approx(change, rel=1e-12, abs=1e-6)
    return {c.keys: c.usd for c in found.causes}, found, change


def paid(requests: float, usd: float, **more: Any) -> builders.Tables:
    price = on_demand(usd_per_mtok_input=usd / 60e-6)
    return builders.tables(demand=builders.profile("west", "w", requests), on_demand=[price], **NO_POOLS, **more)


def test_volume_and_price_share_what_both_make_together() -> None:
    # 10 requests at 3 USD become 20 at 5: volume adds 10 at 3 or at 5, the price adds 2 on 10 or on 20
    found, told, _ = why(builders.case(paid(10, 3)), builders.case(paid(20, 5)))
    assert found == {
        ("volume",): pytest.approx(10 * (3 + 5) / 2 * HOURS),
        ("on_demand_prices",): pytest.approx(2 * (10 + 20) / 2 * HOURS),
    }
    assert (told.solves, told.exact_to_usd) == (4, 0.0)


def test_a_change_of_one_cause_is_attributed_to_it_alone() -> None:
    old = builders.case(builders.tables())
    more = builders.case(builders.tables(demand=builders.profile("west", "w", 12.0)))
    found, told, change = why(old, more)
    assert found == {("volume",): pytest.approx(2 * HOURS)}
    assert change == pytest.approx(2 * HOURS)
    assert told.solves == 2
    assert why(old, old)[0] == {}
    assert why(old, builders.case(builders.tables(), name="another"))[0] == {}


def test_expiries_and_calendar() -> None:
    # 10 units, 4 of them owed at no use for the plan's price: January has 744 h, February 672 h; nothing else moves
    owed = [{"offer": "west-m-1m", "units": 4, "start": "2026-12-01", "end": "2027-02-01"}]
    dear = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0}]
    old = builders.case(builders.tables(commitments=owed, offers=dear))
    new = builders.case(builders.tables(commitments=owed, offers=dear), start="2027-02-01")
    found, _, _ = why(old, new)
    # 4 units run out and are bought anew at the same price: the end costs nothing, the shorter month 72 h less
    assert found == {("expiries",): pytest.approx(0.0, abs=1e-6), ("calendar",): pytest.approx(-10 * 72)}
    assert why(old, new, BY_GROUP)[0] == {("time",): pytest.approx(-10 * 72)}


def test_demand_that_the_old_offers_cannot_serve_comes_after_the_offers() -> None:
    # 10 requests an hour under a quota of 12; then 30 under 40, of which the price falls from 3 to 2
    def limited(requests: float, quota: float, usd: float) -> Case:
        row = on_demand(usd_per_mtok_input=usd / 60e-6, tokens_per_minute_quota=quota)
        return builders.case(
            builders.tables(demand=builders.profile("west", "w", requests), on_demand=[row], **NO_POOLS)
        )

    found, _, _ = why(limited(10, 12, 3), limited(30, 40, 2))
    # offers (the quota) before volume; the price in any of three places: before volume it falls on 10, else on 30
    assert found == {
        ("volume",): pytest.approx((20 * 3 + 20 * 2 + 20 * 2) / 3 * HOURS),
        ("on_demand_prices",): pytest.approx(-(10 + 10 + 30) / 3 * HOURS),
        ("offers",): pytest.approx(0.0, abs=1e-6),
    }


def test_causes_that_cannot_be_told_apart_are_told_together() -> None:
    # model m is withdrawn and the mix moves to n: neither goes without the other
    names = [{"model": "m"}, {"model": "n"}]

    def served(model: str, usd: float) -> Case:
        return builders.case(
            builders.tables(
                models=names,
                mix=[{"workload": "w", "model": model}],
                on_demand=[on_demand(model=model, usd_per_mtok_input=usd / 60e-6)],
                **NO_POOLS,
            )
        )

    found, told, _ = why(served("m", 3), served("n", 5))
    assert found == {("mix", "offers"): pytest.approx(10 * 2 * HOURS)}
    assert "cannot be separated" in told.causes[0].meaning


def test_a_plan_that_was_not_the_cheapest_is_a_cause_of_its_own() -> None:
    case = builders.case(builders.tables())
    best = solve(case, workers=1)
    dear = replace(
        best,
        totals=replace(best.totals, on_demand_usd=best.totals.on_demand_usd + 500.0),
        proof=replace(best.proof, status="given"),
    )
    more = builders.case(builders.tables(demand=builders.profile("west", "w", 12.0)))
    found = attribute((case, dear), (more, solve(more, workers=1)), OPTIONS)
    assert {c.keys: c.usd for c in found.causes} == {
        ("volume",): pytest.approx(2 * HOURS),
        ("plans",): pytest.approx(-500),
    }
    found = attribute((case, dear), (case, best), OPTIONS)
    assert {c.keys: c.usd for c in found.causes} == {("plans",): pytest.approx(-500)}


def planned(case: Case) -> Plan | None:
    try:
        return solve(case, workers=1)
    except InfeasibleError:
        return None


@EXAMPLES
@given(cases(), cases())
def test_random_pairs_add_up(old: Case, new: Case) -> None:
    before, after = planned(old), planned(new)
    if before is None or after is None:
        return
    found = attribute((old, before), (new, after), OPTIONS, BY_GROUP)
    change = after.totals.total_usd - before.totals.total_usd
    assert math.fsum(c.usd for c in found.causes) == pytest.approx(change, rel=1e-9, abs=1e-6)


@EXAMPLES
@given(cases(), st.floats(0.5, 2.0), st.integers(0, 10**6))
def test_demand_alone_is_attributed_to_demand_alone(case: Case, factor: float, seed: int) -> None:
    rng = random.Random(seed)
    moved = [n * factor * rng.choice((1.0, 1.0, 0.8)) for n in case.demand["requests_per_hour"]]
    new = replace(case, demand=case.demand.assign(requests_per_hour=moved))
    before, after = planned(case), planned(new)
    if before is None or after is None:
        return
    found = attribute((case, before), (new, after), OPTIONS)
    assert {key for c in found.causes for key in c.keys} <= {"volume", "shape"}


@pytest.mark.parametrize("seed", [3])
def test_generated_folders_add_up_and_rows_may_come_in_any_order(seed: int, tmp_path: Path) -> None:
    size = {"regions": 2, "workloads": 1, "models": 1, "features": ("terms", "commitments", "cache", "residency")}
    generate(tmp_path / "old", seed, **size)
    generate(tmp_path / "new", seed + 500, **size)
    old, new = load(tmp_path / "old"), load(tmp_path / "new")
    store = tmp_path / "store"
    before, after = solve(old, workers=1), solve(new, workers=1)
    found = attribute((old, before), (new, after), Options(workers=1, store=store), BY_GROUP)
    change = after.totals.total_usd - before.totals.total_usd
    assert math.fsum(c.usd for c in found.causes) == pytest.approx(change, abs=1e-6)
    for path in (tmp_path / "new").glob("*.csv"):
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        random.Random(seed).shuffle(rows)
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    turned = load(tmp_path / "new")
    again = attribute((old, before), (turned, solve(turned, workers=1)), Options(workers=1, store=store), BY_GROUP)
    assert again == found


def test_hours_of_demand_only_in_the_old_case_are_no_fault() -> None:
    old = builders.case(builders.tables(demand=hours("west", "w", 10, 20)))
    new = builders.case(builders.two_regions(demand=hours("east", "w", 5)))
    found, _, _ = why(old, new)
    assert {key for keys in found for key in keys} == {"volume", "offers"}
