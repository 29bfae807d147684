"""Orders as edited by procurement: priced exactly, and their faults told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.errors import InfeasibleError, InputError
from planner.features.order.order import price_order
from planner.plan.files import write_plan
from planner.plan.metrics import summary_of
from planner.plan.reading import Reading
from planner.readers import load
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import solve
from planner.verify.claims import proof_findings
from planner.verify.figures import figures_of, metrics_of
from planner.verify.verification import verify
from planner.workbook.report import Report
from planner.workbook.story import banner
from tests import builders
from tests.oracle.check import check
from tests.oracle.generate import generate

HOURS = 31 * 24  # January 2027


def order(*lines: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=["offer", "period", "units", "usd_per_unit_hour"])


@pytest.fixture
def case() -> Case:
    # 10 requests/hour of 60 tokens = 10 tokens/minute = 10 units; a unit 1 USD/hour, on demand 3 USD/request
    return builders.case(builders.tables())


def test_the_optimum_priced_as_an_order_costs_the_same(case: Case) -> None:
    best = solve(case)
    lines = best.purchases.assign(usd_per_unit_hour=1.0)
    priced = price_order(case, lines, Options())
    assert priced.broken == ()
    assert priced.plan.totals == pytest.approx(best.totals)
    assert priced.plan.proof.bound_usd == pytest.approx(best.totals.total_usd, rel=1e-9)


def test_of_equally_cheap_ways_the_same_order_is_served_as_the_optimum_serves_it(tmp_path: Path) -> None:
    """Regions of one price: what is served where is not decided by the cost, and no figure may depend on it."""
    generate(tmp_path, 3, regions=3, workloads=3, models=2, features="pools,mix,whole")
    case = load(tmp_path)
    best = solve(case)
    prices = {o.offer: o.usd_per_unit_hour for o in case.offers}
    lines = best.purchases.assign(usd_per_unit_hour=best.purchases["offer"].map(prices))
    priced = price_order(case, lines, Options())
    pd.testing.assert_frame_equal(priced.plan.dispatch, best.dispatch)
    ways = [metrics_of(c, p).strategies for c, p in ((case, best), (priced.case, priced.plan))]
    pd.testing.assert_frame_equal(*ways)


def test_fewer_units_are_made_up_on_demand(case: Case) -> None:
    # 4 of 10 units: 4 x 1 USD an hour, and 6 requests an hour at 60 tokens x 50,000 USD/Mtok = 3 USD each
    priced = price_order(case, order(("west-m-1m", "2027-01", 4.0, 1.0)), Options())
    assert priced.plan.totals.reserved_usd == pytest.approx(4 * HOURS)
    assert priced.plan.totals.on_demand_usd == pytest.approx(6 * 3 * HOURS)
    assert priced.plan.totals.sunk_usd == 0
    assert priced.broken == ()
    assert priced.best.totals.total_usd == pytest.approx(10 * HOURS)


def test_the_figures_of_an_order_are_those_that_verify_finds() -> None:
    # at most 5 units are sold, so no plan costs less than 5 x 1 + 5 x 3 an hour: 10 units for the average do not count
    offers = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "max_units": 5.0}]
    priced = price_order(
        builders.case(builders.tables(offers=offers)), order(("west-m-1m", "2027-01", 4.0, 1.0)), Options()
    )
    assert priced.plan.proof.bound_usd == pytest.approx(20 * HOURS)
    told = priced.metrics.strategies.set_index("strategy")["possible"]
    assert not told["reserved for the average"]
    assert summary_of(priced.metrics) == summary_of(figures_of(Reading(priced.case, priced.plan)))


@pytest.mark.parametrize("claim", [{"gap_asked": 0.5}, {"tree_bound_usd": 10.0 * HOURS, "tree_gap": 0.0}])
def test_an_order_claims_nothing_of_a_search(case: Case, claim: dict[str, float]) -> None:
    """With every digest made to fit: no search stands behind the price of an order."""
    plan = price_order(case, order(("west-m-1m", "2027-01", 10.0, 1.0)), Options()).plan
    assert proof_findings(case, plan) == []
    found = proof_findings(case, replace(plan, proof=replace(plan.proof, **claim)))
    assert ["was not searched for" in f.message for f in found] == [True]


def test_another_price_counts(case: Case) -> None:
    priced = price_order(case, order(("west-m-1m", "2027-01", 10.0, 2.5)), Options())
    assert priced.plan.totals.total_usd == pytest.approx(25 * HOURS)
    assert priced.best.totals.total_usd == pytest.approx(25 * HOURS)  # at 2.5 a unit is still cheaper than 3 on demand


def test_nothing_bought_is_an_order_too(case: Case) -> None:
    priced = price_order(case, order(), Options())
    assert priced.plan.totals.total_usd == pytest.approx(30 * HOURS)


def test_broken_sizes_and_budget_are_told() -> None:
    rows = builders.tables(
        offers=[{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "min_units": 5, "unit_step": 5}]
    )
    case = builders.case(rows, whole_units=True, max_commitment_usd=5 * HOURS)
    priced = price_order(case, order(("west-m-1m", "2027-01", 7.0, 1.0)), Options())
    text = "\n".join(str(rule) for rule in priced.broken)
    assert "size" in text
    assert "budget" in text


def test_what_stress_lacks_is_told_and_the_order_priced_all_the_same(tmp_path: Path) -> None:
    rows = builders.tables(
        on_demand=[
            {"region": "west", "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0,
             "tokens_per_minute_quota": 2.0}
        ]
    )  # fmt: skip
    case = builders.case(rows, headroom=0.5)  # 20 units or tokens/minute must stand; the order has 8, and 2 on demand
    with pytest.raises(InfeasibleError):
        price_order(case, order(("west-m-1m", "2027-01", 8.0, 1.0)), Options())
    loose = builders.case(rows, headroom=0.5, reserved_headroom=0.0)
    priced = price_order(loose, order(("west-m-1m", "2027-01", 8.0, 1.0)), Options())
    assert priced.plan.totals.total_usd == pytest.approx((8 + 2 * 3) * HOURS)
    assert [str(rule) for rule in priced.broken] == [
        "headroom: the spare capacity asked for cannot be served: 10 of 20 requests/hour on Mon 00:00 UTC, 2027-01, "
        "if all demand is cut alike: a margin of -50.0 %; at least 10 requests/hour (50.0 %) go unserved then, "
        "whichever they are"
    ]
    write_plan(priced.plan, priced.case, tmp_path / "ordered")
    stress = [f.message for f in verify(loose, tmp_path / "ordered").findings if f.rule == "stress"]
    assert len(stress) == 1  # a sentence, not every place of the witness
    assert (
        "what stands leaves at least 10 of 20 requests/hour unserved, whichever they are, and some in 167 more hours"
        in stress[0]
    )


def test_faults_of_an_order_come_all_at_once(case: Case) -> None:
    with pytest.raises(InputError) as error:
        price_order(
            case,
            order(
                ("west", "2027-01", 1.0, 1.0), ("west-m-1m", "2028-01", 1.0, 1.0), ("west-m-1m", "2027-01", 1.0, 2.0)
            ),
            Options(),
        )
    text = str(error.value)
    assert "no such offer" in text
    assert "no period of the horizon begins then" in text
    assert "two prices" in text


def test_the_share_of_a_stress_case_that_the_units_can_serve_is_told() -> None:
    # two models share 12 units; each region asks 5 of each. If east is lost, west has its 12 for all 20: 60 %
    rows = builders.two_regions(
        models=[{"model": "m"}, {"model": "n"}],
        workloads=[{"workload": name, "input_tokens": 60, "output_tokens": 0} for name in ("w", "v")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "v", "model": "n"}],
        demand=[row for r in ("east", "west") for name in ("w", "v") for row in builders.profile(r, name, 5.0)],
        throughput=[
            {"pool": f"{r}-m", "model": m, "tokens_per_minute_per_unit": 1}
            for r in ("east", "west")
            for m in ("m", "n")
        ],
        on_demand=[],
    )
    case = builders.case(rows, failover={"enabled": True})
    priced = price_order(
        case, order(("east-m-1m", "2027-01", 20.0, 1.0), ("west-m-1m", "2027-01", 12.0, 1.0)), Options(workers=1)
    )
    assert [str(rule) for rule in priced.broken] == [
        "failover east: the loss of east cannot be served: 12 of 20 requests/hour on Mon 00:00 UTC, 2027-01, if all "
        "demand is cut alike: a margin of -40.0 %; at least 8 requests/hour (40.0 %) go unserved then, "
        "whichever they are"
    ]


def test_an_order_that_breaks_failover_is_priced_without_a_search_for_what_would_mend_the_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # each region asks 10 and may lose the other: 20 units each. Sizes 5, 8, 11 ... so 11 of the order's 12 are deployed
    sized = [{"pool": f"{r}-m", "model": "m", "tokens_per_minute_per_unit": 1, "min_units": 5, "unit_step": 3}
             for r in ("east", "west")]  # fmt: skip
    case = builders.case(
        builders.two_regions(throughput=sized, on_demand=[]), whole_units=True, failover={"enabled": True}
    )

    def explained(*_: object) -> None:
        raise AssertionError("what would make a plan was looked for: minutes on a real folder, and nobody asked")

    monkeypatch.setattr("planner.solver.find.explain", explained)
    priced = price_order(
        case, order(("east-m-1m", "2027-01", 12.0, 1.0), ("west-m-1m", "2027-01", 12.0, 1.0)), Options(workers=1)
    )
    assert list(priced.plan.deployments["units"]) == [11.0, 11.0]
    assert [str(rule).split("UTC")[0] for rule in priced.broken] == [
        f"failover {r}: the loss of {r} cannot be served: 11 of 20 requests/hour on Mon 00:00 "
        for r in ("east", "west")
    ]


def test_what_is_named_is_the_least_break_of_all_ways_to_deploy_the_units() -> None:
    # west's 16 units as 11 of m and 5 of n: 5 of the 6 that n is asked for if east is lost (8 and 8 serve 8 of m's 10)
    lines = order(("east-m-1m", "2027-01", 20.0, 1.0), ("west-m-1m", "2027-01", 16.0, 1.0))
    priced = price_order(builders.two_models_on_sizes(), lines, Options(workers=1))
    assert [str(rule) for rule in priced.broken] == [
        "failover east: the loss of east cannot be served: 13 of 16 requests/hour on Mon 00:00 UTC, 2027-01, if all "
        "demand is cut alike: a margin of -16.7 %; at least 1 request/hour (6.2 %) go unserved then, "
        "whichever they are"
    ]
    assert priced.least
    assert banner(Report(priced.metrics, least_break=True))[-1].startswith("No other way to deploy these units breaks")


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_the_verdict_on_a_random_edit_is_that_of_an_independent_check_of_every_rule(seed: int, tmp_path: Path) -> None:
    generate(tmp_path / "folder", seed, regions=2, workloads=1, models=1,
             features=("quota", "commitments", "whole")[: seed % 3 + 1])  # fmt: skip
    case = load(tmp_path / "folder")
    edited = solve(case, gap=1e-3).purchases
    factor = np.random.default_rng(seed).choice([0.5, 0.9, 1.0, 1.2], len(edited))
    usd = edited["offer"].map({o.offer: o.usd_per_unit_hour for o in case.offers}).astype(float)
    lines = edited.assign(units=np.round(edited["units"] * factor, 2), usd_per_unit_hour=usd)
    priced = price_order(case, lines, Options(workers=1))
    write_plan(priced.plan, priced.case, tmp_path / "ordered")
    faults, _, _ = check(tmp_path / "folder", tmp_path / "ordered")
    assert bool(priced.broken) == bool(faults), (priced.broken, faults)
    assert bool(faults) == (seed != 4)  # 4 stays servable: both verdicts are seen
