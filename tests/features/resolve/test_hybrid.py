"""Cases between two cases: what stands at which side."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner.features.resolve.causes import CAUSES
from planner.features.resolve.hybrid import Hybrids
from planner.schema.case import TABLE, Case
from tests import builders
from tests.builders.one_hour import hours, on_demand, workload

FIRST = builders.tables(
    demand=hours("west", "w", 10, 20),
    commitments=[{"offer": "west-m-1m", "units": 3, "start": "2026-12-01", "end": "2027-03-01"}],
)


def changed(**changes: Any) -> list[str]:
    """Causes that differ between the first case and one with some tables or settings changed."""
    settings = {k: v for k, v in changes.items() if k not in ("tables",)}
    old = builders.case(FIRST, months=2)
    new = builders.case({**FIRST, **changes.get("tables", {})}, **{"months": 2, **settings})
    return [cause for cause in CAUSES if Hybrids(old, new).differ(cause)]


def offer(**more: Any) -> dict[str, Any]:
    return {"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, **more}


@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({}, []),
        ({"name": "other"}, []),
        ({"tables": {"demand": hours("west", "w", 30, 60)}}, ["volume"]),
        ({"tables": {"demand": hours("west", "w", 20, 10)}}, ["shape"]),
        ({"tables": {"demand": hours("west", "w", 20, 20)}}, ["volume", "shape"]),
        ({"tables": {"workloads": [workload(burst_factor=1.5)]}}, ["shape"]),
        ({"tables": {"workloads": [workload(cache_hit_rate=0.5)]}}, ["cache_rate"]),
        ({"tables": {"workloads": [workload(input_tokens=90, requests_per_task=4)]}}, ["token_lengths"]),
        ({"tables": {"workloads": [workload(requests_per_task=4, kind="batch", note="x")]}}, []),
        ({"tables": {"workloads": [workload(guaranteed_share=0.5)]}}, ["policy"]),
        ({"headroom": 0.2}, ["policy"]),
        ({"max_commitment_usd": 1e5}, ["policy"]),
        ({"tables": {"mix": [{"workload": "w", "model": "m", "min_share": 0.5}]}}, ["mix"]),
        ({"tables": {"on_demand": [on_demand(usd_per_mtok_output=5.0)]}}, ["on_demand_prices"]),
        ({"tables": {"on_demand": [on_demand(tokens_per_minute_quota=1e6)]}}, ["offers"]),
        ({"tables": {"on_demand": [on_demand(), on_demand(option="priority")]}}, ["offers"]),
        ({"tables": {"offers": [offer(usd_per_unit_hour=0.9, product="other")]}}, ["offer_prices"]),
        ({"tables": {"offers": [offer(term_months=12)]}}, ["offers"]),
        ({"tables": {"offers": [offer(), offer(offer="year", term_months=12)]}}, ["offers"]),
        ({"tables": {"commitments": []}}, ["expiries"]),
        ({"months": 3}, ["calendar"]),
        ({"start": "2027-02-01"}, ["expiries", "calendar"]),
        ({"tables": {"regions": [{"region": "west"}, {"region": "east"}]}, }, ["offers"]),
        ({"tables": {"regions": [{"region": "west", "fails": False, "provider": "x"}]}}, ["policy"]),
    ],
)  # fmt: skip
def test_a_change_belongs_to_its_cause(changes: dict[str, Any], causes: list[str]) -> None:
    assert changed(**changes) == causes


def demand(case: Case) -> dict[tuple[str, str, str, str, int], float]:
    return {
        (str(r.region), str(r.workload), str(r.scenario), str(r.period), int(r.hour_of_week)): r.requests_per_hour
        for r in case.demand.itertuples()
    }


def test_volume_of_one_and_shape_of_the_other() -> None:
    old = builders.case(builders.tables(demand=hours("west", "w", 10, 20)))
    new = builders.case(builders.tables(demand=[*hours("west", "w", 60, 0), *hours("west", "w", 0, 0, 30)]))
    both = Hybrids(old, new)
    # 30 requests a week spread 60 : 30 over hours 0 and 2; 90 spread 10 : 20 over hours 0 and 1
    low = demand(both.case({"shape"}))
    assert {key[-1]: n for key, n in low.items()} == pytest.approx({0: 20.0, 2: 10.0})
    high = demand(both.case({"volume"}))
    assert {key[-1]: n for key, n in high.items()} == pytest.approx({0: 30.0, 1: 60.0})


def test_a_new_workload_is_volume_and_brings_its_own_mix_and_shape() -> None:
    old = builders.case(builders.tables(demand=hours("west", "w", 10)))
    new = builders.case(
        builders.tables(
            workloads=[workload(), workload(workload="v")],
            mix=[{"workload": name, "model": "m"} for name in ("w", "v")],
            demand=[*hours("west", "w", 10), *hours("west", "v", 0, 5)],
        )
    )
    both = Hybrids(old, new)
    assert [cause for cause in CAUSES if both.differ(cause)] == ["volume"]
    assert demand(both.case({"volume"})) == pytest.approx(demand(new))
    assert {m.workload for m in both.case({"volume"}).mix} == {"v", "w"}
    assert {key[1] for key in demand(both.case({"mix", "shape"}))} == {"w"}


def test_months_are_aligned_by_position_and_the_last_one_stands_for_those_beyond() -> None:
    rows = [*hours("west", "w", 10, period="2027-01"), *hours("west", "w", 40, period="2027-02")]
    owed = [{"offer": "west-m-1m", "units": 3, "start": "2026-12-31", "end": "2027-02-01"}]
    old = builders.case(builders.tables(demand=rows, commitments=owed), months=2)
    new = builders.case(builders.tables(demand=hours("west", "w", 7)), start="2027-04-01", months=3)
    mixed = Hybrids(old, new).case({"calendar"})
    assert [p.name for p in mixed.periods] == ["2027-04", "2027-05", "2027-06"]
    assert {key[3]: n for key, n in demand(mixed).items()} == {"2027-04": 10, "2027-05": 40, "2027-06": 40}
    (c,) = mixed.commitments  # the first month, as before
    assert [mixed.commitment_in_force(c, p) for p in mixed.periods] == [True, False, False]


def test_scenarios_are_of_the_shape() -> None:
    old = builders.case(builders.tables(demand=hours("west", "w", 10)))
    futures = [{"scenario": "low", "probability": 0.5}, {"scenario": "high", "probability": 0.5}]
    new = builders.case(
        builders.tables(
            scenarios=futures,
            demand=[*hours("west", "w", 10, scenario="low"), *hours("west", "w", 30, scenario="high")],
        )
    )
    both = Hybrids(old, new)
    assert [cause for cause in CAUSES if both.differ(cause)] == ["volume", "shape"]
    # expected 20 an hour; at the old volume of 10, half in each
    assert {key[2]: n for key, n in demand(both.case({"shape"})).items()} == pytest.approx({"low": 5.0, "high": 15.0})
    assert {key[2]: n for key, n in demand(both.case({"volume"})).items()} == pytest.approx({"base": 20.0})


def test_what_is_held_keeps_its_offer_and_pool_where_they_are_no_longer_for_sale() -> None:
    old = builders.case(FIRST)
    pool = {"pool": "new", "region": "west", "usd_per_unreserved_unit_hour": 2.0}
    new = builders.case(
        builders.tables(
            pools=[pool],
            throughput=[{"pool": "new", "model": "m", "tokens_per_minute_per_unit": 1}],
            offers=[{"offer": "n", "pool": "new", "usd_per_unit_hour": 0.5, "min_units": 5}],
            commitments=[{"offer": "n", "units": 5, "start": "2026-12-01", "end": "2027-03-01"}],
            demand=hours("west", "w", 10, 20),
        )
    )
    mixed = Hybrids(old, new).case({"expiries"})
    held = next(o for o in mixed.offers if o.offer == "n")
    assert (held.max_units, held.min_units, held.usd_per_unit_hour) == (0.0, 0.0, 0.5)
    assert next(p for p in mixed.pools if p.pool == "new").usd_per_unreserved_unit_hour is None
    assert {t.pool for t in mixed.throughput} == {"new", "west-m"}


def test_all_causes_make_the_new_case() -> None:
    old = builders.case(FIRST, months=2)
    owed = [{"offer": "east-m-1m", "units": 2, "start": "2027-01-01", "end": "2027-02-01"}]
    new = builders.case(builders.two_regions(commitments=owed), start="2027-02-01", headroom=0.3)
    mixed = Hybrids(old, new).case(CAUSES)
    for table in TABLE.keys() - {"regions", "models", "demand"}:
        assert mixed.rows(table) == new.rows(table), table
    assert mixed.settings == new.settings
    assert demand(mixed) == demand(new)
    none = Hybrids(old, new).case(())
    assert demand(none) == demand(old)
    assert none.offers == old.offers


def test_hybrids_do_not_depend_on_the_order_of_rows() -> None:
    old = builders.case(builders.two_regions())
    uneven = [*builders.profile("east", "w", 5), *builders.profile("west", "w", 9)]
    new = builders.case(builders.two_regions(demand=uneven))
    turned = replace(new, demand=new.demand.iloc[::-1].reset_index(drop=True))
    taken = {"volume"}
    one, two = Hybrids(old, new).case(taken), Hybrids(old, turned).case(taken)
    assert np.array_equal(one.demand["requests_per_hour"], two.demand["requests_per_hour"])


def test_cuts_are_the_calendar_and_parts_of_months_are_aligned_by_their_days() -> None:
    """Old: January and February. New: the same demand, February cut on the 15th."""
    demand = [*hours("west", "w", 10, 20, period="2027-01"), *hours("west", "w", 30, period="2027-02")]
    cut = [
        *hours("west", "w", 10, 20, period="2027-01"),
        *hours("west", "w", 30, period="2027-02-01"),
        *hours("west", "w", 30, period="2027-02-15"),
    ]
    old = builders.case({**FIRST, "demand": demand}, months=2)
    new = builders.case({**FIRST, "demand": cut}, months=2, cuts="2027-02-15")
    both = Hybrids(old, new)
    assert [cause for cause in CAUSES if both.differ(cause)] == ["calendar"]
    assert [p.name for p in both.case({"calendar"}).periods] == ["2027-01", "2027-02-01", "2027-02-15"]
    mixed = both.case({"calendar"}).demand
    assert mixed[mixed["period"] == "2027-02-15"]["requests_per_hour"].tolist() == pytest.approx([30.0])
