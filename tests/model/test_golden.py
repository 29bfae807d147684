"""One LP text a family of constraints, compared line by line; no family lacks one (new rules: `builders.solved`).

A golden is changed by hand only, in a commit that says why.
"""

from pathlib import Path

import pytest

from planner.model.index_tables import sets_of
from planner.model.program import FAMILIES, STRESS_FAMILIES, literal_program
from planner.model.reduce.slots import with_kept
from planner.model.sets import Keep, Sets
from tests.builders.lp_text import lp_text
from tests.builders.one_hour import hours, on_demand, one, sets, two, workload
from tests.builders.solved import Solved, solved

GOLDEN = Path(__file__).parent / "golden"
TWO_MODELS = {
    "models": [{"model": "m"}, {"model": "n"}],
    "mix": [
        {"workload": "w", "model": "m", "min_share": 0.25},
        {"workload": "w", "model": "n", "max_share": 0.5},
    ],
    "on_demand": [on_demand(), on_demand(model="n")],
}
LOST_EAST = {"headroom": 0.2, "failover": {"enabled": True, "share": 0.5, "on_demand_trust": 0.25}}
CAPPED = [
    {"origin": "east", "destination": "west", "usd_per_gb": 0.1, "max_gb_per_month": 5},
    {"origin": "west", "destination": "east", "usd_per_gb": 0.1},
]
QUOTAS = [on_demand(r, tokens_per_minute_quota=8) for r in ("east", "west")]
FAILING_EAST = [{"region": "east"}, {"region": "west", "fails": False}]
TWO_TERMS = sets(
    one(
        10,
        offers=[
            {"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 1.0},
            {"offer": "2m", "pool": "west-m", "usd_per_unit_hour": 0.9, "term_months": 2},
        ],
    ),
    months=2,
)
KEPT = {("1m", "2027-01"): 7.0, ("1m", "2027-02"): 0.0, ("2m", "2027-01"): 3.0, ("withdrawn", "2027-01"): 9.0}
CASES: dict[str, Sets] = {
    "balance": sets(one(10, 20)),
    "mix": sets(one(10, **TWO_MODELS)),
    "guaranteed": sets(
        one(
            10,
            workloads=[workload(guaranteed_share=0.4)],
            on_demand=[on_demand(), on_demand(option="priority", guaranteed=True)],
        )
    ),
    "reserved": sets(one(10, 20), headroom=0.2),
    "deployment": sets(
        one(
            10,
            pools=[{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 2.0}],
            offers=[
                {"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 1.0},
                {"offer": "2m", "pool": "west-m", "usd_per_unit_hour": 0.9, "term_months": 2},
            ],
            commitments=[
                {"offer": "1m", "units": 7, "start": "2026-12-01", "end": "2027-03-01"},
                {"offer": "1m", "units": 2, "start": "2027-01-01", "end": "2027-02-15"},
            ],
        ),
        months=3,
    ),
    "quota": sets(one(10, 20, on_demand=[on_demand(tokens_per_minute_quota=15)])),
    "egress": sets(two(10, 10, routes=CAPPED, workloads=[workload(extra_bytes_in=1000, extra_bytes_out=500)])),
    "cross_region_share": sets(two(10, 20), egress={"max_cross_region_share": 0.1}),
    "budget": sets(
        one(10, offers=[{"offer": "2m", "pool": "west-m", "usd_per_unit_hour": 1.0, "term_months": 2}]),
        months=2,
        max_commitment_usd=5000,
    ),
    "keep": with_kept(TWO_TERMS, Keep(50.0), KEPT),
    "keep_limit": with_kept(TWO_TERMS, Keep(0.0, limited=True), KEPT, {("1m", "2027-01"): 2.0, ("2m", "2027-01"): 0.5}),
    **dict.fromkeys(
        ("size_low", "size_top"),
        sets(
            one(
                100,
                offers=[
                    {"offer": "any", "pool": "west-m", "usd_per_unit_hour": 1.0},
                    {"offer": "min", "pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 30},
                    {"offer": "min-step", "pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 15, "unit_step": 5},
                    {"offer": "step", "pool": "west-m", "usd_per_unit_hour": 1.0, "unit_step": 50, "max_units": 99},
                ],
            ),
            whole_units=True,
        ),
    ),
    "stress_balance": sets(two(10, 20, regions=FAILING_EAST), **LOST_EAST),
    "stress_mix": sets(one(10, **TWO_MODELS), headroom=0.5),
    "stress_capacity": sets(two(10, 20, regions=FAILING_EAST), **LOST_EAST),
    "stress_quota": sets(two(10, 20, regions=FAILING_EAST, on_demand=QUOTAS), **LOST_EAST),
}


def test_no_family_lacks_a_golden() -> None:
    families = [family.name for family in (*FAMILIES, *STRESS_FAMILIES)]
    assert sorted([*CASES, *(each.family for each in solved())]) == sorted(families)
    assert sorted(path.stem for path in GOLDEN.glob("*.lp")) == sorted(CASES)


@pytest.mark.parametrize("family", CASES)
def test_golden(family: str) -> None:
    program = literal_program(CASES[family], sized=True)
    assert lp_text(program, family) == (GOLDEN / f"{family}.lp").read_text(encoding="utf-8")


@pytest.mark.parametrize("each", solved(), ids=lambda each: each.family)
def test_golden_of_a_case_solved_by_hand(each: Solved) -> None:
    assert lp_text(literal_program(sets_of(each.case)), each.family) == each.lp.lstrip("\n")


def test_rows_have_the_name_of_their_family() -> None:
    program = literal_program(sets(one(1, demand=hours("west", "w", 1))))
    names = [rows.family for rows in program.families]
    assert names == [family.name for family in (*FAMILIES, *STRESS_FAMILIES)]
